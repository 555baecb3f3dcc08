"""What is done about a payment that could not stand as it came: dated, accepted, passed on, taken back.

Every verb locks the contract first (after the limits its loans lean on), reads the payment under that lock,
writes an audit entry and closes the payment's alert. Nothing is deleted: what is taken back is taken back by
a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.payment_vocabulary import PaymentResolution, PaymentState
from market.vocabulary import AlertKind, Capability
from models.base import db, transaction
from models.contract import Contract
from models.payment import PurchaserPayment
from services import alerts, audit, contract_loans, contract_steps, payment_matching
from services.contract_loans import Payment

LENDERS = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


def put_date(payment_id: int, paid_on: date, *, by: Party, now: datetime) -> PurchaserPayment:
    """Say on which day an undated payment was made: its purchaser, its lender or an officer.

    It then takes effect as if it had come with the day. Raises ``Conflict`` for one that has a day.
    """
    by.require(Capability.PURCHASER, *LENDERS, Capability.OFFICER)
    if paid_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(paid_on), most=str(local_date(now)))
    with _handling(payment_id, by, now) as (session, contract, row):
        if row.paid_on is not None or row.reverses_id is not None or row.resolution is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="date")
        row.paid_on, row.handled_by, row.handled_at = paid_on, by.user_id, now
        contract_loans.settle(session, contract, row, by=by, now=now)
        audit.record(session, "payment.date", row, by=by, now=now, paid_on=paid_on.isoformat())
    return row


def accept_account(payment_id: int, evidence: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Agree in writing, as the lender, that money in another account counts: it settles the loans.

    ``evidence`` names the paper. Only the lender's approver may: the lock protects the lender.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    note = _read_note(evidence, "evidence")
    with _handling(payment_id, by, now) as (session, contract, row):
        if contract_steps.find_lender(session, contract.id) != by.organisation_id:
            raise not_found("payment", payment_id)
        _check_astray(row, "accept")
        _resolve(row, PaymentResolution.ACCEPTED, note, by, now)
        contract_loans.settle(session, contract, row, by=by, now=now)
        audit.record(session, "payment.accept_account", row, by=by, now=now, evidence=note)
    return row


def send_back(payment_id: int, why: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Record that money in another account went back to the purchaser, as the lender or an officer.

    A reversing row takes it out of what is paid, and the purchaser owes it again.
    """
    note = _read_note(why, "why")
    with _handling(payment_id, by, now, by_purchaser=False) as (session, contract, row):
        _check_astray(row, "return")
        _resolve(row, PaymentResolution.RETURNED, note, by, now)
        _reverse(session, contract, row, by=by, now=now)
        alerts.settle(session, AlertKind.WRONG_ACCOUNT, f"payment:{row.id}", note, now=now, by=by)
        audit.record(session, "payment.return", row, by=by, now=now, why=note)
    return row


def redirect(payment_id: int, arrived: Payment, why: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Record that money in another account was passed on; returns the payment as which it ``arrived``.

    The first payment is taken back by a reversing row; the new one is linked to it and takes effect by
    itself: should it have gone astray again, it is alerted again. Raises ``Invalid`` (too_large) for more
    than was paid.
    """
    note = _read_note(why, "why")
    arrived = contract_loans.check_payment(arrived, now)
    with _handling(payment_id, by, now, by_purchaser=False) as (session, contract, row):
        _check_astray(row, "redirect")
        if arrived.amount > row.amount:
            raise invalid(Code.TOO_LARGE, "amount", value=arrived.amount, most=row.amount)
        _resolve(row, PaymentResolution.REDIRECTED, note, by, now)
        _reverse(session, contract, row, by=by, now=now)
        alerts.settle(session, AlertKind.WRONG_ACCOUNT, f"payment:{row.id}", note, now=now, by=by)
        fresh = contract_loans.enter(session, contract, arrived, now=now, follows_id=row.id)
        contract_loans.settle(session, contract, fresh, by=by, now=now)
        audit.record(session, "payment.redirect", row, by=by, now=now, arrived=fresh.id, why=note)
    return fresh


def leave_to_supplier(payment_id: int, why: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Accept that what a payment brought beyond the contract stays with the supplier."""
    note = _read_note(why, "why")
    with _handling(payment_id, by, now, by_purchaser=False) as (session, contract, row):
        _check_over(row)
        _resolve(row, PaymentResolution.TO_SUPPLIER, note, by, now)
        _close_overpayment(session, contract, note, by=by, now=now)
        contract_loans.restate(session, contract, now=now)
        audit.record(session, "payment.to_supplier", row, by=by, now=now, excess=row.excess, why=note)
    return row


def refund(payment_id: int, refunded: Payment, why: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Record that what a payment brought beyond the contract was returned to the purchaser.

    ``refunded.amount`` is what went back, in fen above zero, at most the excess; returns the refund's row,
    which is negative and linked to the payment.
    """
    note = _read_note(why, "why")
    refunded = contract_loans.check_payment(refunded, now)
    with _handling(payment_id, by, now, by_purchaser=False) as (session, contract, row):
        _check_over(row)
        if refunded.amount > row.excess:
            raise invalid(Code.TOO_LARGE, "amount", value=refunded.amount, most=row.excess)
        back = Payment(refunded.transaction_id, -refunded.amount, refunded.paid_on, refunded.payee_account)
        fresh = contract_loans.enter(session, contract, back, now=now, follows_id=row.id)
        contract_loans.restate(session, contract, now=now)
        audit.record(session, "payment.refund", row, by=by, now=now, refund=fresh.id, why=note)
    return fresh


def correct(payment_id: int, why: str, *, by: Party, now: datetime) -> PurchaserPayment:
    """Take back a payment that was recorded wrongly (冲正): a reversing row, never a deletion.

    Its lender or an officer; it can then be recorded anew. Loans that were repaid from it are owed again. A
    payment that came from an unmatched report lets the report wait again.
    """
    note = _read_note(why, "why")
    with _handling(payment_id, by, now, by_purchaser=False) as (session, contract, row):
        if row.reverses_id is not None or row.resolution in contract_loans.GONE:
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="correct")
        contract_loans.take_back(session, contract, row, by=by, now=now)
        _resolve(row, PaymentResolution.CORRECTED, note, by, now)
        _reverse(session, contract, row, by=by, now=now)
        for kind in (AlertKind.UNDATED_PAYMENT, AlertKind.WRONG_ACCOUNT):
            alerts.settle(session, kind, f"payment:{row.id}", note, now=now, by=by)
        payment_matching.unmatch(session, row, now)
        contract_loans.restate(session, contract, now=now)
        audit.record(session, "payment.correct", row, by=by, now=now, why=note)
    return row


def reopen(payment_id: int, *, by: Party, now: datetime) -> PurchaserPayment:
    """Take back a word that moved no money: a day put on a payment, an excess left to the supplier.

    Raises ``Conflict`` where money has moved since: that is corrected, not reopened.
    """
    with _handling(payment_id, by, now) as (session, contract, row):
        if not may_reopen(row):
            raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="reopen")
        if row.resolution is PaymentResolution.TO_SUPPLIER:
            by.require(*LENDERS, Capability.OFFICER)
            row.resolution = row.resolution_note = None
        else:
            row.paid_on = None
        row.handled_by = row.handled_at = None
        row.went_astray = False
        alerts.settle(session, AlertKind.WRONG_ACCOUNT, f"payment:{row.id}", "reopened", now=now, by=by)
        contract_loans.settle(session, contract, row, by=by, now=now)
        audit.record(session, "payment.reopen", row, by=by, now=now)
    return row


def may_reopen(row: PurchaserPayment) -> bool:
    """Say whether what was said of a payment can be taken back, since no money has moved by it."""
    if row.resolution is PaymentResolution.TO_SUPPLIER:
        return True
    was_dated = row.handled_at is not None and row.resolution is None and row.paid_on is not None
    return was_dated and row.settled_at is None


@contextmanager
def _handling(
    payment_id: int, by: Party, now: datetime, *, by_purchaser: bool = True
) -> Iterator[tuple[Session, Contract, PurchaserPayment]]:
    """Open the transaction of a verb on one payment, with its contract and the payment locked."""
    by.require(*LENDERS, Capability.OFFICER, *((Capability.PURCHASER,) if by_purchaser else ()))
    contract_id = db.session.scalar(
        select(PurchaserPayment.contract_id).where(PurchaserPayment.id == payment_id)
    )
    if contract_id is None:
        raise not_found("payment", payment_id)
    with transaction() as session:
        contract = contract_loans.lock_for_payment(session, contract_id)
        if contract.zone_id != by.zone_id or not contract_loans.may_record(contract, by=by):
            raise not_found("payment", payment_id)
        yield session, contract, session.get_one(PurchaserPayment, payment_id, with_for_update=True)


def _read_note(text: str, field: str) -> str:
    note = text.strip()
    if not note:
        raise invalid(Code.REQUIRED, field)
    if len(note) > 300:
        raise invalid(Code.TOO_LONG, field, value=note[:40], most=300)
    return note


def _resolve(
    row: PurchaserPayment, resolution: PaymentResolution, note: str, by: Party, now: datetime
) -> None:
    row.resolution, row.resolution_note = resolution, note
    row.handled_by, row.handled_at = by.user_id, now


def _reverse(
    session: Session, contract: Contract, row: PurchaserPayment, *, by: Party, now: datetime
) -> PurchaserPayment:
    """Add the row that takes a payment back, on the payment's own day, so that both cancel on every day."""
    back = Payment(
        f"{row.transaction_id[:180]}~r{row.id}",
        -row.amount,
        row.paid_on,
        row.payee_account,
        row.payer,
        row.payee,
    )
    fresh = contract_loans.enter(session, contract, back, now=now, reverses_id=row.id)
    contract_loans.settle(session, contract, fresh, by=by, now=now)
    return fresh


def _check_astray(row: PurchaserPayment, move: str) -> None:
    if row.state is not PaymentState.WRONG_ACCOUNT or row.resolution is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move=move)


def _check_over(row: PurchaserPayment) -> None:
    if row.state is not PaymentState.OVER or row.resolution is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="accept")


def _close_overpayment(session: Session, contract: Contract, note: str, *, by: Party, now: datetime) -> None:
    """Close the contract's alert once every payment beyond it is decided."""
    over = [row for row in contract.payments if row.state is PaymentState.OVER]
    if all(row.resolution is not None for row in over):
        alerts.settle(session, AlertKind.OVERPAID, f"contract:{contract.id}", note, now=now, by=by)
