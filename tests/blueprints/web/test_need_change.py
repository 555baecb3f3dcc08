"""An open need changed on its page, what its bidders are told, and a voided bid confirmed again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.bidding_vocabulary import BidPolicy, Visibility
from market.party import clock as clock_party
from market.vocabulary import BidState
from models.base import db
from models.bid import Bid
from models.need import Need
from services import need_changes, needs, opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import Stall, make_stall, read_text, separate_requests, sign_in
from tests.factories import MILLION, make_need, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> object:
    """Stop the clock and let forms in without a token."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    with separate_requests(app):
        yield


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm, two banks and a lessor."""
    return make_stall(now)


def read_fields(page: str) -> dict[str, list[str]]:
    """Return what the form of a page would send as it stands."""
    body = page[page.index('<form class="card') :]
    body = body[: body.index("</form>")]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        ticks = 'type="radio"' in tag or 'type="checkbox"' in tag
        if name and (not ticks or " checked" in tag):
            sent.setdefault(name[1], []).append(value[1] if value else "")
    for name, area in re.findall(r'(?s)<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', body):
        sent[name] = [area]
    return sent


def only_bid(state: BidState) -> Bid:
    db.session.expire_all()
    return db.session.scalars(select(Bid).where(Bid.state == state)).one()


def test_a_change_is_checked_made_shown_and_the_bid_confirmed_again(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now)
    (bank, product), (idle, _) = stall.banks
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    sign_in(client, stall.maker)
    assert f"/needs/{need.id}/change" in client.get(f"/needs/{need.id}").text
    form = read_fields(client.get(f"/needs/{need.id}/change").text)
    check = client.post(f"/needs/{need.id}/change", data={**form, "go": "check"})
    assert check.location == f"/needs/{need.id}"  # nothing is different
    form |= {"securities": ["unsecured", "equipment"], "description": ["新的说明"]}
    check = client.post(f"/needs/{need.id}/change", data={**form, "go": "check"})
    said = read_text(check.text)
    assert (
        "This voids the bids placed so far" in said and "Changed without touching bids: Description" in said
    )
    assert db.session.get_one(Need, need.id).revision == 1 and only_bid(BidState.SEALED).id == bid.id
    made = client.post(f"/needs/{need.id}/change", data={**read_fields(check.text), "go": "apply"})
    assert made.location == f"/needs/{need.id}"
    # Nothing on the way told whether anybody had bid.
    before = read_text(client.get(f"/needs/{need.id}").text)
    assert "Changed while it was open" in before and "1 bid" not in said + before

    sign_in(client, idle)
    page = read_text(client.get(f"/opportunities/{need.id}").text)
    assert "Changed while it was open" in page and "1 of 1" in page
    assert "at least 3; the firm may accept fewer" in page
    assert client.get(f"/bids/{bid.id}").status_code == 404
    sign_in(client, bank)
    page = client.get(f"/bids/{bid.id}").text
    assert "so this bid is void" in page and "Confirm the bid as it was" in page
    form = {"revision": "2", "valid_until": re.search(r'name="valid_until" value="([^"]*)"', page)[1]}  # type: ignore[index]
    stale = client.post(f"/bids/{bid.id}/reconfirm", data={**form, "revision": "1"}, follow_redirects=True)
    assert "Somebody changed this meanwhile" in stale.text
    assert client.post(f"/bids/{bid.id}/reconfirm", data=form).status_code == 303
    again = only_bid(BidState.SEALED)
    assert (again.revision, again.valid_until) == (2, bid.valid_until)
    assert "Confirm the bid as it was" not in client.get(f"/bids/{bid.id}").text


def test_a_bid_written_before_the_change_is_sent_back_with_the_need_as_it_is_now(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    sign_in(client, bank)
    seen = client.get(f"/opportunities/{need.id}").text
    assert 'name="revision" value="1"' in seen
    usual = needs.Draft(need.purpose, need.amount, 18, description=need.description)
    need_changes.change(need.id, usual, by=stall.maker, now=now)
    typed = {"product_id": product.id, "principal": "500", "months": "12", "rate": "3.85"}
    typed |= {"repayment": "interest_monthly", "valid_until": "2026-12-31", "revision": "1"}
    answer = client.post(f"/opportunities/{need.id}", data=typed)
    assert answer.status_code == 409 and 'name="revision" value="2"' in answer.text
    assert "Changed while it was open" in answer.text


def test_a_bank_shut_out_finds_nothing_and_its_bid_says_no_more(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now)
    (bank, product), (other, _) = stall.banks
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    shut = needs.Draft(
        need.purpose,
        7 * MILLION,
        need.months,
        description=need.description,
        visibility=Visibility.EXCEPT,
        audience=[bank.organisation_id],
    )
    need_changes.change(need.id, shut, by=stall.maker, now=now)
    sign_in(client, bank)
    for number in (need.id, 10**6):
        answer = client.get(f"/opportunities/{number}")
        assert answer.status_code == 404
    assert f"/opportunities/{need.id}" not in client.get("/opportunities").text
    page = client.get(f"/bids/{bid.id}").text
    assert "no longer shown to your institution" in read_text(page)
    assert "7 million" not in page and f"/opportunities/{need.id}" not in page
    sign_in(client, other)
    assert client.get(f"/opportunities/{need.id}").status_code == 200
    sign_in(client, stall.maker)
    assert "First bank" in read_text(client.get(f"/needs/{need.id}").text)


def test_the_page_of_a_need_tells_its_rounds_and_when_the_last_one_ends(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = make_need(stall.maker, now=now, round_count=2, bid_policy=BidPolicy.ANONYMOUS)
    later = now + timedelta(days=3)
    opening.open_bids(need.id, by=clock_party(need.zone_id), now=later, sealer=sealer)
    monkeypatch.setattr(clock, "read", lambda zone=None: later)
    for party, address in ((stall.maker, "/needs"), (stall.banks[0][0], "/opportunities")):
        sign_in(client, party)
        page = read_text(client.get(f"{address}/{need.id}").text)
        assert "2 of 2" in page and "never names" in page
        assert "Opened: " not in page
    sign_in(client, stall.maker)
    assert "Bid round 1 closed" in read_text(client.get(f"/needs/{need.id}").text)


def test_a_need_that_cannot_be_changed_leads_to_where_it_stands(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    draft, need = make_need(stall.maker, now=now, closes_in=None), make_need(stall.maker, now=now)
    needs.withdraw(need.id, by=stall.maker, now=now)
    sign_in(client, stall.maker)
    assert client.get(f"/needs/{draft.id}/change").location == f"/needs/{draft.id}/edit"
    assert client.get(f"/needs/{need.id}/change").location == f"/needs/{need.id}"
    other = replace(stall.banks[0][0])
    sign_in(client, other)
    assert client.get(f"/needs/{need.id}/change").status_code == 403
