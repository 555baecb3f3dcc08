"""How the flows of many offers lie in memory: as the columns of a table, or one offer after the other.

Amounts are fen, signed from the firm's side; times are whole units, ascending, each once per offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A function of forces of interest per unit (None: no discounting) and of powers. For each offer it sums
#: over the later flows, as shares of the first one with its sign turned: present value × time to each power,
#: a row per power. Times are counted from the first flow.
Sums = Callable[[Floats | None, range], Floats]


@dataclass(frozen=True)
class Table:
    """Flows with a row per time and a column per offer; zeros may be among them.

    ``times`` has one entry per row, or one per flow.
    """

    times: Ints
    net: Ints

    def __len__(self) -> int:
        """Return the number of offers."""
        return int(self.net.shape[1])

    @property
    def first(self) -> Ints:
        """Return the flow of each offer in the first row."""
        return np.asarray(self.net[0])

    @cached_property
    def total(self) -> Ints:
        """Return the sum of each offer's flows."""
        return np.asarray(self.net.sum(axis=0))

    @property
    def span(self) -> Ints:
        """Return the time from the first row to the last one, of all offers or of each."""
        return np.asarray(self.times[-1] - self.times[0])

    def one(self, place: int) -> tuple[list[int], list[int]]:
        """Return the times and flows of one offer."""
        times = self.times if self.times.ndim == 1 else self.times[:, place]
        return times.tolist(), self.net[:, place].tolist()

    def some(self, places: Ints) -> Ragged:
        """Return a part of the offers, none of them without flows, with their zeros left out."""
        net = self.net[:, places].T
        times = self.times if self.times.ndim == 1 else self.times[:, places].T
        moved = net != 0
        return Ragged(np.broadcast_to(times, net.shape)[moved], net[moved], moved.sum(axis=1))

    def pays_from_then_on(self) -> Flags:
        """Say of which offers no flow after the first row is received."""
        return np.asarray(self.net[1:].max(axis=0, initial=0) <= 0)

    def has_two(self) -> Flags:
        """Say which offers have two flows."""
        return np.asarray((self.net != 0).sum(axis=0) == 2)

    def later(self) -> Sums:
        """Return the sums over the later flows; see ``Sums``."""
        weights, share = self.net[1:].astype(np.float64), -1 / self.net[0]
        spans = (self.times[1:] - self.times[0]).astype(np.float64)

        def by_time(force: Floats | None, powers: range) -> Floats:
            parts = weights
            if force is not None:
                parts = _discounts(spans, force)
                parts *= weights
            found: Floats = spans ** np.array(powers)[:, None] @ parts
            found *= share
            return found

        def by_flow(force: Floats | None, powers: range) -> Floats:
            parts = weights if force is None else np.exp(spans * -force) * weights
            return np.array([(parts * spans**power).sum(axis=0) * share for power in powers])

        return by_time if spans.ndim == 1 else by_flow


@dataclass(frozen=True)
class Ragged:
    """Flows of one offer after the other, ``length`` of them each: at least one, and none of them zero.

    ``room`` is memory to work in, three rows of at least as many numbers as there are flows: whoever lays
    out one part of many offers after the other hands the same on, because fresh memory costs time.
    """

    times: Ints
    amounts: Ints
    length: Ints
    room: Floats | None = None

    def __len__(self) -> int:
        """Return the number of offers."""
        return len(self.length)

    @cached_property
    def start(self) -> Ints:
        """Return where the flows of each offer begin."""
        return np.cumsum(self.length) - self.length

    @cached_property
    def first(self) -> Ints:
        """Return the first flow of each offer."""
        return np.asarray(self.amounts[self.start])

    @property
    def last(self) -> Ints:
        """Return the last flow of each offer."""
        return np.asarray(self.amounts[self.start + self.length - 1])

    @property
    def span(self) -> Ints:
        """Return the time from the first to the last flow of each offer."""
        return np.asarray(self.times[self.start + self.length - 1] - self.times[self.start])

    @cached_property
    def total(self) -> Ints:
        """Return the sum of each offer's flows."""
        return np.asarray(self.sum(self.amounts))

    def sum(self, parts: NDArray[Any]) -> NDArray[Any]:
        """Return the sum per offer of something that is given per flow."""
        return np.add.reduceat(parts, self.start) if len(self) else parts

    def count(self, flags: Flags) -> Ints:
        """Return how many flows of each offer are flagged."""
        return count(self.start, flags)

    def one(self, place: int) -> tuple[list[int], list[int]]:
        """Return the times and flows of one offer."""
        own = slice(self.start[place], self.start[place] + self.length[place])
        return self.times[own].tolist(), self.amounts[own].tolist()

    def some(self, places: Ints) -> Ragged:
        """Return a part of the offers."""
        length = self.length[places]
        skipped = self.start[places] - (np.cumsum(length) - length)
        flow = np.arange(int(length.sum())) + np.repeat(skipped, length)
        return Ragged(self.times[flow], self.amounts[flow], length)

    def pays_from_then_on(self) -> Flags:
        """Say of which offers no flow after the first one is received."""
        received = self.amounts > 0
        received[self.start] = False
        return np.asarray(self.count(received) == 0)

    def has_two(self) -> Flags:
        """Say which offers have two flows."""
        return np.asarray(self.length == 2)

    def later(self) -> Sums:
        """Return the sums over the later flows; see ``Sums``."""
        start, length, share = self.start, self.length, -1 / self.first
        size = len(self.amounts)
        weights, spans, parts = np.empty((3, size)) if self.room is None else self.room[:, :size]
        weights[:] = self.amounts
        # The first flow keeps its place, without weight.
        weights[start] = 0.0
        np.subtract(self.times, np.repeat(self.times[start], length), out=spans)

        def sums(force: Floats | None, powers: range) -> Floats:
            present = weights
            if force is not None:
                np.multiply(spans, np.repeat(-force, length), out=parts)
                np.exp(parts, out=parts)
                present = np.multiply(parts, weights, out=parts)
            found = np.empty((len(powers), len(start)))
            for power in range(powers.stop):
                if power:
                    present = np.multiply(present, spans, out=parts)
                if power in powers:
                    np.add.reduceat(present, start, out=found[power - powers.start])
            found *= share
            return found

        return sums


def count(start: Ints, flags: Flags) -> Ints:
    """Return how many flags are set in each of the stretches that begin at ``start``; most should not be."""
    return np.bincount(np.searchsorted(start, np.flatnonzero(flags), side="right") - 1, minlength=len(start))


def _discounts(spans: Floats, force: Floats) -> Floats:
    """Return exp(-force × span), a row per span: one exponential per distinct gap, and products."""
    discounts = np.empty((len(spans), len(force)))
    gaps = np.diff(spans, prepend=0.0).tolist()
    factors = {gap: np.exp(-gap * force) for gap in set(gaps)}
    before: Floats | float = 1.0
    for row, gap in zip(discounts, gaps, strict=True):
        np.multiply(before, factors[gap], out=row)
        before = row
    return discounts
