"""Offers priced, ranked and described: the one answer that the command and the API both give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from market import cost, ranking
from market.cost import Cost
from market.ranking import Entry
from market.schedule import Line
from services.exchange.offers import Offer


@dataclass(frozen=True, slots=True)
class Priced:
    """One offer with what it costs and its place; ``rank`` is None where there is no rate."""

    offer: Offer
    cost: Cost
    rank: int | None


def rank(offers: Sequence[Offer]) -> list[Priced]:
    """Price offers and put them in order: annual cost, then total cost, then as they were given."""
    costs = cost.price_many(offer.terms for offer in offers)
    # There is no need to compare with: whatever is given competes.
    entries = [
        Entry(place, priced, amount=0, months=0, receipt_number=place) for place, priced in enumerate(costs)
    ]
    ranked = ranking.rank(entries, amount=0, months=0)
    return [Priced(offers[row.key], costs[row.key], row.rank) for row in ranked]


def describe(priced: Priced) -> dict[str, Any]:
    """Return the figures of an offer by name: amounts in fen, rates as decimals, ``note`` as its code."""
    found = priced.cost
    return {
        "id": priced.offer.id,
        "rank": priced.rank,
        "effective": found.effective,
        "simple": found.simple,
        "total_cost": found.total_cost,
        "net_received": found.net_received,
        "average_monthly_payment": found.average_monthly_payment,
        "convention": found.convention,
        "breakdown": dict(found.breakdown),
        "schedule": _list_lines(priced),
        "note": found.note,
    }


def _list_lines(priced: Priced) -> list[tuple[str | int, Line]]:
    """Return the lines of the schedule, each with its day, or its number where no day is known."""
    # What has no terms but its flows has no schedule either.
    dated = getattr(priced.offer.terms, "start", None) is not None
    return [
        (line.due.isoformat() if dated and line.due is not None else line.number, line)
        for line in priced.cost.schedule.lines
    ]
