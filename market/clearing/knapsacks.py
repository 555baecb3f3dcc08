"""A sharper bound for markets of small numbers: needs are priced, and every limit is filled by itself.

Where each offer uses one limit and the limits are small, the best filling of a limit is found exactly by
dynamic programming. What a need is worth is adjusted until the limits agree on who takes it (Lagrangian
relaxation of "each need once"); the sum is a lower bound, and it says of every offer what a placement that
takes it costs at least. Whole numbers throughout: worths count in 1/1024 of the cost's unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.clearing.columns import Columns, Floats, Ints
from market.clearing.program import Cut

ONE = 1024
ROUNDS = 700
#: Table cells (offers × capacity) that one filling of all limits may take.
MOST_CELLS = 4_000_000
_NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Filling:
    """The relaxation at some worths of the needs: ``total`` ÷ 1024 is a lower bound; who takes each need."""

    total: int
    taken: Ints
    least: tuple[int, ...]


class Knapsacks:
    """The limits of a market as knapsacks; leaving a need out counts as one more offer."""

    def __init__(self, columns: Columns) -> None:
        """Sort the offers by limit."""
        self.columns = columns
        order = np.argsort(columns.limit, kind="stable")
        ends = np.cumsum(np.bincount(columns.limit, minlength=len(columns.capacity)))[:-1]
        self.rows = np.split(order, ends)
        self.optional = np.flatnonzero(~columns.must)

    @staticmethod
    def suit(columns: Columns) -> bool:
        """Say whether a market is of this kind and its numbers small enough."""
        if not columns.exact64 or not columns.offers or not bool((np.diff(columns.start) == 1).all()):
            return False
        most = max(int(np.abs(columns.cost).max()), int(np.abs(columns.unplaced).max(initial=0)))
        cells = int((columns.capacity[columns.limit] + 1).sum())
        return cells <= MOST_CELLS and most * columns.needs * ONE < _NEVER

    def fill(self, worth: Ints) -> Filling:
        """Return the relaxation at these worths (whole, in 1/1024)."""
        columns, total, least = self.columns, int(worth.sum()), []
        taken = np.zeros(columns.needs, np.int64)
        for limit, rows in enumerate(self.rows):
            gain = worth[columns.need[rows]] - columns.cost[rows] * ONE
            rows, gain = rows[gain > 0], gain[gain > 0]
            sizes, left = columns.amount[rows].tolist(), int(columns.capacity[limit])
            table = _fill_table(gain.tolist(), sizes, left)
            least.append(-int(table[-1][left]))
            total += least[-1]
            for row in range(len(sizes) - 1, -1, -1):
                if table[row + 1][left] != table[row][left]:
                    taken[columns.need[rows[row]]] += 1
                    left -= sizes[row]
        refused = columns.unplaced[self.optional] * ONE - worth[self.optional]
        taken[self.optional] += refused < 0
        total += int(np.minimum(refused, 0).sum())
        return Filling(total, taken, tuple(least))

    def find_worths(self, start: Floats, target: int | None) -> Ints:
        """Return worths with a bound near the best, beginning from some in units of cost; deterministic."""
        worth = start * ONE
        best, kept, stall, step = -_NEVER, worth, 0, 1.0
        drift = np.zeros(len(worth))
        for _ in range(ROUNDS):
            filling = self.fill(np.rint(worth).astype(np.int64))
            stall = 0 if filling.total > best + ONE // 50 else stall + 1
            if filling.total > best:
                best, kept = filling.total, worth
            if stall > 15:
                step, stall, worth = step * 0.6, 0, kept
            if step < 0.003:
                break
            missing = 1.0 - filling.taken
            if not missing.any() or (target is not None and best > (target - 1) * ONE):
                break
            drift = missing + 0.5 * drift
            aim = best + max(ONE, ONE * 0.002 * abs(best / ONE) * step)
            worth = worth + step * (aim - filling.total) / max(1.0, float(drift @ drift)) * drift
        return np.rint(kept).astype(np.int64)

    def bound_offers(self, worth: Ints) -> tuple[int, Ints]:
        """Return the bound in 1/1024, and for every offer that of the placements that take it."""
        columns = self.columns
        filling = self.fill(worth)
        with_it = np.full(columns.offers, _NEVER)
        without = np.zeros(columns.offers, np.int64)
        for limit, rows in enumerate(self.rows):
            capacity, best = int(columns.capacity[limit]), -filling.least[limit]
            gain = worth[columns.need[rows]] - columns.cost[rows] * ONE
            good = gain > 0
            table = _fill_table(gain[good].tolist(), columns.amount[rows[good]].tolist(), capacity)
            others = rows[~good & (columns.amount[rows] <= capacity)]
            extra = columns.cost[others] * ONE - worth[columns.need[others]]
            with_it[others] = best - table[-1][capacity - columns.amount[others]] + extra
            after = np.zeros(capacity + 1, np.int64)
            for place in range(int(good.sum()) - 1, -1, -1):
                row = rows[good][place]
                size, own = int(columns.amount[row]), int(gain[good][place])
                without[row] = best - int((table[place] + after[::-1]).max())
                until = capacity + 1 - size
                with_it[row] = best - own - int((table[place][:until] + after[:until][::-1]).max())
                longer = after.copy()
                np.maximum(after[size:], after[:until] + own, out=longer[size:])
                after = longer
        # Who takes a need keeps every other offer for it, and its being left out, from being taken.
        spared = np.zeros(columns.needs, np.int64)
        np.add.at(spared, columns.need, without)
        refused = np.minimum(columns.unplaced * ONE - worth, 0)
        spared[self.optional] -= refused[self.optional]
        return filling.total, filling.total + with_it + spared[columns.need] - without

    def cut(self, worth: Ints, most: int) -> list[Cut]:
        """Return for every limit what its offers cost, less the worths, at least and at most.

        Least is its best filling; together they may be dearer than the bound only by what ``most`` allows.
        """
        columns, filling = self.columns, self.fill(worth)
        slack = most * ONE - filling.total
        return [
            Cut(rows, columns.cost[rows] * ONE - worth[columns.need[rows]], least, least + slack)
            for rows, least in zip(self.rows, filling.least, strict=True)
            if len(rows)
        ]


def _fill_table(gains: list[int], sizes: list[int], capacity: int) -> Ints:
    """Return the best gain per first items and room: row k looks at the first k items."""
    table = np.zeros((len(gains) + 1, capacity + 1), np.int64)
    for row, (gain, size) in enumerate(zip(gains, sizes, strict=True)):
        before, after = table[row], table[row + 1]
        after[:size] = before[:size]
        np.maximum(before[size:], before[: capacity + 1 - size] + gain, out=after[size:])
    return table
