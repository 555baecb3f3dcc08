"""What is said of a purchaser: counts of what it owed and paid, nothing weighed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from market.vocabulary import OrganisationKind
from models.contract import Contract
from services import contract_loans, contracts, organisations, purchasers
from services.contract_loans import Payment
from services.contracts import Entry
from tests.factories import MILLION, make_party

TODAY = date(2026, 11, 20)


@pytest.fixture
def contract(app: Flask, now: datetime) -> Contract:
    """A contract with three payments planned: two have fallen due, the last one has not."""
    firm = make_party(now=now)
    purchaser = make_party(OrganisationKind.PURCHASER, now=now)
    entry = Entry(
        process_id="P-1",
        number="C-1",
        title="meters",
        amount=3 * MILLION,
        purchaser_code=organisations.find(purchaser.organisation_id or 0).credit_code,
        supplier_code=organisations.find(firm.organisation_id or 0).credit_code,
        signed_on=date(2026, 6, 1),
        plan=((date(2026, 9, 1), MILLION), (date(2026, 10, 1), MILLION), (date(2026, 12, 1), MILLION)),
    )
    row = contracts.register(entry, by=firm, now=now)
    for number, paid_on in enumerate((date(2026, 9, 1), date(2026, 10, 11)), start=1):
        payment = Payment(f"T{number}", MILLION, paid_on)
        contract_loans.record_payment(row.id, payment, by=purchaser, now=now)
    return row


def test_payments_are_counted_as_on_time_or_late(contract: Contract) -> None:
    record = purchasers.read_record(contract, TODAY)
    assert (record.contracts, record.paid, record.due) == (1, 2 * MILLION, 2)
    assert (record.on_time, record.late, record.unpaid, record.longest_late) == (1, 1, 0, 10)


def test_what_is_due_and_not_covered_is_unpaid(contract: Contract) -> None:
    record = purchasers.read_record(contract, date(2026, 12, 6))
    assert (record.due, record.on_time, record.late, record.unpaid, record.longest_late) == (3, 1, 1, 1, 10)


def test_nothing_due_yet_is_nothing_to_count(contract: Contract) -> None:
    record = purchasers.read_record(contract, date(2026, 8, 1))
    assert (record.due, record.on_time, record.late, record.unpaid) == (0, 0, 0, 0)


def test_the_statutory_term_counts_where_there_is_no_plan(app: Flask, now: datetime) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    entry = Entry(
        process_id="P-2",
        number="C-2",
        title="lamps",
        amount=MILLION,
        purchaser_code=organisations.find(purchaser.organisation_id or 0).credit_code,
        supplier_code=organisations.find(firm.organisation_id or 0).credit_code,
        signed_on=date(2026, 6, 1),
        accepted_on=date(2026, 9, 1),
        payment_days=30,
    )
    row = contracts.register(entry, by=firm, now=now)
    last_day = date(2026, 9, 1) + timedelta(days=30)
    assert purchasers.read_record(row, last_day).due == 0
    record = purchasers.read_record(row, TODAY)
    assert (record.due, record.unpaid, record.longest_late) == (1, 1, (TODAY - last_day).days)
