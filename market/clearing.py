"""Clearing: places many needs at once under every lender's limit, at the least total annual cost.

The problem is the generalised assignment problem with the choice to leave a need out at a price:
minimise Σ cost of what is placed + Σ unplaced cost of what is not, no lender above capacity, each
need at most one offer. Going through needs one by one is no answer: it is infeasible on most
published benchmark instances. OR-tools CP-SAT proves the optimum or reports a bound; the work limit
is deterministic, so that the same input gives the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SOLVER_SEED = 20251
#: Deterministic work units of CP-SAT (about seconds of one core), not wall-clock time.
WORK_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer in a round: takes ``uses`` fen of its lender's capacity and costs ``cost`` fen a year."""

    need: int
    lender: int
    bid: int
    receipt: int
    uses: int
    cost: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A frozen market: what each need costs unplaced, each lender's capacity (fen), and the offers."""

    unplaced_cost: dict[int, int]
    capacity: dict[int, int]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a round proposes: the offer per placed need, with objective, lower bound and proof.

    ``ties_proved`` says whether, at equal objective, the smallest sum of receipts was proved.
    """

    status: str
    objective: int
    bound: int
    placed: dict[int, Offer]
    ties_proved: bool
    solver: str

    @property
    def gap(self) -> float:
        """Return (objective − bound) ÷ |objective|; 0 when proved optimal."""
        return 0.0 if self.objective == self.bound else (self.objective - self.bound) / abs(self.objective)


def clear(instance: Instance, *, work_limit: float = WORK_LIMIT) -> Clearing:
    """Return the cheapest placement of the whole instance, independent of the order of its rows."""
    # Loading the solver costs time and memory in every worker, so only those who clear pay for it.
    from ortools.init.python.init import OrToolsVersion
    from ortools.sat.python import cp_model

    offers = sorted(
        (o for o in instance.offers if o.uses <= instance.capacity.get(o.lender, 0)),
        key=lambda o: (o.need, o.receipt, o.bid),
    )
    model = cp_model.CpModel()
    takes = [model.new_bool_var(f"take_{o.bid}") for o in offers]
    by_need: dict[int, list[int]] = defaultdict(list)
    by_lender: dict[int, list[int]] = defaultdict(list)
    for position, offer in enumerate(offers):
        by_need[offer.need].append(position)
        by_lender[offer.lender].append(position)
    for positions in by_need.values():
        model.add_at_most_one(takes[p] for p in positions)
    for lender, positions in by_lender.items():
        model.add(sum(offers[p].uses * takes[p] for p in positions) <= instance.capacity[lender])
    # Leaving a need out costs its reserve, so taking an offer is worth the difference.
    base = sum(instance.unplaced_cost.values())
    saving = [o.cost - instance.unplaced_cost[o.need] for o in offers]
    objective = sum(s * t for s, t in zip(saving, takes, strict=True))

    solver = _make_solver(cp_model, work_limit)
    model.minimize(objective)
    status = solver.solve(model)
    proved = status == cp_model.OPTIMAL
    chosen = [bool(solver.value(t)) for t in takes] if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else []
    best = sum(s for s, c in zip(saving, chosen, strict=False) if c)
    bound = best if proved else min(best, int(solver.best_objective_bound))

    ties_proved = False
    if proved and offers:
        # At equal cost the earlier receipts win: the published tie rule.
        model.add(objective == best)
        model.minimize(sum(o.receipt * t for o, t in zip(offers, takes, strict=True)))
        for take, value in zip(takes, chosen, strict=True):
            model.add_hint(take, value)
        tie_solver = _make_solver(cp_model, work_limit)
        tie_status = tie_solver.solve(model)
        if tie_status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            chosen = [bool(tie_solver.value(t)) for t in takes]
            ties_proved = tie_status == cp_model.OPTIMAL
    return Clearing(
        status="optimal" if proved else "feasible",
        objective=base + best,
        bound=base + bound,
        placed={o.need: o for o, c in zip(offers, chosen, strict=False) if c},
        ties_proved=ties_proved or not offers,
        solver=f"ortools {OrToolsVersion.version_string()} cp-sat seed {SOLVER_SEED} work {work_limit:g}",
    )


def explain(instance: Instance, clearing: Clearing) -> dict[int, dict[str, object]]:
    """Return for every need why it got its offer or none, as a code and values a page can put into words."""
    own: dict[int, list[Offer]] = defaultdict(list)
    for offer in instance.offers:
        own[offer.need].append(offer)
    used: dict[int, int] = defaultdict(int)
    rivals: dict[int, list[int]] = defaultdict(list)
    for need, offer in sorted(clearing.placed.items()):
        used[offer.lender] += offer.uses
        rivals[offer.lender].append(need)
    return {
        need: _explain_placed(clearing.placed[need], own[need])
        if need in clearing.placed
        else _explain_unplaced(unplaced_cost, own[need], instance.capacity, used, rivals)
        for need, unplaced_cost in instance.unplaced_cost.items()
    }


def _explain_unplaced(
    unplaced_cost: int,
    own: Sequence[Offer],
    capacity: Mapping[int, int],
    used: Mapping[int, int],
    rivals: Mapping[int, Sequence[int]],
) -> dict[str, object]:
    if not own:
        return {"code": "no_live_bid"}
    cheaper = [o for o in own if o.cost < unplaced_cost]
    if not cheaper:
        return {"code": "above_reserve"}
    best = min(cheaper, key=lambda o: (o.cost, o.receipt))
    return {
        "code": "limit_used_up",
        "bid": best.bid,
        "left": capacity.get(best.lender, 0) - used.get(best.lender, 0),
        "asked": best.uses,
        "needs": list(rivals.get(best.lender, ())),
    }


def _explain_placed(offer: Offer, own: Sequence[Offer]) -> dict[str, object]:
    own = sorted(own, key=lambda o: (o.cost, o.receipt))
    if own[0].bid == offer.bid:
        return {"code": "cheapest", "compared": len(own)}
    return {
        "code": "cheaper_used_up",
        "compared": len(own),
        "bid": own[0].bid,
        "more": offer.cost - own[0].cost,
    }


def _make_solver(cp_model: Any, work_limit: float) -> Any:
    solver = cp_model.CpSolver()
    solver.parameters.max_deterministic_time = work_limit
    solver.parameters.random_seed = SOLVER_SEED
    # One worker searches in one order; several would race each other to equal optima.
    solver.parameters.num_workers = 1
    # Else the solver takes the process's handler of Ctrl-C away and leaves it without one.
    solver.parameters.catch_sigint_signal = False
    return solver
