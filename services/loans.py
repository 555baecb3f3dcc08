"""Loans and leases: called off before they are drawn, repaid, looked at; each event lets all else follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.ledger.events import Event
from market.ledger.replay import compute_payoff
from market.lending_vocabulary import LoanEventKind
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, LoanState
from models.base import db, transaction
from models.contract import Contract
from models.loan import Loan, LoanEvent, Repayment
from services import (
    audit,
    claims,
    contract_settlement,
    contract_steps,
    exposures,
    loan_book,
)

#: The longest reference of a receipt.
LONGEST_REFERENCE = 80

#: Loans that count as deals done: one under review may still come to nothing.
AGREED_LOANS = (LoanState.APPROVED, LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)


def cancel(loan_id: int, *, by: Party, now: datetime) -> Loan:
    """Cancel an approved loan that was never drawn; its limit and its claim on a contract are given back.

    A loan under review is not cancelled: its institution decides the review, or the firm gives it up.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    find_own(loan_id, by)
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
    was_bound, loan.bound, loan.state = loan.bound, 0, LoanState.CANCELLED
    exposures.give_back(session, loan, was_bound, now=now)
    claims.give_back(session, contract_id, was_bound, loan=loan)
    session.flush()
    claims.leave(session, contract, loan, by=by, now=now)
    return loan


def record_repayment(
    loan_id: int, amount: int, paid_on: date, reference: str, *, by: Party, now: datetime
) -> Repayment:
    """Record money the firm paid the lender; it is split as its day demands, however late it is recorded.

    What is due goes first (oldest line, in the loan's order), then interest to the day, then principal ahead
    of its day. ``reference`` makes a receipt recordable once only. Raises ``Invalid`` for more than is owed,
    ``Conflict`` for a deal that is not out.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    contract_id = find_own(loan_id, by).contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        return receive(session, loan, amount, paid_on, reference, by=by, now=now)


def receive(
    session: Session,
    loan: Loan,
    amount: int,
    paid_on: date,
    reference: str,
    *,
    by: Party,
    now: datetime,
    kind: LoanEventKind = LoanEventKind.RECEIPT,
    source: str = "borrower",
) -> Repayment:
    """Let money in and all follow from it, inside the caller's transaction, which holds the locks.

    ``kind`` is a receipt, or the compensation that a guarantor paid. Raises what ``record_repayment`` raises.
    """
    if amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=amount, least=1)
    if paid_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(paid_on), most=str(local_date(now)))
    reference = read_remark(reference, "reference", LONGEST_REFERENCE)
    if any(event.reference == reference for event in loan_book.list_standing(loan)):
        raise conflict(Code.ALREADY_EXISTS, "reference", what="repayment", value=reference)
    if loan.state not in (LoanState.DRAWN, LoanState.WRITTEN_OFF):
        raise conflict(Code.ILLEGAL_MOVE, state=loan.state.value, move="repay")
    if loan.drawn_on is not None and paid_on < loan.drawn_on:
        raise invalid(Code.OUT_OF_ORDER, "paid_on", value=str(paid_on), after=str(loan.drawn_on))
    event = Event(number=0, kind=kind, on=paid_on, amount=amount, source=source)
    cause = loan_book.note(session, loan, event, by=by, now=now, reference=reference)
    follow(session, loan, by=by, now=now, cause=cause)
    row = next(row for row in loan.repayments if row.event_id == cause.id)
    if row.remainder:
        raise invalid(Code.TOO_LARGE, "amount", value=amount, most=amount - row.remainder)
    audit.record(session, "loan.repay", loan, by=by, now=now, amount=amount, reference=reference)
    return row


def follow(session: Session, loan: Loan, *, by: Party | None, now: datetime, cause: LoanEvent | None) -> None:
    """Let everything follow from an event just written, inside the caller's transaction with its locks.

    On a contract the purchaser's payments are shared out anew over all its loans.
    """
    if loan.contract_id is None:
        loan_book.follow(session, loan, now=now, cause=cause)
        if loan.state in (LoanState.REPAID, LoanState.WRITTEN_OFF):
            claims.finish(session, loan, by=by, now=now)
    else:
        contract = session.get_one(Contract, loan.contract_id)
        contract_settlement.settle(session, contract, by=by, now=now, causes={loan.id: cause})


def look_again(loan_id: int, *, by: Party, now: datetime) -> Loan:
    """Work out anew how a loan stands today: how late it is, what ended with the day."""
    contract_id = db.session.get_one(Loan, loan_id).contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        follow(session, loan, by=by, now=now, cause=None)
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
    for line in loan.instalments:
        left = loan_book.count_open(line)
        if left > 0 and line.due_on is not None:
            return NextPayment(line.due_on, left, max((today - line.due_on).days, 0))
    return None


def read_payoff(loan: Loan, on: date) -> int:
    """Return what pays a drawn loan off on a day, in fen: interest counts up to the day."""
    return compute_payoff(loan_book.read_deal(loan), loan_book.read_events(loan), on)


@dataclass(frozen=True, slots=True)
class Owed:
    """What the whole schedule asks for and what of it was paid, in fen."""

    principal: int
    interest: int
    fees: int
    penalty: int
    paid: int

    @property
    def total(self) -> int:
        """Return everything the schedule asks for."""
        return self.principal + self.interest + self.fees + self.penalty


def read_owed(loan: Loan) -> Owed:
    """Return the sums of a loan's schedule."""
    lines = loan.instalments
    return Owed(
        principal=sum(line.principal for line in lines),
        interest=sum(line.interest for line in lines),
        fees=sum(line.fees for line in lines),
        penalty=sum(line.penalty for line in lines),
        paid=sum(
            line.paid_principal + line.paid_interest + line.paid_fees + line.paid_penalty for line in lines
        ),
    )


def find_own(loan_id: int, by: Party) -> Loan:
    """Return a loan to its lender; raises ``NotFound`` to everybody else."""
    loan = db.session.get(Loan, loan_id)
    if loan is None or (loan.zone_id, loan.lender_id) != (by.zone_id, by.organisation_id):
        raise not_found("loan", loan_id)
    return loan
