"""Fees and subsidies: when they occur and how much each occurrence is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from market.money import Whole, ratio, share
from market.terms import Fee, Subsidy
from market.vocabulary import FeeBasis, FeeTiming


def occurrences(when: FeeTiming, months: int) -> range:
    """Return the months in which a fee falls due: yearly ones for every year begun, at its start."""
    if when is FeeTiming.UPFRONT:
        return range(0, 1)
    if when is FeeTiming.YEARLY:
        return range(0, months, 12)
    if when is FeeTiming.MONTHLY:
        return range(1, months + 1)
    return range(months, months + 1)


def amounts(
    charge: Fee | Subsidy, months: int, principal: int, before: Sequence[Whole]
) -> list[tuple[int, int]]:
    """Return (month, fen) for each occurrence; ``before[k]`` is the balance just before month k's payment.

    A rate is per occurrence, never pro rata; each occurrence is rounded by itself.
    """
    months_due = occurrences(charge.when, months)
    if charge.rate is None:
        return [(k, charge.amount or 0) for k in months_due]
    numerator, denominator = ratio(charge.rate)
    if charge.basis is FeeBasis.PRINCIPAL:
        amount = share(principal, numerator, denominator)
        return [(k, amount) for k in months_due]
    return [(k, share(before[k], numerator, denominator)) for k in months_due]


def part(principal: int, rate: Decimal) -> int:
    """Return a share of the principal in fen, rounded half-up (a lease's deposit)."""
    numerator, denominator = ratio(rate)
    return int(share(principal, numerator, denominator))
