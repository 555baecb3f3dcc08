"""Outcomes: what became of an institution's own bids, in figures and never in names.

Before the opening a bidder sees its own content only. Afterwards it sees its own rank and the best cost,
and after the award what won.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from market import cost
from market.errors import MarketError
from market.party import Party
from market.vocabulary import BidState
from models.base import db
from models.bid import Bid
from models.need import Need
from services.exchange.offers import read_offer
from services.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Outcome:
    """One own bid with its content (amount in fen, rates per year) and how it stands among the others.

    ``ranked`` (how many were ranked), ``best`` and ``winning`` are None as long as they are nobody's to know.
    """

    bid: Bid
    amount: int | None
    months: int | None
    effective: Decimal | None
    ranked: int | None
    best: Decimal | None
    winning: Decimal | None


def list_own(by: Party, *, sealer: Sealer) -> list[Outcome]:
    """Return every bid of the party's institution in its zone, newest first."""
    bids = list(
        db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == by.zone_id, Bid.organisation_id == by.organisation_id)
            .options(selectinload(Bid.need), selectinload(Bid.product), selectinload(Bid.organisation))
            .order_by(Bid.id.desc())
        )
    )
    return describe(bids, sealer=sealer)


def describe(bids: Sequence[Bid], *, sealer: Sealer) -> list[Outcome]:
    """Return the outcomes of bids that belong to whoever asks."""
    opened = {bid.need_id for bid in bids if bid.opened_at is not None}
    field: dict[int, tuple[int, Decimal | None]] = {
        need_id: (count, best)
        for need_id, count, best in db.session.execute(
            select(Bid.need_id, func.count(Bid.id), func.min(Bid.effective))
            .where(Bid.need_id.in_(opened), Bid.rank.is_not(None))
            .group_by(Bid.need_id)
        )
    }
    won = dict(
        db.session.execute(
            select(Bid.need_id, Bid.effective).where(Bid.need_id.in_(opened), Bid.state == BidState.WON)
        ).all()
    )
    outcomes = []
    for bid in bids:
        amount, months, effective = _content(bid, sealer)
        # A bid withdrawn before the opening took no part, so its bidder learns nothing of the others.
        ranked, best = field.get(bid.need_id, (None, None)) if bid.opened_at is not None else (None, None)
        winning = won.get(bid.need_id) if bid.opened_at is not None else None
        outcomes.append(Outcome(bid, amount, months, effective, ranked, best, winning))
    return outcomes


def _content(bid: Bid, sealer: Sealer) -> tuple[int | None, int | None, Decimal | None]:
    """Return amount, months and annual cost; before the opening from under the bidder's own seal."""
    if bid.opened_at is not None:
        return bid.amount, bid.months, bid.effective
    try:
        _, canonical = sealer.open(bid.need_id, bid.seal)
        content: dict[str, Any] = json.loads(canonical)
        terms = read_offer(content["offer"], "offer")
        return terms.principal, terms.months, cost.price(terms).effective
    except MarketError:
        return None, None, None
