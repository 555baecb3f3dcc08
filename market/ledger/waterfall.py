"""A purchaser's payments over the deals of one contract: lenders first, the rest is the supplier's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from market.ledger.book import Deal
from market.ledger.events import Event
from market.ledger.replay import compute_payoff, stand
from market.lending_vocabulary import LoanEventKind


@dataclass(slots=True)
class _Claim:
    """A deal in the queue: when it was first drawn, and its events with what it was given so far."""

    place: int
    deal: Deal
    drawn_on: date
    events: list[Event] = field(default_factory=list)


def share_out(
    deals: Sequence[tuple[Deal, Sequence[Event]]], payments: Sequence[tuple[str, date, int]]
) -> dict[str, list[tuple[int, int]]]:
    """Return for each payment (key, day, fen) what of it each deal takes: (place in ``deals``, fen).

    Payments come in the order of day and key, however they are given. Each goes through the deals drawn
    by its day, the oldest drawdown first (of one day: the earlier place); a deal takes at most its payoff
    of that day. What of the amount is not taken is the supplier's. ``events`` are the deals' own, without
    the receipts of these payments. Keys are unique.
    """
    claims = []
    for place, (deal, events) in enumerate(deals):
        own = list(events)
        drawn = [event.on for event in stand(own) if event.kind is LoanEventKind.DRAWDOWN]
        if drawn:
            claims.append(_Claim(place, deal, min(drawn), own))
    claims.sort(key=lambda claim: (claim.drawn_on, claim.place))
    shares: dict[str, list[tuple[int, int]]] = {}
    for key, on, amount in sorted(payments, key=lambda payment: (payment[1], payment[0])):
        taken, left = [], amount
        for claim in claims:
            if claim.drawn_on > on or not left:
                break
            part = min(left, compute_payoff(claim.deal, claim.events, on))
            if part:
                number = max(event.number for event in claim.events) + 1
                receipt = Event(number, LoanEventKind.RECEIPT, on, part, source="purchaser")
                claim.events.append(receipt)
                taken.append((claim.place, part))
                left -= part
        shares[key] = taken
    return shares
