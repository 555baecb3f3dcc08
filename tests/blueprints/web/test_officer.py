"""The officer's pages: figures with the rows behind them, rounds explained, and nothing of a sealed bid."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.party import Party
from market.vocabulary import AlertKind, Capability, NeedState, OrganisationKind, RoundState
from models.alert import Alert
from models.base import db, transaction
from models.need import Need
from models.organisation import Tag
from models.round import MatchingRound
from models.zone import Membership, Zone
from services import alerts, organisations
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    forget_request,
    make_compared,
    make_deal,
    make_stall,
    read_text,
    sign_in,
)
from tests.factories import make_need, make_officer, make_organisation, make_party, place_bid
from tests.services.test_path import make_drawn_contract_loan

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ADDRESSES = (
    "/board",
    "/board/needs",
    "/board/deals",
    "/rounds",
    "/rounds/new",
    "/contract-loans",
    "/alerts",
    "/alerts?view=resolved",
    "/members",
)


class Hours:
    """The clock of a test: stands until it is set, and moves with a practice zone's offset."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def read(self, zone: Zone | None = None) -> datetime:
        """Return the time in a zone."""
        return self.now + timedelta(seconds=zone.clock_offset_seconds if zone is not None else 0)

    def set(self, now: datetime) -> None:
        """Let it be another time from the next request on."""
        self.now = now
        forget_request()


@pytest.fixture(autouse=True)
def hours(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Hours:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    stopped = Hours(now)
    monkeypatch.setattr(clock, "read", stopped.read)
    return stopped


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


@pytest.fixture
def officer(stall: Stall, now: datetime) -> Party:
    """An officer of the zone."""
    authority = make_organisation(
        OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office"
    )
    return make_party(now=now, organisation=authority)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_complete_in_both_languages(
    client: FlaskClient,
    stall: Stall,
    officer: Party,
    now: datetime,
    sealer: Sealer,
    hours: Hours,
    language: str,
) -> None:
    need, loan, later = make_deal(stall, now, sealer)
    second = make_need(stall.maker, now=later)
    hours.set(later)
    sign_in(client, officer, language)
    client.post("/rounds/new")
    row = db.session.scalars(select(MatchingRound)).one()
    more = (
        f"/board/needs/{need.id}",
        f"/board/needs/{second.id}",
        f"/rounds/{row.id}",
        f"/members/{loan.borrower_id}",
        f"/members/{loan.lender_id}",
    )
    for address in (*ADDRESSES, *more):
        answer = client.get(address)
        assert answer.status_code == 200, address
        named = r"ortools [^<]*|SHA-256|Test (firm|zone|loan)|First bank|Second bank|A lessor"
        text = re.sub(named, "", answer.text)
        kept = {"第一银行", "第二银行", "贷", "测试企业", "设备租赁", "租赁公司", "管委会"}
        foreign = [word for word in find_foreign(text, language) if not any(word.startswith(k) for k in kept)]
        assert not [word for word in foreign if word not in {"CSV Excel"}], address


def test_no_page_shows_the_officer_a_sealed_bid(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now)
    sign_in(client, officer)
    bank, product = stall.banks[0]

    def pages() -> list[str]:
        forget_request()
        listed = [client.get(address).text for address in (*ADDRESSES, f"/board/needs/{need.id}")]
        # Security tokens differ from page to page and say nothing.
        return [re.sub(r'(csrf_token" value|csrf-token" content)="[^"]*"', "", page) for page in listed]

    before = pages()
    bid = place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal("0.0412"))
    after = pages()
    # Not even the number of bids or who answers changes with a bid placed under seal.
    assert before == after
    assert all(bid.receipt_hash not in page for page in after)


def test_opened_offers_stand_ranked_with_their_reason(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer, hours: Hours
) -> None:
    need, _, later = make_compared(stall, now, sealer)
    hours.set(later)
    sign_in(client, officer)
    text = read_text(client.get(f"/board/needs/{need.id}").text)
    assert "First bank" in text and "Second bank" in text
    assert "Lowest annual cost of all bids." in text and "Listed apart" in text


def test_rows_are_filtered_sorted_and_exported_as_seen(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer, hours: Hours
) -> None:
    need, loan, later = make_deal(stall, now, sealer)
    other = make_need(stall.maker, now=later, amount=7 * 10**8)
    hours.set(later)
    sign_in(client, officer)

    def read(address: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(client.get(address).data.decode("utf-8-sig"))))

    by_amount = read("/board/needs?sort=amount&export=csv")
    assert [row["Need"] for row in by_amount] == [str(need.id), str(other.id)]
    assert [row["Need"] for row in read("/board/needs?state=open&export=csv")] == [str(other.id)]
    assert read("/board/needs?state=open&export=csv")[0]["Institutions that answered"] == ""
    assert read("/board/needs?q=nowhere&export=csv") == []
    (deal,) = read("/board/deals?figure=drawn&export=csv")
    assert deal["Deal"] == str(loan.id) and deal["Outstanding (yuan)"] == "1000000.00"
    assert read("/board/deals?figure=overdue&export=csv") == []
    assert read(f"/board/deals?month={later:%Y-%m}&export=csv") == [deal]
    assert client.get("/members?export=xlsx").data[:2] == b"PK"


def test_a_cell_that_looks_like_a_formula_is_defused(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime
) -> None:
    make_organisation(now=now, name="=1+1", name_en="=HYPERLINK()")
    sign_in(client, officer)
    assert "\n'=HYPERLINK()," in client.get("/members?export=csv").data.decode("utf-8-sig").replace("\r", "")


def test_a_round_is_previewed_run_and_explained(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer, hours: Hours
) -> None:
    sign_in(client, officer)
    assert "Nothing would join a round now" in client.get("/rounds/new").text
    _, _, later = make_compared(stall, now, sealer)
    hours.set(later)
    assert "1 need would join this round" in client.get("/rounds/new").text
    answer = client.post("/rounds/new")
    row = db.session.scalars(select(MatchingRound)).one()
    assert answer.status_code == 303 and answer.location.endswith(f"/rounds/{row.id}")
    assert row.state is RoundState.SETTLED and row.trigger == "officer"
    text = read_text(client.get(f"/rounds/{row.id}").text)
    assert "The cheapest of 2 live bids." in text and "nothing better exists" in text
    assert client.get("/rounds/999").status_code == 404


def test_the_practice_clock_opens_what_falls_due_at_once(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer
) -> None:
    zone = db.session.get_one(Zone, officer.zone_id)
    zone.is_sandbox = True
    db.session.commit()
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, officer)
    assert "Practice clock" in client.get("/board").text
    answer = client.post("/board/clock", data={"to": "deadline", "next": "/rounds"})
    assert answer.status_code == 303 and answer.location == "/rounds"
    db.session.rollback()
    assert db.session.get_one(Need, need.id).state is NeedState.CLOSED
    assert "Biddings opened: 1" in client.get("/rounds").text
    # An address elsewhere is not followed, and an unknown step moves nothing.
    before = db.session.get_one(Zone, officer.zone_id).clock_offset_seconds
    away = client.post("/board/clock", data={"to": "yesterday", "next": "//elsewhere"})
    db.session.rollback()
    assert away.location == "/board"
    assert db.session.get_one(Zone, officer.zone_id).clock_offset_seconds == before


def test_a_real_zone_has_no_clock_to_move(client: FlaskClient, stall: Stall, officer: Party) -> None:
    sign_in(client, officer)
    assert "Practice clock" not in client.get("/board").text
    client.post("/board/clock", data={"to": "day"})
    db.session.rollback()
    assert db.session.get_one(Zone, officer.zone_id).clock_offset_seconds == 0


def test_an_alert_is_resolved_with_a_word_of_why(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime, sealer: Sealer
) -> None:
    _, loan, _ = make_deal(stall, now, sealer)
    with transaction() as session:
        alerts.raise_alert(
            session,
            officer.zone_id,
            AlertKind.LOAN_OVERDUE,
            f"loan:{loan.id}",
            now=now,
            loan_id=loan.id,
            due_on="2026-11-19",
        )
    alert = db.session.scalars(select(Alert)).one()
    sign_in(client, officer)
    text = read_text(client.get("/alerts").text)
    assert "due on 2026-11-19" in text and "Test firm" in text
    empty = client.post(f"/alerts/{alert.id}/resolve", data={"resolution": " "})
    assert empty.status_code == 422 and "Please fill this in" in empty.text
    assert client.post(f"/alerts/{alert.id}/resolve", data={"resolution": "called them"}).status_code == 303
    assert "called them" in client.get("/alerts?view=resolved").text
    assert client.post(f"/alerts/{alert.id}/resolve", data={"resolution": "again"}).status_code == 409


def test_contract_loans_show_their_rung_and_their_money(
    client: FlaskClient, now: datetime, sealer: Sealer, hours: Hours
) -> None:
    _, bank, _, contract, _, later = make_drawn_contract_loan(now, sealer)
    hours.set(later)
    sign_in(client, make_officer(now=now, zone_id=bank.zone_id))
    page = client.get("/contract-loans").text
    assert contract.title in page and "Loan drawn" in page
    assert contract.title not in client.get("/contract-loans?mark=ended").text
    assert contract.title not in client.get("/contract-loans?stage=repaid").text
    assert contract.title in client.get(f"/contract-loans?q={contract.number[:6]}").text


def test_qualifications_and_the_whitelist_are_kept_by_officers(
    client: FlaskClient, stall: Stall, officer: Party
) -> None:
    firm_id = stall.maker.organisation_id
    sign_in(client, officer)
    values = {"code": "tech_sme", "issuer": "市科技局", "valid_from": "2026-01-01", "valid_to": "2027-12-31"}
    assert client.post(f"/members/{firm_id}/tags", data=values).status_code == 303
    again = client.post(f"/members/{firm_id}/tags", data=values)
    assert again.status_code == 409 and "exists already" in again.text
    wrong = client.post(f"/members/{firm_id}/tags", data={**values, "valid_to": "2025-01-01", "issuer": ""})
    assert wrong.status_code == 422 and "Issued by" in wrong.text
    tag = db.session.scalars(select(Tag)).one()
    assert client.post(f"/members/{firm_id}/tags/{tag.id}/end").status_code == 303
    assert client.post(f"/members/{firm_id}/whitelist", data={"listed": "1"}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Tag, tag.id).valid_to == date(2026, 11, 20)
    seat = db.session.scalars(select(Membership).where(Membership.organisation_id == firm_id)).one()
    assert seat.whitelisted
    assert "Test firm" in client.get("/members?listed=1&tag=tech_sme").text
    assert client.get("/members/999999").status_code == 404


def test_an_auditor_reads_everything_and_changes_nothing(
    client: FlaskClient, stall: Stall, officer: Party, now: datetime
) -> None:
    auditor = make_party(
        OrganisationKind.AGENCY,
        [Capability.AUDITOR],
        now=now,
        organisation=organisations.find(officer.organisation_id or 0),
    )
    firm_id = stall.maker.organisation_id
    sign_in(client, auditor)
    for address in (*ADDRESSES, f"/members/{firm_id}"):
        assert client.get(address).status_code == (403 if address == "/rounds/new" else 200), address
    for address in (
        "/rounds/new",
        "/board/clock",
        "/alerts/1/resolve",
        f"/members/{firm_id}/tags",
        f"/members/{firm_id}/whitelist",
        f"/members/{firm_id}/tags/1/end",
    ):
        assert client.post(address).status_code == 403, address


def test_pages_of_the_zone_are_closed_to_firms_and_institutions(client: FlaskClient, stall: Stall) -> None:
    for party in (stall.maker, stall.banks[0][0]):
        sign_in(client, party)
        for address in (*ADDRESSES, "/board/needs/1", "/rounds/1", "/members/1"):
            assert client.get(address).status_code == 403, address
