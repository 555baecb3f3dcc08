"""What a matching round freezes: joined needs, their live bids and the headroom these lean on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market.calendar import local_date
from market.clearing import Instance, Offer
from market.clearing import Need as JoinedNeed
from market.money import round_half_up
from market.vocabulary import BidState, LimitScope, LprTenor, NeedState
from models.bid import Bid
from models.need import Need
from models.organisation import Limit
from services import admissions, exposures, guarantees, lpr, needs

#: How the inputs of a round are written down; rounds of before carry no number.
VERSION = 2


def freeze(session: Session, zone_id: int, now: datetime) -> dict[str, Any]:
    """Return a round's inputs as JSON values, sorted: the same market gives the same bytes.

    Costs and amounts in fen; an offer's cost is its amount times its annual cost. A need whose firm named no
    price costs the ceiling unplaced, so that placing comes first. A bid that does not fit its limits alone
    is left out.
    """
    joined = session.scalars(
        select(Need)
        .where(*_joins(zone_id, now))
        .options(joinedload(Need.organisation), joinedload(Need.contract))
        .order_by(Need.id)
    ).all()
    by_id = {need.id: need for need in joined}
    bids = session.scalars(
        select(Bid)
        .join(Need, Bid.need_id == Need.id)
        .where(
            *_joins(zone_id, now),
            Bid.state == BidState.LIVE,
            Bid.rank.is_not(None),
            Bid.valid_until >= now,
        )
        .options(joinedload(Bid.guarantee_product))
        .order_by(Bid.need_id, Bid.receipt_number)
    ).all()
    # A suspended institution's offer cannot be accepted: proposing it would cost the firm another's.
    suspended = admissions.read_suspensions(session, zone_id, {bid.organisation_id for bid in bids})
    bids = [bid for bid in bids if bid.organisation_id not in suspended]
    caps = _read_caps(session, bids)
    offers = [offer for bid in bids if (offer := _freeze_offer(by_id[bid.need_id], bid, caps)) is not None]
    touched = {number for offer in offers for number, _ in offer["uses"]}
    rows = sorted((limit for own in caps.values() for limit in own), key=lambda limit: limit.id)
    table, today = lpr.read_table(), local_date(now)
    ceiling = lpr.read_ceiling(today)
    return {
        "version": VERSION,
        "lpr": str(table.in_force(LprTenor.ONE_YEAR, today)[0]),
        "needs": [
            {
                "id": need.id,
                "amount": need.amount,
                "unplaced_cost": round_half_up(need.amount * (need.reserve_rate or ceiling)),
                "syndicated": need.syndicated,
            }
            for need in joined
        ],
        "limits": [
            {
                "id": limit.id,
                "holder": limit.organisation_id,
                "scope": limit.scope.value,
                "capacity": limit.cap - limit.used,
            }
            for limit in rows
            if limit.id in touched
        ],
        "offers": offers,
    }


def read_instance(inputs: dict[str, Any]) -> Instance:
    """Return the market of a stored round, so that it can be solved again to the same result."""
    if inputs.get("version") != VERSION:
        return _read_former(inputs)
    return Instance(
        needs=tuple(
            JoinedNeed(need["id"], need["amount"], need["unplaced_cost"], need["syndicated"])
            for need in inputs["needs"]
        ),
        capacity={limit["id"]: limit["capacity"] for limit in inputs["limits"]},
        offers=tuple(
            Offer(
                need=offer["need"],
                bid=offer["bid"],
                receipt=offer["receipt"],
                cost=offer["cost"],
                uses=tuple((number, amount) for number, amount in offer["uses"]),
                least=offer["least"],
            )
            for offer in inputs["offers"]
        ),
    )


def compute_hash(values: dict[str, Any]) -> str:
    """Return the SHA-256 of JSON values in their canonical form (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(values)).hexdigest()


def _read_former(inputs: dict[str, Any]) -> Instance:
    """Return the market of a round that was stored when institutions had one limit each."""
    return Instance(
        needs=tuple(JoinedNeed(need["id"], 1, need["unplaced_cost"]) for need in inputs["needs"]),
        capacity={lender["id"]: lender["capacity"] for lender in inputs["lenders"]},
        offers=tuple(
            Offer(
                need=offer["need"],
                bid=offer["bid"],
                receipt=offer["receipt"],
                cost=offer["cost"],
                uses=((offer["lender"], offer["uses"]),),
            )
            for offer in inputs["offers"]
        ),
    )


def _joins(zone_id: int, now: datetime) -> tuple[Any, ...]:
    """Return the conditions of a need that takes part: closed, undecided, by its owner's choice."""
    return (
        Need.zone_id == zone_id,
        Need.state == NeedState.CLOSED,
        Need.joins_matching,
        Need.accept_until >= now,
        ~needs.has_standing_award(),
    )


def _freeze_offer(need: Need, bid: Bid, caps: dict[int, list[Limit]]) -> dict[str, Any] | None:
    """Return a live bid as JSON values, or None if it does not fit its limits alone.

    A syndicate may take any part of a bid from its smallest one on; the whole of it answers the need's
    amount, so that its parts of all bids add up to one.
    """
    assert bid.amount is not None and bid.effective is not None, "only ranked bids take part"
    uses = _list_uses(need, bid, caps)
    if not need.syndicated and any(amount > limit.cap - limit.used for limit, amount in uses):
        return None
    return {
        "need": bid.need_id,
        "lender": bid.organisation_id,
        "bid": bid.id,
        "receipt": bid.receipt_number,
        "amount": bid.amount,
        "cost": round_half_up(bid.amount * bid.effective),
        "least": min(bid.least or bid.amount, need.amount),
        "uses": [[limit.id, amount] for limit, amount in uses],
    }


def _list_uses(need: Need, bid: Bid, caps: dict[int, list[Limit]]) -> list[tuple[Limit, int]]:
    """Return what a bid would take of each limit in its way: its lender's, and its guarantor's by weight."""
    own = exposures.describe(need, bid.organisation_id, bid.amount or 0)
    uses = [(limit, own.amount) for limit in caps[bid.organisation_id] if own.touches(limit)]
    if bid.guarantee_product is not None and bid.guaranteed:
        guarantor = bid.guarantee_product.organisation_id
        backing = exposures.describe(need, guarantor, bid.guaranteed)
        weighted = guarantees.weigh_alone(need.organisation, bid.guaranteed)
        for limit in caps[guarantor]:
            if backing.touches(limit):
                uses.append((limit, backing.amount))
            elif limit.scope is LimitScope.LEVERAGE:
                uses.append((limit, weighted))
    return sorted(uses, key=lambda use: use[0].id)


def _read_caps(session: Session, bids: Sequence[Bid]) -> dict[int, list[Limit]]:
    """Return every limit of the institutions behind bids, lenders and guarantors, by institution."""
    holders = {bid.organisation_id for bid in bids} | {
        bid.guarantee_product.organisation_id for bid in bids if bid.guarantee_product is not None
    }
    caps: dict[int, list[Limit]] = defaultdict(list)
    for limit in session.scalars(select(Limit).where(Limit.organisation_id.in_(holders)).order_by(Limit.id)):
        caps[limit.organisation_id].append(limit)
    return caps
