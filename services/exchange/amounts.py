"""Amounts as people write them in tables: 元, 万元, 亿元, thousands separators, full-width digits.

What can be meant in one way only is recognised; anything else is refused with what was written.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from market import money
from market.errors import Code, invalid

#: Yuan per unit.
UNITS = {"元": 1, "圆": 1, "千元": 1_000, "万元": 10_000, "万": 10_000, "百万元": 1_000_000}
UNITS |= {"亿元": 100_000_000, "亿": 100_000_000, "yuan": 1, "rmb": 1, "cny": 1}

_SIGN = re.compile(r"^(?:人民币|rmb|cny|[¥￥])\s*[::]?\s*", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?P<number>-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)\s*"
    r"(?P<unit>百万元|千元|万元|亿元|元|圆|万|亿|yuan|rmb|cny)?\s*整?",
    re.IGNORECASE,
)
#: 元/吨, 万元每台: a price of one, where a total is wanted.
_PER_PIECE = re.compile(r"[元万亿]\s*(?:/|每)\s*\S+")
_LONGEST = 60
#: A spreadsheet keeps fifteen digits of a number; what lies behind them was never written.
_DIGITS = 15


def read_amount(value: Any, field: str, unit: int = 1, *, least: int = 1) -> int | None:
    """Return an amount in fen, None for an empty cell; ``unit`` (yuan) holds where the cell says none.

    Raises ``Invalid``: not_a_number for words and doubtful writings, unit_price_only for a price per piece,
    too_many_decimals below a fen, too_small and too_large beyond what is believed.
    """
    text = clean(value)
    if not text:
        return None
    if _PER_PIECE.search(text):
        raise invalid(Code.UNIT_PRICE_ONLY, field, value=text[:_LONGEST])
    match = _AMOUNT.fullmatch(_SIGN.sub("", text))
    if match is None:
        raise invalid(Code.NOT_A_NUMBER, field, value=text[:_LONGEST])
    scale = UNITS[match["unit"].lower()] if match["unit"] else unit
    number = Decimal(match["number"].replace(",", "")) * scale
    return money.parse_yuan(f"{number.normalize():f}" if number else "0", field, least=least)


def read_count(value: Any, field: str) -> Decimal | None:
    """Return a quantity, None for an empty cell; a unit behind it (台, 套) says nothing of it."""
    text = clean(value)
    if not text:
        return None
    match = re.fullmatch(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?\s*[^\W\d_]{0,4}", text)
    if match is None or len(text) > money.LONGEST:
        raise invalid(Code.NOT_A_NUMBER, field, value=text[:_LONGEST])
    return Decimal(match[1].replace(",", "") + (match[2] or ""))


def find_unit(head: str) -> int | None:
    """Return the unit (yuan) that a column's head states in brackets, as in 金额（万元）; None if none."""
    for said in re.findall(r"\(([^)]*)\)", unicodedata.normalize("NFKC", head)):
        if (unit := UNITS.get(said.strip().lower().removeprefix("单位:").strip())) is not None:
            return unit
    return None


def clean(value: Any) -> str:
    """Return a cell as half-width text without outer blanks; numbers with the digits that were written."""
    if value is None:
        return ""
    if isinstance(value, float):
        number = Decimal(f"{value:.{_DIGITS}g}") if abs(value) < 1e18 else Decimal(0)
        return f"{number:f}" if abs(value) < 1e18 else str(value)
    return unicodedata.normalize("NFKC", str(value)).strip()
