"""Pledge registrations: renewed in time, watched as they run out."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select

from market import contract_loan
from market.calendar import add_months, local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.ladder_vocabulary import PledgeEnd
from market.party import Party
from market.vocabulary import LIVE_LOANS, PROMISED_LOANS, AlertKind, Capability, LoanState
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.loan import Instalment, Loan
from models.pledge import Pledge
from services import alerts, audit, collateral, contract_steps


def renew(
    contract_id: int,
    number: str,
    registered_on: date,
    expires_on: date,
    *,
    evidence: str = "",
    by: Party,
    now: datetime,
) -> Pledge:
    """Let a new registration take the place of the standing one; by the contract's lender.

    Under the same number it must hold longer (an extension); a new number is a new entry. Raises ``Invalid``
    for a registration of the future, or one that is over already.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    number, evidence, today = number.strip(), evidence.strip(), local_date(now)
    faults = []
    if not number:
        faults.append(Fault(Code.REQUIRED, "pledge_number"))
    if registered_on > today:
        values = {"value": str(registered_on), "most": str(today)}
        faults.append(Fault(Code.TOO_LARGE, "registered_on", values))
    if expires_on <= today:
        values = {"value": str(expires_on), "after": str(today)}
        faults.append(Fault(Code.OUT_OF_ORDER, "pledge_expires_on", values))
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        if contract_steps.find_lender(session, contract.id) != by.organisation_id:
            raise not_found("contract", contract_id)
        former = collateral.find_standing(session, contract.id)
        if former is None:
            raise conflict(Code.NO_PLEDGE)
        if registered_on < former.registered_on:
            earlier = str(former.registered_on)
            raise invalid(Code.OUT_OF_ORDER, "registered_on", value=str(registered_on), after=earlier)
        if number == former.number and expires_on <= former.expires_on:
            until = str(former.expires_on)
            raise invalid(Code.OUT_OF_ORDER, "pledge_expires_on", value=str(expires_on), after=until)
        collateral.end_pledge(session, contract, PledgeEnd.RENEWED, now)
        row = collateral.pledge(
            session, contract, number, registered_on, expires_on, evidence, by=by, now=now
        )
        contract.updated_at = now
        audit.record(session, "contract.pledge.renew", contract, by=by, now=now, until=str(expires_on))
    return row


def may_renew(contract: Contract, *, by: Party) -> bool:
    """Say whether the party is the lender whose registration stands for a contract."""
    return (
        by.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        and contract_steps.find_lender(db.session(), contract.id) == by.organisation_id
        and collateral.find_standing(db.session(), contract.id) is not None
    )


def list_all(contract_id: int) -> list[Pledge]:
    """Return the registrations of a contract, the newest first."""
    return list(
        db.session.scalars(select(Pledge).where(Pledge.contract_id == contract_id).order_by(Pledge.id.desc()))
    )


def find_standing(contract_id: int) -> Pledge | None:
    """Return the registration that stands for a contract, or None."""
    return collateral.find_standing(db.session(), contract_id)


def find_loan_end(contract_id: int, today: date) -> date | None:
    """Return the day the last live loan on a contract ends, were it drawn today; None without one."""
    session = db.session()
    drawn = session.scalar(
        select(func.max(Instalment.due_on))
        .join(Loan, Loan.id == Instalment.loan_id)
        .where(Loan.contract_id == contract_id, Loan.state == LoanState.DRAWN)
    )
    months = session.scalar(
        select(func.max(Loan.months)).where(Loan.contract_id == contract_id, Loan.state.in_(PROMISED_LOANS))
    )
    ends = [drawn] if drawn is not None else []
    ends += [add_months(today, months)] if months is not None else []
    return max(ends, default=None)


def list_expiring(zone_id: int, now: datetime) -> list[int]:
    """Return the standing registrations of a zone whose lender is to be warned anew, or no longer.

    A warning is given once for each of ``contract_loan.PLEDGE_WARNINGS``, whether resolved since or not.
    """
    today = local_date(now)
    told = {
        subject: resolved_at is None
        for subject, resolved_at in db.session.execute(
            select(Alert.subject, Alert.resolved_at).where(
                Alert.zone_id == zone_id, Alert.kind == AlertKind.PLEDGE_EXPIRING
            )
        )
    }
    lent = select(Loan.contract_id).where(Loan.state.in_(LIVE_LOANS), Loan.contract_id.is_not(None))
    latest = today.fromordinal(today.toordinal() + max(contract_loan.PLEDGE_WARNINGS))
    rows = db.session.execute(
        select(Pledge.id, Pledge.expires_on, Pledge.contract_id.in_(lent))
        .join(Contract, Contract.id == Pledge.contract_id)
        .where(Contract.zone_id == zone_id, Pledge.ended_at.is_(None), Pledge.expires_on <= latest)
        .order_by(Pledge.id)
    )
    due = []
    for pledge_id, expires_on, is_lent in rows:
        days = contract_loan.find_warning(expires_on, today)
        subject = collateral.name_warning(pledge_id, days or 0)
        if (is_lent and subject not in told) or (not is_lent and told.get(subject, False)):
            due.append(pledge_id)
    return due


def warn(pledge_id: int, *, by: Party, now: datetime) -> None:
    """Warn a lender that the registration it leans on runs out, or take the warning back; twice is once."""
    seen = db.session.get_one(Pledge, pledge_id)
    contract_id = seen.contract_id
    with transaction() as session:
        contract = contract_steps.lock(session, contract_id, by)
        row = session.get_one(Pledge, pledge_id)
        if row.ended_at is not None:
            return
        if not contract_steps.has_live_loan(session, contract.id):
            collateral.settle_warnings(session, row, "repaid", now)
            return
        days = contract_loan.find_warning(row.expires_on, local_date(now))
        if days is None:
            return
        collateral.settle_warnings(session, row, "superseded", now, besides=days)
        alerts.raise_alert(
            session,
            contract.zone_id,
            AlertKind.PLEDGE_EXPIRING,
            collateral.name_warning(row.id, days),
            now=now,
            contract_id=contract.id,
            due_on=row.expires_on.isoformat(),
            number=row.number,
            days=days,
        )
