"""How principal and interest fall due, style by style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from tests.market.reference.timetable import NOTHING, ONE, Timetable, fen

LEVEL = ("equal_installment", "arrears", "advance")


def repay(
    table: Timetable,
    principal: Decimal,
    style: str,
    rate: Decimal,
    steps: Sequence[tuple[int, Decimal]] = (),
    draws: Iterable[tuple[int, int]] = (),
) -> list[int]:
    """Enter principal and interest at the points of a timetable; return those where payments fall due."""
    bounds, points = table.bounds, table.points
    count = len(bounds) - 1
    units = [sum(p.units for p in points[a + 1 : b + 1]) for a, b in pairwise(bounds)]
    rates = [
        [rate, *(stepped for month, stepped in steps if table.reached(k, month))][-1] for k in bounds[:-1]
    ]
    if draws:
        _redraw(table, draws, rates)
    elif style == "bullet":
        yearly = sum((r * u for r, u in zip(rates, units, strict=True)), NOTHING)
        points[table.end].interest = fen(principal * yearly / table.basis)
        points[table.end].principal = principal
    else:
        advance = style == "advance"
        payment = left = principal
        for j in range(count):
            point = points[bounds[j] if advance else bounds[j + 1]]
            # What a payment in advance bears is the interest of the period that it ends.
            period = j - 1 if advance else j
            if period >= 0:
                point.interest += (interest := fen(left * rates[period] * units[period] / table.basis))
            else:
                interest = NOTHING
            if style in LEVEL and (j == 0 or rates[j] != rates[j - 1]):
                # As if this rate stayed; an instalment that is paid at once is worth all of itself.
                ahead = [rates[j] * u / table.basis for u in (units[j : count - 1] if advance else units[j:])]
                if advance:
                    payment = fen((left + interest) / (ONE + _annuity(ahead)))
                else:
                    payment = fen(left / _annuity(ahead))
            if j == count - 1:
                part = left
            elif style in LEVEL:
                part = min(max(payment - interest, NOTHING), left)
            elif style == "equal_principal":
                part = min(fen(principal / count), left)
            else:
                part = NOTHING
            point.principal += part
            left -= part
    left = principal
    if draws:
        left = Decimal(sum(amount for month, amount in draws if month == 0))
    for point in points[: table.end + 1]:
        point.before = left
        left -= point.principal
    assert left == 0
    if style == "bullet":
        return [table.end]
    return bounds[:-1] if style == "advance" else bounds[1:]


def _annuity(interests: Iterable[Decimal]) -> Decimal:
    value, annuity = ONE, NOTHING
    for interest in interests:
        value /= 1 + interest
        annuity += value
    return annuity


def _redraw(table: Timetable, draws: Iterable[tuple[int, int]], rates: Iterable[Decimal]) -> None:
    """Draw and repay as the list says; interest is that of each month's own balance."""
    changes: dict[int, int] = defaultdict(int)
    for month, amount in draws:
        changes[month] += amount
    left = Decimal(changes[0])
    for (begin, end), rate in zip(pairwise(table.bounds), rates, strict=True):
        weighted = NOTHING
        for k in range(begin + 1, end + 1):
            weighted += left * table.points[k].units
            left += changes[k]
            table.points[k].principal -= changes[k]
        table.points[end].interest = fen(weighted * rate / table.basis)
    table.points[table.end].principal += left
