"""Plain values of foreign data: texts, identifiers, days and moments, read forgivingly but exactly."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from market.contract_record import LONGEST_ID
from market.errors import Code, invalid
from services.exchange.stream import DAMAGE

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?", re.ASCII)
#: Contracts of the trade are signed and end within these years; 0001, 1900 and 9999 are ways to say nothing.
_FIRST_YEAR, _LAST_YEAR = 1980, 2100


def read_text(value: Any, field: str, longest: int) -> str | None:
    """Return a text without control characters and outer blanks, cut to ``longest``; None if there is none.

    Raises ``Invalid`` (bad_encoding) for one whose bytes could not be decoded.
    """
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    if DAMAGE in value:
        raise invalid(Code.BAD_ENCODING, field, value=value[:40].replace(DAMAGE, "�"))
    text = value if value.isprintable() else "".join(c if _is_kept(c) else " " for c in value)
    text = text.strip()
    return (text if len(text) <= longest else text[: longest - 1] + "…") or None


def read_id(value: Any, field: str = "id") -> str | None:
    """Return an identifier, or None; raises ``Invalid`` (too_long, bad_encoding): an id is never cut."""
    text = read_text(value, field, LONGEST_ID + 1)
    if text is not None and len(text) > LONGEST_ID:
        raise invalid(Code.TOO_LONG, field, value=text[:40], most=LONGEST_ID)
    return text


def read_day(value: Any, field: str) -> date | None:
    """Return the day as the publisher wrote it, whatever the time zone behind it; None if there is none.

    Raises ``Invalid`` (not_a_date) for a day that does not exist or cannot be meant.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        day = date.fromisoformat(match[1]) if match else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise invalid(Code.NOT_A_DATE, field, value=str(value)[:40])
    return day


def read_moment(value: Any) -> datetime | None:
    """Return when something was published, in UTC; None where that cannot be told."""
    try:
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        return None


def _is_kept(character: str) -> bool:
    # Rare Chinese characters in names were written with codes of private use before Unicode had them.
    return character.isprintable() or unicodedata.category(character) in {"Zs", "Co"}
