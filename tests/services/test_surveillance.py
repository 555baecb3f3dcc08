"""The surveillance report: what an officer learns of opened bidding, and that nothing sealed is in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.errors import Forbidden
from market.party import clock
from market.vocabulary import OrganisationKind
from models.base import db
from models.organisation import Organisation
from services import awards, bids, opening, surveillance
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party, make_product, place_bid

CLOSES_IN = timedelta(days=3)
AFTER = CLOSES_IN + timedelta(minutes=1)


def test_a_round_of_collusion_is_seen_from_every_side(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    banks = [make_party(OrganisationKind.BANK, now=now) for _ in range(3)]
    shelf = [make_product(bank, now=now) for bank in banks]
    for bank in banks[:2]:
        db.session.get_one(Organisation, bank.organisation_id).controller = "张三"
    db.session.commit()
    rates = ("0.04", "0.041", "0.042")
    for _ in range(3):
        need = make_need(firm, now=now, closes_in=CLOSES_IN)
        for bank, product, rate in zip(banks, shelf, rates, strict=True):
            place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal(rate))
        opening.open_bids(need.id, by=clock(need.zone_id), now=now + AFTER, sealer=sealer)
        best = bids.list_offers(need.id, by=firm)[0]
        awards.accept(need.id, best.id, best.receipt_hash, by=firm, now=now + AFTER)
    same = make_need(firm, now=now, closes_in=CLOSES_IN)
    for bank, product in zip(banks, shelf, strict=True):
        place_bid(same, product, bank, now=now, sealer=sealer)
    last = now + CLOSES_IN - timedelta(seconds=30)
    moved = place_bid(same, shelf[2], banks[2], now=last, sealer=sealer, rate=Decimal("0.0405"))
    opening.open_bids(same.id, by=clock(same.zone_id), now=now + AFTER, sealer=sealer)

    report = surveillance.read(by=make_officer(now=now), now=now + AFTER)
    assert (report.needs_count, report.bids_count) == (4, 13)
    (alike,) = report.identical
    assert (alike.need, alike.whole, len(alike.bids)) == (same.id, True, 2)
    pairs = {(pair.winner, pair.second): (pair.times, pair.common) for pair in report.seconds}
    assert pairs == {(banks[0].organisation_id, banks[1].organisation_id): (3, 3)}
    assert [(move.bid, move.withdrawn) for move in report.late_moves] == [(moved.id, False)]
    assert {found.need for found in report.controllers} == set(report.needs)
    assert {found.controller for found in report.controllers} == {"张三"}


def test_a_need_in_bidding_is_not_in_the_report(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, closes_in=CLOSES_IN)
    for _ in range(2):
        bank = make_party(OrganisationKind.BANK, now=now)
        place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    officer = make_officer(now=now)
    before = surveillance.read(by=officer, now=now)
    assert (before.needs_count, before.bids_count, before.identical) == (0, 0, ())
    opening.open_bids(need.id, by=clock(need.zone_id), now=now + AFTER, sealer=sealer)
    assert len(surveillance.read(by=officer, now=now + AFTER).identical) == 1
    # Another zone's officer, and somebody who looks back less far, see nothing of it.
    assert surveillance.read(by=officer, now=now + AFTER + timedelta(days=5), days=4).needs_count == 0


def test_only_officers_and_auditors_read_it(app: Flask, now: datetime) -> None:
    with pytest.raises(Forbidden):
        surveillance.read(by=make_party(OrganisationKind.BANK, now=now), now=now)
