"""Payments replayed in order, shuffled and twice leave the same states, sums and alerts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import delete, select

from market.contract_record import ContractRecord
from market.party import Party
from market.payment_vocabulary import PaymentState
from market.vocabulary import ContractStage, LoanState
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract, ContractRevision, ContractStep
from models.loan import Loan
from models.payment import PlannedPayment, PurchaserPayment
from services import contract_loans, contract_upsert, loan_book, needs, payment_resolutions
from services.exchange import ocds
from services.sealing import Sealer
from tests.factories import MILLION, make_officer
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan
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
                row.pledge_number, row.pledge_expires_on = "0099", date(2099, 1, 1)
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


#: Into the locked account of a loan of seven million, which is repaid with the fourth: number, day, amount.
PAID = [
    ("1", date(2026, 12, 20), 2 * MILLION),
    ("2", date(2027, 1, 15), 1_234_567_89),
    ("3", date(2027, 1, 15), 3),
    ("4", date(2027, 5, 10), 5 * MILLION),
    ("5", date(2027, 6, 15), MILLION),
]


def read_book(loan_id: int) -> dict[str, object]:
    """Return how a loan ended: its state, what each payment did to it, and what stands on its accounts."""
    db.session.expire_all()
    loan = db.session.get_one(Loan, loan_id)
    assert loan.contract is not None
    numbers = {row.id: row.transaction_id[-1] for row in loan.contract.payments}
    return {
        "state": (loan.state, loan.repaid_on, loan.outstanding, loan.bound, loan.contract.stage),
        "receipts": sorted(
            (numbers[row.payment_id], row.paid_on, row.interest, row.principal, row.remainder)
            for row in loan.repayments
            if row.payment_id is not None
        ),
        "accounts": dict(loan_book.sum_accounts(db.session(), loan.id)),
        "counting": sorted(numbers[row.id] for row in loan.contract.payments if row.settled_at is not None),
    }


def test_a_loan_ends_the_same_in_whatever_order_its_payments_are_told(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    told, drawn, ends = later + timedelta(days=240), read_book(loan.id), []
    # The second time the loan is repaid before the earliest payments are told of.
    for way, order in (("A", (0, 1, 2, 3, 4)), ("B", (4, 3, 2, 0, 1))):
        rows = []
        for number, paid_on, amount in (PAID[place] for place in order):
            payment = contract_loans.Payment(f"{way}{number}", amount, paid_on, ACCOUNT)
            rows.append(contract_loans.record_payment(contract.id, payment, by=purchaser, now=told).id)
        ends.append(read_book(loan.id))
        with transaction() as session:
            held = contract_loans.lock_for_payment(session, contract.id)
            for number in rows:
                again = session.get_one(PurchaserPayment, number)
                contract_loans.settle(session, held, again, by=purchaser, now=told)
        ends.append(read_book(loan.id))
        for number in rows:
            payment_resolutions.correct(number, "记错", by=bank, now=told)
        # Nothing is left of what was taken back.
        left = read_book(loan.id)
        assert (left["accounts"], left["receipts"]) == (drawn["accounts"], []), way
    assert all(end == ends[0] for end in ends[1:])
    assert ends[0]["state"] == (LoanState.REPAID, PAID[3][1], 0, 0, ContractStage.REPAID)
    assert len(ends[0]["receipts"]) == 4 and contract_loans.list_paying(contract.id) == set()  # type: ignore[arg-type]
    assert ends[0]["counting"] == [number for number, _, _ in PAID]
