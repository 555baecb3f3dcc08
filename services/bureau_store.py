"""Records of a bureau into the registry, inside the caller's transaction; a second time they change nothing.

Contracts and payments go through the registry's own import; what a bureau says beside fills what we do not
know, and amends what a bureau said before, with its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from market import contract_loan
from market.contract_record import ContractRecord
from market.errors import Code, Fault
from market.party import Party
from models.contract import Contract, ContractRevision
from models.organisation import Organisation
from models.payment import PlannedPayment, PurchaserPayment
from models.procurement import AwardNotice
from services import contract_upsert
from services.exchange.bureau_records import AwardRecord, ContractItem, Particulars, PaymentItem

SOURCE = "bureau"
#: What a bureau decides again and again; the plan and acceptance only where we know none.
_AMENDED = tuple(
    f.name for f in fields(Particulars) if f.name not in {"plan", "accepted_on", "retention", "payment_days"}
)

Key = tuple[str, str]


@dataclass(slots=True)
class Stored:
    """How many records were new and how many changed something; and which were refused, each with why."""

    imported: int = 0
    updated: int = 0
    refused: list[tuple[str, Fault]] = field(default_factory=list)


def name_record(record: AwardRecord | ContractItem | PaymentItem) -> str:
    """Return what a person knows a record by."""
    if isinstance(record, AwardRecord):
        return f"{record.project_number} {record.package_number}".strip()
    return record.record.number if isinstance(record, ContractItem) else record.number


def store_awards(session: Session, records: Sequence[AwardRecord], *, by: Party, now: datetime) -> Stored:
    """Add the award notices that are not known; a known one stays as it was first published."""
    keys = {(r.project_number, r.package_number, r.supplier_name) for r in records}
    columns = (AwardNotice.project_number, AwardNotice.package_number, AwardNotice.supplier_name)
    known = {
        tuple(row)
        for row in session.execute(
            select(*columns).where(AwardNotice.zone_id == by.zone_id, tuple_(*columns).in_(sorted(keys)))
        )
    }
    codes = {r.supplier_code for r in records if r.supplier_code is not None}
    firms = {
        code: number
        for code, number in session.execute(
            select(Organisation.credit_code, Organisation.id).where(Organisation.credit_code.in_(codes))
        )
    }
    stored = Stored()
    for record in records:
        key = (record.project_number, record.package_number, record.supplier_name)
        if key in known:
            continue
        known.add(key)
        values = {f.name: getattr(record, f.name) for f in fields(AwardRecord)}
        firm_id = firms.get(record.supplier_code or "")
        session.add(
            AwardNotice(zone_id=by.zone_id, supplier_id=firm_id, source=SOURCE, recorded_at=now, **values)
        )
        stored.imported += 1
    session.flush()
    return stored


def store_contracts(session: Session, items: Sequence[ContractItem], *, by: Party, now: datetime) -> Stored:
    """Put contracts on record, or amend them, through the registry's import; then their particulars.

    A contract that another zone keeps is refused: a bureau speaks for its own zone.
    """
    stored = Stored()
    zones = _find_zones(session, {_key(item.record) for item in items})
    mine = []
    for item in items:
        if zones.get(_key(item.record), by.zone_id) == by.zone_id:
            mine.append(item)
        else:
            stored.refused.append((item.record.number, _elsewhere(item.record.number)))
    if not mine:
        return stored
    known = {key for key, zone_id in zones.items() if zone_id == by.zone_id}
    before = _read_stamps(session, known)
    contract_upsert.upsert(session, [item.record for item in mine], by=by, now=now)
    rows = _find_rows(session, {_key(item.record) for item in mine})
    touched: set[Key] = set()
    for item in mine:
        key = _key(item.record)
        if _complete(session, rows[key], item.particulars, is_new=key not in known, now=now):
            touched.add(key)
    session.flush()
    stored.imported = len(rows.keys() - known)
    # The import counts what it saw; here counts what became different.
    after = _read_stamps(session, known)
    stored.updated = sum(
        1 for key in rows.keys() & known if key in touched or before.get(key) != after.get(key)
    )
    return stored


def store_payments(session: Session, items: Sequence[PaymentItem], *, by: Party, now: datetime) -> Stored:
    """Add payments to contracts of the zone through the registry's import, where they settle what is owed."""
    stored = Stored()
    zones = _find_zones(session, {(item.process_id, item.contract_id) for item in items})
    grouped: dict[Key, list[PaymentItem]] = {}
    for item in items:
        key = (item.process_id, item.contract_id)
        zone_id = zones.get(key)
        if zone_id == by.zone_id:
            grouped.setdefault(key, []).append(item)
        elif zone_id is None:
            values = {"what": "contract", "id": item.number}
            stored.refused.append((item.number, Fault(Code.NOT_FOUND, "contract_number", values)))
        else:
            stored.refused.append((item.number, _elsewhere(item.number)))
    if not grouped:
        return stored
    before = _count_payments(session, grouped)
    records = [
        # Without a title the record's number amends nothing: here it only says which contract is meant.
        ContractRecord(key[0], key[1], group[0].number, payments=tuple(item.payment for item in group))
        for key, group in sorted(grouped.items())
    ]
    contract_upsert.upsert(session, records, by=by, now=now)
    session.flush()
    stored.imported = _count_payments(session, grouped) - before
    return stored


def _complete(session: Session, row: Contract, said: Particulars, *, is_new: bool, now: datetime) -> bool:
    """Write what a bureau says beside the record; says whether anything became different."""
    former: dict[str, Any] = {}
    changed = False
    for name in _AMENDED:
        value, held = getattr(said, name), getattr(row, name)
        if value is None or value == held:
            continue
        if held is not None:
            former[name] = _as_json(held)
        setattr(row, name, value)
        changed = True
    if is_new:
        row.source = SOURCE
        row.retention = said.retention or 0
        row.payment_days = said.payment_days
    if said.plan and not row.plan and sum(amount for _, amount in said.plan) == row.amount:
        row.plan = [
            PlannedPayment(number=number, due_on=due_on, amount=amount)
            for number, (due_on, amount) in enumerate(said.plan, start=1)
        ]
        row.last_due_on = said.plan[-1][0]
        changed = True
    if said.accepted_on is not None and row.accepted_on is None:
        row.accepted_on = said.accepted_on
        if not row.plan:
            row.last_due_on = contract_loan.statutory_due(said.accepted_on, row.payment_days)
        changed = True
    if changed and not is_new:
        row.updated_at = now
    if former:
        _keep_former(session, row, former, now)
    return changed


def _keep_former(session: Session, row: Contract, former: dict[str, Any], now: datetime) -> None:
    session.flush()
    last = session.scalar(
        select(func.max(ContractRevision.number)).where(ContractRevision.contract_id == row.id)
    )
    session.add(ContractRevision(contract_id=row.id, number=(last or 0) + 1, replaced_at=now, former=former))


def _key(record: ContractRecord) -> Key:
    return record.process_id, record.contract_id


def _known_by(keys: set[Key]) -> Any:
    return tuple_(Contract.process_id, Contract.contract_id).in_(sorted(keys))


def _find_zones(session: Session, keys: set[Key]) -> dict[Key, int]:
    rows = session.execute(
        select(Contract.process_id, Contract.contract_id, Contract.zone_id).where(_known_by(keys))
    )
    return {(process, contract): zone_id for process, contract, zone_id in rows}


def _find_rows(session: Session, keys: set[Key]) -> dict[Key, Contract]:
    rows = session.scalars(select(Contract).where(_known_by(keys)).options(selectinload(Contract.plan)))
    return {(row.process_id, row.contract_id): row for row in rows}


def _read_stamps(session: Session, keys: set[Key]) -> dict[Key, datetime]:
    if not keys:
        return {}
    rows = session.execute(
        select(Contract.process_id, Contract.contract_id, Contract.updated_at).where(_known_by(keys))
    )
    return {(process, contract): at for process, contract, at in rows}


def _count_payments(session: Session, keys: dict[Key, Any]) -> int:
    return int(
        session.scalar(
            select(func.count(PurchaserPayment.id))
            .join(Contract, PurchaserPayment.contract_id == Contract.id)
            .where(_known_by(set(keys)))
        )
        or 0
    )


def _elsewhere(number: str) -> Fault:
    return Fault(Code.ALREADY_EXISTS, "contract_number", {"what": "contract", "value": number[:80]})


def _as_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
