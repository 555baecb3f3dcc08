"""Fees and subsidies: when they occur and how much each occurrence is.

Written once for one offer and for many: amounts are whole numbers, a Python ``int`` or a numpy array.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from market.amortisation import Amortisation, Style
from market.grid import Grid
from market.money import Whole, ratio, share
from market.terms import Fee, Subsidy
from market.vocabulary import PAYMENT_BASES, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment


class Occurrence(NamedTuple):
    """One occurrence, due at ``point``; of payments, it is taken of those after ``after`` up to ``upto``."""

    point: int
    after: int
    upto: int


def occurrences(
    when: FeeTiming, basis: FeeBasis, grid: Grid, style: Style, *, from_month: int = 0
) -> list[Occurrence]:
    """Return the occurrences of a charge, in order of time; see ``market.terms.Fee`` for their meaning."""
    last, of_payments = grid.last, basis in PAYMENT_BASES
    if when is FeeTiming.UPFRONT:
        points = [Occurrence(0, -1, last)]
    elif when is FeeTiming.END:
        points = [Occurrence(last, -1, last)]
    elif when is FeeTiming.YEARLY and of_payments:
        # What was paid in a year is known at its end, and the last year ends with the term.
        ends = [*dict.fromkeys(grid.anniversaries()[1:]), last]
        points = [
            Occurrence(end, after, end) for after, end in zip([-1, *ends], ends, strict=False) if end > after
        ]
    elif when is FeeTiming.YEARLY:
        points = [Occurrence(point, -1, point) for point in grid.anniversaries()]
    elif when is FeeTiming.MONTHLY:
        points = [Occurrence(point, point - 1, point) for point in range(1, last + 1)]
    else:
        points = [Occurrence(point, point - 1, point) for point in payment_points(style, grid)]
    if not from_month:
        return points
    earliest = grid.point(from_month)
    return [one for one in points if one.point >= earliest]


def payment_points(style: Style, grid: Grid) -> tuple[int, ...]:
    """Return the points at which payments to the lender fall due."""
    if style is RentTiming.ADVANCE:
        return grid.knots[:-1]
    # What is paid before the rents begin is a payment too; a single repayment has no other one.
    first = grid.knots[:1] if grid.knots[0] else ()
    return (*first, grid.last) if style is Repayment.BULLET else (*first, *grid.knots[1:])


def base(basis: FeeBasis, one: Occurrence, principal: Whole, plan: Amortisation) -> Whole:
    """Return the fen that an occurrence's rate is taken of."""
    if basis is FeeBasis.PRINCIPAL:
        return principal
    if basis is FeeBasis.OUTSTANDING:
        return plan.before[one.point]
    span = slice(one.after + 1, one.upto + 1)
    paid: Whole = sum(plan.interest[span])
    if basis is FeeBasis.RENT:
        # A negative principal is a draw: nothing that is paid.
        paid = paid + sum(_at_least_zero(part) for part in plan.principal[span])
    return paid


def amounts(
    charge: Fee | Subsidy, grid: Grid, style: Style, principal: int, plan: Amortisation
) -> list[tuple[int, int]]:
    """Return (point, fen) for each occurrence, as far as it counts for the firm.

    A rate is per occurrence, never pro rata; each occurrence is rounded by itself. A subsidy is paid
    ``lag_months`` after its point.
    """
    # A flat amount has no basis, so that its years are those of any fee.
    basis = FeeBasis.PRINCIPAL if charge.rate is None else charge.basis
    listed = occurrences(charge.when, basis, grid, style, from_month=charge.from_month)
    if charge.rate is None:
        found = [(one.point, charge.amount or 0) for one in listed]
    else:
        numerator, denominator = ratio(charge.rate * charge.part)
        if basis is FeeBasis.PRINCIPAL:
            each = int(share(principal, numerator, denominator))
            found = [(one.point, each) for one in listed]
        else:
            found = [
                (one.point, int(share(base(basis, one, principal, plan), numerator, denominator)))
                for one in listed
            ]
    if isinstance(charge, Fee):
        return found
    return [(point, passed_on(charge, amount)) for point, amount in _bounded(found, bound(charge))]


def bound(subsidy: Subsidy) -> int | None:
    """Return the most that a subsidy pays in all, in fen; None where nothing bounds it."""
    bounds = [most for most in (subsidy.cap, subsidy.budget) if most is not None]
    return min(bounds) if bounds else None


def reaches_firm(charge: Fee | Subsidy) -> bool:
    """Say whether a charge moves the firm's money: a subsidy does as far as the firm receives it."""
    return isinstance(charge, Fee) or charge.recipient is Recipient.FIRM or charge.passed_on > 0


def passed_on(subsidy: Subsidy, amount: int) -> int:
    """Return the part of a subsidy that the firm receives."""
    if subsidy.recipient is Recipient.FIRM:
        return amount
    return part(amount, subsidy.passed_on)


def part(principal: int, rate: Decimal) -> int:
    """Return a share of an amount in fen, rounded half-up (a lease's deposit)."""
    numerator, denominator = ratio(rate)
    return int(share(principal, numerator, denominator))


def _bounded(found: Sequence[tuple[int, int]], most: int | None) -> Sequence[tuple[int, int]]:
    if most is None:
        return found
    kept = []
    for point, amount in found:
        given = min(amount, most)
        most -= given
        kept.append((point, given))
    return kept


def _at_least_zero(amount: Whole) -> Whole:
    return max(amount, 0) if isinstance(amount, int) else np.maximum(amount, 0)
