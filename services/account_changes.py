"""Changes of a locked payee account: asked for by supplier or lender, agreed by purchaser and lender."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan, step_details
from market.calendar import local_date
from market.errors import Code, Fault, Forbidden, Invalid, conflict, invalid, not_found
from market.ladder_vocabulary import AccountChangeState
from market.party import Party
from market.vocabulary import Capability
from models.account_change import AccountChange
from models.base import db, transaction
from models.contract import Contract
from services import audit, contract_steps

_SUPPLIER = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
_LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


class Side(StrEnum):
    """Whose consent somebody gives."""

    PURCHASER = "purchaser"
    LENDER = "lender"


def request(
    contract_id: int,
    payee_account: str,
    payee_bank: str | None,
    reason: str,
    evidence: str,
    *,
    by: Party,
    now: datetime,
) -> AccountChange:
    """Ask that a locked account becomes another one; by the supplier or the lender, one wish at a time.

    ``evidence`` names the supplementary agreement. Raises ``Conflict`` while no account is locked, or while
    another wish is open; ``Invalid`` for what is missing, or for the same account in another spelling.
    """
    by.require(*_SUPPLIER, *_LENDER)
    account, reason, evidence = payee_account.strip(), reason.strip(), evidence.strip()
    bank = (payee_bank or "").strip() or None
    faults = [
        Fault(Code.REQUIRED, field)
        for field, text in (("payee_account", account), ("reason", reason), ("evidence", evidence))
        if not text
    ]
    faults += step_details.check_account(account, bank)
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if not _asks(session, contract, by):
            raise not_found("contract", contract_id)
        if not contract_loan.is_locked(contract.stage) or contract.payee_account is None:
            raise conflict(Code.ILLEGAL_MOVE, state=contract.stage.value, move="change_account")
        if find_open(contract.id) is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="change_requested", move="change_account")
        if contract_loan.is_locked_account(account, contract.payee_account):
            raise conflict(Code.ALREADY_EXISTS, "payee_account", what="account", value=account)
        change = AccountChange(
            contract_id=contract.id,
            old_account=contract.payee_account,
            old_bank=contract.payee_bank,
            new_account=account,
            new_bank=bank,
            reason=reason,
            evidence=evidence,
            requested_for=by.organisation_id,
            requested_by=by.user_id,
            requested_at=now,
        )
        session.add(change)
        audit.record(session, "contract.account_change.request", contract, by=by, now=now)
    return change


def agree(change_id: int, *, by: Party, now: datetime) -> AccountChange:
    """Consent for the purchaser or the lender; the second consent changes the account and publishes it.

    The lender's approver consents for the lender; an officer files the purchaser's consent where the
    purchaser is not registered here. Whoever asked, and whoever consented for the other side, cannot.
    """
    contract_id = _seen(change_id)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        change = _open(session, change_id, "agree")
        side = _find_side(session, contract, by)
        if side is None:
            raise not_found("account_change", change_id)
        given = change.purchaser_agreed_by if side is Side.PURCHASER else change.lender_agreed_by
        if given is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="agreed", move="agree")
        if by.user_id in (change.requested_by, change.purchaser_agreed_by, change.lender_agreed_by):
            raise Forbidden(Fault(Code.SAME_PERSON))
        if side is Side.PURCHASER:
            change.purchaser_agreed_by, change.purchaser_agreed_at = by.user_id, now
        else:
            change.lender_agreed_by, change.lender_agreed_at = by.user_id, now
        if change.purchaser_agreed_by is not None and change.lender_agreed_by is not None:
            _take_effect(session, contract, change, by, now)
        audit.record(session, "contract.account_change.agree", contract, by=by, now=now, side=side.value)
    return change


def refuse(change_id: int, why: str, *, by: Party, now: datetime) -> AccountChange:
    """Refuse consent for the purchaser or the lender, saying why: the account stays what it is."""
    why = why.strip()
    if not why:
        raise invalid(Code.REQUIRED, "why")
    contract_id = _seen(change_id)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        change = _open(session, change_id, "refuse")
        if _find_side(session, contract, by) is None:
            raise not_found("account_change", change_id)
        change.state, change.why = AccountChangeState.REFUSED, why
        change.decided_by, change.decided_at = by.user_id, now
        audit.record(session, "contract.account_change.refuse", contract, by=by, now=now)
    return change


def withdraw(change_id: int, *, by: Party, now: datetime) -> AccountChange:
    """Take an open wish back; by the organisation that had it."""
    by.require(*_SUPPLIER, *_LENDER)
    contract_id = _seen(change_id)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        change = _open(session, change_id, "withdraw")
        if change.requested_for != by.organisation_id:
            raise not_found("account_change", change_id)
        change.state = AccountChangeState.WITHDRAWN
        change.decided_by, change.decided_at = by.user_id, now
        audit.record(session, "contract.account_change.withdraw", contract, by=by, now=now)
    return change


def find_open(contract_id: int) -> AccountChange | None:
    """Return the wish on a contract that waits for consent, or None."""
    return db.session.scalar(
        select(AccountChange).where(
            AccountChange.contract_id == contract_id, AccountChange.state == AccountChangeState.REQUESTED
        )
    )


def list_all(contract: Contract, *, by: Party) -> list[AccountChange]:
    """Return the changes of a contract's account, newest first, to its sides, its lender and the officers."""
    if not may_see(contract, by=by):
        return []
    return list(
        db.session.scalars(
            select(AccountChange)
            .where(AccountChange.contract_id == contract.id)
            .order_by(AccountChange.id.desc())
        )
    )


def may_see(contract: Contract, *, by: Party) -> bool:
    """Say whether accounts of a contract are the party's to know: who lent on it before is told no more."""
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return True
    lender_id = contract_steps.find_lender(db.session(), contract.id)
    return by.organisation_id in (contract.supplier_id, contract.purchaser_id, lender_id)


def may_request(contract: Contract, *, by: Party) -> bool:
    """Say whether the party could ask for another account now."""
    return (
        contract_loan.is_locked(contract.stage)
        and by.may(*_SUPPLIER, *_LENDER)
        and _asks(db.session(), contract, by)
        and find_open(contract.id) is None
    )


def may_agree(contract: Contract, change: AccountChange, *, by: Party) -> bool:
    """Say whether the open change waits for this very person's consent."""
    side = _find_side(db.session(), contract, by)
    if side is None or by.user_id in (
        change.requested_by,
        change.purchaser_agreed_by,
        change.lender_agreed_by,
    ):
        return False
    return (change.purchaser_agreed_by if side is Side.PURCHASER else change.lender_agreed_by) is None


def may_refuse(contract: Contract, *, by: Party) -> bool:
    """Say whether the party may refuse consent to a change."""
    return _find_side(db.session(), contract, by) is not None


def may_withdraw(change: AccountChange, *, by: Party) -> bool:
    """Say whether the party's organisation asked for the change."""
    return change.requested_for == by.organisation_id and by.may(*_SUPPLIER, *_LENDER)


def _take_effect(
    session: Session, contract: Contract, change: AccountChange, by: Party, now: datetime
) -> None:
    change.state, change.published_at = AccountChangeState.DONE, now
    change.decided_by, change.decided_at = by.user_id, now
    # The database changes a locked account only where the change to it is done.
    session.flush()
    contract.payee_account, contract.payee_bank = change.new_account, change.new_bank
    contract.updated_at = now
    audit.record(
        session,
        "contract.account_change.done",
        contract,
        by=by,
        now=now,
        change=change.id,
        on=local_date(now).isoformat(),
    )


def _asks(session: Session, contract: Contract, by: Party) -> bool:
    if contract.supplier_id == by.organisation_id:
        return by.may(*_SUPPLIER)
    return by.may(*_LENDER) and contract_steps.find_lender(session, contract.id) == by.organisation_id


def _find_side(session: Session, contract: Contract, by: Party) -> Side | None:
    """Return whose consent the party can give, or None."""
    if contract.purchaser_id is None:
        if by.may(Capability.OFFICER):
            return Side.PURCHASER
    elif contract.purchaser_id == by.organisation_id and by.may(Capability.PURCHASER):
        return Side.PURCHASER
    if by.may(Capability.INSTITUTION_APPROVER) and (
        contract_steps.find_lender(session, contract.id) == by.organisation_id
    ):
        return Side.LENDER
    return None


def _seen(change_id: int) -> int:
    seen = db.session.get(AccountChange, change_id)
    if seen is None:
        raise not_found("account_change", change_id)
    return seen.contract_id


def _open(session: Session, change_id: int, move: str) -> AccountChange:
    change = session.get_one(AccountChange, change_id)
    if change.state is not AccountChangeState.REQUESTED:
        raise conflict(Code.ILLEGAL_MOVE, state=f"change_{change.state.value}", move=move)
    return change
