"""A firm's pages: a need is written step by step, its offers are compared, two people accept one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from blueprints import clock
from blueprints.web import need_answers
from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.party import Party
from market.party import clock as clock_party
from market.vocabulary import AwardState, Capability, NeedState, Purpose, Repayment, Security
from models.award import Award
from models.base import db
from models.need import Need
from models.organisation import Organisation
from services import awards, needs, opening, rounds
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    make_compared,
    make_stall,
    read_text,
    separate_requests,
    sign_in,
)
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, place_bid
from tests.services.test_path import make_contract_path

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

#: What the page of bidding sends as it opens.
BIDDING = {
    "bid_policy": "sealed",
    "round_count": "1",
    "round_hours": "24",
    "minimum_bids": "3",
    "few_bids": "offer",
}
SetClock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def set_clock(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[SetClock]:
    """Stop the clock at ten, to be moved by hand; let forms in without their token."""
    app.config["WTF_CSRF_ENABLED"] = False

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clock, "read", lambda zone=None: moment)

    set_to(now)
    with separate_requests(app):
        yield set_to


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    """A firm with two people, two banks and a lessor."""
    return make_stall(now)


def count_needs() -> int:
    return db.session.scalar(select(func.count()).select_from(Need)) or 0


def only_need() -> Need:
    db.session.expire_all()
    return db.session.scalars(select(Need)).one()


def post(client: FlaskClient, address: str, **data: object) -> tuple[int, str]:
    """Send a form; return the status and where it leads."""
    answer = client.post(address, data=data)
    return answer.status_code, answer.location or ""


# The wizard


def test_a_need_is_written_step_by_step_and_published(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    sign_in(client, stall.maker)
    assert post(client, "/needs/new", purpose="equipment") == (303, "/needs/new/amount")
    assert count_needs() == 0  # nothing can be stored without an amount
    status, address = post(client, "/needs/new/amount", amount="240", months="12")
    need = only_need()
    assert (status, address) == (303, f"/needs/{need.id}/edit/security")
    assert (need.state, need.purpose, need.amount) == (NeedState.DRAFT, Purpose.EQUIPMENT, 240_000_000)
    status, address = post(client, address, securities=["unsecured", "equipment"], accepts=["loan", "lease"])
    assert only_need().securities == ["equipment", "unsecured"]
    rounds_asked = {"round_count": "2", "round_hours": "12", "minimum_bids": "2", "few_bids": "fail"}
    status, address = post(client, address, bid_policy="anonymous", **rounds_asked)
    assert (status, address) == (303, f"/needs/{need.id}/edit/audience")
    named = stall.banks[0][0].organisation_id
    status, address = post(client, address, visibility="except", audience=[named], shows_name="1")
    assert (status, address) == (303, f"/needs/{need.id}/edit/options")
    assert need_answers.of_need(only_need())["audience"] == [named]
    # Only a round says who lends which part of what is to be shared.
    assert post(client, address, reserve_rate="5.5", syndicated="1")[0] == 422
    asked = {"reserve_rate": "5.5", "syndicated": "1", "joins_matching": "1"}
    status, address = post(client, address, **asked, description="两条产线")
    assert (status, address) == (303, f"/needs/{need.id}/edit/review")
    need = only_need()
    assert (need.reserve_rate, need.minimum_bids, need.joins_matching) == (Decimal("0.055"), 2, True)
    assert (need.bid_policy, need.round_count, need.round_hours) == (BidPolicy.ANONYMOUS, 2, 12)
    assert (need.few_bids, need.visibility) == (FewBids.FAIL, Visibility.EXCEPT)
    assert need.syndicated and need.shows_name
    page = client.get(address)
    # Three working days after Friday is Wednesday, at five in the afternoon.
    assert 'value="2026-11-25T17:00"' in page.text
    status, address = post(client, f"/needs/{need.id}/publish", closes_at="2026-11-25T17:00")
    assert (status, address) == (303, f"/needs/{need.id}")
    need = only_need()
    assert need.state is NeedState.OPEN
    assert need.closes_at is not None and need.closes_at.isoformat() == "2026-11-25T09:00:00+00:00"


def test_going_back_keeps_what_was_typed_even_when_it_is_wrong(client: FlaskClient, stall: Stall) -> None:
    sign_in(client, stall.maker)
    post(client, "/needs/new", purpose="research")
    assert post(client, "/needs/new/amount", amount="240", months="twelve", go="back") == (303, "/needs/new")
    assert 'value="research" checked' in client.get("/needs/new").text
    page = client.get("/needs/new/amount").text
    assert 'value="240"' in page and 'value="twelve"' in page
    assert count_needs() == 0


def test_going_back_stores_what_is_right(client: FlaskClient, stall: Stall, now: datetime) -> None:
    need = make_need(stall.maker, now=now, closes_in=None)
    sign_in(client, stall.maker)
    answer = post(client, f"/needs/{need.id}/edit/amount", amount="180", months="9", go="back")
    assert answer == (303, f"/needs/{need.id}/edit/purpose")
    assert (only_need().amount, only_need().months) == (180_000_000, 9)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "", "months": "12"}, "Please fill this in"),
        ({"amount": "0", "months": "12"}, "too small"),
        ({"amount": "-5", "months": "12"}, "too small"),
        ({"amount": "a lot", "months": "12"}, "not a number"),
        ({"amount": "99999999999", "months": "12"}, "too large"),
        ({"amount": "100", "months": "361"}, "too large"),
        ({"amount": "100", "months": "1.5"}, "too many decimals"),
        ({"amount": "100", "months": "12", "repayment": "never"}, "not one of the choices"),
    ],
)
def test_a_faulty_step_stores_nothing_and_says_what_would_be_accepted(
    client: FlaskClient, stall: Stall, typed: dict[str, str], said: str
) -> None:
    sign_in(client, stall.maker)
    post(client, "/needs/new", purpose="research")
    answer = client.post("/needs/new/amount", data=typed)
    assert answer.status_code == 422
    assert said in read_text(answer.text) and "nothing was stored" in answer.text
    assert "form-fault" in answer.text or "note-list" in answer.text
    assert count_needs() == 0


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("purpose", {"purpose": ""}),
        ("purpose", {"purpose": "a yacht"}),
        ("purpose", {"purpose": "contract"}),
        ("purpose", {"purpose": "contract", "contract_id": "999"}),
        ("security", {"securities": [], "accepts": ["loan"]}),
        ("security", {"securities": ["my word"], "accepts": ["loan"]}),
        ("bidding", {**BIDDING, "minimum_bids": "10"}),
        ("bidding", {**BIDDING, "round_count": "4"}),
        ("bidding", {**BIDDING, "bid_policy": "loud"}),
        ("audience", {"visibility": "chosen"}),
        ("audience", {"visibility": "chosen", "audience": ["x"]}),
        ("audience", {"visibility": "except", "audience": ["999999"]}),
        ("options", {"reserve_rate": "-1"}),
        ("options", {"description": "长" * 501}),
    ],
)
def test_a_faulty_step_leaves_the_draft_as_it_was(
    client: FlaskClient, stall: Stall, now: datetime, step: str, typed: dict[str, object]
) -> None:
    need = make_need(stall.maker, now=now, closes_in=None)
    before = (need.purpose, need.securities, need.minimum_bids, need.description)
    sign_in(client, stall.maker)
    answer = client.post(f"/needs/{need.id}/edit/{step}", data=typed)
    assert answer.status_code == 422
    after = only_need()
    assert (after.purpose, after.securities, after.minimum_bids, after.description) == before


@pytest.mark.parametrize("closes_at", ["", "tomorrow", "2026-11-20T10:30", "2027-06-01T10:00"])
def test_an_impossible_closing_time_publishes_nothing(
    client: FlaskClient, stall: Stall, now: datetime, closes_at: str
) -> None:
    need = make_need(stall.maker, now=now, closes_in=None)
    sign_in(client, stall.maker)
    answer = client.post(f"/needs/{need.id}/publish", data={"closes_at": closes_at})
    assert answer.status_code == 422 and "form-fault" in answer.text
    assert only_need().state is NeedState.DRAFT


def test_the_hints_count_what_fits_and_name_the_nearest_change(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    for (bank, _), most in zip(stall.banks, (2 * MILLION, 3 * MILLION), strict=True):
        make_product(bank, now=now, amount_max=most, repayment=None, offer=None)
        make_product(bank, now=now, amount_max=most)
    sign_in(client, stall.maker)
    post(client, "/needs/new", purpose="research")
    part = read_text(client.get("/needs/hints?step=amount&amount=400&months=12").text)
    assert "2 · products fit · of 5" in part
    assert "With ¥2 million instead, 2 more products would fit" in part
    part = read_text(client.get("/needs/hints?step=amount&amount=&months=12").text)
    assert "As soon as amount and tenor are there" in part
    assert count_needs() == 0


def test_the_suggested_change_is_taken_with_one_click(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now, closes_in=None)
    sign_in(client, stall.maker)
    status, address = post(client, f"/needs/{need.id}/fix", fact="amount", value=str(3 * MILLION))
    assert (status, address) == (303, f"/needs/{need.id}/edit/review")
    assert only_need().amount == 3 * MILLION
    post(client, f"/needs/{need.id}/fix", fact="state", value="1")
    assert only_need().amount == 3 * MILLION
    for fact, value in (("securities", "mortgage"), ("securities", "mortgage"), ("accepts", "lease")):
        post(client, f"/needs/{need.id}/fix", fact=fact, value=value)
    # The change adds to what the firm offers and accepts already, once.
    assert only_need().securities == ["mortgage", "unsecured"] and only_need().accepts == ["lease", "loan"]
    for fact, value in (
        ("securities", "gold"),
        ("tags", "gazelle"),
        ("accepts", ""),
        ("repayment", "bullet"),
    ):
        post(client, f"/needs/{need.id}/fix", fact=fact, value=value)
    assert only_need().securities == ["mortgage", "unsecured"] and only_need().repayment is Repayment.BULLET


def test_a_contract_need_shows_what_the_contract_can_carry_and_refuses_more(
    client: FlaskClient, now: datetime
) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    sign_in(client, firm)
    room = needs.read_room(contract.id)
    assert f'value="{contract.id}"' in client.get("/needs/new").text
    assert post(client, "/needs/new", purpose="contract", contract_id=contract.id)[0] == 303
    answer = client.post("/needs/new/amount", data={"amount": str(room // 1_000_000 + 1), "months": "6"})
    assert answer.status_code == 422 and "more than what stands behind it can carry" in answer.text
    assert count_needs() == 0
    assert post(client, "/needs/new/amount", amount=str(room // 1_000_000), months="6")[0] == 303
    assert only_need().contract_id == contract.id


def test_another_firms_contract_cannot_be_chosen(client: FlaskClient, stall: Stall, now: datetime) -> None:
    *_, contract = make_contract_path(now)
    sign_in(client, stall.maker)
    answer = client.post("/needs/new", data={"purpose": "contract", "contract_id": contract.id})
    assert answer.status_code == 422
    assert client.get(f"/needs/new?contract={contract.id}").status_code == 200
    assert "checked" not in client.get("/needs/new").text


def test_a_published_need_is_not_edited(client: FlaskClient, stall: Stall, now: datetime) -> None:
    need = make_need(stall.maker, now=now)
    sign_in(client, stall.maker)
    for address in (f"/needs/{need.id}/edit/amount", f"/needs/{need.id}/publish"):
        assert post(client, address, amount="1", months="1", closes_at="2026-12-01T10:00") == (
            303,
            f"/needs/{need.id}",
        )
    assert only_need().amount == need.amount


# Who may see what


def test_another_firms_need_does_not_exist(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need, offers, _ = make_compared(stall, now, sealer)
    sign_in(client, make_party(now=now))
    for address in ("", "/offers", f"/offers/{offers[0].id}", f"/offers/{offers[0].id}/accept", "/edit"):
        assert client.get(f"/needs/{need.id}{address}").status_code == 404, address
    assert post(client, f"/needs/{need.id}/withdraw")[0] == 404


def test_a_bank_has_no_business_on_the_pages_of_firms(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now)
    sign_in(client, stall.banks[0][0])
    for address in ("/enterprise", "/needs", f"/needs/{need.id}", f"/needs/{need.id}/offers", "/firm"):
        assert client.get(address).status_code == 403, address


def test_before_the_opening_nothing_about_the_bids_is_shown(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now, amount=MILLION)
    sign_in(client, stall.maker)
    before = read_text(client.get(f"/needs/{need.id}").text)
    bank, product = stall.banks[0]
    place_bid(need, product, bank, now=now, sealer=sealer)
    assert read_text(client.get(f"/needs/{need.id}").text) == before
    assert client.get(f"/needs/{need.id}/offers").location == f"/needs/{need.id}"
    assert "Bids are sealed" in before


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_a_firm_is_whole_in_either_language(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock, language: str
) -> None:
    sign_in(client, stall.maker, language)
    assert not find_foreign(client.get("/enterprise").text, language)
    assert not find_foreign(client.get("/needs").text, language)
    need, offers, later = make_compared(stall, now, sealer)
    empty = make_need(stall.maker, now=now, amount=2 * MILLION)
    opening.open_bids(empty.id, by=clock_party(need.zone_id), now=empty.closes_at or now, sealer=sealer)
    rounds.run_now(need.zone_id, by=make_officer(now=now), now=later)
    draft = make_need(stall.maker, now=later, closes_in=None, securities=tuple(Security))
    open_need = make_need(stall.maker, now=later, reserve_rate=Decimal("0.05"), shows_name=True)
    accepted, waiting, _ = make_compared(stall, now, sealer)
    awards.accept(accepted.id, waiting[0].id, waiting[0].receipt_hash, by=stall.maker, now=later)
    set_clock(later)
    for address in (
        "/enterprise",
        "/needs",
        "/needs?state=closed&sort=-amount",
        f"/needs/{need.id}",
        f"/needs/{empty.id}",
        f"/needs/{open_need.id}",
        f"/needs/{open_need.id}/change",
        f"/needs/{draft.id}",
        f"/needs/{need.id}/offers",
        f"/needs/{need.id}/offers/estimate?amount=120&months=18",
        f"/needs/{need.id}/offers/estimate?amount=x&months=0",
        f"/needs/{need.id}/offers/{offers[1].id}",
        f"/needs/{need.id}/offers/{offers[1].id}/accept",
        f"/needs/{accepted.id}/award",
        "/needs/new",
        *(
            f"/needs/{draft.id}/edit/{step}"
            for step in ("purpose", "amount", "security", "bidding", "audience", "options", "review")
        ),
        "/firm",
    ):
        answer = client.get(address)
        assert answer.status_code in {200, 422}, address
        assert not find_foreign(answer.text, language), address


# Comparing and accepting


def test_offers_stand_side_by_side_by_annual_cost_with_fees_and_reasons(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later)
    sign_in(client, stall.maker)
    page = client.get(f"/needs/{need.id}/offers").text
    text = read_text(page)
    # 4 % a year paid monthly is 4.07 %; 3.65 % with a 1 % guarantee fee is 4.78 %: the lower rate is dearer.
    assert text.index("4.07%") < text.index("4.78%")
    assert "0.70 points a year dearer than the one before it" in text
    assert "fees add 1.07 points a year" in text
    assert "Guarantor" in text and "10,000.00" in text
    assert "Only 2 offers compete; you asked for at least 3" in text
    assert "12 months longer than asked" in text  # the lease is listed apart
    assert text.index("Listed apart") < text.index("12 months longer than asked")
    assert [bid.rank for bid in offers] == [1, 2, None]


def test_the_estimate_prices_the_offers_on_other_terms_and_says_it_is_one(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need, _, _ = make_compared(stall, now, sealer)
    sign_in(client, stall.maker)
    text = read_text(client.get(f"/needs/{need.id}/offers/estimate?amount=100&months=48").text)
    # Spread over four years the fee weighs a quarter: the second offer becomes the first.
    assert text.index("Second bank") < text.index("First bank")
    assert "Only an estimate" in text
    assert client.get(f"/needs/{need.id}/offers/estimate?amount=-1&months=999").status_code == 422


def test_the_proposal_of_a_matching_round_is_marked_and_explained(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, _, later = make_compared(stall, now, sealer)
    rounds.run_now(need.zone_id, by=make_officer(now=now), now=later)
    set_clock(later)
    sign_in(client, stall.maker)
    text = read_text(client.get(f"/needs/{need.id}/offers").text)
    assert "Proposed by the matching round" in text
    assert "The cheapest of 2 live bids." in text


def accept(client: FlaskClient, need: Need, bid_id: int, shown: str) -> tuple[int, str]:
    return post(client, f"/needs/{need.id}/offers/{bid_id}/accept", shown_hash=shown)


def test_two_people_accept_an_offer_and_the_same_person_is_refused(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later)
    sign_in(client, stall.approver)  # may do both, but never both on one offer
    confirm_page = client.get(f"/needs/{need.id}/offers/{offers[1].id}/accept").text
    assert "This is not the cheapest offer: it is no. 2 of 2." in confirm_page
    assert offers[1].receipt_hash in confirm_page
    assert accept(client, need, offers[1].id, offers[1].receipt_hash) == (303, f"/needs/{need.id}/award")
    answer = client.post(f"/needs/{need.id}/award", data={"decision": "confirm"})
    assert answer.status_code == 409
    assert "A second person must do this" in answer.text
    assert "Confirm the acceptance" not in answer.text
    assert only_award().state is AwardState.AWAITING_CONFIRMATION
    second = make_second(stall, now)
    sign_in(client, second)
    assert "Confirm the acceptance" in client.get(f"/needs/{need.id}/award").text
    assert post(client, f"/needs/{need.id}/award", decision="confirm") == (303, f"/needs/{need.id}/award")
    assert only_award().state is AwardState.CONFIRMED
    page = client.get(f"/needs/{need.id}/award").text
    assert "Accepted and binding." in page and "To the loan" in page


def test_a_maker_alone_may_take_back_but_not_confirm(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later)
    sign_in(client, stall.maker)
    accept(client, need, offers[0].id, offers[0].receipt_hash)
    assert post(client, f"/needs/{need.id}/award", decision="confirm")[0] == 403
    assert post(client, f"/needs/{need.id}/award", decision="reject") == (303, f"/needs/{need.id}/offers")
    assert "Accept this offer" in client.get(f"/needs/{need.id}/offers").text


def test_an_offer_that_is_not_the_one_shown_is_not_accepted(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later)
    sign_in(client, stall.maker)
    for shown in (offers[1].receipt_hash, "", "0" * 64):
        answer = client.post(f"/needs/{need.id}/offers/{offers[0].id}/accept", data={"shown_hash": shown})
        assert answer.status_code == 409
        assert "Somebody changed this meanwhile" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Award)) == 0


def test_after_the_deadline_nothing_is_accepted(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later + timedelta(days=20))
    sign_in(client, stall.maker)
    address = f"/needs/{need.id}/offers/{offers[0].id}/accept"
    assert client.get(address).location == f"/needs/{need.id}/offers"
    assert accept(client, need, offers[0].id, offers[0].receipt_hash)[0] == 409
    assert "Accept this offer" not in client.get(f"/needs/{need.id}/offers").text


def test_withdrawing_takes_the_need_and_its_bids_off_the_market(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    need = make_need(stall.maker, now=now)
    sign_in(client, stall.maker)
    assert post(client, f"/needs/{need.id}/withdraw") == (303, f"/needs/{need.id}")
    assert only_need().state is NeedState.WITHDRAWN
    assert post(client, f"/needs/{need.id}/withdraw") == (303, f"/needs/{need.id}")
    assert "This cannot be done any more" in client.get(f"/needs/{need.id}").text


# Home and file


def test_the_home_page_teaches_first_and_then_shows_what_waits(
    client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer, set_clock: SetClock
) -> None:
    sign_in(client, stall.maker)
    assert "Posting the first one takes about three minutes" in client.get("/enterprise").text
    need, offers, later = make_compared(stall, now, sealer)
    set_clock(later)
    assert "2 offers to compare" in client.get("/enterprise").text
    awards.accept(need.id, offers[0].id, offers[0].receipt_hash, by=stall.maker, now=later)
    assert "An acceptance waits for the second person" in client.get("/enterprise").text
    sign_in(client, stall.approver)
    assert "Confirm an acceptance" in client.get("/enterprise").text


def test_the_firms_file_says_which_facts_products_ask_for(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    bank, _ = stall.banks[0]
    conditions = [{"fact": "tax_grade", "test": "in", "value": ["A", "B"]}]
    make_product(bank, now=now, conditions=conditions)
    sign_in(client, stall.maker)
    text = read_text(client.get("/firm").text)
    assert "6 facts are still missing" in text and "1 product asks for it." in text
    typed = {"name_zh": "测试企业", "size_class": "small", "founded_on": "2020-01-31", "tax_grade": "A"}
    assert post(client, "/firm", **typed, annual_revenue="1234.5") == (303, "/firm")
    page = client.get("/firm").text
    assert 'value="1234.5"' in page and 'value="2020-01-31"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name_zh", " "),
        ("founded_on", "2030-01-01"),
        ("founded_on", "yesterday"),
        ("staff_count", "-1"),
        ("annual_revenue", "much"),
        ("tax_grade", "E"),
        ("size_class", "tiny"),
    ],
)
def test_a_faulty_file_stores_nothing(client: FlaskClient, stall: Stall, field: str, value: str) -> None:
    sign_in(client, stall.maker)
    answer = client.post("/firm", data={"name_zh": "新名称", "tax_grade": "A", field: value})
    assert answer.status_code == 422 and "form-fault" in answer.text
    assert "新名称" not in client.get("/firm").text


def only_award() -> Award:
    db.session.expire_all()
    return db.session.scalars(select(Award)).one()


def make_second(stall: Stall, now: datetime) -> Party:
    """Return another person of the firm who may confirm."""
    firm = db.session.get_one(Organisation, stall.maker.organisation_id)
    return make_party(capabilities=[Capability.ENTERPRISE_APPROVER], now=now, organisation=firm)


def test_only_who_may_confirm_decides_whether_a_second_person_must(client: FlaskClient, stall: Stall) -> None:
    typed = {"name_zh": "测试企业"}
    sign_in(client, stall.maker)
    assert post(client, "/firm", **typed) == (303, "/firm")
    assert stored_firm(stall).dual_control is True
    sign_in(client, stall.approver)
    assert post(client, "/firm", **typed) == (303, "/firm")
    assert stored_firm(stall).dual_control is False


def stored_firm(stall: Stall) -> Organisation:
    db.session.expire_all()
    return db.session.get_one(Organisation, stall.maker.organisation_id)
