"""The present value of dated flows as a function of the force of interest, with exact signs.

With times t (whole units from the first flow) and amounts c (whole numbers), the present value at force
s per unit is Σ c·exp(-s·t). Scaled to v = s × the last time, everything below works on v, in floating
point where the sign is beyond doubt and in 50-digit decimals where it is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Context, Decimal
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

#: Arithmetic on forces goes through this context: plain operators would round to the thread's 28 digits.
PRECISE = Context(prec=50, Emax=999_999_999, Emin=-999_999_999)
#: A present value this much smaller than its parts is zero: a rate within about 1e-12 of solving exactly.
_ZERO = Decimal("1e-24")
_SETTLED = Decimal("1e-25")
_EPSILON = 2.0**-52

#: Terms of the Taylor expansion used to exclude roots from an interval.
ORDERS = 8
_FACTORIAL = np.array([math.factorial(j) for j in range(ORDERS + 1)], dtype=np.float64)
#: _FALLING[j, l] = l! ÷ (l - j)! for l > j: how the l-th Taylor term enters the j-th derivative's rest.
_FALLING = np.array(
    [
        [math.factorial(k) / math.factorial(k - j) if k > j else 0.0 for k in range(ORDERS + 1)]
        for j in range(ORDERS - 1)
    ]
)


class Curve:
    """Present value by force of interest, for at least two flows with both signs present.

    ``times`` are whole, ascending and start at 0; ``amounts`` are whole and not zero.
    """

    def __init__(self, times: Sequence[int], amounts: Sequence[int]) -> None:
        """Take the flows as they are; ``reversed_time`` mirrors them for negative rates."""
        self.times = times
        self.amounts = amounts
        self.span = times[-1]
        self._largest = max(abs(amount) for amount in amounts)

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times as shares of the span, and amounts as shares of the largest."""
        return (
            np.array([time / self.span for time in self.times]),
            np.array([amount / self._largest for amount in self.amounts]),
        )

    def reversed_time(self) -> Curve:
        """Return the curve whose positive roots are this one's negative roots."""
        return Curve([self.span - time for time in reversed(self.times)], list(reversed(self.amounts)))

    def bound(self) -> float:
        """Return a v beyond which the first flow outweighs all others, so that there is no root."""
        first = abs(self.amounts[0])
        excess = sum(abs(amount) for amount in self.amounts) - 2 * first
        if excess <= 0:
            return 0.0
        return math.log1p(excess / first) * self.span / self.times[1] * (1 + 1e-9)

    def clear_order(self, low: float, high: float) -> int | None:
        """Return the lowest derivative that certainly has no zero in the interval, None if none has."""
        shares, amounts = self._arrays
        half = (high - low) / 2
        powers = np.ones((ORDERS + 1, len(shares)))
        powers[1:] = shares * half
        powers = np.cumprod(powers, axis=0) / _FACTORIAL[:, None]
        weights = amounts * np.exp(-(low + half) * shares)
        # The signs that alternate from one derivative to the next do not matter to sizes.
        terms = np.abs(powers @ weights)
        slack = 1e-13 * (powers @ np.abs(weights))
        rest = terms + slack
        rest[ORDERS] = powers[ORDERS] @ (np.abs(amounts) * np.exp(-low * shares))
        clear = (terms - slack)[: ORDERS - 1] * _FACTORIAL[: ORDERS - 1] > _FALLING @ rest
        found = np.flatnonzero(clear)
        return int(found[0]) if len(found) else None

    def sign_after_zero(self, order: int) -> int:
        """Return the exact sign of a derivative just right of v = 0."""
        for power in range(order, order + len(self.times) + 1):
            moment = sum(amount * time**power for time, amount in zip(self.times, self.amounts, strict=True))
            if moment:
                return 1 if (moment > 0) == (power % 2 == 0) else -1
        return 0

    def rough(self, v: float, order: int) -> tuple[float, float]:
        """Return a derivative at v in floating point, and the most that rounding can have moved it."""
        shares, amounts = self._arrays
        weights = amounts * (-shares) ** order * np.exp(-v * shares)
        error = np.abs(weights) @ (8 + order + v * shares + len(shares))
        return float(weights.sum()), _EPSILON * float(error)

    def step(self, v: float) -> float | None:
        """Return Newton's step for the logarithm of received over paid, which is nearly straight in v."""
        shares, amounts = self._arrays
        weights = amounts * np.exp(-v * shares)
        received, paid = weights[amounts > 0], weights[amounts < 0]
        one, other = float(received.sum()), -float(paid.sum())
        if one <= 0 or other <= 0:
            return None
        slope = float(received @ shares[amounts > 0]) / one + float(paid @ shares[amounts < 0]) / other
        return math.log(one / other) / slope if slope else None

    def sign(self, v: float | Decimal, order: int = 0) -> int:
        """Return the sign of a derivative at v; 0 where it vanishes to 24 digits."""
        value, error = self.rough(float(v), order)
        if abs(value) > error:
            return 1 if value > 0 else -1
        exact, size = self.exact(PRECISE.divide(Decimal(v), self.span), order)
        if abs(exact) <= size * _ZERO:
            return 0
        return 1 if exact > 0 else -1

    def exact(self, force: Decimal, order: int = 0) -> tuple[Decimal, Decimal]:
        """Return a derivative with respect to the force per unit, and the sum of its parts' sizes."""
        c = PRECISE
        value = size = Decimal(0)
        for time, amount in zip(self.times, self.amounts, strict=True):
            term = c.multiply(amount * (-time) ** order, c.exp(c.multiply(force, -time)))
            value, size = c.add(value, term), c.add(size, abs(term))
        return value, size

    def polish(self, v: float, order: int = 0) -> Decimal | None:
        """Refine a simple root of a derivative to some 35 digits; None if it will not settle.

        Returns the force per unit. The steps are Newton's with the slope kept from floating point: each
        gains the ten digits and more that the slope is good for. Horner's scheme over the gaps between
        flows needs one exponential per distinct gap, which makes regular schedules cheap.
        """
        c = PRECISE
        slope, _ = self.rough(v, order + 1)
        if not slope:
            return None
        steepness = c.multiply(Decimal(slope), self._largest * self.span ** (order + 1))
        force = c.divide(Decimal(v), self.span)
        flows = zip(self.times, self.amounts, strict=True)
        amounts = [Decimal(amount * (-time) ** order) for time, amount in flows]
        last, *others = reversed(amounts)
        gaps = [later - earlier for earlier, later in pairwise(self.times)]
        gaps.reverse()
        for _ in range(8):
            discount = {gap: c.exp(c.multiply(force, -gap)) for gap in set(gaps)}
            value = last
            for amount, gap in zip(others, gaps, strict=True):
                value = c.fma(discount[gap], value, amount)
            step = c.divide(value, steepness)
            force = c.subtract(force, step)
            if abs(step) <= abs(force) * _SETTLED:
                return force
        return None
