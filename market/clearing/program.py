"""The exact part: placing whole needs as an integer program for OR-Tools CP-SAT.

CP-SAT counts in 64 bits. Where numbers are longer they are split into digits with carries, and the cost is
minimised digit by digit from the highest, so that the answer is exact however long they are. The work limit
is deterministic, the seed fixed, and one worker searches in one order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from market.clearing.columns import SAFE, Bools, Columns, Floats, Ints

SEED = 20251
#: Bits of a digit of numbers beyond 64 bits; 2^20 of them can be added up in a sum.
DIGIT = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found: ``offers`` taken (None: nothing found) and a ``bound`` on the value sought.

    ``closed`` says that the search came to its end: the offers are best, or None are possible.
    """

    offers: Ints | None
    bound: int | None
    closed: bool
    work: float


@dataclass(frozen=True, slots=True)
class Fillings:
    """Ways to fill a limit, one of which is to be chosen.

    ``takes`` has a row per offer in ``rows`` and a column per way; ``losses`` are what ways are dearer by
    than the best of them.
    """

    rows: Ints
    takes: Bools
    losses: Ints


def solver_name() -> str:
    """Return the name and version of the solver, for the record of a round."""
    from ortools.init.python.init import OrToolsVersion

    return f"ortools {OrToolsVersion.version_string()}"


def minimise(
    columns: Columns,
    *,
    work: float,
    hint: Ints | None = None,
    most: int | None = None,
    fillings: Iterable[Fillings] = (),
    slack: int = 0,
) -> Answer:
    """Return the cheapest placement, ``most`` at the dearest; the bound is of the cost.

    Limits with ``fillings`` are filled by one of these each, which together lose at most ``slack``.
    """
    program = _Program(columns)
    program.choose(fillings, slack)
    value = program.express(_savings(columns))
    base = int(columns.unplaced.sum())
    if most is not None:
        program.bound_above(value, most - base)
    answer = program.minimise(value, work, hint)
    bound = None if answer.bound is None else answer.bound + base
    return Answer(answer.offers, bound, answer.closed, answer.work)


def price_needs(columns: Columns, fillings: Iterable[Fillings]) -> Floats:
    """Return what each need is worth where every limit mixes its fillings so that each need is met once."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("GLOP")
    needs = [solver.Constraint(1.0, 1.0) for _ in range(columns.needs)]
    objective = solver.Objective()
    for one in fillings:
        whole = solver.Constraint(1.0, 1.0)
        costs = (columns.cost[one.rows][:, None] * one.takes).sum(axis=0)
        need = columns.need[one.rows]
        for cost, takes in zip(costs.tolist(), one.takes.T, strict=True):
            part = solver.NumVar(0.0, solver.infinity(), "")
            objective.SetCoefficient(part, float(cost))
            whole.SetCoefficient(part, 1.0)
            for place in need[takes].tolist():
                needs[place].SetCoefficient(part, 1.0)
    for place in np.flatnonzero(~columns.must).tolist():
        left_out = solver.NumVar(0.0, solver.infinity(), "")
        objective.SetCoefficient(left_out, float(columns.unplaced[place]))
        needs[place].SetCoefficient(left_out, 1.0)
    objective.SetMinimization()
    solver.Solve()
    return np.array([need.dual_value() for need in needs])


def order_ties(columns: Columns, cost: int, *, work: float, hint: Ints) -> Answer:
    """Return, of all placements of exactly this cost, one with the least sum of receipts."""
    program = _Program(columns)
    program.bound_above(program.express(_savings(columns)), cost - int(columns.unplaced.sum()))
    return program.minimise(program.express(columns.receipt), work, hint)


def _savings(columns: Columns) -> Ints:
    """Return what taking each offer adds to the cost of leaving everything out (musts: their whole cost)."""
    return columns.cost - columns.unplaced[columns.need]


class _Program:
    def __init__(self, columns: Columns) -> None:
        # Loading the solver costs time and memory in every worker, so only those who clear pay for it.
        from ortools.sat.python import cp_model

        self.cp = cp_model
        self.model = cp_model.CpModel()
        self.take = [self.model.new_bool_var("") for _ in range(columns.offers)]
        bounds = np.searchsorted(columns.need, np.arange(columns.needs + 1)).tolist()
        for need, must in enumerate(columns.must.tolist()):
            own = self.take[bounds[need] : bounds[need + 1]]
            if must:
                self.model.add_exactly_one(own)
            elif len(own) > 1:
                self.model.add_at_most_one(own)
        order = np.argsort(columns.limit, kind="stable")
        owner = np.repeat(np.arange(columns.offers), np.diff(columns.start))[order]
        ends = np.cumsum(np.bincount(columns.limit, minlength=len(columns.capacity)))[:-1]
        # Without any limit there is still one part to split into, an empty one: it belongs to none.
        rows = zip(
            np.split(owner, ends), np.split(columns.amount[order], ends), columns.capacity, strict=False
        )
        for takers, amounts, capacity in rows:
            if len(takers) and int(amounts.sum()) > capacity:
                taken = [self.take[row] for row in takers.tolist()]
                self.bound_above(self._digits(taken, amounts.tolist(), int(amounts.sum())), int(capacity))

    def choose(self, fillings: Iterable[Fillings], slack: int) -> None:
        """Let every limit be filled in one of some ways: far sharper than its capacity."""
        lost = []
        for one in fillings:
            ways = [self.model.new_bool_var("") for _ in range(one.takes.shape[1])]
            self.model.add_exactly_one(ways)
            lost.append(self.cp.LinearExpr.weighted_sum(ways, one.losses.tolist()))
            for row, takes in zip(one.rows.tolist(), one.takes, strict=True):
                own = [ways[way] for way in np.flatnonzero(takes).tolist()]
                self.model.add(self.cp.LinearExpr.sum(own) == self.take[row])
        if lost:
            self.model.add(self.cp.LinearExpr.sum(lost) <= slack)

    def express(self, factors: Ints) -> tuple[list[Any], int]:
        """Return Σ factor of the offers taken as digits from the lowest, above an offset."""
        size = sum(abs(int(factor)) for factor in factors)
        if size < SAFE:
            return [self.cp.LinearExpr.weighted_sum(self.take, factors.tolist())], 0
        # Digits count from zero up: an offer that lowers the sum counts when it is not taken.
        offset = sum(min(0, int(factor)) for factor in factors)
        taken = [
            take if factor >= 0 else take.negated() for take, factor in zip(self.take, factors, strict=True)
        ]
        digits, _ = self._digits(taken, [abs(int(factor)) for factor in factors], size)
        return digits, offset

    def _digits(self, taken: list[Any], factors: list[int], size: int) -> tuple[list[Any], int]:
        if size < SAFE:
            return [self.cp.LinearExpr.weighted_sum(taken, factors)], 0
        digits: list[Any] = []
        carry: Any = 0
        mask = (1 << DIGIT) - 1
        for place in range(0, size.bit_length(), DIGIT):
            part = [factor >> place & mask for factor in factors]
            digit = self.model.new_int_var(0, mask, "")
            onward = self.model.new_int_var(0, len(factors) + 1, "")
            total = self.cp.LinearExpr.weighted_sum(taken, part) + carry
            self.model.add(total == digit + onward * (1 << DIGIT))
            digits.append(digit)
            carry = onward
        self.model.add(carry == 0)
        return digits, 0

    def bound_above(self, value: tuple[list[Any], int], most: int) -> None:
        """Let a value in digits be at most so much."""
        digits, offset = value
        most -= offset
        if len(digits) == 1:
            self.model.add(digits[0] <= most)
            return
        if most < 0:
            self.model.add_bool_or([])
            return
        # From the lowest digit up: the digits so far are at most those of the bound.
        mask = (1 << DIGIT) - 1
        within: Any = None
        for place, digit in enumerate(digits):
            rest = most >> place * DIGIT
            allowed = rest & mask if place < len(digits) - 1 else min(rest, mask)
            onward = self.model.new_bool_var("")
            self.model.add(digit <= allowed).only_enforce_if(onward)
            if within is not None:
                self.model.add(digit < allowed).only_enforce_if([onward, within.negated()])
            within = onward
        self.model.add_bool_or([within])

    def minimise(self, value: tuple[list[Any], int], work: float, hint: Ints | None) -> Answer:
        """Return the best there is within the work: the highest digit first, each then held at its least."""
        digits, offset = value
        taken: Ints | None = None
        if hint is not None:
            chosen = np.zeros(len(self.take), bool)
            chosen[hint] = True
            for take, hinted in zip(self.take, chosen.tolist(), strict=True):
                self.model.add_hint(take, hinted)
        spent, proved = 0.0, 0
        for place in range(len(digits) - 1, -1, -1):
            solver = self._make_solver(max(work - spent, 0.01))
            self.model.minimize(digits[place])
            status = solver.solve(self.model)
            spent += solver.response_proto.deterministic_time
            if status == self.cp.INFEASIBLE:
                return Answer(taken, None, True, spent)
            if status not in (self.cp.OPTIMAL, self.cp.FEASIBLE):
                bound = offset + proved if place < len(digits) - 1 else None
                return Answer(taken, bound, False, spent)
            taken = np.flatnonzero([solver.boolean_value(take) for take in self.take])
            if status != self.cp.OPTIMAL:
                proved += _round_down(solver.best_objective_bound) << place * DIGIT
                return Answer(taken, offset + proved, False, spent)
            least = int(solver.value(digits[place]))
            proved += least << place * DIGIT
            self.model.add(digits[place] == least)
        return Answer(taken, offset + proved, True, spent)

    def _make_solver(self, work: float) -> Any:
        solver = self.cp.CpSolver()
        solver.parameters.max_deterministic_time = work
        solver.parameters.random_seed = SEED
        # One worker searches in one order; several would race each other to equal optima.
        solver.parameters.num_workers = 1
        # Else the solver takes the process's handler of Ctrl-C away and leaves it without one.
        solver.parameters.catch_sigint_signal = False
        return solver


def _round_down(bound: float) -> int:
    """Return a whole number surely not above a bound that the solver reports as a float."""
    return round(bound) if abs(bound) < 1 << 52 else math.floor(bound - abs(bound) * 2.0**-50)
