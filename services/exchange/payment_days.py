"""When a loan or lease is paid, as JSON: every ``interval`` months, or on days of their own.

The days are either given (``due``, with ``accrual`` where interest runs to other days), or made from
``first_due`` and ``rolling``: the terms then hold the days that came of it, so that a calendar published
later changes nothing that was offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from market.calendar import add_months, payment_days
from market.errors import Code, Fault, Invalid
from market.reference import calendar
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import Interval, Rolling
from services.exchange.charges import LONGEST_TERM, MOST_LAG
from services.exchange.fields import Fields

INTERVALS = tuple(Interval)


@dataclass(frozen=True, slots=True)
class PaymentDays:
    """When payments fall due; ``rolled`` are the days whose place the working-day calendar decided."""

    interval: Interval = Interval.MONTHLY
    due: tuple[date, ...] = ()
    accrual: tuple[date, ...] = ()
    rolled: tuple[date, ...] = ()


def read_payment_days(
    fields: Fields, start: date | None, term: int, rivals: Mapping[str, bool], *, stored: bool = False
) -> PaymentDays:
    """Read when payments fall due in the ``term`` months after ``start``.

    ``rivals`` are the fields that count in months alone, with whether they are given: they cannot stand
    beside days. ``start`` is None where it is not given or not a date. Days that were ``stored`` are not
    held against the interval and the tenor again.
    """
    known = len(fields.faults)
    interval = Interval(fields.step("interval", INTERVALS, Interval.MONTHLY))
    first = fields.day("first_due", None)
    rolling = fields.choice("rolling", Rolling, Rolling.NONE)
    adjusted = fields.flag("adjusted", True)
    due, accrual = fields.days("due"), fields.days("accrual")
    # Payments that nobody rolls and that begin on the usual day are a regular schedule.
    made = [name for name, given in (("first_due", first), ("rolling", rolling is not Rolling.NONE)) if given]
    if fields.has("adjusted") and rolling is Rolling.NONE and fields.sound("adjusted"):
        fields.need("rolling")
    if fields.has("accrual") and not fields.has("due"):
        fields.need("due")
    cause = "due" if fields.has("due") else made[0] if made else None
    if cause is None:
        return PaymentDays(interval)
    if fields.has("due") and not stored:
        _refuse_beside_due(fields, interval, made)
    for name, given in rivals.items():
        if given:
            fields.note(Code.ONE_OF, name, choices=[name, cause])
    fields.need("start")
    if start is None or len(fields.faults) > known:
        return PaymentDays(interval)
    if fields.has("due"):
        _check_days(fields, "due", due, start, len(due))
        if fields.has("accrual"):
            _check_days(fields, "accrual", accrual, start, len(due))
        if len(fields.faults) == known and not stored:
            _check_end(fields, due[-1], start, term)
        return PaymentDays(interval, tuple(due), tuple(accrual))
    return _make(fields, start, term, interval, first, rolling, adjusted)


def write_payment_days(terms: LoanTerms | LeaseTerms) -> dict[str, Any]:
    """Return when payments fall due as JSON values; nothing where they do every month."""
    written: dict[str, Any] = {}
    if terms.interval is not Interval.MONTHLY:
        written["interval"] = int(terms.interval)
    if terms.due:
        written["due"] = [day.isoformat() for day in terms.due]
    if terms.accrual:
        written["accrual"] = [day.isoformat() for day in terms.accrual]
    return written


def check_room(fields: Fields, start: date, term: int) -> bool:
    """Say whether the term, and money that comes later still, end within the calendar; note it if not."""
    try:
        add_months(start, term + MOST_LAG)
    except OverflowError:
        fields.note(Code.NOT_A_DATE, "start", value=start.isoformat())
        return False
    return True


def _refuse_beside_due(fields: Fields, interval: Interval, made: Sequence[str]) -> None:
    if made:
        fields.note(Code.ONE_OF, "due", choices=["due", *made])
    elif interval is not Interval.MONTHLY:
        fields.note(Code.ONE_OF, "interval", choices=["interval", "due"])


def _check_days(fields: Fields, name: str, days: Sequence[date], start: date, count: int) -> None:
    """Note days that are none, too many, not as many as ``count``, or not each later than the one before."""
    if not days:
        fields.note(Code.REQUIRED, name)
    elif len(days) > LONGEST_TERM or len(days) > count:
        fields.note(Code.TOO_LARGE, name, value=len(days), most=min(count, LONGEST_TERM))
    elif len(days) < count:
        fields.note(Code.TOO_SMALL, name, value=len(days), least=count)
    for place, (before, day) in enumerate(zip((start, *days), days, strict=False)):
        if day <= before:
            fields.note(
                Code.OUT_OF_ORDER, f"{name}[{place}]", value=day.isoformat(), after=before.isoformat()
            )


def _check_end(fields: Fields, last: date, start: date, term: int) -> None:
    """Note a last payment that contradicts the tenor by a month or more."""
    earliest, latest = add_months(start, term - 1), add_months(start, term + 1)
    if last <= earliest:
        fields.note(Code.OUT_OF_ORDER, "due", value=last.isoformat(), after=earliest.isoformat())
    elif last >= latest:
        fields.note(Code.TOO_LARGE, "due", value=last.isoformat(), most=latest.isoformat())


def _make(
    fields: Fields,
    start: date,
    term: int,
    interval: Interval,
    first: date | None,
    rolling: Rolling,
    adjusted: bool,
) -> PaymentDays:
    try:
        days = payment_days(start, term, interval=interval, first=first, rolling=rolling, calendar=calendar())
    except Invalid as error:
        fields.faults.extend(Fault(one.code, fields.at(one.field), one.values) for one in error.faults)
        return PaymentDays(interval)
    nominal, paid = zip(*days, strict=True)
    return PaymentDays(
        due=paid,
        accrual=() if adjusted or nominal == paid else nominal,
        rolled=() if rolling is Rolling.NONE else (*nominal, *paid),
    )
