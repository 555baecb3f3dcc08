"""Contract records into rows: new contracts, amended ones with their history, and their payments.

Used inside a transaction of the caller. Locks are taken in the order of the house: limits of lenders
with live loans first, then the contracts by row number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from market import contract_loan, financing_key
from market.calendar import local_date
from market.contract_record import (
    DOUBTS,
    ContractRecord,
    Obstacle,
    PaymentRecord,
    amend,
    find_obstacles,
    key_payments,
)
from market.party import Party
from market.vocabulary import LIVE_LOANS, ContractStage, LoanState
from models.contract import Contract, ContractRevision
from models.loan import Loan
from models.organisation import Organisation
from models.payment import PurchaserPayment
from services import contract_loans, contract_steps, exposures, payment_matching, payment_states

SOURCE = "ocds"

#: Columns that a record decides; what one of them said before goes into the contract's history.
_COLUMNS = (
    "number",
    "title",
    "status",
    "award_id",
    "purchaser_name",
    "purchaser_code",
    "supplier_name",
    "supplier_code",
    "amount",
    "currency",
    "signed_on",
    "starts_on",
    "ends_on",
    "obstacles",
)


@dataclass(slots=True)
class Outcome:
    """How many contracts of a batch were new and how many were known; a contract told twice counts twice."""

    imported: int = 0
    updated: int = 0


def upsert(session: Session, records: Sequence[ContractRecord], *, by: Party, now: datetime) -> Outcome:
    """Store records in their order; payments that came in move the loans that lean on their contract."""
    records = [_doubt_future(record, local_date(now)) for record in records]
    rows = _lock_known(session, records)
    before = {row.id for row in rows.values()}
    organisations = _find_organisations(session, records)
    outcome = Outcome()
    for record in records:
        key = (record.process_id, record.contract_id)
        if key in rows:
            _amend(session, rows[key], record, organisations, now)
            outcome.updated += 1
        else:
            rows[key] = _create(record, organisations, by=by, now=now)
            session.add(rows[key])
            outcome.imported += 1
    today = local_date(now)
    for row in rows.values():
        payment_states.assign(row, today)
    session.flush()
    for row in rows.values():
        if row.signed_on is not None and row.signed_on <= today and row.stage is ContractStage.AWARDED:
            contract_steps.climb_to(session, row, ContractStage.SIGNED, by=by, now=now)
    session.flush()
    for row in _with_loans(session, [row for row in rows.values() if row.id in before]):
        _settle(session, row, by=by, now=now)
    payment_matching.match_waiting(session, rows.values(), by=by, now=now)
    return outcome


def _lock_known(session: Session, records: Sequence[ContractRecord]) -> dict[tuple[str, str], Contract]:
    """Return the rows that exist already, locked, with their payments."""
    keys = sorted({(record.process_id, record.contract_id) for record in records})
    known = tuple_(Contract.process_id, Contract.contract_id).in_(keys)
    known_ids = select(Contract.id).where(known)
    exposures.lock(session, Loan.contract_id.in_(known_ids), Loan.state.in_(LIVE_LOANS))
    rows = session.scalars(
        select(Contract)
        .where(known)
        .order_by(Contract.id)
        .options(selectinload(Contract.payments), selectinload(Contract.plan))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(row.process_id, row.contract_id): row for row in rows}


def _find_organisations(session: Session, records: Iterable[ContractRecord]) -> dict[str, int]:
    codes = {code for r in records for code in (r.supplier_code, r.purchaser_code) if code is not None}
    found = session.execute(
        select(Organisation.credit_code, Organisation.id).where(Organisation.credit_code.in_(codes))
    )
    return {code: id for code, id in found}


def _create(record: ContractRecord, organisations: dict[str, int], *, by: Party, now: datetime) -> Contract:
    row = Contract(
        zone_id=by.zone_id,
        process_id=record.process_id,
        contract_id=record.contract_id,
        retention=0,
        source=SOURCE,
        stage=ContractStage.AWARDED,
        created_at=now,
    )
    _apply(row, record, organisations, now)
    _take_payments(row, record.payments, now, overrides=True)
    return row


def _amend(
    session: Session, row: Contract, record: ContractRecord, organisations: dict[str, int], now: datetime
) -> None:
    is_older = (
        row.released_at is not None
        and record.released_at is not None
        and record.released_at < row.released_at
    )
    # Payments are joined row by row below; here they only say whether earlier doubts about them stand.
    merged = amend(_read(row), record)
    if record.amount is not None and record.supplier_code is not None:
        # A published record vouches for what its supplier had entered, if it says who is owed how much.
        merged = replace(merged, doubts=merged.doubts - {Obstacle.UNCONFIRMED})
    former = {name: getattr(row, name) for name in _COLUMNS}
    _apply(row, merged, organisations, now)
    changed = {name: _as_json(value) for name, value in former.items() if getattr(row, name) != value}
    if changed:
        session.flush()
        last = session.scalar(
            select(func.max(ContractRevision.number)).where(ContractRevision.contract_id == row.id)
        )
        session.add(
            ContractRevision(contract_id=row.id, number=(last or 0) + 1, replaced_at=now, former=changed)
        )
        row.updated_at = now
    _take_payments(row, record.payments, now, overrides=not is_older)


def _read(row: Contract) -> ContractRecord:
    """Return what is known of a contract as a record, without its payments."""
    return ContractRecord(
        process_id=row.process_id,
        contract_id=row.contract_id,
        number=row.number,
        title=row.title or None,
        status=row.status,
        award_id=row.award_id,
        purchaser_name=row.purchaser_name,
        purchaser_code=row.purchaser_code,
        supplier_name=row.supplier_name,
        supplier_code=row.supplier_code,
        amount=row.amount,
        currency=row.currency,
        signed_on=row.signed_on,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        doubts=frozenset(Obstacle(word) for word in row.obstacles) & (DOUBTS | {Obstacle.UNCONFIRMED}),
        released_at=row.released_at,
    )


def _apply(row: Contract, record: ContractRecord, organisations: dict[str, int], now: datetime) -> None:
    row.number, row.title, row.status = record.number, record.title or "", record.status
    row.award_id = record.award_id
    # A code that did not change may come from an earlier record: then this batch has not looked it up.
    if row.supplier_code != record.supplier_code:
        row.supplier_id = None
    if row.purchaser_code != record.purchaser_code:
        row.purchaser_id = None
    row.purchaser_name, row.purchaser_code = record.purchaser_name, record.purchaser_code
    row.supplier_name, row.supplier_code = record.supplier_name, record.supplier_code
    row.supplier_id = organisations.get(record.supplier_code or "", row.supplier_id)
    row.purchaser_id = organisations.get(record.purchaser_code or "", row.purchaser_id)
    row.amount, row.currency = record.amount, record.currency
    row.signed_on, row.starts_on, row.ends_on = record.signed_on, record.starts_on, record.ends_on
    obstacles = set(find_obstacles(record))
    if row.terminated_on is not None:
        # What its purchaser ended here does not come to life again with a record that has not heard of it.
        obstacles.add(Obstacle.TERMINATED)
    row.obstacles = [obstacle.value for obstacle in Obstacle if obstacle in obstacles]
    row.released_at = record.released_at
    code = record.supplier_code
    row.financing_key = financing_key.make_key(record.number, code) if code is not None else None
    if row.accepted_on is None and not row.plan and record.ends_on is not None:
        row.last_due_on = contract_loan.statutory_due(record.ends_on, row.payment_days)
    if row.updated_at is None:
        row.updated_at = now


def _take_payments(
    row: Contract, payments: Iterable[PaymentRecord], now: datetime, *, overrides: bool
) -> None:
    """Add payments that are new; correct known ones, unless they took effect or this record is the older."""
    known = {payment.transaction_id: payment for payment in row.payments}
    for key, payment in key_payments(payments).items():
        stored = known.get(key)
        if stored is None:
            stored = PurchaserPayment(transaction_id=key, recorded_at=now)
            row.payments.append(stored)
            known[key] = stored
        elif stored.settled_at is not None or stored.handled_at is not None or not overrides:
            # What took effect, or what somebody said of it, is not undone by reading a record again.
            continue
        stored.paid_on, stored.amount = payment.paid_on, payment.amount
        stored.currency = payment.currency or row.currency
        stored.payer, stored.payee = payment.payer, payment.payee
        stored.payee_account = payment.payee_account or stored.payee_account


def _with_loans(session: Session, rows: Sequence[Contract]) -> list[Contract]:
    ids = [row.id for row in rows]
    live = set(
        session.scalars(select(Loan.contract_id).where(Loan.contract_id.in_(ids), Loan.state.in_(LIVE_LOANS)))
    )
    return sorted((row for row in rows if row.id in live), key=lambda row: row.id)


def _settle(session: Session, row: Contract, *, by: Party, now: datetime) -> None:
    """Let payments from after the drawdown settle the contract's loans, in the order they were made."""
    drawn_on = session.scalar(
        select(func.min(Loan.drawn_on)).where(Loan.contract_id == row.id, Loan.state == LoanState.DRAWN)
    )
    for payment in sorted(row.payments, key=lambda p: (p.paid_on or date.max, p.id)):
        # What was paid before anything was drawn is history; a refund takes nothing back from a lender.
        if payment.amount > 0 and (
            payment.paid_on is None or (drawn_on is not None and payment.paid_on >= drawn_on)
        ):
            contract_loans.settle(session, row, payment, by=by, now=now, is_published=True)


def _doubt_future(record: ContractRecord, today: date) -> ContractRecord:
    """Return the record with days of payment that have not come yet taken out, and the doubt said."""
    if not any(payment.paid_on is not None and payment.paid_on > today for payment in record.payments):
        return record
    payments = tuple(
        replace(payment, paid_on=None) if payment.paid_on is not None and payment.paid_on > today else payment
        for payment in record.payments
    )
    return replace(record, payments=payments, doubts=record.doubts | {Obstacle.DOUBTFUL_PAYMENTS})


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
