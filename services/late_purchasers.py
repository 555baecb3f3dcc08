"""Late purchasers: noticed once per due day, and watched until they have paid."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from market.calendar import local_date
from market.party import Party
from market.vocabulary import AlertKind
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.payment import PlannedPayment, PurchaserPayment
from services import alerts, payment_states


def list_overdue(zone_id: int, now: datetime) -> list[int]:
    """Return the financed contracts of a zone whose purchaser is newly late: no alert says so yet.

    An alert that an officer has resolved is not raised again for the same due date; one that payment closed
    is, should that payment turn out to be none.
    """
    today = local_date(now)
    told = db.session.execute(
        select(Alert.contract_id, Alert.details, Alert.resolved_at, Alert.resolved_by).where(
            Alert.zone_id == zone_id, Alert.kind == AlertKind.PURCHASER_OVERDUE
        )
    ).all()
    watched = {row.contract_id for row in told if row.resolved_at is None}
    known = {(row.contract_id, row.details.get("due_on")) for row in told if row.resolved_by is not None}
    late = []
    for contract in db.session.scalars(_ask_suspects(zone_id, today)):
        if contract.id in watched:
            continue
        due_on = payment_states.find_late(contract, today)
        if due_on is not None and (contract.id, _first_late_day(due_on).isoformat()) not in known:
            late.append(contract.id)
    return late


def _ask_suspects(zone_id: int, today: date) -> Select[Contract]:
    """Return the question for financed contracts on which something is due and less was paid.

    The database sums up; only those few are looked at part by part.
    """
    paid = (
        select(func.coalesce(func.sum(PurchaserPayment.amount), 0))
        .where(PurchaserPayment.contract_id == Contract.id, PurchaserPayment.paid_on.is_not(None))
        .scalar_subquery()
    )
    due = (
        select(func.coalesce(func.sum(PlannedPayment.amount), 0))
        .where(PlannedPayment.contract_id == Contract.id, PlannedPayment.due_on < today)
        .scalar_subquery()
    )
    planned = select(PlannedPayment.id).where(PlannedPayment.contract_id == Contract.id).exists()
    begun = Contract.accepted_on.is_not(None) | Contract.delivered_on.is_not(None)
    financed = select(Financing.contract_id).where(Financing.ended_at.is_(None))
    return (
        select(Contract)
        .where(
            Contract.zone_id == zone_id,
            Contract.id.in_(financed),
            or_(paid < due, and_(~planned, begun, paid < Contract.amount - Contract.retention)),
        )
        .options(selectinload(Contract.plan), selectinload(Contract.payments), joinedload(Contract.purchaser))
        .order_by(Contract.id)
    )


def note_overdue(contract_id: int, *, by: Party, now: datetime) -> None:
    """Raise the alert that a purchaser is late, if it is; raising it twice changes nothing."""
    with transaction() as session:
        contract = session.get_one(Contract, contract_id, with_for_update=True)
        since = find_overdue(contract, local_date(now))
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


def find_overdue(contract: Contract, today: date) -> date | None:
    """Return the first day the purchaser of a contract was late with what it has not paid yet, or None."""
    due_on = payment_states.find_late(contract, today)
    return None if due_on is None else _first_late_day(due_on)


def _first_late_day(due_on: date) -> date:
    return due_on + timedelta(days=1)
