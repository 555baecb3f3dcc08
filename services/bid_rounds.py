"""What binds a bid in the bid rounds of a need: improvements from round to round, and a close that moves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from market import bidding, party
from market.errors import Code, Fault
from market.money import rate_text
from market.vocabulary import BidState
from models.bid import Bid
from models.need import BidRound, Need
from services import audit, bid_content
from services.sealing import Sealer

#: What a bid that waits for the opening is called, by the policy of its need.
WAITING = (BidState.SEALED, BidState.POSTED)


def find_round_of(session: Session, bid: Bid) -> BidRound:
    """Return the bid round a bid came in."""
    return session.scalars(
        select(BidRound).where(BidRound.need_id == bid.need_id, BidRound.number == bid.round_number)
    ).one()


def find_former(session: Session, need: Need, product_id: int) -> Bid | None:
    """Return the bid of a product that waits for the opening of a need."""
    return session.scalar(
        select(Bid)
        .where(Bid.need_id == need.id, Bid.product_id == product_id, Bid.state.in_(WAITING))
        .options(undefer(Bid.seal))
    )


def find_shortfall(
    session: Session,
    need: Need,
    held: BidRound,
    former: Bid,
    effective: Decimal | None,
    *,
    now: datetime,
    sealer: Sealer,
) -> Fault | None:
    """Return what keeps a cost from replacing a bid: too small a step below what stood at the last close."""
    bound = former
    if former.round_number == held.number:
        earlier = find_bound(session, need, held, former.product_id)
        if earlier is None:
            return None
        bound = earlier
    own = bid_content.read(bound, sealer).cost.effective
    if bound.valid_until < now or bidding.improves(own, effective, need.zone.improvement_bps):
        return None
    most = None if own is None else own - Decimal(need.zone.improvement_bps) / 10_000
    values = {
        "value": rate_text(effective) if effective is not None else None,
        "most": rate_text(most) if most is not None else None,
    }
    return Fault(Code.NOT_IMPROVED, "rate", values)


def find_bound(session: Session, need: Need, held: BidRound, product_id: int) -> Bid | None:
    """Return the bid that stood for a product at the last close and was improved on in the round since."""
    return session.scalar(
        select(Bid)
        .where(
            Bid.need_id == need.id,
            Bid.product_id == product_id,
            Bid.state == BidState.REPLACED,
            Bid.revision == need.revision,
            Bid.round_number < held.number,
            Bid.ended_at >= held.opened_at,
        )
        .order_by(Bid.receipt_number.desc())
        .limit(1)
        .options(undefer(Bid.seal))
    )


def extend(session: Session, need: Need, held: BidRound, *, now: datetime) -> None:
    """Move the close of an anonymous round that gets a bid in its last minutes."""
    assert need.closes_at is not None, "only a need with a deadline takes bids"
    later = bidding.extend(need.closes_at, now, held.extensions)
    if later is not None:
        before, need.closes_at, held.closes_at = need.closes_at, later, later
        held.extensions += 1
        # Who made it move is nobody's to read: the entry is the need's, and names no bid.
        audit.record(
            session,
            "need.extend",
            need,
            by=party.clock(need.zone_id),
            now=now,
            before=before.isoformat(),
            after=later.isoformat(),
        )
