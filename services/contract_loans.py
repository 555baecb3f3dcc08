"""Contract loans: the purchaser's payments, where they went, and what they settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from market import contract_loan
from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import LIVE_LOANS, AlertKind, Capability, ContractStage, LoanState
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.payment import PurchaserPayment
from services import alerts, audit, contract_settlement, contract_steps, exposures, needs, purchasers


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
    if payment.amount <= 0:
        raise invalid(Code.TOO_SMALL, "amount", value=payment.amount, least=1)
    if payment.paid_on is not None and payment.paid_on > local_date(now):
        raise invalid(Code.TOO_LARGE, "paid_on", value=str(payment.paid_on), most=str(local_date(now)))
    payment = replace(payment, transaction_id=payment.transaction_id.strip())
    if not payment.transaction_id:
        raise invalid(Code.REQUIRED, "transaction_id")
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
        taken = session.scalar(
            select(PurchaserPayment.id).where(
                PurchaserPayment.contract_id == contract.id,
                PurchaserPayment.transaction_id == payment.transaction_id,
            )
        )
        if taken is not None:
            raise conflict(
                Code.ALREADY_EXISTS, "transaction_id", what="payment", value=payment.transaction_id
            )
        row = PurchaserPayment(
            contract_id=contract.id,
            transaction_id=payment.transaction_id,
            paid_on=payment.paid_on,
            amount=payment.amount,
            currency=contract.currency,
            payer=payment.payer,
            payee=payment.payee,
            payee_account=payment.payee_account,
            recorded_at=now,
        )
        session.add(row)
        session.flush()
        settle(session, contract, row, by=by, now=now)
        audit.record(session, "contract.payment", row, by=by, now=now, amount=payment.amount)
    return row


def lock_for_payment(session: Session, contract_id: int) -> Contract:
    """Return the contract locked, after the limits its loans lean on: always in that order."""
    exposures.lock(session, Loan.contract_id == contract_id, Loan.state.in_(LIVE_LOANS))
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

    No date: an alert, nothing moves. Wrong account: an alert, nothing is settled. A payment from before
    the drawdown, or with no live loan, is only history. Published records (``is_published``) hardly ever
    name accounts: there, silence is no wrong account.
    """
    if payment.settled_at is not None:
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
    paid = needs.sum_paid(session, contract.id)
    _watch_overpayment(session, contract, paid, now)
    if _overdue_since(contract, paid, local_date(now)) is None:
        alerts.settle(session, AlertKind.PURCHASER_OVERDUE, f"contract:{contract.id}", "paid", now=now)
    if not contract_loan.may_draw(contract.stage):
        return
    is_silent = is_published and payment.payee_account is None
    if not is_silent and not contract_loan.is_locked_account(payment.payee_account, contract.payee_account):
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
    if not contract_loan.has_reached(contract.stage, ContractStage.DRAWN):
        return
    drawn = session.scalars(
        select(Loan.id).where(Loan.contract_id == contract.id, Loan.state == LoanState.DRAWN)
    ).all()
    if not drawn:
        # Everything is repaid: the rest is the supplier's alone and moves nothing here.
        return
    contract_steps.climb_to(
        session,
        contract,
        ContractStage.PURCHASER_PAID,
        by=by,
        now=now,
        payment=payment.id,
        amount=payment.amount,
    )
    payment.settled_at = now
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


def list_overdue(zone_id: int, now: datetime) -> list[int]:
    """Return the financed contracts of a zone whose purchaser is newly late: no alert says so yet.

    An alert that an officer has resolved is not raised again for the same due date.
    """
    today = local_date(now)
    contracts = db.session.scalars(
        select(Contract)
        .join(Financing, Financing.contract_id == Contract.id)
        .where(Contract.zone_id == zone_id, Financing.ended_at.is_(None))
        .options(selectinload(Contract.plan))
        .order_by(Contract.id)
    ).all()
    paid = {
        contract_id: int(amount)
        for contract_id, amount in db.session.execute(
            select(PurchaserPayment.contract_id, func.sum(PurchaserPayment.amount))
            .join(Financing, Financing.contract_id == PurchaserPayment.contract_id)
            .where(Financing.ended_at.is_(None), PurchaserPayment.paid_on.is_not(None))
            .group_by(PurchaserPayment.contract_id)
        ).all()
    }
    told = db.session.scalars(
        select(Alert).where(Alert.zone_id == zone_id, Alert.kind == AlertKind.PURCHASER_OVERDUE)
    ).all()
    watched = {alert.contract_id for alert in told if alert.resolved_at is None}
    known = {(alert.contract_id, alert.details.get("due_on")) for alert in told}
    late = []
    for contract in contracts:
        if contract.id in watched:
            continue
        since = _overdue_since(contract, paid.get(contract.id, 0), today)
        if since is not None and (contract.id, since.isoformat()) not in known:
            late.append(contract.id)
    return late


def note_overdue(contract_id: int, *, by: Party, now: datetime) -> None:
    """Raise the alert that a purchaser is late, if it is; raising it twice changes nothing."""
    with transaction() as session:
        contract = session.get_one(Contract, contract_id, with_for_update=True)
        since = find_overdue(session, contract, local_date(now))
        if since is not None:
            alerts.raise_alert(
                session,
                contract.zone_id,
                AlertKind.PURCHASER_OVERDUE,
                f"contract:{contract.id}",
                now=now,
                contract_id=contract.id,
                due_on=since.isoformat(),
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
    if (
        contract.amount is not None
        and paid > contract.amount
        and contract_steps.has_live_loan(session, contract.id)
    ):
        alerts.raise_alert(
            session,
            contract.zone_id,
            AlertKind.OVERPAID,
            f"contract:{contract.id}",
            now=now,
            contract_id=contract.id,
            paid=paid,
            amount=contract.amount,
        )


def find_overdue(session: Session, contract: Contract, today: date) -> date | None:
    """Return the first day the purchaser of a contract was late with what it has not paid yet, or None."""
    return _overdue_since(contract, needs.sum_paid(session, contract.id), today)


def _overdue_since(contract: Contract, paid: int, today: date) -> date | None:
    """Return the first day the purchaser was late, from the plan or from the statutory term."""
    owed = 0
    for due_on, amount in purchasers.list_owed(contract):
        owed += amount
        if paid < owed and due_on < today:
            return due_on + timedelta(days=1)
    return None
