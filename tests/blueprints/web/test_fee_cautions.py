"""Fees that the law may forbid are named wherever they stand: on the shelf, while bidding, to the firm."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market import party
from market.terms import Fee
from market.vocabulary import FeeBasis, FeeTiming, SizeClass
from models.base import transaction
from models.bid import Bid
from models.need import Need
from models.organisation import Organisation
from services import opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import CLOSES_IN, Stall, forget_request, make_stall, read_text, sign_in
from tests.factories import make_need, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NAMED = "“Commitment fee” looks like this: commitment fee."
FEE = Fee("Commitment fee", FeeTiming.UPFRONT, basis=FeeBasis.PRINCIPAL, rate=Decimal("0.001"))


class Hour:
    """The time of a test."""

    def __init__(self, now: datetime) -> None:
        self.now = now


@pytest.fixture(autouse=True)
def hour(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Hour:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    stopped = Hour(now)
    monkeypatch.setattr(clock, "read", lambda zone=None: stopped.now)
    return stopped


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A small firm, two banks and a lessor."""
    return make_stall(now, size_class=SizeClass.SMALL)


def fill_in(product_id: int, **changes: str) -> dict[str, str]:
    """Return the form of a bid with a fee that banks may not charge small firms."""
    values = {
        "product_id": str(product_id),
        "principal": "500",
        "months": "12",
        "rate": "3.85",
        "repayment": "interest_monthly",
        "valid_until": "2026-12-31",
        "fees.0.name": "Commitment fee",
        "fees.0.payee": "lender",
        "fees.0.rate": "0.1",
        "fees.0.basis": "principal",
        "fees.0.when": "upfront",
    }
    return {**values, **changes}


def test_the_preview_warns_and_the_bid_is_taken(client: FlaskClient, stall: Stall, now: datetime) -> None:
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    sign_in(client, bank)
    text = read_text(client.post(f"/opportunities/{need.id}/preview", data=fill_in(product.id)).text)
    assert NAMED in text and "Small, Micro" in text and "Nothing speaks against this bid." in text
    plain = fill_in(product.id, **{"fees.0.payee": "guarantor"})
    assert NAMED not in read_text(client.post(f"/opportunities/{need.id}/preview", data=plain).text)
    answer = client.post(f"/opportunities/{need.id}", data=fill_in(product.id))
    assert answer.status_code == 303
    assert NAMED in read_text(client.get(answer.location).text)


def test_a_larger_firm_needs_no_warning(client: FlaskClient, stall: Stall, now: datetime) -> None:
    with transaction() as session:
        session.get_one(Organisation, stall.maker.organisation_id).size_class = SizeClass.LARGE
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    sign_in(client, bank)
    assert NAMED not in read_text(
        client.post(f"/opportunities/{need.id}/preview", data=fill_in(product.id)).text
    )


def make_opened(stall: Stall, now: datetime, sealer: Sealer, hour: Hour) -> tuple[Need, Bid, Bid]:
    """Take a need to two offers, of which the first carries the fee."""
    need = make_need(stall.maker, now=now)
    (first, warned), (second, plain) = stall.banks
    with_fee = place_bid(need, warned, first, now=now, sealer=sealer, fees=(FEE,))
    without = place_bid(need, plain, second, now=now, sealer=sealer)
    hour.now = now + CLOSES_IN + timedelta(minutes=1)
    opening.open_bids(need.id, by=party.clock(need.zone_id), now=hour.now, sealer=sealer)
    return need, with_fee, without


def test_the_firm_sees_it_beside_the_offer(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, hour: Hour
) -> None:
    need, with_fee, without = make_opened(stall, now, sealer, hour)
    sign_in(client, stall.maker)
    compared = read_text(client.get(f"/needs/{need.id}/offers").text)
    assert compared.count(NAMED) == 1
    shown = read_text(client.get(f"/needs/{need.id}/offers/{with_fee.id}").text)
    assert NAMED in shown and "ask before you accept" in shown
    assert NAMED not in read_text(client.get(f"/needs/{need.id}/offers/{without.id}").text)


def test_a_lender_is_warned_while_it_lists_a_product(client: FlaskClient, stall: Stall) -> None:
    bank, _ = stall.banks[0]
    sign_in(client, bank)
    product = {
        "name_zh": "新贷",
        "name_en": "New loan",
        "family": "innovation",
        "pricing": "fixed",
        "security": "unsecured",
        "repayment": "bullet",
        "amount_min": "10",
        "amount_max": "500",
        "months_min": "6",
        "months_max": "12",
        "rate_from": "3.5",
        "fees.0.name": "Commitment fee",
        "fees.0.payee": "lender",
        "fees.0.rate": "0.1",
        "fees.0.basis": "principal",
        "fees.0.when": "upfront",
    }
    page = read_text(client.post("/shelf/new", data={**product, "step": "add_fee"}).text)
    assert NAMED in page and "towards some firms" in page
    answer = client.post("/shelf/new", data=product)
    assert answer.status_code == 303
    assert NAMED in read_text(client.get("/shelf").text)
    # The law speaks of banks; what a lessor's own contract may say is another matter.
    lessor, _ = stall.lessor
    sign_in(client, lessor)
    forget_request()
    assert NAMED not in read_text(client.post("/shelf/new", data={**product, "step": "add_fee"}).text)
