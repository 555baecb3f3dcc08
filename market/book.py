"""Many offers as columns: the layout in which a million of them are priced.

One row per offer; fees and subsidies lie in a table of their own, one row each. Rates are whole
hundred-millionths, so that columns hold exact 64-bit numbers. Offers of one shape (how they are repaid,
on which grid) are worked on together, by the same rules as a single one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market import cashflow, charges, grid
from market.amortisation import Amortisation, Rates, Style, amortise
from market.grid import Grid
from market.money import RATE_PLACES, Whole, fits, share
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment

Ints = NDArray[np.int64]

#: The codes of the columns ``when`` and ``basis`` are places in these lists.
WHENS = tuple(FeeTiming)
BASES = tuple(FeeBasis)
RATE_UNIT = 10**RATE_PLACES
#: Stands for "none" in columns whose values are not negative.
NONE = -1

#: Offers worked on at a time: their schedules fit into the processor's cache.
CHUNK = 8192


class Shape(NamedTuple):
    """What offers have in common that are worked on together.

    ``months`` is the time from the paying out to the end.
    """

    style: Style
    day_count: DayCount
    grid: Grid
    months: int


class Days(NamedTuple):
    """The days of one offer's points since its start: when each is paid, and to which its interest runs."""

    paid: tuple[int, ...]
    lengths: tuple[int, ...]


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


@dataclass(frozen=True, slots=True)
class Block:
    """Net flows of offers alike in shape: fen, one row per point (and per month beyond the end that
    something is paid late).

    ``places`` are the offers' rows in the book; ``days`` the days since the start of each flow, None
    where the points are months.
    """

    places: Ints
    months: int
    net: Ints
    days: Ints | None


def blocks(book: Book) -> Iterator[Block]:
    """Yield the net flows of the whole book, block by block, exact to the fen."""
    order = np.argsort(book.shape, kind="stable")
    sorted_shapes = book.shape[order]
    edges = np.flatnonzero(sorted_shapes[1:] != sorted_shapes[:-1]) + 1
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    where = position[book.charges.offer]
    charge_order = np.argsort(where, kind="stable")
    where = where[charge_order]
    for group_start, group_end in zip([0, *edges], [*edges, len(order)], strict=True):
        for low in range(int(group_start), int(group_end), CHUNK):
            high = min(low + CHUNK, int(group_end))
            first, last = np.searchsorted(where, [low, high])
            yield _block(book, order[low:high], charge_order[first:last], where[first:last] - low)


def _block(book: Book, places: Ints, charge_rows: Ints, columns: Ints) -> Block:
    shape = book.shapes[book.shape[places[0]]]
    lattice = shape.grid
    days = lengths = None
    if lattice.dated:
        own = [book.days[place] for place in places.tolist()]
        days = np.array([one.paid for one in own], dtype=np.int64).T
        lengths = list(np.array([one.lengths for one in own], dtype=np.int64).T)
    plan = _amortise(book, places, shape, lengths)
    late = int(book.charges.lag[charge_rows].max(initial=0))
    net = np.zeros((lattice.last + 1 + late, len(places)), dtype=np.int64)
    for point in range(lattice.last + 1):
        net[point] = -(plan.principal[point] + plan.interest[point])
    deposit = share(book.principal[places], book.deposit[places], RATE_UNIT)
    net[0] += book.principal[places] - deposit
    net[lattice.last] += deposit - book.buyout[places]
    _add_charges(book, shape, net, plan, charge_rows, columns)
    return Block(places, shape.months, net, days)


def _amortise(book: Book, places: Ints, shape: Shape, lengths: list[Whole] | None) -> Amortisation:
    """Repay the principals of a block, in 64 bits where they suffice and in Python's integers where not."""
    lattice = shape.grid
    principal: Any = book.principal[places]
    listed: list[Any] = [book.rate[places]]
    if lattice.steps:
        listed += list(book.later[places, : len(lattice.steps)].T)
    if lattice.knots[0]:
        listed.append(book.prelease[places])
    common = reduce(gcd, (int(np.gcd.reduce(one)) for one in listed), RATE_UNIT)
    listed = [one // common for one in listed]
    denominator = RATE_UNIT // common * lattice.year
    longest = _longest(lattice, shape.style, lengths)
    if not fits(int(principal.max()), max(int(one.max()) for one in listed) * longest, denominator):
        principal, listed = principal.astype(object), [one.astype(object) for one in listed]
        lengths = lengths and [0, *(length.astype(object) for length in lengths[1:])]
    numerators = cashflow.rate_by_period(lattice, listed[0], listed[1 : 1 + len(lattice.steps)])
    plan = amortise(shape.style, principal, lattice, Rates(numerators, denominator, lattice.steps), lengths)
    if origin := lattice.knots[0]:
        length = origin if lengths is None else sum(lengths[1 : origin + 1])
        plan.interest[origin] = plan.interest[origin] + share(principal, listed[-1] * length, denominator)
    return plan


def _longest(lattice: Grid, style: Style, lengths: Sequence[Whole] | None) -> int:
    """Return the longest time that interest is counted over at once, in units of the grid."""
    if style is Repayment.BULLET:
        return lattice.last if lengths is None else int(np.max(sum(lengths[1:])))
    widest = max(later - earlier for earlier, later in zip((0, *lattice.knots), lattice.knots, strict=False))
    return widest if lengths is None else widest * max(int(length.max()) for length in lengths[1:])


def _add_charges(book: Book, shape: Shape, net: Ints, plan: Amortisation, rows: Ints, columns: Ints) -> None:
    """Add the block's fees and subsidies to its net flows."""
    if not len(rows):
        return
    table = book.charges
    kinds = np.stack([table.when, table.basis, table.from_month, table.lag])[:, rows]
    simple = (table.bound[rows] == NONE) & (table.passed[rows] == RATE_UNIT)
    flat = table.rate[rows] == NONE
    simple &= flat | (BASES.index(FeeBasis.PRINCIPAL) == kinds[1])
    # What is steady is summed before it is spread over its months; the rest goes month by month.
    kinds[1, flat] = BASES.index(FeeBasis.PRINCIPAL)
    keys, group = np.unique(np.vstack([kinds, simple]), axis=1, return_inverse=True)
    for code, (when, basis, from_month, lag, is_simple) in enumerate(keys.T.tolist()):
        chosen = group.ravel() == code
        own, column = rows[chosen], columns[chosen]
        due = charges.occurrences(
            WHENS[when],
            BASES[basis],
            shape.grid,
            from_month=from_month,
            advance=shape.style is RentTiming.ADVANCE,
        )
        if is_simple:
            principal = book.principal[table.offer[own]]
            each = np.zeros(net.shape[1], dtype=np.int64)
            np.add.at(each, column, table.sign[own] * _amount(table, own, principal))
            for one in due:
                net[one.point + lag] += each
            continue
        left = np.where(table.bound[own] == NONE, np.iinfo(np.int64).max, table.bound[own])
        for one in due:
            of = charges.base(BASES[basis], one, book.principal[table.offer[own]], plan)
            if BASES[basis] is not FeeBasis.PRINCIPAL:
                of = np.asarray(of, dtype=np.int64)[column]
            amount = np.minimum(_amount(table, own, of), left)
            left = left - amount
            amount = share(amount, table.passed[own], RATE_UNIT)
            np.add.at(net[one.point + lag], column, table.sign[own] * amount)


def _amount(table: Charges, own: Ints, of: Ints) -> Ints:
    """Return what one occurrence of charges comes to, in fen."""
    rate = table.rate[own]
    shared = share(of, np.maximum(rate, 0), RATE_UNIT)
    return np.where(rate == NONE, table.amount[own], shared)


def _shape(terms: LoanTerms | LeaseTerms) -> Shape:
    return Shape(cashflow.style_of(terms), terms.day_count, grid.grid_of(terms), cashflow.term_months(terms))


def _days(terms: LoanTerms | LeaseTerms) -> Days:
    dates = grid.dates_of(terms)
    assert dates is not None, "a dated grid has its days"
    start = dates.paid[0]
    return Days(tuple((day - start).days for day in dates.paid), tuple(grid.lengths(dates, terms.day_count)))


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
