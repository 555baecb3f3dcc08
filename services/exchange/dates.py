"""Days as people write them in tables: 2026-03-05, 2026/3/5, 2026年3月5日, in Chinese, as serial numbers."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from market.errors import Code, invalid
from services.exchange.amounts import clean

#: Contracts of the trade are signed and end within these years.
FIRST_YEAR, LAST_YEAR = 1980, 2100
#: Spreadsheets count days from here, because they take 1900 for a leap year.
_EPOCH = date(1899, 12, 30)
_FORMS = (
    re.compile(r"(\d{4})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?"),
    re.compile(r"(\d{4})()\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?"),
    re.compile(r"(\d{4})()(\d{2})(\d{2})"),
)
_CHINESE = re.compile(
    r"([〇零○O0一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]?"
)
_DIGITS = {"〇": 0, "零": 0, "○": 0, "O": 0, "0": 0} | {
    digit: number for number, digit in enumerate("一二三四五六七八九", 1)
}
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")


def read_day(value: Any, field: str) -> date | None:
    """Return the day a cell means, None for an empty one.

    Raises ``Invalid`` (not_a_date) for a day that does not exist, cannot be meant, or is not told whole.
    """
    if isinstance(value, datetime):
        value = value.date()
    text = value.isoformat() if isinstance(value, date) else clean(value)
    if not text:
        return None
    try:
        day = _find(text)
    except (ValueError, LookupError, OverflowError):
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise invalid(Code.NOT_A_DATE, field, value=text[:40])
    return day


def _find(text: str) -> date | None:
    for form in _FORMS:
        if (match := form.fullmatch(text)) is not None:
            return date(int(match[1]), int(match[3]), int(match[4]))
    if (match := _CHINESE.fullmatch(text)) is not None:
        year = int("".join(str(_DIGITS[digit]) for digit in match[1]))
        return date(year, _count(match[2]), _count(match[3]))
    if _SERIAL.fullmatch(text):
        return _EPOCH + timedelta(days=int(text.partition(".")[0]))
    return None


def _count(text: str) -> int:
    """Return a number up to 99 in Chinese: 三, 十, 十二, 二十, 三十一."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        if len(text) > 1:
            raise ValueError
        return _DIGITS[text]
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)
