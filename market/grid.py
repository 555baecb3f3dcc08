"""The grid of a schedule: the points in time at which something may fall due, and how they lie.

A grid is structure only (which points are payments, where years begin, where the rate steps), so that
offers of one grid are worked on together, each with its own amounts, rates and days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from market.calendar import add_months
from market.errors import Code, invalid
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import DayCount, Interval

#: Months or days in the year of each day count.
YEAR = {DayCount.THIRTY_360: 12, DayCount.ACT_360: 360, DayCount.ACT_365: 365}


@dataclass(frozen=True, slots=True)
class Grid:
    """Points 0 … ``last``: months, or the dates of an explicit schedule.

    ``knots`` bound the payment periods: period j runs from knot j-1 to knot j; money in arrears falls due at
    every knot but the first, in advance at every knot but the last. ``steps`` are the numbers of the
    periods that begin at a new rate. ``months`` maps a month since the start to the first point on or
    after it, up to the last one that there is (None: points are months), and ``term`` is the number of
    months from start to end. ``year`` is the number of units of a period's length in a year; ``dated``
    grids are annualised in days over 365.
    """

    last: int
    knots: tuple[int, ...]
    steps: tuple[int, ...]
    months: tuple[int, ...] | None
    term: int
    year: int
    dated: bool

    @property
    def periods(self) -> int:
        """Return the number of payment periods."""
        return len(self.knots) - 1

    def point(self, month: int) -> int:
        """Return the first point on or after a month; beyond the end, a point that does not exist."""
        if self.months is None:
            return month
        return self.months[month] if month < len(self.months) else self.last + 1

    def anniversaries(self) -> list[int]:
        """Return the points of months 0, 12, 24 … before the end."""
        points = [self.point(month) for month in range(0, self.term, 12)]
        return [point for point in points if point <= self.last]


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of one offer's points: when each is paid, and to which day its interest runs."""

    paid: tuple[date, ...]
    accrued: tuple[date, ...]


def grid_of(terms: LoanTerms | LeaseTerms) -> Grid:
    """Return the grid of an offer; raises ``Invalid`` where its dates have no start."""
    if terms.due:
        if terms.start is None:
            raise invalid(Code.REQUIRED, "start")
        grid = _explicit(terms.start, terms.accrual or terms.due, terms.months, terms.day_count)
    else:
        first = terms.prelease_months if isinstance(terms, LeaseTerms) else 0
        grid = regular(terms.months, terms.day_count, terms.interval, first)
    if not terms.rate_steps:
        return grid
    return replace(grid, steps=tuple(period for period, _ in rate_changes(terms, grid)))


def rate_changes(terms: LoanTerms | LeaseTerms, grid: Grid) -> list[tuple[int, Decimal]]:
    """Return (period, rate) for every payment period that begins at another rate than the one before."""
    steps = [(grid.point(month), rate) for month, rate in terms.rate_steps]
    changes, current = [], terms.rate
    for period, begin in enumerate(grid.knots[:-1], start=1):
        now = next((rate for point, rate in reversed(steps) if point <= begin), terms.rate)
        if now != current:
            changes.append((period, now))
            current = now
    return changes


def dates_of(terms: LoanTerms | LeaseTerms) -> Dates | None:
    """Return the days of an offer's points, None where it names no start and needs none."""
    if terms.start is None:
        if terms.due or terms.day_count is not DayCount.THIRTY_360:
            raise invalid(Code.REQUIRED, "start")
        return None
    if terms.due:
        paid = (terms.start, *terms.due)
        return Dates(paid, (terms.start, *terms.accrual) if terms.accrual else paid)
    first = terms.prelease_months if isinstance(terms, LeaseTerms) else 0
    paid = due_dates(terms.start, first + terms.months)
    return Dates(paid, paid)


def lengths(dates: Dates, day_count: DayCount) -> list[int]:
    """Return the days in the period before each point, by the day count; index 0 is not read."""
    if day_count is DayCount.THIRTY_360:
        return [0, *(days_360(earlier, later) for earlier, later in pairwise(dates.accrued))]
    return [0, *((later - earlier).days for earlier, later in pairwise(dates.accrued))]


def days_360(start: date, end: date) -> int:
    """Count days by 30E/360: every month has thirty, and the 31st is the 30th."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * 30 + min(end.day, 30) - min(start.day, 30)


def due_dates(start: date, months: int) -> tuple[date, ...]:
    """Return start and the dates k months after it, clipped to the month's end."""
    try:
        return tuple(add_months(start, k) for k in range(months + 1))
    except OverflowError:
        raise invalid(Code.NOT_A_DATE, "start", value=start.isoformat()) from None


@lru_cache(maxsize=4096)
def regular(
    months: int,
    day_count: DayCount = DayCount.THIRTY_360,
    interval: Interval = Interval.MONTHLY,
    prelease: int = 0,
) -> Grid:
    """Return the grid of a schedule by months; a short last period closes the term."""
    last = prelease + months
    knots = (*range(prelease, last, interval), last)
    return Grid(last, knots, (), None, last, YEAR[day_count], day_count is not DayCount.THIRTY_360)


@lru_cache(maxsize=256)
def _explicit(start: date, accrued: tuple[date, ...], term: int, day_count: DayCount) -> Grid:
    """Return the grid of given dates; months are reached by the days that interest runs to.

    A payment rolled off a holiday thus stands for the month that it was meant for.
    """
    points: list[int] = []
    month, point = 0, 0
    days = (start, *accrued)
    while (day := _later(start, month)) <= accrued[-1]:
        while days[point] < day:
            point += 1
        points.append(point)
        month += 1
    year = 360 if day_count is DayCount.THIRTY_360 else YEAR[day_count]
    return Grid(len(accrued), tuple(range(len(days))), (), tuple(points), term, year, True)


def _later(start: date, months: int) -> date:
    try:
        return add_months(start, months)
    except OverflowError:
        return date.max
