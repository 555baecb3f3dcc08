"""What the contract under a deal says: ladder, pledge, account, payments and end, while its lender had it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.party import Party
from market.report_vocabulary import FileEntry
from models.contract import Contract, ContractRevision, ContractStep
from models.financing import Financing
from models.loan import Loan
from models.payment import PurchaserPayment
from models.pledge import Pledge
from services import account_changes, terminations
from services.deal_deeds import split_of
from services.deeds import Deed, make_deed


def gather(session: Session, loan: Loan, by: Party) -> Iterator[Deed]:
    """Yield what happened on the contract of a deal, up to the end of its lender's claim, in no order."""
    contract = loan.contract
    if contract is None:
        return
    until = _find_end(session, loan, contract)
    for deed in _tell(session, loan, contract, by):
        if until is None or deed.at <= until:
            yield deed


def _find_end(session: Session, loan: Loan, contract: Contract) -> datetime | None:
    """Return when the lender's last claim on the contract ended; None while it runs, or without a claim."""
    ends = session.scalars(
        select(Financing.ended_at).where(
            Financing.contract_id == contract.id, Financing.lender_id == loan.lender_id
        )
    ).all()
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _tell(session: Session, loan: Loan, contract: Contract, by: Party) -> Iterator[Deed]:
    yield make_deed(
        FileEntry.CONTRACT,
        contract.created_at,
        contract.signed_on,
        amount=contract.amount,
        evidence=contract.number,
        note=contract.title,
        details={"purchaser": contract.purchaser_name, "source": contract.source},
    )
    for revision in session.scalars(
        select(ContractRevision).where(ContractRevision.contract_id == contract.id)
    ):
        changed = {"number": revision.number, "fields": ", ".join(sorted(revision.former))}
        former = {"former_amount": revision.former.get("amount")}
        yield make_deed(FileEntry.AMENDMENT, revision.replaced_at, details={**changed, **former})
    yield from _tell_steps(session, contract)
    for pledge in session.scalars(
        select(Pledge).where(Pledge.contract_id == contract.id).order_by(Pledge.id)
    ):
        yield make_deed(
            FileEntry.PLEDGE,
            pledge.recorded_at,
            pledge.registered_on,
            what=pledge.ended_why,
            users=(pledge.recorded_by,),
            evidence=pledge.evidence,
            details={"pledge": pledge.number, "expires_on": pledge.expires_on.isoformat()},
        )
    for change in account_changes.list_all(contract, by=by):
        yield make_deed(
            FileEntry.ACCOUNT_CHANGE,
            change.requested_at,
            what=change.state,
            users=(change.requested_by, change.purchaser_agreed_by, change.lender_agreed_by),
            evidence=change.evidence,
            note=change.why or change.reason,
            details={"old_account": change.old_account, "new_account": change.new_account},
        )
    ended = terminations.find(contract.id)
    if ended is not None:
        yield make_deed(
            FileEntry.TERMINATION,
            ended.recorded_at,
            ended.terminated_on,
            users=(ended.recorded_by,),
            evidence=ended.evidence,
            note=ended.reason,
        )
    yield from _tell_payments(session, loan, contract)


def _tell_steps(session: Session, contract: Contract) -> Iterator[Deed]:
    for step in session.scalars(
        select(ContractStep).where(ContractStep.contract_id == contract.id).order_by(ContractStep.id)
    ):
        yield make_deed(
            FileEntry.STEP,
            step.recorded_at,
            step.happened_on,
            what=step.stage,
            users=(step.recorded_by, step.confirmed_by),
            evidence=step.evidence,
            amount=step.details.get("amount"),
            details={name: value for name, value in step.details.items() if name != "amount"},
        )
        if step.undone_at is not None:
            yield make_deed(
                FileEntry.STEP_UNDONE,
                step.undone_at,
                what=step.stage,
                users=(step.undone_by,),
                note=step.undone_why or "",
            )


def _tell_payments(session: Session, loan: Loan, contract: Contract) -> Iterator[Deed]:
    """Yield the purchaser's payments, each with what of it went where on this deal."""
    splits: dict[int, dict[str, int]] = defaultdict(dict)
    for row in loan.repayments:
        if row.payment_id is not None:
            splits[row.payment_id] = split_of(row)
    for payment in session.scalars(
        select(PurchaserPayment)
        .where(PurchaserPayment.contract_id == contract.id)
        .order_by(PurchaserPayment.id)
    ):
        details: dict[str, Any] = {"account": payment.payee_account, **splits.get(payment.id, {})}
        details["settled"] = payment.settled_at is not None
        yield make_deed(
            FileEntry.PAYMENT,
            payment.recorded_at,
            payment.paid_on,
            amount=payment.amount,
            evidence=payment.transaction_id,
            note=payment.payer or "",
            details=details,
        )
