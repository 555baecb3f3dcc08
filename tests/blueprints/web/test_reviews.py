"""The review of an award on the pages: how a bid binds, what is asked and answered, a yes, a no."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.party import Party
from market.vocabulary import BidState, Capability, LoanState, OrganisationKind
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.review import Review, ReviewRequest
from services import awards, bids, opening
from services.sealing import Sealer
from tests.blueprints.web.market_stall import Stall, find_foreign, make_stall, read_text, sign_in
from tests.blueprints.web.test_institution import fill_in
from tests.factories import make_need, make_party, place_bid

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


@pytest.fixture
def approver(stall: Stall, now: datetime) -> Party:
    """The second person of the first bank."""
    bank = db.session.get_one(Organisation, stall.banks[0][0].organisation_id)
    return make_party(organisation=bank, now=now)


@pytest.fixture
def review(stall: Stall, now: datetime, sealer: Sealer) -> Review:
    """The review of an award to the first bank; the second bid 5 %."""
    need = make_need(stall.maker, now=now)
    (first, plain), (second, other) = stall.banks
    long = now + timedelta(days=60)
    bid = place_bid(need, plain, first, now=now, sealer=sealer, is_firm=False, valid_until=long)
    place_bid(need, other, second, now=now, sealer=sealer, valid_until=long, rate=Decimal("0.05"))
    opening.open_bids(need.id, by=stall.maker, now=now + LATER, sealer=sealer)
    award = awards.accept(need.id, bid.id, bid.receipt_hash, by=stall.maker, now=now + LATER)
    awards.confirm(award.id, by=stall.approver, now=now + LATER)
    return db.session.scalars(select(Review)).one()


def read(client: FlaskClient, address: str, language: str) -> str:
    answer = client.get(address)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    if language == "en":
        assert find_foreign(page, language) == []
    return read_text(page)


def test_the_form_says_how_a_bid_binds(
    stall: Stall, now: datetime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "read", lambda zone=None: now)
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    sign_in(client, bank)
    address = f"/opportunities/{need.id}"
    refused = client.post(address, data=fill_in(product, is_firm="perhaps"))
    assert refused.status_code == 422 and "How it binds" in refused.get_data(as_text=True)
    assert client.post(address, data=fill_in(product, is_firm="approval")).status_code == 303
    (bid,) = bids.list_own(bank)
    assert "Subject to approval" in read(client, f"/bids/{bid.id}", "en")
    again = client.get(f"/opportunities/{need.id}?product_id={product.id}").get_data(as_text=True)
    assert 'value="approval" checked' in again


@pytest.mark.parametrize("language", ["en", "zh"])
def test_bank_and_firm_talk_on_the_page_of_the_deal(
    stall: Stall, approver: Party, review: Review, client: FlaskClient, language: str
) -> None:
    bidder, deal = stall.banks[0][0], f"/deals/{review.loan_id}"
    sign_in(client, bidder, language)
    assert f"/reviews/{review.id}/approve" not in client.get(deal).get_data(as_text=True)
    assert client.post(f"/reviews/{review.id}/requests", data={"what": " "}).status_code == 422
    asked = client.post(f"/reviews/{review.id}/requests", data={"what": "2025"})
    assert asked.status_code == 303
    request = db.session.scalars(select(ReviewRequest)).one()
    assert client.post(f"/reviews/{review.id}/approve").status_code == 409
    read(client, deal, language)
    read(client, "/reviews", language)
    assert "Under review" in read(client, "/deals", language) or language == "zh"

    sign_in(client, stall.maker, language)
    assert "2025" in read(client, "/enterprise", language)
    page = read(client, deal, language)
    assert "2025" in page
    empty = client.post(f"/review-requests/{request.id}/answer", data={})
    assert empty.status_code == 422 and f'id="f-answer.{request.id}-fault"' in empty.get_data(as_text=True)
    answered = client.post(f"/review-requests/{request.id}/answer", data={f"answer.{request.id}": "3 / 4"})
    assert answered.status_code == 303

    sign_in(client, approver, language)
    assert "3 / 4" in read(client, deal, language)
    assert client.post(f"/reviews/{review.id}/approve").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Loan, review.loan_id).state is LoanState.APPROVED
    read(client, deal, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_after_a_decline_the_next_offer_stands_first_with_the_reason(
    stall: Stall, approver: Party, review: Review, client: FlaskClient, language: str
) -> None:
    need_id = review.loan.award.need_id
    sign_in(client, stall.maker, language)
    read(client, f"/needs/{need_id}/award", language)
    read(client, f"/needs/{need_id}/offers", language)
    sign_in(client, approver, language)
    no = f"/reviews/{review.id}/decline"
    assert client.post(no, data={"note": "12"}).status_code == 422
    assert client.post(no, data={"reason": "policy", "note": "A1"}).status_code == 303
    own = read(client, f"/bids/{review.loan.award.bid_id}", language)
    listed = read(client, "/reviews", language)
    assert language == "zh" or ("Credit policy" in own and "Credit policy" in listed)

    sign_in(client, stall.approver, language)
    page = read(client, f"/needs/{need_id}/offers", language)
    assert "A1" in page
    if language == "en":
        assert "Credit policy" in page and "Offered to you after the decline" in page
    bid = db.session.scalars(select(Bid).where(Bid.state == BidState.LIVE)).one()
    read(client, f"/needs/{need_id}/offers/{bid.id}/accept", language)
    read(client, f"/deals/{review.loan_id}", language)


def test_the_firm_gives_up_and_goes_back_to_its_offers(
    stall: Stall, review: Review, client: FlaskClient
) -> None:
    sign_in(client, stall.maker)
    assert client.post(f"/reviews/{review.id}/give-up").status_code == 403
    sign_in(client, stall.approver)
    gone = client.post(f"/reviews/{review.id}/give-up")
    assert gone.status_code == 303 and gone.location.endswith(f"/needs/{review.loan.award.need_id}/offers")
    assert "gave up the award" in read(client, gone.location, "en")
    stranger = make_party(OrganisationKind.BANK, [Capability.INSTITUTION_APPROVER], now=review.opened_at)
    sign_in(client, stranger)
    assert client.post(f"/reviews/{review.id}/requests", data={"what": "x"}).status_code == 404


def test_losers_read_why_in_figures(
    stall: Stall, review: Review, client: FlaskClient, now: datetime, sealer: Sealer
) -> None:
    loser = stall.banks[1][0]
    sign_in(client, loser)
    (bid,) = bids.list_own(loser)
    page = read(client, f"/bids/{bid.id}", "en")
    assert "Another bid was chosen: no. 1 at an annual cost of 4.07%; yours was no. 2." in page
    assert "First bank" not in page
    need = db.session.get_one(Need, bid.need_id)
    read(client, "/bids", "en")
    assert need.id == bid.need_id
