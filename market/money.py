"""Money and rates: integer fen, exact decimals, and the only place of the house that rounds.

1 yuan is 100 fen. Amounts travel as decimal yuan strings (``"1234.50"``) and are counted in fen; a
rate per year is a ``Decimal`` (``Decimal("0.0365")`` is 3.65 %).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from market.errors import Code, invalid

FEN = 100
#: The largest amount that is believed: ten trillion yuan, in fen.
MOST_FEN = 10**15
#: Longer texts are not numbers a person or a program would send.
LONGEST = 40
#: Rates are stored and shown with this many places.
RATE_PLACES = 8

#: An ``int``, or a numpy array of int64 or of Python ints; numpy's own type cannot say "or".
Whole = Any

_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_NOT_FINITE = frozenset({"nan", "snan", "inf", "infinity"})
#: Wide enough that nothing read or rounded here loses a digit.
_WIDE = Context(prec=120)


def parse_decimal(value: object, field: str | None, *, places: int | None, longest: int = LONGEST) -> Decimal:
    """Read a plain decimal (``str``, ``int`` or ``Decimal``) exactly; a float is not exact and is refused.

    Refuses, as ``Invalid``: words, exponents, blanks, NaN and infinities, negative zero, more than
    ``places`` decimals (None: any number) and more than ``longest`` characters.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise invalid(Code.NOT_A_NUMBER, field, value=_shown(value))
    if isinstance(value, Decimal):
        text = f"{value:f}" if value.is_finite() and abs(value.adjusted()) <= LONGEST else str(value)
    elif isinstance(value, int):
        # Python itself refuses to write out integers of several thousand digits.
        text = str(value) if value.bit_length() <= 4 * LONGEST else "9" * (LONGEST + 1)
    else:
        text = value
    if text.strip().lstrip("+-").lower() in _NOT_FINITE:
        raise invalid(Code.NOT_FINITE, field, value=text)
    if len(text) > longest:
        raise invalid(Code.TOO_LONG, field, value=_shown(text), most=longest)
    if not _PLAIN.fullmatch(text):
        raise invalid(Code.NOT_A_NUMBER, field, value=text)
    number = Decimal(text)
    if number.is_zero() and text.startswith("-"):
        raise invalid(Code.NOT_A_NUMBER, field, value=text)
    _, _, decimals = text.partition(".")
    if places is not None and len(decimals.rstrip("0")) > places:
        raise invalid(Code.TOO_MANY_DECIMALS, field, value=text, most=places)
    return number


def parse_yuan(
    value: object, field: str | None = None, *, least: int | None = 0, most: int = MOST_FEN
) -> int:
    """Read an amount in yuan with at most two decimals and return it in fen.

    ``least`` and ``most`` are fen; ``least=None`` lets the amount be negative (down to ``-most``).
    """
    number = parse_decimal(value, field, places=2)
    fen = int(number.scaleb(2, _WIDE))
    floor = -most if least is None else least
    if fen < floor:
        raise invalid(Code.TOO_SMALL, field, value=f"{number:f}", least=yuan(floor))
    if fen > most:
        raise invalid(Code.TOO_LARGE, field, value=f"{number:f}", most=yuan(most))
    return fen


def parse_rate(
    value: object,
    field: str | None = None,
    *,
    places: int = RATE_PLACES,
    least: Decimal = Decimal(0),
    most: Decimal = Decimal(100),
) -> Decimal:
    """Read a rate or share as an exact decimal: ``"0.0365"`` is 3.65 %."""
    rate = parse_decimal(value, field, places=places)
    if rate < least:
        raise invalid(Code.TOO_SMALL, field, value=f"{rate:f}", least=f"{least:f}")
    if rate > most:
        raise invalid(Code.TOO_LARGE, field, value=f"{rate:f}", most=f"{most:f}")
    return rate


def yuan(fen: int) -> str:
    """Return fen as a decimal yuan string with two places: ``123450`` is ``"1234.50"``."""
    whole, cents = divmod(abs(fen), FEN)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d}"


def rate_text(rate: Decimal, places: int = RATE_PLACES) -> str:
    """Return a rate rounded half-up to ``places`` decimals, never as a negative zero."""
    digits = max(rate.adjusted(), 0) + places + 2
    rounded = rate.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=digits))
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


def round_half_up(value: Decimal | Fraction | int) -> int:
    """Return the nearest whole number; halves go away from zero."""
    top, bottom = value.as_integer_ratio()
    half = (2 * abs(top) + bottom) // (2 * bottom)
    return -half if top < 0 else half


def round_down(value: Decimal | Fraction) -> int:
    """Return the whole part of a value that is not negative: what is left over is not promised to anybody."""
    return value.numerator // value.denominator if isinstance(value, Fraction) else int(value)


def round_up(value: Fraction | int) -> int:
    """Return the least whole number that is not below a value: a liability is not told too small."""
    return -(-value.numerator // value.denominator)


def quantise(rate: Decimal, places: int = RATE_PLACES) -> Decimal:
    """Return a rate rounded half-up to the places it is stored with."""
    return Decimal(rate_text(rate, places))


def divide(amount: Whole, parts: int) -> Whole:
    """Return ``amount`` ÷ ``parts`` rounded half-up; amounts are not negative."""
    return (2 * amount + parts) // (2 * parts)


def mean(total: Whole, parts: int) -> Whole:
    """Return ``total`` ÷ ``parts`` rounded half-up, halves away from zero, whatever the sign."""
    return divide(abs(total), parts) * ((total > 0) * 1 - (total < 0) * 1)


def share(amount: Whole, numerator: Whole, denominator: int) -> Whole:
    """Return ``amount`` × ``numerator`` ÷ ``denominator`` rounded half-up, exact for non-negative values.

    Splitting ``amount`` by the denominator first keeps every intermediate product within 64 bits as
    long as ``fits`` says so; Python integers (alone or in an object array) always fit.
    """
    whole = amount // denominator
    rest = amount - whole * denominator
    return whole * numerator + (2 * rest * numerator + denominator) // (2 * denominator)


def fits(most_amount: int, most_numerator: int, denominator: int) -> bool:
    """Say whether ``share`` stays within 64 bits for amounts and numerators up to the given ones."""
    room = 2**62
    return (
        2 * denominator * most_numerator + denominator < room
        and (most_amount // denominator + 1) * most_numerator < room
        and 2 * most_amount < room
    )


def ratio(rate: Decimal) -> tuple[int, int]:
    """Return a rate as an exact fraction (numerator, denominator)."""
    return rate.as_integer_ratio()


def common_ratios(rates: Sequence[Decimal]) -> tuple[list[int], int]:
    """Return rates as exact fractions of one denominator: (numerators, denominator)."""
    pairs = [rate.as_integer_ratio() for rate in rates]
    denominator = lcm(*(bottom for _, bottom in pairs))
    return [top * (denominator // bottom) for top, bottom in pairs], denominator


def _shown(value: object) -> str:
    """Return a value short enough to repeat to whoever sent it."""
    text = value if isinstance(value, str) else type(value).__name__ if value is not None else ""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
