"""Clearing: places many needs at once under every limit, at the least total annual cost, with a bound.

The problem is the generalised assignment problem with several limits per offer and the choice to leave a need
out at a price: minimise Σ cost of what is placed + Σ unplaced cost of what is not, no limit exceeded. Going
through needs one by one is no answer: it is infeasible on most published benchmark instances.

``clear`` takes objects, ``clear_columns`` arrays (``columns.gather``) for markets of millions of offers.
"""

from __future__ import annotations

from fractions import Fraction

from market.clearing.columns import Columns, Outcome, gather
from market.clearing.engine import WORK_LIMIT, clear_columns
from market.clearing.explanations import explain, explain_columns
from market.clearing.instance import (
    Arranged,
    Clearing,
    Instance,
    Need,
    Offer,
    Placement,
    arrange_instance,
    measure_gap,
)

__all__ = [
    "WORK_LIMIT",
    "Clearing",
    "Columns",
    "Instance",
    "Need",
    "Offer",
    "Outcome",
    "Placement",
    "clear",
    "clear_columns",
    "explain",
    "explain_columns",
    "gather",
    "measure_gap",
]


def clear(instance: Instance, *, work_limit: float = WORK_LIMIT) -> Clearing:
    """Return the cheapest placement of the whole instance, independent of the order of its rows."""
    arranged = arrange_instance(instance)
    return _name(arranged, clear_columns(arranged.columns, work_limit=work_limit))


def _name(arranged: Arranged, outcome: Outcome) -> Clearing:
    placed: dict[object, tuple[Placement, ...]] = {}
    shares = outcome.shares or (Fraction(1),) * len(outcome.offers)
    for row, share in zip(outcome.offers.tolist(), shares, strict=True):
        offer = arranged.offers[row]
        placement = Placement(offer, share, share * offer.cost)
        placed[offer.need] = (*placed.get(offer.need, ()), placement)
    return Clearing(
        status=outcome.status,
        objective=outcome.objective,
        bound=outcome.bound,
        placed=placed,
        ties_proved=outcome.ties_proved,
        solver=outcome.solver,
        unplaced=tuple(need.id for need in arranged.needs if need.id not in placed),
    )
