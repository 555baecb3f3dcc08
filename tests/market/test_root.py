from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.root import NoRate, changes, solve


def rate(times: Sequence[int], amounts: Sequence[int]) -> float | None:
    force = solve(times, amounts).force
    return None if force is None else math.expm1(force)


def flows_with_roots(*roots: str) -> list[int]:
    """Return whole flows, one a period, whose rates are exactly the given ones."""
    flows = [Fraction(1)]
    for root in roots:
        growth = 1 + Fraction(root)
        flows = [a - growth * b for a, b in zip([*flows, Fraction(0)], [Fraction(0), *flows], strict=True)]
    scale = math.lcm(*(flow.denominator for flow in flows))
    return [int(flow * scale) for flow in flows]


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        (["0.05"], 0.05),
        (["-0.3"], -0.3),
        (["0.05", "0.2", "19000"], 0.05),
        (["-0.01", "0.2"], 0.2),
        (["-0.01", "-0.2"], -0.01),
        (["0.1", "0.1"], 0.1),
        (["0.1", "0.1", "0.1"], 0.1),
        (["-0.1", "-0.1"], -0.1),
        (["0.001", "0.0010001"], 0.001),
        (["0.05", "0.05", "-0.05"], 0.05),
        (["0.02", "0.03", "0.04", "0.05", "0.06"], 0.02),
        (["0.0000001", "0.0000001"], 0.0000001),
        (["-0.99", "-0.99"], -0.99),
        # Zero is a rate: it gives way to a positive one and stands before any negative one.
        (["0"], 0.0),
        (["0", "0.05"], 0.05),
        (["0", "-0.05"], 0.0),
        (["0", "0", "0.05"], 0.05),
    ],
)
def test_the_positive_root_nearest_zero_comes_first(roots: list[str], expected: float) -> None:
    flows = flows_with_roots(*roots)
    assert rate(range(len(flows)), flows) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("flows", "note"),
    [
        ([], NoRate.ALL_ZERO),
        ([0, 0], NoRate.ALL_ZERO),
        ([1], NoRate.ONE_SIDED),
        ([-1, -2, -3], NoRate.ONE_SIDED),
        ([3, 0, 2], NoRate.ONE_SIDED),
        ([5, -8, 5], NoRate.NO_ROOT),
        ([-100, 150, -80], NoRate.NO_ROOT),
    ],
)
def test_flows_without_a_rate_say_why(flows: list[int], note: NoRate) -> None:
    root = solve(range(len(flows)), flows)
    assert root.force is None and root.note is note and root.rate(12) is None


def test_a_fee_before_drawdown_does_not_mislead() -> None:
    # A guarantee fee a year before drawdown makes a second root of 19,168 %.
    times = [0, *range(12, 133)]
    flows = [-15_000, 3_000_000 - 45_000, *[-35_611] * 120]
    found = rate(times, flows)
    assert found is not None and 0 < found * 12 < 0.5


@pytest.mark.parametrize(
    ("times", "flows", "expected"),
    [
        ([0, 1], [1, -(10**14)], math.log(1e14)),
        ([0, 1], [10**14, -1], -math.log(1e14)),
        ([0, 1], [10**14, -(10**14) - 1], 1e-14),
        ([0, 365], [10**14, -(10**14) + 1], -1e-14 / 365),
        ([0, 12], [10**40, -(10**40) - 1], 1e-40 / 12),
        ([0, 1], [1, -(10**40)], 40 * math.log(10)),
    ],
)
def test_extreme_rates_are_found_to_full_precision(
    times: list[int], flows: list[int], expected: float
) -> None:
    force = solve(times, flows).force
    assert force is not None and float(force) == pytest.approx(expected, rel=1e-13)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.integers(-100, 100), min_size=2, max_size=10))
def test_agrees_with_all_roots_of_the_polynomial(flows: list[int]) -> None:
    while flows and flows[-1] == 0:
        flows.pop()
    while flows and flows[0] == 0:
        flows.pop(0)
    found = rate(range(len(flows)), flows)
    if len(flows) < 2:
        assert found is None
        return
    roots = np.roots(flows[::-1])
    rates = [1 / root.real - 1 for root in roots if abs(root.imag) < 1e-7 * abs(root) and root.real > 0]
    # Roots that nearly touch are where a floating-point oracle is not one.
    nearest = min((abs(a - b) for i, a in enumerate(roots) for b in roots[:i]), default=1.0)
    if nearest < 1e-5:
        return
    positive = [value for value in rates if value > 1e-9]
    negative = [value for value in rates if value < -1e-9]
    expected = min(positive) if positive else 0.0 if sum(flows) == 0 else max(negative, default=None)
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(-(10**9), 10**9)), min_size=2, max_size=40),
    st.integers(2, 1000),
)
def test_the_root_solves_and_scale_does_not_matter(flows: list[tuple[int, int]], scale: int) -> None:
    sums: dict[int, int] = {}
    for time, amount in flows:
        sums[time] = sums.get(time, 0) + amount
    times = sorted(sums)
    amounts = [sums[time] for time in times]
    root = solve(times, amounts)
    assert solve(times, [amount * scale for amount in amounts]).note == root.note
    if root.force is not None:
        parts = [amount * (-root.force * time).exp() for time, amount in zip(times, amounts, strict=True)]
        assert abs(sum(parts)) <= Decimal("1e-15") * sum(abs(part) for part in parts)


@pytest.mark.parametrize("count", [100, 3000])
def test_thousands_of_alternating_flows_end_in_an_answer(count: int) -> None:
    flows = [(-1) ** k * (10**9 + k * k % 977) for k in range(count)]
    found = rate(range(count), flows)
    assert found is None or found > -1


def test_zeros_are_no_change_of_sign() -> None:
    assert changes([1, 0, 2, 0, -1, 0, -5, 3]) == 2
