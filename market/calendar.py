"""Dates: month steps, working days of the mainland (调休 included), and the local day of a moment."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

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


def local_date(now: datetime) -> date:
    """Return the day it is in Shanghai at an aware moment."""
    if now.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return now.astimezone(SHANGHAI).date()
