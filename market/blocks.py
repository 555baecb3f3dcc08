"""The net flows of a book of offers, exact to the fen, for offers of one shape together, in blocks.

The columns of a book are first put in the order they are worked on. Picking rows out of long columns block by
block would fetch nearly every number from memory by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from market import cashflow, charges
from market.amortisation import Amortisation, Rates, Style, amortise
from market.book import BASES, NONE, RATE_UNIT, WHENS, Book, Charges, Shape
from market.grid import Grid
from market.layouts import Flags, Ints
from market.money import Whole, fits, share
from market.vocabulary import FeeBasis, Repayment

#: Offers worked on at a time: their schedules fit into the processor's cache.
CHUNK = 8192
_PRINCIPAL = BASES.index(FeeBasis.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Block:
    """Net flows of offers alike in shape: fen, one row per point (and per month beyond the end that
    something is paid late).

    ``places`` are the offers' rows in the book; ``days`` the days since the start of each flow, None
    where the points are months. ``within_year`` says of all offers or of each whether their last date is
    at most a year after the first.
    """

    places: Ints
    months: int
    net: Ints
    days: Ints | None
    within_year: bool | Flags


def blocks(book: Book) -> Iterator[Block]:
    """Yield the net flows of the whole book, block by block."""
    order = _sorting(book.shape)
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    arranged = replace(
        book,
        shape=_placed(book.shape, position),
        principal=_placed(book.principal, position),
        rate=_placed(book.rate, position),
        later=_placed(book.later, position),
        prelease=_placed(book.prelease, position),
        deposit=_placed(book.deposit, position),
        buyout=_placed(book.buyout, position),
    )
    due = _due(book, position)
    edges = np.flatnonzero(np.diff(arranged.shape)) + 1
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), len(order)], strict=True):
        for low in range(start, end, CHUNK):
            own = slice(low, min(low + CHUNK, end))
            yield _block(arranged, order[own], own, due)


class _Due(NamedTuple):
    """Charges in the order of their offers; see ``Charges``.

    Of a given ``kind`` (see ``_kinds``) are those that fall due together in offers of one shape.
    ``steady`` is what one occurrence comes to of those that are flat or taken of the principal.
    """

    offer: Ints
    kind: Ints
    sign: Ints
    rate: Ints
    steady: Ints
    bound: Ints
    passed: Ints
    lags: int


class _Group(NamedTuple):
    """Charges of one kind in a block: how they fall due, and their rows."""

    listed: list[charges.Occurrence]
    basis: FeeBasis
    lag: int
    simple: bool
    rows: Ints


def _sorting(codes: Ints) -> Ints:
    """Return the order that sorts codes, equal ones as they come; short numbers are sorted by counting."""
    short = codes.astype(np.int16) if codes.max(initial=0) < 2**15 else codes
    return np.argsort(short, kind="stable")


def _placed(column: Ints, position: Ints) -> Ints:
    """Return a column with each row at its new position."""
    placed = np.empty_like(column)
    placed[position] = column
    return placed


def _due(book: Book, position: Ints) -> _Due:
    """Return a book's charges in the order that ``position`` gives its offers."""
    table = book.charges
    if np.any(table.offer[1:] < table.offer[:-1]):
        rows = np.argsort(table.offer, kind="stable")
        table = Charges(*(getattr(table, name)[rows] for name in Charges.__dataclass_fields__))
    count = np.bincount(table.offer, minlength=len(position))
    before = np.cumsum(placed := _placed(count, position)) - placed
    # How far the charges of each offer move, all by the same distance.
    moved = before[position] - (np.cumsum(count) - count)
    place = np.arange(len(table.offer)) + np.repeat(moved, count)
    lags = int(table.lag.max(initial=0)) + 1
    steady = table.amount.copy()
    rated = np.flatnonzero((table.rate != NONE) & (table.basis == _PRINCIPAL))
    steady[rated] = share(book.principal[table.offer[rated]], table.rate[rated], RATE_UNIT)
    return _Due(
        offer=_placed(position[table.offer], place),
        kind=_placed(_kinds(table, lags), place),
        sign=_placed(table.sign, place),
        rate=_placed(table.rate, place),
        steady=_placed(steady, place),
        bound=_placed(table.bound, place),
        passed=_placed(table.passed, place),
        lags=lags,
    )


def _kinds(table: Charges, lags: int) -> Ints:
    """Return a number per charge that stands for when, of what, from which month, and how late.

    It is odd for those whose amount is the same each time, so that it may be summed over an offer's charges
    before it is spread over its points. ``lags`` is more than any charge's lag.
    """
    basis = np.where(table.rate == NONE, _PRINCIPAL, table.basis)
    simple = (table.bound == NONE) & (table.passed == RATE_UNIT) & (basis == _PRINCIPAL)
    kinds: Ints = (table.from_month * lags + table.lag) * len(WHENS) + table.when
    kinds = (kinds * len(BASES) + basis) * 2 + simple
    return kinds


def _block(book: Book, places: Ints, own: slice, due: _Due) -> Block:
    """Return the net flows of offers alike in shape, the rows ``own`` of an arranged book."""
    shape = book.shapes[book.shape[own.start]]
    lattice = shape.grid
    days = lengths = None
    within_year: bool | Flags = shape.months <= 12
    if lattice.dated:
        each = [book.days[place] for place in places.tolist()]
        days = np.array([one.paid for one in each], dtype=np.int64).T
        lengths = list(np.array([one.lengths for one in each], dtype=np.int64).T)
        within_year = np.array([one.within_year for one in each])
    plan = _amortise(book, own, shape, lengths)
    groups = list(_groups(due, shape, own))
    late = max((group.lag for group in groups), default=0)
    net = np.zeros((lattice.last + 1 + late, len(places)), dtype=np.int64)
    for point in range(lattice.last + 1):
        net[point] = -(plan.principal[point] + plan.interest[point])
    deposit = share(book.principal[own], book.deposit[own], RATE_UNIT)
    net[0] += book.principal[own] - deposit
    net[lattice.last] += deposit - book.buyout[own]
    for group in groups:
        _add(group, due, net, plan, due.offer[group.rows] - own.start)
    return Block(places, shape.months, net, days, within_year)


def _amortise(book: Book, own: slice, shape: Shape, lengths: list[Whole] | None) -> Amortisation:
    """Repay the principals of a block, in 64 bits where they suffice and in Python's integers where not."""
    lattice = shape.grid
    principal: Any = book.principal[own]
    listed: list[Any] = [book.rate[own]]
    if lattice.steps:
        listed += list(book.later[own, : len(lattice.steps)].T)
    if lattice.knots[0]:
        listed.append(book.prelease[own])
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


def _groups(due: _Due, shape: Shape, own: slice) -> Iterator[_Group]:
    """Yield the charges of a block by their kinds."""
    first, last = np.searchsorted(due.offer, [own.start, own.stop]).tolist()
    if first == last:
        return
    rows = _sorting(due.kind[first:last]) + first
    kinds = due.kind[rows]
    edges = (np.flatnonzero(np.diff(kinds)) + 1).tolist()
    for low, high in zip([0, *edges], [*edges, len(rows)], strict=True):
        rest, simple = divmod(int(kinds[low]), 2)
        rest, basis = divmod(rest, len(BASES))
        rest, when = divmod(rest, len(WHENS))
        from_month, lag = divmod(rest, due.lags)
        listed = charges.occurrences(
            WHENS[when], BASES[basis], shape.grid, shape.style, from_month=from_month
        )
        yield _Group(listed, BASES[basis], lag, bool(simple), rows[low:high])


def _add(group: _Group, due: _Due, net: Ints, plan: Amortisation, columns: Ints) -> None:
    """Add charges of one kind to the net flows of their block, in its ``columns``."""
    rows, width = group.rows, net.shape[1]
    if group.simple:
        each = np.zeros(width, dtype=np.int64)
        np.add.at(each, columns, due.sign[rows] * due.steady[rows])
        for one in group.listed:
            net[one.point + group.lag] += each
        return
    amount = np.empty((len(group.listed), len(rows)), dtype=np.int64)
    if group.basis is FeeBasis.PRINCIPAL:
        amount[:] = due.steady[rows]
    else:
        for row, one in zip(amount, group.listed, strict=True):
            row[:] = charges.base(group.basis, one, 0, plan)[columns]
        amount = share(amount, due.rate[rows], RATE_UNIT)
    bound, passed = due.bound[rows], due.passed[rows]
    if (bound != NONE).any():
        # Earlier occurrences use the bound up first.
        most = np.where(bound == NONE, np.iinfo(np.int64).max, bound)
        amount = np.diff(np.minimum(np.cumsum(amount, axis=0), most), axis=0, prepend=0)
    if (passed != RATE_UNIT).any():
        amount = share(amount, passed, RATE_UNIT)
    points = np.array([one.point + group.lag for one in group.listed], dtype=np.int64)
    places = points[:, None] * width + columns
    np.add.at(net.reshape(-1), places.ravel(), (due.sign[rows] * amount).ravel())
