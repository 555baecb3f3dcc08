"""How a principal is repaid: principal and interest per month, exact to the fen.

Written once for one offer and for many: ``principal`` and rate numerators are whole numbers, either a
Python ``int`` (one offer) or a numpy array (a batch of the same style and grid). Lists run over the
payment periods, or over the points of the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market.grid import Grid
from market.money import Whole, divide, share
from market.vocabulary import RentTiming, Repayment

#: The ways to repay: the loan styles, and rents in advance. Rents in arrears are equal instalments.
Style = Repayment | RentTiming

#: A relative error that the floating estimate of a level payment does not reach in a few hundred periods;
#: where the rounding could depend on it, the payment is computed exactly.
_DOUBT = 1e-12


@dataclass(frozen=True, slots=True)
class Amortisation:
    """What is due at each point; ``before`` is the balance just before that point's payment."""

    principal: list[Whole]
    interest: list[Whole]
    before: list[Whole]


@dataclass(frozen=True, slots=True)
class Rates:
    """The price of each payment period: ``numerators[j]`` ÷ ``denominator`` per unit of its length.

    Index 0 is not read. ``steps`` are the periods that begin at a new rate. The year is already in the
    denominator.
    """

    numerators: list[Whole]
    denominator: int
    steps: tuple[int, ...] = ()


def amortise(
    style: Style, principal: Whole, grid: Grid, rates: Rates, lengths: Sequence[Whole] | None = None
) -> Amortisation:
    """Repay ``principal`` (fen) over the periods of a grid.

    ``lengths[k]`` is the length of the stretch that ends at point k (days; index 0 is not read); None
    means that every one is a unit (a month).
    """
    weights = period_lengths(grid, lengths)
    last = grid.periods
    if style in (Repayment.EQUAL_INSTALLMENT, RentTiming.ARREARS, RentTiming.ADVANCE):
        return spread(_level(principal, rates, weights, 0 if style is RentTiming.ADVANCE else 1), grid)
    repaid: list[Whole] = [principal * 0] * (last + 1)
    if style is Repayment.EQUAL_PRINCIPAL:
        part, left = divide(principal, last), principal
        for j in range(1, last):
            repaid[j] = _within(part, left)
            left = left - repaid[j]
        repaid[last] = left
    else:
        repaid[last] = principal
    if style is not Repayment.BULLET:
        return spread(_with_interest(principal, repaid, rates, weights), grid)
    interest: list[Whole] = [principal * 0] * (last + 1)
    owed = sum(rate * weight for rate, weight in zip(rates.numerators[1:], weights[1:], strict=True))
    interest[last] = share(principal, owed, rates.denominator)
    return spread(Amortisation(repaid, interest, [principal] * (last + 1)), grid)


def revolve(
    draws: Sequence[tuple[int, int]], grid: Grid, rates: Rates, lengths: Sequence[int] | None = None
) -> Amortisation:
    """Price a revolving loan by its draw list: (point, fen), + drawn and - repaid, the rest at the end.

    What is drawn at a point bears interest from then on; a negative principal is a draw. Interest is
    summed up to each payment and rounded there.
    """
    repaid = [0] * (grid.last + 1)
    for point, amount in draws:
        repaid[point] -= amount
    drawn = -repaid[0]
    repaid[0] = 0
    repaid[grid.last] += drawn - sum(repaid)
    interest, before = [0] * (grid.last + 1), [drawn] * (grid.last + 1)
    left, owed, period = drawn, 0, 1
    for point in range(1, grid.last + 1):
        before[point] = left
        owed += left * rates.numerators[period] * (1 if lengths is None else lengths[point])
        if point == grid.knots[period]:
            interest[point] = share(owed, 1, rates.denominator)
            owed, period = 0, period + 1
        left -= repaid[point]
    return Amortisation(repaid, interest, before)


def period_lengths(grid: Grid, lengths: Sequence[Whole] | None) -> list[Whole]:
    """Return the length of each payment period; index 0 is not read."""
    knots = grid.knots
    if lengths is None:
        return [0, *(later - earlier for earlier, later in pairwise(knots))]
    return [
        0,
        *(
            lengths[later] if later - earlier == 1 else sum(lengths[earlier + 1 : later + 1])
            for earlier, later in pairwise(knots)
        ),
    ]


def spread(plan: Amortisation, grid: Grid) -> Amortisation:
    """Put what is due by period at the points of the grid."""
    if grid.periods == grid.last:
        return plan
    zero = plan.principal[0] * 0
    principal: list[Whole] = [zero] * (grid.last + 1)
    interest: list[Whole] = [zero] * (grid.last + 1)
    before: list[Whole] = [plan.before[0]] * (grid.last + 1)
    for j, knot in enumerate(grid.knots):
        principal[knot], interest[knot] = plan.principal[j], plan.interest[j]
        if j:
            earlier = grid.knots[j - 1]
            before[earlier + 1 : knot + 1] = [plan.before[j]] * (knot - earlier)
    return Amortisation(principal, interest, before)


def level_payment(
    principal: Whole, months: int, numerator: Whole, denominator: int, weights: Sequence[Whole], first: int
) -> Whole:
    """Return the payment that, made in months ``first`` … ``first + months - 1``, repays the principal.

    Exact and rounded once, half-up: the annuity over the periods' own lengths, so that the last
    payment differs from the others by roundings only. In advance (``first`` = 0) this is the payment
    in arrears divided by one plus the period rate.
    """
    if isinstance(principal, int):
        return _exact_level(principal, months, numerator, denominator, weights, first)
    estimate = _estimated_level(principal, months, numerator, denominator, weights, first)
    rounded = np.floor(estimate + 0.5)
    doubt = np.abs(estimate + 0.5 - np.rint(estimate + 0.5)) <= estimate * _DOUBT + 1e-9
    payment: NDArray[Any] = rounded.astype(np.int64).astype(principal.dtype)
    for j in np.flatnonzero(doubt):
        own = [int(w[j]) if isinstance(w, np.ndarray) else w for w in weights]
        payment[j] = _exact_level(int(principal[j]), months, int(numerator[j]), denominator, own, first)
    return payment


def _exact_level(
    principal: int, months: int, numerator: int, denominator: int, weights: Sequence[int], first: int
) -> int:
    growth, annuity, power = 1, 1 - first, 1
    for k in range(1, months + first):
        factor = denominator + numerator * weights[k]
        power *= denominator
        growth *= factor
        annuity = annuity * factor + power
    return divide(principal * growth, annuity)  # type: ignore[no-any-return]


def _estimated_level(
    principal: Whole, months: int, numerator: Whole, denominator: int, weights: Sequence[Whole], first: int
) -> NDArray[np.float64]:
    rate = numerator.astype(np.float64) / denominator
    amount = principal.astype(np.float64)
    if all(isinstance(w, int) and w == weights[1] for w in weights[1:]):
        rate = rate * weights[1]
        safe = np.where(rate > 0, rate, 1.0)
        spread = np.where(rate > 0, -np.expm1(-months * np.log1p(safe)) / safe, float(months))
        paid = amount / spread
        return np.asarray(paid if first else paid / (1 + rate))
    value, annuity = np.ones_like(rate), np.full_like(rate, 1.0 - first)
    for k in range(1, months + first):
        value = value / (1 + rate * np.asarray(weights[k], dtype=np.float64))
        annuity = annuity + value
    return np.asarray(amount / annuity)


def _level(principal: Whole, rates: Rates, weights: Sequence[Whole], first: int) -> Amortisation:
    """Repay by level payments at periods' ends (``first`` 1) or begins (0), anew at every step."""
    zero, periods = principal * 0, len(weights) - 1
    repaid: list[Whole] = [zero] * (periods + 1)
    interest: list[Whole] = [zero] * (periods + 1)
    before: list[Whole] = [principal] * (periods + 1)
    left, last = principal, periods - 1 + first
    payment: Whole = None
    for k in range(first, periods + 1):
        before[k] = left
        if k > last:
            break
        if k:
            interest[k] = share(left, rates.numerators[k] * weights[k], rates.denominator)
        period = k + 1 - first
        if payment is None or period in rates.steps:
            # In advance, the interest of the period behind is settled by the same payment.
            owed = left if first else left + interest[k]
            payment = level_payment(
                owed,
                periods - period + 1,
                rates.numerators[period],
                rates.denominator,
                weights[period - 1 :],
                first,
            )
        # Never below zero: in a long month the interest alone may exceed a payment level over decades. Never
        # above what is left: rounded-up payments may repay a tiny principal before the term ends.
        repaid[k] = left if k == last else _within(payment - interest[k], left)
        left = left - repaid[k]
    return Amortisation(repaid, interest, before)


def _with_interest(
    principal: Whole, repaid: list[Whole], rates: Rates, weights: Sequence[Whole]
) -> Amortisation:
    interest: list[Whole] = [principal * 0]
    before: list[Whole] = [principal]
    left = principal
    for k in range(1, len(repaid)):
        before.append(left)
        interest.append(share(left, rates.numerators[k] * weights[k], rates.denominator))
        left = left - repaid[k]
    return Amortisation(repaid, interest, before)


def _within(amount: Whole, most: Whole) -> Whole:
    return max(min(amount, most), 0) if isinstance(amount, int) else np.clip(amount, 0, most)
