"""Papers of an offer: for its parties alone, the same proof for both, and for anybody what they typed."""

from __future__ import annotations

import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from blueprints import clock
from blueprints.documents import paper
from blueprints.web.papers import PAPERS
from market.money import rate_text
from market.party import Party
from models.bid import Bid
from models.need import Need
from services import proofs
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    make_compared,
    make_deal,
    make_stall,
    read_text,
    separate_requests,
    sign_in,
)
from tests.factories import make_need, make_officer, make_party, place_bid
from tests.services.verifying import find_faults

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ENGLISH = {"Accept-Language": "en"}
CALCULATED = "amount=100&months=12&rate=3.65&repayment=interest_monthly"


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stop the clock, and let every request begin anew."""
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    with separate_requests(app):
        yield


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


@pytest.fixture
def compared(stall: Stall, now: datetime, sealer: Sealer) -> tuple[Need, list[Bid]]:
    """A need with three opened offers."""
    need, offers, _ = make_compared(stall, now, sealer)
    return need, offers


def fetch(client: FlaskClient, address: str) -> dict[str, bytes]:
    """Return all papers at an address, by name."""
    bodies = {}
    for name, media in PAPERS.items():
        answer = client.get(f"{address}/{name}")
        assert answer.status_code == 200, (address, name, answer.status_code)
        assert answer.mimetype == media
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["Content-Disposition"].endswith(f'-{name}"')
        assert answer.headers["Cache-Control"] == "no-store"
        bodies[name] = answer.data
    return bodies


def statuses(client: FlaskClient, address: str, by: Party | None) -> set[int]:
    """Return how the papers at an address are refused to somebody."""
    if by is not None:
        sign_in(client, by)
    return {client.get(f"{address}/{name}").status_code for name in PAPERS}


def read_pdf(body: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).split())


def test_a_firm_has_the_papers_of_its_offers(
    client: FlaskClient, stall: Stall, compared: tuple[Need, list[Bid]]
) -> None:
    need, offers = compared
    sign_in(client, stall.maker)
    for bid in offers:
        bodies = fetch(client, f"/needs/{need.id}/offers/{bid.id}")
        text = read_pdf(bodies["sheet.pdf"])
        assert f"{bid.effective * 100:.2f}%" in text  # type: ignore[operator]
        assert "Test firm" in text and bid.receipt_hash in text and f"Need {need.id}, bid {bid.id}" in text
        document = json.loads(bodies["proof.json"])
        assert find_faults(document) == []
        assert proofs.read(bodies["proof.json"])[1] == []
        assert document["sha256"] in text.replace(" ", "")
        assert document["proof"]["about"]["receipt"] == bid.receipt_hash
        assert set(document["words"]["how"]) == {"en", "zh"}
        result = CalamineWorkbook.from_filelike(io.BytesIO(bodies["proof.xlsx"])).get_sheet_by_index(0)
        assert document["sha256"] in [cell for row in result.to_python() for cell in row]


def test_an_institution_has_the_papers_of_its_own_bid_and_the_same_proof_as_the_firm(
    client: FlaskClient, stall: Stall, compared: tuple[Need, list[Bid]]
) -> None:
    need, offers = compared
    by_institution = {bank.organisation_id: bank for bank, _ in [*stall.banks, stall.lessor]}
    for bid in offers:
        sign_in(client, by_institution[bid.organisation_id])
        own = fetch(client, f"/bids/{bid.id}")
        sign_in(client, stall.maker)
        firm = fetch(client, f"/needs/{need.id}/offers/{bid.id}")
        assert own["proof.json"] == firm["proof.json"]


def test_a_sealed_bid_has_papers_for_its_institution_that_do_not_name_a_hidden_firm(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, bank)
    bodies = fetch(client, f"/bids/{bid.id}")
    assert (
        "Test firm" not in read_pdf(bodies["sheet.pdf"]) and "测试企业".encode() not in bodies["proof.json"]
    )
    need.shows_name = True
    assert "Test firm" in read_pdf(client.get(f"/bids/{bid.id}/sheet.pdf").data)
    assert statuses(client, f"/needs/{need.id}/offers/{bid.id}", stall.maker) == {404}, (
        "nothing is opened yet"
    )


def test_nobody_else_has_them(
    client: FlaskClient, stall: Stall, compared: tuple[Need, list[Bid]], now: datetime
) -> None:
    need, offers = compared
    offer, bid = f"/needs/{need.id}/offers/{offers[0].id}", f"/bids/{offers[0].id}"
    assert statuses(client, offer, None) == statuses(client, bid, None) == {303}, "first sign in"
    other_firm, officer = make_party(now=now), make_officer(now=now)
    rival = next(bank for bank, _ in stall.banks if bank.organisation_id != offers[0].organisation_id)
    assert statuses(client, offer, other_firm) == {404}
    assert statuses(client, bid, other_firm) == {403}
    assert statuses(client, bid, rival) == {404}
    assert statuses(client, offer, rival) == {403}
    assert statuses(client, bid, officer) == {403}
    assert statuses(client, f"/needs/{need.id}/offers/999999", stall.maker) == {404}
    assert client.get(f"{offer}/receipt.pdf").status_code == 404


def test_both_sides_of_a_deal_have_the_papers_of_its_offer(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    _, loan, _ = make_deal(stall, now, sealer)
    lender = next(bank for bank, _ in stall.banks if bank.organisation_id == loan.lender_id)
    rival = next(bank for bank, _ in stall.banks if bank.organisation_id != loan.lender_id)
    found = []
    for party in (lender, stall.maker):
        sign_in(client, party)
        found.append(fetch(client, f"/deals/{loan.id}")["proof.json"])
    assert found[0] == found[1]
    assert Decimal(rate_text(Decimal(json.loads(found[0])["proof"]["effective"]))) == loan.effective
    for stranger in (rival, make_party(now=now)):
        assert statuses(client, f"/deals/{loan.id}", stranger) == {404}


def test_anybody_has_the_papers_of_what_they_typed(client: FlaskClient) -> None:
    first, again = (
        {name: client.get(f"/calculator/{name}?{CALCULATED}", headers=ENGLISH).data for name in PAPERS}
        for _ in range(2)
    )
    assert first == again
    assert "3.71%" in read_pdf(first["sheet.pdf"])
    document = json.loads(first["proof.json"])
    assert document["proof"]["effective"].startswith("0.03711")
    assert document["proof"]["about"] == {}
    assert find_faults(document) == []
    opened = json.loads(client.get("/calculator/proof.json").data)
    assert find_faults(opened) == [], "the calculator opens on an example"


@pytest.mark.parametrize(
    "wrong", ["amount=0", "amount=abc", "rate=NaN", "months=1e9", "paper=x&endpoint=y&amount="]
)
def test_what_cannot_be_priced_leads_back_to_the_calculator_that_says_why(
    wrong: str, client: FlaskClient
) -> None:
    answer = client.get(f"/calculator/sheet.pdf?{wrong}")
    assert answer.status_code == 303
    assert answer.location.endswith(f"/calculator?{wrong}")
    assert client.get(answer.location).status_code == 422


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_offer_them_where_the_offer_stands(
    language: str, client: FlaskClient, stall: Stall, compared: tuple[Need, list[Bid]]
) -> None:
    need, offers = compared
    bank = next(bank for bank, _ in stall.banks if bank.organisation_id == offers[0].organisation_id)
    for party, address, papers in (
        (stall.maker, f"/needs/{need.id}/offers/{offers[0].id}", f"/needs/{need.id}/offers/{offers[0].id}"),
        (bank, f"/bids/{offers[0].id}", f"/bids/{offers[0].id}"),
        (bank, f"/calculator?{CALCULATED}", "/calculator"),
    ):
        sign_in(client, party, language)
        page = client.get(address).get_data(as_text=True)
        for name in PAPERS:
            assert f'href="{papers}/{name}' in page
        if "calculator" in address:
            assert CALCULATED.split("&")[0] in page.partition("/calculator/sheet.pdf?")[2][:200]


def test_the_page_lists_each_cost_with_basis_time_and_number_as_the_sheet_does(
    client: FlaskClient, stall: Stall, compared: tuple[Need, list[Bid]]
) -> None:
    need, offers = compared
    bid = next(bid for bid in offers if (bid.cost or {})["breakdown"].get("guarantor"))
    sign_in(client, stall.maker)
    page = read_text(client.get(f"/needs/{need.id}/offers/{bid.id}").get_data(as_text=True))
    text = read_pdf(client.get(f"/needs/{need.id}/offers/{bid.id}/sheet.pdf").data)
    for words in ("1.00% of the principal", "At drawdown", "Guarantor", "With the instalments", "10,000.00"):
        assert words in page and words in text, words
    assert "3.65% a year of the balance owed" in page
    bank = next(bank for bank, _ in stall.banks if bank.organisation_id == bid.organisation_id)
    sign_in(client, bank)
    own = read_text(client.get(f"/bids/{bid.id}").get_data(as_text=True))
    assert "1.00% of the principal" in own and "3.65% a year of the balance owed" in own


def test_without_the_typeface_the_page_says_what_to_do_and_the_proof_still_comes(
    client: FlaskClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "TYPEFACES", tmp_path)
    answer = client.get(f"/calculator/sheet.pdf?{CALCULATED}", headers=ENGLISH)
    assert answer.status_code == 503
    assert "./scripts/run" in read_text(answer.get_data(as_text=True))
    assert client.get(f"/calculator/proof.json?{CALCULATED}").status_code == 200


def test_the_sheet_speaks_the_language_of_its_reader(client: FlaskClient) -> None:
    chinese, english = (
        read_pdf(
            client.get(f"/calculator/sheet.pdf?{CALCULATED}", headers={"Accept-Language": language}).data
        )
        for language in ("zh", "en")
    )
    assert "贷款明白纸" in chinese and "Disclosure sheet" in english
    assert find_foreign(chinese.replace("LPR", ""), "zh") == []
