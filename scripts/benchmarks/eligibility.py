"""Eligibility of many needs and products with nine conditions each, against Polars' ``join_where``.

Both sides give the same pairs in the same order. Polars gets words and sets as bits, so that every condition
is one comparison of numbers, and runs with the faster of its engines and of two orders of the conditions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.eligibility import Condition, Requirement
from market.eligibility_match import match
from market.eligibility_table import Numbers, Sets, Table, Words
from market.layouts import Ints
from market.vocabulary import OfferKind, ProductFamily, Security
from scripts.benchmarks.measuring import Side, peak_memory, seconds

#: Fen of a hundred thousand yuan.
STEP = 10_000_000
MONTHS = (6, 12, 18, 24, 36)
GRADES = ("A", "B", "M", "C")
TAGS = ("high_tech", "little_giant", "gazelle", "specialised", "unicorn", "tech_sme")
KINDS = (OfferKind.LOAN.value, OfferKind.LEASE.value)
#: What a need takes: loans only, leases only, or both.
ACCEPTS = ((0,), (1,), (0, 1))
#: How often ours and Polars are measured, and with how many needs the ways of Polars are tried.
OURS, PEERS, TRIED = 7, 3, 10_000

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Needs:
    """Facts of needs in columns: fen, months, people, and words as places in the lists above.

    ``tags`` and ``accepts`` hold a bit per word.
    """

    amount: Ints
    months: Ints
    age: Ints
    revenue: Ints
    grade: Ints
    tags: Ints
    accepts: Ints

    def __len__(self) -> int:
        """Return the number of needs."""
        return len(self.amount)

    def table(self) -> Table:
        """Return the facts as eligibility reads them."""
        known = np.ones(len(self), np.bool_)
        columns: dict[str, Numbers | Words | Sets] = {
            "amount": Numbers(self.amount, known),
            "months": Numbers(self.months, known),
            "age_months": Numbers(self.age, known),
            "annual_revenue": Numbers(self.revenue, known),
            "tax_grade": Words(self.grade + 1, GRADES),
            "tags": Sets(self.tags + 1, _subsets(TAGS)),
            "accepts": Sets(self.accepts + 1, _subsets(KINDS)),
        }
        return Table(columns, len(self))


class Product(NamedTuple):
    """What a product asks; words as places in the lists above."""

    amount_min: int
    amount_max: int
    months_min: int
    months_max: int
    kind: int
    age: int
    revenue: int
    grades: tuple[int, ...]
    tags: tuple[int, ...]

    def requirement(self) -> Requirement:
        """Return the product's nine conditions: four of its ranges, its kind, and four of its own."""
        return Requirement(
            amount_min=self.amount_min,
            amount_max=self.amount_max,
            months_min=self.months_min,
            months_max=self.months_max,
            security=Security.UNSECURED,
            offer=OfferKind(KINDS[self.kind]),
            family=ProductFamily.INNOVATION,
            conditions=(
                Condition("age_months", "at_least", self.age),
                Condition("annual_revenue", "at_least", self.revenue),
                Condition("tax_grade", "in", [GRADES[place] for place in self.grades]),
                Condition("tags", "has_any", [TAGS[place] for place in self.tags]),
            ),
        )


def draw_needs(count: int, seed: int) -> Needs:
    """Return needs of 0.5 to 30 million yuan, lognormal, by firms of all ages and sizes."""
    random = np.random.default_rng([seed, 2])
    amount = np.clip(random.lognormal(np.log(40), 0.9, count), 5, 300).astype(np.int64) * STEP
    tags = (random.random((count, len(TAGS))) < 0.3) @ (1 << np.arange(len(TAGS)))
    accepts = np.array([1, 2, 3])[random.choice(len(ACCEPTS), count, p=(0.15, 0.05, 0.8))]
    return Needs(
        amount,
        np.array(MONTHS)[random.integers(0, len(MONTHS), count)],
        random.integers(3, 240, count),
        random.lognormal(np.log(300), 1.2, count).astype(np.int64) * STEP,
        random.choice(len(GRADES), count, p=(0.35, 0.4, 0.15, 0.1)),
        tags.astype(np.int64),
        accepts,
    )


def draw_products(count: int, seed: int) -> list[Product]:
    """Return products, most of them loans, from the easy to the choosy."""
    random = np.random.default_rng([seed, 3])

    def pick(choices: Sequence[Any]) -> Any:
        return choices[int(random.integers(0, len(choices)))]

    return [
        Product(
            amount_min=int(random.integers(1, 40)) * STEP,
            amount_max=int(random.integers(50, 400)) * STEP,
            months_min=pick((1, 3, 6, 12)),
            months_max=pick((12, 24, 36, 36, 60)),
            kind=int(random.random() < 0.2),
            age=int(random.integers(0, 60)),
            revenue=int(random.lognormal(np.log(60), 1.0)) * STEP,
            grades=pick(((0,), (0, 1), (0, 1, 2), (0, 1, 2, 3))),
            tags=tuple(sorted(random.choice(len(TAGS), int(random.integers(1, 4)), replace=False).tolist())),
        )
        for _ in range(count)
    ]


def find_pairs(count: int, products: int, seed: int) -> tuple[Side, Pairs]:
    """Measure ours: from the facts and conditions to all pairs."""
    table = draw_needs(count, seed).table()
    asked = [product.requirement() for product in draw_products(products, seed)]
    pairs = match(table, asked).pairs()
    taken = seconds(lambda: match(table, asked).pairs(), OURS)
    return Side("Cuohe", taken, count, np.empty(0), peak_memory()), pairs


def find_pairs_by_polars(count: int, products: int, seed: int) -> tuple[Side, Pairs]:
    """Measure Polars: from two frames to all pairs."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    needs, shelf = draw_needs(count, seed), draw_products(products, seed)
    few = draw_needs(min(count, TRIED), seed)
    ways = [(engine, last) for engine in ("streaming", "in-memory") for last in ("amount", "months")]
    tried = [min(seconds(_question(few, shelf, last, engine), 2)) for engine, last in ways]
    engine, last = ways[int(np.argmin(tried))]
    ask = _question(needs, shelf, last, engine)
    found = ask().sort("need", "product")
    pairs = found["need"].to_numpy(), found["product"].to_numpy()
    taken = seconds(ask, PEERS)
    return Side(f"Polars join_where ({engine})", taken, count, np.empty(0), peak_memory()), pairs


def _question(needs: Needs, products: Sequence[Product], last: str, engine: str) -> Any:
    """Return a function that asks Polars for all pairs; it sorts by the ``last`` two conditions first."""
    pl = import_module("polars")
    left = pl.LazyFrame(
        {"need": np.arange(len(needs), dtype=np.int32)}
        | {name: getattr(needs, name) for name in ("amount", "months", "age", "revenue")}
        | {"grade": 1 << needs.grade, "tags": needs.tags, "accepts": needs.accepts}
    )
    right = pl.LazyFrame(
        {
            "product": np.arange(len(products), dtype=np.int32),
            **{
                f"asked_{name}": [getattr(product, name) for product in products]
                for name in ("amount_min", "amount_max", "months_min", "months_max", "age", "revenue")
            },
            "asked_grades": [_bits(product.grades) for product in products],
            "asked_tags": [_bits(product.tags) for product in products],
            "asked_kind": [1 << product.kind for product in products],
        }
    )
    ranges = {
        name: [
            pl.col(name) >= pl.col(f"asked_{name}_min"),
            pl.col(name) <= pl.col(f"asked_{name}_max"),
        ]
        for name in ("amount", "months")
    }
    conditions = [
        (pl.col("accepts") & pl.col("asked_kind")) != 0,
        (pl.col("grade") & pl.col("asked_grades")) != 0,
        (pl.col("tags") & pl.col("asked_tags")) != 0,
        pl.col("age") >= pl.col("asked_age"),
        pl.col("revenue") >= pl.col("asked_revenue"),
        *ranges["months" if last == "amount" else "amount"],
        *ranges[last],
    ]
    query = left.join_where(right, *conditions).select("need", "product")
    return lambda: query.collect(engine=engine)


def _subsets(words: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Return the set of words for each number made of a bit per word."""
    return tuple(
        frozenset(word for place, word in enumerate(words) if number >> place & 1)
        for number in range(1 << len(words))
    )


def _bits(places: Sequence[int]) -> int:
    return sum(1 << place for place in places)
