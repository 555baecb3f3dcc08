"""Loans and leases: opened by an award, drawn, repaid, watched for lateness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import cashflow, money, settlement
from market.calendar import add_months, local_date
from market.errors import Code, conflict, invalid, not_found
from market.lending_vocabulary import DealKind, LoanEventKind
from market.party import Party
from market.settlement import Due, Split
from market.vocabulary import AlertKind, Capability, ContractStage, LoanState, OfferKind
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.loan import Instalment, Loan, LoanEvent, Repayment
from models.need import Need
from services import alerts, audit, bid_content, claims, contract_steps, exposures, guarantees
from services.exchange.offers import read_offer, write_offer

#: Loans that count as deals done: one under review may still come to nothing.
AGREED_LOANS = (LoanState.APPROVED, LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)


def open_loan(session: Session, award: Award, need: Need, bid: Bid, now: datetime) -> Loan:
    """Open the loan of an award with its repayment schedule, inside the award's transaction.

    A firm bid is approved by the award; another waits for its institution's review (``reviews``), and
    ``approved_at`` is the award's moment until then. The part of a bid has terms and a cost of its own.
    """
    assert bid.months is not None and bid.effective is not None
    terms, effective = dict(bid.terms or {}), bid.effective
    if award.amount is not None:
        varied, priced = bid_content.price_part(bid, award.amount)
        assert priced.effective is not None, "a part without an annual cost is not accepted"
        terms, effective = write_offer(varied), Decimal(money.rate_text(priced.effective))
    loan = Loan(
        zone_id=need.zone_id,
        award=award,
        lender_id=bid.organisation_id,
        borrower_id=need.organisation_id,
        sector=need.organisation.industry,
        purchaser_id=need.contract.purchaser_id if need.contract is not None else None,
        kind=DealKind(bid.offer or OfferKind.LOAN),
        state=LoanState.UNDER_REVIEW if bid.is_firm is False else LoanState.APPROVED,
        principal=award.taken,
        months=bid.months,
        outstanding=0,
        effective=effective,
        terms=terms,
        approved_at=now,
    )
    session.add(loan)
    _lay_out(loan, start=None)
    session.flush()
    guarantees.give(session, loan, bid, now=now)
    return loan


def draw(loan_id: int, drawn_on: date, *, by: Party, now: datetime) -> Loan:
    """Record that the lender paid the loan out; the schedule gets its dates.

    A contract loan is drawn only after lock and pledge, while the financing is the lender's own, and
    must end by the last due date plus grace.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    today = local_date(now)
    if drawn_on > today:
        raise invalid(Code.TOO_LARGE, "drawn_on", value=str(drawn_on), most=str(today))
    seen = _seen(loan_id, by)
    if drawn_on < local_date(seen.approved_at):
        raise invalid(
            Code.OUT_OF_ORDER, "drawn_on", value=str(drawn_on), after=str(local_date(seen.approved_at))
        )
    contract_id = seen.contract_id
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by) if contract_id is not None else None
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        if loan.state is not LoanState.APPROVED:
            raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="draw")
        if contract is not None:
            claims.check_drawdown(session, loan, contract, drawn_on)
        loan.state, loan.drawn_on, loan.outstanding = LoanState.DRAWN, drawn_on, loan.principal
        loan.drawn = loan.principal
        _note(session, loan, LoanEventKind.DRAWDOWN, drawn_on, by=by, now=now, amount=loan.principal)
        _lay_out(loan, start=drawn_on)
        if contract is not None:
            contract_steps.climb_to(
                session, contract, ContractStage.DRAWN, by=by, now=now, loan=loan.id, amount=loan.principal
            )
        audit.record(session, "loan.draw", loan, by=by, now=now, on=drawn_on.isoformat())
    return loan


def cancel(loan_id: int, *, by: Party, now: datetime) -> Loan:
    """Cancel an approved loan that was never drawn; its limit and its claim on a contract are given back.

    A loan under review is not cancelled: its institution decides the review, or the firm gives it up.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    _seen(loan_id, by)
    with transaction() as session:
        loan = call_off(session, loan_id, LoanState.APPROVED, by=by, now=now)
        audit.record(session, "loan.cancel", loan, by=by, now=now)
    return loan


def call_off(session: Session, loan_id: int, state: LoanState, *, by: Party, now: datetime) -> Loan:
    """End a loan that stands in ``state``, before any drawdown, inside the caller's transaction.

    Takes the locks in the order of all verbs (limits, contract, loan) and gives limit and claim back.
    Raises ``Conflict`` (illegal_move) for a loan in another state.
    """
    seen = session.get_one(Loan, loan_id)
    contract_id = seen.contract_id
    exposures.lock(session, Loan.id == loan_id)
    contract = contract_steps.lock(session, contract_id, by) if contract_id is not None else None
    loan = session.get_one(Loan, loan_id, with_for_update=True)
    if loan.state is not state:
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="cancel")
    loan.state = LoanState.CANCELLED
    exposures.give_back(session, loan, loan.principal, now=now)
    if contract is not None:
        claims.give_back(session, contract.id, loan.principal)
        session.flush()
        claims.leave(session, contract, loan, by=by, now=now)
    return loan


def record_repayment(
    loan_id: int, amount: int, paid_on: date, reference: str, *, by: Party, now: datetime
) -> Repayment:
    """Record money the firm paid the lender: fees, then interest, then principal, oldest line first.

    ``reference`` makes a repayment recordable once only. Raises ``Invalid`` for more than is owed.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    if amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=amount, least=1)
    if paid_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(paid_on), most=str(local_date(now)))
    reference = reference.strip()
    if not reference:
        raise invalid(Code.REQUIRED, "reference")
    seen = _seen(loan_id, by)
    contract_id = seen.contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        taken = session.scalar(
            select(Repayment.id).where(Repayment.loan_id == loan.id, Repayment.reference == reference)
        )
        if taken is not None:
            raise conflict(Code.ALREADY_EXISTS, "reference", what="repayment", value=reference)
        row = absorb(session, loan, amount, paid_on, reference, by=by, now=now)
        if row.remainder:
            raise invalid(Code.TOO_LARGE, "amount", value=amount, most=amount - row.remainder)
        audit.record(session, "loan.repay", loan, by=by, now=now, amount=amount, reference=reference)
    return row


def absorb(
    session: Session,
    loan: Loan,
    amount: int,
    paid_on: date,
    reference: str,
    *,
    by: Party | None,
    now: datetime,
    payment_id: int | None = None,
) -> Repayment:
    """Split money over a drawn loan and store the split, inside the caller's transaction.

    The caller holds the locks. A full payoff before the end pays interest only up to the day; what
    is then left goes back to the supplier as the remainder.
    """
    if loan.state is not LoanState.DRAWN:
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="repay")
    if loan.drawn_on is not None and paid_on < loan.drawn_on:
        raise invalid(Code.OUT_OF_ORDER, "paid_on", value=str(paid_on), after=str(loan.drawn_on))
    lines = _dues(loan)
    split: Split = settlement.absorb(lines, amount, paid_on, drawn_on=loan.drawn_on or paid_on)
    for instalment, line in zip(loan.instalments, split.lines, strict=True):
        instalment.fees, instalment.interest = line.fees, line.interest
        instalment.paid_fees, instalment.paid_interest = line.paid_fees, line.paid_interest
        instalment.paid_principal = line.paid_principal
    event = _note(
        session,
        loan,
        LoanEventKind.RECEIPT,
        paid_on,
        by=by,
        now=now,
        amount=amount,
        reference=reference,
        payment_id=payment_id,
    )
    row = Repayment(
        loan_id=loan.id,
        event_id=event.id,
        reference=reference,
        source="purchaser" if payment_id is not None else "borrower",
        payment_id=payment_id,
        paid_on=paid_on,
        amount=amount,
        fees=split.fees,
        interest=split.interest,
        principal=split.principal,
        remainder=split.remainder,
        recorded_by=by.user_id if by is not None else None,
        recorded_at=now,
    )
    session.add(row)
    loan.outstanding -= split.principal
    if split.principal:
        exposures.give_back(session, loan, split.principal, now=now)
        if loan.contract_id is not None:
            claims.give_back(session, loan.contract_id, split.principal)
    if split.settled:
        loan.state, loan.repaid_on = LoanState.REPAID, paid_on
    _note_lateness(session, loan, now)
    if split.settled and loan.contract_id is not None:
        claims.finish(session, loan, by=by, now=now)
    return row


def list_late(zone_id: int, now: datetime) -> list[int]:
    """Return the drawn loans of a zone whose lateness the clock must look at."""
    today = local_date(now)
    return list(
        db.session.scalars(
            select(Loan.id)
            .join(Instalment, Instalment.loan_id == Loan.id)
            .where(
                Loan.zone_id == zone_id,
                Loan.state == LoanState.DRAWN,
                Loan.overdue_since.is_(None),
                Instalment.due_on < today,
                (Instalment.paid_principal < Instalment.principal)
                | (Instalment.paid_interest < Instalment.interest)
                | (Instalment.paid_fees < Instalment.fees),
            )
            .distinct()
            .order_by(Loan.id)
        )
    )


def note_lateness(loan_id: int, *, by: Party, now: datetime) -> Loan:
    """Mark a loan overdue from its earliest unpaid due date, with an alert, or clear the mark."""
    with transaction() as session:
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        _note_lateness(session, loan, now)
    return loan


def find(loan_id: int, *, by: Party) -> Loan:
    """Return a loan to its borrower, its lender, or an officer or auditor of the zone."""
    loan = db.session.get(Loan, loan_id)
    if loan is None or loan.zone_id != by.zone_id:
        raise not_found("loan", loan_id)
    if by.organisation_id not in (loan.lender_id, loan.borrower_id) and not by.may(
        Capability.OFFICER, Capability.AUDITOR
    ):
        raise not_found("loan", loan_id)
    return loan


@dataclass(frozen=True, slots=True)
class NextPayment:
    """The next line a loan owes: when, how much in fen, and how many days late it is."""

    due_on: date
    amount: int
    days_late: int


def next_payment(loan: Loan, today: date) -> NextPayment | None:
    """Return what a drawn loan owes next, or None when nothing is owed."""
    for line, due in zip(loan.instalments, _dues(loan), strict=True):
        left = settlement.open_amount(due)
        if left > 0 and line.due_on is not None:
            return NextPayment(line.due_on, left, max((today - line.due_on).days, 0))
    return None


@dataclass(frozen=True, slots=True)
class Owed:
    """What the whole schedule asks for and what of it was paid, in fen."""

    principal: int
    interest: int
    fees: int
    paid: int

    @property
    def total(self) -> int:
        """Return everything the schedule asks for."""
        return self.principal + self.interest + self.fees


def read_owed(loan: Loan) -> Owed:
    """Return the sums of a loan's schedule."""
    lines = loan.instalments
    return Owed(
        principal=sum(line.principal for line in lines),
        interest=sum(line.interest for line in lines),
        fees=sum(line.fees for line in lines),
        paid=sum(line.paid_principal + line.paid_interest + line.paid_fees for line in lines),
    )


def _note(
    session: Session,
    loan: Loan,
    kind: LoanEventKind,
    effective_on: date,
    *,
    by: Party | None,
    now: datetime,
    **what: Any,
) -> LoanEvent:
    event = LoanEvent(
        loan_id=loan.id,
        number=len(loan.events) + 1,
        kind=kind,
        effective_on=effective_on,
        recorded_by=by.user_id if by is not None else None,
        recorded_at=now,
        **what,
    )
    loan.events.append(event)
    session.flush()
    return event


def _seen(loan_id: int, by: Party) -> Loan:
    loan = db.session.get(Loan, loan_id)
    if loan is None or (loan.zone_id, loan.lender_id) != (by.zone_id, by.organisation_id):
        raise not_found("loan", loan_id)
    return loan


def _lay_out(loan: Loan, *, start: date | None) -> None:
    """Write the schedule of the loan's terms into its instalments; ``start`` gives the lines their dates.

    The lines keep their rows: what a dated day count changes is the interest, not the plan.
    """
    terms = read_offer(loan.terms, "terms")
    if start is not None:
        terms = replace(terms, start=start)
    schedule = cashflow.build(terms)
    by_number = {instalment.number: instalment for instalment in loan.instalments}
    for line in schedule.lines:
        row = by_number.get(line.number)
        if row is None:
            row = Instalment(number=line.number)
            loan.instalments.append(row)
        row.principal, row.interest, row.fees = line.principal, line.interest, line.fees
        row.balance = line.balance
        row.due_on = None if start is None else add_months(start, line.number)


def _dues(loan: Loan) -> Sequence[Due]:
    return [
        Due(
            due_on=line.due_on or date.max,
            principal=line.principal,
            interest=line.interest,
            fees=line.fees,
            paid_principal=line.paid_principal,
            paid_interest=line.paid_interest,
            paid_fees=line.paid_fees,
        )
        for line in loan.instalments
    ]


def _note_lateness(session: Session, loan: Loan, now: datetime) -> None:
    today = local_date(now)
    upcoming = next_payment(loan, today) if loan.state is LoanState.DRAWN else None
    late = upcoming is not None and upcoming.days_late > 0
    loan.overdue_since = upcoming.due_on if upcoming is not None and late else None
    subject = f"loan:{loan.id}"
    if upcoming is not None and late:
        alerts.raise_alert(
            session,
            loan.zone_id,
            AlertKind.LOAN_OVERDUE,
            subject,
            now=now,
            loan_id=loan.id,
            contract_id=loan.contract_id,
            due_on=upcoming.due_on.isoformat(),
            amount=upcoming.amount,
        )
    else:
        alerts.settle(session, AlertKind.LOAN_OVERDUE, subject, "caught_up", now=now)
