"""The duplicate-financing key (防重复融资标识): what of a number is spelling, and what is identity.

Contract number + supplier credit code (+ invoice number), each evened out. *Spelling* is whatever two
clerks who copy one paper may write differently: full width, case, spaces, every dash, dot, slash, bracket
and quote, a label before the number (合同编号：, No.), and 第…号 around it. *Identity* is every digit, letter
and 汉字 in its order, leading zeros too; 0 is not O. Two numbers that differ in their separators only are
held to be one: a guard that asks once too often can be answered, one that sleeps cannot.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable

#: As much as the tables hold; a longer key is known by its hash.
KEY_MOST = 320

#: Signs that are letters to Unicode but dashes to whoever typed them: katakana's long vowel, hangul's EU.
_DASHES = str.maketrans("ーㅡ\u1173", "---")
#: A circle stands for the zero of Chinese numerals (二○二六 for 二〇二六) wherever a keyboard lacks it.
_CIRCLES = str.maketrans({"○": "〇", "◯": "〇", "№": "NO."})
#: 一 is the numeral one among 汉字, but a dash between Latin letters or digits: nobody mixes the two systems.
_DASH_AMONG_LATIN = re.compile(r"(?<=[0-9A-Z])一+(?=[0-9A-Z])")
#: The label of a number, as forms print it; NO only where a sign shows that it is not part of the number.
_LABEL = re.compile(
    r"(?:(?:政府)?(?:采购)?(?:项目)?合同(?:编号|编码|号码|号)|编号|发票(?:号码|编号|号)"
    r"|(?:CONTRACT|INVOICE)(?:NO|NUMBER)|NO(?=[.:]))[^\w]*(?=\w)"
)
#: What counts for nothing in a text of ASCII: all but letters, digits and the one sign of a currency.
_ASIDE = re.compile(r"[^0-9A-Z$]+")
_NUMBERED = re.compile(r"第([0-9A-Z]+)号")
_TRAILING = re.compile(r"(?<=[0-9A-Z])号$")
#: 々 repeats the 汉字 before it; all other signs of its kind (modifier letters) are marks, not letters.
_REPEATS = "々"


def make_key(number: str, supplier_code: str, invoice: str | None = None) -> str:
    """Return the key of a contract, or of one invoice of it: its parts evened out, with a bar between."""
    parts = [number, supplier_code] + ([invoice] if invoice else [])
    key = "|".join(normalise(part) for part in parts)
    # Some single characters unfold into many when spelling is evened out.
    return key if len(key) <= KEY_MOST else hashlib.sha256(key.encode()).hexdigest()


def normalise(number: str) -> str:
    """Return a number without its spelling; empty where it holds neither digit nor letter.

    What was evened out once stays as it is: ``normalise(normalise(x)) == normalise(x)``.
    """
    text = unicodedata.normalize("NFKC", number.translate(_CIRCLES)).upper()
    text = unicodedata.normalize("NFKC", "".join(text.split())).translate(_DASHES)
    text = squeeze(_repeat(lambda it: _LABEL.sub("", it, count=1) if _LABEL.match(it) else it, text))
    return _repeat(_unwrap, text)


def squeeze(text: str) -> str:
    """Return the letters, digits and currency signs of a text, in capitals and of normal width."""
    if text.isascii():
        return _ASIDE.sub("", text.upper())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
    return "".join(sign for sign in folded if _counts(sign))


def _counts(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return sign in _REPEATS or (sign.isalnum() and kind != "Lm") or kind == "Sc"


def _unwrap(text: str) -> str:
    text = _DASH_AMONG_LATIN.sub("", text)
    if _LABEL.match(text):
        text = _LABEL.sub("", text, count=1)
    return _TRAILING.sub("", _NUMBERED.sub(r"\1", text))


def _repeat(change: Callable[[str], str], text: str) -> str:
    """Apply a change until it changes nothing more: labels may stand one before the other."""
    while (changed := change(text)) != text:
        text = changed
    return text
