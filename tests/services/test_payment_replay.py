"""Payments replayed in order, shuffled and twice leave the same states, sums and alerts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import delete, select

from market.contract_record import ContractRecord
from market.party import Party
from market.payment_vocabulary import PaymentState
from market.vocabulary import ContractStage
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract, ContractRevision, ContractStep
from models.payment import PlannedPayment, PurchaserPayment
from services import contract_loans, contract_upsert, needs
from services.exchange import ocds
from tests.factories import make_officer
from tests.shared import shared_data

FILES = ["example_record_package_jalisco.json", "mx_cdmx_releases.jsonl", "mx_jalisco_record_packages.jsonl"]


def read(name: str) -> list[ContractRecord]:
    content = shared_data(f"ocds/{name}").read_bytes()
    found = [one for one in ocds.read(BytesIO(content)) if isinstance(one, ContractRecord)]
    return [record for record in found if record.payments]


def enter(records: Sequence[ContractRecord], by: Party, now: datetime) -> None:
    """Store contracts without payments, each with a plan, half with an account that no publisher names."""
    with transaction() as session:
        contract_upsert.upsert(session, [replace(record, payments=()) for record in records], by=by, now=now)
        for row in session.scalars(select(Contract)):
            days = sorted(
                payment.paid_on
                for record in records
                if (record.process_id, record.contract_id) == (row.process_id, row.contract_id)
                for payment in record.payments
                if payment.paid_on is not None
            )
            half = (row.amount or 0) // 2
            if half and days:
                for number, due_on in enumerate((days[0], days[len(days) // 2]), start=1):
                    part = PlannedPayment(contract_id=row.id, number=number, due_on=due_on, amount=half)
                    session.add(part)
            if row.number[-1:] in "02468":
                row.stage, row.payee_account = ContractStage.PLEDGE_REGISTERED, "3700"


def replay(records: Sequence[ContractRecord], chance: random.Random | None, by: Party, now: datetime) -> None:
    """Take the payments in and let each take effect, perhaps in another order."""
    told = []
    for record in records:
        payments = list(record.payments)
        if chance is not None:
            chance.shuffle(payments)
        told.append(replace(record, payments=tuple(payments)))
    with transaction() as session:
        contract_upsert.upsert(session, told, by=by, now=now)
        for contract in session.scalars(select(Contract).order_by(Contract.id)):
            rows = list(contract.payments)
            if chance is not None:
                chance.shuffle(rows)
            for row in rows:
                contract_loans.settle(session, contract, row, by=by, now=now)


def look() -> tuple[list[object], list[object], list[object]]:
    db.session.expire_all()
    rows = {row.id: row for row in db.session.scalars(select(PurchaserPayment))}
    contracts = list(db.session.scalars(select(Contract)))
    states = sorted(
        (
            row.contract.contract_id,
            str(row.paid_on),
            row.amount,
            row.state.value,
            str(row.lag_days),
            row.excess,
        )
        for row in rows.values()
    )
    sums = sorted((row.contract_id, needs.sum_paid(db.session(), row.id)) for row in contracts)
    raised = sorted(
        (alert.kind.value, str(rows[number].paid_on), rows[number].amount)
        for alert in db.session.scalars(select(Alert).where(Alert.resolved_at.is_(None)))
        if (number := int(alert.subject.partition(":")[2])) in rows
    )
    return list(states), list(sums), list(raised)


@pytest.mark.parametrize("name", FILES)
def test_payments_say_the_same_in_order_shuffled_and_twice(app: Flask, now: datetime, name: str) -> None:
    records, by, chance = read(name), make_officer(now=now), random.Random(3)
    assert records, name
    ends = []
    for way in ("in order", "shuffled"):
        enter(records, by, now)
        replay(records, chance if way == "shuffled" else None, by, now)
        ends.append(look())
        replay(records, chance if way == "shuffled" else None, by, now)
        ends.append(look())
        with transaction() as session:
            for table in (Alert, PurchaserPayment, PlannedPayment, ContractStep, ContractRevision, Contract):
                session.execute(delete(table))
    states, sums, raised = ends[0]
    astray = [row for row in states if row[3] == PaymentState.WRONG_ACCOUNT]  # type: ignore[index]
    assert states and len(raised) == len(astray)
    assert sum(amount for _, amount in sums) > 0  # type: ignore[misc]
    assert all(end == ends[0] for end in ends[1:])
