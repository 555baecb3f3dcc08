"""Bare cash flows as JSON: ``{"flows": [["2026-01-05", "1000000.00"], …]}``, or period numbers for dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from market.errors import Code, invalid
from market.money import LONGEST, parse_decimal
from market.terms import FlowTerms, Period
from services.exchange.fields import Fields, parse_day, plain, shorten

#: Period numbers beyond this many months or years are no schedule.
MOST_PERIOD = 100_000
#: Period numbers are counted in one unit that all of them are whole in: at most so many of it make a period.
FINEST = 10**100

#: More digits than any number that was read can have.
_EXACT = Context(prec=4 * LONGEST)
_PERIOD_NUMBER = re.compile(r"(-?[0-9]+)(?:\.([0-9]+)|/([0-9]{1,3}))?", re.ASCII)


def read_flows(fields: Fields) -> FlowTerms:
    """Read bare flows: pairs of a date (or with ``period`` a period number) and an amount in yuan."""
    period = fields.choice("period", Period, None)
    if fields.has("period") and not fields.sound("period"):
        # Whether dates or numbers are meant is not known: nothing to say about the flows themselves.
        fields.has("flows")
        return FlowTerms(())
    parse_time: Callable[[Any, str], date | Fraction] = parse_day if period is None else parse_period
    flows = fields.pairs("flows", parse_time, _parse_amount)
    if not fields.data.get("flows") and not isinstance(fields.data.get("flows"), (str, Mapping)):
        fields.note(Code.REQUIRED, "flows")
    if fields.sound("flows"):
        _check_unit(fields, [when for when, _ in flows if isinstance(when, Fraction)])
    return FlowTerms(tuple(flows), period)


def write_flows(terms: FlowTerms) -> dict[str, Any]:
    """Return bare flows as JSON values that ``read_flows`` reads back to the same."""
    written: dict[str, Any] = {
        "flows": [
            [when.isoformat() if isinstance(when, date) else _write_period(when), f"{amount:f}"]
            for when, amount in terms.flows
        ]
    }
    return written if terms.period is None else {"period": terms.period.value, **written}


def parse_period(value: Any, at: str) -> Fraction:
    """Return a period number: whole, decimal (``0.5``) or a simple fraction (``1/3``)."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if text is None:
        raise invalid(Code.NOT_A_NUMBER, at, value=shorten(value))
    if "/" not in text:
        number = Fraction(parse_decimal(text, at, places=None))
    else:
        match = _PERIOD_NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        if match is None or not match[3] or int(match[3]) == 0 or text.startswith("-0/"):
            raise invalid(Code.NOT_A_NUMBER, at, value=shorten(text))
        number = Fraction(int(match[1]), int(match[3]))
    if abs(number) > MOST_PERIOD:
        raise invalid(Code.TOO_LARGE, at, value=shorten(text), most=MOST_PERIOD)
    return number


def _check_unit(fields: Fields, periods: Sequence[Fraction]) -> None:
    """Note the first period number that leaves no unit in which all of them are whole and still countable."""
    finest = 1
    for place, number in enumerate(periods):
        finest = lcm(finest, number.denominator)
        if finest > FINEST:
            places = len(str(FINEST)) - 1
            fields.note(Code.TOO_MANY_DECIMALS, f"flows[{place}][0]", value=str(number), most=places)
            return


def _parse_amount(value: Any, at: str) -> Decimal:
    return parse_decimal(plain(value), at, places=None)


def _write_period(number: Fraction) -> str:
    if number.denominator < 1000:
        return str(number)
    # A larger denominator was read from a decimal, so that its decimals end.
    return f"{_EXACT.divide(Decimal(number.numerator), Decimal(number.denominator)):f}"
