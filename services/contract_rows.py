"""Rows of contracts and their payments in bulk: read with one question per table, written with one statement.

An import touches thousands of contracts in one transaction. As mapped objects they would cost more than all
else together; here a row is its columns, and only what changed is written. Used inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from market.vocabulary import LIVE_LOANS, PAID_OUT_LOANS, ContractStage
from models.contract import Contract, ContractRevision, ContractStep
from models.loan import Loan
from models.payment import PlannedPayment, PurchaserPayment
from services import exposures

Columns = dict[str, Any]
Key = tuple[str, str]

#: Rows asked for or written at a time: SQLite takes some thirty thousand values in a statement.
_PART = 5_000
_CONTRACTS: Table = Contract.__table__  # type: ignore[assignment]
_PAYMENTS: Table = PurchaserPayment.__table__  # type: ignore[assignment]
_NOT_PAYMENTS = frozenset({"id", "contract_id", "recorded_at"})


@dataclass(slots=True)
class Row:
    """A contract: its columns, its payments by transaction id, and what must be written of them.

    ``former`` holds what amendments replaced, oldest first; ``fresh`` and ``corrected`` are transaction ids.
    """

    columns: Columns
    payments: dict[str, Columns] = field(default_factory=dict)
    is_planned: bool = False
    is_changed: bool = False
    is_signed_now: bool = False
    former: list[Columns] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)

    @property
    def id(self) -> int | None:
        """Return the row number, None before the row was stored."""
        return self.columns.get("id")


def lock(session: Session, keys: Iterable[Key]) -> dict[Key, Row]:
    """Return the contracts of some processes and ids that exist, locked, with their payments.

    Locks are taken in the order of the house: limits of lenders with loans, then contracts by number.
    """
    found: list[int] = []
    listed = sorted(set(keys))
    for start in range(0, len(listed), _PART):
        known = tuple_(Contract.process_id, Contract.contract_id).in_(listed[start : start + _PART])
        found += session.scalars(select(Contract.id).where(known))
    if not found:
        return {}
    exposures.lock(session, Loan.contract_id.in_(found), Loan.state.in_((*LIVE_LOANS, *PAID_OUT_LOANS)))
    rows: dict[int, Row] = {}
    asked = select(_CONTRACTS).where(_CONTRACTS.c.id.in_(found)).order_by(_CONTRACTS.c.id).with_for_update()
    for columns in session.execute(asked).mappings():
        rows[columns["id"]] = Row(dict(columns))
    for columns in session.execute(select(_PAYMENTS).where(_PAYMENTS.c.contract_id.in_(found))).mappings():
        rows[columns["contract_id"]].payments[columns["transaction_id"]] = dict(columns)
    for contract_id in session.scalars(
        select(PlannedPayment.contract_id).where(PlannedPayment.contract_id.in_(found)).distinct()
    ):
        rows[contract_id].is_planned = True
    return {(row.columns["process_id"], row.columns["contract_id"]): row for row in rows.values()}


def write(session: Session, rows: Sequence[Row], *, recorded_by: int | None, now: datetime) -> None:
    """Store new contracts, changed ones with their history, steps of those signed now, and payments."""
    fresh = [row for row in rows if row.id is None]
    by_key = {(row.columns["process_id"], row.columns["contract_id"]): row for row in fresh}
    if fresh:
        stored = session.execute(
            insert(_CONTRACTS).returning(_CONTRACTS.c.id, _CONTRACTS.c.process_id, _CONTRACTS.c.contract_id),
            [row.columns for row in fresh],
        )
        for id, process_id, contract_id in stored:
            by_key[process_id, contract_id].columns["id"] = id
    known = [
        row
        for row in rows
        if row.is_changed and (row.columns["process_id"], row.columns["contract_id"]) not in by_key
    ]
    if known:
        names = [name for name in known[0].columns if name != "id"]
        session.connection().execute(
            update(_CONTRACTS)
            .where(_CONTRACTS.c.id == bindparam("its_id"))
            .values({name: bindparam(f"its_{name}") for name in names}),
            [{f"its_{name}": value for name, value in row.columns.items()} for row in known],
        )
    _write_history(session, rows, now)
    _write_steps(session, [row for row in rows if row.is_signed_now], recorded_by, now)
    _write_payments(session, rows)


def _write_history(session: Session, rows: Sequence[Row], now: datetime) -> None:
    amended = [row for row in rows if row.former]
    if not amended:
        return
    last = session.execute(
        select(ContractRevision.contract_id, func.max(ContractRevision.number))
        .where(ContractRevision.contract_id.in_([row.id for row in amended]))
        .group_by(ContractRevision.contract_id)
    )
    numbers: dict[int, int] = {contract_id: number for contract_id, number in last}
    session.execute(
        insert(ContractRevision.__table__),  # type: ignore[arg-type]
        [
            {"contract_id": row.id, "number": number, "replaced_at": now, "former": former}
            for row in amended
            for number, former in enumerate(row.former, numbers.get(row.id or 0, 0) + 1)
        ],
    )


def _write_steps(session: Session, rows: Sequence[Row], recorded_by: int | None, now: datetime) -> None:
    if rows:
        session.execute(
            insert(ContractStep.__table__),  # type: ignore[arg-type]
            [
                {
                    "contract_id": row.id,
                    "stage": ContractStage.SIGNED,
                    "happened_on": row.columns["signed_on"],
                    "recorded_by": recorded_by,
                    "recorded_at": now,
                }
                for row in rows
            ],
        )


def _write_payments(session: Session, rows: Sequence[Row]) -> None:
    # In the order in which they were told: sets have another one in every process.
    fresh = [
        told | {"contract_id": row.id}
        for row in rows
        for key, told in row.payments.items()
        if key in row.fresh
    ]
    if fresh:
        session.execute(insert(_PAYMENTS), fresh)
    corrected = [
        told for row in rows for key, told in row.payments.items() if key in row.corrected - row.fresh
    ]
    if corrected:
        names = [name for name in corrected[0] if name not in _NOT_PAYMENTS]
        session.connection().execute(
            update(_PAYMENTS)
            .where(_PAYMENTS.c.id == bindparam("its_id"))
            .values({name: bindparam(f"its_{name}") for name in names}),
            [{f"its_{name}": value for name, value in payment.items()} for payment in corrected],
        )
