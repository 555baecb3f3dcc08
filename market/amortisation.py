"""How a principal is repaid: principal and interest per month, exact to the fen.

Written once for one offer and for many: ``principal`` and rate numerators are whole numbers, either a
Python ``int`` (one offer) or a numpy array (a batch of the same style, months and day count). Lists run
over the months 0 … n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market.money import Whole, divide, share
from market.vocabulary import DayCount, RentTiming, Repayment

#: Months or days in the year of each day count.
YEAR = {DayCount.THIRTY_360: 12, DayCount.ACT_360: 360, DayCount.ACT_365: 365}

#: The ways to repay: the loan styles, and rents in advance. Rents in arrears are equal instalments.
Style = Repayment | RentTiming

#: A relative error that the floating estimate of a level payment does not reach in a few hundred periods;
#: where the rounding could depend on it, the payment is computed exactly.
_DOUBT = 1e-12


@dataclass(frozen=True, slots=True)
class Amortisation:
    """What is due in each month 0 … n; ``before`` is the balance just before that month's payment."""

    principal: list[Whole]
    interest: list[Whole]
    before: list[Whole]


def amortise(
    style: Style,
    principal: Whole,
    months: int,
    numerator: Whole,
    denominator: int,
    weights: Sequence[Whole] | None = None,
) -> Amortisation:
    """Repay ``principal`` (fen) over ``months`` at ``numerator`` ÷ ``denominator`` per unit of time.

    ``weights[k]`` is the length of the period that ends in month k (days; index 0 is not read); None
    means every period is one unit (a month). The caller puts the year into the denominator.
    """
    lengths = [1] * (months + 1) if weights is None else weights
    if style in (Repayment.EQUAL_INSTALLMENT, RentTiming.ARREARS):
        return _level(principal, months, numerator, denominator, lengths, first=1)
    if style is RentTiming.ADVANCE:
        return _level(principal, months, numerator, denominator, lengths, first=0)
    repaid: list[Whole] = [principal * 0] * (months + 1)
    if style is Repayment.EQUAL_PRINCIPAL:
        part, left = divide(principal, months), principal
        for k in range(1, months):
            repaid[k] = _within(part, left)
            left = left - repaid[k]
        repaid[months] = left
    else:
        repaid[months] = principal
    if style is not Repayment.BULLET:
        return _with_interest(principal, repaid, numerator, denominator, lengths)
    interest: list[Whole] = [principal * 0] * (months + 1)
    interest[months] = share(principal, numerator * sum(lengths[1:]), denominator)
    return Amortisation(repaid, interest, [principal] * (months + 1))


def revolve(
    draws: Sequence[tuple[int, int]],
    months: int,
    numerator: int,
    denominator: int,
    weights: Sequence[int] | None = None,
) -> Amortisation:
    """Price a revolving loan by its draw list: (month, fen), + drawn and - repaid, the rest at the end.

    What is drawn in a month bears interest from that month on; a negative principal is a draw.
    """
    repaid = [0] * (months + 1)
    for month, amount in draws:
        repaid[month] -= amount
    drawn = -repaid[0]
    repaid[0] = 0
    repaid[months] += drawn - sum(repaid)
    lengths = [1] * (months + 1) if weights is None else weights
    return _with_interest(drawn, repaid, numerator, denominator, lengths)


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
    if all(isinstance(w, int) and w == 1 for w in weights[1:]):
        safe = np.where(rate > 0, rate, 1.0)
        spread = np.where(rate > 0, -np.expm1(-months * np.log1p(safe)) / safe, float(months))
        paid = amount / spread
        return np.asarray(paid if first else paid / (1 + rate))
    value, annuity = np.ones_like(rate), np.full_like(rate, 1.0 - first)
    for k in range(1, months + first):
        value = value / (1 + rate * np.asarray(weights[k], dtype=np.float64))
        annuity = annuity + value
    return np.asarray(amount / annuity)


def _level(
    principal: Whole, months: int, numerator: Whole, denominator: int, weights: Sequence[Whole], first: int
) -> Amortisation:
    payment = level_payment(principal, months, numerator, denominator, weights, first)
    zero = principal * 0
    repaid: list[Whole] = [zero] * (months + 1)
    interest: list[Whole] = [zero] * (months + 1)
    before: list[Whole] = [principal] * (months + 1)
    left, last = principal, months - 1 + first
    for k in range(first, months + 1):
        before[k] = left
        if k > last:
            break
        if k:
            interest[k] = share(left, numerator * weights[k], denominator)
        # Never below zero: in a long month the interest alone may exceed a payment level over decades. Never
        # above what is left: rounded-up payments may repay a tiny principal before the term ends.
        repaid[k] = left if k == last else _within(payment - interest[k], left)
        left = left - repaid[k]
    return Amortisation(repaid, interest, before)


def _with_interest(
    principal: Whole, repaid: list[Whole], numerator: Whole, denominator: int, weights: Sequence[Whole]
) -> Amortisation:
    interest: list[Whole] = [principal * 0]
    before: list[Whole] = [principal]
    left = principal
    for k in range(1, len(repaid)):
        before.append(left)
        interest.append(share(left, numerator * weights[k], denominator))
        left = left - repaid[k]
    return Amortisation(repaid, interest, before)


def _within(amount: Whole, most: Whole) -> Whole:
    return max(min(amount, most), 0) if isinstance(amount, int) else np.clip(amount, 0, most)
