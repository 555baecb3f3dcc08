"""Contract and deal pages: each role sees its own, does its part, and is told what went wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from market.vocabulary import ContractStage, LoanState, Purpose
from models.base import db
from models.contract import Contract
from models.loan import Loan
from models.zone import Zone
from services.sealing import Sealer
from tests.blueprints.web.market_stall import sign_in
from tests.factories import MILLION, make_need, make_officer, make_party
from tests.services.test_path import ACCOUNT, make_contract_path, make_drawn_contract_loan


def set_clock(now: datetime, zone_id: int) -> None:
    """Let the zone's own clock show ``now``: as a practice zone's may."""
    zone = db.session.get_one(Zone, zone_id)
    zone.is_sandbox = True
    offset = int((now - datetime.now(now.tzinfo)).total_seconds())
    zone.clock_offset_seconds = max(offset, 0)
    db.session.commit()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_ladder_is_climbed_on_the_page_by_two_people(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, language: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, bank, purchaser, contract, loan, _ = make_drawn_contract_loan(now, sealer)
    for party in (firm, bank, purchaser, make_officer(now=now)):
        sign_in(client, party, language)
        for address in ("/contracts", f"/contracts/{contract.id}"):
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert contract.number in answer.text
    sign_in(client, bank, language)
    page = client.get(f"/deals/{loan.id}").text
    assert "7,000,000.00" in page and "202,125.00" in page
    assert client.get("/deals").status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stranger_finds_neither_contract_nor_deal(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    *_, contract, loan, _ = make_drawn_contract_loan(now, sealer)
    sign_in(client, make_party(now=now))
    assert client.get(f"/contracts/{contract.id}").status_code == 404
    assert client.get(f"/deals/{loan.id}").status_code == 404
    assert contract.number not in client.get("/contracts").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_contract_is_entered_by_its_supplier_and_faults_keep_what_was_typed(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, _, _, purchaser, earlier = make_contract_path(now)
    sign_in(client, firm)
    typed = {
        "number": "JN-2026-0077",
        "process_id": "ZC-2026-077",
        "title": "园区照明改造",
        "amount": "300",
        "supplier_code": earlier.supplier_code or "",
        "purchaser_code": "91110000600037341K",
        "signed_on": "2026-11-01",
        "plan_1_due": "2027-03-01",
        "plan_1_amount": "200",
    }
    refused = client.post("/contracts/new", data=typed)
    assert refused.status_code == 422
    assert "园区照明改造" in refused.text and "JN-2026-0077" in refused.text
    assert db.session.query(Contract).count() == 1
    good = {**typed, "purchaser_code": earlier.purchaser_code or "", "plan_1_amount": "300"}
    assert client.post("/contracts/new", data=good).status_code == 303
    stored = db.session.query(Contract).filter_by(number="JN-2026-0077").one()
    assert (stored.amount, stored.stage) == (3 * MILLION, ContractStage.SIGNED)
    assert purchaser.organisation_id == stored.purchaser_id


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_lender_records_a_repayment_and_a_fault_stores_nothing(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    _, bank, _, _, loan, later = make_drawn_contract_loan(now, sealer)
    set_clock(later + timedelta(days=30), bank.zone_id)
    sign_in(client, bank)
    refused = client.post(f"/deals/{loan.id}/repayments", data={"amount": "abc", "paid_on": "2026-12-01"})
    assert refused.status_code == 422 and "abc" in refused.text
    paid = client.post(
        f"/deals/{loan.id}/repayments",
        data={"amount": "100,000", "paid_on": "2026-12-01", "reference": "R-1"},
    )
    assert paid.status_code == 303
    again = client.post(
        f"/deals/{loan.id}/repayments",
        data={"amount": "100,000", "paid_on": "2026-12-01", "reference": "R-1"},
    )
    assert again.status_code == 409
    assert [row.amount for row in db.session.get_one(Loan, loan.id).repayments] == [100_000_00]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_account_is_told_at_once(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    _, _, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    set_clock(later + timedelta(days=30), purchaser.zone_id)
    sign_in(client, purchaser, "zh")
    answer = client.post(
        f"/contracts/{contract.id}/payments",
        data={"transaction_id": "P1", "amount": "4000000", "paid_on": "2026-12-01", "payee_account": "6222"},
        follow_redirects=True,
    )
    assert answer.status_code == 200 and "6222" in answer.text and ACCOUNT in answer.text
    assert db.session.get_one(Loan, loan.id).state is LoanState.DRAWN


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_bank_asked_to_lend_does_not_learn_the_supplier_from_the_contracts_page(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    firm, bank, _, _, contract = make_contract_path(now)
    make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=MILLION, months=6)
    sign_in(client, bank)
    answer = client.get(f"/contracts/{contract.id}")
    assert answer.status_code == 404
    assert contract.number not in answer.text and (contract.supplier_name or "") not in answer.text
