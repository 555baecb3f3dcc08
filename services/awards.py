"""Awards: the firm accepts one bid, a second person confirms where the firm asks for that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from market import lifecycle
from market.errors import Code, conflict, invalid, not_found
from market.lifecycle import NeedMove
from market.party import Party
from market.vocabulary import (
    AwardState,
    BidState,
    Capability,
    LoanState,
    NeedState,
    ProposalState,
)
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.round import Proposal
from services import admissions, audit, claims, exposures, loans, needs, reviews, rivals


def accept(need_id: int, bid_id: int, shown_hash: str, *, by: Party, now: datetime) -> Award:
    """Accept one ranked bid of the firm's own need, as it was shown (its receipt hash).

    With dual control at the firm the award waits for another person's ``confirm``; without, it stands
    at once and opens the loan. Raises ``Conflict``: another state or award, bid expired, limit used up.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    with transaction() as session:
        need = needs.lock(session, need_id, by)
        if not lifecycle.may(need.state, NeedMove.AWARD):
            raise conflict(Code.ILLEGAL_MOVE, state=need.state.value, move=NeedMove.AWARD.value)
        if need.accept_until is not None and now > need.accept_until:
            raise conflict(Code.TOO_LATE, deadline=need.accept_until.isoformat())
        if needs.standing_award(session, need.id) is not None:
            raise conflict(Code.ALREADY_EXISTS, what="award", value=str(need.id))
        bid = _check_bid(session, need, bid_id, shown_hash, now)
        assert by.user_id is not None, "only a person holds an enterprise capability"
        award = Award(
            need_id=need.id,
            bid_id=bid.id,
            state=AwardState.AWAITING_CONFIRMATION,
            two_people=need.organisation.dual_control,
            shown_hash=shown_hash,
            accepted_by=by.user_id,
            accepted_at=now,
        )
        session.add(award)
        audit.record(session, "award.accept", award, by=by, now=now, bid=bid.id, shown=shown_hash)
        if not award.two_people:
            _settle(session, award, need, bid, by, now)
    return award


def confirm(award_id: int, *, by: Party, now: datetime) -> Award:
    """Confirm an acceptance as the firm's second person; opens the loan.

    Raises ``Forbidden`` (same_person) for whoever accepted.
    """
    by.require(Capability.ENTERPRISE_APPROVER)
    need_id = _find(award_id).need_id
    with transaction() as session:
        need = needs.lock(session, need_id, by)
        award = _waiting(session, award_id)
        if award.accepted_by == by.user_id:
            raise conflict(Code.SAME_PERSON)
        bid = _check_bid(session, need, award.bid_id, award.shown_hash, now)
        _settle(session, award, need, bid, by, now)
    return award


def reject(award_id: int, *, by: Party, now: datetime) -> Award:
    """Turn an acceptance down, or take back one's own; the need stays open to its other offers."""
    by.require(Capability.ENTERPRISE_APPROVER, Capability.ENTERPRISE_MAKER)
    need_id = _find(award_id).need_id
    with transaction() as session:
        needs.lock(session, need_id, by)
        award = _waiting(session, award_id)
        if not by.may(Capability.ENTERPRISE_APPROVER) and award.accepted_by != by.user_id:
            by.require(Capability.ENTERPRISE_APPROVER)
        award.state, award.confirmed_by, award.confirmed_at = AwardState.REJECTED, None, now
        audit.record(session, "award.reject", award, by=by, now=now)
    return award


def find_for_need(need_id: int) -> Award | None:
    """Return the acceptance that stands on a need, waiting or confirmed, or None."""
    return needs.standing_award(db.session(), need_id)


def _find(award_id: int) -> Award:
    award = db.session.get(Award, award_id)
    if award is None:
        raise not_found("award", award_id)
    return award


def _waiting(session: Session, award_id: int) -> Award:
    award = session.get_one(Award, award_id)
    if award.state is not AwardState.AWAITING_CONFIRMATION:
        raise conflict(Code.ILLEGAL_MOVE, state=award.state.value, move="confirm")
    return award


def _check_bid(session: Session, need: Need, bid_id: int, shown_hash: str, now: datetime) -> Bid:
    bid = session.get(Bid, bid_id)
    if bid is None or bid.need_id != need.id:
        raise not_found("bid", bid_id)
    if bid.receipt_hash != shown_hash:
        raise conflict(Code.STALE, "shown_hash")
    if bid.state is not BidState.LIVE:
        raise conflict(Code.ILLEGAL_MOVE, "bid_id", state=bid.state.value, move="accept")
    admissions.require_acceptable(session, need.zone_id, bid.organisation_id)
    if bid.valid_until < now:
        raise conflict(Code.BID_EXPIRED, "bid_id", valid_until=bid.valid_until.isoformat())
    if bid.effective is None:
        raise invalid(Code.NO_RATE, "bid_id", note=(bid.cost or {}).get("note"))
    return bid


def _settle(session: Session, award: Award, need: Need, bid: Bid, by: Party, now: datetime) -> None:
    """Make the award stand: limit consumed, bid won, rivals told, loan opened, contract claimed.

    A bid that was subject to approval binds its institution to a review; a firm one to the loan.
    """
    assert bid.amount is not None and bid.months is not None and bid.effective is not None
    exposures.take(session, need, bid, bid.amount)
    award.state = AwardState.CONFIRMED
    award.confirmed_by = by.user_id if award.two_people else None
    award.confirmed_at = now
    need.state = lifecycle.move(need.state, NeedMove.AWARD)
    bid.state = BidState.WON
    rivals.end(session, need, bid, now)
    session.execute(
        update(Proposal)
        .where(
            Proposal.need_id == need.id, Proposal.state == ProposalState.PROPOSED, Proposal.bid_id == bid.id
        )
        .values(state=ProposalState.ACCEPTED)
    )
    needs.lapse_proposals(session, need.id)
    loan = loans.open_loan(session, award, need, bid, now)
    if need.contract_id is not None:
        claims.take(session, need, bid, loan, by=by, now=now)
    if loan.state is LoanState.UNDER_REVIEW:
        reviews.open_review(session, loan, need, now)
    audit.record(session, "award.settle", award, by=by, now=now, loan=loan.id)


def list_deals(by: Party) -> list[Loan]:
    """Return the deals the party is part of, newest first; officers and auditors see their zone's."""
    query = (
        select(Loan)
        .where(Loan.zone_id == by.zone_id)
        .options(
            joinedload(Loan.lender),
            joinedload(Loan.borrower),
            joinedload(Loan.award),
            selectinload(Loan.instalments),
        )
        .order_by(Loan.id.desc())
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where((Loan.lender_id == by.organisation_id) | (Loan.borrower_id == by.organisation_id))
    return list(db.session.scalars(query))


def count_waiting(by: Party) -> int:
    """Return how many acceptances of the party's firm wait for a second person."""
    return len(
        list(
            db.session.scalars(
                select(Award.id)
                .join(Need, Award.need_id == Need.id)
                .where(
                    Need.organisation_id == by.organisation_id,
                    Need.zone_id == by.zone_id,
                    Need.state == NeedState.CLOSED,
                    Award.state == AwardState.AWAITING_CONFIRMATION,
                )
            )
        )
    )
