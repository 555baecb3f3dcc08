"""What people write in their own words: a reason, a question, a note; bounded, and without outer blanks."""

from __future__ import annotations

from market.errors import Code, invalid

#: So much of a text that is too long is repeated in the refusal.
REPEATED = 40


def read_remark(text: str, field: str, most: int, *, required: bool = True) -> str:
    """Return a text without outer blanks; raises ``Invalid`` (required, too_long) naming its field."""
    text = text.strip()
    if required and not text:
        raise invalid(Code.REQUIRED, field)
    if len(text) > most:
        raise invalid(Code.TOO_LONG, field, value=text[:REPEATED], most=most)
    return text
