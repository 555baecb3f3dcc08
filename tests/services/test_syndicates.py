"""Syndicated needs: bids taken in part, a round that splits a need, and all parts accepted or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from flask import Flask
from sqlalchemy import func, select

from market.bidding_vocabulary import DeclineReason
from market.errors import Code
from market.party import Party
from market.terms import Fee
from market.vocabulary import (
    AwardState,
    BidState,
    Capability,
    FeeTiming,
    LimitScope,
    NeedState,
    OrganisationKind,
    ProposalState,
    Purpose,
)
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Guarantee, Loan
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from models.round import Proposal
from services import (
    awards,
    bid_content,
    bids,
    comparisons,
    desk,
    need_changes,
    need_drafts,
    needs,
    opening,
    outcomes,
    review_records,
    reviews,
    rounds,
    syndicates,
)
from services.clock import run_due
from services.limit_settings import set_limit
from services.sealing import Sealer
from services.syndicates import Shown
from tests.databases import URL
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, place_bid
from tests.services import racing
from tests.services.conftest import Refusing
from tests.services.test_guarantees import make_guarantor
from tests.services.test_path import make_contract_path

LATER = timedelta(days=3, seconds=1)
TEN = 10 * MILLION


@dataclass(frozen=True)
class Split:
    """A need of ten million that a round split over two banks, with a third bank's bid left out."""

    firm: Party
    banks: list[Party]
    need: Need
    bids: list[Bid]
    parts: list[Shown]
    later: datetime


def make_bank(now: datetime, room: int | None = None) -> tuple[Party, Product]:
    bank = make_party(OrganisationKind.BANK, now=now)
    if room is not None:
        set_limit(own(bank), LimitScope.TOTAL, room, by=bank, now=now)
    return bank, make_product(bank, now=now)


def own(party: Party) -> int:
    assert party.organisation_id is not None
    return party.organisation_id


def make_split(now: datetime, sealer: Sealer, firm: Party | None = None, **quote: object) -> Split:
    """4 % of a bank with six million left, 4.2 % of one with five, 5 % of one that has no limit."""
    firm = firm or make_party(now=now)
    need = make_need(firm, now=now, amount=TEN, syndicated=True)
    banks, placed = [], []
    for rate, room in (("0.04", 6 * MILLION), ("0.042", 5 * MILLION), ("0.05", None)):
        bank, product = make_bank(now, room)
        banks.append(bank)
        values = {"rate": Decimal(rate), "least": 2 * MILLION, **quote}
        placed.append(place_bid(need, product, bank, now=now, sealer=sealer, **values))
    later = now + LATER
    run_due(firm.zone_id, now=later, sealer=sealer)
    parts = show(need.id)
    assert [part.amount for part in parts] == [6 * MILLION, 4 * MILLION]
    return Split(firm, banks, need, placed, parts, later)


def show(need_id: int) -> list[Shown]:
    found = [row for row in syndicates.find(need_id) if row.bid is not None]
    parts = [Shown(row.bid_id or 0, row.bid.receipt_hash, row.amount or 0) for row in found if row.bid]
    return sorted(parts, key=lambda part: -part.amount)


def read_used(bank: Party) -> int:
    return db.session.scalars(select(Limit.used).where(Limit.organisation_id == own(bank))).one()


def count_waiting(firm: Party, now: datetime) -> tuple[int, int]:
    return awards.count_waiting(firm), len(desk.read(by=firm, now=now).waiting)


def test_a_round_splits_a_need_and_all_its_parts_are_accepted_together(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    split = make_split(now, sealer)
    comparison = comparisons.compare(split.need.id, by=split.firm)
    assert comparison.may_accept_syndicate(split.later)
    planned = syndicates.price(split.need, comparison.syndicate)
    assert (planned.amount, planned.missing) == (TEN, 0)
    assert [planned.share(part) for part in planned.parts] == [Decimal("0.6"), Decimal("0.4")]
    low, high = (part.cost.effective or Decimal() for part in planned.parts)
    assert planned.effective == round(low * Decimal("0.6") + high * Decimal("0.4"), 8)
    made = syndicates.accept(split.need.id, split.parts, by=split.firm, now=split.later)
    assert [(award.state, award.syndicated, award.amount) for award in made] == [
        (AwardState.CONFIRMED, True, 6 * MILLION),
        (AwardState.CONFIRMED, True, 4 * MILLION),
    ]
    assert db.session.get_one(Need, split.need.id).state is NeedState.AWARDED
    states = [bid.state for bid in db.session.scalars(select(Bid).order_by(Bid.receipt_number))]
    assert states == [BidState.WON, BidState.WON, BidState.LOST]
    assert [read_used(bank) for bank in split.banks[:2]] == [6 * MILLION, 4 * MILLION]
    assert {row.state for row in db.session.scalars(select(Proposal))} == {ProposalState.ACCEPTED}
    # Whoever lost learns the dearest of those that won, as its own page and the figures around it say.
    (lost,) = outcomes.list_own(split.banks[2], sealer=sealer)
    assert lost.winning == split.bids[1].effective and lost.why is not None
    assert (lost.why["winning"], lost.why["winning_rank"]) == (str(split.bids[1].effective), 2)
    comparison = comparisons.compare(split.need.id, by=split.firm)
    assert not comparison.may_accept_syndicate(split.later)


def test_each_part_is_a_loan_with_a_cost_and_a_schedule_of_its_own(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    flat = Fee("arrangement", FeeTiming.UPFRONT, "lender", amount=5_000_000)
    split = make_split(now, sealer, fees=(flat,))
    syndicates.accept(split.need.id, split.parts, by=split.firm, now=split.later)
    for loan, part in zip(db.session.scalars(select(Loan).order_by(Loan.id)), split.parts, strict=True):
        assert (loan.principal, loan.award.bid_id) == (part.amount, part.bid_id)
        assert sum(line.principal for line in loan.instalments) == part.amount
        _, priced = bid_content.price_part(loan.award.bid, part.amount)
        # The flat fee weighs more on a part than on the whole.
        assert priced.effective is not None and loan.award.bid.effective is not None
        assert loan.award.bid.effective < loan.effective == round(priced.effective, 8)


def test_one_lender_that_is_full_meanwhile_stops_all_of_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    split = make_split(now, sealer)
    other = make_need(make_party(now=now), now=now)
    product = db.session.scalars(select(Product).where(Product.organisation_id == own(split.banks[1]))).one()
    bid = place_bid(other, product, split.banks[1], now=now, sealer=sealer)
    firm = make_party(now=now, organisation=db.session.get_one(Organisation, other.organisation_id))
    opening.open_bids(other.id, by=firm, now=split.later, sealer=sealer)
    awards.accept(other.id, bid.id, bid.receipt_hash, by=firm, now=split.later)
    with refuses(Code.LIMIT_EXCEEDED):
        syndicates.accept(split.need.id, split.parts, by=split.firm, now=split.later)
    # The next round looks anew: what is left comes from the third bank.
    rounds.run_now(split.firm.zone_id, by=make_officer(now=now), now=split.later + timedelta(minutes=1))
    assert {(p.bid_id, p.amount) for p in show(split.need.id)} == {
        (split.bids[0].id, 6 * MILLION),
        (split.bids[2].id, 4 * MILLION),
    }
    with refuses(Code.STALE, "parts"):
        syndicates.accept(split.need.id, split.parts, by=split.firm, now=split.later)


def test_only_the_syndicate_that_was_shown_is_accepted(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    split = make_split(now, sealer)
    first, second = split.parts
    accept = partial(syndicates.accept, split.need.id, by=split.firm, now=split.later)
    for parts, code, field in (
        ([], Code.REQUIRED, "parts"),
        ([first], Code.STALE, "parts"),
        ([first, first], Code.STALE, "parts"),
        ([first, second._replace(amount=second.amount - 1)], Code.STALE, "parts"),
        ([first, second._replace(shown_hash="0" * 64)], Code.STALE, "shown_hash"),
    ):
        with refuses(code, field):
            accept(parts)
    stranger = make_party(now=now)
    with refuses(Code.NOT_FOUND):
        syndicates.accept(split.need.id, split.parts, by=stranger, now=split.later)
    with refuses(Code.NOT_ALLOWED):
        syndicates.accept(split.need.id, split.parts, by=split.banks[0], now=split.later)
    # One bid for the whole is as good an answer: then what the round proposed is over.
    whole = split.bids[2]
    award = awards.accept(split.need.id, whole.id, whole.receipt_hash, by=split.firm, now=split.later)
    assert (award.syndicated, award.amount) == (False, None)
    assert syndicates.find(split.need.id) == []
    assert db.session.get_one(Bid, split.bids[0].id).state is BidState.LOST


def test_two_people_confirm_or_turn_down_all_parts_at_once(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    both = make_party(now=now, dual_control=True)
    firm = db.session.get_one(Organisation, both.organisation_id)
    maker = make_party(now=now, organisation=firm, capabilities=[Capability.ENTERPRISE_MAKER])
    split = make_split(now, sealer, both)
    first, second = syndicates.accept(split.need.id, split.parts, by=maker, now=split.later)
    assert {first.state, second.state} == {AwardState.AWAITING_CONFIRMATION}
    assert [read_used(bank) for bank in split.banks[:2]] == [0, 0]
    assert count_waiting(both, split.later) == (1, 1)
    with refuses(Code.ALREADY_EXISTS):
        syndicates.accept(split.need.id, split.parts, by=both, now=split.later)
    awards.reject(second.id, by=maker, now=split.later)
    assert {award.state for award in db.session.scalars(select(Award))} == {AwardState.REJECTED}
    # The proposal stands as long as the firm has its time.
    again = syndicates.accept(split.need.id, split.parts, by=both, now=split.later)
    with refuses(Code.SAME_PERSON):
        awards.confirm(again[0].id, by=both, now=split.later)
    other = make_party(now=now, organisation=firm)
    awards.confirm(again[1].id, by=other, now=split.later)
    for award in again:
        stored = db.session.get_one(Award, award.id)
        assert (stored.state, stored.confirmed_by) == (AwardState.CONFIRMED, other.user_id)
    assert [read_used(bank) for bank in split.banks[:2]] == [6 * MILLION, 4 * MILLION]
    assert count_waiting(both, split.later) == (0, 0)


def test_a_part_that_is_declined_ends_alone_and_the_last_one_gives_the_need_back(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    split = make_split(now, sealer, is_firm=False)
    made = syndicates.accept(split.need.id, split.parts, by=split.firm, now=split.later)
    approvers = [
        make_party(now=now, organisation=db.session.get_one(Organisation, own(bank))) for bank in split.banks
    ]

    def decline(place: int) -> None:
        review = review_records.find_for_bid(split.parts[place].bid_id)
        assert review is not None
        reviews.decline(review.id, DeclineReason.POLICY, by=approvers[place], now=split.later, sealer=sealer)

    decline(1)
    db.session.expire_all()
    assert [read_used(bank) for bank in split.banks[:2]] == [6 * MILLION, 0]
    assert db.session.get_one(Need, split.need.id).state is NeedState.AWARDED
    accepted = syndicates.find_accepted(db.session.get_one(Award, made[0].id))
    assert accepted is not None
    assert [part.ended for part in accepted.parts] == [False, True]
    assert (accepted.amount, accepted.missing) == (6 * MILLION, 4 * MILLION)
    assert accepted.effective == round(accepted.parts[0].cost.effective or Decimal(), 8)
    assert db.session.get_one(Bid, split.bids[2].id).state is BidState.LOST
    decline(0)
    db.session.expire_all()
    assert read_used(split.banks[0]) == 0
    assert db.session.get_one(Need, split.need.id).state is NeedState.CLOSED
    assert db.session.get_one(Bid, split.bids[2].id).state is BidState.LIVE
    assert syndicates.find(split.need.id) == []


def test_acceptances_of_one_syndicate_at_the_same_moment_count_once(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    split = make_split(now, sealer)
    whole = split.bids[2]
    deeds: list[racing.Deed] = [
        partial(syndicates.accept, split.need.id, split.parts, by=split.firm, now=split.later)
        for _ in range(4)
    ]
    deeds.append(
        partial(awards.accept, split.need.id, whole.id, whole.receipt_hash, by=split.firm, now=split.later)
    )
    db.session.rollback()
    outcomes_found = sorted(racing.run(app.config[URL], deeds))
    db.session.expire_all()
    assert outcomes_found == ["done", *["illegal_move"] * 4]
    principal = db.session.scalar(select(func.sum(Loan.principal)))
    assert principal == TEN
    used = sum(read_used(bank) for bank in split.banks[:2])
    assert used == (0 if db.session.get_one(Bid, whole.id).state is BidState.WON else TEN)


def test_where_limits_end_a_round_proposes_what_there_is_and_says_what_is_missing(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, amount=TEN, syndicated=True)
    bank, product = make_bank(now, 3 * MILLION)
    place_bid(need, product, bank, now=now, sealer=sealer, least=2 * MILLION)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    (row,) = comparisons.compare(need.id, by=firm).syndicate
    assert (row.amount, row.why["code"], row.why["missing"]) == (3 * MILLION, "shared", 7 * MILLION)
    assert syndicates.price(need, [row]).missing == 7 * MILLION
    (award,) = syndicates.accept(need.id, show(need.id), by=firm, now=now + LATER)
    assert (award.syndicated, award.amount, read_used(bank)) == (True, 3 * MILLION, 3 * MILLION)


def test_the_guarantor_stands_behind_the_part_alone(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, (_, cover) = make_party(now=now), make_guarantor(now)
    need = make_need(firm, now=now, amount=TEN, syndicated=True)
    bank, product = make_bank(now, 4 * MILLION)
    backed = {"guarantee_product_id": cover.id, "guarantee_share": Decimal("0.8")}
    place_bid(need, product, bank, now=now, sealer=sealer, least=2 * MILLION, **backed)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    syndicates.accept(need.id, show(need.id), by=firm, now=now + LATER)
    stored = db.session.scalars(select(Guarantee)).one()
    assert stored.amount == 4 * MILLION * 8 // 10


def test_a_bid_that_may_be_taken_in_part_asks_for_its_smallest_part(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, amount=TEN, syndicated=True)
    bank, product = make_bank(now, 3 * MILLION)
    place = partial(place_bid, need, product, bank, now=now, sealer=sealer)
    with refuses(Code.LIMIT_EXCEEDED, "principal"):
        place()
    with refuses(Code.LIMIT_EXCEEDED, "least"):
        place(least=3 * MILLION + 1)
    for least, code in (
        (MILLION - 1, Code.TOO_SMALL),
        (TEN + 1, Code.TOO_LARGE),
    ):
        with refuses(code, "least"):
            place(least=least)
    for principal, code in ((TEN - 1, Code.TOO_SMALL), (TEN + 1, Code.TOO_LARGE)):
        with refuses(code, "principal"):
            place(principal=principal, least=2 * MILLION)
    bid = place(least=2 * MILLION)
    _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
    assert content["least"] == "2000000.00" and bid.least is None
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    assert db.session.get_one(Bid, bid.id).least == 2 * MILLION


def test_a_smallest_part_belongs_to_needs_that_may_be_shared(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, amount=TEN)
    bank, product = make_bank(now)
    with refuses(Code.UNKNOWN_FIELD, "least"):
        place_bid(need, product, bank, now=now, sealer=sealer, least=2 * MILLION)


def test_a_bid_is_confirmed_whole_where_the_need_is_not_shared_any_more(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, amount=TEN, syndicated=True)
    bank, product = make_bank(now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer, least=2 * MILLION)
    draft = need_drafts.Draft(
        purpose=Purpose.WORKING_CAPITAL, amount=TEN, months=12, description="测试融资需求"
    )
    need_changes.change(need.id, draft, by=firm, now=now)
    revision = db.session.get_one(Need, need.id).revision
    again = need_changes.reconfirm(bid.id, revision, by=bank, now=now, sealer=sealer)
    _, content, _ = bids.read_own(again.id, by=bank, sealer=sealer)
    assert content["least"] is None and again.syndicated is False


def test_a_contract_is_never_shared(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    draft = need_drafts.Draft(
        purpose=Purpose.CONTRACT, amount=MILLION, months=6, contract_id=contract.id, syndicated=True
    )
    with refuses(Code.ONE_LENDER, "syndicated"):
        needs.draft(draft, by=firm, now=now)


def test_a_need_to_be_shared_takes_part_in_rounds(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm = make_party(now=now)
    with refuses(Code.REQUIRED, "joins_matching"):
        make_need(firm, now=now, syndicated=True, joins_matching=False)
