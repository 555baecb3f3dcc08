"""What a deal's own records say happened on it: need, award, review, loan book, alerts, log of deeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from market.calendar import local_date
from market.lending_vocabulary import LoanEventKind
from market.party import Party
from market.report_vocabulary import FileEntry
from market.vocabulary import Capability
from models.audit import AuditEntry
from models.award import Award
from models.loan import DrawdownRequest, Guarantee, LateSpan, Loan, Repayment
from models.need import BidRound
from services import alerts, review_records
from services.deeds import Deed, make_deed


def gather(session: Session, loan: Loan, by: Party) -> Iterator[Deed]:
    """Yield what happened on a deal, as far as the party may know it, in no order."""
    if loan.award is not None:
        yield from _tell_award(session, loan.award, by)
    yield from _tell_review(loan)
    yield make_deed(
        FileEntry.APPROVAL,
        loan.approved_at,
        what=loan.kind,
        amount=loan.principal,
        evidence=loan.evidence,
        details={
            "months": loan.months,
            "effective": None if loan.effective is None else f"{loan.effective:f}",
        },
    )
    yield from _tell_drawdowns(session, loan)
    yield from _tell_events(loan)
    yield from _tell_lateness(session, loan)
    yield from _tell_guarantee(session, loan)
    yield from _tell_alerts(loan, by)
    yield from _tell_log(session, loan, by)


def split_of(row: Repayment) -> dict[str, int]:
    """Return how money was split, in fen, without the parts that got nothing."""
    names = ("fees", "penalty", "interest", "principal", "recovered", "remainder")
    return {name: amount for name in names if (amount := getattr(row, name))}


def _tell_award(session: Session, award: Award, by: Party) -> Iterator[Deed]:
    need, bid = award.need, award.bid
    yield make_deed(
        FileEntry.NEED,
        need.published_at or need.created_at,
        what=need.purpose,
        users=(need.created_by,),
        amount=need.amount,
        details={"need": need.id, "months": need.months},
    )
    is_counted = by.may(Capability.OFFICER, Capability.AUDITOR) or by.organisation_id == need.organisation_id
    for held in session.scalars(
        select(BidRound).where(BidRound.need_id == need.id).order_by(BidRound.number)
    ):
        if held.closed_at is not None:
            counts = {"bids": held.bid_count, "ranked": held.ranked_count} if is_counted else {}
            yield make_deed(FileEntry.BIDDING, held.closed_at, details={"number": held.number, **counts})
    yield make_deed(
        FileEntry.AWARD,
        award.accepted_at,
        what=award.state,
        users=(award.accepted_by, award.confirmed_by),
        amount=award.taken,
        evidence=award.shown_hash,
        details={
            "bid": bid.id,
            "effective": None if bid.effective is None else f"{bid.effective:f}",
            "confirmed_at": None if award.confirmed_at is None else award.confirmed_at.isoformat(),
        },
    )


def _tell_review(loan: Loan) -> Iterator[Deed]:
    review = review_records.find_for_loan(loan.id)
    if review is None:
        return
    yield make_deed(FileEntry.REVIEW, review.opened_at, details={"due_at": review.due_at.isoformat()})
    for asked in review.requests:
        users = (asked.asked_by, asked.answered_by)
        details = {"answer": asked.answer}
        yield make_deed(FileEntry.REVIEW, asked.asked_at, users=users, note=asked.what, details=details)
    if review.outcome is not None and review.decided_at is not None:
        yield make_deed(
            FileEntry.REVIEW,
            review.decided_at,
            what=review.outcome,
            users=(review.decided_by,),
            note=review.note or "",
            details={"reason": review.reason.value if review.reason is not None else None},
        )


def _tell_drawdowns(session: Session, loan: Loan) -> Iterator[Deed]:
    for asked in session.scalars(
        select(DrawdownRequest).where(DrawdownRequest.loan_id == loan.id).order_by(DrawdownRequest.id)
    ):
        yield make_deed(
            FileEntry.DRAWDOWN_REQUEST,
            asked.requested_at,
            what=asked.state,
            users=(asked.requested_by, asked.decided_by),
            amount=asked.amount,
            evidence=asked.evidence,
            note=asked.why or "",
            details={"drawn_on": asked.drawn_on.isoformat()},
        )


def _tell_events(loan: Loan) -> Iterator[Deed]:
    splits = {row.event_id: split_of(row) for row in loan.repayments}
    numbers = {event.id: event.number for event in loan.events}
    undone = {event.undoes_id for event in loan.events}
    for event in loan.events:
        details: dict[str, Any] = {"number": event.number, **splits.get(event.id, {})}
        if event.kind is LoanEventKind.UNDO and event.undoes_id is not None:
            details["undoes"] = numbers[event.undoes_id]
        if event.id in undone:
            details["undone"] = True
        yield make_deed(
            FileEntry.EVENT,
            event.recorded_at,
            event.effective_on,
            what=event.kind,
            users=(event.recorded_by, event.confirmed_by),
            amount=event.amount,
            evidence=event.evidence or event.reference or "",
            details=details,
        )


def _tell_lateness(session: Session, loan: Loan) -> Iterator[Deed]:
    for span in session.scalars(
        select(LateSpan).where(LateSpan.loan_id == loan.id).order_by(LateSpan.from_on, LateSpan.id)
    ):
        superseded = None if span.superseded_at is None else local_date(span.superseded_at).isoformat()
        yield make_deed(
            FileEntry.LATENESS,
            span.recorded_at,
            span.from_on,
            what=span.bucket,
            details={"superseded_on": superseded},
        )


def _tell_guarantee(session: Session, loan: Loan) -> Iterator[Deed]:
    for given in session.scalars(select(Guarantee).where(Guarantee.loan_id == loan.id)):
        ended = None if given.ended_at is None else local_date(given.ended_at).isoformat()
        yield make_deed(FileEntry.GUARANTEE, given.given_at, amount=given.amount, details={"ended_on": ended})


def _tell_alerts(loan: Loan, by: Party) -> Iterator[Deed]:
    for alert in alerts.list_for_loan(loan, by=by):
        yield make_deed(FileEntry.ALERT, alert.raised_at, what=alert.kind, details=alert.details)
        if alert.resolved_at is not None:
            yield make_deed(
                FileEntry.ALERT_RESOLVED,
                alert.resolved_at,
                what=alert.kind,
                users=(alert.resolved_by,),
                note=alert.resolution or "",
            )


def _tell_log(session: Session, loan: Loan, by: Party) -> Iterator[Deed]:
    """Yield the entries of the log on deal, award, need and contract; of a party's, its own."""
    subjects: list[tuple[str, int]] = [("loans", loan.id)]
    if loan.award is not None:
        subjects += [("awards", loan.award.id), ("needs", loan.award.need_id)]
    if loan.contract_id is not None:
        subjects.append(("contracts", loan.contract_id))
    on_these = [and_(AuditEntry.subject == name, AuditEntry.subject_id == key) for name, key in subjects]
    query = select(AuditEntry).where(or_(*on_these)).order_by(AuditEntry.id)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(AuditEntry.organisation_id == by.organisation_id)
    for entry in session.scalars(query):
        yield make_deed(FileEntry.DEED, entry.at, users=(entry.user_id,), note=entry.action)
