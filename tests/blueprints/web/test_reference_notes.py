"""Where a price rests on an old LPR, or a deadline on a calendar not published yet, the page says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market import party
from market.lpr import LprRow
from market.vocabulary import Pricing
from services import lpr, opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import Stall, forget_request, make_stall, read_text, sign_in
from tests.factories import make_need, make_officer, make_product, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

OLD = "2026-08-20, the newest on record (92 days old)"
PROVISIONAL = "Counted on a provisional calendar: the days off of 2027 are not all published yet."


class Hour:
    """The time of a test."""

    def __init__(self, now: datetime) -> None:
        self.now = now


@pytest.fixture(autouse=True)
def hour(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Hour:
    """Stop the clock."""
    app.config["WTF_CSRF_ENABLED"] = False
    stopped = Hour(now)
    monkeypatch.setattr(clock, "read", lambda zone=None: stopped.now)
    return stopped


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


def test_an_old_lpr_is_named_wherever_a_floating_price_is_shown(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    floating = make_product(
        bank, now=now, pricing=Pricing.LPR_1Y, rate_from=None, rate_to=None, spread_from=10, spread_to=60
    )
    need = make_need(stall.maker, now=now)
    officer = make_officer(now=now)
    places = [
        (None, "/"),
        (None, "/products"),
        (None, f"/products/{floating.id}"),
        (stall.maker, f"/needs/{need.id}"),
        (bank, f"/opportunities/{need.id}?product_id={floating.id}"),
        (officer, f"/board/needs/{need.id}"),
    ]

    def read(address: str, who: party.Party | None) -> str:
        if who is None:
            client.get("/?lang=en")
        else:
            sign_in(client, who)
        forget_request()
        return read_text(client.get(address).text)

    for who, address in places:
        assert OLD in read(address, who), address
    lpr.load([LprRow(date(2026, 10, 20), Decimal("0.03"), Decimal("0.035"))], by=officer, now=now)
    for who, address in places:
        # What a need has frozen was old on the day it was frozen, and stays so.
        assert (OLD in read(address, who)) is (str(need.id) in address and who is not None), address


def test_a_deadline_counted_in_a_year_that_is_not_published_says_so(
    client: FlaskClient, stall: Stall, sealer: Sealer, hour: Hour
) -> None:
    hour.now = datetime(2026, 12, 29, 2, tzinfo=UTC)
    need = make_need(stall.maker, now=hour.now, closes_in=timedelta(days=1))
    bank, product = stall.banks[0]
    sign_in(client, bank)
    assert PROVISIONAL in read_text(client.get(f"/opportunities/{need.id}").text)
    place_bid(need, product, bank, now=hour.now, sealer=sealer)
    hour.now += timedelta(days=1, minutes=1)
    opening.open_bids(need.id, by=party.clock(need.zone_id), now=hour.now, sealer=sealer)
    sign_in(client, stall.maker)
    for address in (f"/needs/{need.id}", f"/needs/{need.id}/offers", "/enterprise"):
        forget_request()
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert PROVISIONAL in read_text(answer.text), address


def test_a_deadline_in_a_published_year_needs_no_note(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now)
    sign_in(client, stall.banks[0][0])
    assert "provisional" not in read_text(client.get(f"/opportunities/{need.id}").text)
