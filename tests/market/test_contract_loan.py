"""The contract loan's rules: the ladder, what can be financed, one key per contract however it is spelt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import contract_loan
from market.errors import Conflict
from market.vocabulary import ContractStage as S


@pytest.mark.parametrize(
    ("ratio", "amount", "retention", "paid", "financed", "cap", "room"),
    [
        # Terms seen: 70 % up to 1500万; 85 % of (amount − retention) up to 1000万.
        ("0.7", 1_000_000_00, 0, 0, 0, None, 700_000_00),
        ("0.7", 30_000_000_00, 0, 0, 0, 15_000_000_00, 15_000_000_00),
        ("0.85", 2_000_000_00, 100_000_00, 0, 0, 10_000_000_00, 1_615_000_00),
        ("0.7", 1_000_000_00, 0, 400_000_00, 0, None, 420_000_00),
        ("0.7", 1_000_000_00, 0, 0, 700_000_00, None, 0),
        ("1", 1_000_000_00, 50_000_00, 960_000_00, 0, None, 0),  # paid above what is left: never negative
        ("0.333", 1_00, 0, 0, 0, None, 33),  # fractions of a fen are dropped
    ],
)
def test_what_a_contract_can_still_carry(
    ratio: str, amount: int, retention: int, paid: int, financed: int, cap: int | None, room: int
) -> None:
    found = contract_loan.compute_financeable(
        amount=amount, retention=retention, paid=paid, financed=financed, ratio=Decimal(ratio), cap=cap
    )
    assert found == room


def test_nothing_is_drawn_before_lock_and_pledge() -> None:
    assert [stage for stage in S if contract_loan.may_draw(stage)] == [
        S.PLEDGE_REGISTERED,
        S.DRAWN,
        S.PURCHASER_PAID,
        S.REPAID,
    ]


def test_the_ladder_is_climbed_rung_by_rung_to_the_end() -> None:
    stage = S.AWARDED
    for wanted in [
        S.SIGNED,
        S.FILED,
        S.INTENT,
        S.CREDITED,
        S.ACCOUNT_LOCKED,
        S.PLEDGE_REGISTERED,
        S.DRAWN,
        S.PURCHASER_PAID,
        S.DRAWN,
        S.PURCHASER_PAID,
        S.REPAID,
        S.PLEDGE_CANCELLED,
        S.UNLOCKED,
    ]:
        contract_loan.check_step(stage, wanted)
        stage = wanted
    assert contract_loan.following(stage) == ()


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        (S.AWARDED, S.CREDITED),
        (S.CREDITED, S.PLEDGE_REGISTERED),
        (S.ACCOUNT_LOCKED, S.DRAWN),
        (S.DRAWN, S.PLEDGE_CANCELLED),
        (S.UNLOCKED, S.DRAWN),
        (S.SIGNED, S.AWARDED),
    ],
)
def test_a_rung_cannot_be_jumped_or_climbed_down(stage: S, wanted: S) -> None:
    with pytest.raises(Conflict):
        contract_loan.check_step(stage, wanted)


@pytest.mark.parametrize(
    ("days", "due"),
    [(None, date(2026, 7, 1)), (30, date(2026, 7, 1)), (60, date(2026, 7, 31)), (15, date(2026, 6, 16))],
)
def test_the_statutory_term_runs_from_acceptance(days: int | None, due: date) -> None:
    # SME payment regulation in force 2025-06-01: 30 days, by contract at most 60.
    assert contract_loan.statutory_due(date(2026, 6, 1), days) == due


def test_a_loan_may_end_three_months_after_the_last_due_date() -> None:
    assert contract_loan.latest_end(date(2026, 11, 30)) == date(2027, 2, 28)


def test_the_locked_account_is_recognised_in_any_spelling() -> None:
    assert contract_loan.is_locked_account("3700 1234 5678", "370012345678")
    assert not contract_loan.is_locked_account("370012345679", "370012345678")
    assert not contract_loan.is_locked_account(None, "370012345678")


@given(
    st.integers(1, 10**14),
    st.integers(0, 10**13),
    st.integers(0, 10**14),
    st.decimals(min_value=Decimal("0.01"), max_value=1, places=4),
    st.lists(st.integers(1, 10**13), max_size=5),
)
def test_financing_as_much_as_fits_never_breaks_the_invariant(
    amount: int, retention: int, paid: int, ratio: Decimal, asks: list[int]
) -> None:
    financed = 0
    for ask in asks:
        room = contract_loan.compute_financeable(
            amount=amount, retention=retention, paid=paid, financed=financed, ratio=ratio
        )
        financed += min(ask, room)
    assert financed <= ratio * max(amount - retention - paid, 0) or financed == 0
