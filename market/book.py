"""Many offers as columns: the layout in which a million of them are priced.

One row per offer; fees and subsidies lie in a table of their own, one row each. Rates are whole
hundred-millionths, so that columns hold exact 64-bit numbers. Offers of one shape (how they are repaid,
on which grid) are worked on together, by the same rules as a single one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market import cashflow, charges, grid
from market.amortisation import Style
from market.grid import Grid
from market.money import RATE_PLACES
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient

Ints = NDArray[np.int64]

#: The codes of the columns ``when`` and ``basis`` are places in these lists.
WHENS = tuple(FeeTiming)
BASES = tuple(FeeBasis)
RATE_UNIT = 10**RATE_PLACES
#: Stands for "none" in columns whose values are not negative.
NONE = -1


class Shape(NamedTuple):
    """What offers have in common that are worked on together.

    ``months`` is the time from the paying out to the end.
    """

    style: Style
    day_count: DayCount
    grid: Grid
    months: int


class Days(NamedTuple):
    """The days of one offer's points since its start: when each is paid, and to which its interest runs.

    ``within_year`` says whether the last one is at most a year after the start.
    """

    paid: tuple[int, ...]
    lengths: tuple[int, ...]
    within_year: bool


@dataclass(frozen=True, slots=True)
class Charges:
    """Fees (sign -1) and the firm's subsidies (sign +1), one row per charge of an offer.

    ``rate`` is in hundred-millionths of what ``basis`` says (the charged part is in it already); where
    it is ``NONE`` the flat ``amount`` fen applies. ``bound`` is the most of all occurrences in fen, or
    ``NONE``; ``passed`` the share that reaches the firm, in hundred-millionths; ``lag`` the months
    that it is paid later.
    """

    offer: Ints
    sign: Ints
    when: Ints
    basis: Ints
    rate: Ints
    amount: Ints
    from_month: Ints
    bound: Ints
    passed: Ints
    lag: Ints

    @classmethod
    def plain(cls, offer: Ints, sign: Ints, when: Ints, basis: Ints, rate: Ints, amount: Ints) -> Charges:
        """Return charges without bounds, delays or sharing."""
        none, nought = np.full_like(offer, NONE), np.zeros_like(offer)
        return cls(
            offer, sign, when, basis, rate, amount, nought, none, np.full_like(offer, RATE_UNIT), nought
        )


@dataclass(frozen=True, slots=True)
class Book:
    """Loans and leases as columns of equal length.

    ``shape`` is a place in ``shapes``. ``later`` holds the rates stepped to, one column per step,
    ``prelease`` the rate before the rents begin. ``days`` gives the days of the offers whose grid is dated,
    by their rows.
    """

    shapes: tuple[Shape, ...]
    shape: Ints
    principal: Ints
    rate: Ints
    later: Ints
    prelease: Ints
    deposit: Ints
    buyout: Ints
    charges: Charges
    days: Mapping[int, Days]

    def __len__(self) -> int:
        """Return the number of offers."""
        return len(self.shape)

    @classmethod
    def of(cls, offers: Sequence[LoanTerms | LeaseTerms]) -> Book:
        """Return the columns of offers that ``fits_columns``; refuse a missing start date."""
        shapes: dict[Shape, int] = {}
        rows, charged, days = [], [], {}
        known: dict[tuple[Any, ...], Days] = {}
        steps = max((len(terms.rate_steps) for terms in offers), default=0)
        later = np.zeros((len(offers), steps), dtype=np.int64)
        for place, terms in enumerate(offers):
            shape = _shape(terms)
            if shape.grid.dated:
                key = (terms.start, terms.due, terms.accrual, shape)
                if key not in known:
                    known[key] = _days(terms)
                days[place] = known[key]
            lease = terms if isinstance(terms, LeaseTerms) else None
            before = lease.prelease_rate if lease and lease.prelease_rate is not None else terms.rate
            rows.append(
                (
                    shapes.setdefault(shape, len(shapes)),
                    terms.principal,
                    _units(terms.rate),
                    _units(before),
                    _units(terms.deposit),
                    lease.buyout if lease else 0,
                )
            )
            if shape.grid.steps:
                rates = [_units(rate) for _, rate in grid.rate_changes(terms, shape.grid)]
                later[place, : len(rates)] = rates
            charged += [(place, *_charge(item)) for item in cashflow.counted(terms)]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T.copy()
        extra = np.array(charged, dtype=np.int64).reshape(-1, 10).T.copy()
        places, principal, rate, prelease, deposit, buyout = columns
        return cls(
            tuple(shapes), places, principal, rate, later, prelease, deposit, buyout, Charges(*extra), days
        )

    @classmethod
    def by_month(
        cls,
        styles: Sequence[Style],
        months: Ints,
        principal: Ints,
        rate: Ints,
        deposit: Ints,
        buyout: Ints,
        charges: Charges,
    ) -> Book:
        """Return a book of monthly offers (30/360) from columns; ``styles`` names each offer's style."""
        codes = {style: code for code, style in enumerate(dict.fromkeys(styles))}
        style = np.fromiter((codes[one] for one in styles), dtype=np.int64, count=len(styles))
        pairs, shape = np.unique(np.stack([style, months]), axis=1, return_inverse=True)
        listed = list(codes)
        shapes = tuple(
            Shape(listed[code], DayCount.THIRTY_360, grid.regular(term), term)
            for code, term in pairs.T.tolist()
        )
        later = np.zeros((len(months), 0), dtype=np.int64)
        return cls(shapes, shape.ravel(), principal, rate, later, rate, deposit, buyout, charges, {})


def _shape(terms: LoanTerms | LeaseTerms) -> Shape:
    return Shape(cashflow.style_of(terms), terms.day_count, grid.grid_of(terms), cashflow.term_months(terms))


def _days(terms: LoanTerms | LeaseTerms) -> Days:
    dates = grid.dates_of(terms)
    assert dates is not None, "a dated grid has its days"
    start = dates.paid[0]
    return Days(
        tuple((day - start).days for day in dates.paid),
        tuple(grid.lengths(dates, terms.day_count)),
        cashflow.is_within_year(terms),
    )


def _charge(item: Fee | Subsidy) -> tuple[int, ...]:
    rate = NONE if item.rate is None else _units(item.rate * item.part)
    plain = (WHENS.index(item.when), BASES.index(item.basis), rate, item.amount or 0, item.from_month)
    if isinstance(item, Fee):
        return (-1, *plain, NONE, RATE_UNIT, 0)
    most = charges.bound(item)
    passed = RATE_UNIT if item.recipient is Recipient.FIRM else _units(item.passed_on)
    return (1, *plain, NONE if most is None else most, passed, item.lag_months)


def _units(rate: Decimal) -> int:
    scaled = rate.scaleb(RATE_PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError("columns hold rates of at most eight places")
    return whole


def fits_columns(terms: object) -> bool:
    """Say whether an offer can stand in a book: a loan or lease whose rates are within eight places.

    A draw list does not fit, nor what is paid late by days instead of months.
    """
    if not isinstance(terms, (LoanTerms, LeaseTerms)) or (isinstance(terms, LoanTerms) and terms.draws):
        return False
    rates = [terms.rate, terms.deposit, *(rate for _, rate in terms.rate_steps)]
    dated = bool(terms.due) or terms.day_count is not DayCount.THIRTY_360
    for item in cashflow.counted(terms):
        if item.rate is not None:
            rates.append(item.rate * item.part)
        if isinstance(item, Subsidy):
            rates.append(item.passed_on)
            if dated and item.lag_months:
                return False
    if isinstance(terms, LeaseTerms) and terms.prelease_rate is not None:
        rates.append(terms.prelease_rate)
    return all(rate * RATE_UNIT % 1 == 0 for rate in rates)
