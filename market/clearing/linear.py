"""The linear program of shares: solved in floats, answered in fractions.

GLOP finds which offers and limits decide the optimum (its basis); the shares and the prices of limits that
follow from those are then computed exactly, by eliminating one unknown at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from market.clearing.columns import Columns

Row = dict[int, Fraction]


@dataclass(frozen=True, slots=True)
class Basis:
    """An optimum of the program: exact shares per offer, and exact prices per limit (at least 0)."""

    shares: list[Fraction]
    prices: list[Fraction]


def solve(columns: Columns, low: Sequence[Fraction], high: Sequence[Fraction]) -> Basis | None:
    """Return the cheapest shares within bounds per offer; None if there are none."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("GLOP")
    unit = max(
        [abs(int(cost)) for cost in columns.cost] + [abs(int(cost)) for cost in columns.unplaced] + [1]
    )
    shares = [solver.NumVar(float(least), float(most), "") for least, most in zip(low, high, strict=True)]
    objective = solver.Objective()
    needs: list[Any] = []
    for must in columns.must.tolist():
        needs.append(solver.Constraint(1.0 if must else -solver.infinity(), 1.0))
    sizes = np.ones(len(columns.capacity), object)
    np.maximum.at(sizes, columns.limit, columns.amount.astype(object))
    limits = [
        solver.Constraint(-solver.infinity(), float(Fraction(int(capacity), int(size))))
        for capacity, size in zip(columns.capacity, sizes, strict=True)
    ]
    start = columns.start.tolist()
    for offer, (need, share) in enumerate(zip(columns.need.tolist(), shares, strict=True)):
        saving = int(columns.cost[offer]) - (0 if columns.must[need] else int(columns.unplaced[need]))
        objective.SetCoefficient(share, float(Fraction(saving, unit)))
        needs[need].SetCoefficient(share, 1.0)
        for use in range(start[offer], start[offer + 1]):
            limit = int(columns.limit[use])
            part = float(Fraction(int(columns.amount[use]), int(sizes[limit])))
            limits[limit].SetCoefficient(share, limits[limit].GetCoefficient(share) + part)
    objective.SetMinimization()
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return None
    return _read_basis(columns, low, high, solver, shares, needs, limits)


def _read_basis(
    columns: Columns,
    low: Sequence[Fraction],
    high: Sequence[Fraction],
    solver: Any,
    shares: list[Any],
    needs: list[Any],
    limits: list[Any],
) -> Basis:
    basic = {offer for offer, share in enumerate(shares) if share.basis_status() == solver.BASIC}
    values = [
        least if share.basis_status() == solver.AT_LOWER_BOUND else most
        for share, least, most in zip(shares, low, high, strict=True)
    ]
    # Unknown per row: the needs first, then the limits; a row whose slack is basic binds nothing.
    rows = [*needs, *limits]
    binding = {row for row, constraint in enumerate(rows) if constraint.basis_status() != solver.BASIC}
    right: dict[int, Fraction] = {
        row: Fraction(1) if row < len(needs) else Fraction(int(columns.capacity[row - len(needs)]))
        for row in binding
    }
    by_row: dict[int, Row] = {row: {} for row in binding}
    by_offer: dict[int, Row] = {offer: {} for offer in basic}
    start = columns.start.tolist()
    for offer, need in enumerate(columns.need.tolist()):
        parts = [(need, 1)]
        for use in range(start[offer], start[offer + 1]):
            parts.append((len(needs) + int(columns.limit[use]), int(columns.amount[use])))
        for row, amount in parts:
            if row not in binding:
                continue
            if offer in basic:
                by_row[row][offer] = by_row[row].get(offer, Fraction(0)) + amount
                by_offer[offer][row] = by_offer[offer].get(row, Fraction(0)) + amount
            elif values[offer]:
                right[row] -= amount * values[offer]
    for offer, share in _eliminate(by_row, right).items():
        values[offer] = share
    savings = {
        offer: Fraction(
            int(columns.cost[offer])
            - (0 if columns.must[columns.need[offer]] else int(columns.unplaced[columns.need[offer]]))
        )
        for offer in basic
    }
    duals = _eliminate(by_offer, savings)
    prices = [max(Fraction(0), -duals.get(len(needs) + limit, Fraction(0))) for limit in range(len(limits))]
    return Basis(values, prices)


def _eliminate(rows: dict[int, Row], right: dict[int, Fraction]) -> dict[int, Fraction]:
    """Return the unknowns of Σ coefficient · unknown = right, one equation per row.

    The equation with fewest unknowns goes first: the bases of such programs are nearly trees, so that this
    fills in next to nothing. Unknowns that no equation fixes are 0.
    """
    rows = {key: dict(row) for key, row in rows.items()}
    right = dict(right)
    where: dict[int, set[int]] = {}
    for key, row in rows.items():
        for unknown in row:
            where.setdefault(unknown, set()).add(key)
    solved: list[tuple[int, Row, Fraction]] = []
    waiting = set(rows)
    while waiting:
        key = min(waiting, key=lambda key: (len(rows[key]), key))
        waiting.discard(key)
        row, value = rows[key], right[key]
        if not row:
            continue
        pivot = min(row, key=lambda unknown: (len(where[unknown]), unknown))
        factor = row.pop(pivot)
        row = {unknown: part / factor for unknown, part in row.items()}
        value /= factor
        solved.append((pivot, row, value))
        for unknown in (pivot, *row):
            where[unknown].discard(key)
        for other in list(where[pivot]):
            times = rows[other].pop(pivot)
            right[other] -= times * value
            for unknown, part in row.items():
                left = rows[other].get(unknown, Fraction(0)) - times * part
                if left:
                    rows[other][unknown] = left
                    where[unknown].add(other)
                elif unknown in rows[other]:
                    del rows[other][unknown]
                    where[unknown].discard(other)
        where[pivot] = set()
    found: dict[int, Fraction] = {}
    for pivot, row, value in reversed(solved):
        found[pivot] = value - sum(
            (part * found.get(unknown, Fraction(0)) for unknown, part in row.items()), Fraction(0)
        )
    return found
