"""Alerts: raised once per subject, listed for whoever must look, resolved with a word of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session, joinedload

from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import AlertKind, Capability
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from services import audit

#: Alerts that a decision elsewhere closes: a word of what was done would leave it undecided.
DECIDED = frozenset({AlertKind.LOW_BID})


def raise_alert(
    session: Session,
    zone_id: int,
    kind: AlertKind,
    subject: str,
    *,
    now: datetime,
    contract_id: int | None = None,
    loan_id: int | None = None,
    **details: Any,
) -> None:
    """Raise an alert inside the caller's transaction, unless one of its kind and subject is open."""
    if _open(session, kind, subject) is None:
        session.add(
            Alert(
                zone_id=zone_id,
                kind=kind,
                subject=subject,
                contract_id=contract_id,
                loan_id=loan_id,
                details=details,
                raised_at=now,
            )
        )
        session.flush()


def settle(
    session: Session,
    kind: AlertKind,
    subject: str,
    resolution: str,
    *,
    now: datetime,
    by: Party | None = None,
) -> None:
    """Close an open alert whose cause went away, inside the caller's transaction, by whose deed."""
    alert = _open(session, kind, subject)
    if alert is not None:
        alert.resolved_at, alert.resolution = now, resolution
        alert.resolved_by = by.user_id if by is not None else None
        session.flush()


def is_open(kind: AlertKind, subject: str) -> bool:
    """Say whether an alert of a kind is open on a subject."""
    return _open(db.session(), kind, subject) is not None


def resolve(alert_id: int, resolution: str, *, by: Party, now: datetime) -> Alert:
    """Close an alert by hand, saying what was done; officers, or the lender it concerns.

    Raises ``Conflict`` for one that a decision closes.
    """
    by.require(Capability.OFFICER, Capability.INSTITUTION_APPROVER)
    if not resolution.strip():
        raise invalid(Code.REQUIRED, "resolution")
    if len(resolution) > 300:
        raise invalid(Code.TOO_LONG, "resolution", value=resolution[:40], most=300)
    with transaction() as session:
        alert = session.get(Alert, alert_id, with_for_update=True)
        if (
            alert is None
            or alert.zone_id != by.zone_id
            or session.scalar(select(Alert.id).where(Alert.id == alert.id, _concerning(by))) is None
        ):
            raise not_found("alert", alert_id)
        if alert.resolved_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="resolved", move="resolve")
        if alert.kind in DECIDED:
            raise conflict(Code.ILLEGAL_MOVE, state="undecided", move="resolve")
        alert.resolved_at, alert.resolved_by, alert.resolution = now, by.user_id, resolution.strip()
        audit.record(session, "alert.resolve", alert, by=by, now=now, kind=alert.kind.value)
    return alert


def list_open(by: Party) -> list[Alert]:
    """Return the open alerts the party must look at, newest first."""
    return list(
        db.session.scalars(
            select(Alert)
            .where(Alert.zone_id == by.zone_id, Alert.resolved_at.is_(None), _concerning(by))
            .order_by(Alert.raised_at.desc(), Alert.id.desc())
        )
    )


def list_resolved(by: Party, most: int = 200) -> list[Alert]:
    """Return the newest resolved alerts of the party's zone; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return list(
        db.session.scalars(
            select(Alert)
            .where(Alert.zone_id == by.zone_id, Alert.resolved_at.is_not(None))
            .order_by(Alert.resolved_at.desc(), Alert.id.desc())
            .limit(most)
        )
    )


@dataclass(frozen=True, slots=True)
class Subjects:
    """What alerts are about: loans and contracts by their number."""

    loans: dict[int, Loan]
    contracts: dict[int, Contract]


def read_subjects(found: Sequence[Alert]) -> Subjects:
    """Return the loans and contracts that alerts, which the party may see, are about."""
    loan_ids = {alert.loan_id for alert in found if alert.loan_id is not None}
    contract_ids = {alert.contract_id for alert in found if alert.contract_id is not None}
    lent = db.session.scalars(
        select(Loan).where(Loan.id.in_(loan_ids)).options(joinedload(Loan.borrower), joinedload(Loan.lender))
    )
    contracts = db.session.scalars(select(Contract).where(Contract.id.in_(contract_ids)))
    return Subjects({loan.id: loan for loan in lent}, {contract.id: contract for contract in contracts})


def list_for_contract(contract_id: int, *, by: Party) -> list[Alert]:
    """Return the alerts on a contract that are the party's to know, resolved ones too, newest first."""
    return list(
        db.session.scalars(
            select(Alert)
            .where(Alert.contract_id == contract_id, Alert.zone_id == by.zone_id, _concerning(by))
            .order_by(Alert.id.desc())
        )
    )


def list_for_loan(loan: Loan, *, by: Party) -> list[Alert]:
    """Return the alerts on a loan, and on its contract since it was approved, that are the party's to know.

    Resolved ones too, oldest first.
    """
    of_contract = and_(
        Alert.loan_id.is_(None), Alert.contract_id == loan.contract_id, Alert.raised_at >= loan.approved_at
    )
    return list(
        db.session.scalars(
            select(Alert)
            .where(Alert.zone_id == by.zone_id, or_(Alert.loan_id == loan.id, of_contract), _concerning(by))
            .order_by(Alert.id)
        )
    )


def name_reports(zone_id: int, lender_id: int) -> str:
    """Return how the subjects of alerts on a lender's reports begin."""
    return f"report:{zone_id}:{lender_id}:"


def _open(session: Session, kind: AlertKind, subject: str) -> Alert | None:
    return session.scalar(
        select(Alert).where(Alert.kind == kind, Alert.subject == subject, Alert.resolved_at.is_(None))
    )


def _concerning(by: Party) -> ColumnElement[bool]:
    """Return the condition that an alert is the party's to look at.

    A loan's alert is its lender's and its firm's alone: neither the purchaser nor who lent on the same
    contract before is told that a firm is late. A contract's alert is its two sides' and its live lender's,
    that of a missing report the lender's.
    """
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return true()
    own = by.organisation_id
    # That its second financing was refused leads a firm to nobody: who holds the claim is asked about alone.
    told = and_(Loan.borrower_id == own, Alert.kind != AlertKind.FINANCING_REFUSED)
    contracts = select(Contract.id).where((Contract.supplier_id == own) | (Contract.purchaser_id == own))
    financed = select(Financing.contract_id).where(Financing.lender_id == own, Financing.ended_at.is_(None))
    reports = and_(
        Alert.kind == AlertKind.REPORT_MISSING, Alert.subject.startswith(name_reports(by.zone_id, own or 0))
    )
    return or_(
        reports,
        select(Loan.id).where(Loan.id == Alert.loan_id, or_(Loan.lender_id == own, told)).exists(),
        and_(
            Alert.loan_id.is_(None),
            or_(
                and_(Alert.kind != AlertKind.FINANCING_REFUSED, Alert.contract_id.in_(contracts)),
                Alert.contract_id.in_(financed),
            ),
        ),
    )
