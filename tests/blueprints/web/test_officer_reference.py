"""The page of reference rates: the LPR with its authors, one more month, and the days that are worked."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.lpr import LprRow
from market.party import Party
from market.vocabulary import Capability, OrganisationKind
from models.base import db
from services import lpr, users
from tests.blueprints.web.market_stall import find_foreign, forget_request, read_text, sign_in
from tests.factories import make_organisation, make_party

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SEPTEMBER = {"published_on": "2026-09-20", "one_year": "3.00", "five_year": "3.50"}


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


def read_rows() -> tuple[LprRow, ...]:
    db.session.rollback()
    return lpr.read_table().rows


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_complete_in_both_languages(
    client: FlaskClient, officer: Party, now: datetime, language: str
) -> None:
    august = LprRow(date(2026, 8, 20), Decimal("0.0295"), Decimal("0.035"))
    lpr.load([august], by=officer, now=now, correct=True)
    sign_in(client, officer, language)
    forget_request()
    # The officer's name and the zone's are theirs, not ours.
    kept = {"管委会", "高新区"}
    for address in ("/reference", "/reference?year=2027", "/reference?page=5&sort=published"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = re.sub(r"High-tech zone|Zone office|CSV|Excel", "", answer.text)
        assert [word for word in find_foreign(text, language) if word not in kept] == [], address


def test_it_says_which_day_is_the_newest_and_what_is_missing(client: FlaskClient, officer: Party) -> None:
    sign_in(client, officer)
    page = client.get("/reference").text
    text = read_text(page)
    assert "The newest LPR on record is of 2026-08-20" in text
    assert "Not on record: 2026-09-20, 2026-10-20, 2026-11-20." in text
    assert "The 1-year LPR went from 4.25% in 2019-08 to 3.00% in 2026-08" in text
    assert "shipped with the system" in text and "1–20 of 85" in text
    # The form opens on the first month that is missing.
    assert re.search(r'id="f-published_on"[^>]*value="2026-09-20"', page)
    assert '"kind": "step"' in page


def test_an_officer_adds_a_month_and_stands_beside_it(
    client: FlaskClient, officer: Party, now: datetime
) -> None:
    sign_in(client, officer)
    assert client.post("/reference/lpr", data=SEPTEMBER).status_code == 303
    assert read_rows()[-1] == LprRow(date(2026, 9, 20), Decimal("0.03"), Decimal("0.035"))
    text = read_text(client.get("/reference").text)
    assert "Needs published before keep their LPR." in text
    assert f"{_name(officer)} · · 2026-11-20 10:00" in re.sub(r"(· )+", "· · ", text)
    client.post("/reference/lpr", data=SEPTEMBER)
    assert "nothing changed" in client.get("/reference").text
    assert len(read_rows()) == 86


@pytest.mark.parametrize(
    ("changes", "said", "field"),
    [
        ({"published_on": "2026-09-22"}, "in that month on 2026-09-20", "published_on"),
        ({"published_on": "2026-12-21"}, "has not come yet", "published_on"),
        ({"published_on": "2026-02-30"}, "is not a date", "published_on"),
        ({"one_year": "3.07"}, "steps of 0.05%", "one_year"),
        ({"five_year": "0"}, "too small", "five_year"),
        ({"five_year": ""}, "Please fill this in", "five_year"),
    ],
)
def test_a_faulty_month_is_explained_beside_its_field_and_kept_in_the_form(
    client: FlaskClient, officer: Party, changes: dict[str, str], said: str, field: str
) -> None:
    sign_in(client, officer)
    answer = client.post("/reference/lpr", data={**SEPTEMBER, **changes})
    assert answer.status_code == 422
    fault = re.search(rf'id="f-{field}-fault">(.*?)</p>', answer.text, re.DOTALL)
    assert fault is not None and said in fault[1]
    assert "rows" not in read_text(answer.text)
    for name, value in {**SEPTEMBER, **changes}.items():
        assert re.search(rf'id="f-{name}"[^>]*value="{value}"', answer.text)
    assert len(read_rows()) == 85


def test_an_unusual_rate_and_a_correction_each_ask_for_a_word(client: FlaskClient, officer: Party) -> None:
    sign_in(client, officer)
    unusual = {**SEPTEMBER, "one_year": "1.50"}
    first = client.post("/reference/lpr", data=unusual)
    assert (
        first.status_code == 422 and 'name="confirmed"' in first.text and 'name="correct"' not in first.text
    )
    assert client.post("/reference/lpr", data={**unusual, "confirmed": "1"}).status_code == 303
    known = {"published_on": "2026-08-20", "one_year": "2.95", "five_year": "3.50"}
    second = client.post("/reference/lpr", data=known)
    assert second.status_code == 422 and 'name="correct"' in second.text
    assert client.post("/reference/lpr", data={**known, "confirmed": "1", "correct": "1"}).status_code == 303
    text = read_text(client.get("/reference").text)
    assert "corrected; before: 2026-08-20, 3.00% and 3.50%" in text


def test_the_table_is_exported_as_it_stands(client: FlaskClient, officer: Party) -> None:
    sign_in(client, officer)
    client.post("/reference/lpr", data=SEPTEMBER)
    rows = list(csv.DictReader(io.StringIO(client.get("/reference?export=csv").data.decode("utf-8-sig"))))
    assert len(rows) == 86
    assert (rows[0]["Day of publication"], rows[0]["1-year LPR"]) == ("2026-09-20", "3.0000%")
    assert (rows[0]["By"], rows[1]["By"]) == (_name(officer), "shipped with the system")
    oldest = client.get("/reference?export=csv&sort=published").data.decode("utf-8-sig").splitlines()[1]
    assert oldest.startswith("2019-08-20,4.2500%,4.8500%")


def test_the_days_of_a_year_are_shown_with_their_standing(client: FlaskClient, officer: Party) -> None:
    sign_in(client, officer)
    this = read_text(client.get("/reference").text)
    assert "Working days of 2026" in this and "as published by the State Council" in this
    assert "2026-09-20 · worked in exchange" in this and "2026-10-05 · National Day, in lieu" in this
    coming = read_text(client.get("/reference?year=2027").text)
    assert "has not published the days of 2027 yet" in coming and "none known" in coming
    assert "Working days of 2026" in read_text(client.get("/reference?year=abc").text)


def test_an_auditor_looks_and_others_do_not(client: FlaskClient, officer: Party, now: datetime) -> None:
    auditor = make_party(OrganisationKind.AGENCY, [Capability.AUDITOR], now=now)
    sign_in(client, auditor)
    page = client.get("/reference")
    assert page.status_code == 200 and "/reference/lpr" not in page.text
    assert client.post("/reference/lpr", data=SEPTEMBER).status_code == 403
    for kind in (OrganisationKind.ENTERPRISE, OrganisationKind.BANK):
        sign_in(client, make_party(kind, now=now))
        assert client.get("/reference").status_code == 403
        forget_request()
        assert client.post("/reference/lpr", data=SEPTEMBER).status_code == 403
        forget_request()
    assert len(read_rows()) == 85


def test_the_menu_of_an_officer_leads_there(client: FlaskClient, officer: Party) -> None:
    sign_in(client, officer)
    assert 'href="/reference"' in client.get("/board").text


def _name(party: Party) -> str:
    user = users.find(party.user_id or 0)
    assert user is not None
    return user.name
