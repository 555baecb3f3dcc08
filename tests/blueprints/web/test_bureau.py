"""The pages of the exchange: links, pulls and reports for the officer, leave to read for the firm."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.bureau_vocabulary import ConsentScope
from market.party import Party
from market.vocabulary import OrganisationKind
from models.base import db, transaction
from models.bureau import BureauLink, BureauPull, DataConsent, RepaymentReport
from models.contract import Contract
from services import contract_import, data_consents
from tests.blueprints.web.market_stall import (
    find_foreign,
    forget_request,
    make_stall,
    read_text,
    separate_requests,
    sign_in,
)
from tests.factories import MILLION, make_organisation, make_party
from tests.procurement import lines, make_release

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

DAY = date(2026, 11, 19)


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


@pytest.fixture
def officer(app: Flask, now: datetime) -> Party:
    """An officer of the zone."""
    authority = make_organisation(
        OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office"
    )
    return make_party(now=now, organisation=authority)


def fill(officer: Party, lender: Party, now: datetime) -> None:
    """Put a link with a good and a failed pull, and a report that differs, on record."""
    contract_import.import_stream(io.BytesIO(lines([make_release()])), by=officer, now=now)
    with transaction() as session:
        link = BureauLink(
            zone_id=officer.zone_id, name="BJ", base_url="https://a.example", token=b"x", changed_at=now
        )
        session.add(link)
        session.flush()
        said = {"place": "3", "code": "required", "field": "contract_number", "values": {}}
        usual = {"link_id": link.id, "kind": "contracts", "day": DAY, "started_at": now, "finished_at": now}
        session.add(BureauPull(**usual, imported=2, rejected=1, rejections=[said]))
        session.add(BureauPull(**usual, failure={"why": "broken", "values": {"status": 502}}))
        contract = session.scalars(select(Contract)).one()
        session.add(
            RepaymentReport(
                **{"zone_id": officer.zone_id, "contract_id": contract.id, "financed_on": DAY},
                **{"lender_id": lender.organisation_id, "ends_on": DAY, "amount": MILLION, "returned": 0},
                reported_at=now,
                differences=[
                    {"field": None, "reported": None, "booked": None},
                    {"field": "amount", "reported": MILLION, "booked": 2 * MILLION},
                    {"field": "ends_on", "reported": "2026-11-19", "booked": "2026-12-19"},
                ],
            )
        )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_are_complete_in_both_languages(
    app: Flask, client: FlaskClient, officer: Party, now: datetime, language: str
) -> None:
    stall = make_stall(now)
    bank = stall.banks[0][0]
    fill(officer, bank, now)
    until = DAY + timedelta(days=90)
    data_consents.give(bank.organisation_id, ConsentScope.CONTRACTS, until, by=stall.maker, now=now)
    kept = data_consents.give(None, ConsentScope.PAYMENTS, until, by=stall.maker, now=now)
    data_consents.revoke(kept.id, by=stall.maker, now=now)
    for party, address in ((officer, "/bureau"), (stall.maker, "/consents")):
        sign_in(client, party, language)
        forget_request()
        answer = client.get(address)
        assert answer.status_code == 200
        text = re.sub(r"Zone office|Test (?:firm|zone)|(?:First|Second) bank|A lessor|C-1", "", answer.text)
        foreign = [word for word in find_foreign(text, language) if word not in {"管委会", "高新区"}]
        assert foreign == [], address


def test_the_officer_reads_what_came_and_what_did_not(
    client: FlaskClient, officer: Party, now: datetime
) -> None:
    fill(officer, make_stall(now).banks[0][0], now)
    sign_in(client, officer)
    forget_request()
    text = re.sub(r"[ ·]+", " ", read_text(client.get("/bureau").text))
    assert "Last day of contracts 2026-11-19" in text and "Last day of payments —" in text
    assert "The bureau answered with a fault of its own. (502)" in text
    assert "3: Contract number: Please fill this in." in text
    assert "The loan book has no such loan." in text
    assert "Amount financed: reported ¥1,000,000.00, booked ¥2,000,000.00" in text


def test_an_officer_links_a_bureau_and_hears_why_it_cannot_be_asked(
    app: Flask, client: FlaskClient, officer: Party
) -> None:
    with separate_requests(app):
        sign_in(client, officer)
        wrong = client.post(
            "/bureau", data={"name": "局", "base_url": "http://127.0.0.1/", "token": "geheim"}
        )
        assert wrong.status_code == 422 and "geheim" not in wrong.text
        said = {"name": "局", "base_url": "https://localhost:1/api", "token": "geheim", "is_active": "1"}
        assert client.post("/bureau", data=said).status_code == 303
        (link,) = db.session.scalars(select(BureauLink))
        pulled = client.post(
            f"/bureau/{link.id}/pull", data={"pull_day": "2026-11-19"}, follow_redirects=True
        )
        assert "The address leads into a private network. (localhost)" in read_text(pulled.text)
        assert "geheim" not in pulled.text
        missing = client.post(f"/bureau/{link.id}/pull", data={"pull_day": ""})
        assert missing.status_code == 422
        assert client.post("/bureau/999/pull", data={"pull_day": "2026-11-19"}).status_code == 404


def test_a_firm_gives_leave_and_takes_it_back(app: Flask, client: FlaskClient, now: datetime) -> None:
    stall = make_stall(now)
    with separate_requests(app):
        sign_in(client, stall.maker)
        late = client.post("/consents", data={"scope": "contracts", "valid_until": "2026-11-01"})
        assert late.status_code == 422
        given = client.post(
            "/consents",
            data={"institution_id": "", "scope": "payments", "valid_until": "2027-11-19"},
            follow_redirects=True,
        )
        assert "Every bank under agreement with the zone" in given.text
        (row,) = db.session.scalars(select(DataConsent))
        back = client.post(f"/consents/{row.id}/revoke", follow_redirects=True)
        assert "nobody reads by it any more" in back.text
        again = client.post(f"/consents/{row.id}/revoke", follow_redirects=True)
        assert again.status_code == 200 and "Taken back" not in again.text
