"""Deposits: every state can be left but the last, and nothing is done twice."""

from __future__ import annotations

from market import deposits
from market.deposits import DepositMove
from market.procurement_vocabulary import DepositState


def test_only_what_is_released_is_over() -> None:
    ends = {
        state
        for state in DepositState
        if not any(deposits.allows(state, move) for move in DepositMove if move is not DepositMove.RETURN)
    }
    assert ends == {DepositState.RELEASED}


def test_a_guarantee_replaces_cash_and_what_was_only_demanded() -> None:
    askable = {state for state in DepositState if deposits.allows(state, DepositMove.ASK)}
    assert askable == {DepositState.DEMANDED, DepositState.PAID, DepositState.EXPIRED}
    assert not deposits.allows(DepositState.DEMANDED, DepositMove.ISSUE)
    assert deposits.state_without_guarantor(cash_held=True) is DepositState.PAID
