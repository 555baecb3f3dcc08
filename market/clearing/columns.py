"""A market to be cleared as columns: one row per offer, so that two million offers are a few arrays.

Needs and limits are positions (0, 1, …); an offer's uses stand in ``limit`` and ``amount`` from
``start[offer]`` to ``start[offer + 1]``, no limit twice. All numbers are whole; where a sum could leave
64 bits the columns hold Python integers (dtype object), which are slower and just as exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Sums below this stay exact in 64 bits with room for a sign and a doubling.
SAFE = 1 << 61


@dataclass(frozen=True, slots=True)
class Columns:
    """Offers (rows in order of need, receipt, bid), needs and limits of a market.

    ``unplaced`` is what leaving a need out costs, ``must`` marks needs that have to be placed (their
    ``unplaced`` is 0 and means nothing). A ``divisible`` need may be shared among offers; an offer to it then
    takes either nothing or at least ``least`` ÷ ``whole`` of it (``whole``: per need, at least 1).
    """

    need: Ints
    cost: Ints
    receipt: Ints
    start: Ints
    limit: Ints
    amount: Ints
    unplaced: Ints
    must: Bools
    capacity: Ints
    divisible: Bools
    whole: Ints
    least: Ints

    @property
    def offers(self) -> int:
        """Return how many offers there are."""
        return len(self.need)

    @property
    def needs(self) -> int:
        """Return how many needs there are."""
        return len(self.unplaced)

    @property
    def exact64(self) -> bool:
        """Say whether every sum over these columns stays within 64 bits."""
        return all(
            column.dtype != object for column in (self.cost, self.amount, self.capacity, self.unplaced)
        )

    def uses_of(self, offers: Ints) -> tuple[Ints, Ints]:
        """Return for some offers the positions of their uses, and which of the offers each belongs to."""
        lengths = self.start[offers + 1] - self.start[offers]
        owner = np.repeat(np.arange(len(offers)), lengths)
        before = np.cumsum(lengths) - lengths
        return np.arange(len(owner)) - before[owner] + self.start[offers][owner], owner

    def select(self, offers: Ints) -> Columns:
        """Return the same market with only some of its offers, given in ascending order."""
        uses, _ = self.uses_of(offers)
        lengths = self.start[offers + 1] - self.start[offers]
        return replace(
            self,
            need=self.need[offers],
            cost=self.cost[offers],
            receipt=self.receipt[offers],
            start=np.concatenate([[0], np.cumsum(lengths)]),
            limit=self.limit[uses],
            amount=self.amount[uses],
            least=self.least[offers],
        )

    def without_idle_limits(self) -> Columns:
        """Return the same market without the limits that no placement can exceed.

        Nothing is looked for where every offer uses one limit: there few limits are idle.
        """
        lengths = np.diff(self.start)
        if not len(self.limit) or bool((lengths == 1).all()):
            return self
        owner = np.repeat(np.arange(self.offers), lengths)
        need = self.need[owner]
        order = np.lexsort((need, self.limit))
        limit, need = self.limit[order], need[order]
        # A need has one offer at most, so that of each limit it takes its largest use at most.
        first = np.flatnonzero((np.diff(limit, prepend=-1) != 0) | (np.diff(need, prepend=-1) != 0))
        most = np.zeros(len(self.capacity), self.amount.dtype)
        np.add.at(most, limit[first], np.maximum.reduceat(self.amount[order], first))
        tight = most > self.capacity
        kept = tight[self.limit]
        return replace(
            self,
            start=np.concatenate([[0], np.cumsum(np.bincount(owner[kept], minlength=self.offers))]),
            limit=(np.cumsum(tight) - 1)[self.limit[kept]],
            amount=self.amount[kept],
            capacity=self.capacity[tight],
        )

    def load(self, offers: Ints) -> Ints:
        """Return how much of every limit some offers use together."""
        uses, _ = self.uses_of(offers)
        load = np.zeros(len(self.capacity), self.amount.dtype)
        np.add.at(load, self.limit[uses], self.amount[uses])
        return load

    def price(self, offers: Ints) -> int:
        """Return what a placement of whole needs costs: the offers taken and the needs left out."""
        left_out = np.ones(self.needs, bool)
        left_out[self.need[offers]] = False
        return int(self.cost[offers].sum()) + int(self.unplaced[left_out].sum())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a clearing found: the offers taken, each with its share, and what is proved about them.

    ``objective`` and ``bound`` are None when nothing is possible (``status`` infeasible) or, with ``status``
    unknown, nothing was found within the work limit.
    """

    status: str
    objective: int | Fraction | None
    bound: int | Fraction | None
    offers: Ints
    shares: tuple[Fraction, ...] | None
    ties_proved: bool
    solver: str


def gather(
    *,
    need: Sequence[int] | Ints,
    cost: Sequence[int] | Ints,
    receipt: Sequence[int] | Ints,
    start: Sequence[int] | Ints,
    limit: Sequence[int] | Ints,
    amount: Sequence[int] | Ints,
    unplaced: Sequence[int] | Ints,
    capacity: Sequence[int] | Ints,
    must: Sequence[bool] | Bools | None = None,
    divisible: Sequence[bool] | Bools | None = None,
    whole: Sequence[int] | Ints | None = None,
    least: Sequence[int] | Ints | None = None,
) -> Columns:
    """Return columns of the right types; the rows must stand in order of need and then receipt."""
    needs, offers = len(unplaced), len(need)
    columns = Columns(
        need=np.asarray(need, np.int64),
        cost=fit(cost),
        receipt=fit(receipt),
        start=np.asarray(start, np.int64),
        limit=np.asarray(limit, np.int64),
        amount=fit(amount),
        unplaced=fit(unplaced),
        must=np.zeros(needs, bool) if must is None else np.asarray(must, bool),
        capacity=fit(capacity),
        divisible=np.zeros(needs, bool) if divisible is None else np.asarray(divisible, bool),
        whole=np.ones(needs, np.int64) if whole is None else fit(whole),
        least=np.zeros(offers, np.int64) if least is None else fit(least),
    )
    if columns.exact64:
        return columns
    # One column beyond 64 bits makes its sums with the others too large as well.
    wide = ("cost", "amount", "unplaced", "capacity")
    return replace(columns, **{name: getattr(columns, name).astype(object) for name in wide})


def arrange(need: Ints, receipt: Ints, bid: Ints) -> Ints | None:
    """Return the order of rows by need, receipt and bid, or None if they stand in it already."""
    step = np.diff(need)
    later = np.diff(receipt)
    sorted_already = (step > 0) | ((step == 0) & ((later > 0) | ((later == 0) & (np.diff(bid) >= 0))))
    return None if bool(sorted_already.all()) else np.lexsort((bid, receipt, need))


def fit(values: Sequence[int] | Ints) -> Ints:
    """Return whole numbers as 64-bit integers where their sum surely fits, else as Python integers."""
    wide = np.asarray(values, None if isinstance(values, np.ndarray) else object)
    if wide.size == 0:
        return np.zeros(0, np.int64)
    largest = max(abs(int(wide.max())), abs(int(wide.min())))
    return wide.astype(np.int64 if largest * wide.size < SAFE else object)


def scale(columns: Columns) -> tuple[Columns, float]:
    """Return columns of 64 bits that guide a search where the true ones are wider, and how to read prices.

    Uses are rounded up and capacities down, so that what fits here fits in truth; costs lose their tail. A
    price found here, times the second value, is the price there.
    """
    if columns.exact64:
        return columns, 1.0
    by_limit = _shift(columns.capacity, columns.amount)
    by_cost = _shift(columns.cost, columns.unplaced)
    narrow = replace(
        columns,
        cost=(columns.cost >> by_cost).astype(np.int64),
        unplaced=(columns.unplaced >> by_cost).astype(np.int64),
        amount=(-((-columns.amount) >> by_limit)).astype(np.int64),
        capacity=(columns.capacity >> by_limit).astype(np.int64),
    )
    return narrow, 2.0 ** (by_cost - by_limit)


def _shift(*columns: Ints) -> int:
    largest = max((abs(int(value)) for column in columns for value in column), default=0)
    length = max(len(column) for column in columns) or 1
    return max(0, (largest * length).bit_length() - SAFE.bit_length() + 1)
