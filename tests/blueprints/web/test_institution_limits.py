"""The limits page: set by name, shown with what awards took and live bids reserve."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.vocabulary import BidState, LimitScope, OrganisationKind
from services import bids, limits, organisations
from services.sealing import Sealer
from tests.blueprints.web.market_stall import make_stall, sign_in
from tests.blueprints.web.test_institution import fill_in
from tests.factories import MILLION, make_credit_code, make_need, make_party, place_bid
from tests.services.test_guarantees import make_guarantor

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


def test_limits_of_every_kind_are_set_by_name_and_shown_with_what_bids_reserve(
    client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    stall = make_stall(now)
    bank, product = stall.banks[0]
    firm = organisations.find(stall.maker.organisation_id or 0)
    need = make_need(stall.maker, now=now, joins_matching=False)
    place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, bank, "en")
    code = firm.credit_code
    for sent in (
        {"scope": "firm", "named": code, "cap": "3000", "mode": "reserved"},
        {"scope": "sector", "named": "C39", "cap": "2000", "mode": "shared"},
        {"scope": "purchaser", "named": code, "cap": "1000"},
    ):
        assert client.post("/limits", data=sent).status_code == 303, sent
    shown = client.get("/limits").text
    assert "Live bids reserve ¥5 million more" in shown and "To one industry: C39" in shown
    rows = limits.list_for(bank.organisation_id or 0)
    filled = client.get(f"/limits?limit={rows[0].id}").text
    assert f'value="{code}"' in filled and 'value="3000"' in filled
    nobody = client.post("/limits", data={"scope": "firm", "named": make_credit_code(), "cap": "1"})
    assert nobody.status_code == 422
    assert client.post("/limits", data={"scope": "sector", "named": "", "cap": "1"}).status_code == 422
    assert client.post("/limits", data={"scope": "leverage", "cap": "1"}).status_code == 409
    assert client.post("/limits", data={"scope": "total", "mode": "lent", "cap": "1"}).status_code == 422


def test_a_guarantor_takes_what_the_law_allows_on_its_net_assets(client: FlaskClient, now: datetime) -> None:
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=20 * MILLION)
    sign_in(client, guarantor, "en")
    assert client.post("/limits", data={"scope": "leverage", "cap": "", "mode": "shared"}).status_code == 303
    (row,) = limits.list_for(guarantor.organisation_id or 0)
    assert (row.scope, row.cap) == (LimitScope.LEVERAGE, 200 * MILLION)
    assert "All guarantees, weighted" in client.get("/limits").text
    assert client.post("/limits", data={"scope": "leverage", "cap": "20001"}).status_code == 422


def test_a_guarantee_is_chosen_in_the_bid_form_and_stays_chosen(
    client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    stall = make_stall(now)
    bank, product = stall.banks[0]
    _, cover = make_guarantor(now)
    need = make_need(stall.maker, now=now)
    sign_in(client, bank, "en")
    address = f"/opportunities/{need.id}"
    assert cover.organisation.name_zh in client.get(address).text
    place_bid(
        need,
        product,
        bank,
        now=now,
        sealer=sealer,
        guarantee_product_id=cover.id,
        guarantee_share=Decimal("0.5"),
    )
    again = client.get(f"{address}?product_id={product.id}").text
    assert f'<option value="{cover.id}" selected' in again
    assert 'value="50"' in again
    # The guarantor's fee is no row of the form: it would be charged twice.
    assert 'value="担保费"' not in again
    choice = {"guarantee_product_id": str(cover.id), "guarantee_share": "50"}
    placed = client.post(address, data=fill_in(product, **choice))
    assert placed.status_code == 303
    (bid,) = [row for row in bids.list_own(bank) if row.state is BidState.SEALED]
    _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
    assert (content["guarantee"]["product"], content["guarantee"]["share"]) == (cover.id, "0.5")
    too_much = {**choice, "guarantee_share": "90"}
    assert client.post(address, data=fill_in(product, **too_much)).status_code == 422
