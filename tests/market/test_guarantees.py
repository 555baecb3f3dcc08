"""Guarantees under the law: weights, multiples, caps, all to the fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.guarantees import (
    SMALL_IN_FORCE,
    Cap,
    Excess,
    Load,
    choose_multiple,
    count_in_force,
    cover_amount,
    find_excess,
    weigh,
)

MILLION = 100_000_000


@pytest.mark.parametrize(
    ("amount", "in_force", "is_small", "weighted"),
    [
        (4 * MILLION, 4 * MILLION, True, 3 * MILLION),
        (5 * MILLION, 5 * MILLION, True, 375_000_000),
        (5 * MILLION, 5 * MILLION, False, 5 * MILLION),
        # All that a firm has in force decides, not the one guarantee.
        (MILLION, SMALL_IN_FORCE + 1, True, MILLION),
        (1, 1, True, 1),
        (2, 2, True, 2),
        (5, 5, True, 4),
        (0, 0, True, 0),
    ],
)
def test_small_firms_with_little_in_force_weigh_three_quarters_rounded_up(
    amount: int, in_force: int, is_small: bool, weighted: int
) -> None:
    assert weigh(amount, in_force=in_force, is_small=is_small) == weighted


def test_a_guarantee_stands_for_its_share_rounded_up() -> None:
    assert cover_amount(1_000_001, Decimal("0.8")) == 800_001
    assert cover_amount(2**60 + 1, Decimal("0.5")) == 2**59 + 1


@given(st.integers(1, 10**15), st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.integers(1, 10**6))
def test_what_is_in_force_falls_with_the_principal_to_nothing_and_never_short(
    amount: int, repaid: list[int], principal: int
) -> None:
    left, before, released = principal, amount, 0
    for part in repaid:
        left = max(left - part, 0)
        after = count_in_force(amount, left, principal)
        assert after * principal >= amount * left
        released, before = released + before - after, after
    assert released == amount - before
    assert (before == 0) == (left == 0)


@pytest.mark.parametrize(
    ("firms", "multiple"),
    [
        ([], 10),
        ([(0, True)], 10),
        ([(MILLION, True)], 15),
        ([(MILLION, False)], 10),
        # Four of five firms and half of the amount are small: both are just enough.
        ([(MILLION, True)] * 4 + [(4 * MILLION, False)], 15),
        ([(MILLION, True)] * 4 + [(4 * MILLION + 1, False)], 10),
        ([(2 * MILLION, True)] * 3 + [(MILLION, False)], 10),
    ],
)
def test_guarantors_that_mainly_serve_small_firms_may_stand_for_fifteen_times(
    firms: list[tuple[int, bool]], multiple: int
) -> None:
    assert choose_multiple(firms) == multiple


@pytest.mark.parametrize(
    ("load", "excess"),
    [
        (Load(1000, 10, 15), None),
        (Load(1001, 10, 15), Excess(Cap.LEVERAGE, 1000, 1001)),
        (Load(1000, 11, 15), Excess(Cap.FIRM, 10, 11)),
        (Load(1000, 10, 16), Excess(Cap.GROUP, 15, 16)),
    ],
)
def test_leverage_one_firm_and_its_affiliates_are_capped(load: Load, excess: Excess | None) -> None:
    # Shares of net assets are cut to the fen: 10 % of 109 is 10, 15 % of 106 is 15.
    assert find_excess(load, leverage=1000, net_assets=106) == excess
