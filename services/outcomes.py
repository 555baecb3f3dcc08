"""Outcomes: what became of an institution's own bids, in figures and never in names.

Before the opening a bidder sees its own content only. Afterwards it sees its own rank and the best cost,
and after the award what won.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from market import cost
from market.errors import MarketError
from market.party import Party
from market.vocabulary import BidState, NeedState
from models.base import db
from models.bid import Bid
from models.need import Need
from services.exchange.offers import read_offer
from services.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Outcome:
    """One own bid with its content (amount in fen, rates per year) and how it stands among the others.

    ``ranked`` (how many were ranked), ``best`` and ``winning`` are None as long as they are nobody's to know.
    ``why`` is what became of it: a code and the figures that explain it; None while it still competes.
    """

    bid: Bid
    amount: int | None
    months: int | None
    effective: Decimal | None
    ranked: int | None
    best: Decimal | None
    winning: Decimal | None
    why: dict[str, Any] | None = None


def list_own(by: Party, *, sealer: Sealer) -> list[Outcome]:
    """Return every bid of the party's institution in its zone, newest first."""
    bids = list(
        db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == by.zone_id, Bid.organisation_id == by.organisation_id)
            .options(
                selectinload(Bid.need),
                selectinload(Bid.product),
                selectinload(Bid.organisation),
                selectinload(Bid.justification),
            )
            .order_by(Bid.receipt_at.desc(), Bid.need_id.desc(), Bid.receipt_number.desc())
        )
    )
    return describe(bids, sealer=sealer)


def describe(bids: Sequence[Bid], *, sealer: Sealer) -> list[Outcome]:
    """Return the outcomes of bids that belong to whoever asks."""
    opened = {bid.need_id for bid in bids if bid.opened_at is not None}
    field, won = _read_fields(opened) if opened else ({}, {})
    outcomes = []
    for bid in bids:
        amount, months, effective = _content(bid, sealer)
        # A bid withdrawn before the opening took no part, so its bidder learns nothing of the others.
        ranked, best = field.get(bid.need_id, (None, None)) if bid.opened_at is not None else (None, None)
        winning = won.get(bid.need_id) if bid.opened_at is not None else None
        outcomes.append(Outcome(bid, amount, months, effective, ranked, best, winning, explain(bid)))
    return outcomes


def _read_fields(
    opened: Collection[int],
) -> tuple[dict[int, tuple[int, Decimal | None]], dict[int, Decimal | None]]:
    """Return, by opened need, how many bids were ranked with the best cost, and the cost that won."""
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
            # Of a syndicate the dearest: what would have had to be undercut.
            select(Bid.need_id, func.max(Bid.effective))
            .where(Bid.need_id.in_(opened), Bid.state == BidState.WON)
            .group_by(Bid.need_id)
        ).all()
    )
    return field, won


def explain(bid: Bid) -> dict[str, Any] | None:
    """Return why a bid no longer competes, or is held back, as a code and JSON values; None while it does.

    Rates are strings per year. What it says of others are figures: the winning cost and its rank.
    """
    reason = bid.reason or {}
    match bid.state:
        case BidState.WITHDRAWN:
            return {"code": "need_withdrawn" if bid.need.state is NeedState.WITHDRAWN else "withdrawn"}
        case BidState.REPLACED:
            return {"code": "replaced"}
        case BidState.VOIDED:
            return {"code": "voided", "because": reason.get("code")}
        case BidState.HELD:
            asked = bid.justification
            return {"code": "low_price", **(asked.grounds if asked is not None else {})}
        case BidState.REFUSED:
            asked = bid.justification
            note = asked.note if asked is not None else None
            return {"code": "refused", "because": reason.get("code"), "note": note}
        case BidState.EXPIRED:
            return {"code": "expired", "valid_until": bid.valid_until.isoformat()}
        case BidState.DECLINED:
            return {"code": "declined", "reason": reason.get("declined")}
        case BidState.LOST if "winning" in reason:
            return {
                "code": "another_won",
                "rank": bid.rank,
                "winning": reason["winning"],
                "winning_rank": reason.get("winning_rank"),
            }
        case BidState.LOST:
            if bid.need.state is NeedState.WITHDRAWN:
                return {"code": "need_withdrawn"}
            return {"code": "unsuccessful", "because": bid.need.reason}
        case _:
            return None


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
