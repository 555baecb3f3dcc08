"""Sharing needs out: needs that may be divided among offers, each within its own least part.

Without least parts this is a linear program. An offer that must have nothing or enough, and a need that takes
one offer or none, are decided by branching: both ways are looked into, cheapest bound first, as long as their
bound is below the best found. Shares, objective and bound are exact fractions.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from market.clearing import linear, program
from market.clearing.columns import Columns, Outcome

#: Branchings per unit of work.
NODES_PER_WORK = 10
Bounds = tuple[Fraction, ...]
_NOTHING = Fraction(0)
_WHOLE = Fraction(1)


def share_out(columns: Columns, work: float) -> Outcome:
    """Return the cheapest clearing of a market in which some needs are divisible."""
    name = f"{program.solver_name()} glop nodes {round(work * NODES_PER_WORK)}"
    root = ((_NOTHING,) * columns.offers, (_WHOLE,) * columns.offers)
    queue: list[tuple[Fraction, int, Bounds, Bounds, linear.Basis]] = []
    looked = 0
    best: list[Fraction] | None = None
    cost: Fraction | None = None

    def look(low: Bounds, high: Bounds) -> None:
        nonlocal looked, best, cost
        basis = linear.solve(columns, low, high)
        if basis is not None:
            looked += 1
            bound = bound_shares(columns, basis.prices, low, high)
            heapq.heappush(queue, (bound, -looked, low, high, basis))
            # Without whatever is torn a placement remains, unless some need must be placed.
            kept = _drop_torn(columns, basis.shares)
            if kept is not None and (cost is None or price_shares(columns, kept) < cost):
                best, cost = kept, price_shares(columns, kept)

    look(*root)
    closed: list[Fraction] = []
    while queue and looked <= work * NODES_PER_WORK and (cost is None or queue[0][0] < cost):
        bound, _, low, high, basis = heapq.heappop(queue)
        torn = _find_torn(columns, basis.shares)
        if torn is None:
            closed.append(bound)
            value = price_shares(columns, basis.shares)
            if cost is None or value < cost:
                best, cost = basis.shares, value
            continue
        offer, least = torn
        look(low, (*high[:offer], _NOTHING, *high[offer + 1 :]))
        look((*low[:offer], least, *low[offer + 1 :]), high)
    bounds = closed + [entry[0] for entry in queue]
    if best is None or cost is None:
        none = np.zeros(0, np.int64)
        if not bounds:
            return Outcome("infeasible", None, None, none, None, True, name)
        return Outcome("unknown", None, _simplify(min(bounds)), none, None, False, name)
    least_cost = min([cost, *bounds])
    taken = np.array([offer for offer, share in enumerate(best) if share > 0], np.int64)
    return Outcome(
        status="optimal" if least_cost == cost else "feasible",
        objective=_simplify(cost),
        bound=_simplify(least_cost),
        offers=taken,
        shares=tuple(best[offer] for offer in taken.tolist()),
        # Which shares are earliest is another question; only a market without receipts has no ties.
        ties_proved=not columns.receipt.any(),
        solver=name,
    )


def price_shares(columns: Columns, shares: Sequence[Fraction]) -> Fraction:
    """Return what shares cost, and the parts of needs left out."""
    total = Fraction(int(columns.unplaced.astype(object)[~columns.must].sum()))
    for offer, share in enumerate(shares):
        if share:
            total += share * _saving(columns, offer)
    return total


def bound_shares(
    columns: Columns, prices: Sequence[Fraction], low: Sequence[Fraction], high: Sequence[Fraction]
) -> Fraction:
    """Return the lower bound that prices of limits prove for all shares within bounds."""
    total = Fraction(int(columns.unplaced.astype(object)[~columns.must].sum()))
    total -= sum(price * int(room) for price, room in zip(prices, columns.capacity, strict=True) if price)
    start = columns.start.tolist()
    cheapest: dict[int, Fraction] = {}
    left: dict[int, Fraction] = {}
    for offer, need in enumerate(columns.need.tolist()):
        charged = _saving(columns, offer) + sum(
            prices[int(columns.limit[use])] * int(columns.amount[use])
            for use in range(start[offer], start[offer + 1])
        )
        # What an offer must have at least, it has; the rest goes to whatever is cheapest.
        total += low[offer] * charged
        left[need] = left.get(need, _WHOLE) - low[offer]
        if high[offer] > low[offer] and (need not in cheapest or charged < cheapest[need]):
            cheapest[need] = charged
    for need, charged in cheapest.items():
        if columns.must[need] or charged < 0:
            total += max(left[need], _NOTHING) * charged
    return total


def _saving(columns: Columns, offer: int) -> Fraction:
    need = int(columns.need[offer])
    return Fraction(int(columns.cost[offer]) - (0 if columns.must[need] else int(columns.unplaced[need])))


def _drop_torn(columns: Columns, shares: Sequence[Fraction]) -> list[Fraction] | None:
    """Return the shares without those that are not allowed; None if a need must be placed that loses one."""
    kept = list(shares)
    while (torn := _find_torn(columns, kept)) is not None:
        if columns.must[columns.need[torn[0]]]:
            return None
        kept[torn[0]] = _NOTHING
    return kept


def _find_torn(columns: Columns, shares: Sequence[Fraction]) -> tuple[int, Fraction] | None:
    """Return the offer whose share is furthest from what is allowed, and the least it may have."""
    worst, torn = _NOTHING, None
    for offer, share in enumerate(shares):
        need = int(columns.need[offer])
        least = Fraction(int(columns.least[offer]), int(columns.whole[need]))
        if not columns.divisible[need]:
            least = _WHOLE
        distance = min(share, least - share)
        if distance > worst:
            worst, torn = distance, (offer, least)
    return torn


def _simplify(value: Fraction) -> int | Fraction:
    return int(value) if value.denominator == 1 else value
