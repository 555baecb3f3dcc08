"""Prices of limits: what a unit of each limit is worth, and the lower bound that follows from any prices.

Charge every offer for the limits it uses and let every need take what is then cheapest: the sum, less the
limits at their prices, is a lower bound on every placement (Lagrangian relaxation). Floats look for good
prices; the bound of the prices found is computed in whole numbers, so that rounding can only weaken it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.clearing.columns import Columns, Floats, Ints

#: How many prices are corrected in all: offers × rounds.
WORK = 80_000_000
#: Above this many offers prices are first sought on a sample of needs, then on the offers that matter: those
#: within this part of their cost from the cheapest of their need.
MANY_OFFERS = 400_000
SAMPLE = 250_000
SAMPLE_ROUNDS, LAST_ROUNDS = 100, 70
CLOSE = 0.2
_TERM = 1 << 60


def find_prices(columns: Columns) -> Floats:
    """Return a price per unit of every limit, near the best there are; deterministic."""
    prices = np.zeros(len(columns.capacity))
    if not columns.offers or not len(columns.limit):
        return prices
    market = _Market(columns)
    if columns.offers <= MANY_OFFERS:
        rounds = min(1000, WORK // columns.offers)
        return market.improve(prices, rounds, 0.3, 0.0005)
    every = -(-columns.offers // SAMPLE)
    few = _Market(columns.select(np.flatnonzero(columns.need % every == 0)), share=1 / every)
    prices = few.improve(prices, SAMPLE_ROUNDS, 0.3, 0.01)
    # Offers far above the cheapest of their need hardly move the prices any more.
    close = np.flatnonzero(market.measure_excess(market.reduce(prices)) <= CLOSE * np.abs(market.cost))
    return _Market(columns.select(close)).improve(prices, LAST_ROUNDS, 0.03, 0.0005)


def find_near(columns: Columns, charged: Floats, each: int) -> Ints:
    """Return the offers that cost little more than the cheapest of their need: about so many per need.

    ``charged`` are their costs with uses charged; what they are dearer by counts against their own cost.
    """
    most = each * columns.needs
    if columns.offers <= most:
        return np.arange(columns.offers)
    excess = _Market(columns).measure_excess(charged) / np.maximum(1, np.abs(columns.cost))
    return np.flatnonzero(excess <= np.partition(excess, most)[most])


def charge(columns: Columns, prices: Floats) -> Floats:
    """Return the cost of every offer with its uses charged."""
    return _Market(columns).reduce(prices)


class _Market:
    """The columns as floats, with the needs that have offers numbered from 0."""

    def __init__(self, columns: Columns, share: float = 1.0) -> None:
        first = np.flatnonzero(np.diff(columns.need, prepend=-1))
        self.first = first
        self.place = np.cumsum(np.diff(columns.need, prepend=columns.need[:1]) != 0)
        self.cost = columns.cost.astype(float)
        self.amount = columns.amount.astype(float)
        self.limit = columns.limit
        self.capacity = columns.capacity.astype(float) * share
        present = columns.need[first]
        self.unplaced = np.where(columns.must[present], np.inf, columns.unplaced[present].astype(float))
        lengths = np.diff(columns.start)
        single = bool((lengths == 1).all())
        self.owner = None if single else np.repeat(np.arange(len(lengths)), lengths)
        self.start = columns.start

    def reduce(self, prices: Floats) -> Floats:
        """Return the cost of every offer with its uses charged."""
        charged: Floats = self.amount * prices[self.limit]
        if self.owner is not None:
            charged = np.bincount(self.owner, charged, len(self.cost)).astype(float)
        total: Floats = charged + self.cost
        return total

    def cheapest(self, reduced: Floats) -> Floats:
        """Return per need the least it can cost."""
        least: Floats = np.minimum(np.minimum.reduceat(reduced, self.first), self.unplaced)
        return least

    def measure_excess(self, reduced: Floats) -> Floats:
        """Return by how much every offer is dearer than the least its need can cost."""
        excess: Floats = reduced - self.cheapest(reduced)[self.place]
        return excess

    def improve(self, prices: Floats, rounds: int, step: float, last: float) -> Floats:
        """Return better prices: each moves by how far its limit is from being just full."""
        # A natural unit of price: what an offer costs per unit it uses of a limit.
        per_unit = self.cost if self.owner is None else self.cost[self.owner]
        unit = np.abs(per_unit) / np.maximum(self.amount, 1)
        scale = float(np.median(unit)) or 1.0
        room = np.maximum(self.capacity, 1)
        best, kept = -np.inf, prices
        memory = np.zeros_like(prices)
        squares = np.zeros_like(prices)
        fade = (last / step) ** (1 / max(1, rounds))
        for turn in range(rounds):
            reduced = self.reduce(prices)
            least = self.cheapest(reduced)
            bound = float(least.sum()) - float(prices @ self.capacity)
            if bound > best:
                best, kept = bound, prices
            taken = reduced <= least[self.place]
            uses = taken if self.owner is None else taken[self.owner]
            load = np.bincount(self.limit[uses], self.amount[uses], len(prices))
            over = np.clip((load - self.capacity) / room, -1, 3)
            memory = 0.7 * memory + 0.3 * over
            squares = 0.9 * squares + 0.1 * over * over
            settled = 1 - 0.9 ** (turn + 1)
            move = memory / (np.sqrt(squares / settled) + 1e-3)
            prices = np.maximum(0, prices + step * fade**turn * scale * move)
        return kept


@dataclass(frozen=True, slots=True)
class Proof:
    """What prices prove: ``total`` ÷ ``one`` is a lower bound, with an offer ``extra`` ÷ ``one`` more."""

    total: int
    one: int
    extra: Ints

    @property
    def bound(self) -> int:
        """Return the least whole number that a placement may cost."""
        return -(-self.total // self.one)


def prove(columns: Columns, prices: Floats) -> Proof:
    """Return the lower bound that follows from prices, exactly.

    Prices become whole numbers over a power of two, chosen so that no term leaves 64 bits; columns of Python
    integers need no such care.
    """
    wide = not columns.exact64
    several = int(np.diff(columns.start).max(initial=0)) + 1
    dearest = max(_largest(columns.cost), _largest(columns.unplaced), 1)
    charged = float(prices.max(initial=0.0)) * _largest(columns.amount)
    room = _TERM // (int(max(dearest, charged)) + 1) // several
    one = 1 << (40 if wide else max(0, min(40, room.bit_length() - 1)))
    whole = [int(price * one) for price in prices.tolist()]
    reduced = columns.cost * one
    if len(columns.limit):
        charge = columns.amount * np.array(whole, object if wide else np.int64)[columns.limit]
        lengths = np.diff(columns.start)
        if bool((lengths == 1).all()):
            reduced = reduced + charge
        else:
            np.add.at(reduced, np.repeat(np.arange(columns.offers), lengths), charge)
    least = columns.unplaced * one
    first = np.flatnonzero(np.diff(columns.need, prepend=-1))
    if len(first):
        offered, cheapest = columns.need[first], np.minimum.reduceat(reduced, first)
        least[offered] = np.where(columns.must[offered], cheapest, np.minimum(cheapest, least[offered]))
    spent = sum(price * int(room) for price, room in zip(whole, columns.capacity, strict=True))
    return Proof(exact_sum(least) - spent, one, reduced - least[columns.need])


def exact_sum(values: Ints) -> int:
    """Return the sum of integers that fit 64 bits one by one but perhaps not together."""
    if values.dtype == object or not len(values):
        return int(values.sum()) if len(values) else 0
    return (int((values >> 31).sum()) << 31) + int((values & ((1 << 31) - 1)).sum())


def _largest(values: Ints) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0
