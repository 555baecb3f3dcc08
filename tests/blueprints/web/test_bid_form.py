"""The bid form: what it offers, what it would cost as it is typed, and what else the bid could be."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.party import Party
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import Interval, OfferKind, RentTiming, Security
from models.base import db
from models.bid import Bid
from models.need import Need
from models.product import Product
from services import bids
from services.exchange.offers import read_offer
from services.sealing import Sealer
from tests.blueprints.web.market_stall import Stall, make_stall, read_text, sign_in
from tests.factories import make_need

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
    """An open need for five million yuan over a year."""
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


def test_the_form_offers_quarters_later_rates_and_a_deposit(
    client: FlaskClient, stall: Stall, need: Need, sealer: Sealer
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    typed = fill_in(
        product,
        **{"interval": "3", "deposit": "5", "steps.0.at": "7", "steps.0.rate": "4.35"},
        **{"fees.0.share": "80", "fees.0.when": "yearly"},
    )
    assert client.post(f"/opportunities/{need.id}", data=typed).status_code == 303
    (bid,) = bids_of(need, bank)
    _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
    terms = read_offer(content["offer"])
    assert isinstance(terms, LoanTerms)
    assert (terms.interval, terms.deposit) == (Interval.QUARTERLY, Decimal("0.05"))
    assert terms.rate_steps == ((7, Decimal("0.0435")),)
    assert terms.fees[0].part == Decimal("0.8")
    # Whoever bids again finds all of it in the form.
    page = client.get(f"/opportunities/{need.id}?product_id={product.id}").text
    for name, value in (
        ("deposit", "5"),
        ("steps.0.at", "7"),
        ("steps.0.rate", "4.35"),
        ("fees.0.share", "80"),
    ):
        assert re.search(rf'name="{re.escape(name)}"[^>]*value="{value}"', page), name
    assert re.search(r'<option value="3" selected>', page)


def test_a_lease_may_begin_before_its_rents(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    lessor, product = stall.lessor
    need = make_need(
        stall.maker, now=now, securities=(Security.EQUIPMENT,), accepts=(OfferKind.LEASE,), months=24
    )
    sign_in(client, lessor)
    typed = fill_in(
        product,
        **{"months": "24", "rent": "advance", "interval": "6", "deposit": "5", "buyout": "100"},
        **{"prelease_months": "3", "prelease.rate": "4.5"},
    )
    assert client.post(f"/opportunities/{need.id}", data=typed).status_code == 303
    (bid,) = bids_of(need, lessor)
    _, content, _ = bids.read_own(bid.id, by=lessor, sealer=sealer)
    terms = read_offer(content["offer"])
    assert isinstance(terms, LeaseTerms)
    assert (terms.prelease_months, terms.prelease_rate) == (3, Decimal("0.045"))
    assert (terms.interval, terms.rent) == (Interval.HALF_YEARLY, RentTiming.ADVANCE)
    page = client.get(f"/opportunities/{need.id}").text
    assert re.search(r'name="prelease_months"[^>]*value="3"', page)
    assert re.search(r'name="prelease.rate"[^>]*value="4.5"', page)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"interval": "5"}, "interval", "not one of the choices"),
        ({"deposit": "101"}, "deposit", "101.00% is too large"),
        ({"steps.1.at": "12", "steps.1.rate": "4"}, "steps.1.at", "too large"),
        ({"steps.1.at": "6"}, "steps.1.rate", "fill this in"),
        (
            {"steps.0.at": "6", "steps.0.rate": "4", "steps.1.at": "5", "steps.1.rate": "4"},
            "steps.1.at",
            "too early",
        ),
        ({"fees.0.share": "120"}, "fees.0.share", "120.00% is too large"),
        ({"fees.0.from_month": "12"}, "fees.0.from_month", "too large"),
        ({"fees.0.rate": "-3", "fees.0.basis": "flat"}, "fees.0.rate", "at least ¥0"),
    ],
)
def test_a_fault_of_the_rarer_terms_stands_beside_its_field(
    client: FlaskClient, stall: Stall, need: Need, changes: dict[str, str], field: str, words: str
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product, **changes))
    assert answer.status_code == 422
    (beside,) = re.findall(
        rf'<p class="form-fault" id="f-{re.escape(field)}-fault">(.*?)</p>', answer.text, re.S
    )
    assert words in read_text(beside)


def preview(client: FlaskClient, need: Need, values: dict[str, str]) -> str:
    return client.post(f"/opportunities/{need.id}/preview", data=values).text


def test_the_preview_says_what_else_the_bid_could_be(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    page = preview(client, need, fill_in(product))
    text = read_text(page)
    # The guarantee fee of half a percent at the start of a year.
    assert "What each charge adds" in text and "guarantee" in text and "25,000.00" in text
    assert "Equal instalments" in text and "as offered" in text
    assert "Move a slider to see the cost move." in text
    sliders = re.findall(r'<input class="form-range"[^>]*name="what\.([^"]+)" form="bid-form"', page)
    assert sliders == ["principal", "months", "rate", "fees.0.rate"]
    # Without a price there is nothing to explore, and the panel is out of the way.
    assert '<section class="card" id="what-if" hidden>' in preview(client, need, fill_in(product, rate=""))


def test_a_slider_of_the_bid_moves_the_cost_and_nothing_else(
    client: FlaskClient, stall: Stall, need: Need
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    moved = {"what.rate": "4.05", "what.principal": "500", "what.months": "12", "what.fees.0.rate": "0.5"}
    typed = fill_in(product, declared_rate="4.45")
    text = read_text(preview(client, need, {**typed, **moved, "step": "what_if"}))
    assert "Your own annual rate agrees with ours." in text
    assert "+0.21 points, 9,999.96 yuan more" in text and "This would not be accepted" not in text
    # What is typed anew starts from there: where the sliders stood before does not count.
    assert "Move a slider" in read_text(preview(client, need, {**typed, **moved}))
    short = read_text(preview(client, need, {**typed, "what.months": "3", "step": "what_if"}))
    assert "This would not be accepted" in short and "Tenor: " in short
    assert bids_of(need, bank) == []


def test_what_was_tried_is_put_into_the_form_and_places_nothing(
    client: FlaskClient, stall: Stall, need: Need
) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    moved = {"what.rate": "4.05", "what.months": "10", "what.repayment": "bullet", "step": "take_over"}
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product, **moved))
    assert answer.status_code == 200
    for name, value in (("rate", "4.05"), ("months", "10"), ("principal", "500")):
        assert re.search(rf'name="{name}"[^>]*value="{value}"', answer.text)
    assert '<option value="bullet" selected>' in answer.text
    assert bids_of(need, bank) == []


def test_a_bid_without_fees_is_tried_with_one(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    typed = {name: value for name, value in fill_in(product).items() if not name.startswith("fees.")}
    tried = {**typed, "what.fees.0.rate": "1", "step": "what_if"}
    assert "50,000.00 yuan more" in read_text(preview(client, need, tried))
    taken = client.post(f"/opportunities/{need.id}", data={**tried, "step": "take_over"}).text
    assert re.search(r'name="fees.0.name"[^>]*value="Fee"', taken)
    assert re.search(r'name="fees.0.rate"[^>]*value="1"', taken)


def test_without_a_script_a_button_shows_the_cost(client: FlaskClient, stall: Stall, need: Need) -> None:
    bank, product = stall.banks[0]
    sign_in(client, bank)
    asked = client.get(f"/opportunities/{need.id}?product_id={product.id}").text
    assert '<noscript><button class="btn" type="submit" name="step" value="preview"' in asked
    seen = client.post(f"/opportunities/{need.id}", data=fill_in(product, step="preview"))
    assert seen.status_code == 200 and "total cost 217,500.04 yuan" in read_text(seen.text)
    moved = client.post(
        f"/opportunities/{need.id}", data=fill_in(product, step="what_if", **{"what.rate": "4.05"})
    )
    assert "9,999.96 yuan more" in read_text(moved.text)
    assert bids_of(need, bank) == []
