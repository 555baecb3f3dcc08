"""The monthly report on its pages and in the API: prefilled, handed in, watched, exported."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from blueprints import clock
from market.calendar import SHANGHAI
from services import users
from services.sealing import Sealer
from tests.blueprints.web.market_stall import forget_request, read_text, sign_in
from tests.factories import MILLION, make_officer
from tests.services.test_path import make_drawn_contract_loan

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

DECEMBER = datetime(2026, 12, 11, 10, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def in_december(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock the day after reports are due, and let forms in without a token."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: DECEMBER)


def test_a_lender_hands_its_month_in_and_the_officer_exports_it(
    client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    firm, bank, _, contract, _, _ = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    sign_in(client, bank)
    assert "missing" in read_text(client.get("/contract-reports").text)
    shown = client.get("/contract-reports/2026-11").text
    assert contract.number in shown
    seal = shown.partition('name="seal" value="')[2][:64]
    wrong = client.post("/contract-reports/2026-11", data={"seal": "0" * 64})
    assert wrong.status_code == 409
    assert client.post("/contract-reports/2026-11", data={"seal": seal}).status_code == 303
    again = client.get("/contract-reports/2026-11").text
    assert 'name="seal"' not in again
    assert client.get("/contract-reports/2026-12").status_code == 409
    assert client.get("/contract-reports/x").status_code == 422
    sign_in(client, officer, "zh")
    received = client.get("/contract-reports/received?month=2026-11").text
    assert "2026-12-11" in received
    book = client.get("/contract-reports/received?month=2026-11&export=xlsx").data
    _, line = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert line[0] == "2026-11"
    assert line[5:7] == [contract.number, contract.supplier_name]
    assert (line[9], line[10], line[12]) == (date(2026, 11, 23), 7 * MILLION / 100, 0.0385)
    forget_request()
    sign_in(client, firm)
    assert client.get("/contract-reports").status_code == 403


def test_the_api_speaks_of_the_same_report(client: FlaskClient, now: datetime, sealer: Sealer) -> None:
    _, bank, _, contract, loan, _ = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)

    def ask(party: Any, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        forget_request()
        headers = {"Authorization": f"Bearer {tokens[party.user_id]}"}
        answer = client.open(f"/api/v1/contract-reports{path}", method=method, headers=headers, json=body)
        return answer.status_code, answer.get_json()

    tokens = {party.user_id: users.issue_token("test", by=party, now=now)[1] for party in (bank, officer)}
    status, draft = ask(bank, "GET", "/draft?month=2026-11")
    assert (status, [row["contract_number"] for row in draft["rows"]]) == (200, [contract.number])
    assert draft["totals"]["outstanding"] == "7000000.00"
    status, missing = ask(officer, "GET", "/standings?month=2026-11")
    assert [(one["report_id"], one["is_late"]) for one in missing["items"]] == [(None, True)]
    status, report = ask(bank, "POST", "", {"month": "2026-11", "seal": draft["seal"]})
    assert (status, report["number"], report["rows"][0]["loan_id"]) == (201, 1, loan.id)
    status, listed = ask(officer, "GET", "?month=2026-11")
    assert [one["id"] for one in listed["items"]] == [report["id"]]
    assert ask(officer, "POST", "", {"month": "2026-11", "seal": draft["seal"]})[0] == 403
