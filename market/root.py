"""The annual rate of dated flows: the positive root nearest zero, else the negative one nearest zero.

A present value can vanish at several rates or at none. Where the flows change sign once, or their
running total does, the root in question is unique (Descartes; Norstrom) and Newton finds it. Everything
else goes through a search that walks away from zero and excludes, interval by interval, with certainty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate

from market.curve import PRECISE, Curve

#: ln(1 + rate) at which a rate has thirty thousand digits: dated or monthly flows do not reach it.
MOST_FORCE = 69_000


class NoRate(StrEnum):
    """Why flows have no annual rate."""

    ALL_ZERO = "all_zero"
    ONE_SIDED = "one_sided"
    NO_ROOT = "no_root"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Root:
    """The force of interest ln(1 + rate) per unit of time, or the reason why there is none."""

    force: Decimal | None
    note: NoRate | None = None

    def rate(self, units: int) -> Decimal | None:
        """Return the compound rate over a number of units: (1 + rate per unit) to that power, minus 1."""
        if self.force is None:
            return None
        return PRECISE.subtract(PRECISE.exp(PRECISE.multiply(self.force, units)), 1)


def solve(times: Sequence[int], amounts: Sequence[int]) -> Root:
    """Find the rate of flows at whole times (ascending, each once); amounts are whole numbers.

    A rate of exactly zero solves flows that sum to zero; it gives way to a positive root, if there is
    one, and stands before any negative one.
    """
    kept = [(time, amount) for time, amount in zip(times, amounts, strict=True) if amount]
    if not kept:
        return Root(None, NoRate.ALL_ZERO)
    if changes(amount for _, amount in kept) == 0:
        return Root(None, NoRate.ONE_SIDED)
    start = kept[0][0]
    curve = Curve([time - start for time, _ in kept], [amount for _, amount in kept])
    ahead = _positive(curve)
    if ahead is not None:
        return Root(ahead)
    if sum(curve.amounts) == 0:
        return Root(Decimal(0))
    behind = _positive(curve.reversed_time())
    return Root(None, NoRate.NO_ROOT) if behind is None else Root(PRECISE.minus(behind))


def refined(times: Sequence[int], amounts: Sequence[int], force: float) -> Root | None:
    """Refine a root that is known to be the only positive one from a floating-point force per unit.

    None where the refinement does not settle on a positive force: ``solve`` is then the way.
    """
    kept = [(time, amount) for time, amount in zip(times, amounts, strict=True) if amount]
    curve = Curve([time - kept[0][0] for time, _ in kept], [amount for _, amount in kept])
    exact = curve.polish(force * curve.span)
    return Root(exact) if exact is not None and exact > 0 else None


def changes(values: Iterable[int]) -> int:
    """Count the changes of sign along a sequence, zeros left out."""
    count, last = 0, 0
    for value in values:
        if value:
            count += (value > 0) != (last > 0) and last != 0
            last = value
    return count


def _positive(curve: Curve) -> Decimal | None:
    """Return the smallest positive root of a curve as force per unit, or None.

    The running totals bound the number of positive roots, and its parity where the total is not zero.
    """
    possible = changes(accumulate(curve.amounts))
    if possible == 0:
        return None
    top = curve.bound()
    if possible == 1 and sum(curve.amounts) != 0:
        return _crossing(curve, 0.0, top, curve.sign_after_zero(0))
    return _search(curve, top)


def _search(curve: Curve, top: float) -> Decimal | None:
    """Walk from zero to ``top``, splitting intervals until each is certainly free or simple enough."""
    waiting = [(0.0, top)]
    while waiting:
        low, high = waiting.pop()
        order = curve.clear_order(low, high)
        if order == 0:
            continue
        if order is None:
            middle = low + (high - low) / 2
            if high - low > 1e-14 * max(low, 1e-3) and low < middle < high:
                waiting += [(middle, high), (low, middle)]
                continue
            # A root so flat that eight derivatives vanish with it: no narrower answer has a meaning.
            if low > 0 and curve.sign(middle) == 0:
                return PRECISE.divide(Decimal(middle), curve.span)
            continue
        found = _first_in(curve, low, high, order)
        if found is not None:
            return found
    return None


def _first_in(curve: Curve, low: float, high: float, order: int) -> Decimal | None:
    """Return the first root in (low, high], where the derivative ``order`` has no zero.

    Each derivative is monotone between the zeros of the next one, so its own zeros are found by sign;
    a zero of a derivative at which the one below vanishes too is a touching root.
    """
    turns: list[float] = []
    for level in range(order - 1, -1, -1):
        zeros: list[float] = []
        left = low
        before = curve.sign_after_zero(level) if low == 0 else curve.sign(low, level)
        for edge in [*turns, high]:
            exact = curve.polish(edge, level + 1) if edge != high else None
            if exact is not None and abs(float(exact) * curve.span - edge) > 1e-6 * edge:
                exact = None
            here = curve.sign(edge if exact is None else PRECISE.multiply(exact, curve.span), level)
            if before * here < 0:
                if level == 0:
                    return _crossing(curve, left, edge, before)
                zeros.append(_bisect(curve, left, edge, before, level))
            elif here == 0:
                if level == 0:
                    return PRECISE.divide(Decimal(edge), curve.span) if exact is None else exact
                zeros.append(edge)
            left, before = edge, here
        turns = zeros
    return None


def _crossing(curve: Curve, low: float, high: float, sign: int) -> Decimal:
    """Return the one root between ``low`` (where the curve has ``sign``) and ``high``, refined."""
    force = curve.polish(_newton(curve, low, high, sign))
    if force is not None and force > 0:
        v = float(force) * curve.span
        if low * (1 - 1e-12) <= v <= high * (1 + 1e-12):
            return force
    return _bisect_exactly(curve, low, high, sign)


def _newton(curve: Curve, low: float, high: float, sign: int) -> float:
    """Close in on a simple root in floating point: Newton, kept inside its bracket by bisection."""
    v = low
    for _ in range(200):
        step = curve.step(v)
        following = high if step is None else v + step
        if not low < following < high:
            following = low + (high - low) / 2
        if abs(following - v) <= 1e-14 * following or not low < following < high:
            return following
        v = following
        value, error = curve.rough(v, 0)
        if abs(value) <= error:
            return v
        low, high = (v, high) if value * sign > 0 else (low, v)
    return v


def _bisect(curve: Curve, low: float, high: float, sign: int, order: int) -> float:
    """Return a root of a derivative between two points of opposite sign, to floating-point precision."""
    while True:
        middle = low + (high - low) / 2
        value, error = curve.rough(middle, order)
        if not low < middle < high or abs(value) <= error:
            return middle
        low, high = (middle, high) if value * sign > 0 else (low, middle)


def _bisect_exactly(curve: Curve, low: float, high: float, sign: int) -> Decimal:
    """Return a root by bisection in decimals: slow, but it cannot leave its bracket."""
    c = PRECISE
    left, right = c.divide(Decimal(low), curve.span), c.divide(Decimal(high), curve.span)
    for _ in range(160):
        middle = c.divide(c.add(left, right), 2)
        value, _ = curve.exact(middle)
        if not value:
            return middle
        left, right = (middle, right) if (value > 0) == (sign > 0) else (left, middle)
    return c.divide(c.add(left, right), 2)
