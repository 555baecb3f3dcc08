"""Admission pages: an officer admits, renews, suspends; the institution reads where it stands."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.admission import AdmissionState
from market.calendar import local_date
from market.party import Party
from market.vocabulary import OrganisationKind
from services import admissions
from tests.blueprints.web.market_stall import Stall, find_foreign, make_stall, read_text, sign_in
from tests.factories import (
    make_credit_code,
    make_officer,
    make_organisation,
    make_papers,
    make_party,
)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def stopped(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


def papers_of(now: datetime, days: int = 700) -> dict[str, str]:
    papers = make_papers(now=now, days=days)
    return {
        "licence_number": papers.licence_number,
        "agreement_number": papers.agreement_number,
        "agreement_until": papers.agreement_until.isoformat(),
    }


def state_of(organisation_id: int, by: Party, now: datetime) -> AdmissionState:
    return admissions.find(organisation_id, by=by, now=now).state


def test_an_officer_takes_an_institution_from_its_admission_to_suspension_and_back(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    officer = make_officer(now=now)
    bank = make_organisation(OrganisationKind.BANK, now=now, admitted=False)
    address = f"/admissions/{bank.id}"
    sign_in(client, officer)
    assert "Not admitted yet" in read_text(client.get(address).text)
    refused = client.post(address, data={**papers_of(now), "licence_number": ""})
    assert refused.status_code == 422
    assert 'value="HZXY' in refused.text, "what was typed stays"
    assert client.post(address, data=papers_of(now, days=20)).status_code == 303
    assert "The agreement ends in 20 days" in read_text(client.get(address).text)
    assert "1 agreement ends within 30 days" in read_text(client.get("/board").text)
    assert client.post(address, data=papers_of(now)).status_code == 303
    assert "within 30 days" not in read_text(client.get("/board").text)
    refused = client.post(f"{address}/suspend", data={"reason": " "})
    assert refused.status_code == 422
    assert re.search(r'name="licence_number"[^>]* value="B\d+H"', refused.text), "the other form stays filled"
    assert client.post(f"{address}/suspend", data={"reason": "被监管调查"}).status_code == 303
    assert "被监管调查" in client.get("/admissions?state=suspended").text
    assert client.post(f"{address}/reinstate").status_code == 303
    assert state_of(bank.id, officer, now) is AdmissionState.ADMITTED
    again = client.post(f"{address}/reinstate")
    assert again.status_code == 409
    assert "does not allow “reinstate”" in read_text(again.text)


def test_an_officer_enrols_a_new_institution_with_its_papers(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    sign_in(client, make_officer(now=now))
    typed = {"kind": "lessor", "credit_code": make_credit_code(), "name_zh": "新来租赁", **papers_of(now)}
    refused = client.post("/admissions/new", data={**typed, "kind": ""})
    assert refused.status_code == 422 and "新来租赁" in refused.text
    made = client.post("/admissions/new", data=typed)
    assert made.status_code == 303
    page = client.get(made.headers["Location"]).text
    assert "新来租赁" in page and typed["agreement_number"] in page
    assert typed["licence_number"] in client.get("/admissions?export=csv").get_data(as_text=True)


def test_an_auditor_reads_and_changes_nothing_and_nobody_else_reads(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    address = f"/admissions/{bank.organisation_id}"
    sign_in(client, make_party(OrganisationKind.AGENCY, now=now))
    page = client.get(address).text
    assert "<form" not in re.sub(r"(?s)<header.*?</header>", "", page) or "agreement_until" not in page
    assert client.post(f"{address}/suspend", data={"reason": "缘由"}).status_code == 403
    assert client.get("/admissions/new").status_code == 403
    for party in (bank, stall.maker):
        sign_in(client, party)
        assert client.get("/admissions").status_code == 403


def test_an_institution_reads_what_keeps_it_from_bidding(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    officer, (bank, _) = make_officer(now=now), stall.banks[0]
    sign_in(client, bank)
    assert "suspended" not in read_text(client.get("/opportunities").text)
    admissions.suspend(int(bank.organisation_id or 0), "材料不实", by=officer, now=now)
    assert "Reason: 材料不实." in read_text(client.get("/opportunities").text)
    admissions.reinstate(int(bank.organisation_id or 0), by=officer, now=now)
    admissions.renew(int(bank.organisation_id or 0), make_papers(now=now, days=3), by=officer, now=now)
    assert "ends in 3 days" in read_text(client.get("/opportunities").text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_are_complete_in_both_languages(
    client: FlaskClient, stall: Stall, now: datetime, language: str
) -> None:
    authority = make_organisation(
        OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office"
    )
    officer = make_party(now=now, organisation=authority)
    numbers = []
    for name, english, days in (("甲行", "Bank A", 3), ("乙行", "Bank B", 400), ("丙行", "Bank C", None)):
        row = make_organisation(OrganisationKind.BANK, now=now, name=name, name_en=english, admitted=False)
        numbers.append(row.id)
        if days is not None:
            admissions.admit(row.id, make_papers(now=now, days=days), by=officer, now=now)
    admissions.suspend(numbers[1], "1" if language == "en" else "缘由", by=officer, now=now)
    sign_in(client, officer, language)
    addresses = ["/admissions", "/admissions/new", *(f"/admissions/{number}" for number in numbers)]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = re.sub(
            r"Test (firm|zone)|First bank|Second bank|A lessor|Bank [ABC]|Zone office", "", answer.text
        )
        foreign = [word for word in find_foreign(text, language) if word not in {"CSV Excel"}]
        kept = {"第一银行", "第二银行", "租赁公司", "甲行", "乙行", "丙行", "管委会", "测试"}
        assert not [word for word in foreign if not any(word.startswith(k) for k in kept)], address
    assert local_date(now).year == 2026
