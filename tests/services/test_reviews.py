"""Bids subject to approval: documents, a clock that waits for the firm, a second person's yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from market.bidding_vocabulary import DeclineReason, ReviewOutcome
from market.diligence import DeclineRate
from market.errors import Code
from market.party import Party, clock
from market.vocabulary import (
    AlertKind,
    AwardState,
    BidState,
    Capability,
    ContractStage,
    LimitScope,
    LoanState,
    NeedState,
    OrganisationKind,
    ProductFamily,
    Purpose,
)
from models.alert import Alert
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.financing import Financing
from models.loan import Loan
from models.need import Need
from models.organisation import Limit, Organisation
from models.review import Review
from services import (
    admissions,
    audit,
    awards,
    board,
    board_rows,
    limit_settings,
    loans,
    opening,
    outcomes,
    review_records,
    reviews,
    rivals,
)
from services.clock import run_due
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, pay_out, place_bid
from tests.services import racing
from tests.services.conftest import Refusing
from tests.services.test_path import make_contract_path

LATER = timedelta(days=3, seconds=1)
LONG = timedelta(days=60)


@dataclass(frozen=True)
class Deal:
    """An award of the cheapest of two bids, which is subject to approval: its review, and who is who."""

    firm: Party
    bidder: Party
    approver: Party
    other: Party
    need: Need
    bid: Bid
    rival: Bid
    review: Review
    awarded_at: datetime


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+08:00")


def make_bank(now: datetime) -> tuple[Party, Party]:
    """Return the bidder and the approver of a new bank."""
    bidder = make_party(OrganisationKind.BANK, [Capability.INSTITUTION_BIDDER], now=now)
    bank = db.session.get_one(Organisation, bidder.organisation_id)
    return bidder, make_party(organisation=bank, now=now)


def make_deal(now: datetime, sealer: Sealer, *, rival_holds: timedelta = LONG) -> Deal:
    """Take a need to an award under review on Monday, 23 November; a second bank bid 5 %."""
    firm, (bidder, approver), other = (
        make_party(now=now),
        make_bank(now),
        make_party(OrganisationKind.BANK, now=now),
    )
    need = make_need(firm, now=now)
    product = make_product(approver, now=now)
    bid = place_bid(need, product, bidder, now=now, sealer=sealer, is_firm=False, valid_until=now + LONG)
    rival = place_bid(
        need,
        make_product(other, now=now),
        other,
        now=now,
        sealer=sealer,
        rate=Decimal("0.05"),
        valid_until=now + rival_holds,
    )
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)
    review = db.session.scalars(select(Review)).one()
    return Deal(firm, bidder, approver, other, need, bid, rival, review, now + LATER)


def read_states(deal: Deal) -> tuple[NeedState, BidState, BidState, LoanState]:
    db.session.expire_all()
    return (
        db.session.get_one(Need, deal.need.id).state,
        db.session.get_one(Bid, deal.bid.id).state,
        db.session.get_one(Bid, deal.rival.id).state,
        db.session.get_one(Loan, deal.review.loan_id).state,
    )


def decline(deal: Deal, sealer: Sealer, now: datetime, **changes: object) -> Review:
    values = {"reason": DeclineReason.REPAYMENT_ABILITY, "by": deal.approver, **changes}
    return reviews.decline(deal.review.id, now=now, sealer=sealer, **values)  # type: ignore[arg-type]


def test_a_firm_bid_is_approved_by_its_award(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now)
    bid = place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)
    (loan,) = awards.list_deals(bank)
    assert loan.state is LoanState.APPROVED
    assert review_records.find_for_loan(loan.id) is None


def test_a_bid_subject_to_approval_is_drawn_only_after_the_approval(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    later = deal.awarded_at
    assert read_states(deal) == (NeedState.AWARDED, BidState.WON, BidState.LOST, LoanState.UNDER_REVIEW)
    # Five working days after Monday the 23rd.
    assert deal.review.due_at == at("11-30T23:59") + timedelta(seconds=59)
    with refuses(Code.ILLEGAL_MOVE):
        pay_out(deal.review.loan_id, date(2026, 11, 23), by=deal.approver, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        loans.cancel(deal.review.loan_id, by=deal.approver, now=later)
    tuesday = at("11-24T09:00")
    reviews.approve(deal.review.id, by=deal.approver, now=tuesday)
    loan = db.session.get_one(Loan, deal.review.loan_id)
    assert (loan.state, loan.approved_at) == (LoanState.APPROVED, tuesday)
    with refuses(Code.OUT_OF_ORDER, "drawn_on"):
        pay_out(loan.id, date(2026, 11, 23), by=deal.approver, now=tuesday)
    assert pay_out(loan.id, date(2026, 11, 24), by=deal.bidder, now=tuesday).state is LoanState.DRAWN
    with refuses(Code.ILLEGAL_MOVE):
        decline(deal, sealer, tuesday)
    assert audit.list_entries("reviews", deal.review.id)[-1].action == "review.approve"


def test_an_approver_other_than_the_bidder_decides(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    later = deal.awarded_at
    bank = db.session.get_one(Organisation, deal.bidder.organisation_id)
    # Even one who may approve does not decide on a bid of its own.
    both = Party(deal.bidder.user_id, bank.id, bank.kind, deal.bidder.zone_id, deal.approver.capabilities)
    for stranger, code in (
        (deal.bidder, Code.NOT_ALLOWED),
        (both, Code.SAME_PERSON),
        (deal.firm, Code.NOT_ALLOWED),
        (deal.other, Code.NOT_FOUND),
        (make_officer(now=now), Code.NOT_ALLOWED),
    ):
        with refuses(code):
            reviews.approve(deal.review.id, by=stranger, now=later)
        with refuses(code):
            decline(deal, sealer, later, by=stranger)
        assert not review_records.may_decide(deal.review, stranger)
    assert review_records.may_decide(deal.review, deal.approver)
    with refuses(Code.NOT_A_CHOICE, "reason"):
        decline(deal, sealer, later, reason=DeclineReason.FIRM_WITHDREW)
    with refuses(Code.TOO_LONG, "note"):
        decline(deal, sealer, later, note="x" * 501)


def test_the_clock_stands_while_the_firm_has_not_answered(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    zone_id, due = deal.firm.zone_id, deal.review.due_at
    for stranger, code in ((deal.firm, Code.NOT_ALLOWED), (deal.other, Code.NOT_FOUND)):
        with refuses(code):
            reviews.ask(deal.review.id, "近三年审计报告", by=stranger, now=deal.awarded_at)
    with refuses(Code.REQUIRED, "what"):
        reviews.ask(deal.review.id, " ", by=deal.bidder, now=deal.awarded_at)
    first = reviews.ask(deal.review.id, "近三年审计报告", by=deal.bidder, now=at("11-24T09:00"))
    second = reviews.ask(deal.review.id, "完税证明", by=deal.approver, now=at("11-25T09:00"))
    (open_first, open_second) = review_records.list_open_requests(deal.firm)
    assert (open_first.id, open_second.id) == (first.id, second.id)
    for stranger, code in ((deal.bidder, Code.NOT_ALLOWED), (make_party(now=now), Code.NOT_FOUND)):
        with refuses(code):
            reviews.answer(first.id, "已上传", by=stranger, now=at("11-26T09:00"))
    reviews.answer(first.id, "已上传", by=deal.firm, now=at("11-26T09:00"))
    with refuses(Code.ILLEGAL_MOVE):
        reviews.answer(first.id, "再次", by=deal.firm, now=at("11-26T09:00"))
    # The second still waits, so that nothing moves and nothing is late.
    assert db.session.get_one(Review, deal.review.id).due_at == due
    assert reviews.list_overdue(zone_id, due + timedelta(days=1)) == []
    reviews.answer(second.id, "见附件", by=deal.firm, now=at("12-01T09:00"))
    # From Tuesday to the Tuesday after: five working days, counted once though two questions waited.
    moved = db.session.get_one(Review, deal.review.id).due_at
    assert moved == due + timedelta(days=7)
    assert reviews.list_overdue(zone_id, moved) == []
    assert reviews.list_overdue(zone_id, moved + timedelta(seconds=1)) == [deal.review.id]


def test_a_late_review_is_warned_of_once_and_settled_by_the_decision(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    deal = make_deal(now, sealer)
    late = deal.review.due_at + timedelta(hours=9)
    for ticks in (late, late + timedelta(hours=1)):
        run_due(deal.firm.zone_id, now=ticks, sealer=sealer)
    query = select(Alert).where(Alert.kind == AlertKind.REVIEW_OVERDUE)
    (alert,) = db.session.scalars(query)
    assert (alert.loan_id, alert.raised_at, alert.resolved_at) == (deal.review.loan_id, late, None)
    reviews.approve(deal.review.id, by=deal.approver, now=late + timedelta(hours=2))
    run_due(deal.firm.zone_id, now=late + timedelta(hours=3), sealer=sealer)
    (alert,) = db.session.scalars(query)
    assert alert.resolution == "approved"


def test_a_decline_frees_the_limit_and_offers_the_next_valid_bid(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    deal = make_deal(now, sealer)
    assert deal.approver.organisation_id is not None
    limit_settings.set_limit(
        deal.approver.organisation_id, LimitScope.TOTAL, 5 * MILLION, by=deal.approver, now=deal.awarded_at
    )
    friday = at("11-27T10:00")
    decline(deal, sealer, friday, note="现金流不足")
    assert read_states(deal) == (NeedState.CLOSED, BidState.DECLINED, BidState.LIVE, LoanState.CANCELLED)
    assert [limit.used for limit in db.session.scalars(select(Limit))] == [0]
    review, need = db.session.get_one(Review, deal.review.id), db.session.get_one(Need, deal.need.id)
    assert (review.outcome, review.reason, review.note) == (
        ReviewOutcome.DECLINED,
        DeclineReason.REPAYMENT_ABILITY,
        "现金流不足",
    )
    # A whole acceptance window, from the decline on: Monday, Tuesday, Wednesday.
    assert need.accept_until == at("12-02T23:59") + timedelta(seconds=59)
    rival = db.session.get_one(Bid, deal.rival.id)
    assert (rival.rank, rival.ended_at) == (1, None) and "winning" not in (rival.reason or {})
    award = awards.accept(need.id, rival.id, rival.receipt_hash, by=deal.firm, now=friday)
    assert award.state is AwardState.CONFIRMED
    assert read_states(deal)[:3] == (NeedState.AWARDED, BidState.DECLINED, BidState.WON)
    (own,) = outcomes.list_own(deal.approver, sealer=sealer)
    assert own.winning == rival.effective
    assert own.why == {"code": "declined", "reason": "repayment_ability"}


def test_without_another_valid_bid_a_decline_ends_the_need(app: Flask, now: datetime, sealer: Sealer) -> None:
    deal = make_deal(now, sealer, rival_holds=timedelta(days=7))
    decline(deal, sealer, at("11-27T10:00") + timedelta(hours=1))
    assert read_states(deal)[:3] == (NeedState.UNSUCCESSFUL, BidState.DECLINED, BidState.EXPIRED)
    assert db.session.get_one(Need, deal.need.id).reason == rivals.DECLINED


def test_the_firm_may_give_up_what_its_institution_is_not_bound_to(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    deal = make_deal(now, sealer)
    firm = db.session.get_one(Organisation, deal.firm.organisation_id)
    maker = make_party(now=now, organisation=firm, capabilities=[Capability.ENTERPRISE_MAKER])
    for stranger, code in (
        (maker, Code.NOT_ALLOWED),
        (deal.approver, Code.NOT_ALLOWED),
        (make_party(now=now), Code.NOT_FOUND),
    ):
        with refuses(code):
            reviews.give_up(deal.review.id, by=stranger, now=deal.awarded_at, sealer=sealer)
    reviews.give_up(deal.review.id, by=deal.firm, now=deal.awarded_at, sealer=sealer)
    assert read_states(deal) == (NeedState.CLOSED, BidState.DECLINED, BidState.LIVE, LoanState.CANCELLED)
    # It is not the institution that declined.
    assert review_records.read_decline_rates([deal.approver.organisation_id or 0], deal.firm.zone_id) == {}


def test_the_decline_rate_is_told_from_three_reviews_on(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, (bidder, approver) = make_party(now=now), make_bank(now)
    product, when = make_product(approver, now=now), now
    lender = approver.organisation_id or 0
    for number in range(3):
        need = make_need(firm, now=when)
        bid = place_bid(need, product, bidder, now=when, sealer=sealer, is_firm=False)
        when += LATER
        opening.open_bids(need.id, by=firm, now=when, sealer=sealer)
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=when)
        review = review_records.list_for(approver, waiting=True)[0]
        if number == 1:
            reviews.decline(review.id, DeclineReason.POLICY, by=approver, now=when, sealer=sealer)
            found = review_records.read_decline_rates([lender], firm.zone_id)[lender]
            assert (found.reviewed, found.declined, found.rate) == (2, 1, None)
        else:
            reviews.approve(review.id, by=approver, now=when)
    found = review_records.read_decline_rates([lender], firm.zone_id)[lender]
    assert found.rate == Decimal(1) / 3


def test_a_bid_held_back_at_the_award_is_held_again_after_the_decline(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, (bidder, approver), cheap = (
        make_party(now=now),
        make_bank(now),
        make_party(OrganisationKind.BANK, now=now),
    )
    need = make_need(firm, now=now)
    values = {"valid_until": now + LONG}
    bid = place_bid(
        need, make_product(approver, now=now), bidder, now=now, sealer=sealer, is_firm=False, **values
    )
    low = place_bid(
        need, make_product(cheap, now=now), cheap, now=now, sealer=sealer, rate=Decimal("0.02"), **values
    )
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)
    warned = select(Alert).where(Alert.kind == AlertKind.LOW_BID, Alert.resolved_at.is_(None))
    assert db.session.get_one(Bid, low.id).state is BidState.LOST
    assert list(db.session.scalars(warned)) == []
    (review,) = review_records.list_for(approver)
    friday = at("11-27T10:00")
    reviews.decline(review.id, DeclineReason.OTHER, by=approver, now=friday, sealer=sealer)
    db.session.expire_all()
    held = db.session.get_one(Bid, low.id)
    assert held.state is BidState.HELD and held.justification is not None
    assert held.justification.due_at > friday
    assert [alert.subject for alert in db.session.scalars(warned)] == [f"bid:{low.id}"]
    assert db.session.get_one(Need, need.id).state is NeedState.CLOSED


def test_a_declined_contract_loan_frees_the_contract_for_another_lender(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    organisation = db.session.get_one(Organisation, bank.organisation_id)
    approver = make_party(organisation=organisation, now=now)
    other = make_party(OrganisationKind.BANK, now=now)
    same = {"family": ProductFamily.CONTRACT, "contract_ratio": product.contract_ratio, "months_min": 1}
    need = make_need(
        firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=MILLION, months=6
    )
    values = {"sealer": sealer, "now": now, "is_firm": False, "valid_until": now + LONG}
    bid = place_bid(need, product, bank, **values)  # type: ignore[arg-type]
    rival = place_bid(need, make_product(other, now=now, **same), other, rate=Decimal("0.05"), **values)  # type: ignore[arg-type]
    later = now + LATER
    opening.open_bids(need.id, by=firm, now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)

    def read() -> tuple[ContractStage, list[tuple[int, datetime | None]]]:
        db.session.expire_all()
        stage = db.session.get_one(Contract, contract.id).stage
        claims = db.session.scalars(select(Financing).order_by(Financing.id))
        return stage, [(claim.lender_id, claim.ended_at) for claim in claims]

    # Claimed, so that nobody else lends on it, but credited only with the approval.
    assert read() == (ContractStage.INTENT, [(organisation.id, None)])
    (review,) = review_records.list_for(approver)
    reviews.decline(review.id, DeclineReason.CONTRACT_DOUBTED, by=approver, now=later, sealer=sealer)
    assert read() == (ContractStage.INTENT, [(organisation.id, later)])
    awards.accept(need.id, rival.id, rival.receipt_hash, by=firm, now=later)
    second = make_party(organisation=db.session.get_one(Organisation, other.organisation_id), now=now)
    (review,) = review_records.list_for(second)
    reviews.approve(review.id, by=second, now=later)
    assert read()[0] is ContractStage.CREDITED


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_a_yes_and_a_no_at_the_same_moment_one_counts(app: Flask, now: datetime, sealer: Sealer) -> None:
    deal = make_deal(now, sealer)
    when = deal.awarded_at
    found = racing.run(
        app.config[URL],
        [
            partial(reviews.approve, deal.review.id, by=deal.approver, now=when),
            partial(
                reviews.decline,
                deal.review.id,
                DeclineReason.POLICY,
                by=deal.approver,
                now=when,
                sealer=sealer,
            ),
            partial(reviews.give_up, deal.review.id, by=deal.firm, now=when, sealer=sealer),
            partial(reviews.note_overdue, deal.review.id, by=clock(deal.firm.zone_id), now=when + LONG),
        ],
    )
    assert sorted(found[:3]) == ["done", "illegal_move", "illegal_move"] and found[3] == "done"
    need, bid, rival, loan = read_states(deal)
    review = db.session.get_one(Review, deal.review.id)
    if review.outcome is ReviewOutcome.APPROVED:
        assert (need, bid, rival, loan) == (
            NeedState.AWARDED,
            BidState.WON,
            BidState.LOST,
            LoanState.APPROVED,
        )
    else:
        assert (need, bid, rival, loan) == (
            NeedState.CLOSED,
            BidState.DECLINED,
            BidState.LIVE,
            LoanState.CANCELLED,
        )


def test_what_is_under_review_is_no_deal_yet_on_the_board(app: Flask, now: datetime, sealer: Sealer) -> None:
    deal = make_deal(now, sealer)
    officer = make_officer(now=now)
    assert board.read_figures(officer.zone_id).deals == 0
    assert board_rows.list_loans(officer) == []
    reviews.approve(deal.review.id, by=deal.approver, now=deal.awarded_at)
    assert board.read_figures(officer.zone_id).deals == 1
    assert [loan.id for loan in board_rows.list_loans(officer)] == [deal.review.loan_id]
    found = {row.organisation.id: row.declines for row in board.read_responses(officer.zone_id)}
    assert found[deal.approver.organisation_id or 0] == DeclineRate(1, 0)
    assert found[deal.other.organisation_id or 0] is None


def test_the_bid_of_a_suspended_institution_is_not_offered_again(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    deal = make_deal(now, sealer)
    officer = make_officer(now=now)
    admissions.suspend(deal.other.organisation_id or 0, "许可证吊销", by=officer, now=deal.awarded_at)
    decline(deal, sealer, deal.awarded_at)
    assert read_states(deal)[:3] == (NeedState.UNSUCCESSFUL, BidState.DECLINED, BidState.REFUSED)
