"""Deposits of procurement: which moves each state allows, and what becomes of one."""

from __future__ import annotations

from enum import StrEnum

from market.procurement_vocabulary import DepositState


class DepositMove(StrEnum):
    """What can be done with a deposit."""

    PAY = "pay"
    ASK = "ask"
    DECLINE = "decline"
    ISSUE = "issue"
    RETURN = "return"
    RELEASE = "release"
    EXPIRE = "expire"


_OPEN = frozenset({DepositState.DEMANDED, DepositState.EXPIRED})

#: The states in which each move is legal. A guarantee may replace cash that was paid already; cash is
#: returned
#: once a guarantee stands in for it, or with the release.
MOVES: dict[DepositMove, frozenset[DepositState]] = {
    DepositMove.PAY: _OPEN,
    DepositMove.ASK: _OPEN | {DepositState.PAID},
    DepositMove.DECLINE: frozenset({DepositState.ASKED}),
    DepositMove.ISSUE: frozenset({DepositState.ASKED}),
    DepositMove.RETURN: frozenset({DepositState.GUARANTEED, DepositState.RELEASED}),
    DepositMove.RELEASE: frozenset(DepositState) - {DepositState.ASKED, DepositState.RELEASED},
    DepositMove.EXPIRE: frozenset({DepositState.GUARANTEED}),
}


def allows(state: DepositState, move: DepositMove) -> bool:
    """Say whether a deposit in a state allows a move."""
    return state in MOVES[move]


def state_without_guarantor(*, cash_held: bool) -> DepositState:
    """Return where a deposit stands again when the guarantor that was asked declines."""
    return DepositState.PAID if cash_held else DepositState.DEMANDED
