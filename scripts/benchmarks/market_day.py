"""A whole market as columns: needs, products, live offers and lenders' limits, the same for every seed.

Needs are those of ``eligibility`` that fit enough products; each gets ``LIVE`` offers, from different
products that it fits. In an ample market lenders' limits together hold half more than is asked for, and many
of them bind all the same; in a scarce one they hold a tenth less, and every one of them binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from market.book import RATE_UNIT, Book, Charges
from market.eligibility import Requirement
from market.eligibility_match import match
from market.eligibility_table import Table
from market.layouts import Ints
from scripts.benchmarks import eligibility, offers

PRODUCTS, LENDERS, LIVE = 1_000, 500, 20
#: Where all limits are drawn: one zone's lenders, of whom each sees some fifty of five thousand needs.
ZONE_LENDERS = 100
#: Of this many needs one is enough that fits ``LIVE`` products.
SPARE = 2
#: How much of what is asked for the lenders' limits hold together, in percent.
AMPLE, SCARCE = 150, 90
#: What a need costs that stays unplaced, in millionths a year: the ceiling, four times an LPR of 3 %.
RESERVE = 120_000
#: Millionths a year: what clearing counts annual costs in.
UNITS = 10**6


@dataclass(frozen=True)
class Market:
    """A market on its day: what eligibility, pricing, ranking and clearing start from.

    ``amounts`` (fen) and ``months`` have a row per need, ``capacity`` (fen) a row per lender. ``need``,
    ``product``, ``lender`` and ``receipt`` have a row per offer of ``book``; these lie need by need, in the
    order of their receipts.
    """

    table: Table
    shelf: Sequence[Requirement]
    amounts: Ints
    months: Ints
    capacity: Ints
    need: Ints
    product: Ints
    lender: Ints
    receipt: Ints
    book: Book

    def __len__(self) -> int:
        """Return the number of needs."""
        return len(self.amounts)

    @cached_property
    def unplaced(self) -> Ints:
        """Return what each need costs a year that stays unplaced, in fen."""
        return annual_cost(self.amounts, np.full(len(self), RESERVE))


def draw(count: int, seed: int, held: int = AMPLE, lenders: int = LENDERS) -> Market:
    """Return a market of ``count`` needs whose lenders can take ``held`` percent of it."""
    random = np.random.default_rng([seed, 4])
    products = eligibility.draw_products(PRODUCTS, seed)
    shelf = [product.requirement() for product in products]
    drawn = eligibility.draw_needs(SPARE * count, seed)
    table = drawn.table()
    matches = match(table, shelf)
    chosen = np.flatnonzero(matches.counts >= LIVE)[:count]
    if len(chosen) < count:
        raise ValueError("too few needs fit enough products")
    needs = eligibility.Needs(*(getattr(drawn, column.name)[chosen] for column in fields(drawn)))
    own = match(needs.table(), shelf)
    counts = own.counts
    # Equally far apart among what a need fits, from anywhere on: twenty different products.
    begin = np.cumsum(counts) - counts
    turn = random.integers(0, counts)[:, None] + np.arange(LIVE) * (counts // LIVE)[:, None]
    place = begin[:, None] + random.permuted(turn % counts[:, None], axis=1)
    product = own.pairs()[1][place.ravel()].astype(np.int64)
    need = np.repeat(np.arange(count), LIVE)
    lender = product % lenders
    asked = np.bincount(lender, needs.amount[need], lenders) / LIVE * random.lognormal(0, 0.5, lenders)
    capacity = asked / asked.sum() * needs.amount.sum() * held / 100
    return Market(
        needs.table(),
        shelf,
        needs.amount,
        needs.months,
        capacity.astype(np.int64),
        need,
        product,
        lender,
        np.tile(np.arange(1, LIVE + 1), count),
        _book(random, needs, need, product, products),
    )


def annual_cost(amounts: Ints, units: Ints) -> Ints:
    """Return what amounts (fen) cost a year at rates in millionths, in fen, half a fen up."""
    return np.asarray((amounts * units + UNITS // 2) // UNITS)


def cut(book: Book, most: int) -> Iterator[tuple[slice, Book]]:
    """Yield a book in parts of at most ``most`` offers, with where each part lies."""
    table = book.charges
    for low in range(0, len(book), most):
        own = slice(low, min(low + most, len(book)))
        start, end = np.searchsorted(table.offer, (own.start, own.stop)).tolist()
        charges = {column.name: getattr(table, column.name)[start:end] for column in fields(Charges)}
        columns = {name: getattr(book, name)[own] for name in _COLUMNS}
        charges["offer"] = charges["offer"] - low
        yield own, replace(book, **columns, charges=Charges(**charges))


_COLUMNS = ("shape", "principal", "rate", "later", "prelease", "deposit", "buyout")


def _book(
    random: np.random.Generator,
    needs: eligibility.Needs,
    need: Ints,
    product: Ints,
    products: Sequence[eligibility.Product],
) -> Book:
    """Return the offers' terms: a rate of the product and of the firm, and the charges of ``offers``."""
    size = len(need)
    lease = np.array([one.kind for one in products])[product] == 1
    loans = len(offers.LOANS)
    style = np.where(lease, loans + product % 2, product // 2 % loans)
    basis_points = (
        random.integers(250, 500, len(products))[product]
        + random.integers(0, 150, len(needs))[need]
        + random.integers(0, 100, size)
    )
    return Book.by_month(
        [offers.STYLES[code] for code in style.tolist()],
        needs.months[need],
        needs.amount[need],
        basis_points * (RATE_UNIT // 10_000),
        np.where(lease, random.integers(0, 11, size) * (RATE_UNIT // 100), 0),
        np.where(lease, 10_000, 0),
        offers.charges(random, size),
    )
