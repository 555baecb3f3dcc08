"""Purchasers' payments as lists: whatever their state, and what somebody must resolve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from market.calendar import local_date
from market.errors import not_found
from market.late_interest import LateInterest
from market.party import Party
from market.payment_vocabulary import TO_RESOLVE, PaymentResolution, PaymentState
from market.vocabulary import Capability
from models.base import db
from models.contract import Contract
from models.financing import Financing
from models.payment import PlannedPayment, PurchaserPayment
from services import contract_loans, payment_resolutions, payment_states

WATCHERS = (Capability.OFFICER, Capability.AUDITOR)


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list, and how many rows there are in all."""

    rows: Sequence[PurchaserPayment]
    total: int


def find_page(
    by: Party,
    *,
    state: PaymentState | None = None,
    to_resolve: bool = False,
    search: str = "",
    before_id: int | None = None,
    offset: int = 0,
    most: int = 50,
) -> Found:
    """Return the payments the party may see in its zone, newest first, ``most`` from ``offset`` on.

    Officers and auditors see all of the zone; others those of contracts they supply, buy or finance now.
    """
    query = (
        select(PurchaserPayment)
        .join(Contract, Contract.id == PurchaserPayment.contract_id)
        .where(Contract.zone_id == by.zone_id, _concerning(by))
    )
    if state is not None:
        query = query.where(PurchaserPayment.state == state)
    if to_resolve:
        query = query.where(_waits())
    if before_id is not None:
        query = query.where(PurchaserPayment.id < before_id)
    if wanted := search.strip():
        columns = (PurchaserPayment.transaction_id, Contract.number, Contract.title, PurchaserPayment.payer)
        query = query.where(or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.options(
            joinedload(PurchaserPayment.contract).joinedload(Contract.purchaser),
            joinedload(PurchaserPayment.contract).joinedload(Contract.supplier),
        )
        .order_by(PurchaserPayment.id.desc())
        .offset(offset)
        .limit(most)
    )
    return Found(list(rows), total)


def count_waiting(by: Party) -> dict[PaymentState, int]:
    """Return how many of the party's payments wait to be resolved, by their state."""
    query = (
        select(PurchaserPayment.state, func.count())
        .join(Contract, Contract.id == PurchaserPayment.contract_id)
        .where(Contract.zone_id == by.zone_id, _concerning(by), _waits())
        .group_by(PurchaserPayment.state)
    )
    return {state: count for state, count in db.session.execute(query)}


def find(payment_id: int, *, by: Party) -> PurchaserPayment:
    """Return a payment of a contract that the party supplies, buys or finances, or watches over."""
    row = db.session.scalar(
        select(PurchaserPayment)
        .join(Contract, Contract.id == PurchaserPayment.contract_id)
        .where(PurchaserPayment.id == payment_id, Contract.zone_id == by.zone_id, _concerning(by))
    )
    if row is None:
        raise not_found("payment", payment_id)
    return row


def list_linked(row: PurchaserPayment) -> list[PurchaserPayment]:
    """Return what a payment answers, and the rows that answer it: reversals, refunds, money passed on."""
    answered = {row.reverses_id, row.follows_id} - {None}
    linked = or_(
        PurchaserPayment.reverses_id == row.id,
        PurchaserPayment.follows_id == row.id,
        PurchaserPayment.id.in_(answered),
    )
    return list(db.session.scalars(select(PurchaserPayment).where(linked).order_by(PurchaserPayment.id)))


@dataclass(frozen=True, slots=True)
class Moves:
    """What a party can do about a payment now."""

    date: bool = False
    accept_account: bool = False
    send_back: bool = False
    redirect: bool = False
    leave_to_supplier: bool = False
    refund: bool = False
    correct: bool = False
    reopen: bool = False


def list_moves(row: PurchaserPayment, *, by: Party) -> Moves:
    """Return what the party can do about a payment; the verbs of ``payment_resolutions`` decide anew."""
    if not contract_loans.may_record(row.contract, by=by):
        return Moves()
    is_purchaser = not by.may(*payment_resolutions.LENDERS, Capability.OFFICER)
    gone = row.resolution in contract_loans.GONE or row.reverses_id is not None
    astray = row.state is PaymentState.WRONG_ACCOUNT and row.resolution is None and not is_purchaser
    over = row.state is PaymentState.OVER and row.resolution is None and not is_purchaser
    return Moves(
        date=row.paid_on is None and not gone,
        accept_account=astray and by.may(Capability.INSTITUTION_APPROVER),
        send_back=astray,
        redirect=astray,
        leave_to_supplier=over,
        refund=over,
        correct=not gone and not is_purchaser,
        reopen=payment_resolutions.may_reopen(row)
        and (not is_purchaser or row.resolution is not PaymentResolution.TO_SUPPLIER),
    )


@dataclass(frozen=True, slots=True)
class LateContract:
    """A contract whose purchaser paid late or still owes: the late interest counted up to a day."""

    contract: Contract
    interest: LateInterest
    late_since: date | None


def list_late(by: Party, now: datetime, most: int = 500) -> list[LateContract]:
    """Return the party's contracts with late interest on them, the dearest first, counted up to today."""
    today = local_date(now)
    due = select(PlannedPayment.contract_id).where(PlannedPayment.due_on < today)
    begun = Contract.accepted_on.is_not(None) | Contract.delivered_on.is_not(None)
    query = (
        select(Contract)
        .where(Contract.zone_id == by.zone_id, _concerning(by), begun | Contract.id.in_(due))
        .options(
            selectinload(Contract.plan),
            selectinload(Contract.payments),
            joinedload(Contract.purchaser),
            joinedload(Contract.supplier),
        )
        .order_by(Contract.id)
    )
    found = []
    for contract in db.session.scalars(query):
        interest = payment_states.read_late_interest(contract, today)
        if interest.segments:
            found.append(LateContract(contract, interest, payment_states.find_late(contract, today)))
    found.sort(key=lambda row: (-row.interest.total, -row.interest.open, row.contract.id))
    return found[:most]


def _waits() -> ColumnElement[bool]:
    return and_(PurchaserPayment.state.in_(TO_RESOLVE), PurchaserPayment.resolution.is_(None))


def _concerning(by: Party) -> ColumnElement[bool]:
    if by.may(*WATCHERS):
        return Contract.id.is_not(None)
    financed = select(Financing.contract_id).where(
        Financing.lender_id == by.organisation_id, Financing.ended_at.is_(None)
    )
    return or_(
        Contract.supplier_id == by.organisation_id,
        Contract.purchaser_id == by.organisation_id,
        Contract.id.in_(financed),
    )
