"""Procurement's pages: notices behind the bell, intentions, awards, agreements, rules and deposits."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.calendar import local_date
from market.party import Party
from market.procurement_vocabulary import DepositState
from market.vocabulary import OrganisationKind
from models.base import db
from models.organisation import Organisation
from services import contracts, deposits, frameworks, intentions, notices
from tests.blueprints.web.market_stall import forget_request, read_text, sign_in
from tests.factories import MILLION, make_officer, make_party

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def stopped(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


def code(party: Party) -> str:
    return db.session.get_one(Organisation, party.organisation_id).credit_code


def look(client: FlaskClient, address: str) -> str:
    forget_request()
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return read_text(answer.text)


def test_an_award_rings_the_bell_of_the_firm_it_names(client: FlaskClient, app: Flask, now: datetime) -> None:
    officer, firm = make_officer(now=now), make_party(now=now)
    sign_in(client, officer)
    sent = {
        "project_number": "P-1",
        "title": "实验室设备",
        "supplier_name": "某公司",
        "supplier_code": code(firm),
        "price": "300",
        "published_on": local_date(now).isoformat(),
    }
    wrong = client.post("/procurement/awards/new", data={**sent, "supplier_code": "12"})
    assert wrong.status_code == 422
    assert "is not a unified social credit code" in read_text(wrong.text)
    assert client.post("/procurement/awards/new", data=sent).status_code == 303
    assert "known firm" in look(client, "/procurement/awards")
    sign_in(client, firm)
    forget_request()
    page = client.get("/contracts").text
    assert 'aria-label="Notices, 1 not read"' in page
    assert (
        "A purchaser awarded you “实验室设备” for ¥3 million" in (text := look(client, "/notices"))
        and "new" in text
    )
    (notice,) = notices.list_for(firm)
    answer = client.post(f"/notices/{notice.id}/read")
    assert (answer.status_code, answer.location) == (303, "/procurement/awards")
    assert "实验室设备" in look(client, "/procurement/awards")
    assert "Everything is read" in look(client, "/notices?view=unread")


def test_intentions_come_by_form_and_file_and_a_firm_says_what_it_watches_for(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    sign_in(client, firm)
    watch = {"industries": "C39，I65", "keywords": "显微镜"}
    assert client.post("/procurement/watch", data=watch).status_code == 303
    assert "C39，I65" in client.get("/procurement/intentions").text
    sign_in(client, purchaser)
    day = local_date(now).isoformat()
    sent = {"title": "电子显微镜", "object": "goods", "expected_month": "2026-12", "published_on": day}
    assert (
        client.post("/procurement/intentions/new", data={**sent, "expected_month": "soon"}).status_code == 422
    )
    assert client.post("/procurement/intentions/new", data={**sent, "budget": "800"}).status_code == 303
    table = "采购项目名称,预计采购时间,采购类别\n离心机,2027-01,货物\n,2027-01,货物\n"
    file = (io.BytesIO(table.encode("gb18030")), "意向.csv")
    answer = client.post("/procurement/intentions/import", data={"file": file})
    assert "Row 2: Title: Please fill this in." in read_text(answer.text)
    found = {row.title: row.budget for row in intentions.list_for(purchaser)}
    assert found == {"电子显微镜": 8 * MILLION, "离心机": None}
    (notice,) = notices.list_for(firm)
    assert notice.details["reasons"] == ["keyword"]
    sign_in(client, firm)
    assert "It reaches you by a word you watch for" in look(client, "/notices")


def test_an_officer_signs_ends_and_asks_for_agreements_and_adds_a_rule(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    officer, bank = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    sign_in(client, officer)
    today = local_date(now)
    sent = {
        "organisation_id": str(bank.organisation_id),
        "number": "K-1",
        "valid_from": today.isoformat(),
        "valid_until": (today + timedelta(20)).isoformat(),
        "evidence": "档案室A-3",
    }
    assert "No agreement is asked for" in look(client, "/frameworks")
    assert client.post("/frameworks/sign", data={**sent, "evidence": ""}).status_code == 422
    assert client.post("/frameworks/sign", data=sent).status_code == 303
    assert client.post("/frameworks/sign", data={**sent, "number": "K-2"}).status_code == 409
    assert client.post("/frameworks/require", data={"required": "1"}).status_code == 303
    text = look(client, "/frameworks")
    assert "Contract loans need an agreement in force" in text and "20 days left" in text
    (row,) = frameworks.list_for(officer)
    assert client.post(f"/frameworks/{row.id}/end", data={f"reason.{row.id}": ""}).status_code == 422
    assert client.post(f"/frameworks/{row.id}/end", data={f"reason.{row.id}": "违约"}).status_code == 303
    assert "ended early" in look(client, "/frameworks")
    rule = {"kind": "price_deduction", "object": "goods", "favoured": "small_micro", "low": "15"}
    rule |= {"valid_from": today.isoformat(), "issuer": "市财政局", "document": "示例〔2026〕1号"}
    assert client.post("/procurement-rules/add", data={**rule, "high": "12"}).status_code == 422
    assert client.post("/procurement-rules/add", data=rule).status_code == 303
    assert "示例〔2026〕1号" in look(client, "/procurement-rules")
    before = look(client, "/procurement-rules?on=2022-06-30")
    assert "财库〔2020〕46号" in before and "示例〔2026〕1号" not in before


def test_a_deposit_is_demanded_replaced_and_released_on_one_page(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=900 * MILLION)
    today = local_date(now)
    entry = contracts.Entry("P", "C-1", "合同", 10 * MILLION, code(purchaser), code(firm), today)
    contract = contracts.register(entry, by=purchaser, now=now)
    sign_in(client, purchaser)
    sent = {"kind": "performance", "contract_id": str(contract.id), "amount": "101"}
    refused = client.post("/deposits/new", data=sent)
    assert "too large: at most ¥1 million" in read_text(refused.text)
    assert client.post("/deposits/new", data={**sent, "amount": "100"}).status_code == 303
    (row,) = deposits.list_for(purchaser)
    address = f"/deposits/{row.id}"
    assert client.post(f"{address}/pay", data={"on": today.isoformat()}).status_code == 303
    sign_in(client, firm)
    assert "Replace it by a guarantee" in look(client, address)
    assert client.post(f"{address}/ask", data={"guarantor_id": ""}).status_code == 422
    asked = {"guarantor_id": str(guarantor.organisation_id)}
    assert client.post(f"{address}/ask", data=asked).status_code == 303
    sign_in(client, guarantor)
    assert "asks you for a guarantee of ¥1 million" in look(client, "/notices")
    until = (today + timedelta(90)).isoformat()
    assert (
        client.post(f"{address}/issue", data={"guarantee_number": "B-1", "valid_until": until}).status_code
        == 303
    )
    sign_in(client, purchaser)
    assert "Cash is due back" in look(client, address)
    assert client.post(f"{address}/release", data={"on": today.isoformat()}).status_code == 303
    assert deposits.find(row.id, by=purchaser).state is DepositState.RELEASED
    sign_in(client, make_party(now=now))
    forget_request()
    assert client.get(address).status_code == 404
    assert "No deposit here" in look(client, "/deposits")
