"""The loan prime rate (LPR, 贷款市场报价利率): a dated table, and the rate in force on a day."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from market.errors import Code, invalid
from market.vocabulary import LprTenor

_BASIS_POINT = Decimal("0.0001")
#: A month and its longest holiday: when a newer publication than one of this age must exist.
FRESH_DAYS = 40


@dataclass(frozen=True, slots=True)
class LprRow:
    """One publication: both tenors as rates per year (``Decimal("0.03")`` is 3 %)."""

    published_on: date
    one_year: Decimal
    five_year: Decimal

    def rate(self, tenor: LprTenor) -> Decimal:
        """Return the published rate of one tenor."""
        return self.one_year if tenor is LprTenor.ONE_YEAR else self.five_year


@dataclass(frozen=True, slots=True)
class LprTable:
    """Publications in order of date, one a day at most. Raises ``ValueError`` otherwise."""

    rows: tuple[LprRow, ...]

    def __post_init__(self) -> None:
        """Check the order, on which every look-up rests."""
        days = [row.published_on for row in self.rows]
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError("the rows of an LPR table stand in order of date, one a day")

    def row(self, on: date) -> LprRow:
        """Return the newest row that is not after ``on``; refuse a day before the first one."""
        place = bisect_right(self.rows, on, key=lambda row: row.published_on)
        if place == 0:
            first = self.rows[0].published_on.isoformat() if self.rows else None
            raise invalid(Code.OUT_OF_ORDER, None, value=on.isoformat(), after=first)
        return self.rows[place - 1]

    def in_force(self, tenor: LprTenor, on: date) -> tuple[Decimal, date]:
        """Return the rate in force on a day and the date it was published."""
        row = self.row(on)
        return row.rate(tenor), row.published_on


def is_old(published_on: date, on: date) -> bool:
    """Say whether a later publication must exist on a day, so that this one is only the newest on record."""
    return (on - published_on).days > FRESH_DAYS


def floating_rate(table: LprTable, tenor: LprTenor, on: date, spread_bp: int) -> Decimal:
    """Return LPR + spread (in basis points) as a rate per year, frozen at the pricing date ``on``."""
    return table.in_force(tenor, on)[0] + spread_bp * _BASIS_POINT
