"""Ranking the bids of one need: the least annual cost first, and each row knows why it stands there.

Only bids of the need's amount and tenor compete; others are listed apart with the difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from market.cost import Cost
from market.money import rate_text, yuan

#: How far amount and tenor may be off, as one part in this many.
TOLERANCE = 10


class Reason(StrEnum):
    """Why a row stands where it stands."""

    BEST = "best"
    DEARER = "dearer"  # a higher annual cost than the row above
    HIGHER_TOTAL = "higher_total"  # the same annual cost, a higher total cost
    LATER = "later"  # the same costs, received later
    OTHER_TERMS = "other_terms"  # amount or tenor too far from the need's
    NO_RATE = "no_rate"  # no annual cost exists


@dataclass(frozen=True, slots=True)
class Entry:
    """One bid: ``amount`` in fen; ``receipt_number`` counts up in the order of arrival at the server."""

    key: Hashable
    cost: Cost
    amount: int
    months: int
    receipt_number: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of the ranking; ``rank`` is None for rows listed apart.

    ``values`` explain the reason, as JSON values (rates as strings with 8 places, amounts as yuan
    strings): ``effective_gap`` and ``total_gap`` against the row above (``above`` is its key), what
    ``to_rank_higher`` the row would have needed to stay below, ``amount_difference`` and
    ``months_difference`` against the need, or the ``note`` why there is no rate.
    """

    key: Any
    rank: int | None
    reason: Reason
    values: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the reason and its values as one JSON object, to be stored with the bid."""
        return {"code": self.reason.value, **self.values}


def rank(entries: Iterable[Entry], *, amount: int, months: int) -> list[Ranked]:
    """Rank bids for a need of ``amount`` fen and ``months``: annual cost, total cost, earlier receipt.

    Unrounded costs decide. Rows listed apart follow: other terms in the same order, then bids without
    a rate by receipt.
    """
    listed = sorted(entries, key=_order)
    priced = [entry for entry in listed if entry.cost.effective is not None]
    rows: list[Ranked] = []
    above: Entry | None = None
    for entry in priced:
        if is_comparable(entry, amount, months):
            rows.append(_explain(entry, above, len(rows) + 1))
            above = entry
    for entry in priced:
        if not is_comparable(entry, amount, months):
            values = {
                "amount_difference": yuan(entry.amount - amount),
                "months_difference": entry.months - months,
            }
            rows.append(Ranked(entry.key, None, Reason.OTHER_TERMS, values))
    for entry in listed:
        if entry.cost.effective is None:
            rows.append(Ranked(entry.key, None, Reason.NO_RATE, {"note": entry.cost.note}))
    return rows


def is_comparable(entry: Entry, amount: int, months: int) -> bool:
    """Say whether a bid's amount and tenor are within a tenth of the need's."""
    return are_comparable(entry.amount, entry.months, amount, months)


def are_comparable(own_amount: int, own_months: int, amount: int, months: int) -> bool:
    """Say whether an amount and a tenor are within a tenth of those of a need."""
    return abs(own_amount - amount) * TOLERANCE <= amount and abs(own_months - months) * TOLERANCE <= months


def _order(entry: Entry) -> tuple[bool, Decimal, int, int]:
    effective = entry.cost.effective
    if effective is None:
        return (True, Decimal(0), 0, entry.receipt_number)
    return (False, effective, entry.cost.total_cost, entry.receipt_number)


def _explain(entry: Entry, above: Entry | None, place: int) -> Ranked:
    if above is None:
        return Ranked(entry.key, place, Reason.BEST)
    own, other = entry.cost.effective, above.cost.effective
    assert own is not None and other is not None, "only priced bids are explained"
    total_gap = entry.cost.total_cost - above.cost.total_cost
    values: dict[str, Any] = {
        "above": above.key,
        "effective_gap": rate_text(own - other),
        "total_gap": yuan(total_gap),
    }
    if own > other:
        values["to_rank_higher"] = rate_text(other)
        return Ranked(entry.key, place, Reason.DEARER, values)
    if total_gap:
        values["to_rank_higher"] = yuan(above.cost.total_cost)
        return Ranked(entry.key, place, Reason.HIGHER_TOTAL, values)
    return Ranked(entry.key, place, Reason.LATER, values)
