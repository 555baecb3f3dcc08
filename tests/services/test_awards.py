"""Acceptances: by whom, until when, with whom; and nothing of one that is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.errors import Code
from market.party import Party
from market.vocabulary import (
    AwardState,
    BidState,
    Capability,
    LimitScope,
    NeedState,
    OrganisationKind,
    ProposalState,
    Repayment,
)
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from models.organisation import Organisation
from services import audit, awards, bids, limit_settings, needs, opening, organisations, rounds
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services.conftest import Refusing

LATER = timedelta(days=3, seconds=1)
MAKER, APPROVER = Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER


def make_closed(
    firm: Party, now: datetime, sealer: Sealer, count: int = 1, **values: object
) -> tuple[Need, list[Bid]]:
    """Return a need whose bidding is over three days later, with one bid each of ``count`` banks."""
    need = make_need(firm, now=now)
    placed = []
    for _ in range(count):
        bank = make_party(OrganisationKind.BANK, now=now)
        placed.append(place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer, **values))
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    return db.session.get_one(Need, need.id), placed


def test_nobody_but_the_firm_accepts(app: Flask, now: datetime, sealer: Sealer, refuses: Refusing) -> None:
    firm = make_party(now=now)
    need, (bid,) = make_closed(firm, now, sealer)
    own = db.session.get_one(Organisation, firm.organisation_id)
    bank = db.session.get_one(Organisation, bid.organisation_id)
    elsewhere = make_zone(now=now).id
    organisations.join(own.id, elsewhere, now=now)
    for stranger, code in (
        (make_party(now=now), Code.NOT_FOUND),
        (make_party(now=now, organisation=own, zone_id=elsewhere), Code.NOT_FOUND),
        (make_party(now=now, organisation=own, capabilities=[]), Code.NOT_ALLOWED),
        (make_party(now=now, organisation=bank), Code.NOT_ALLOWED),
        (make_officer(now=now), Code.NOT_ALLOWED),
    ):
        with refuses(code):
            awards.accept(need.id, bid.id, bid.receipt_hash, by=stranger, now=now + LATER)


def test_an_offer_is_taken_until_the_last_second_of_the_window(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need, (bid,) = make_closed(firm, now, sealer)
    end = need.accept_until
    # Opened on Monday the 23rd: three working days end on Thursday, Shanghai time.
    assert end == datetime.fromisoformat("2026-11-26T23:59:59+08:00")
    with refuses(Code.TOO_LATE):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=end + timedelta(seconds=1))
    assert opening.list_lapsed(firm.zone_id, end) == []
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=end)
    assert db.session.get_one(Need, need.id).state is NeedState.AWARDED


def test_only_a_bid_that_stands_and_holds_is_accepted(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    open_need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    sealed = place_bid(open_need, product, bank, now=now, sealer=sealer)
    # Before the opening even the firm that knows a receipt cannot take it.
    with refuses(Code.ILLEGAL_MOVE):
        awards.accept(open_need.id, sealed.id, sealed.receipt_hash, by=firm, now=now)
    least = bids.earliest_validity(make_need(firm, now=now, closes_in=timedelta(days=3)))
    need, (bid, other) = make_closed(firm, now, sealer, 2, valid_until=least)
    later = now + LATER
    with refuses(Code.STALE, "shown_hash"):
        awards.accept(need.id, bid.id, other.receipt_hash, by=firm, now=later)
    with refuses(Code.NOT_FOUND):
        awards.accept(need.id, sealed.id, sealed.receipt_hash, by=firm, now=later)
    with transaction() as session:
        session.get_one(Need, need.id).accept_until = least + timedelta(days=1)
    with refuses(Code.BID_EXPIRED, "bid_id"):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=least + timedelta(seconds=1))
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=least)
    with refuses(Code.ILLEGAL_MOVE):
        awards.accept(need.id, other.id, other.receipt_hash, by=firm, now=least)


def test_an_acceptance_above_the_limit_leaves_everything_as_it_was(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    need = make_need(firm, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 50 * MILLION, by=bank, now=now)
    # The total would carry it, the firm's own share does not: neither is touched.
    limit_settings.set_limit(
        bank.organisation_id, LimitScope.FIRM, MILLION, by=bank, now=now, firm_id=firm.organisation_id
    )
    with refuses(Code.LIMIT_EXCEEDED):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)


def test_two_people_accept_turn_down_and_take_back(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    both = make_party(now=now, dual_control=True)
    firm = db.session.get_one(Organisation, both.organisation_id)
    maker = make_party(now=now, organisation=firm, capabilities=[MAKER])
    approver = make_party(now=now, organisation=firm, capabilities=[APPROVER])
    need, (one, two) = make_closed(both, now, sealer, 2)
    later = now + LATER
    award = awards.accept(need.id, one.id, one.receipt_hash, by=maker, now=later)
    assert (award.state, award.two_people) == (AwardState.AWAITING_CONFIRMATION, True)
    with refuses(Code.ALREADY_EXISTS):
        awards.accept(need.id, two.id, two.receipt_hash, by=approver, now=later)
    with refuses(Code.NOT_ALLOWED):
        awards.confirm(award.id, by=maker, now=later)
    stranger, second_maker = (
        make_party(now=now),
        make_party(now=now, organisation=firm, capabilities=[MAKER]),
    )
    with refuses(Code.NOT_FOUND):
        awards.confirm(award.id, by=stranger, now=later)
    with refuses(Code.NOT_FOUND):
        awards.reject(award.id, by=stranger, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        needs.withdraw(need.id, by=maker, now=later)
    # A maker may take back its own acceptance, not another's.
    with refuses(Code.NOT_ALLOWED):
        awards.reject(award.id, by=second_maker, now=later)
    awards.reject(award.id, by=maker, now=later)
    for verb in (awards.confirm, awards.reject):
        with refuses(Code.ILLEGAL_MOVE):
            verb(award.id, by=approver, now=later)
    again = awards.accept(need.id, two.id, two.receipt_hash, by=both, now=later)
    with refuses(Code.SAME_PERSON):
        awards.confirm(again.id, by=both, now=later)
    awards.confirm(again.id, by=approver, now=later)
    assert [entry.action for entry in audit.list_entries("awards", again.id)] == [
        "award.accept",
        "award.settle",
    ]
    assert db.session.get_one(Bid, two.id).state is BidState.WON
    assert db.session.get_one(Award, again.id).confirmed_by == approver.user_id


def test_a_lone_maker_cannot_do_away_with_the_second_person(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    both = make_party(now=now, dual_control=True)
    firm = db.session.get_one(Organisation, both.organisation_id)
    maker = make_party(now=now, organisation=firm, capabilities=[MAKER])
    with refuses(Code.NOT_ALLOWED):
        organisations.update_profile({"dual_control": False}, by=maker, now=now)
    organisations.update_profile({"dual_control": True, "staff_count": 12}, by=maker, now=now)
    organisations.update_profile({"dual_control": False}, by=both, now=now)
    assert db.session.get_one(Organisation, firm.id).dual_control is False


def test_a_withdrawn_or_awarded_need_leaves_no_proposal_standing(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    taken, gone = (make_closed(firm, now, sealer)[0] for _ in range(2))
    run_due(firm.zone_id, now=later, sealer=sealer)
    proposals = [rounds.find_proposal(need.id) for need in (taken, gone)]
    assert [p.state for p in proposals if p is not None] == [ProposalState.PROPOSED] * 2
    needs.withdraw(gone.id, by=firm, now=later)
    (offer,) = bids.list_offers(taken.id, by=firm)
    awards.accept(taken.id, offer.id, offer.receipt_hash, by=firm, now=later)
    proposals = [rounds.find_proposal(need.id) for need in (taken, gone)]
    assert [p.state for p in proposals if p is not None] == [ProposalState.ACCEPTED, ProposalState.LAPSED]


@pytest.mark.parametrize("style", list(Repayment))
def test_every_style_of_repayment_lays_out_its_whole_principal(
    app: Flask, now: datetime, sealer: Sealer, style: Repayment
) -> None:
    firm = make_party(now=now)
    need, (bid,) = make_closed(firm, now, sealer, repayment=style, rate=Decimal("0.0435"))
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)
    (loan,) = awards.list_deals(firm)
    assert sum(line.principal for line in loan.instalments) == loan.principal == 5 * MILLION
    assert loan.outstanding == 0 and all(line.due_on is None for line in loan.instalments)
