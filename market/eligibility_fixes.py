"""What is missing: the one change that opens products to a need, the needs that one condition keeps out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from market.eligibility import FACTS, Condition, Facts, Failure, Requirement, judge
from market.eligibility_match import (
    BLOCK,
    Bits,
    Shelf,
    Sieve,
    count_bits,
    find_bits,
    sift,
    sift_all,
)
from market.eligibility_table import Numbers, Sets, Table, Words

#: What a firm can change about a need, and in which order that is proposed: what it asks for, how it takes
#: it, what it could pledge, what it could become. Facts of one rank are weighed by what they open.
RANK_OF_CHANGE: Mapping[str, int] = {
    **{"amount": 0, "months": 0},
    **{"accepts": 1, "repayment": 1},
    "securities": 2,
    "tags": 3,
}


@dataclass(frozen=True, slots=True)
class Fix:
    """A single change that opens products to a need: set ``fact`` to ``value``, or add it to a set."""

    fact: str
    value: int | str
    opens: int


@dataclass(frozen=True, slots=True)
class NearFit:
    """A need, by its place in a table, that fails a product by one condition only."""

    need: int
    failure: Failure


def find_nearest_fix(facts: Facts, requirements: Shelf | Sequence[Requirement]) -> Fix | None:
    """Return the first of ``find_fixes`` for one need, or None where no single change opens a product."""
    fixes = find_fixes(Table.of([facts]), requirements)[0]
    return fixes[0] if fixes else None


def find_fixes(table: Table, requirements: Shelf | Sequence[Requirement]) -> list[tuple[Fix, ...]]:
    """Return, per need, the best change of each fact that opens products by itself, the nearest one first.

    The order: by ``RANK_OF_CHANGE``; then what opens more products; then the smaller change, as a share of
    what is asked now; then the name of the fact. Within a fact likewise, then the lower number or earlier
    word. Only products that fail on that one fact are counted: a change that leaves another condition unmet
    opens nothing. A number that nobody has stated is not guessed.
    """
    shelf = requirements if isinstance(requirements, Shelf) else Shelf(requirements)
    sieves = sift_all(table, shelf)
    ways = {fact: _prepare(table, shelf, fact) for fact in RANK_OF_CHANGE if fact in sieves}
    found: list[dict[str, Fix]] = [{} for _ in range(len(table))]
    for low in range(0, len(table), BLOCK):
        for fact, blocked in _block(table, shelf, sieves, low):
            for need, fix in ways[fact].find(low, blocked):
                found[need][fact] = fix
    return [_order(table, need, fixes) for need, fixes in enumerate(found)]


def near_fits(
    table: Table, requirement: Requirement, *, most: int | None = None, shown: Collection[str] = tuple(FACTS)
) -> list[NearFit]:
    """Return the needs that fail exactly one condition of a product, the nearest first (see ``measure``).

    ``most`` cuts the list. Facts that are not ``shown`` keep their distance to themselves: such needs come
    last, in the order of the table, as those do that fail by a word.
    """
    conditions = requirement.expand()
    missed = np.zeros(len(table), np.int64)
    failed = np.zeros(len(table), np.int64)
    for place, condition in enumerate(conditions):
        classes = table.column(condition.fact).sort([condition])
        misses = ~classes.meet(condition)[classes.codes]
        missed += misses
        failed[misses] = place
    needs = np.flatnonzero(missed == 1)
    distances = np.full(len(needs), np.inf)
    for place, condition in enumerate(conditions):
        column = table.column(condition.fact)
        if isinstance(column, Numbers) and condition.fact in shown:
            own = (failed[needs] == place) & column.known[needs]
            # As objects the differences are exact, however large.
            values = column.values[needs[own]].astype(object)
            distances[own] = _measure(abs(values - condition.value), condition.value)
    nearest = needs[np.argsort(distances, kind="stable")[:most]].tolist()
    return [NearFit(need, judge(table.row(need), requirement)[0]) for need in nearest]


def measure(failure: Failure) -> float:
    """Return how far off a condition is, as a share of what it asks; infinity where no number says so."""
    if failure.distance is None:
        return float("inf")
    return float(_measure(failure.distance, failure.condition.value))


def _measure(distance: Any, value: int) -> Any:
    return distance / max(1, abs(value))


def _block(table: Table, shelf: Shelf, sieves: Mapping[str, Sieve], low: int) -> Iterator[tuple[str, Bits]]:
    """Yield, per fact that can change, the products that it alone keeps from the needs from ``low`` on."""
    count = min(BLOCK, len(table) - low)
    everything = np.broadcast_to(shelf.everything, (count, shelf.width))
    once, again = np.zeros_like(everything), np.zeros_like(everything)
    fails: dict[str, Bits] = {}
    for fact, sieve in sieves.items():
        failing = everything.copy()
        sieve.keep(low, failing)
        np.bitwise_xor(failing, everything, out=failing)
        again |= once & failing
        once |= failing
        if fact in RANK_OF_CHANGE:
            fails[fact] = failing
    once &= ~again
    for fact, failing in fails.items():
        failing &= once
        yield fact, failing


def _prepare(table: Table, shelf: Shelf, fact: str) -> _Numbers | _Words:
    column = table.column(fact)
    if isinstance(column, Numbers):
        return _Numbers(fact, column, shelf)
    return _Words(fact, column, shelf)


class _Words:
    """A fact of words: what each word that any product names would let through."""

    def __init__(self, fact: str, column: Words | Sets, shelf: Shelf) -> None:
        self._fact = fact
        asked = [condition.value for part in shelf.parts for condition, _ in part.asked.get(fact, ())]
        self._words = sorted(
            {word for value in asked for word in (value if isinstance(value, list) else [value])}
        )
        self._changed = [sift(fact, column.change(word), shelf) for word in self._words]

    def find(self, low: int, blocked: Bits) -> Iterator[tuple[int, Fix]]:
        """Yield the best word for each of some needs that this fact alone keeps products from."""
        best = np.zeros(len(blocked), np.int64)
        which = np.zeros(len(blocked), np.int64)
        for place, sieve in enumerate(self._changed):
            opened = blocked.copy()
            sieve.keep(low, opened)
            opens = count_bits(opened)
            better = opens > best
            best[better], which[better] = opens[better], place
        for need in np.flatnonzero(best).tolist():
            yield low + need, Fix(self._fact, self._words[which[need]], int(best[need]))


class _Numbers:
    """A number: the range that each product asks of it, as places among the ends of all ranges."""

    def __init__(self, fact: str, column: Numbers, shelf: Shelf) -> None:
        self._fact, self._column = fact, column
        ranges = [_read_range(conditions, fact) for conditions in shelf.conditions]
        self._ends = sorted({end for one in ranges for end in one if end is not None})
        places = {end: place for place, end in enumerate(self._ends)}
        # Where no end is asked, a range begins before and ends after all of them.
        self._least = np.array([-1 if least is None else places[least] for least, _ in ranges])
        self._most = np.array([len(places) if most is None else places[most] for _, most in ranges])

    def find(self, low: int, blocked: Bits) -> Iterator[tuple[int, Fix]]:
        """Yield the best number for each of some needs that this fact alone keeps products from.

        It is an end of some product's range, and opens the products in whose range it lies.
        """
        counts = count_bits(blocked)
        needs, products = np.repeat(np.arange(len(blocked)), counts), find_bits(blocked, counts)
        least, most = self._least[products], self._most[products]
        possible = self._column.known[low + needs] & (least <= most)
        needs, least, most = needs[possible], least[possible], most[possible]
        asked = self._column.values[low : low + len(blocked)].tolist()
        passed = np.searchsorted(np.array(self._ends, object), np.array(asked, object))
        lower = most < passed[needs]
        ends = np.where(lower, most, least)
        # A range opens at an end where it has begun and is not over; each need counts on a scale of its own,
        # and what the needs before it add to both counts is the same.
        scale = needs * (len(self._ends) + 2) + 1
        begun = np.searchsorted(np.sort(scale + least), scale + ends, side="right")
        over = np.searchsorted(np.sort(scale + most), scale + ends, side="left")
        opens = begun - over
        # On each side of what is asked now the most products come first, of equals the nearest end.
        order = np.lexsort((np.where(lower, -ends, ends), -opens, lower, needs))
        first = order[np.flatnonzero(np.diff((needs * 2 + lower)[order], prepend=-1))]
        best: dict[int, tuple[int, int, int]] = {}
        for place in first.tolist():
            need, value = int(needs[place]), self._ends[ends[place]]
            weight = (-int(opens[place]), abs(value - asked[need]), value)
            best[need] = min(weight, best.get(need, weight))
        for need, (opened, _, value) in best.items():
            yield low + need, Fix(self._fact, value, -opened)


def _read_range(conditions: Iterable[Condition], fact: str) -> tuple[int | None, int | None]:
    """Return the least and the most that a product's conditions allow a number to be."""
    asked = [condition for condition in conditions if condition.fact == fact]
    least = max((one.value for one in asked if one.test == "at_least"), default=None)
    return least, min((one.value for one in asked if one.test == "at_most"), default=None)


def _order(table: Table, need: int, fixes: Mapping[str, Fix]) -> tuple[Fix, ...]:
    def weigh(fix: Fix) -> tuple[int, int, Fraction, str]:
        column, share = table.column(fix.fact), Fraction(0)
        if isinstance(column, Numbers) and isinstance(fix.value, int):
            asked = int(column.values[need])
            share = Fraction(abs(fix.value - asked), max(1, abs(asked)))
        return RANK_OF_CHANGE[fix.fact], -fix.opens, share, fix.fact

    return tuple(sorted(fixes.values(), key=weigh))
