"""The pages while bidding runs and after: standings, early openings by two officers, low bids decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import clock
from market.bidding_vocabulary import BidPolicy
from market.party import Party
from models.base import db
from models.bid import Bid
from models.need import Need
from services import early_openings
from services.sealing import Sealer
from tests.blueprints.web.market_stall import read_text, separate_requests, sign_in
from tests.factories import make_need, make_officer, make_party
from tests.services.bidding import Bank, bid_all, make_banks, pass_close, reread, states

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Hour:
    """The hour of the pages, which a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at


@pytest.fixture
def hour(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hour]:
    hour = Hour(now)
    monkeypatch.setattr(clock, "read", lambda zone=None: hour.at)
    app.config["WTF_CSRF_ENABLED"] = False
    with separate_requests(app):
        yield hour


def get(client: FlaskClient, party: Party, path: str, status: int = 200, language: str = "en") -> str:
    sign_in(client, party, language)
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[:2000])
    return answer.get_data(as_text=True)


def post(client: FlaskClient, party: Party, path: str, status: int = 303, **data: str) -> str:
    sign_in(client, party)
    answer = client.post(path, data=data)
    assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[:2000])
    return answer.get_data(as_text=True)


def test_the_standing_of_anonymous_bidding_is_kept_fresh_on_every_page_of_the_need(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, hour: Hour
) -> None:
    firm, officer = make_party(now=now), make_officer(now=now)
    need = make_need(firm, now=now, bid_policy=BidPolicy.ANONYMOUS)
    first, second = make_banks(2, now=now)
    own, _ = bid_all(need, [first, second], "4.2 4.0", now=now, sealer=sealer)
    pages = {
        f"/opportunities/{need.id}": first.party,
        f"/bids/{own.id}": first.party,
        f"/needs/{need.id}": firm,
        f"/board/needs/{need.id}": officer,
    }
    for path, party in pages.items():
        page = get(client, party, path)
        assert f'hx-get="/needs/{need.id}/standing"' in page, path
        assert "4.07%" in read_text(page)
        assert ("no. 2" in read_text(page)) is (party is first.party), path
        assert second.party.organisation_id is not None
    part = read_text(get(client, first.party, f"/needs/{need.id}/standing"))
    assert "Your bid" in part and "no. 2" in part and "<html" not in part
    # A late bid moves the close; the part says so, and why.
    assert need.closes_at is not None
    hour.at = need.closes_at - timedelta(seconds=30)
    second.bid(need, "3.9", now=hour.at, sealer=sealer)
    part = read_text(get(client, first.party, f"/needs/{need.id}/standing"))
    assert "moved by 5 minutes" in part and "last 3 minutes" in part and "3.97%" in part
    pass_close(need, sealer)
    assert "is over" in read_text(get(client, first.party, f"/needs/{need.id}/standing", status=286))


def test_a_sealed_need_shows_its_standing_only_between_rounds_to_who_took_part(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, hour: Hour
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, round_count=2)
    bank, absent = make_banks(2, now=now)
    (own,) = bid_all(need, [bank], "4.2", now=now, sealer=sealer)
    assert 'id="standing"' not in get(client, bank.party, f"/bids/{own.id}")
    hour.at = pass_close(need, sealer)
    text = read_text(get(client, bank.party, f"/bids/{own.id}"))
    assert "at the close of round 1" in text and "no. 1" in text and "0.05 percentage points" in text
    for party, path in ((absent.party, f"/opportunities/{need.id}"), (firm, f"/needs/{need.id}")):
        assert "4.28%" not in read_text(get(client, party, path))
    page = get(client, bank.party, f"/bids/{own.id}")
    assert "Withdraw this bid" not in page and "hx-get" not in page.split('id="standing"')[1][:200]


def test_two_officers_open_a_need_early_through_the_pages(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, hour: Hour
) -> None:
    firm, asking, agreeing = make_party(now=now), make_officer(now=now), make_officer(now=now)
    need = make_need(firm, now=now)
    (bank,) = make_banks(1, now=now)
    bank.bid(need, "4.0", now=now, sealer=sealer)
    path = f"/board/needs/{need.id}/early-opening"
    hour.at += timedelta(hours=1)
    assert path in get(client, asking, f"/board/needs/{need.id}")
    assert "Please fill this in" in post(client, asking, path, 422, reason=" ")
    post(client, asking, path, reason="企业急需用款")
    assert "waits for another officer" in get(client, asking, path)
    (asked,) = early_openings.list_waiting(asking)
    refused = post(client, asking, f"{path}/{asked.id}", 409, decision="agree")
    assert "second person" in refused
    assert "企业急需用款" in get(client, agreeing, path)
    assert "企业急需用款" not in get(client, firm, f"/needs/{need.id}")
    post(client, agreeing, f"{path}/{asked.id}", decision="agree")
    assert states(need) == [("live", 1)]
    bid = db.session.query(Bid).one()
    for party, page in (
        (firm, f"/needs/{need.id}"),
        (bank.party, f"/opportunities/{need.id}"),
        (bank.party, f"/bids/{bid.id}"),
        (asking, f"/board/needs/{need.id}"),
    ):
        assert "企业急需用款" in get(client, party, page), page


def hold(now: datetime, sealer: Sealer) -> tuple[Party, Need, Bank, Bid, datetime]:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    banks = make_banks(2, now=now)
    low, _ = bid_all(need, banks, "1.9 4.0", now=now, sealer=sealer)
    opened = pass_close(need, sealer)
    return firm, reread(need), banks[0], low, opened


def test_a_low_bid_is_explained_and_decided_through_the_pages(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, hour: Hour
) -> None:
    firm, need, bank, low, hour.at = hold(now, sealer)
    officer = make_officer(now=now)
    offers = get(client, firm, f"/needs/{need.id}/offers")
    assert "Held for justification" in offers and offers.count("Accept this offer") == 1
    page = read_text(get(client, bank.party, f"/bids/{low.id}"))
    assert "below the mean of the other bids" in page and "Say why by" in page
    assert "has not written yet" in get(client, officer, "/justifications")
    assert "/justifications" in get(client, officer, "/alerts")
    path = f"/bids/{low.id}/justification"
    assert "Please fill this in" in post(client, bank.party, path, 422, text="")
    post(client, bank.party, path, text="贴息资金")
    assert "贴息资金" in get(client, officer, "/justifications")
    decide = f"/justifications/{low.id}"
    kept = post(client, officer, decide, 422, decision="accepted", note="")
    assert "Please fill this in" in kept
    post(client, officer, decide, decision="accepted", note="可信")
    assert states(need) == [("live", 1), ("live", 2)]
    assert "可信" in get(client, officer, "/justifications?view=decided")
    assert "可信" in get(client, bank.party, f"/bids/{low.id}")
    assert get(client, firm, f"/needs/{need.id}/offers").count("Accept this offer") == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_say_it_all_in_either_language(
    app: Flask, client: FlaskClient, now: datetime, sealer: Sealer, hour: Hour, language: str
) -> None:
    officer = make_officer(now=now)
    assert "%%" not in get(client, officer, "/justifications", language=language)
    firm, need, bank, low, hour.at = hold(now, sealer)
    for party, path in ((officer, "/justifications"), (officer, "/alerts"), (bank.party, f"/bids/{low.id}")):
        assert "%(" not in get(client, party, path, language=language)
    assert firm.organisation_id == need.organisation_id
