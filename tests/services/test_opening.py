"""The opening: at the deadline, once, and only what its own bidder sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.vocabulary import BidState, NeedState, OrganisationKind
from models.base import db, transaction
from models.bid import Bid
from models.need import BidRound, Need
from services import audit, bids, needs, opening
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, place_bid

LATER = timedelta(days=3, seconds=1)


@pytest.mark.parametrize("take_receipt_too", [False, True])
def test_seals_that_were_exchanged_in_the_database_do_not_open(
    app: Flask, now: datetime, sealer: Sealer, take_receipt_too: bool
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    placed = []
    for rate in ("0.03", "0.06"):
        bank = make_party(OrganisationKind.BANK, now=now)
        product = make_product(bank, now=now)
        placed.append(place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal(rate)))
    with transaction() as session:
        cheap, dear = (session.get_one(Bid, bid.id) for bid in placed)
        cheap.seal, dear.seal = dear.seal, cheap.seal
        if take_receipt_too:
            cheap.receipt_hash, dear.receipt_hash = dear.receipt_hash, cheap.receipt_hash
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    for bid in placed:
        stored = db.session.get_one(Bid, bid.id)
        assert (stored.state, stored.reason) == (BidState.REFUSED, {"code": "seal_broken"})
    need = db.session.get_one(Need, need.id)
    assert (need.state, need.reason) == (NeedState.UNSUCCESSFUL, "no_ranked_bid")


def test_the_opening_is_on_record_with_how_many_came(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    gone = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    bids.withdraw(gone.id, by=bank, now=now)
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    (held,) = needs.list_rounds(need.id)
    assert (held.closed_at, held.bid_count, held.ranked_count) == (now + LATER, 1, 1)
    entry = audit.list_entries("needs", need.id)[-1]
    assert (entry.action, entry.details) == ("need.open_bids", {"bids": 1, "ranked": 1, "early": False})
    assert db.session.query(BidRound).count() == 1


def test_the_next_deadline_is_the_nearest_that_has_not_passed(app: Flask, now: datetime) -> None:
    firm = make_party(now=now)
    assert opening.next_deadline(firm.zone_id, now) is None
    near, far = make_need(firm, now=now, closes_in=timedelta(hours=1)), make_need(firm, now=now)
    assert opening.next_deadline(firm.zone_id, now) == near.closes_at
    assert opening.next_deadline(firm.zone_id, now + timedelta(hours=2)) == far.closes_at


def test_a_late_tick_opens_what_an_earlier_one_missed_oldest_deadline_first(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    late, early = make_need(firm, now=now), make_need(firm, now=now, closes_in=timedelta(hours=1))
    assert opening.list_due(firm.zone_id, now + timedelta(days=5)) == [early.id, late.id]
    assert run_due(firm.zone_id, now=now + timedelta(days=5), sealer=sealer)["openings"] == 2
    assert opening.list_due(firm.zone_id, now + timedelta(days=6)) == []
