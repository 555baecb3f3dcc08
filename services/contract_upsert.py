"""Contract records into rows: new contracts, amended ones with their history, and their payments.

Used inside a transaction of the caller. Locks are taken in the order of the house: limits of lenders
with live loans first, then the contracts by row number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
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
from market.vocabulary import LIVE_LOANS, PAID_OUT_LOANS, AlertKind, ContractStage
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.organisation import Organisation
from services import alerts, contract_loans, contract_rows, payment_matching, payment_states
from services.contract_rows import Columns, Row

SOURCE = "ocds"
#: Contracts with payments that are compared at a time.
_PART = 1000

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
#: What a lender lent on: a record that says otherwise calls for a look.
_LENT_ON = frozenset({"number", "supplier_code", "amount"})


@dataclass(slots=True)
class Outcome:
    """How many contracts of a batch were new and how many were known; a contract told twice counts twice."""

    imported: int = 0
    updated: int = 0


def upsert(
    session: Session, records: Sequence[ContractRecord], *, by: Party, now: datetime, source: str = SOURCE
) -> Outcome:
    """Store records in their order; payments that came in move the loans that lean on their contract."""
    today = local_date(now)
    records = [_doubt_future(record, today) for record in records]
    rows = contract_rows.lock(session, ((record.process_id, record.contract_id) for record in records))
    before = list(rows.values())
    organisations = _find_organisations(session, records)
    outcome = Outcome()
    for record in records:
        key = (record.process_id, record.contract_id)
        if key in rows:
            _amend(rows[key], record, organisations, now)
            outcome.updated += 1
        else:
            rows[key] = _create(record, organisations, source, by=by, now=now)
            outcome.imported += 1
    for row in rows.values():
        _sign(row, today, now)
    contract_rows.write(session, list(rows.values()), recorded_by=by.user_id, now=now)
    _assign_states(session, rows.values(), today)
    _warn(session, before, now)
    for contract in _with_loans(session, before):
        _settle(session, contract, by=by, now=now)
    numbers = {row.id: row.columns["number"] for row in rows.values() if row.id is not None}
    payment_matching.match_waiting(session, numbers, by=by, now=now)
    return outcome


def _find_organisations(session: Session, records: Iterable[ContractRecord]) -> dict[str, int]:
    codes = {code for r in records for code in (r.supplier_code, r.purchaser_code) if code is not None}
    found = session.execute(
        select(Organisation.credit_code, Organisation.id).where(Organisation.credit_code.in_(codes))
    )
    return {code: id for code, id in found}


def _create(
    record: ContractRecord, organisations: dict[str, int], source: str, *, by: Party, now: datetime
) -> Row:
    columns: Columns = {
        "zone_id": by.zone_id,
        "process_id": record.process_id,
        "contract_id": record.contract_id,
        "retention": record.retention or 0,
        "payment_days": record.payment_days,
        "source": source,
        "stage": ContractStage.AWARDED,
        "accepted_on": None,
        "last_due_on": None,
        "created_at": now,
        "updated_at": now,
        "supplier_id": None,
        "purchaser_id": None,
        "supplier_code": None,
        "purchaser_code": None,
    }
    row = Row(columns)
    _apply(row, record, organisations)
    _take_payments(row, record, now)
    return row


def _amend(row: Row, record: ContractRecord, organisations: dict[str, int], now: datetime) -> None:
    # Payments are joined row by row below; here they only say whether earlier doubts about them stand.
    merged = amend(_read(row), record)
    if record.amount is not None and record.supplier_code is not None:
        # A published record vouches for what its supplier had entered, if it says who is owed how much.
        merged = replace(merged, doubts=merged.doubts - {Obstacle.UNCONFIRMED})
    former = dict(row.columns)
    _apply(row, merged, organisations)
    if former != row.columns:
        row.is_changed = True
        changed = {name: _as_json(former[name]) for name in _COLUMNS if former[name] != row.columns[name]}
        if changed:
            row.former.append(changed)
            row.columns["updated_at"] = now
    _take_payments(row, record, now)


def _read(row: Row) -> ContractRecord:
    """Return what is known of a contract as a record, with its payments only to say that there are some."""
    columns = row.columns
    return ContractRecord(
        process_id=columns["process_id"],
        contract_id=columns["contract_id"],
        number=columns["number"],
        title=columns["title"] or None,
        status=columns["status"],
        award_id=columns["award_id"],
        purchaser_name=columns["purchaser_name"],
        purchaser_code=columns["purchaser_code"],
        supplier_name=columns["supplier_name"],
        supplier_code=columns["supplier_code"],
        amount=columns["amount"],
        currency=columns["currency"],
        signed_on=columns["signed_on"],
        starts_on=columns["starts_on"],
        ends_on=columns["ends_on"],
        payments=_SOME_PAYMENT if row.payments else (),
        doubts=frozenset(Obstacle(word) for word in columns["obstacles"]) & (DOUBTS | {Obstacle.UNCONFIRMED}),
        released_at=columns["released_at"],
        older={name: datetime.fromisoformat(at) for name, at in (columns["older_fields"] or {}).items()},
    )


_SOME_PAYMENT = (PaymentRecord(0),)


def _apply(row: Row, record: ContractRecord, organisations: dict[str, int]) -> None:
    columns = row.columns
    # A code that did not change may come from an earlier record: then this batch has not looked it up.
    if columns["supplier_code"] != record.supplier_code:
        columns["supplier_id"] = None
    if columns["purchaser_code"] != record.purchaser_code:
        columns["purchaser_id"] = None
    columns["number"], columns["title"], columns["status"] = record.number, record.title or "", record.status
    columns["award_id"] = record.award_id
    columns["purchaser_name"], columns["purchaser_code"] = record.purchaser_name, record.purchaser_code
    columns["supplier_name"], columns["supplier_code"] = record.supplier_name, record.supplier_code
    columns["supplier_id"] = organisations.get(record.supplier_code or "", columns["supplier_id"])
    columns["purchaser_id"] = organisations.get(record.purchaser_code or "", columns["purchaser_id"])
    columns["amount"], columns["currency"] = record.amount, record.currency
    columns["signed_on"], columns["starts_on"] = record.signed_on, record.starts_on
    columns["ends_on"] = record.ends_on
    obstacles = set(find_obstacles(record))
    if columns.get("terminated_on") is not None:
        # What its purchaser ended here does not come to life again with a record that has not heard of it.
        obstacles.add(Obstacle.TERMINATED)
    columns["obstacles"] = [obstacle.value for obstacle in Obstacle if obstacle in obstacles]
    columns["released_at"] = record.released_at
    columns["older_fields"] = {name: at.isoformat() for name, at in sorted(record.older.items())} or None
    code = record.supplier_code
    columns["financing_key"] = financing_key.make_key(record.number, code) if code is not None else None
    if columns["accepted_on"] is None and not row.is_planned and record.ends_on is not None:
        columns["last_due_on"] = contract_loan.statutory_due(record.ends_on, columns["payment_days"])


def _sign(row: Row, today: date, now: datetime) -> None:
    """Let a contract whose day of signing has come climb the first rung."""
    columns = row.columns
    signed_on = columns["signed_on"]
    if columns["stage"] is ContractStage.AWARDED and signed_on is not None and signed_on <= today:
        columns["stage"], columns["updated_at"] = ContractStage.SIGNED, now
        row.is_signed_now = row.is_changed = True


def _take_payments(row: Row, record: ContractRecord, now: datetime) -> None:
    """Add payments that are new; correct known ones, unless they took effect or this record is the older."""
    for key, payment in key_payments(record.payments).items():
        stored = row.payments.get(key)
        said: Columns = {
            "paid_on": payment.paid_on,
            "amount": payment.amount,
            "currency": payment.currency or row.columns["currency"],
            "payer": payment.payer,
            "payee": payment.payee,
            "payee_account": payment.payee_account,
            "released_at": record.released_at,
        }
        if stored is None:
            fixed = {"transaction_id": key, "recorded_at": now, "settled_at": None}
            row.payments[key] = said | fixed
            row.fresh.add(key)
            continue
        # What took effect, or what somebody said of it, is not undone by reading a record again.
        if stored["settled_at"] is not None or stored.get("handled_at") is not None:
            continue
        if _is_older(record.released_at, stored["released_at"]):
            continue
        said["payee_account"] = said["payee_account"] or stored["payee_account"]
        said["released_at"] = record.released_at or stored["released_at"]
        if any(stored[name] != value for name, value in said.items()):
            stored.update(said)
            row.corrected.add(key)


def _is_older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _warn(session: Session, rows: Sequence[Row], now: datetime) -> None:
    """Raise an alert on each contract under a live financing that is no longer what was lent on."""
    amended = {row.id: row for row in rows if any(_LENT_ON & former.keys() for former in row.former)}
    if not amended:
        return
    financed = session.scalars(
        select(Financing.contract_id)
        .where(Financing.contract_id.in_(amended), Financing.ended_at.is_(None))
        .distinct()
        .order_by(Financing.contract_id)
    )
    for contract_id in financed:
        columns = amended[contract_id].columns
        alerts.raise_alert(
            session,
            columns["zone_id"],
            AlertKind.CONTRACT_AMENDED,
            f"contract:{contract_id}",
            now=now,
            contract_id=contract_id,
            number=columns["number"],
            amount=columns["amount"],
        )


def _assign_states(session: Session, rows: Iterable[Row], today: date) -> None:
    """Say how the payments of contracts stand to what is owed, where a record told of payments or of days."""
    ids = [row.id for row in rows if row.payments and (row.fresh or row.corrected or row.is_changed)]
    for start in range(0, len(ids), _PART):
        contracts = session.scalars(
            select(Contract)
            .where(Contract.id.in_(ids[start : start + _PART]))
            .options(selectinload(Contract.payments), selectinload(Contract.plan))
            .execution_options(populate_existing=True)
        )
        for contract in contracts:
            payment_states.assign(contract, today)
    session.flush()


def _with_loans(session: Session, rows: Sequence[Row]) -> list[Contract]:
    """Return the contracts among some rows that loans lean on, or leant on while the pledge stands.

    As they are now stored.
    """
    live = set(
        session.scalars(
            select(Loan.contract_id)
            .join(Contract, Contract.id == Loan.contract_id)
            .where(
                Contract.id.in_([row.id for row in rows]),
                or_(
                    Loan.state.in_(LIVE_LOANS),
                    and_(Loan.state.in_(PAID_OUT_LOANS), Contract.stage.in_(contract_loan.PLEDGED)),
                ),
            )
        )
    )
    if not live:
        return []
    return list(
        session.scalars(
            select(Contract)
            .where(Contract.id.in_(live))
            .order_by(Contract.id)
            .options(selectinload(Contract.payments), selectinload(Contract.plan))
            .execution_options(populate_existing=True)
        )
    )


def _settle(session: Session, row: Contract, *, by: Party, now: datetime) -> None:
    """Let payments from after the drawdown settle the contract's loans, in the order they were made."""
    drawn_on = contract_loans.find_first_drawdown(session, row.id)
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
