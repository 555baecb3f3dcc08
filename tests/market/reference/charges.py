"""What comes on top of principal and interest: fees, and the subsidies against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from market.terms import Fee, Subsidy
from tests.market.reference.timetable import NOTHING, Timetable, fen

Charge = Fee | Subsidy


def share(charge: Charge, of: Decimal) -> Decimal:
    """Return what one occurrence amounts to."""
    return Decimal(charge.amount) if charge.rate is None else fen(of * charge.part * charge.rate)


def charge_all(
    table: Timetable,
    principal: Decimal,
    paying: Sequence[int],
    fees: Iterable[Fee],
    subsidies: Iterable[Subsidy],
    *,
    lent: bool = True,
) -> None:
    """Enter fees and subsidies. Payments fall due at the points ``paying``; a cover has ``lent`` nothing."""
    points = table.points[: table.end + 1]
    sums = {
        "rent": [max(p.principal, NOTHING) + p.interest if lent else NOTHING for p in points],
        "interest": [p.interest if lent else NOTHING for p in points],
    }
    balances = {"principal": [principal] * len(points), "outstanding": [p.before for p in points]}

    def occurrences(charge: Charge) -> Iterator[tuple[int, Decimal]]:
        basis = charge.basis.value
        found = (
            _of_payments(charge.when.value, table, paying, sums[basis])
            if basis in sums
            else _of_balances(charge.when.value, table, paying, balances[basis])
        )
        for k, of in found:
            if table.reached(k, charge.from_month):
                yield k, share(charge, of)

    for fee in fees:
        for k, amount in occurrences(fee):
            points[k].charge(fee.payee, amount)
    for subsidy in subsidies:
        bounds = [Decimal(bound) for bound in (subsidy.cap, subsidy.budget) if bound is not None]
        left = min(bounds, default=None)
        for k, amount in occurrences(subsidy):
            if left is not None:
                amount = min(amount, left)
                left -= amount
            if subsidy.recipient.value == "institution":
                amount = fen(amount * subsidy.passed_on)
            if amount:
                table.delayed(k, subsidy.lag_months).support(amount)


def _of_balances(
    when: str, table: Timetable, paying: Sequence[int], balances: Sequence[Decimal]
) -> Iterator[tuple[int, Decimal]]:
    places = {
        "upfront": [0],
        "yearly": table.yearly,
        "monthly": list(range(1, table.end + 1)),
        "each_payment": list(paying),
        "end": [table.end],
    }[when]
    return ((k, balances[k]) for k in places)


def _of_payments(
    when: str, table: Timetable, paying: Sequence[int], due: Sequence[Decimal]
) -> Iterator[tuple[int, Decimal]]:
    if when in ("upfront", "end"):
        yield (0 if when == "upfront" else table.end), sum(due, NOTHING)
    elif when == "yearly":
        begin = 0
        for k in table.year_ends:
            yield k, sum(due[begin : k + 1], NOTHING)
            begin = k + 1
    else:
        for k in range(1, table.end + 1) if when == "monthly" else paying:
            yield k, due[k]
