"""Dates: month steps, working days of the mainland (调休 included), payment dates, local days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from market.errors import Code, invalid
from market.vocabulary import Rolling

SHANGHAI = ZoneInfo("Asia/Shanghai")


class CalendarStatus(StrEnum):
    """Whether a year's adjusted days are published (final) or only expected (provisional)."""

    FINAL = "final"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days: Monday to Friday, except where ``exceptions`` says otherwise.

    ``exceptions`` maps a date to whether it is worked (True: a weekend worked in exchange; False: a
    holiday). ``years`` holds the status of each known year; a year that is not there is provisional.
    """

    exceptions: Mapping[date, bool] = field(default_factory=dict)
    years: Mapping[int, CalendarStatus] = field(default_factory=dict)

    def status(self, day: date) -> CalendarStatus:
        """Say whether what this calendar knows of the day's year is final or provisional."""
        return self.years.get(day.year, CalendarStatus.PROVISIONAL)


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Say whether a day is worked."""
    return calendar.exceptions.get(day, day.weekday() < 5)


def add_working_days(day: date, count: int, calendar: Calendar) -> date:
    """Return the ``count``-th working day after ``day`` (before it when negative).

    A count of 0 returns ``day`` itself when it is worked, else the next working day.
    """
    step = timedelta(days=-1 if count < 0 else 1)
    if count == 0:
        while not is_working_day(day, calendar):
            day += step
        return day
    left = abs(count)
    while left:
        day += step
        left -= is_working_day(day, calendar)
    return day


def working_days_between(start: date, end: date, calendar: Calendar) -> int:
    """Return how many working days lie after ``start`` up to ``end``; negative when ``end`` is earlier."""
    if end < start:
        return -working_days_between(end, start, calendar)
    return sum(is_working_day(start + timedelta(days=n + 1), calendar) for n in range((end - start).days))


def add_months(day: date, months: int) -> date:
    """Return the same day of the month ``months`` later, clipped to the month's end.

    Raises ``OverflowError`` beyond the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("date out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def roll(day: date, rolling: Rolling, calendar: Calendar) -> date:
    """Return the working day on which a payment due on ``day`` is made (节假日调整).

    Modified following goes forward, but back where that would leave the month.
    """
    if rolling is Rolling.NONE or is_working_day(day, calendar):
        return day
    if rolling is not Rolling.PRECEDING:
        later = add_working_days(day, 0, calendar)
        if rolling is Rolling.FOLLOWING or later.month == day.month:
            return later
    return add_working_days(day, -1, calendar)


def payment_dates(
    start: date,
    months: int,
    *,
    interval: int = 1,
    first: date | None = None,
    rolling: Rolling = Rolling.NONE,
    calendar: Calendar,
) -> tuple[date, ...]:
    """Return the payment dates of a loan or lease, rolled off days that are not worked.

    The first is ``first``, else ``interval`` months after ``start``; the others follow every ``interval``
    months on its day of the month, clipped to the month's end, as long as they lie before the maturity
    (``months`` after ``start``); the maturity itself closes. Two payments that roll onto one day are one.
    Raises ``Invalid`` as ``payment_days`` does.
    """
    days = payment_days(start, months, interval=interval, first=first, rolling=rolling, calendar=calendar)
    return tuple(paid for _, paid in days)


def payment_days(
    start: date,
    months: int,
    *,
    interval: int = 1,
    first: date | None = None,
    rolling: Rolling = Rolling.NONE,
    calendar: Calendar,
) -> tuple[tuple[date, date], ...]:
    """Return the payment dates as pairs: the day a payment nominally falls due, and the day it is made.

    Raises ``Invalid``: start (not_a_date) where the term leaves the calendar, first_due (out_of_order,
    too_large) where the first date, rolled, does not lie after the start and up to the maturity.
    """
    try:
        maturity = add_months(start, months)
        if first is not None and first > maturity:
            raise invalid(Code.TOO_LARGE, "first_due", value=first.isoformat(), most=maturity.isoformat())
        if first is not None and min(first, roll(first, rolling, calendar)) <= start:
            raise invalid(Code.OUT_OF_ORDER, "first_due", value=first.isoformat(), after=start.isoformat())
        nominal: list[date] = []
        origin, step = (start, interval) if first is None else (first, 0)
        while (day := add_months(origin, step)) < maturity:
            nominal.append(day)
            step += interval
        # Of two payments that roll onto one day the later stays: interest then runs to its nominal day.
        made = {roll(day, rolling, calendar): day for day in (*nominal, maturity)}
    except OverflowError:
        raise invalid(Code.NOT_A_DATE, "start", value=start.isoformat()) from None
    return tuple((day, paid) for paid, day in made.items())


def provisional_years(days: Iterable[date], calendar: Calendar) -> tuple[int, ...]:
    """Return the years among ``days`` of which this calendar knows nothing final, in order."""
    return tuple(sorted({day.year for day in days if calendar.status(day) is CalendarStatus.PROVISIONAL}))


def local_date(now: datetime) -> date:
    """Return the day it is in Shanghai at an aware moment."""
    if now.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return now.astimezone(SHANGHAI).date()
