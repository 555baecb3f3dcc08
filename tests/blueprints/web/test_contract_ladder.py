"""The contract's page beside the ladder: another account by three people, a renewed pledge, an early end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.base import db
from models.contract import Contract
from services import account_changes, pledges
from services.sealing import Sealer
from tests.blueprints.web.market_stall import sign_in
from tests.blueprints.web.test_contracts import set_clock
from tests.factories import make_officer, make_party
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan

CHANGE = {"new_account": "6222 0200 1001 8888", "change_reason": "撤并", "change_evidence": "补充协议 2"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_account_changes_on_the_page_by_three_people_and_is_published_masked(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    set_clock(later + timedelta(days=1), firm.zone_id)
    at = f"/contracts/{contract.id}"
    sign_in(client, firm, "en")
    refused = client.post(f"{at}/account-changes", data={**CHANGE, "new_account": ACCOUNT})
    assert refused.status_code == 409 and "补充协议 2" in refused.text
    assert client.post(f"{at}/account-changes", data=CHANGE).status_code == 303
    change = account_changes.find_open(contract.id)
    assert change is not None
    page = client.get(at).text
    assert "Account change asked for" in page and f"{change.id}/withdraw" in page
    assert f"{change.id}/agree" not in page
    for party in (bank, purchaser):
        sign_in(client, party, "en")
        assert f"{change.id}/agree" in client.get(at).text
        assert client.post(f"{at}/account-changes/{change.id}/agree").status_code == 303
    told = client.get(at).text
    assert "Payee account changed" in told and f"From {ACCOUNT} to 6222 0200 1001 8888" in told
    nobody = app.test_client()
    public = nobody.get("/account-notices?lang=en", follow_redirects=True).text
    assert "****8888" in public and contract.number in public and "6222 0200" not in public
    listed = nobody.get("/api/v1/account-notices").json
    assert listed is not None
    assert [(row["kind"], row["account"]) for row in listed["items"]] == [
        ("changed", "****8888"),
        ("locked", "****6789"),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_pledge_is_renewed_and_a_contract_ended_on_the_page(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    _, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    set_clock(later + timedelta(days=1), bank.zone_id)
    at = f"/contracts/{contract.id}"
    sign_in(client, bank, "en")
    # The loan runs nine months; a registration that ends before is taken, and warned of.
    short = {"renewed_number": "0100", "renewed_on": "2026-11-24", "renewed_until": "2027-06-30"}
    warned = client.post(f"{at}/pledges", data=short, follow_redirects=True).text
    assert "The pledge ends before the loan" in warned and "0100" in warned
    assert [row.number for row in pledges.list_all(contract.id)] == ["0100", "0099 1234"]
    sign_in(client, purchaser, "en")
    ended = {"ended_on": "2026-11-24", "ended_reason": "项目取消"}
    assert client.post(f"{at}/termination", data=ended).status_code == 422
    told = client.post(
        f"{at}/termination", data={**ended, "ended_evidence": "通知书 3"}, follow_redirects=True
    ).text
    assert "通知书 3" in told and "ended_on" not in told
    db.session.expire_all()
    assert db.session.get_one(Contract, contract.id).obstacles == ["terminated"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_strangers_reach_none_of_it(app: Flask, client: FlaskClient, now: datetime, sealer: Sealer) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    firm, *_, contract, _, later = make_drawn_contract_loan(now, sealer)
    set_clock(later, firm.zone_id)
    sign_in(client, make_party(now=now))
    assert client.post(f"/contracts/{contract.id}/account-changes", data=CHANGE).status_code == 404
    sign_in(client, make_officer(now=now))
    assert client.post(f"/contracts/{contract.id}/pledges", data={}).status_code == 403
