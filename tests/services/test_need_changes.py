"""Changes of an open need: what bears on a bid voids it, and its bidder re-confirms or leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.errors import Code
from market.party import clock
from market.vocabulary import BidState, NeedState, OfferKind, OrganisationKind, Purpose, Repayment, Security
from models.base import db
from models.bid import Bid
from models.need import BidRound, Need, NeedChange
from services import audit, bids, need_changes, needs, opening
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_party, make_product, place_bid
from tests.services.conftest import Refusing

USUAL = needs.Draft(
    Purpose.WORKING_CAPITAL, 5 * MILLION, 12, description="测试融资需求", joins_matching=False
)


def read(number: int) -> Bid:
    db.session.expire_all()
    return db.session.get_one(Bid, number)


@pytest.mark.parametrize("policy", list(BidPolicy))
def test_a_material_change_voids_every_bid_and_tells_its_bidder_what_changed(
    app: Flask, now: datetime, sealer: Sealer, policy: BidPolicy
) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now, joins_matching=False, bid_policy=policy)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    later = now + timedelta(hours=2)
    wanted = replace(USUAL, bid_policy=policy, amount=6 * MILLION, months=18, description="另一段话")
    need_changes.change(need.id, wanted, by=firm, now=later)
    bid, need = read(bid.id), db.session.get_one(Need, need.id)
    assert (bid.state, bid.ended_at, need.revision, need.amount) == (BidState.VOIDED, later, 2, 6 * MILLION)
    differences = [
        {"field": "amount", "before": 5 * MILLION, "after": 6 * MILLION},
        {"field": "months", "before": 12, "after": 18},
    ]
    assert bid.reason == {"code": "need_changed", "revision": 2, "differences": differences}
    (change,) = need_changes.list_changes(need.id)
    assert (change.differences, change.voided_count) == (differences, 1)
    entry = audit.list_entries("needs", need.id)[-1]
    assert (entry.action, entry.details["others"]) == ("need.change", ["description"])
    # The log says what changed, never how many bids there were to void.
    assert "voided" not in str(entry.details)
    opening.open_bids(need.id, by=clock(firm.zone_id), now=now + timedelta(days=4), sealer=sealer)
    assert read(bid.id).opened_at is None
    assert db.session.get_one(Need, need.id).reason == "no_bids"


@pytest.mark.parametrize(
    "values",
    [
        {"purpose": Purpose.EQUIPMENT},
        {"repayment": Repayment.BULLET},
        {"securities": [Security.UNSECURED, Security.EQUIPMENT]},
        {"accepts": [OfferKind.LOAN, OfferKind.LEASE]},
        {"syndicated": True, "joins_matching": True},
        {"bid_policy": BidPolicy.ANONYMOUS},
        {"round_count": 2},
        {"round_hours": 48},
        {"minimum_bids": 1},
        {"few_bids": FewBids.FAIL},
        {"joins_matching": True},
    ],
)
def test_whatever_bears_on_a_bid_is_a_difference(app: Flask, now: datetime, values: dict[str, Any]) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, joins_matching=False)
    planned = need_changes.plan(need.id, replace(USUAL, **values), by=firm, now=now)
    assert [one["field"] for one in planned.differences] == list(values)
    assert planned.others == () and not planned.shuts_out


def test_words_and_the_firms_own_secrets_leave_bids_alone(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now, joins_matching=False)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    closes_at = need.closes_at
    assert need_changes.plan(need.id, USUAL, by=firm, now=now).is_empty
    before = len(audit.list_entries("needs", need.id))
    need_changes.change(need.id, USUAL, by=firm, now=now)
    assert len(audit.list_entries("needs", need.id)) == before
    wanted = replace(USUAL, description="新的话", shows_name=True, reserve_rate=Decimal("0.05"))
    need = need_changes.change(need.id, wanted, by=firm, now=closes_at - timedelta(minutes=1))
    assert (need.description, need.shows_name, need.reserve_rate) == ("新的话", True, Decimal("0.05"))
    assert (need.revision, need.closes_at, read(bid.id).state) == (1, closes_at, BidState.SEALED)
    assert db.session.scalars(select(NeedChange)).all() == []


def test_an_hour_is_left_to_bid_and_the_running_round_moves_along(app: Flask, now: datetime) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, joins_matching=False, round_count=2)
    late = now + timedelta(days=3) - timedelta(seconds=1)
    wanted = replace(USUAL, round_count=2, months=24)
    need = need_changes.change(need.id, wanted, by=firm, now=late)
    (held,) = db.session.scalars(select(BidRound).where(BidRound.need_id == need.id))
    assert need.closes_at == held.closes_at == late + needs.BIDDING_LEAST


def test_a_change_comes_before_the_close_from_the_firm_and_on_what_it_saw(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, stranger = make_party(now=now), make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now, joins_matching=False, round_count=2)
    draft = make_need(firm, now=now, closes_in=None)
    wanted = replace(USUAL, months=24, round_count=2)
    over = now + timedelta(days=3)
    cases: list[tuple[Code, dict[str, Any]]] = [
        (Code.TOO_LATE, {"now": over}),
        (Code.NOT_FOUND, {"by": stranger}),
        (Code.NOT_ALLOWED, {"by": bank}),
        (Code.STALE, {"revision": 2}),
    ]
    for code, values in cases:
        with refuses(code):
            need_changes.change(need.id, wanted, **{"by": firm, "now": now, **values})
    with refuses(Code.ILLEGAL_MOVE):
        need_changes.change(draft.id, wanted, by=firm, now=now)
    with refuses(Code.NOT_FOUND):
        need_changes.plan(need.id, wanted, by=replace(stranger), now=now)
    opening.open_bids(need.id, by=clock(firm.zone_id), now=over, sealer=sealer)
    with refuses(Code.TOO_SMALL, "round_count"):
        need_changes.change(need.id, replace(USUAL, round_count=1), by=firm, now=over)
    opening.open_bids(need.id, by=clock(firm.zone_id), now=over + timedelta(days=1), sealer=sealer)
    with refuses(Code.ILLEGAL_MOVE):
        need_changes.change(need.id, wanted, by=firm, now=over + timedelta(days=1))


def test_who_is_shut_out_loses_its_bid_and_learns_nothing_more(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    stays, leaves = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    need = make_need(firm, now=now, joins_matching=False)
    kept, lost = (
        place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer) for bank in (stays, leaves)
    )
    shut = replace(USUAL, visibility=Visibility.EXCEPT, audience=[leaves.organisation_id])
    planned = need_changes.plan(need.id, shut, by=firm, now=now)
    assert planned.shuts_out and planned.differences == ()
    need = need_changes.change(need.id, shut, by=firm, now=now)
    assert (need.revision, read(kept.id).state) == (1, BidState.SEALED)
    lost = read(lost.id)
    assert (lost.state, lost.reason) == (BidState.VOIDED, {"code": "shut_out"})
    assert need_changes.find_chance(lost, by=leaves, now=now, sealer=sealer) is None
    with refuses(Code.ILLEGAL_MOVE):
        need_changes.reconfirm(lost.id, 1, by=leaves, now=now, sealer=sealer)
    # Both at once: who stays is told the difference, who leaves is not.
    both = replace(USUAL, months=18, visibility=Visibility.CHOSEN, audience=[leaves.organisation_id])
    need_changes.change(need.id, both, by=firm, now=now)
    assert read(kept.id).reason == {"code": "shut_out"}


def test_a_bidder_confirms_on_the_need_that_it_saw(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    other = make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now, joins_matching=False)
    product = make_product(bank, now=now)
    bid = place_bid(
        need, product, bank, now=now, sealer=sealer, declared_rate=Decimal("0.0407"), is_firm=False
    )
    with refuses(Code.ILLEGAL_MOVE):
        need_changes.reconfirm(bid.id, 1, by=bank, now=now, sealer=sealer)
    for content in (replace(USUAL, months=18), replace(USUAL, securities=[Security.EQUIPMENT])):
        need_changes.change(need.id, content, by=firm, now=now)
    bid = read(bid.id)
    chance = need_changes.find_chance(bid, by=bank, now=now, sealer=sealer)
    # The tenor was changed and changed back: what is left is the security.
    assert chance is not None and chance.fits
    assert [one["field"] for one in chance.differences] == ["securities"]
    with refuses(Code.STALE):
        need_changes.reconfirm(bid.id, 2, by=bank, now=now, sealer=sealer)
    with refuses(Code.NOT_FOUND):
        need_changes.reconfirm(bid.id, 3, by=other, now=now, sealer=sealer)
    again = need_changes.reconfirm(bid.id, 3, by=bank, now=now, sealer=sealer)
    assert (again.state, again.revision, again.receipt_number) == (BidState.SEALED, 3, 2)
    old, new = (bids.read_own(number, by=bank, sealer=sealer)[1] for number in (bid.id, again.id))
    assert {name for name in old if old[name] != new[name]} == {"revision", "valid_until"}
    # The same moment, written in another time zone.
    assert again.valid_until == bid.valid_until
    with refuses(Code.ALREADY_EXISTS):
        need_changes.reconfirm(bid.id, 3, by=bank, now=now, sealer=sealer)
    opening.open_bids(need.id, by=clock(firm.zone_id), now=now + timedelta(days=4), sealer=sealer)
    assert (read(again.id).state, read(again.id).rank) == (BidState.LIVE, 1)


def test_a_bid_that_no_longer_holds_long_enough_is_confirmed_for_longer(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now, joins_matching=False)
    product, least = make_product(bank, now=now), bids.earliest_validity(need)
    bid = place_bid(need, product, bank, now=now, sealer=sealer, valid_until=least)
    need_changes.change(need.id, replace(USUAL, round_count=3, round_hours=72), by=firm, now=now)
    with refuses(Code.OUT_OF_ORDER, "valid_until"):
        need_changes.reconfirm(bid.id, 2, by=bank, now=now, sealer=sealer)
    chance = need_changes.find_chance(read(bid.id), by=bank, now=now, sealer=sealer)
    assert chance is not None and chance.valid_until > least
    again = need_changes.reconfirm(bid.id, 2, by=bank, now=now, sealer=sealer, valid_until=chance.valid_until)
    assert again.valid_until == chance.valid_until


def test_a_bid_written_on_a_need_that_changed_meanwhile_is_stale(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need, product = make_need(firm, now=now, joins_matching=False), make_product(bank, now=now)
    need_changes.change(need.id, replace(USUAL, months=18), by=firm, now=now)
    with refuses(Code.STALE):
        place_bid(need, product, bank, now=now, sealer=sealer, revision=1)
    assert place_bid(need, product, bank, now=now, sealer=sealer, revision=2).revision == 2


def test_a_withdrawn_need_ends_every_bid_that_waits_or_stands(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    posted = make_need(firm, now=now, bid_policy=BidPolicy.ANONYMOUS)
    bid = place_bid(posted, make_product(bank, now=now), bank, now=now, sealer=sealer)
    needs.withdraw(posted.id, by=firm, now=now)
    assert (read(bid.id).state, read(bid.id).ended_at) == (BidState.WITHDRAWN, now)
    need = make_need(firm, now=now)
    rates = ("0.02", "0.05", "0.051")
    placed = [
        place_bid(
            need,
            make_product(owner, now=now),
            owner,
            now=now,
            sealer=sealer,
            rate=Decimal(rate),
        )
        for rate in rates
        for owner in [make_party(OrganisationKind.BANK, now=now)]
    ]
    late = now + timedelta(days=4)
    opening.open_bids(need.id, by=clock(firm.zone_id), now=late, sealer=sealer)
    assert read(placed[0].id).state is BidState.HELD
    needs.withdraw(need.id, by=firm, now=late)
    assert {(read(one.id).state, read(one.id).ended_at) for one in placed} == {(BidState.LOST, late)}
    assert db.session.get_one(Need, need.id).state is NeedState.WITHDRAWN
