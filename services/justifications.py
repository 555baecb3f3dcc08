"""Justifications: a bid held for its low price is explained by its bidder and decided by an officer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market import lifecycle
from market.bidding_vocabulary import Decision
from market.calendar import add_working_days, local_date
from market.errors import Code, conflict, not_found
from market.party import Party
from market.reference import calendar
from market.remarks import read_remark
from market.vocabulary import AlertKind, BidState, Capability
from models.base import db, transaction
from models.bid import Bid, Justification
from models.need import Need
from services import alerts, audit, needs, opening
from services.sealing import Sealer

TEXT_MOST, NOTE_MOST = 1000, 300

#: A firm gets at least this many working days to look at a bid that an officer lets in late.
DAYS_AFTER_DECISION = 1


def write(bid_id: int, text: str, *, by: Party, now: datetime) -> Justification:
    """Write, or write anew, why one's own held bid is as low as it is; possible until it is due or decided.

    Raises ``Conflict``: not held, decided already, or too late.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    text = read_remark(text, "text", TEXT_MOST)
    need_id = _find_own(bid_id, by).need_id
    with transaction() as session:
        needs.lock(session, need_id)
        row = _find_undecided(session, bid_id, move="justify")
        if now > row.due_at:
            raise conflict(Code.TOO_LATE, deadline=row.due_at.isoformat())
        row.text, row.written_by, row.written_at = text, by.user_id, now
        audit.record(session, "bid.justify", row.bid, by=by, now=now)
    return row


def decide(
    bid_id: int, decision: Decision, note: str, *, by: Party, now: datetime, sealer: Sealer
) -> Justification:
    """Decide on a held bid once its bidder has written, with a note of why.

    An accepted bid joins the others; where little is left of the firm's time, that is made longer, up to the
    end of the next working day but never past what the bid itself promises. A refused one leaves, the others
    are ranked anew, and without any that is ranked the need is unsuccessful.

    Raises ``Conflict``: not held, decided already, or too early (nothing is written yet: without a text in
    time the clock refuses the bid).
    """
    by.require(Capability.OFFICER)
    note = read_remark(note, "note", NOTE_MOST)
    need_id = _find_in_zone(bid_id, by).need_id
    with transaction() as session:
        need = needs.lock(session, need_id)
        row = _find_undecided(session, bid_id, move="decide")
        if row.text is None:
            raise conflict(Code.TOO_EARLY, until=row.due_at.isoformat())
        row.decided_by, row.note = by.user_id, note
        _settle(session, need, row, decision, by=by, now=now, sealer=sealer)
    return row


def refuse_unexplained(bid_id: int, *, by: Party, now: datetime, sealer: Sealer) -> None:
    """Refuse a held bid whose bidder wrote nothing in time; does nothing too early or a second time."""
    seen = db.session.get(Bid, bid_id)
    if seen is None:
        raise not_found("bid", bid_id)
    need_id = seen.need_id
    with transaction() as session:
        need = needs.lock(session, need_id)
        bid = session.get_one(Bid, bid_id)
        row = bid.justification
        if bid.state is not BidState.HELD or row is None or row.decision is not None:
            return
        if row.text is None and row.due_at < now:
            _settle(session, need, row, Decision.REFUSED, by=by, now=now, sealer=sealer)


def list_unexplained(zone_id: int, now: datetime) -> list[int]:
    """Return the held bids of a zone whose bidders wrote nothing in time."""
    return list(
        db.session.scalars(
            select(Bid.id)
            .join(Justification, Justification.bid_id == Bid.id)
            .join(Need, Bid.need_id == Need.id)
            .where(
                Need.zone_id == zone_id,
                Bid.state == BidState.HELD,
                Justification.decision.is_(None),
                Justification.text.is_(None),
                Justification.due_at < now,
            )
            .order_by(Justification.id)
        )
    )


def list_zone(by: Party, *, decided: bool = False, most: int = 200) -> list[Justification]:
    """Return the zone's justifications, for officers and auditors: those to decide, or the newest decided.

    Those to decide are ordered by when they are due, and include bids whose bidder has not written yet.
    """
    by.require(Capability.OFFICER, Capability.AUDITOR)
    query = (
        select(Justification)
        .join(Bid, Justification.bid_id == Bid.id)
        .join(Need, Bid.need_id == Need.id)
        .where(Need.zone_id == by.zone_id)
        .options(
            joinedload(Justification.bid).joinedload(Bid.organisation),
            joinedload(Justification.bid).joinedload(Bid.product),
            joinedload(Justification.bid).joinedload(Bid.need).joinedload(Need.organisation),
        )
        .limit(most)
    )
    if decided:
        query = query.where(Justification.decision.is_not(None))
        return list(
            db.session.scalars(query.order_by(Justification.decided_at.desc(), Justification.id.desc()))
        )
    query = query.where(Justification.decision.is_(None), Bid.state == BidState.HELD)
    return list(db.session.scalars(query.order_by(Justification.due_at, Justification.id)))


def find(bid_id: int, *, by: Party) -> Justification:
    """Return what a bid is held for: to its own institution, and to officers and auditors of its zone."""
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        bid = _find_in_zone(bid_id, by)
    else:
        by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        bid = _find_own(bid_id, by)
    if bid.justification is None:
        raise not_found("justification", bid_id)
    return bid.justification


def _settle(
    session: Session,
    need: Need,
    row: Justification,
    decision: Decision,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
) -> None:
    """Write a decision down and let the bid, its need and the officer's alert follow it."""
    bid = row.bid
    row.decision, row.decided_at = decision, now
    alerts.settle(session, AlertKind.LOW_BID, f"bid:{bid.id}", decision.value, now=now)
    audit.record(session, "bid.decide_low_price", bid, by=by, now=now, decision=decision.value)
    if decision is Decision.ACCEPTED:
        _let_in(need, bid, now)
        return
    bid.state, bid.ended_at, bid.rank = BidState.REFUSED, now, None
    bid.reason = {"code": "low_price_refused" if row.text is not None else "low_price_unexplained"}
    session.flush()
    if opening.rerank(session, need, sealer) == 0:
        opening.fail(session, need, "low_bids_refused", by=by, now=now)


def _let_in(need: Need, bid: Bid, now: datetime) -> None:
    bid.state = BidState.LIVE
    day = add_working_days(local_date(now), DAYS_AFTER_DECISION, calendar())
    wanted = min(lifecycle.end_of_day(day), bid.valid_until)
    if need.accept_until is not None and need.accept_until < wanted:
        need.accept_until = wanted


def _find_own(bid_id: int, by: Party) -> Bid:
    bid = db.session.get(Bid, bid_id)
    if bid is None or bid.organisation_id != by.organisation_id or bid.need.zone_id != by.zone_id:
        raise not_found("bid", bid_id)
    return bid


def _find_in_zone(bid_id: int, by: Party) -> Bid:
    bid = db.session.get(Bid, bid_id)
    if bid is None or bid.need.zone_id != by.zone_id or bid.opened_at is None:
        raise not_found("bid", bid_id)
    return bid


def _find_undecided(session: Session, bid_id: int, *, move: str) -> Justification:
    """Return the justification of a held bid, under the need's lock; raises ``Conflict`` if it is past."""
    bid = session.get_one(Bid, bid_id)
    row = bid.justification
    if row is None or row.decision is not None or bid.state is not BidState.HELD:
        raise conflict(Code.ILLEGAL_MOVE, state=bid.state.value, move=move)
    return row
