"""What may be lent on receivables, and how a loan is spread over several."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import receivable
from market.receivable_vocabulary import ReceivableObstacle, ReceivableState

DUE = date(2027, 3, 1)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=8), st.data())
def test_a_loan_is_spread_to_the_last_fen_and_no_receivable_carries_more_than_it_can(
    rooms: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(rooms)))
    parts = receivable.spread(amount, rooms)
    assert sum(parts) == amount
    assert all(0 <= part <= room for part, room in zip(parts, rooms, strict=True))
    exact = [Decimal(amount) * room / max(sum(rooms), 1) for room in rooms]
    assert all(abs(part - share) <= 1 for part, share in zip(parts, exact, strict=True))


def test_more_than_there_is_room_for_is_not_spread() -> None:
    with pytest.raises(ValueError, match="room"):
        receivable.spread(11, [4, 6])


@pytest.mark.parametrize(
    ("paid", "financed", "ratio", "room"),
    [(0, 0, "0.8", 800), (101, 0, "0.8", 719), (0, 300, "0.8", 500), (1000, 0, "1", 0), (0, 900, "0.8", 0)],
)
def test_a_receivable_carries_its_ratio_of_what_is_not_paid_yet(
    paid: int, financed: int, ratio: str, room: int
) -> None:
    found = receivable.compute_room(amount=1000, paid=paid, financed=financed, ratio=Decimal(ratio))
    assert found == room


@pytest.mark.parametrize(
    ("state", "paid", "today", "obstacles"),
    [
        (ReceivableState.CONFIRMED, 0, DUE, ()),
        (ReceivableState.ENTERED, 0, DUE, (ReceivableObstacle.UNCONFIRMED,)),
        (ReceivableState.REQUESTED, 0, DUE, (ReceivableObstacle.UNCONFIRMED,)),
        (ReceivableState.REFUSED, 0, DUE, (ReceivableObstacle.RIGHT_REFUSED,)),
        (ReceivableState.CONFIRMED, 5, DUE, (ReceivableObstacle.PAID,)),
        (ReceivableState.CONFIRMED, 0, date(2027, 3, 2), (ReceivableObstacle.PAST_DUE,)),
        (ReceivableState.WITHDRAWN, 5, DUE, (ReceivableObstacle.WITHDRAWN, ReceivableObstacle.PAID)),
    ],
)
def test_a_receivable_that_is_not_confirmed_or_over_carries_nothing(
    state: ReceivableState, paid: int, today: date, obstacles: tuple[ReceivableObstacle, ...]
) -> None:
    assert receivable.find_obstacles(state, amount=5, paid=paid, due_on=DUE, today=today) == obstacles


def test_the_debtor_has_thirty_days_to_confirm() -> None:
    assert receivable.confirmation_due(date(2026, 11, 20)) == date(2026, 12, 20)
