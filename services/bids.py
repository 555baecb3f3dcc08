"""Bids: previewed, placed under seal or in the open, withdrawn before the close, read by those who may."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market.bidding_vocabulary import BidPolicy
from market.calendar import local_date
from market.eligibility import judge
from market.errors import Code, Conflict, Invalid, conflict, invalid, not_found
from market.party import Party
from market.terms import Terms
from market.vocabulary import BidState, Capability, NeedState
from models.base import db, transaction
from models.bid import Bid
from models.need import BidRound, Need
from models.product import Product
from models.zone import Membership
from services import (
    admissions,
    audit,
    bid_checks,
    bid_content,
    bid_rounds,
    fees,
    fitting,
    guarantees,
    invoice_claims,
    needs,
    opening,
    reservations,
    visibility,
)
from services.bid_checks import Preview, earliest_validity, read_headroom
from services.guarantees import Backing
from services.quotes import Quote, build_terms
from services.refused_financings import telling
from services.sealing import Sealer

__all__ = [
    "Preview",
    "Quote",
    "earliest_validity",
    "list_offers",
    "list_own",
    "may_withdraw",
    "place",
    "place_in",
    "preview",
    "read_headroom",
    "read_own",
    "withdraw",
]


def preview(need_id: int, quote: Quote, *, by: Party, now: datetime, sealer: Sealer | None = None) -> Preview:
    """Return the annual cost of a quote without placing it; raises ``Invalid`` for terms that cannot be.

    Only with a sealer are the institution's own bids under seal looked at: what they hold of its limits, and
    whether the quote improves on what stood at the last close.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    need = needs.find(need_id, by=by)
    session, today = db.session(), local_date(now)
    found = _find_product(session, quote.product_id, by)
    if found is None:
        raise not_found("product", quote.product_id)
    product, seat = found
    barred = admissions.find_fault(seat, today)
    backing = guarantees.read_backing(session, quote, need)
    terms = _build_terms(quote, need, product, backing, today)
    judged = judge(fitting.describe(need, today), fitting.read_requirement(product))
    holds = _holds(need, None)
    room = reservations.read_headroom(
        session, need, product, holds=holds, now=now, sealer=sealer, locked=False
    )
    weighed = bid_checks.weigh(terms, quote, fitting.veil(judged), room, backing)
    held = opening.find_round(session, need.id)
    faults = bid_checks.find_faults(session, need, product, quote, weighed, today, number=held.number)
    former = bid_rounds.find_former(session, need, product.id) if sealer is not None else None
    if sealer is not None and former is not None:
        effective = weighed.cost.effective
        fault = bid_rounds.find_shortfall(session, need, held, former, effective, now=now, sealer=sealer)
        faults.extend([fault] if fault is not None else [])
    warnings = fees.warn_quote(quote.fees, need, product, on=today)
    return replace(weighed, faults=(*([barred] if barred else []), *faults), warnings=warnings)


def place(need_id: int, quote: Quote, *, by: Party, now: datetime, sealer: Sealer) -> Bid:
    """Place a bid and return it with its receipt; a former bid of the same product is replaced.

    Raises ``Conflict`` (too_late) when the need's lock was won after the close, leaving a record of it;
    ``Invalid`` for terms that break a rule: eligibility, price ceiling, validity, contract room, limit,
    declared rate, or too small an improvement on one's own bid of the round before.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    try:
        with telling(by=by, now=now), transaction() as session:
            return place_in(session, need_id, quote, by=by, now=now, sealer=sealer)
    except Conflict as refusal:
        if refusal.faults[0].code is Code.TOO_LATE:
            _note_late(need_id, by=by, now=now)
        raise


def place_in(
    session: Session,
    need_id: int,
    quote: Quote,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
    standing_bid_id: int | None = None,
) -> Bid:
    """Place a bid inside the caller's transaction; as ``place``, but without the record of a late one."""
    # What does not depend on the need is read before its lock: at a deadline all wait for that one.
    found = _find_product(session, quote.product_id, by)
    need = needs.lock(session, need_id)
    if need.zone_id != by.zone_id or need.published_at is None:
        raise not_found("need", need_id)
    if not visibility.admits(need, by.organisation_id):
        raise not_found("need", need_id)
    if need.state is not NeedState.OPEN or need.closes_at is None or now >= need.closes_at:
        raise conflict(Code.TOO_LATE, deadline=need.closes_at.isoformat() if need.closes_at else "")
    if quote.revision not in (None, need.revision):
        raise conflict(Code.STALE)
    if found is None:
        raise not_found("product", quote.product_id)
    product, seat = found
    admissions.require_seat(seat, local_date(now))
    if not product.listed or product.offer is None:
        raise invalid(Code.NOT_BIDDABLE, "product_id")
    held, now = _read_round(session, need, now)
    today = local_date(now)
    backing = guarantees.read_backing(session, quote, need)
    terms = _build_terms(quote, need, product, backing, today)
    judged = judge(fitting.describe(need, today), fitting.read_requirement(product))
    holds = _holds(need, standing_bid_id)
    # Limits before the contract: always in that order.
    room = reservations.read_headroom(
        session, need, product, holds=holds, now=now, sealer=sealer, locked=True
    )
    weighed = bid_checks.weigh(terms, quote, fitting.veil(judged), room, backing)
    if need.contract is not None:
        needs.check_contract(session, need.contract.id, need.organisation, lender_id=product.organisation_id)
    elif offered := invoice_claims.list_offered(need):
        ids, lender_id = [row.id for row in offered], product.organisation_id
        invoice_claims.check(session, ids, supplier_id=need.organisation_id, lender_id=lender_id, today=today)
    faults = bid_checks.find_faults(session, need, product, quote, weighed, today, number=held.number)
    if faults:
        raise Invalid(*faults)
    _replace_former(session, need, held, product, weighed.cost.effective, by=by, now=now, sealer=sealer)
    need.last_receipt += 1
    content = bid_content.write(need, product, quote, terms, now=now, backing=backing)
    sealed = sealer.seal(need.id, content)
    posted = need.bid_policy is BidPolicy.ANONYMOUS
    bid = Bid(
        need=need,
        organisation=product.organisation,
        product=product,
        placed_by=by.user_id,
        state=BidState.POSTED if posted else BidState.SEALED,
        receipt_number=need.last_receipt,
        receipt_at=now,
        receipt_hash=sealed.receipt_hash,
        seal=sealed.blob,
        valid_until=quote.valid_until,
        round_number=held.number,
        revision=need.revision,
        posted=posted,
        syndicated=need.syndicated,
        holds=holds,
        standing_bid_id=standing_bid_id,
    )
    if posted:
        bid_content.put_in_clear(bid, bid_content.Content(content, terms, weighed.cost))
        bid_rounds.extend(session, need, held, now=now)
    session.add(bid)
    audit.record(session, "bid.place", bid, by=by, now=now, receipt=sealed.receipt_hash)
    return bid


def withdraw(bid_id: int, *, by: Party, now: datetime) -> Bid:
    """Withdraw one's own bid before the close of the round it came in; afterwards a bid is held to.

    One that it improved on, of an earlier round, stands again. Raises ``Conflict`` (too_late).
    """
    by.require(Capability.INSTITUTION_BIDDER)
    seen = db.session.get(Bid, bid_id)
    if seen is None or seen.organisation_id != by.organisation_id:
        raise not_found("bid", bid_id)
    need_id = seen.need_id
    with transaction() as session:
        need = needs.lock(session, need_id)
        bid = session.get_one(Bid, bid_id)
        if need.zone_id != by.zone_id:
            raise not_found("bid", bid_id)
        held = bid_rounds.find_round_of(session, bid)
        deadline = held.closed_at or held.closes_at
        if bid.state not in bid_rounds.WAITING or held.closed_at is not None or now >= deadline:
            raise conflict(Code.TOO_LATE, deadline=deadline.isoformat())
        bid.state, bid.ended_at = BidState.WITHDRAWN, now
        audit.record(session, "bid.withdraw", bid, by=by, now=now)
        bound = bid_rounds.find_bound(session, need, held, bid.product_id)
        if bound is not None:
            # What it improved on binds from the round before: taking back the better one brings it back.
            posted = need.bid_policy is BidPolicy.ANONYMOUS
            bound.state, bound.ended_at = BidState.POSTED if posted else BidState.SEALED, None
            audit.record(session, "bid.revive", bound, by=by, now=now)
    return bid


def may_withdraw(bid: Bid, now: datetime) -> bool:
    """Say whether a bid can still be withdrawn: before the close of the round it came in."""
    if bid.state not in bid_rounds.WAITING:
        return False
    held = bid_rounds.find_round_of(db.session(), bid)
    return held.closed_at is None and now < held.closes_at


def list_offers(need_id: int, *, by: Party) -> list[Bid]:
    """Return the opened bids of a need, best first; the firm's own, or an officer's or auditor's view.

    Before the opening there is nothing to list, for anybody.
    """
    need = needs.find(need_id, by=by)
    if need.organisation_id != by.organisation_id:
        by.require(Capability.OFFICER, Capability.AUDITOR)
    bids = db.session.scalars(
        select(Bid)
        .where(Bid.need_id == need.id, Bid.opened_at.is_not(None))
        .options(joinedload(Bid.justification))
        .order_by(Bid.receipt_number)
    )
    return sorted(bids, key=lambda b: (b.rank is None, b.rank or 0, b.receipt_number))


def list_own(by: Party) -> list[Bid]:
    """Return the bids of the party's institution in its zone, newest first."""
    return list(
        db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == by.zone_id, Bid.organisation_id == by.organisation_id)
            .order_by(Bid.receipt_at.desc(), Bid.need_id.desc(), Bid.receipt_number.desc())
        )
    )


def read_own(bid_id: int, *, by: Party, sealer: Sealer) -> tuple[Bid, dict[str, Any], str]:
    """Return one's own bid with its content and salt, unsealed for the bidder's eyes only."""
    bid = db.session.get(Bid, bid_id)
    if bid is None or bid.organisation_id != by.organisation_id or bid.need.zone_id != by.zone_id:
        raise not_found("bid", bid_id)
    salt, canonical = sealer.open(bid.need_id, bid.seal)
    return bid, json.loads(canonical), salt


def _holds(need: Need, standing_bid_id: int | None) -> bool:
    """Say whether a bid keeps headroom of its own.

    Where the whole market is cleared at once, and for bids that place themselves, headroom is shared.
    """
    return standing_bid_id is None and not need.joins_matching


def _build_terms(quote: Quote, need: Need, product: Product, backing: Backing | None, today: date) -> Terms:
    if backing is None:
        return build_terms(quote, need, product, on=today)
    return build_terms(quote, need, product, on=today, cover=backing.cover, share=backing.share)


def _find_product(session: Session, product_id: int, by: Party) -> tuple[Product, Membership] | None:
    """Return a product of the party's institution in its zone, and the seat that says if it may bid."""
    found = session.execute(
        select(Product, Membership)
        .join(
            Membership,
            (Membership.zone_id == Product.zone_id) & (Membership.organisation_id == Product.organisation_id),
        )
        .where(
            Product.id == product_id,
            Product.organisation_id == by.organisation_id,
            Product.zone_id == by.zone_id,
        )
        .options(joinedload(Product.organisation, innerjoin=True))
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def _read_round(session: Session, need: Need, now: datetime) -> tuple[BidRound, datetime]:
    """Return the bid round that runs on a need, and the time of the next receipt.

    That is never before the last receipt's or the round's begin: two requests read the time before they wait
    for the need's lock, and a clock may be set back. Receipts are in order of their numbers, and a time that
    says otherwise would bring back what a round has closed.
    """
    last = (
        select(Bid.receipt_at)
        .where(Bid.need_id == need.id, Bid.receipt_number == need.last_receipt)
        .scalar_subquery()
    )
    held, received = session.execute(
        select(BidRound, last).where(BidRound.need_id == need.id).order_by(BidRound.number.desc()).limit(1)
    ).one()
    return held, max(now, held.opened_at, received or now)


def _replace_former(
    session: Session,
    need: Need,
    held: BidRound,
    product: Product,
    effective: Decimal | None,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
) -> None:
    """Let the bid that the product has on the need make room; one of a former round only for a better."""
    former = bid_rounds.find_former(session, need, product.id)
    if former is None:
        return
    fault = bid_rounds.find_shortfall(session, need, held, former, effective, now=now, sealer=sealer)
    if fault is not None:
        raise Invalid(fault)
    former.state, former.ended_at = BidState.REPLACED, now
    audit.record(session, "bid.replace", former, by=by, now=now)


def _note_late(need_id: int, *, by: Party, now: datetime) -> None:
    """Leave a record that a bid came too late: what was in it is not kept."""
    with transaction() as session:
        audit.record(session, "bid.late", session.get_one(Need, need_id), by=by, now=now)
