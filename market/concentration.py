"""Concentration (集中度): how a sum of money is spread over those who owe, lend or stand behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: The index is told in points of ten thousand, as competition authorities tell it.
POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Part(Generic[Key]):
    """What one of them has of the sum: fen, and its share of all."""

    key: Key
    amount: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class Concentration(Generic[Key]):
    """A sum in fen and who has how much of it, the largest first.

    ``hhi`` is the Herfindahl–Hirschman index, the sum of the squared shares, from above 0 (spread over many)
    to 1 (one has all); None where there is nothing to share.
    """

    total: int
    parts: tuple[Part[Key], ...]
    hhi: Decimal | None

    @property
    def points(self) -> int | None:
        """Return the index in whole points of ten thousand, cut off."""
        return None if self.hhi is None else int(self.hhi * POINTS)


def concentrate(amounts: Iterable[tuple[Key, int]]) -> Concentration[Key]:
    """Return how amounts, in fen and by whom, are spread; several of one add up, nothing counts for nobody.

    Equal parts keep the order in which they were named.
    """
    sums: Counter[Key] = Counter()
    for key, amount in amounts:
        if amount > 0:
            sums[key] += amount
    total = sum(sums.values())
    if total == 0:
        return Concentration(0, (), None)
    parts = tuple(
        Part(key, amount, Decimal(amount) / total)
        for key, amount in sorted(sums.items(), key=lambda one: -one[1])
    )
    index = Fraction(sum(part.amount**2 for part in parts), total**2)
    return Concentration(total, parts, Decimal(index.numerator) / index.denominator)
