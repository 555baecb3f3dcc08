"""The opening: bidding on a need closes, seals are broken, bids are priced and ranked."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from market import cost, disclosure, lifecycle, money, ranking
from market.calendar import add_working_days, local_date
from market.cost import Cost
from market.errors import Code, MarketError, invalid
from market.lifecycle import NeedMove
from market.party import Party
from market.reference import calendar
from market.terms import LeaseTerms
from market.vocabulary import BidState, NeedState, OfferKind
from models.base import db, transaction
from models.bid import Bid
from models.need import BidRound, Need
from services import audit, needs
from services.exchange.offers import read_offer
from services.sealing import Sealer, make_receipt


def list_due(zone_id: int, now: datetime) -> list[int]:
    """Return the needs of a zone whose bidding is over by now, oldest deadline first."""
    return list(
        db.session.scalars(
            select(Need.id)
            .where(Need.zone_id == zone_id, Need.state == NeedState.OPEN, Need.closes_at <= now)
            .order_by(Need.closes_at, Need.id)
        )
    )


def open_bids(need_id: int, *, by: Party, now: datetime, sealer: Sealer) -> Need:
    """Close the bidding on a need and open its bids; does nothing before the deadline or a second time.

    Takes the same lock as ``bids.place``: a bid is either in before the opening or refused as late.
    A bid whose seal does not open is refused with the reason and does not stop the others. Without
    any bid that can be ranked the need is unsuccessful.
    """
    with transaction() as session:
        need = needs.lock(session, need_id)
        if need.state is not NeedState.OPEN or need.closes_at is None or now < need.closes_at:
            return need
        sealed = list(
            session.scalars(
                select(Bid)
                .where(Bid.need_id == need.id, Bid.state == BidState.SEALED)
                .options(undefer(Bid.seal))
                .order_by(Bid.receipt_number)
            )
        )
        entries = []
        for bid in sealed:
            priced = _unseal(bid, sealer, now)
            if priced is not None:
                entries.append(
                    ranking.Entry(
                        key=bid.id,
                        cost=priced,
                        amount=bid.amount or 0,
                        months=bid.months or 0,
                        receipt_number=bid.receipt_number,
                    )
                )
        ranked = ranking.rank(entries, amount=need.amount, months=need.months)
        by_id = {bid.id: bid for bid in sealed}
        for place in ranked:
            by_id[place.key].rank = place.rank
            by_id[place.key].reason = place.describe()
        ranked_count = sum(1 for place in ranked if place.rank is not None)
        need.state = lifecycle.move(need.state, NeedMove.CLOSE)
        need.closed_at = now
        need.accept_until = lifecycle.end_of_day(
            add_working_days(local_date(now), need.zone.acceptance_days, calendar())
        )
        _close_round(session, need, now, len(sealed), ranked_count)
        if ranked_count == 0:
            need.state = lifecycle.move(need.state, NeedMove.FAIL)
            need.reason = "no_bids" if not sealed else "no_ranked_bid"
            for bid in sealed:
                bid.state = BidState.LOST if bid.state is BidState.LIVE else bid.state
        audit.record(session, "need.open_bids", need, by=by, now=now, bids=len(sealed), ranked=ranked_count)
    return need


def lapse(need_id: int, *, by: Party, now: datetime) -> Need:
    """End a need whose acceptance window passed without an acceptance; its bids expire."""
    with transaction() as session:
        need = needs.lock(session, need_id)
        times = lifecycle.NeedTimes(
            need.state,
            need.closes_at,
            need.accept_until,
            awaits_confirmation=needs.standing_award(session, need.id) is not None,
        )
        if not any(move is NeedMove.FAIL and when < now for when, move in lifecycle.due(times)):
            return need
        need.state = lifecycle.move(need.state, NeedMove.FAIL)
        need.reason = "not_accepted_in_time"
        for bid in session.scalars(select(Bid).where(Bid.need_id == need.id, Bid.state == BidState.LIVE)):
            bid.state = BidState.EXPIRED
        needs.lapse_proposals(session, need.id)
        audit.record(session, "need.lapse", need, by=by, now=now)
    return need


def list_lapsed(zone_id: int, now: datetime) -> list[int]:
    """Return the needs of a zone whose acceptance window is over by now without an acceptance."""
    return list(
        db.session.scalars(
            select(Need.id)
            .where(
                Need.zone_id == zone_id,
                Need.state == NeedState.CLOSED,
                Need.accept_until < now,
                ~needs.has_standing_award(),
            )
            .order_by(Need.accept_until, Need.id)
        )
    )


def describe_cost(priced: Cost) -> dict[str, Any]:
    """Return the parts of a cost as JSON values: amounts in fen, rates as strings."""
    return {
        "effective": money.rate_text(priced.effective) if priced.effective is not None else None,
        "simple": money.rate_text(priced.simple) if priced.simple is not None else None,
        "total_cost": priced.total_cost,
        "net_received": priced.net_received,
        "average_monthly_payment": priced.average_monthly_payment,
        "convention": priced.convention,
        "note": priced.note,
        "breakdown": {payee: amount for payee, amount in priced.breakdown},
        "parts": disclosure.list_parts(priced),
    }


def next_deadline(zone_id: int, now: datetime) -> datetime | None:
    """Return when the next bidding of a zone closes, or None when nothing is open."""
    return db.session.scalar(
        select(func.min(Need.closes_at)).where(
            Need.zone_id == zone_id, Need.state == NeedState.OPEN, Need.closes_at > now - timedelta(seconds=1)
        )
    )


def _unseal(bid: Bid, sealer: Sealer, now: datetime) -> Cost | None:
    """Put a bid's terms and cost in clear; None, with the reason, if that fails."""
    bid.opened_at = now
    try:
        salt, canonical = sealer.open(bid.need_id, bid.seal)
        content = json.loads(canonical)
        # Whoever can write to the database cannot exchange two seals either: each has its own receipt.
        if make_receipt(salt, canonical) != bid.receipt_hash or content["product"] != bid.product_id:
            raise invalid(Code.SEAL_BROKEN)
        terms = read_offer(content["offer"], "offer")
        priced = cost.price(terms)
    except MarketError as error:
        bid.state = BidState.REFUSED
        bid.reason = {"code": error.faults[0].code.value}
        return None
    bid.state = BidState.LIVE
    bid.offer = OfferKind.LEASE if isinstance(terms, LeaseTerms) else OfferKind.LOAN
    bid.terms = content["offer"]
    bid.amount, bid.months = terms.principal, terms.months
    bid.effective = Decimal(money.rate_text(priced.effective)) if priced.effective is not None else None
    bid.simple = Decimal(money.rate_text(priced.simple)) if priced.simple is not None else None
    bid.total_cost = priced.total_cost
    bid.cost = describe_cost(priced)
    declared = content.get("declared_rate")
    bid.declared_rate = money.parse_rate(declared, "declared_rate") if declared is not None else None
    return priced


def _close_round(session: Session, need: Need, now: datetime, bids: int, ranked: int) -> None:
    held = session.scalars(
        select(BidRound).where(BidRound.need_id == need.id).order_by(BidRound.number.desc()).limit(1)
    ).one()
    held.closed_at, held.bid_count, held.ranked_count = now, bids, ranked
