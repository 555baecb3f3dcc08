"""Payments on the pages: listed by state, resolved by whoever may, and told in both languages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from market.payment_vocabulary import PaymentState
from models.base import db
from models.payment import PurchaserPayment, UnmatchedPayment
from services import payment_matching
from services.contract_loans import Payment
from services.sealing import Sealer
from tests.blueprints.web.market_stall import sign_in
from tests.blueprints.web.test_contracts import set_clock
from tests.factories import MILLION, make_officer, make_party
from tests.services.test_contract_loans import pay
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan

DAY = date(2026, 11, 23)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_payment_has_its_place(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, language: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    set_clock(later + timedelta(days=70), firm.zone_id)
    astray = pay(contract, "T-ASTRAY", MILLION, DAY, purchaser, later, "6222")
    undated = pay(contract, "T-UNDATED", MILLION, None, purchaser, later)
    payment_matching.report("未知-9", Payment("T-LOST", 5_000, DAY), by=officer, now=later)
    for party in (firm, bank, purchaser, officer):
        sign_in(client, party, language)
        assert "T-ASTRAY" in client.get("/payments").text
        assert "T-UNDATED" not in client.get("/payments?state=wrong_account").text
        for address in ("/payments?view=open", f"/payments/{astray.id}", f"/contracts/{contract.id}"):
            assert client.get(address).status_code == 200, address
        # The plan asked for four million by 15 January: late by now.
        assert (
            "HT-2026" in client.get("/payments/late").text
            or contract.number in client.get("/payments/late").text
        )
        assert "0.05%" in client.get(f"/payments/late/{contract.id}").text
        assert client.get("/payments/late?export=xlsx").status_code == 200
        assert client.get(f"/payments/late/{contract.id}?export=csv").status_code == 200
        assert ("T-LOST" in client.get("/payments/unmatched").text) is (party == officer)
    sign_in(client, make_party(now=now), language)
    assert client.get(f"/payments/{astray.id}").status_code == 404
    assert client.get(f"/payments/late/{contract.id}").status_code == 404

    sign_in(client, bank, language)
    refused = client.post(f"/payments/{astray.id}/resolve", data={"move": "accept_account", "why": ""})
    assert refused.status_code == 422
    told = {"kind": "redirect", "transaction_id": "T-BACK", "amount": "1,000,000", "paid_on": "2026-11-24"}
    moved = client.post(
        f"/payments/{astray.id}/follow", data={**told, "payee_account": ACCOUNT, "follow_why": "转回"}
    )
    assert moved.status_code == 303
    assert client.post(f"/payments/{undated.id}/date", data={"paid_on": "2026-11-23"}).status_code == 303
    sign_in(client, officer, language)
    assert client.post(f"/payments/{undated.id}/reopen").status_code == 409
    (lost,) = payment_matching.list_unmatched(officer)
    lost_at = f"/payments/unmatched/{lost.id}"
    assert client.post(lost_at, data={"do": "aside", "why": " "}).status_code == 422
    assert client.post(lost_at, data={"do": "aside", "why": "非本区"}).status_code == 303
    assert client.post(lost_at, data={"do": "back"}).status_code == 303
    assert client.post(lost_at, data={"do": "match", "contract_number": "没有的-1"}).status_code == 422
    assert client.post(lost_at, data={"do": "match", "contract_number": contract.number}).status_code == 303
    db.session.rollback()
    states = {row.transaction_id: row.state for row in db.session.query(PurchaserPayment)}
    assert states["T-ASTRAY"] is PaymentState.REVERSED and states["T-BACK"] is PaymentState.PARTIAL
    assert db.session.query(UnmatchedPayment).one().matched_payment_id is not None
    record = client.get(f"/payments/record?code={contract.purchaser_code}")
    assert record.status_code == 200 and contract.number in record.text
    assert f"/payments/record?code={contract.purchaser_code}" in client.get(f"/payments/{astray.id}").text
    assert client.get("/payments/record").status_code == 404
    sign_in(client, purchaser, language)
    assert contract.number in client.get("/payments/record").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_terms_are_written_down_and_a_payment_is_reported_by_number(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    _, _, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    set_clock(later + timedelta(days=70), purchaser.zone_id)
    sign_in(client, purchaser, "en")
    at = f"/contracts/{contract.id}/terms"
    refused = client.post(at, data={"late_rate": "2.5"})
    assert refused.status_code == 422 and "one-year LPR" in refused.text and "2026-08-20" in refused.text
    good = {"late_rate": "6", "delivered_on": "2026-11-20", "inspection_days": "15", "pay_when_paid": "1"}
    assert client.post(at, data=good).status_code == 303
    page = client.get(f"/contracts/{contract.id}").text
    assert "counts as accepted since 2026-12-05" in page and "A clause of this contract is void" in page
    assert "6.00% a year as agreed" in client.get(f"/payments/late/{contract.id}").text
    told = {"number": contract.number.lower(), "transaction_id": "T5", "amount": "100"}
    assert client.post("/payments/report", data=told).status_code == 303
    assert client.post("/payments/report", data=told).status_code == 409
    db.session.rollback()
    (row,) = db.session.query(PurchaserPayment)
    assert (row.contract_id, row.state) == (contract.id, PaymentState.UNDATED)
