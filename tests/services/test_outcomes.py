"""What a bidder learns of its own bids, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.vocabulary import BidState, NeedState, Purpose
from models.bid import Bid
from models.need import Need
from services import awards, bids, opportunities, outcomes
from services.sealing import Sealer
from tests.blueprints.web.market_stall import make_compared, make_deal, make_stall
from tests.factories import make_need, place_bid


def test_before_the_opening_only_ones_own_content_is_known(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    need = make_need(stall.maker, now=now)
    for bank, product in stall.banks:
        place_bid(need, product, bank, now=now, sealer=sealer)
    (own,) = outcomes.list_own(stall.banks[0][0], sealer=sealer)
    assert (own.amount, own.months) == (need.amount, need.months)
    assert own.effective is not None and Decimal("0.04") < own.effective < Decimal("0.041")
    assert (own.ranked, own.best, own.winning) == (None, None, None)


def test_after_the_opening_the_best_and_after_the_award_the_winning_cost_are_known(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    stall = make_stall(now)
    need, offers, later = make_compared(stall, now, sealer)
    loser = next(party for party, _ in stall.banks if party.organisation_id != offers[0].organisation_id)
    (opened,) = outcomes.list_own(loser, sealer=sealer)
    assert (opened.ranked, opened.best, opened.winning) == (2, offers[0].effective, None)
    award = awards.accept(need.id, offers[0].id, offers[0].receipt_hash, by=stall.maker, now=later)
    awards.confirm(award.id, by=stall.approver, now=later)
    (decided,) = outcomes.list_own(loser, sealer=sealer)
    assert decided.winning == offers[0].effective


def test_whoever_withdrew_learns_nothing_of_the_others(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    need = make_need(stall.maker, now=now)
    (first, plain), (second, other) = stall.banks
    bid = place_bid(need, plain, first, now=now, sealer=sealer)
    place_bid(need, other, second, now=now, sealer=sealer)
    bids.withdraw(bid.id, by=first, now=now)
    (own,) = outcomes.list_own(first, sealer=sealer)
    assert (own.ranked, own.best, own.winning) == (None, None, None)


def test_so_few_deals_that_they_name_somebody_say_nothing(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    later = now
    for _ in range(opportunities.GOING_RATE_LEAST - 1):
        _, _, later = make_deal(stall, later, sealer)
    zone_id = stall.maker.zone_id
    assert opportunities.read_going_rate(zone_id, Purpose.WORKING_CAPITAL, later) is None
    _, loan, later = make_deal(stall, later, sealer)
    going = opportunities.read_going_rate(zone_id, Purpose.WORKING_CAPITAL, later)
    assert going is not None
    assert (going.deals, going.lowest, going.middle, going.highest) == (3, *[loan.effective] * 3)
    assert opportunities.read_going_rate(zone_id, Purpose.RESEARCH, later) is None
    after = later + timedelta(days=400)
    assert opportunities.read_going_rate(zone_id, Purpose.WORKING_CAPITAL, after) is None


def make_bid(bid_state: BidState, told: dict[str, Any] | None = None, **need: Any) -> Bid:
    """Return a bid that never was in a database, for what is said of its state."""
    until = datetime(2026, 12, 1, tzinfo=UTC)
    return Bid(state=bid_state, reason=told, rank=2, valid_until=until, need=Need(**need))


@pytest.mark.parametrize(
    ("bid", "why"),
    [
        (make_bid(BidState.SEALED), None),
        (make_bid(BidState.POSTED), None),
        (make_bid(BidState.LIVE, {"code": "best"}), None),
        (make_bid(BidState.WON, {"code": "best"}), None),
        (make_bid(BidState.WITHDRAWN, state=NeedState.OPEN), {"code": "withdrawn"}),
        (make_bid(BidState.WITHDRAWN, state=NeedState.WITHDRAWN), {"code": "need_withdrawn"}),
        (make_bid(BidState.REPLACED), {"code": "replaced"}),
        (make_bid(BidState.VOIDED, {"code": "need_changed"}), {"code": "voided", "because": "need_changed"}),
        (make_bid(BidState.HELD), {"code": "low_price"}),
        (
            make_bid(BidState.REFUSED, {"code": "seal_broken"}),
            {"code": "refused", "because": "seal_broken", "note": None},
        ),
        (make_bid(BidState.EXPIRED), {"code": "expired", "valid_until": "2026-12-01T00:00:00+00:00"}),
        (
            make_bid(BidState.DECLINED, {"code": "best", "declined": "policy"}),
            {"code": "declined", "reason": "policy"},
        ),
        (
            make_bid(BidState.LOST, {"code": "dearer", "winning": "0.04", "winning_rank": 1}),
            {"code": "another_won", "rank": 2, "winning": "0.04", "winning_rank": 1},
        ),
        (make_bid(BidState.LOST, state=NeedState.WITHDRAWN), {"code": "need_withdrawn"}),
        (
            make_bid(BidState.LOST, state=NeedState.UNSUCCESSFUL, reason="too_few_bids"),
            {"code": "unsuccessful", "because": "too_few_bids"},
        ),
    ],
)
def test_every_bid_says_what_became_of_it(bid: Bid, why: dict[str, Any] | None) -> None:
    assert outcomes.explain(bid) == why
