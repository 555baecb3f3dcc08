"""Receivables (应收账款): what may be lent on them, and how a loan is spread over several.

Right confirmation (确权): Regulation on Ensuring Payments to SMEs (保障中小企业款项支付条例, State Council
Order 802, in force 2025-06-01): government bodies, public institutions and large firms confirm a claim
within 30 days of the request of a supplier that wants to borrow on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from market.money import round_down
from market.receivable_vocabulary import ReceivableObstacle, ReceivableState

CONFIRMATION_DAYS = 30


def confirmation_due(requested_on: date) -> date:
    """Return the last day on which the debtor may answer a request for confirmation."""
    return requested_on + timedelta(days=CONFIRMATION_DAYS)


def find_obstacles(
    state: ReceivableState, *, amount: int, paid: int, due_on: date, today: date
) -> tuple[ReceivableObstacle, ...]:
    """Return why nothing may be lent on a receivable today; empty if something may."""
    found = []
    if state in {ReceivableState.ENTERED, ReceivableState.REQUESTED}:
        # What only its supplier says of an invoice is nothing yet that money may lean on.
        found.append(ReceivableObstacle.UNCONFIRMED)
    elif state is ReceivableState.REFUSED:
        found.append(ReceivableObstacle.RIGHT_REFUSED)
    elif state is ReceivableState.WITHDRAWN:
        found.append(ReceivableObstacle.WITHDRAWN)
    if paid >= amount:
        found.append(ReceivableObstacle.PAID)
    elif due_on < today:
        found.append(ReceivableObstacle.PAST_DUE)
    return tuple(found)


def compute_room(*, amount: int, paid: int, financed: int, ratio: Decimal) -> int:
    """Return the fen that may still be lent on a receivable: ratio × (amount − paid) − financed.

    All in fen; ``ratio`` between 0 and 1; fractions of a fen are dropped. Never negative.
    """
    return max(round_down(ratio * max(amount - paid, 0)) - financed, 0)


def spread(amount: int, rooms: Sequence[int]) -> tuple[int, ...]:
    """Return ``amount`` fen over several receivables in proportion to their rooms, none above its own.

    Whole fen that sum up exactly: what rounding leaves goes to the first that have room. Raises
    ``ValueError`` for more than all rooms together.
    """
    total = sum(rooms)
    if not 0 <= amount <= total:
        raise ValueError("more than there is room for")
    if total == 0:
        return (0,) * len(rooms)
    parts = [amount * room // total for room in rooms]
    left = amount - sum(parts)
    for place, room in enumerate(rooms):
        if left and parts[place] < room:
            parts[place] += 1
            left -= 1
    return tuple(parts)
