"""When something may fall due: the points of an offer, month by month or on the dates it names."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ONE, NOTHING = Decimal(1), Decimal(0)
#: Far below a fen, far above what the digits cut off from a quotient amount to.
FINE = Decimal(1).scaleb(-30)

#: A month number, a day number, or a date.
When = int | date


def fen(value: Decimal) -> Decimal:
    """Round half-up; a half that lost its last digits to a division is made a half again first."""
    return value.quantize(FINE).quantize(ONE, ROUND_HALF_UP)


def later(start: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month that is too short for it."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def days_of_30(first: date, last: date) -> int:
    """Count the days between two dates as if every month had thirty (30E/360)."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return 30 * months + min(last.day, 30) - min(first.day, 30)


@dataclass
class Point:
    """What happens at one time, in fen: ``units`` months or days after the point before it.

    ``before`` is the balance just before, ``payees`` what each of them gets (from a negative amount: pays).
    """

    when: When
    years: Decimal
    units: int = 0
    principal: Decimal = NOTHING
    interest: Decimal = NOTHING
    fees: Decimal = NOTHING
    subsidy: Decimal = NOTHING
    deposit: Decimal = NOTHING
    before: Decimal = NOTHING
    payees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def charge(self, payee: str, amount: Decimal) -> None:
        self.fees += amount
        self.payees[payee] += amount

    def support(self, amount: Decimal) -> None:
        self.subsidy += amount
        self.payees["subsidy"] -= amount

    def hold(self, payee: str, amount: Decimal) -> None:
        self.deposit += amount
        self.payees[payee] += amount

    def net(self) -> Decimal:
        return self.subsidy - self.principal - self.interest - self.fees - self.deposit


@dataclass
class Timetable:
    """The points 0 … ``end``; subsidies that come late may add more behind them.

    ``bounds`` are the points where payment periods begin and end, ``yearly`` those of a yearly fee on a
    balance, ``year_ends`` those of a yearly share of the payments. ``basis`` units make a year. ``accrual``
    are the dates from which interest runs, the start first, where the offer names its dates.
    """

    points: list[Point]
    basis: int
    bounds: list[int]
    yearly: list[int]
    year_ends: list[int]
    start: date | None
    accrual: Sequence[date] = ()

    def __post_init__(self) -> None:
        self.end = len(self.points) - 1

    def reached(self, k: int, month: int) -> bool:
        """Say whether point k, by the day that interest runs to, is not before a month."""
        return self.accrual[k] >= later(self.start, month) if self.accrual else k >= month

    def delayed(self, k: int, months: int) -> Point:
        """Return the point some months after point k, a new one if need be."""
        when = self.points[k].when
        if not isinstance(when, date):
            while len(self.points) <= k + months:
                self.points.append(Point(len(self.points), Decimal(len(self.points)) / 12))
            return self.points[k + months]
        day = later(when, months)
        for point in self.points:
            if point.when == day:
                return point
        self.points.append(_day(self.start, day))
        return self.points[-1]


def by_months(
    months: int, interval: int, day_count: str = "30/360", start: date | None = None, prelease: int = 0
) -> Timetable:
    """Return a point for every month; payments every ``interval`` months, the last one closing the term."""
    end = prelease + months
    thirty = day_count == "30/360"
    points = [Point(k, Decimal(k) / 12) if thirty else _day(start, later(start, k)) for k in range(end + 1)]
    for k in range(1, end + 1):
        points[k].units = 1 if thirty else (points[k].when - points[k - 1].when).days
    return Timetable(
        points,
        basis=12 if thirty else int(day_count[-3:]),
        bounds=[*range(prelease, end, interval), end],
        yearly=list(range(0, end, 12)),
        year_ends=[*range(12, end, 12), end],
        start=start,
    )


def by_dates(
    start: date, due: Sequence[date], accrual: Sequence[date], day_count: str, months: int
) -> Timetable:
    """Return a point for the start and for every date given."""
    runs = [start, *(accrual or due)]
    points = [_day(start, day) for day in [start, *due]]
    end = len(due)
    thirty = day_count == "30/360"
    for k in range(1, end + 1):
        points[k].units = days_of_30(runs[k - 1], runs[k]) if thirty else (runs[k] - runs[k - 1]).days
    anniversaries = [later(start, month) for month in range(12, months, 12)]
    turns = [next(k for k in range(1, end + 1) if runs[k] >= day) for day in anniversaries if day <= runs[-1]]
    return Timetable(
        points,
        basis=int(day_count[-3:]),
        bounds=list(range(end + 1)),
        yearly=[0, *turns],
        year_ends=sorted({*turns, end}),
        start=start,
        accrual=runs,
    )


def _day(start: date, day: date) -> Point:
    return Point(day, Decimal((day - start).days) / 365)
