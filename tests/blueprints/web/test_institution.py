"""An institution's pages: what fits, a bid with its live cost, a receipt to check, and no rival's word."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.party import Party
from market.vocabulary import BidState, Capability, LimitScope, OrganisationKind, Purpose
from models.base import db
from models.bid import Bid
from models.need import Need
from models.product import Product
from services import awards, limit_settings, organisations
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    forget_request,
    make_compared,
    make_stall,
    read_text,
    sign_in,
)
from tests.factories import (
    MILLION,
    make_need,
    make_officer,
    make_party,
    make_product,
    make_zone,
    place_bid,
)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


@pytest.fixture
def need(stall: Stall, now: datetime) -> Need:
    """An open need for five million yuan over a year, its firm not shown."""
    return make_need(stall.maker, now=now)


def fill_in(product: Product, **changes: str) -> dict[str, str]:
    """Return the form of a bid as a person fills it in."""
    values = {
        "product_id": str(product.id),
        "principal": "500",
        "months": "12",
        "rate": "3.85",
        "repayment": "interest_monthly",
        "valid_until": "2026-12-31",
        "fees.0.name": "guarantee",
        "fees.0.payee": "guarantor",
        "fees.0.rate": "0.5",
        "fees.0.basis": "principal",
        "fees.0.when": "upfront",
    }
    return {**values, **changes}


def bids_of(need: Need, by: Party) -> list[Bid]:
    """Return an institution's bids on a need as they stand in the database."""
    db.session.rollback()
    query = select(Bid).where(Bid.need_id == need.id, Bid.organisation_id == by.organisation_id)
    return list(db.session.scalars(query.order_by(Bid.receipt_at, Bid.need_id, Bid.receipt_number)))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_complete_in_both_languages(
    client: FlaskClient, stall: Stall, need: Need, now: datetime, sealer: Sealer, language: str
) -> None:
    bank, product = stall.banks[0]
    db.session.get_one(Product, product.id).name_en = "First loan"
    db.session.commit()
    limit_settings.set_limit(bank.organisation_id or 0, LimitScope.TOTAL, 9 * MILLION, by=bank, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, bank, language)
    addresses = (
        "/opportunities",
        f"/opportunities/{need.id}",
        "/bids",
        f"/bids/{bid.id}",
        "/shelf",
        "/shelf/new",
        "/limits",
    )
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = re.sub(r"\{.*?\}\}?|sha256sum \S+|RFC 8785|canonical JSON", "", answer.text)
        foreign = [word for word in find_foreign(text, language) if "bp" not in word and "LPR" not in word]
        kept = {"第一银行贷", "第二银行贷", "承诺"}
        assert not [word for word in foreign if word not in kept], address


def test_needs_that_fit_stand_on_top_and_filters_stand_in_the_address(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    large = make_need(
        stall.maker, now=now, amount=900 * MILLION, purpose=Purpose.RESEARCH, closes_in=timedelta(days=1)
    )
    sign_in(client, bank)
    page = client.get("/opportunities").text
    # The one that fits comes first although the other closes earlier.
    assert page.index(f'/opportunities/{need.id}"') < page.index(f'/opportunities/{large.id}"')
    only = client.get("/opportunities?fits=1").text
    assert f'/opportunities/{need.id}"' in only and f'/opportunities/{large.id}"' not in only
    research = client.get("/opportunities?purpose=research&least=80000").text
    assert f'/opportunities/{large.id}"' in research and f'/opportunities/{need.id}"' not in research
    assert "left out" in client.get("/opportunities?least=abc").text


def test_needs_that_nearly_fit_stand_below_with_what_is_missing(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    bank, product = stall.banks[0]
    large = make_need(stall.maker, now=now, amount=900 * MILLION)
    sign_in(client, bank)
    page = client.get("/opportunities").text
    text = read_text(page)
    assert "Nearly fit" in text and "amount at most ¥50 million (now ¥900 million)" in text
    assert f"/opportunities/{large.id}?product_id={product.id}" in page
    assert f"/opportunities/{need.id}?product_id=" not in page
    assert "Nearly fit" not in read_text(client.get("/opportunities?fits=1").text)


def test_the_firm_is_named_only_if_it_shows_itself(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    shown = make_need(stall.maker, now=now, shows_name=True)
    sign_in(client, bank)
    assert "Test firm" not in client.get(f"/opportunities/{need.id}").text
    assert "Test firm" in client.get(f"/opportunities/{shown.id}").text
    rows = list(csv.DictReader(io.StringIO(client.get("/opportunities?export=csv").data.decode("utf-8-sig"))))
    assert [row["Firm"] for row in rows] == ["not shown", "Test firm"]


def test_an_export_holds_exactly_what_is_seen(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    make_need(stall.maker, now=now, purpose=Purpose.RESEARCH)
    sign_in(client, bank)
    answer = client.get("/opportunities?purpose=working_capital&export=csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Need"] for row in rows] == [str(need.id)]
    assert rows[0]["Amount (yuan)"] == "5000000.00"
    assert client.get("/opportunities?export=xlsx").data[:2] == b"PK"


def test_failing_conditions_are_said_in_words(client: FlaskClient, stall: Stall, now: datetime) -> None:
    bank, product = stall.banks[0]
    small = make_need(stall.maker, now=now, amount=MILLION // 2)
    sign_in(client, bank)
    text = read_text(client.get(f"/opportunities/{small.id}?product_id={product.id}").text)
    assert "Does not fit" in text and "amount at least ¥1 million (now ¥500,000)" in text


def test_the_preview_prices_as_it_is_typed_and_stores_nothing(
    client: FlaskClient, stall: Stall, need: Need
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    text = read_text(client.post(f"/opportunities/{need.id}/preview", data=fill_in(product)).text)
    # Twelve months of 16,041.67 yuan interest, and the guarantee fee of 25,000 at the start.
    assert "total cost 217,500.04 yuan" in text and "Guarantor · · 25,000.00" in text
    assert "Nothing speaks against" in text
    missing = read_text(client.post(f"/opportunities/{need.id}/preview", data=fill_in(product, rate="")).text)
    assert "No annual cost yet" in missing and "Annual rate" in missing
    assert bids_of(need, bank) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate": "385"}, "above the legal ceiling"),
        ({"rate": "0.0385"}, "looks mistyped"),
        ({"rate": "abc"}, "is not a number"),
        ({"rate": "-1"}, "too small"),
        ({"rate": ""}, "Please fill this in"),
        ({"principal": "0"}, "too small"),
        ({"principal": "99999999999999"}, "too large"),
        ({"principal": "50"}, "¥500,000 is too small: at least ¥1 million"),
        ({"months": "0"}, "too small"),
        ({"months": "12.5"}, "too many decimals"),
        ({"repayment": "someday"}, "not one of the choices"),
        ({"valid_until": "2026-11-21"}, "too early"),
        ({"valid_until": "tomorrow"}, "is not a date"),
        ({"fees.0.rate": "x"}, "Size of fee 1"),
        ({"fees.0.name": "", "fees.0.rate": "1"}, "Name of fee 1"),
        ({"fees.0.rate": "1", "fees.0.when": "never"}, "not one of the choices"),
        ({"declared_rate": "9.99"}, "9.99%"),
    ],
)
def test_a_faulty_bid_is_explained_and_kept_in_the_form(
    client: FlaskClient, stall: Stall, need: Need, changes: dict[str, str], words: str
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product, **changes))
    assert answer.status_code == 422
    text = read_text(answer.text)
    assert "nothing was stored" in text and words in text
    assert 'value="guarantee"' in answer.text or changes.get("fees.0.name") == ""
    assert bids_of(need, bank) == []


def test_an_unusual_rate_passes_once_it_is_confirmed(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    first = client.post(f"/opportunities/{need.id}", data=fill_in(product, rate="0.05"))
    assert 'name="confirmed"' in first.text
    second = client.post(f"/opportunities/{need.id}", data=fill_in(product, rate="0.05", confirmed="1"))
    assert second.status_code == 303


def test_a_placed_bid_hands_out_a_receipt_that_anybody_can_check(
    client: FlaskClient, stall: Stall, need: Need
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product))
    (bid,) = bids_of(need, bank)
    assert answer.status_code == 303 and answer.location.endswith(f"/bids/{bid.id}")
    page = read_text(client.get(f"/bids/{bid.id}").text)
    assert bid.receipt_hash in page and "3.85%" in page
    file = client.get(f"/bids/{bid.id}/receipt.txt").data
    assert hashlib.sha256(file).hexdigest() == bid.receipt_hash
    # Bidding again with the same product replaces the first bid.
    client.post(f"/opportunities/{need.id}", data=fill_in(product, rate="3.6"))
    assert [each.state for each in bids_of(need, bank)] == [BidState.REPLACED, BidState.SEALED]


def test_another_row_for_a_fee_places_nothing(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product, step="add_fee"))
    assert answer.status_code == 200 and 'name="fees.1.name"' in answer.text
    assert bids_of(need, bank) == []


def test_a_bid_is_withdrawn_before_the_close_only(
    client: FlaskClient,
    stall: Stall,
    need: Need,
    now: datetime,
    sealer: Sealer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank, product = stall.banks[0]
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, bank)
    monkeypatch.setattr(clock, "read", lambda zone=None: now + timedelta(days=4))
    late = client.post(f"/bids/{bid.id}/withdraw")
    assert late.status_code == 409 and "Too late" in late.text
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    forget_request()
    assert client.post(f"/bids/{bid.id}/withdraw").status_code == 303
    assert bids_of(need, bank)[0].state is BidState.WITHDRAWN


def test_a_late_bid_is_refused_with_the_deadline(
    client: FlaskClient, stall: Stall, need: Need, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    monkeypatch.setattr(clock, "read", lambda zone=None: now + timedelta(days=3))
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product))
    assert answer.status_code == 409 and "the deadline was" in answer.text
    assert bids_of(need, bank) == []


def test_no_page_shows_a_rivals_sealed_bid(
    client: FlaskClient, stall: Stall, need: Need, now: datetime, sealer: Sealer
) -> None:
    (first, _), (second, product) = stall.banks
    rival = place_bid(need, product, second, now=now, sealer=sealer, rate=Decimal("0.0412"))
    sign_in(client, first)
    for address in ("/opportunities", f"/opportunities/{need.id}", "/bids", "/limits", "/shelf"):
        page = client.get(address).text
        for secret in ("Second bank", "4.12", rival.receipt_hash, "第二银行"):
            assert secret not in page, (address, secret)
    assert client.get(f"/bids/{rival.id}").status_code == 404
    assert client.get(f"/bids/{rival.id}/receipt.txt").status_code == 404
    assert client.post(f"/bids/{rival.id}/withdraw").status_code == 404
    assert client.get(f"/opportunities/{need.id}?product_id={product.id}").status_code == 200
    assert client.post(f"/opportunities/{need.id}", data=fill_in(product)).status_code == 404


def test_a_receipt_does_not_tell_how_many_bid_before(
    client: FlaskClient, stall: Stall, need: Need, now: datetime, sealer: Sealer
) -> None:
    (first, plain), (second, other) = stall.banks
    place_bid(need, other, second, now=now, sealer=sealer)
    bid = place_bid(need, plain, first, now=now, sealer=sealer)
    sign_in(client, first)
    text = read_text(client.get(f"/bids/{bid.id}").text)
    assert "Order of arrival · · known after the opening" in text
    assert "receipt_number" not in text and '"receipt"' not in text


def test_a_loser_learns_its_rank_and_the_winning_cost_but_no_name(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    compared, offers, later = make_compared(stall, now, sealer)
    award = awards.accept(compared.id, offers[0].id, offers[0].receipt_hash, by=stall.maker, now=later)
    awards.confirm(award.id, by=stall.approver, now=later)
    loser = next(
        bid for bid in offers if bid.rank is not None and bid.organisation_id != offers[0].organisation_id
    )
    party = next(bank for bank, _ in stall.banks if bank.organisation_id == loser.organisation_id)
    winner = next(
        name
        for (bank, _), name in zip(stall.banks, ("First bank", "Second bank"), strict=True)
        if bank.organisation_id == offers[0].organisation_id
    )
    sign_in(client, party)
    for address in ("/bids", f"/bids/{loser.id}"):
        text = read_text(client.get(address).text)
        assert f"{loser.rank} of 2" in text, address
        assert f"{offers[0].effective * 100:.2f}%" in text, address  # type: ignore[operator]
        assert winner not in text, address


def test_pages_of_institutions_are_closed_to_everybody_else(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    addresses = ("/opportunities", f"/opportunities/{need.id}", "/bids", "/shelf", "/shelf/new", "/limits")
    for party in (stall.maker, make_officer(now=now)):
        sign_in(client, party)
        for address in addresses:
            assert client.get(address).status_code == 403, address
    viewer = make_party(
        OrganisationKind.BANK,
        [Capability.INSTITUTION_APPROVER],
        now=now,
        organisation=organisations.find(stall.banks[0][0].organisation_id or 0),
    )
    sign_in(client, viewer)
    assert client.get(f"/opportunities/{need.id}").status_code == 200
    assert client.post(f"/opportunities/{need.id}", data=fill_in(stall.banks[0][1])).status_code == 403


def test_a_need_of_another_zone_does_not_exist(client: FlaskClient, stall: Stall, now: datetime) -> None:
    other = make_zone(now=now)
    stranger = make_party(now=now, zone_id=other.id)
    foreign = make_need(stranger, now=now)
    sign_in(client, stall.banks[0][0])
    assert client.get(f"/opportunities/{foreign.id}").status_code == 404
    assert client.get("/opportunities/2147483647").status_code == 404


def test_a_product_is_listed_with_conditions_taken_off_and_put_back(
    client: FlaskClient, stall: Stall
) -> None:
    bank, _ = stall.banks[0]
    sign_in(client, bank)
    form = {
        "name_zh": "知识产权贷",
        "name_en": "Patent loan",
        "family": "innovation",
        "pricing": "lpr_1y",
        "spread_from": "50",
        "spread_to": "",
        "amount_min": "50",
        "amount_max": "1000",
        "months_min": "6",
        "months_max": "24",
        "security": "ip_pledge",
        "repayment": "interest_monthly",
        "conditions.0.fact": "tags:has_any",
        "conditions.0.value": "technology SME, high_tech",
        "conditions.1.fact": "age_months:at_least",
        "conditions.1.value": "24",
        "conditions.3.fact": "exposure:at_most",
        "conditions.3.value": "500",
        "conditions.4.fact": "purchaser_kind:in",
        "conditions.4.value": "purchaser",
    }
    more = client.post("/shelf/new", data={**form, "step": "add_condition"})
    assert more.status_code == 200 and 'name="conditions.2.fact"' in more.text
    bad = client.post("/shelf/new", data={**form, "conditions.0.value": "gold medal", "amount_max": "10"})
    assert bad.status_code == 422 and "gold medal" in bad.text
    assert client.post("/shelf/new", data=form).status_code == 303
    product = db.session.scalars(select(Product).where(Product.name_zh == "知识产权贷")).one()
    assert product.conditions == [
        {"fact": "tags", "test": "has_any", "value": ["tech_sme", "high_tech"]},
        {"fact": "age_months", "test": "at_least", "value": 24},
        {"fact": "exposure", "test": "at_most", "value": 5 * MILLION},
        {"fact": "purchaser_kind", "test": "in", "value": ["purchaser"]},
    ]
    assert (product.spread_from, product.spread_to) == (50, 50)
    again = client.post("/shelf/new", data=form)
    assert again.status_code == 409 and "exists already" in again.text
    client.post(f"/shelf/{product.id}", data={"listed": "0"})
    db.session.rollback()
    assert not db.session.get_one(Product, product.id).listed
    assert client.post(f"/shelf/{stall.banks[1][1].id}", data={"listed": "0"}).status_code == 404


def test_a_cap_never_goes_below_what_is_used(client: FlaskClient, stall: Stall, now: datetime) -> None:
    bank, _ = stall.banks[0]
    sign_in(client, bank)
    assert client.post("/limits", data={"cap": "3000"}).status_code == 303
    assert "¥30 million" in client.get("/limits").text
    assert client.post("/limits", data={"cap": "many"}).status_code == 422
    bidder = make_party(
        OrganisationKind.BANK,
        [Capability.INSTITUTION_BIDDER],
        now=now,
        organisation=organisations.find(bank.organisation_id or 0),
    )
    sign_in(client, bidder)
    assert client.post("/limits", data={"cap": "1"}).status_code == 403


def test_the_form_opens_with_the_fees_of_the_product(
    client: FlaskClient, stall: Stall, need: Need, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    fees = [
        {"name": "guarantee", "payee": "guarantor", "basis": "outstanding", "rate": "0.01", "when": "yearly"},
        {"name": "stamp", "amount": "120.50", "when": "upfront"},
    ]
    product = make_product(bank, now=now, fees=fees, rate_from=Decimal("0.0385"), rate_to=Decimal("0.0385"))
    sign_in(client, bank)
    page = client.get(f"/opportunities/{need.id}?product_id={product.id}").text
    for value in ('value="guarantee"', 'value="stamp"', 'value="120.50"', 'value="3.85"', 'value="1"'):
        assert value in page, value


def test_whoever_has_bid_finds_the_own_bid_in_the_form(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    terms = {"rate": "3.77", "principal": "450", "declared_rate": "3.88"}
    fee = {"fees.0.basis": "flat", "fees.0.rate": "888"}
    placed = client.post(f"/opportunities/{need.id}", data=fill_in(product, **terms, **fee))
    assert placed.status_code == 303, read_text(placed.text)
    page = client.get(f"/opportunities/{need.id}").text
    for value in ('value="3.77"', 'value="450"', 'value="3.88"', 'value="888.00"', 'value="2026-12-31"'):
        assert value in page, value
