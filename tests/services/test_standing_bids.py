"""Standing bids answer by themselves within floor, cap and budget, once, and improve down to the floor."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market.bidding_vocabulary import BidPolicy, Visibility
from market.errors import Code
from market.party import Party, clock
from market.vocabulary import BidState, Capability, LimitScope, OrganisationKind, Pricing
from models.audit import AuditEntry
from models.base import db
from models.bid import Bid, StandingBid
from models.need import Need
from models.product import Product
from services import (
    bid_content,
    bids,
    limit_settings,
    products,
    standing_answers,
    standing_bids,
)
from services.clock import run_due
from services.sealing import Sealer
from services.standing_answers import Due
from tests.databases import URL
from tests.factories import MILLION, make_need, make_party, make_product, place_bid
from tests.services import racing
from tests.services.conftest import Refusing

DAY = timedelta(days=1)
DRAFT = standing_bids.Draft(
    cap=10 * MILLION, daily_budget=20 * MILLION, rate=Decimal("0.05"), floor_rate=Decimal("0.04")
)


def make_standing(
    now: datetime, product: dict[str, Any] | None = None, **draft: Any
) -> tuple[Party, StandingBid]:
    bank = make_party(OrganisationKind.BANK, now=now)
    row = make_product(bank, now=now, **(product or {}))
    return bank, standing_bids.start(row.id, replace(DRAFT, **draft), by=bank, now=now)


def tick(by: Party, now: datetime, sealer: Sealer) -> int:
    done = run_due(by.zone_id, now=now, sealer=sealer)
    db.session.rollback()
    db.session.expire_all()
    return done["standing bids"]


def read_bids(need: Need) -> list[Bid]:
    return list(
        db.session.scalars(
            select(Bid)
            .where(Bid.need_id == need.id)
            .order_by(Bid.receipt_at, Bid.need_id, Bid.receipt_number)
        )
    )


def read_rate(bid: Bid, sealer: Sealer) -> str:
    return f"{bid_content.read(bid, sealer).terms.rate:.4f}"


def test_a_need_is_answered_once_for_its_whole_amount_at_the_price_asked(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now, is_firm=False)
    need = make_need(make_party(now=now), now=now)
    assert [tick(bank, now + timedelta(seconds=5 * n), sealer) for n in range(3)] == [1, 0, 0]
    (bid,) = read_bids(need)
    _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
    assert (bid.state, bid.standing_bid_id, bid.holds) == (BidState.SEALED, row.id, False)
    assert (content["offer"]["principal"], content["offer"]["months"]) == ("5000000.00", 12)
    assert (read_rate(bid, sealer), content["firm"]) == ("0.0500", False)
    assert bid.valid_until == bids.earliest_validity(db.session.get_one(Need, need.id))
    assert standing_bids.count_spent(db.session.get_one(StandingBid, row.id), now.date()) == 5 * MILLION
    # The log shows that nobody pressed a button.
    entries = {
        entry.action: entry.user_id
        for entry in db.session.scalars(select(AuditEntry).where(AuditEntry.subject == "standing_bids"))
    }
    assert entries == {"standing_bid.start": bank.user_id, "standing_bid.answer": None}


def test_what_is_too_large_not_eligible_not_shown_or_withdrawn_is_not_answered(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now)
    firm, other = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    make_need(firm, now=now, amount=11 * MILLION)
    make_need(firm, now=now, months=3)
    make_need(firm, now=now, visibility=Visibility.CHOSEN, audience=(other.organisation_id,))
    assert tick(bank, now, sealer) == 0
    seen = make_need(firm, now=now, visibility=Visibility.CHOSEN, audience=(bank.organisation_id,))
    assert tick(bank, now, sealer) == 1
    (bid,) = read_bids(seen)
    bids.withdraw(bid.id, by=bank, now=now)
    assert tick(bank, now + DAY, sealer) == 0
    products.set_listed(row.product_id, False, by=bank, now=now)
    make_need(firm, now=now + DAY)
    assert tick(bank, now + DAY, sealer) == 0


def test_the_budget_is_that_of_a_day_in_shanghai(app: Flask, now: datetime, sealer: Sealer) -> None:
    bank, row = make_standing(now, daily_budget=12 * MILLION)
    firm = make_party(now=now)
    for _ in range(4):
        make_need(firm, now=now)
    assert tick(bank, now, sealer) == 2
    # 23:59 in Shanghai, then midnight.
    assert tick(bank, now.replace(hour=15, minute=59), sealer) == 0
    assert tick(bank, now.replace(hour=16), sealer) == 2
    found = db.session.get_one(StandingBid, row.id)
    assert (found.spent, str(found.spent_on)) == (10 * MILLION, "2026-11-21")


def test_in_anonymous_bidding_it_goes_a_step_below_the_best_and_never_below_its_floor(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now)
    need = make_need(make_party(now=now), now=now, bid_policy=BidPolicy.ANONYMOUS)
    assert tick(bank, now, sealer) == 1
    rival = make_party(OrganisationKind.BANK, now=now)
    product = make_product(rival, now=now)
    place_bid(need, product, rival, now=now, sealer=sealer, rate=Decimal("0.047"))
    assert [tick(bank, now, sealer) for _ in range(2)] == [1, 0]
    first, beaten, better = read_bids(need)
    assert first.state is BidState.REPLACED and better.effective and beaten.effective
    gap = beaten.effective - better.effective
    assert Decimal("0.0005") <= gap < Decimal("0.00062")
    # A bid below the floor: it goes to the floor and stays there.
    place_bid(need, product, rival, now=now, sealer=sealer, rate=Decimal("0.03"))
    assert [tick(bank, now, sealer) for _ in range(2)] == [1, 0]
    assert read_rate(read_bids(need)[-1], sealer) == "0.0400"
    assert db.session.get_one(StandingBid, row.id).spent == 5 * MILLION


def test_two_of_one_house_do_not_outbid_each_other_and_two_houses_come_to_rest(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, _ = make_standing(now, rate=Decimal("0.041"))
    second = make_product(bank, now=now)
    standing_bids.start(second.id, replace(DRAFT, rate=Decimal("0.045")), by=bank, now=now)
    need = make_need(make_party(now=now), now=now, bid_policy=BidPolicy.ANONYMOUS)
    assert [tick(bank, now, sealer) for _ in range(2)] == [2, 0]
    make_standing(now, rate=Decimal("0.042"), floor_rate=Decimal("0.0395"))
    ticks = [tick(bank, now, sealer) for _ in range(8)]
    assert ticks[0] > 0 and ticks[-1] == 0
    live = [bid for bid in read_bids(need) if bid.state is BidState.POSTED]
    assert len(live) == 3
    assert read_rate(min(live, key=lambda bid: bid.effective or 1), sealer) < "0.0400"


def test_in_a_later_sealed_round_it_improves_once_on_what_stood_at_the_close(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now)
    make_standing(now, rate=Decimal("0.045"), floor_rate=Decimal("0.045"))
    need = make_need(make_party(now=now), now=now, round_count=2)
    assert [tick(bank, now, sealer) for _ in range(2)] == [2, 0]
    later = now + 3 * DAY
    assert tick(bank, later, sealer) == 0
    # One improves, the best looks once and stays; nothing of the round that runs is known to either.
    assert [tick(bank, later, sealer) for _ in range(2)] == [2, 0]
    *_, improved = read_bids(need)
    assert (improved.standing_bid_id, improved.round_number) == (row.id, 2)
    assert "0.0440" < read_rate(improved, sealer) < "0.0450"
    assert len(read_bids(need)) == 3


def test_a_floating_price_goes_down_in_points(app: Flask, now: datetime, sealer: Sealer) -> None:
    floating = {
        "pricing": Pricing.LPR_1Y,
        "rate_from": None,
        "rate_to": None,
        "spread_from": 0,
        "spread_to": 200,
    }
    bank, _ = make_standing(now, floating, rate=None, floor_rate=None, spread=100, floor_spread=50)
    need = make_need(make_party(now=now), now=now, bid_policy=BidPolicy.ANONYMOUS)
    tick(bank, now, sealer)
    base = db.session.get_one(Need, need.id).lpr_1y
    assert base is not None
    rival = make_party(OrganisationKind.BANK, now=now)
    place_bid(need, make_product(rival, now=now), rival, now=now, sealer=sealer, rate=base + Decimal("0.009"))
    tick(bank, now, sealer)
    rate = Decimal(read_rate(read_bids(need)[-1], sealer))
    assert base + Decimal("0.008") < rate < base + Decimal("0.009")


def test_a_refused_pair_is_noted_left_alone_and_tried_again_after_a_change(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, MILLION, by=bank, now=now)
    need = make_need(make_party(now=now), now=now)
    assert [tick(bank, now + timedelta(minutes=n), sealer) for n in range(3)] == [1, 0, 0]
    assert not read_bids(need)
    assert db.session.get_one(StandingBid, row.id).spent == 0
    refused = select(AuditEntry).where(AuditEntry.action == "standing_bid.refuse")
    (entry,) = db.session.scalars(refused)
    assert entry.details["why"] == "limit_exceeded"
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 9 * MILLION, by=bank, now=now)
    assert tick(bank, now + timedelta(minutes=5), sealer) == 0
    standing_bids.change(row.id, DRAFT, by=bank, now=now + timedelta(minutes=6))
    assert tick(bank, now + timedelta(minutes=7), sealer) == 1
    assert len(read_bids(need)) == 1


def test_a_refused_pair_is_tried_again_by_itself_after_some_hours(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, _ = make_standing(now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, MILLION, by=bank, now=now)
    make_need(make_party(now=now), now=now)
    later = now + standing_answers.RETRY_AFTER
    assert [tick(bank, at, sealer) for at in (now, later - timedelta(seconds=1), later)] == [1, 0, 1]


def test_what_stops_answers_no_more_and_what_changes_keeps_within_the_day(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    bank, row = make_standing(now)
    firm = make_party(now=now)
    make_need(firm, now=now, amount=8 * MILLION)
    tick(bank, now, sealer)
    less = replace(DRAFT, cap=7 * MILLION, daily_budget=7 * MILLION)
    with refuses(Code.TOO_SMALL, "daily_budget"):
        standing_bids.change(row.id, less, by=bank, now=now)
    standing_bids.change(row.id, less, by=bank, now=now + DAY)
    standing_bids.stop(row.id, by=bank, now=now + DAY)
    make_need(firm, now=now + DAY)
    assert tick(bank, now + DAY, sealer) == 0
    with refuses(Code.ILLEGAL_MOVE):
        standing_bids.stop(row.id, by=bank, now=now + DAY)
    again = standing_bids.start(row.product_id, DRAFT, by=bank, now=now + DAY)
    assert [found.id for found in standing_bids.list_own(bank)] == [again.id, row.id]


def test_who_and_what_a_standing_bid_takes(app: Flask, now: datetime, refuses: Refusing) -> None:
    bank, row = make_standing(now)
    bidder = replace(bank, capabilities=frozenset({Capability.INSTITUTION_BIDDER}))
    stranger = make_party(OrganisationKind.BANK, now=now)
    free = make_product(bank, now=now)
    start = partial(standing_bids.start, free.id, now=now)
    with refuses(Code.NOT_ALLOWED):
        start(DRAFT, by=bidder)
    with refuses(Code.NOT_FOUND):
        start(DRAFT, by=stranger)
    with refuses(Code.NOT_FOUND):
        standing_bids.stop(row.id, by=stranger, now=now)
    with refuses(Code.ALREADY_EXISTS, "product_id"):
        standing_bids.start(row.product_id, DRAFT, by=bank, now=now)
    for wrong, code, field in (
        ({"rate": None}, Code.REQUIRED, "rate"),
        ({"spread": 5}, Code.UNKNOWN_FIELD, "spread"),
        ({"rate": Decimal("0.9")}, Code.ABOVE_CEILING, "rate"),
        ({"floor_rate": Decimal("0.06")}, Code.TOO_LARGE, "floor_rate"),
        ({"floor_rate": Decimal("0.0004")}, Code.TOO_SMALL, "floor_rate"),
        ({"cap": MILLION - 1}, Code.TOO_SMALL, "cap"),
        ({"daily_budget": MILLION}, Code.TOO_SMALL, "daily_budget"),
    ):
        with refuses(code, field):
            start(replace(DRAFT, **wrong), by=bank)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_many_needs_at_once_never_overspend_and_two_clocks_answer_a_need_once(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    bank, row = make_standing(now, daily_budget=15 * MILLION)
    firm = make_party(now=now)
    found = [make_need(firm, now=now) for _ in range(6)]
    by = clock(bank.zone_id)
    deeds = [
        partial(standing_answers.answer, Due(row.id, need.id), by=by, now=now, sealer=sealer)
        for need in found
        for _ in range(2)
    ]
    db.session.rollback()
    assert Counter(racing.run(app.config[URL], deeds)) == {"done": 12}
    db.session.expire_all()
    assert db.session.get_one(StandingBid, row.id).spent == 15 * MILLION
    per_need = Counter(db.session.scalars(select(Bid.need_id)))
    assert sorted(per_need.values()) == [1] * 3
    assert not list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "standing_bid.refuse")))


def test_the_bids_it_placed_are_its_institutions_to_see(app: Flask, now: datetime, sealer: Sealer) -> None:
    bank, row = make_standing(now)
    make_need(make_party(now=now), now=now)
    tick(bank, now, sealer)
    assert [bid.standing_bid_id for bid in standing_bids.list_bids(row.id, by=bank)] == [row.id]
    assert db.session.get_one(Product, row.product_id).listed
