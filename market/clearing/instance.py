"""A market to be cleared as objects: needs, offers and limits by name, and what a clearing answers.

A thin cover over ``columns``: needs are put in order of their ids, offers of need, receipt and bid, limits of
their keys, so that no answer depends on the order in which rows were given.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from market.clearing.columns import Columns, fit, gather

#: A need or bid is named by a number or a text, all of one market alike; a limit by any of these or a tuple.
Id = Any


@dataclass(frozen=True, slots=True)
class Need:
    """A need of ``amount`` (fen) that may stay unplaced at ``unplaced_cost`` a year; None: must be placed.

    A ``divisible`` need may be shared among several offers, the rest staying unplaced pro rata.
    """

    id: Id
    amount: int = 1
    unplaced_cost: int | None = None
    divisible: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer to a need: what it costs a year and takes of each limit, if the whole need is placed with it.

    ``least`` is the smallest part of a divisible need (in units of its amount) that the offer may get.
    """

    need: Id
    bid: Id
    receipt: int
    cost: int
    uses: tuple[tuple[Hashable, int], ...]
    least: int = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A frozen market: its needs, how much of every limit is left, and the offers."""

    needs: tuple[Need, ...]
    capacity: Mapping[Any, int]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """A part of a need placed with one offer: ``share`` of the whole, and what that costs a year."""

    offer: Offer
    share: Fraction
    cost: Fraction

    def use(self, limit: Hashable) -> Fraction:
        """Return how much of a limit this takes."""
        return self.share * sum(amount for key, amount in self.offer.uses if key == limit)


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a round proposes: per placed need its placements, with objective, lower bound and proof.

    ``status`` is optimal, feasible, infeasible (some need that must be placed cannot be) or unknown (nothing
    was found within the work limit). ``ties_proved`` says whether, at equal objective, the smallest sum of
    receipts was proved. Objective and bound are integers unless some need is divisible.
    """

    status: str
    objective: int | Fraction | None
    bound: int | Fraction | None
    placed: Mapping[Any, tuple[Placement, ...]]
    ties_proved: bool
    solver: str
    unplaced: tuple[Id, ...] = field(default=())

    @property
    def gap(self) -> float | None:
        """Return (objective − bound) ÷ |objective|; 0 when they are equal, None without both."""
        return measure_gap(self.objective, self.bound)


def measure_gap(objective: int | Fraction | None, bound: int | Fraction | None) -> float | None:
    """Return (objective − bound) ÷ |objective|; 0 when they are equal, None without both."""
    if objective is None or bound is None:
        return None
    if objective == bound:
        return 0.0
    return (
        float((Fraction(objective) - Fraction(bound)) / abs(Fraction(objective))) if objective else math.inf
    )


@dataclass(frozen=True, slots=True)
class Arranged:
    """An instance as columns, with the needs, limits and offers its positions stand for."""

    columns: Columns
    needs: tuple[Need, ...]
    limits: tuple[Any, ...]
    offers: tuple[Offer, ...]


def arrange_instance(instance: Instance) -> Arranged:
    """Return an instance in order and as columns."""
    needs = tuple(sorted(instance.needs, key=lambda need: need.id))
    limits = tuple(sorted(instance.capacity, key=_sort_key))
    offers = tuple(sorted(instance.offers, key=lambda offer: (offer.need, offer.receipt, offer.bid)))
    need_at = {need.id: place for place, need in enumerate(needs)}
    limit_at = {key: place for place, key in enumerate(limits)}
    lengths = [len(offer.uses) for offer in offers]
    columns = gather(
        need=[need_at[offer.need] for offer in offers],
        cost=[offer.cost for offer in offers],
        receipt=[offer.receipt for offer in offers],
        start=np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]),
        limit=[limit_at[key] for offer in offers for key, _ in offer.uses],
        amount=[amount for offer in offers for _, amount in offer.uses],
        unplaced=[need.unplaced_cost or 0 for need in needs],
        must=[need.unplaced_cost is None for need in needs],
        capacity=[instance.capacity[key] for key in limits],
        divisible=[need.divisible for need in needs],
        whole=fit([need.amount for need in needs]),
        least=fit([offer.least for offer in offers]),
    )
    return Arranged(columns, needs, limits, offers)


def _sort_key(key: Any) -> tuple[str, Any]:
    return (type(key).__name__, key)
