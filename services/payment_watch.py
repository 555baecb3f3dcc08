"""The clock's look at payments that came in without a verb: did they go to the locked account?

A payment that is recorded by hand is looked at at once (``contract_loans.settle``); one that an import or an
interface brought is looked at by the next tick. Looking twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan
from market.calendar import local_date
from market.ladder_vocabulary import AccountChangeState
from market.party import Party
from market.vocabulary import AlertKind, ContractStage
from models.account_change import AccountChange
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.payment import PurchaserPayment
from services import alerts, contract_steps

_LOCKED = tuple(stage for stage in ContractStage if contract_loan.is_locked(stage))


def list_unwatched(zone_id: int) -> list[int]:
    """Return the payments on a zone's locked contracts that nobody has looked at yet."""
    return list(
        db.session.scalars(
            select(PurchaserPayment.id)
            .join(Contract, Contract.id == PurchaserPayment.contract_id)
            .join(Financing, Financing.contract_id == Contract.id)
            .where(
                Financing.ended_at.is_(None),
                Contract.zone_id == zone_id,
                Contract.stage.in_(_LOCKED),
                PurchaserPayment.watched_at.is_(None),
            )
            .order_by(PurchaserPayment.id)
        )
    )


def watch(payment_id: int, *, by: Party, now: datetime) -> None:
    """Look at one payment: into another account than the one locked then, it raises an alert.

    A record that names no account says nothing; what was paid before the lock could go anywhere; and an
    alert that was raised before, resolved or not, is not raised again.
    """
    seen = db.session.get_one(PurchaserPayment, payment_id)
    contract_id = seen.contract_id
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        payment = session.get_one(PurchaserPayment, payment_id)
        if payment.watched_at is not None or not contract_loan.is_locked(contract.stage):
            return
        payment.watched_at = now
        subject = f"payment:{payment.id}"
        told = select(Alert.id).where(Alert.kind == AlertKind.WRONG_ACCOUNT, Alert.subject == subject)
        if not _went_wrong(session, contract, payment) or session.scalar(told.limit(1)) is not None:
            return
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


def _went_wrong(session: Session, contract: Contract, payment: PurchaserPayment) -> bool:
    account = (payment.payee_account or "").strip()
    if not account or payment.amount <= 0 or contract.payee_account is None:
        return False
    locked_on = session.scalar(
        select(ContractStep.happened_on).where(
            ContractStep.contract_id == contract.id,
            ContractStep.stage == ContractStage.ACCOUNT_LOCKED,
            ContractStep.undone_at.is_(None),
        )
    )
    if payment.paid_on is not None and locked_on is not None and payment.paid_on < locked_on:
        return False
    changes = session.execute(
        select(AccountChange.published_at, AccountChange.old_account).where(
            AccountChange.contract_id == contract.id, AccountChange.state == AccountChangeState.DONE
        )
    )
    changed = [(local_date(at), before) for at, before in changes if at is not None]
    return not contract_loan.is_paid_rightly(account, payment.paid_on, contract.payee_account, changed)
