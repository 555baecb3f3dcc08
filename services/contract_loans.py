"""Contract loans: the purchaser's payments, where they went, and what they settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market import contract_loan
from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.payment_vocabulary import PaymentResolution, PaymentState
from market.vocabulary import LIVE_LOANS, PAID_OUT_LOANS, AlertKind, Capability, ContractStage
from models.base import db, transaction
from models.contract import Contract
from models.loan import Loan, Repayment
from models.payment import PurchaserPayment
from services import (
    alerts,
    audit,
    contract_settlement,
    contract_steps,
    exposures,
    needs,
    payment_states,
)

#: Resolutions after which the money is not here any more: another row takes it back.
GONE = frozenset({PaymentResolution.RETURNED, PaymentResolution.REDIRECTED, PaymentResolution.CORRECTED})


@dataclass(frozen=True, slots=True)
class Payment:
    """A purchaser's payment as it was reported: amount in fen, the account it went to."""

    transaction_id: str
    amount: int
    paid_on: date | None
    payee_account: str | None = None
    payer: str | None = None
    payee: str | None = None


def record_payment(contract_id: int, payment: Payment, *, by: Party, now: datetime) -> PurchaserPayment:
    """Record a purchaser's payment; by the purchaser, the financing lender or an officer.

    Settles the contract's loans, oldest first: fees and interest, then principal, the rest to the
    supplier. A payment into another account than the locked one settles nothing and raises an alert.
    """
    by.require(
        Capability.PURCHASER,
        Capability.OFFICER,
        Capability.INSTITUTION_BIDDER,
        Capability.INSTITUTION_APPROVER,
    )
    payment = check_payment(payment, now)
    with transaction() as session:
        lender_id = contract_steps.find_lender(session, contract_id)
        contract = lock_for_payment(session, contract_id)
        if contract_steps.find_lender(session, contract_id) != lender_id:
            # The claim changed hands while its limits were being locked: others would be the right ones.
            raise conflict(Code.STALE)
        if contract.zone_id != by.zone_id:
            raise not_found("contract", contract_id)
        if not by.may(Capability.OFFICER) and by.organisation_id not in {contract.purchaser_id, lender_id}:
            raise not_found("contract", contract_id)
        row = enter(session, contract, payment, now=now)
        settle(session, contract, row, by=by, now=now)
        audit.record(session, "contract.payment", row, by=by, now=now, amount=payment.amount)
    return row


def check_payment(payment: Payment, now: datetime) -> Payment:
    """Return a payment as it can be recorded; raises ``Invalid`` for an amount, day or number that cannot."""
    if payment.amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=payment.amount, least=1)
    today = local_date(now)
    if payment.paid_on is not None and payment.paid_on > today:
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(payment.paid_on), most=str(today))
    payment = replace(payment, transaction_id=payment.transaction_id.strip())
    if not payment.transaction_id:
        raise invalid(Code.REQUIRED, "transaction_id")
    return payment


def enter(
    session: Session,
    contract: Contract,
    payment: Payment,
    *,
    now: datetime,
    reverses_id: int | None = None,
    follows_id: int | None = None,
) -> PurchaserPayment:
    """Store a payment on a locked contract, inside the caller's transaction; it takes no effect yet.

    Raises ``Conflict`` (already_exists) for a transaction id that the contract has already.
    """
    taken = session.scalar(
        select(PurchaserPayment.id).where(
            PurchaserPayment.contract_id == contract.id,
            PurchaserPayment.transaction_id == payment.transaction_id,
        )
    )
    if taken is not None:
        raise conflict(Code.ALREADY_EXISTS, "transaction_id", what="payment", value=payment.transaction_id)
    row = PurchaserPayment(
        contract_id=contract.id,
        transaction_id=payment.transaction_id,
        paid_on=payment.paid_on,
        amount=payment.amount,
        currency=contract.currency,
        payer=payment.payer,
        payee=payment.payee,
        payee_account=payment.payee_account,
        reverses_id=reverses_id,
        follows_id=follows_id,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def lock_for_payment(session: Session, contract_id: int) -> Contract:
    """Return the contract locked, after the limits its loans lean on: always in that order."""
    # What is told late, or taken back, can move a loan that was repaid.
    exposures.lock(session, Loan.contract_id == contract_id, Loan.state.in_((*LIVE_LOANS, *PAID_OUT_LOANS)))
    contract = session.get(Contract, contract_id, with_for_update=True)
    if contract is None:
        raise not_found("contract", contract_id)
    return contract


def settle(
    session: Session,
    contract: Contract,
    payment: PurchaserPayment,
    *,
    by: Party | None,
    now: datetime,
    is_published: bool = False,
) -> None:
    """Let a stored payment take effect once, inside the caller's transaction (which holds the locks).

    No date: an alert, nothing moves. Wrong account: an alert, nothing is settled, unless the lender agreed to
    it in writing. A payment from before the first drawdown, or once the pledge is cancelled, is only history;
    so is a refund, and what was taken back. Published records (``is_published``) hardly ever name accounts:
    there, silence is no wrong account. Called again it changes nothing, and the states of all payments on the
    contract, with the alerts that follow from them, are brought up to date every time.
    """
    _take_effect(session, contract, payment, by=by, now=now, is_published=is_published)
    restate(session, contract, now=now)


def restate(session: Session, contract: Contract, *, now: datetime) -> None:
    """Bring the states of a contract's payments up to date, and the alerts that follow from what is paid.

    Inside the caller's transaction, which holds the contract's lock.
    """
    session.flush()
    # Rows added by their number alone are not in the list that was read before.
    session.expire(contract, ["payments"])
    payment_states.assign(contract, local_date(now))
    paid = needs.sum_paid(session, contract.id)
    _watch_overpayment(session, contract, paid, now)
    if payment_states.find_late(contract, local_date(now)) is None:
        alerts.settle(session, AlertKind.PURCHASER_OVERDUE, f"contract:{contract.id}", "paid", now=now)


def settle_waiting(session: Session, contract: Contract, *, by: Party | None, now: datetime) -> None:
    """Let payments take effect that were told before the drawdown they follow, in the order of their days."""
    waiting = [row for row in contract.payments if row.settled_at is None and row.paid_on is not None]
    for payment in sorted(waiting, key=lambda row: (row.paid_on or date.max, row.transaction_id)):
        _take_effect(session, contract, payment, by=by, now=now, is_published=payment.payee_account is None)
    if waiting:
        restate(session, contract, now=now)


def _take_effect(
    session: Session,
    contract: Contract,
    payment: PurchaserPayment,
    *,
    by: Party | None,
    now: datetime,
    is_published: bool,
) -> None:
    is_over = payment.reverses_id is not None or payment.resolution in GONE
    if payment.settled_at is not None or payment.amount <= 0 or is_over:
        return
    subject = f"payment:{payment.id}"
    if payment.paid_on is None:
        if contract_steps.has_live_loan(session, contract.id):
            alerts.raise_alert(
                session,
                contract.zone_id,
                AlertKind.UNDATED_PAYMENT,
                subject,
                now=now,
                contract_id=contract.id,
                amount=payment.amount,
            )
        return
    # A record that gives the day later answers the question by itself.
    alerts.settle(session, AlertKind.UNDATED_PAYMENT, subject, "dated", now=now, by=by)
    if not contract_loan.may_draw(contract.stage):
        return
    payment.went_astray = not (
        is_published and payment.payee_account is None
    ) and not contract_loan.is_locked_account(payment.payee_account, contract.payee_account)
    if payment.went_astray and payment.resolution is not PaymentResolution.ACCEPTED:
        alerts.raise_alert(
            session,
            contract.zone_id,
            AlertKind.WRONG_ACCOUNT,
            subject,
            now=now,
            contract_id=contract.id,
            amount=payment.amount,
            paid_to=payment.payee_account,
            locked=contract.payee_account,
        )
        return
    said = payment.resolution_note or "corrected"
    alerts.settle(session, AlertKind.WRONG_ACCOUNT, subject, said, now=now, by=by)
    if contract_loan.has_reached(contract.stage, ContractStage.DRAWN):
        _share_out(session, contract, payment, by=by, now=now)


def _share_out(
    session: Session,
    contract: Contract,
    payment: PurchaserPayment,
    *,
    by: Party | None,
    now: datetime,
) -> None:
    """Let a payment count, and share out anew all that count over the contract's loans.

    Also once they are repaid: what is told late may be from before, and what came after waits for one that
    is taken back. The ladder stays on ``repaid`` unless something is owed again.
    """
    assert payment.paid_on is not None, "only what has a day takes effect"
    drawn_on = find_first_drawdown(session, contract.id)
    if drawn_on is None or payment.paid_on < drawn_on:
        # No loan leant on it when it was paid.
        return
    if contract.stage is not ContractStage.REPAID:
        contract_steps.climb_to(
            session,
            contract,
            ContractStage.PURCHASER_PAID,
            by=by,
            now=now,
            happened_on=payment.paid_on,
            payment=payment.id,
            amount=payment.amount,
        )
    payment.settled_at = now
    session.flush()
    contract_settlement.settle(session, contract, by=by, now=now)


def find_first_drawdown(session: Session, contract_id: int) -> date | None:
    """Return the day of the first drawdown on a contract, of loans that are out or over; None without one."""
    return session.scalar(
        select(func.min(Loan.drawn_on)).where(Loan.contract_id == contract_id, Loan.state.in_(PAID_OUT_LOANS))
    )


def take_back(
    session: Session, contract: Contract, payment: PurchaserPayment, *, by: Party, now: datetime
) -> None:
    """Let a payment count no more for the contract's loans, inside the caller's transaction (which locks).

    They end as if it had never come; nothing happens to them if it did nothing. Raises ``Conflict`` where a
    loan would be owed again whose pledge is cancelled already.
    """
    if payment.settled_at is None:
        return
    payment.settled_at = None
    session.flush()
    contract_settlement.settle(session, contract, by=by, now=now)


def may_record(contract: Contract, *, by: Party) -> bool:
    """Say whether the party may record payments on a contract: an officer, its purchaser or its lender."""
    if by.may(Capability.OFFICER):
        return True
    if contract.purchaser_id == by.organisation_id:
        return by.may(Capability.PURCHASER)
    return (
        by.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        and contract_steps.find_lender(db.session(), contract.id) == by.organisation_id
    )


def list_loans(contract_id: int, *, by: Party) -> list[Loan]:
    """Return the loans on a contract that the party may see, newest first."""
    loans_on_it = db.session.scalars(
        select(Loan).where(Loan.contract_id == contract_id).order_by(Loan.id.desc())
    )
    everything = by.may(Capability.OFFICER, Capability.AUDITOR)
    return [
        loan for loan in loans_on_it if everything or by.organisation_id in (loan.lender_id, loan.borrower_id)
    ]


def list_paying(contract_id: int) -> set[int]:
    """Return the purchaser's payments that paid something of the loans on a contract."""
    return set(
        db.session.scalars(
            select(Repayment.payment_id)
            .join(Loan, Loan.id == Repayment.loan_id)
            .where(Loan.contract_id == contract_id, Repayment.payment_id.is_not(None))
        )
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a contract stands in money, all in fen."""

    amount: int
    paid: int
    financed: int
    room: int
    outstanding: int


def read_standing(contract: Contract) -> Standing:
    """Return what was paid on a contract, what is financed and what could still be (at a ratio of 1)."""
    session = db.session()
    paid, financed = needs.sum_paid(session, contract.id), needs.sum_financed(session, contract.id)
    outstanding = session.scalar(
        select(func.coalesce(func.sum(Loan.outstanding), 0)).where(Loan.contract_id == contract.id)
    )
    room = needs.compute_room(session, contract) if not contract.obstacles else 0
    return Standing(contract.amount or 0, paid, financed, room, int(outstanding or 0))


def _watch_overpayment(session: Session, contract: Contract, paid: int, now: datetime) -> None:
    subject = f"contract:{contract.id}"
    if contract.amount is None or paid <= contract.amount:
        alerts.settle(session, AlertKind.OVERPAID, subject, "refunded", now=now)
        return
    over = [row for row in contract.payments if row.state is PaymentState.OVER]
    if over and all(row.resolution is not None for row in over):
        return
    # Until the lender has let go of the contract: the payment that was too much may have repaid its loan.
    if contract_steps.find_lender(session, contract.id) is not None:
        alerts.raise_alert(
            session,
            contract.zone_id,
            AlertKind.OVERPAID,
            subject,
            now=now,
            contract_id=contract.id,
            paid=paid,
            amount=contract.amount,
        )
