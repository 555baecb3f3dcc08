"""The unified social credit code (统一社会信用代码), GB 32100-2015: 18 characters, the last a check."""

from __future__ import annotations

import unicodedata

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from market.errors import Code, invalid


def normalise(text: str) -> str:
    """Return the code without spaces and dashes, in half-width capitals; no judgement yet."""
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "").upper()


def is_valid(text: str) -> bool:
    """Say whether the text, normalised, is a code whose check character holds."""
    try:
        uscc.validate(normalise(text))
    except ValidationError:
        return False
    return True


def parse(text: str, field: str = "credit_code") -> str:
    """Return the normalised code; raises ``Invalid`` (bad_credit_code) naming ``field``."""
    if not is_valid(text):
        raise invalid(Code.BAD_CREDIT_CODE, field, value=text[:40])
    return normalise(text)


def complete(first_seventeen: str) -> str:
    """Return the code that these 17 characters begin, with its check character."""
    return first_seventeen + uscc.calc_check_digit(first_seventeen)
