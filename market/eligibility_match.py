"""Eligibility of many needs and products at once: the pairs that fit, and what the others fail.

Per fact the needs fall into few classes (``eligibility_table``), and each class has a row of bits, one per
product: does it meet all that the product asks of this fact? A need fits where the rows of all its facts
have a bit, so that a pair costs a few bits, however many different conditions there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.eligibility import Condition, Failure, Requirement, judge
from market.eligibility_table import Classes, Column, Table
from market.layouts import Flags, Ints

Bits = NDArray[np.uint64]
Places = NDArray[np.int32]

#: Needs worked on at a time: their rows of bits fit into the processor's cache.
BLOCK = 2048
#: Products whose conditions are tested together; more would tell too many classes of numbers apart at once.
PART = 1024
#: Products to a word of bits, and the shift that divides by it.
_WORD, _SHIFT = 64, 6


class Asked(NamedTuple):
    """One condition, and the products of a part that state it: a place for each time."""

    condition: Condition
    products: list[int]


class Part(NamedTuple):
    """Up to ``PART`` products of a shelf: the words of bits they take, and what they ask of each fact."""

    words: slice
    asked: Mapping[str, Sequence[Asked]]


class Shelf:
    """What products ask, each different condition once, whoever states it."""

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        """Read the requirements; their order is that of the products."""
        self.requirements = tuple(requirements)
        self.conditions = tuple(requirement.expand() for requirement in self.requirements)
        self.width = -(-len(self) // _WORD)
        self.parts = tuple(self._read(low) for low in range(0, len(self), PART))

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.requirements)

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """Return the facts that any product asks about."""
        return tuple(sorted({fact for part in self.parts for fact in part.asked}))

    @cached_property
    def everything(self) -> Bits:
        """Return a row with the bit of each product."""
        flags = np.arange(self.width * _WORD) < len(self)
        return np.asarray(_pack(flags[:, None])[0])

    def _read(self, low: int) -> Part:
        asked: dict[str, dict[Any, Asked]] = defaultdict(dict)
        for product, conditions in enumerate(self.conditions[low : low + PART]):
            for condition in conditions:
                value = condition.value
                key = condition.test, tuple(value) if isinstance(value, list) else value
                same = asked[condition.fact].setdefault(key, Asked(condition, []))
                same.products.append(product)
        first = low // _WORD
        words = slice(first, min(first + PART // _WORD, self.width))
        return Part(words, {fact: list(stated.values()) for fact, stated in asked.items()})


class Sieve(NamedTuple):
    """One fact against a shelf: per part, its words, the class of each need and a row of bits per class."""

    parts: Sequence[tuple[slice, NDArray[Any], Bits]]

    def keep(self, low: int, rows: Bits) -> None:
        """Clear, in the rows of the needs from ``low`` on, the bits of products that this fact fails."""
        for words, codes, bits in self.parts:
            rows[:, words] &= bits.take(codes[low : low + len(rows)], axis=0)


def sift(fact: str, column: Column, shelf: Shelf) -> Sieve:
    """Return what a shelf's conditions on a fact let through of a column."""
    parts = []
    for part in shelf.parts:
        asked = part.asked.get(fact)
        if asked:
            classes = column.sort(one.condition for one in asked)
            count = (part.words.stop - part.words.start) * _WORD
            parts.append((part.words, classes.codes, _test(classes, asked, count)))
    return Sieve(parts)


def sift_all(table: Table, shelf: Shelf) -> dict[str, Sieve]:
    """Return what each fact of a table lets through of a shelf."""
    return {fact: sift(fact, table.column(fact), shelf) for fact in shelf.facts}


def match(table: Table, requirements: Shelf | Sequence[Requirement]) -> Matches:
    """Return which needs fit which products."""
    shelf = requirements if isinstance(requirements, Shelf) else Shelf(requirements)
    sieves = sift_all(table, shelf).values()
    bits = np.empty((len(table), shelf.width), np.uint64)
    bits[:] = shelf.everything
    for low, rows in blocks(bits):
        for sieve in sieves:
            sieve.keep(low, rows)
    return Matches(table, shelf, bits)


@dataclass(frozen=True, eq=False)
class Matches:
    """Needs beside products: a row of bits per need, a bit per product that it fits."""

    table: Table
    shelf: Shelf
    bits: Bits

    @cached_property
    def counts(self) -> Ints:
        """Return how many products each need fits."""
        return count_bits(self.bits)

    @property
    def unmatched(self) -> Ints:
        """Return the needs that fit no product."""
        return np.flatnonzero(self.counts == 0)

    def pairs(self) -> tuple[Places, Places]:
        """Return every eligible pair as (needs, products), sorted by need, then product."""
        counts = self.counts
        needs = np.repeat(np.arange(len(self.table), dtype=np.int32), counts)
        products = np.empty(len(needs), np.int32)
        done = 0
        for low, rows in blocks(self.bits):
            found = find_bits(rows, counts[low : low + len(rows)])
            products[done : done + len(found)] = found
            done += len(found)
        return needs, products

    def fits(self, need: int, product: int) -> bool:
        """Say whether a need fits a product."""
        word, bit = divmod(product, _WORD)
        return bool(np.unpackbits(self.bits[need, word : word + 1].view(np.uint8), bitorder="little")[bit])

    def hold(self, needs: Ints, products: Ints) -> Flags:
        """Say of many pairs whether the need fits the product."""
        words = self.bits.ravel().take(needs * self.shelf.width + (products >> _SHIFT))
        return np.asarray(words >> (products & (_WORD - 1)).astype(np.uint64) & np.uint64(1), np.bool_)

    def failures(self, need: int, product: int) -> tuple[Failure, ...]:
        """Return the conditions of a product that a need does not meet, as ``eligibility.judge`` does."""
        return judge(self.table.row(need), self.shelf.requirements[product])


def count_failures(table: Table, requirements: Shelf | Sequence[Requirement]) -> NDArray[np.uint16]:
    """Return how many conditions each need does not meet: a row per need, a column per product."""
    shelf = requirements if isinstance(requirements, Shelf) else Shelf(requirements)
    counts = np.zeros((len(table), len(shelf)), np.uint16)
    for part in shelf.parts:
        own = counts[:, part.words.start * _WORD : part.words.stop * _WORD]
        for fact, asked in part.asked.items():
            classes = table.column(fact).sort(one.condition for one in asked)
            failed = np.zeros((own.shape[1], len(classes.values) + 1), np.uint16)
            for condition, products in asked:
                # A product may state the same condition twice: then it fails twice, as in its list.
                np.add.at(failed, products, ~classes.meet(condition))
            own += failed.T.take(classes.codes, axis=0)
    return counts


def blocks(bits: Bits) -> Iterator[tuple[int, Bits]]:
    """Yield the rows of a few needs at a time, with the place of the first of them."""
    for low in range(0, len(bits), BLOCK):
        yield low, bits[low : low + BLOCK]


def count_bits(rows: Bits) -> Ints:
    """Return how many bits each row has."""
    return np.asarray(np.bitwise_count(rows).sum(axis=1, dtype=np.int64))


def find_bits(rows: Bits, counts: Ints) -> Ints:
    """Return the products of all bits, row by row; ``counts`` says how many bits each row has."""
    octets = np.ascontiguousarray(rows).view(np.uint8).ravel()
    # Most bits are not set: only the octets that have one are looked into.
    some = np.flatnonzero(octets)
    found = np.flatnonzero(np.unpackbits(octets[some], bitorder="little"))
    found = some[found >> 3] * 8 + (found & 7)
    found -= np.repeat(np.arange(len(rows)) * (rows.shape[1] * _WORD), counts)
    return np.asarray(found)


def _test(classes: Classes, asked: Sequence[Asked], count: int) -> Bits:
    """Return a row of bits per class: which products have all their conditions met by it."""
    met = np.ones((count, len(classes.values) + 1), np.bool_)
    for condition, products in asked:
        met[products] &= classes.meet(condition)
    return _pack(met)


def _pack(flags: NDArray[np.bool_]) -> Bits:
    """Return columns of flags as rows of bits."""
    return np.packbits(flags, axis=0, bitorder="little").T.copy().view(np.uint64)
