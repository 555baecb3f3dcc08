"""What stands and falls with the ladder: the pledge's rows, and wishes to change the locked account.

All run inside the caller's transaction, which holds the contract's row lock.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market import contract_loan
from market.ladder_vocabulary import AccountChangeState, PledgeEnd
from market.party import Party
from market.vocabulary import AlertKind
from models.account_change import AccountChange
from models.contract import Contract
from models.pledge import Pledge
from services import alerts


def pledge(
    session: Session,
    contract: Contract,
    number: str,
    registered_on: date,
    expires_on: date,
    evidence: str,
    *,
    by: Party,
    now: datetime,
) -> Pledge:
    """Let a registration stand for a contract, on the contract too; the one before must have ended."""
    row = Pledge(
        contract_id=contract.id,
        number=number,
        registered_on=registered_on,
        expires_on=expires_on,
        evidence=evidence,
        recorded_by=by.user_id,
        recorded_at=now,
    )
    session.add(row)
    contract.pledge_number, contract.pledge_expires_on = number, expires_on
    return row


def find_standing(session: Session, contract_id: int) -> Pledge | None:
    """Return the registration that stands for a contract, or None."""
    return session.scalar(select(Pledge).where(Pledge.contract_id == contract_id, Pledge.ended_at.is_(None)))


def end_pledge(session: Session, contract: Contract, why: PledgeEnd, now: datetime) -> None:
    """End the standing registration, if there is one, with the warnings about it."""
    row = find_standing(session, contract.id)
    if row is not None:
        row.ended_at, row.ended_why = now, why
        settle_warnings(session, row, why.value, now)
        session.flush()


def name_warning(pledge_id: int, days: int) -> str:
    """Return the subject of the alert that a registration has come to so many days of its end."""
    return f"pledge:{pledge_id}:{days}"


def settle_warnings(session: Session, row: Pledge, why: str, now: datetime, *, besides: int = 0) -> None:
    """Close the open warnings about a registration, but the one at ``besides`` days."""
    for days in contract_loan.PLEDGE_WARNINGS:
        if days != besides:
            alerts.settle(session, AlertKind.PLEDGE_EXPIRING, name_warning(row.id, days), why, now=now)


def drop_change(session: Session, contract: Contract, why: str, now: datetime) -> None:
    """Withdraw the open wish to change an account that is not locked any more."""
    session.execute(
        update(AccountChange)
        .where(AccountChange.contract_id == contract.id, AccountChange.state == AccountChangeState.REQUESTED)
        .values(state=AccountChangeState.WITHDRAWN, decided_at=now, why=why)
    )
