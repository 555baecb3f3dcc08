"""Reviews: an institution's diligence on an award whose bid was subject to its approval.

It asks for documents, the firm answers; an approver other than whoever placed the bid decides. A decline,
like the firm's giving up, frees limit and contract and offers the next valid bid to the firm.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import diligence
from market.bidding_vocabulary import DeclineReason, ReviewOutcome
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.reference import calendar
from market.remarks import read_remark
from market.vocabulary import AlertKind, AwardState, BidState, Capability, LoanState
from models.alert import Alert
from models.base import db, transaction
from models.loan import Loan
from models.need import Need
from models.review import Review, ReviewRequest
from services import alerts, audit, claims, contract_steps, loans, needs, review_records, rivals
from services.sealing import Sealer

WHAT_MOST, ANSWER_MOST, NOTE_MOST = 300, 1000, 500

_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
_FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
#: What an institution may name; that the firm gave up is the firm's to say.
REASONS = tuple(reason for reason in DeclineReason if reason is not DeclineReason.FIRM_WITHDREW)


def open_review(session: Session, loan: Loan, need: Need, now: datetime) -> Review:
    """Open the review of an awarded loan, inside the award's transaction."""
    review = Review(
        loan_id=loan.id,
        opened_at=now,
        due_at=diligence.set_due(now, need.zone.review_days, calendar()),
    )
    session.add(review)
    session.flush()
    return review


def ask(review_id: int, what: str, *, by: Party, now: datetime) -> ReviewRequest:
    """Ask the firm for a document or statement; until it answers the review's clock stands."""
    by.require(*_LENDER)
    what = read_remark(what, "what", WHAT_MOST)
    seen = _seen(review_id, by)
    with transaction() as session:
        review = _lock(session, seen)
        request = ReviewRequest(review_id=review.id, what=what, asked_by=by.user_id, asked_at=now)
        session.add(request)
        audit.record(session, "review.ask", review, by=by, now=now)
    return request


def answer(request_id: int, text: str, *, by: Party, now: datetime) -> ReviewRequest:
    """Answer what the institution asked. With the last open answer the clock goes on.

    The due time then moves by the working days in which at least one question waited.
    """
    by.require(*_FIRM)
    text = read_remark(text, "answer", ANSWER_MOST)
    asked = db.session.get(ReviewRequest, request_id)
    if asked is None or not _concerns_firm(asked.review.loan, by):
        raise not_found("request", request_id)
    seen = asked.review
    with transaction() as session:
        review = _lock(session, seen)
        request = session.get_one(ReviewRequest, request_id, with_for_update=True)
        if request.answered_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="answered", move="answer")
        request.answer, request.answered_by, request.answered_at = text, by.user_id, now
        session.flush()
        waits = [(row.asked_at, row.answered_at) for row in review.requests]
        if all(answered_at is not None for _, answered_at in waits):
            over = [(asked_at, answered_at) for asked_at, answered_at in waits if answered_at is not None]
            since = diligence.find_standstill(over, now)
            review.due_at = diligence.move_due(review.due_at, since, now, calendar())
            if review.due_at >= now:
                alerts.settle(session, AlertKind.REVIEW_OVERDUE, _subject(review), "clock_moved", now=now)
        audit.record(session, "review.answer", review, by=by, now=now, request=request.id)
    return request


def approve(review_id: int, *, by: Party, now: datetime) -> Review:
    """Approve an awarded loan: it may be drawn, and its contract is credited.

    Raises ``Conflict``: same_person for whoever placed the bid, illegal_move once the review is decided.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    seen = _seen(review_id, by)
    contract_id = seen.loan.contract_id
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by) if contract_id is not None else None
        review = _lock(session, seen)
        loan = review.loan
        _check_second_person(loan, by)
        _decide(session, review, ReviewOutcome.APPROVED, by=by, now=now)
        loan.state, loan.approved_at = LoanState.APPROVED, now
        if contract is not None:
            claims.credit(session, contract, loan, by=by, now=now)
        audit.record(session, "review.approve", review, by=by, now=now)
    return review


def decline(
    review_id: int, reason: DeclineReason, note: str = "", *, by: Party, now: datetime, sealer: Sealer
) -> Review:
    """Decline an awarded loan for a reason that the firm is told, with the note.

    Limit and contract are free again, and the firm's need goes back to its other valid bids. Raises
    ``Conflict``: same_person for whoever placed the bid, illegal_move once the review is decided.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    if reason not in REASONS:
        choices = [known.value for known in REASONS]
        raise invalid(Code.NOT_A_CHOICE, "reason", value=reason.value, choices=choices)
    note = read_remark(note, "note", NOTE_MOST, required=False)
    seen = _seen(review_id, by)
    with transaction() as session:
        return _call_off(session, seen, reason, note or None, by=by, now=now, sealer=sealer)


def give_up(review_id: int, *, by: Party, now: datetime, sealer: Sealer) -> Review:
    """Give up an award that is still under review, for its firm: an institution not bound binds nobody.

    What follows is the same as after a decline, but it does not count as one.
    """
    by.require(Capability.ENTERPRISE_APPROVER)
    seen = db.session.get(Review, review_id)
    if seen is None or not _concerns_firm(seen.loan, by):
        raise not_found("review", review_id)
    with transaction() as session:
        return _call_off(session, seen, DeclineReason.FIRM_WITHDREW, None, by=by, now=now, sealer=sealer)


def list_overdue(zone_id: int, now: datetime) -> list[int]:
    """Return the reviews of a zone that are past their due time, of which nobody was warned yet."""
    asked = select(ReviewRequest.id).where(
        ReviewRequest.review_id == Review.id, ReviewRequest.answered_at.is_(None)
    )
    warned = select(Alert.id).where(
        Alert.kind == AlertKind.REVIEW_OVERDUE,
        Alert.loan_id == Review.loan_id,
        # One warning per due time: a clock that was moved on may run out again.
        Alert.raised_at > Review.due_at,
    )
    return list(
        db.session.scalars(
            select(Review.id)
            .join(Loan, Review.loan_id == Loan.id)
            .where(
                Loan.zone_id == zone_id,
                Review.outcome.is_(None),
                Review.due_at < now,
                ~asked.exists(),
                ~warned.exists(),
            )
            .order_by(Review.due_at, Review.id)
        )
    )


def note_overdue(review_id: int, *, by: Party, now: datetime) -> Review:
    """Warn of a review that is past its due time; does nothing for one decided or waiting for its firm."""
    loan_id = db.session.get_one(Review, review_id).loan_id
    with transaction() as session:
        # The loan first, as everywhere: an alert on it would wait for whoever holds it and wants the review.
        session.get_one(Loan, loan_id, with_for_update=True)
        review = session.get_one(Review, review_id, with_for_update=True)
        if review.outcome is None and review.due_at < now and not review_records.is_standing_still(review):
            alerts.raise_alert(
                session,
                review.loan.zone_id,
                AlertKind.REVIEW_OVERDUE,
                _subject(review),
                now=now,
                loan_id=review.loan_id,
                due_at=review.due_at.isoformat(),
            )
    return review


def _call_off(
    session: Session,
    seen: Review,
    reason: DeclineReason,
    note: str | None,
    *,
    by: Party,
    now: datetime,
    sealer: Sealer,
) -> Review:
    review_id, loan_id = seen.id, seen.loan_id
    need = needs.lock(session, session.get_one(Loan, loan_id).origin.need_id)
    loan = loans.call_off(session, loan_id, LoanState.UNDER_REVIEW, by=by, now=now)
    review = session.get_one(Review, review_id, with_for_update=True)
    if reason is not DeclineReason.FIRM_WITHDREW:
        _check_second_person(loan, by)
    review.reason, review.note = reason, note
    _decide(session, review, ReviewOutcome.DECLINED, by=by, now=now)
    award, bid = loan.origin, loan.origin.bid
    award.state = AwardState.DECLINED
    bid.state, bid.ended_at = BidState.DECLINED, now
    bid.reason = {**(bid.reason or {}), "declined": reason.value}
    session.flush()
    # Of a syndicate the others stay awarded: the need is theirs.
    if needs.standing_award(session, need.id) is None:
        rivals.offer_again(session, need, by=by, now=now, sealer=sealer)
    audit.record(session, "review.decline", review, by=by, now=now, reason=reason.value)
    return review


def _decide(session: Session, review: Review, outcome: ReviewOutcome, *, by: Party, now: datetime) -> None:
    review.outcome, review.decided_by, review.decided_at = outcome, by.user_id, now
    alerts.settle(session, AlertKind.REVIEW_OVERDUE, _subject(review), outcome.value, now=now)


def _check_second_person(loan: Loan, by: Party) -> None:
    if loan.origin.bid.placed_by == by.user_id:
        raise conflict(Code.SAME_PERSON)


def _lock(session: Session, seen: Review) -> Review:
    """Return a review that is not decided, under its loan's lock and its own; raises ``Conflict``."""
    review_id, loan_id = seen.id, seen.loan_id
    loan = session.get_one(Loan, loan_id, with_for_update=True)
    review = session.get_one(Review, review_id, with_for_update=True)
    if loan.state is not LoanState.UNDER_REVIEW or review.outcome is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="review")
    return review


def _seen(review_id: int, by: Party) -> Review:
    review = db.session.get(Review, review_id)
    if review is None or (review.loan.zone_id, review.loan.lender_id) != (by.zone_id, by.organisation_id):
        raise not_found("review", review_id)
    return review


def _concerns_firm(loan: Loan, by: Party) -> bool:
    return (loan.zone_id, loan.borrower_id) == (by.zone_id, by.organisation_id)


def _subject(review: Review) -> str:
    return f"loan:{review.loan_id}"
