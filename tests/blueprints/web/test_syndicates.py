"""A need that several institutions share, on the pages: bid for, proposed, accepted, in part declined."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from blueprints.web import need_forms
from market.bidding_vocabulary import DeclineReason
from market.party import Party
from market.vocabulary import AwardState, LimitScope
from models.award import Award
from models.base import db
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.review import Review
from services import reviews, syndicates
from services.clock import run_due
from services.limit_settings import set_limit
from services.sealing import Sealer
from tests.blueprints.web.market_stall import Stall, find_foreign, make_stall, read_text, sign_in
from tests.blueprints.web.test_institution import bids_of, fill_in
from tests.factories import MILLION, make_need, make_officer, make_party, place_bid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

LATER = timedelta(days=3, minutes=1)


@pytest.fixture(autouse=True)
def hour(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock after the close and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now + LATER)


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm with two people, two banks and a lessor."""
    return make_stall(now)


def own(party: Party) -> int:
    assert party.organisation_id is not None
    return party.organisation_id


def share_need(stall: Stall, now: datetime, sealer: Sealer, amount: int = 10) -> Need:
    """Let a round split a need: up to six million of the first bank, five of the second, still to approve."""
    need = make_need(stall.maker, now=now, amount=amount * MILLION, syndicated=True)
    for (bank, product), rate, room in zip(stall.banks, ("0.04", "0.042"), (6, 5), strict=True):
        set_limit(own(bank), LimitScope.TOTAL, room * MILLION, by=bank, now=now)
        quote = {"rate": Decimal(rate), "least": 2 * MILLION, "is_firm": room == 6}
        place_bid(need, product, bank, now=now, sealer=sealer, **quote)
    run_due(stall.zone.id, now=now + LATER, sealer=sealer)
    return need


def read(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, (answer.status_code, page[:2000])
    assert find_foreign(page, "en") == []
    return read_text(page)


def test_a_firm_accepts_the_parts_a_round_proposes_and_sees_what_became_of_each(
    stall: Stall, now: datetime, sealer: Sealer, client: FlaskClient
) -> None:
    need = share_need(stall, now, sealer)
    later = now + LATER
    sign_in(client, stall.maker)
    offers = read(client, f"/needs/{need.id}/offers")
    assert "proposes to share the need" in offers and "in part from" in offers
    assert offers.count("Proposed by the matching round") == 2
    page = client.get(f"/needs/{need.id}/syndicate").get_data(as_text=True)
    text = read_text(page)
    assert "60%" in text and "40%" in text and "weighted by amount" in text
    tokens = re.findall(r'name="part" value="([^"]+)"', page)
    assert len(tokens) == 2
    stale = client.post(f"/needs/{need.id}/syndicate", data={"part": tokens[:1]})
    assert stale.status_code == 409 and db.session.scalars(select(Award)).all() == []
    assert client.post(f"/needs/{need.id}/syndicate", data={"part": ["x:1:y"]}).status_code == 422
    done = client.post(f"/needs/{need.id}/syndicate", data={"part": tokens})
    assert (done.status_code, done.location) == (303, f"/needs/{need.id}/award")
    waiting = read(client, f"/needs/{need.id}/award")
    assert "Waits for the second person" in waiting and "Take it back" in waiting
    sign_in(client, stall.approver)
    assert "several institutions" in read(client, "/enterprise")
    assert "Confirm the acceptance" in read(client, f"/needs/{need.id}/award")
    client.post(f"/needs/{need.id}/award", data={"decision": "confirm"})
    db.session.expire_all()
    assert {award.state for award in db.session.scalars(select(Award))} == {AwardState.CONFIRMED}
    assert read(client, f"/needs/{need.id}/award").count("All-in annual cost") > 2
    # The second bank declines its part after its review: the first one stands.
    bank = db.session.get_one(Organisation, own(stall.banks[1][0]))
    approver = make_party(organisation=bank, now=now)
    review = db.session.scalars(select(Review)).one()
    reviews.decline(review.id, DeclineReason.POLICY, by=approver, now=later, sealer=sealer)
    db.session.expire_all()
    told = read(client, f"/needs/{need.id}/award")
    assert "declined its part" in told and "4 million of the need are not covered" in told.replace("¥", "")
    loan = db.session.scalars(select(Loan).where(Loan.lender_id == own(stall.banks[0][0]))).one()
    assert "6,000,000.00" in client.get(f"/deals/{loan.id}").get_data(as_text=True)
    assert '"6000000.00"' in client.get(f"/deals/{loan.id}/proof.json").get_data(as_text=True)
    sign_in(client, stall.banks[0][0])
    (own_bid,) = bids_of(need, stall.banks[0][0])
    assert "of this bid" in read(client, f"/bids/{own_bid.id}")


def test_officers_see_every_part_of_what_a_round_proposed(
    stall: Stall, now: datetime, sealer: Sealer, client: FlaskClient
) -> None:
    need = share_need(stall, now, sealer, 12)
    (row,) = {proposal.round_id for proposal in syndicates.find(need.id)}
    sign_in(client, make_officer(now=now))
    for address in (f"/rounds/{row}", f"/board/needs/{need.id}"):
        page = client.get(address).get_data(as_text=True)
        text = read_text(page)
        assert "First bank" in text and "Second bank" in text
        assert "Of 2 live bids, the cheapest parts that limits carry" in text and "not covered" in text


def test_the_form_asks_for_a_smallest_part_only_where_a_need_is_shared(
    stall: Stall,
    now: datetime,
    sealer: Sealer,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    bank, product = stall.banks[0]
    alone = make_need(stall.maker, now=now)
    shared = make_need(stall.maker, now=now, amount=10 * MILLION, syndicated=True)
    sign_in(client, bank)
    assert "Smallest part" not in read(client, f"/opportunities/{alone.id}")
    assert "Smallest part" in read(client, f"/opportunities/{shared.id}")
    assert client.post(f"/opportunities/{alone.id}", data=fill_in(product, least="200")).status_code == 422
    done = client.post(f"/opportunities/{shared.id}", data=fill_in(product, principal="1000", least="200"))
    assert done.status_code == 303
    (bid,) = bids_of(shared, bank)
    assert "Smallest part" in read(client, f"/bids/{bid.id}")
    again = client.get(f"/opportunities/{shared.id}").get_data(as_text=True)
    assert re.search(r'name="least"[^>]*value="200"', again)


def test_a_spreadsheet_of_bids_names_the_smallest_part(
    stall: Stall, now: datetime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    bank = stall.banks[0][0]
    shared = make_need(stall.maker, now=now, amount=10 * MILLION, syndicated=True)
    sign_in(client, bank)
    template = client.get("/bids/bulk/template.csv").get_data().decode("utf-8-sig")
    head, line = template.splitlines()
    assert head.split(",")[8] == "Smallest part (yuan)" and ",10000000.00,12,,," in line
    cells = line.split(",")
    cells[4], cells[8] = "4.2", "2000000"
    text = "\n".join([head, ",".join(cells)])
    assert client.post("/bids/bulk", data={"step": "place", "text": text}).status_code == 303
    (bid,) = bids_of(shared, bank)
    assert "¥2 million" in read(client, f"/bids/{bid.id}")


def test_the_wizard_never_lets_a_contract_be_shared(stall: Stall, now: datetime, client: FlaskClient) -> None:
    need = make_need(stall.maker, now=now, closes_in=None, syndicated=True)
    sign_in(client, stall.maker)
    assert "Several institutions may share" in read(client, f"/needs/{need.id}/edit/options")
    typed = need_forms.make({"purpose": "contract", "contract_id": "7"})
    assert need_forms.READERS["purpose"](typed) == {
        "purpose": "contract",
        "contract_id": 7,
        "receivables": [],
        "syndicated": False,
    }
