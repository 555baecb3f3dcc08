"""The facts of many needs as columns, so that a condition is tested once per kind of need, not per need.

Whatever the conditions on a fact cannot tell apart is one class: all numbers between two bounds, all needs
with the same word, or the same set of words. Each class has a value that stands for it, and the rule of
``eligibility`` is put to that; class 0 holds the needs whose fact nobody has shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.eligibility import FACTS, Condition, Facts, meets
from market.layouts import Flags, Ints

_INT64 = np.iinfo(np.int64)
_LEAST, _MOST = int(_INT64.min), int(_INT64.max)


class Classes(NamedTuple):
    """The class of each need, and what stands for the classes from 1 on (see ``eligibility.meets``)."""

    codes: NDArray[Any]
    values: Any

    def meet(self, condition: Condition) -> Flags:
        """Say which classes meet a condition: a flag per class, class 0 (unknown) never does."""
        met = np.zeros(len(self.values) + 1, np.bool_)
        met[1:] = meets(condition.test, self.values, condition.value)
        return met


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number of each need; ``values`` are 64-bit, or objects where a number needs more."""

    values: NDArray[Any]
    known: Flags

    @classmethod
    def of(cls, found: Sequence[int | None]) -> Numbers:
        """Return the column of some numbers; raises ``TypeError`` for one that is not whole."""
        known = np.array([value is not None for value in found], np.bool_)
        values = [0 if value is None else index(value) for value in found]
        wide = any(not _LEAST <= value <= _MOST for value in values)
        return cls(np.array(values, object if wide else np.int64), known)

    def sort(self, conditions: Iterable[Condition]) -> Classes:
        """Return the classes that conditions (``at_least``, ``at_most``) on this number tell apart."""
        # Numbers are whole: "at most 5" ends where "at least 6" begins.
        bounds = sorted({condition.value + (condition.test == "at_most") for condition in conditions})
        if self.values.dtype != object:
            # No 64-bit number lies beyond these, so that they tell nothing apart.
            bounds = [bound for bound in bounds if _LEAST < bound <= _MOST]
        marks = np.array(bounds, self.values.dtype)
        codes = np.searchsorted(marks, self.values, side="right")
        codes += 1
        codes[~self.known] = 0
        # The least number of a class stands for it; below the first bound any number does.
        lowest = bounds[0] - 1 if bounds else 0
        return Classes(codes, np.array([lowest, *bounds], self.values.dtype))

    def get(self, place: int) -> int | None:
        """Return the number of one need."""
        return int(self.values[place]) if self.known[place] else None

    def take(self, places: Ints) -> Numbers:
        """Return the column of some of the needs."""
        return Numbers(self.values[places], self.known[places])


@dataclass(frozen=True, eq=False)
class Words:
    """A word or flag of each need: its place in ``values``, counted from 1; 0 is unknown."""

    codes: NDArray[Any]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, found: Sequence[Hashable | None]) -> Words:
        """Return the column of some words or flags."""
        return cls(*_number(found))

    def sort(self, conditions: Iterable[Condition]) -> Classes:
        """Return the classes: one per word."""
        return Classes(self.codes, np.array(self.values, object))

    def get(self, place: int) -> Any:
        """Return the word of one need."""
        code = self.codes[place]
        return self.values[code - 1] if code else None

    def take(self, places: Ints) -> Words:
        """Return the column of some of the needs."""
        return Words(self.codes[places], self.values)

    def change(self, word: Hashable) -> Words:
        """Return the column as if every need had this word."""
        return Words(np.ones_like(self.codes), (word,))


@dataclass(frozen=True, eq=False)
class Sets:
    """A set of words of each need: its place in ``values``, counted from 1; 0 is unknown."""

    codes: NDArray[Any]
    values: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, found: Sequence[Iterable[str] | None]) -> Sets:
        """Return the column of some sets."""
        return cls(*_number([None if words is None else frozenset(words) for words in found]))

    def sort(self, conditions: Iterable[Condition]) -> Classes:
        """Return the classes: one per different set."""
        return Classes(self.codes, Members(self.values))

    def get(self, place: int) -> frozenset[str] | None:
        """Return the set of one need."""
        code = self.codes[place]
        return self.values[code - 1] if code else None

    def take(self, places: Ints) -> Sets:
        """Return the column of some of the needs."""
        return Sets(self.codes[places], self.values)

    def change(self, word: str) -> Sets:
        """Return the column as if every need had this word as well."""
        only = frozenset({word})
        return Sets(self.codes + 1, (only, *(words | only for words in self.values)))


class Members:
    """Many sets of words, and who holds which: ``members >= {"a"}`` says which of the sets hold ``a``."""

    def __init__(self, sets: Sequence[frozenset[str]]) -> None:
        """Take the sets as they are."""
        self._sets = sets

    def __len__(self) -> int:
        """Return the number of sets."""
        return len(self._sets)

    def __ge__(self, words: Iterable[str]) -> Flags:
        """Say which sets hold all the words, as a set does of itself."""
        held = np.ones(len(self), np.bool_)
        for word in words:
            held &= self._holders.get(word, np.False_)
        return held

    @cached_property
    def _holders(self) -> dict[str, Flags]:
        """Return, per word, which sets hold it."""
        holders: dict[str, Flags] = {}
        for place, words in enumerate(self._sets):
            for word in words:
                if word not in holders:
                    holders[word] = np.zeros(len(self), np.bool_)
                holders[word][place] = True
        return holders


Column = Numbers | Words | Sets
_COLUMN_OF_KIND: Mapping[str, type[Column]] = {
    "number": Numbers,
    "word": Words,
    "flag": Words,
    "set": Sets,
}


@dataclass(frozen=True, eq=False)
class Table:
    """The facts of ``size`` needs, a column per fact; a fact without a column is unknown of all of them."""

    columns: Mapping[str, Column]
    size: int

    def __len__(self) -> int:
        """Return the number of needs."""
        return self.size

    @classmethod
    def of(cls, facts: Sequence[Facts]) -> Table:
        """Return the facts of some needs as columns."""
        columns: dict[str, Column] = {}
        for fact, kind in FACTS.items():
            found = [each.get(fact) for each in facts]
            if any(value is not None for value in found):
                columns[fact] = _COLUMN_OF_KIND[kind].of(found)
        return cls(columns, len(facts))

    def column(self, fact: str) -> Column:
        """Return the column of a fact."""
        found = self.columns.get(fact)
        return _COLUMN_OF_KIND[FACTS[fact]].of([None] * self.size) if found is None else found

    def row(self, place: int) -> Facts:
        """Return what is known of one need, as ``eligibility.judge`` reads it."""
        known = ((fact, column.get(place)) for fact, column in self.columns.items())
        return {fact: value for fact, value in known if value is not None}

    def take(self, places: Ints) -> Table:
        """Return the table of some of the needs."""
        return Table({fact: column.take(places) for fact, column in self.columns.items()}, len(places))


def _number(found: Iterable[Any]) -> tuple[NDArray[Any], tuple[Any, ...]]:
    """Return the place of each value among the different ones, counted from 1 (0: None), and these."""
    places: dict[Any, int] = {}
    codes = [0 if value is None else places.setdefault(value, len(places) + 1) for value in found]
    return np.array(codes, np.int64), tuple(places)
