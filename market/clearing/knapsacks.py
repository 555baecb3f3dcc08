"""A sharper bound for markets of small numbers: needs are priced, and every limit is filled by itself.

Where each offer uses one limit and the limits are small, the best filling of a limit is found exactly by
dynamic programming. What a need is worth is adjusted until the limits agree on who takes it (Lagrangian
relaxation of "each need once"); the sum is a lower bound, and it says of every offer what a placement that
takes it costs at least; the few ways to fill a limit that are left to a cheap placement can be listed.
Whole numbers throughout: worths count in 1/1024 of the cost's unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.clearing.columns import Columns, Floats, Ints
from market.clearing.program import Fillings, price_needs

ONE = 1024
ROUNDS = 700
#: Table cells (offers × capacity) that one filling of all limits may take.
MOST_CELLS = 4_000_000
#: Of a limit with more fillings than this none are listed.
MOST_FILLINGS = 10_000
#: Worths are sharpened at most so often, each time with about so many fillings.
SHARPENINGS, MIXED = 6, 12_000
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

    def sharpen(self, worth: Ints) -> Ints:
        """Return better worths, near the best there are: those a linear program gives the needs.

        It mixes the good fillings of every limit so that each need is taken once; where it goes too far, a
        part of its way is gone.
        """
        best = self.fill(worth).total
        for _ in range(SHARPENINGS):
            slack = 8 * ONE
            listed: list[Fillings] = []
            while slack and (
                len(listed) < len(self.rows) or sum(one.takes.shape[1] for one in listed) > MIXED
            ):
                slack //= 2
                listed = self.list_fillings(worth, slack)
            if not slack:
                break
            aim = np.rint(price_needs(self.columns, listed) * ONE)
            tried = [np.rint(worth + part * (aim - worth)).astype(np.int64) for part in (1, 0.5, 0.25, 0.1)]
            totals = [self.fill(one).total for one in tried]
            gain = max(totals) - best
            if gain > 0:
                best, worth = max(totals), tried[totals.index(max(totals))]
            if gain < ONE // 200:
                break
        return worth

    def list_fillings(self, worth: Ints, slack: int) -> list[Fillings]:
        """Return for every limit its fillings that are dearer than its best by at most ``slack`` (in 1/1024).

        A placement dearer than the bound of the worths by at most so much uses only these. Limits with too
        many of them are left out.
        """
        columns, found = self.columns, []
        for limit, rows in enumerate(self.rows):
            gain = worth[columns.need[rows]] - columns.cost[rows] * ONE
            # Those that gain most per unit are decided first, which keeps the number of beginnings small.
            order = np.argsort(-gain / np.maximum(columns.amount[rows], 1), kind="stable")
            rows, gain = rows[order], gain[order]
            fillings = _list_fillings(rows, gain, columns.amount[rows], int(columns.capacity[limit]), slack)
            if fillings is not None:
                found.append(fillings)
        return found


def _list_fillings(rows: Ints, gains: Ints, sizes: Ints, capacity: int, slack: int) -> Fillings | None:
    """Return the fillings whose gain is within ``slack`` of the best, None if there are too many."""
    good = np.maximum(gains, 0)
    # What the offers from each place on can still gain in the room left.
    still = _fill_table(good[::-1].tolist(), sizes[::-1].tolist(), capacity)[::-1]
    enough = int(still[0][capacity]) - slack
    left, gained = np.array([capacity]), np.array([0])
    steps: list[tuple[Ints, int]] = []
    for place, (gain, size) in enumerate(zip(gains.tolist(), sizes.tolist(), strict=True), 1):
        without = np.flatnonzero(gained + still[place][left] >= enough)
        room = np.flatnonzero(left >= size)
        within = room[gained[room] + gain + still[place][left[room] - size] >= enough]
        left = np.concatenate([left[without], left[within] - size])
        gained = np.concatenate([gained[without], gained[within] + gain])
        steps.append((np.concatenate([without, within]), len(without)))
        if len(left) > MOST_FILLINGS:
            return None
    takes = np.zeros((len(rows), len(left)), bool)
    at = np.arange(len(left))
    for place in range(len(rows) - 1, -1, -1):
        origin, without_it = steps[place]
        takes[place] = at >= without_it
        at = origin[at]
    return Fillings(rows, takes, enough + slack - gained)


def _fill_table(gains: list[int], sizes: list[int], capacity: int) -> Ints:
    """Return the best gain per first items and room: row k looks at the first k items."""
    table = np.zeros((len(gains) + 1, capacity + 1), np.int64)
    for row, (gain, size) in enumerate(zip(gains, sizes, strict=True)):
        before, after = table[row], table[row + 1]
        after[:size] = before[:size]
        np.maximum(before[size:], before[: capacity + 1 - size] + gain, out=after[size:])
    return table
