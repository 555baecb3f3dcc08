"""Bid rounds on a sealed need: one to three of them, each better than the one before, all opened at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from market.bidding_vocabulary import FewBids
from market.errors import Code, Invalid
from market.vocabulary import BidState, NeedState
from models.base import db, transaction
from models.bid import Bid
from services import audit, bids, needs, opening, rounds, standings
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party
from tests.services.bidding import SECOND, bid_all, make_banks, pass_close, read_everything, reread, states
from tests.services.conftest import Refusing


def test_two_rounds_are_held_and_only_the_last_one_opens(app: Flask, now: datetime, sealer: Sealer) -> None:
    need = make_need(make_party(now=now), now=now, round_count=2, round_hours=6)
    banks = make_banks(3, now=now)
    bid_all(need, banks, "4.0 4.2 4.4", now=now, sealer=sealer)
    closed = pass_close(need, sealer)
    assert (reread(need).state, reread(need).closes_at) == (NeedState.OPEN, closed + timedelta(hours=6))
    assert states(need) == [("sealed", None)] * 3
    better = banks[2].bid(need, "3.9", now=closed + SECOND, sealer=sealer)
    opened = pass_close(need, sealer)
    assert reread(need).state is NeedState.CLOSED
    # The improved bid leads; whoever said nothing stands by what it bid before.
    assert states(need) == [("live", 2), ("live", 3), ("replaced", None), ("live", 1)]
    assert db.session.get_one(Bid, better.id).opened_at == opened
    first, second = needs.list_rounds(need.id)
    assert (first.closed_at, first.bid_count, first.ranked_count) == (closed, None, None)
    assert (second.number, second.bid_count, second.ranked_count) == (2, 3, 3)
    actions = [entry.action for entry in audit.list_entries("needs", need.id)]
    assert actions.count("need.close_round") == actions.count("need.open_bids") == 1


def test_between_two_rounds_nothing_stands_in_clear(app: Flask, now: datetime, sealer: Sealer) -> None:
    need = make_need(make_party(now=now), now=now, round_count=2)
    (bank,) = make_banks(1, now=now)
    secret = {"principal": 4_987_654_00, "months": 11}
    bank.bid(need, "4.137719", now=now, sealer=sealer, **secret)
    closed = pass_close(need, sealer)
    bank.bid(need, "3.916273", now=closed, sealer=sealer, **secret)
    standings.read(need.id, by=bank.party, now=closed, sealer=sealer)
    for row in read_everything():
        assert not any(figure in row for figure in ("4137719", "3916273", "498765400", "4987654")), row
    for bid in bids.list_own(bank.party):
        assert (bid.amount, bid.effective, bid.rank, bid.reason, bid.opened_at) == (None,) * 5


@pytest.mark.parametrize(
    ("few_bids", "expected"),
    [
        (FewBids.ANOTHER_ROUND, (NeedState.OPEN, None, 2)),
        (FewBids.FAIL, (NeedState.UNSUCCESSFUL, "too_few_bids", 1)),
        (FewBids.OFFER, (NeedState.CLOSED, None, 1)),
    ],
)
def test_the_firm_decides_beforehand_what_follows_on_too_few_bids(
    app: Flask, now: datetime, sealer: Sealer, few_bids: FewBids, expected: tuple[NeedState, str | None, int]
) -> None:
    need = make_need(make_party(now=now), now=now, few_bids=few_bids)
    bid_all(need, make_banks(2, now=now), "4.0 4.2", now=now, sealer=sealer)
    pass_close(need, sealer)
    assert (reread(need).state, reread(need).reason, len(needs.list_rounds(need.id))) == expected
    if few_bids is FewBids.FAIL:
        # The losers learn their ranks all the same.
        assert states(need) == [("lost", 1), ("lost", 2)]


def test_after_three_rounds_there_is_no_fourth(app: Flask, now: datetime, sealer: Sealer) -> None:
    need = make_need(make_party(now=now), now=now, few_bids=FewBids.ANOTHER_ROUND)
    far = now + timedelta(days=60)
    bid_all(need, make_banks(1, now=now), "4.0", now=now, sealer=sealer, valid_until=far)
    for number in (2, 3):
        pass_close(need, sealer)
        assert (reread(need).state, len(needs.list_rounds(need.id))) == (NeedState.OPEN, number)
    pass_close(need, sealer)
    assert (reread(need).state, states(need)) == (NeedState.CLOSED, [("live", 1)])


def test_from_round_to_round_a_bid_only_improves_and_by_the_whole_step(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now, round_count=2)
    assert need.zone.improvement_bps == 5
    bank, other = make_banks(2, now=now)
    # Within the first round a bid may be replaced by a dearer one: nothing was closed on it.
    bank.bid(need, "3.9", now=now, sealer=sealer)
    bank.bid(need, "4.0", now=now, sealer=sealer)
    closed = pass_close(need, sealer)
    for percent in ("4.5", "4.0", "3.96"):
        with refuses(Code.NOT_IMPROVED, "rate"):
            bank.bid(need, percent, now=closed, sealer=sealer)
    quote = bids.Quote(
        product_id=bank.product.id,
        principal=need.amount,
        months=need.months,
        valid_until=bids.earliest_validity(need, 2),
        rate=Decimal("0.0396"),
    )
    seen = bids.preview(need.id, quote, by=bank.party, now=closed, sealer=sealer)
    assert [fault.code for fault in seen.faults] == [Code.NOT_IMPROVED]
    with pytest.raises(Invalid) as refused:
        bank.bid(need, "4.5", now=closed, sealer=sealer)
    values = refused.value.faults[0].values
    # 4 % nominal is 4.07 % a year; five points below that is taken.
    assert Decimal(values["most"]) == Decimal("0.04024155") and Decimal(values["value"]) > Decimal("0.045")
    bank.bid(need, "3.8", now=closed, sealer=sealer)
    # What stood at the close stays the measure: improving first does not make room for a dearer one.
    with refuses(Code.NOT_IMPROVED, "rate"):
        bank.bid(need, "4.3", now=closed + SECOND, sealer=sealer)
    bank.bid(need, "3.9", now=closed + SECOND, sealer=sealer)
    # Somebody new has nothing to improve on.
    other.bid(need, "5.0", now=closed + SECOND, sealer=sealer)
    pass_close(need, sealer)
    assert [state for state, _ in states(need)] == ["replaced", "replaced", "replaced", "live", "live"]


def test_a_bid_is_withdrawn_before_the_close_of_its_own_round_or_not_at_all(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now, round_count=2)
    first, second = make_banks(2, now=now)
    gone = first.bid(need, "4.0", now=now, sealer=sealer)
    bids.withdraw(gone.id, by=first.party, now=now)
    kept = second.bid(need, "4.2", now=now, sealer=sealer)
    assert need.closes_at is not None
    with refuses(Code.TOO_LATE):
        bids.withdraw(kept.id, by=second.party, now=need.closes_at)
    closed = pass_close(need, sealer)
    with refuses(Code.TOO_LATE):
        bids.withdraw(kept.id, by=second.party, now=closed)
    better = second.bid(need, "4.0", now=closed, sealer=sealer)
    bids.withdraw(better.id, by=second.party, now=closed + SECOND)
    # Taking back the better one does not take back what it improved on.
    assert states(need) == [("withdrawn", None), ("sealed", None), ("withdrawn", None)]
    with refuses(Code.NOT_IMPROVED):
        second.bid(need, "4.5", now=closed + SECOND, sealer=sealer)
    pass_close(need, sealer)
    assert states(need) == [("withdrawn", None), ("live", 1), ("withdrawn", None)]
    assert db.session.get_one(Bid, kept.id).ended_at is None


def test_a_bid_after_the_close_is_refused_and_leaves_a_record_without_its_content(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(make_party(now=now), now=now)
    (bank,) = make_banks(1, now=now)
    assert need.closes_at is not None
    with pytest.raises(Exception, match="too_late"):
        bank.bid(need, "4.137719", now=need.closes_at, sealer=sealer)
    entry = audit.list_entries("needs", need.id)[-1]
    assert (entry.action, entry.organisation_id) == ("bid.late", bank.party.organisation_id)
    assert entry.details == {} and states(need) == []


@pytest.mark.parametrize("round_count", [1, 3])
def test_a_bid_holds_until_the_last_planned_close_and_the_firms_time_after_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing, round_count: int
) -> None:
    # Friday, with closes on Monday, and on Wednesday after two rounds more: three working days then.
    need = make_need(make_party(now=now), now=now, round_count=round_count, round_hours=24)
    (bank,) = make_banks(1, now=now)
    least = bids.earliest_validity(need)
    assert least.isoformat() == f"2026-11-{26 if round_count == 1 else 30}T23:59:59+08:00"
    with refuses(Code.OUT_OF_ORDER, "valid_until"):
        bank.bid(need, "4.0", now=now, sealer=sealer, valid_until=least - SECOND)
    bank.bid(need, "4.0", now=now, sealer=sealer, valid_until=least)
    for _ in range(round_count):
        pass_close(need, sealer)
    assert reread(need).state is NeedState.CLOSED and reread(need).accept_until == least


def test_a_bid_that_does_not_hold_through_a_round_more_than_planned_leaves_unopened(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(
        make_party(now=now), now=now, few_bids=FewBids.ANOTHER_ROUND, round_hours=240, minimum_bids=3
    )
    brief, long, anew = make_banks(3, now=now)
    brief.bid(need, "4.0", now=now, sealer=sealer, valid_until=bids.earliest_validity(need))
    long.bid(need, "4.2", now=now, sealer=sealer)
    closed = pass_close(need, sealer)
    anew.bid(need, "4.4", now=closed, sealer=sealer)
    pass_close(need, sealer)
    pass_close(need, sealer)
    assert states(need) == [("expired", None), ("live", 1), ("live", 2)]
    left = db.session.get_one(Bid, next(bid.id for bid in bids.list_own(brief.party)))
    assert (left.opened_at, left.terms) == (None, None) and left.ended_at is not None


def test_bids_of_three_rounds_are_opened_once_whatever_the_clock_missed(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, round_count=3, round_hours=1)
    bid_all(need, make_banks(3, now=now), "4.0 4.2 4.4", now=now, sealer=sealer)
    assert need.closes_at is not None
    # A day late: the round that follows lasts its hour all the same.
    late = need.closes_at + timedelta(days=1)
    run_due(need.zone_id, now=late, sealer=sealer)
    run_due(need.zone_id, now=late, sealer=sealer)
    assert reread(need).closes_at == late + timedelta(hours=1)
    pass_close(need, sealer)
    pass_close(need, sealer)
    assert states(need) == [("live", 1), ("live", 2), ("live", 3)]
    assert [held.number for held in needs.list_rounds(need.id)] == [1, 2, 3]


def test_between_rounds_only_who_took_part_learns_the_best_cost_and_its_own_rank(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, round_count=2)
    first, second, apart, absent = make_banks(4, now=now)
    bid_all(need, [first, second], "4.0 4.2", now=now, sealer=sealer)
    apart.bid(need, "3.0", now=now, sealer=sealer, months=24)
    readers = [bank.party for bank in (first, second, apart, absent)] + [firm, make_officer(now=now)]

    def read(at: datetime) -> list[tuple[Decimal | None, list[int | None]]]:
        found = [standings.read(need.id, by=by, now=at, sealer=sealer) for by in readers]
        return [(one.best, list(one.ranks.values())) for one in found]

    nothing: tuple[None, list[int | None]] = (None, [])
    assert read(now + SECOND) == [nothing] * 6
    closed = pass_close(need, sealer)
    best = Decimal("0.04074155")
    told = [(round(one, 8) if one is not None else None, ranks) for one, ranks in read(closed)]
    assert told == [(best, [1]), (best, [2]), (best, [None]), nothing, nothing, nothing]
    # Bids of the running round are seen by nobody: they change nothing of what was told.
    second.bid(need, "3.5", now=closed + SECOND, sealer=sealer)
    absent.bid(need, "3.4", now=closed + SECOND, sealer=sealer)
    assert read(closed + 2 * SECOND) == read(closed)
    standing = standings.read(need.id, by=second.party, now=closed, sealer=sealer)
    assert (standing.as_of, standing.number, standing.planned) == (closed, 2, 2)
    pass_close(need, sealer)
    assert read(closed + timedelta(days=2)) == [nothing] * 6


def test_expired_bids_leave_by_themselves_and_no_round_proposes_them(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    (bank, other) = make_banks(2, now=now)
    bid = bank.bid(need, "4.0", now=now, sealer=sealer, valid_until=bids.earliest_validity(need))
    other.bid(need, "4.2", now=now, sealer=sealer)
    pass_close(need, sealer)
    with transaction() as session:
        need_row = needs.lock(session, need.id)
        assert need_row.accept_until is not None
        need_row.accept_until += timedelta(days=7)
    later = bid.valid_until + SECOND
    assert run_due(need.zone_id, now=later, sealer=sealer)["expiries"] == 1
    assert run_due(need.zone_id, now=later, sealer=sealer)["expiries"] == 0
    assert states(need) == [("expired", 1), ("live", 2)]
    inputs = rounds.list_rounds(need.zone_id)[0].inputs
    assert [offer["bid"] for offer in inputs["offers"]] != [] and bid.id not in {
        offer["bid"] for offer in inputs["offers"]
    }
    assert [entry.action for entry in audit.list_entries("bids", bid.id)][-1] == "bid.expire"
    assert db.session.get_one(Bid, bid.id).state is BidState.EXPIRED
    assert opening.list_expired(need.zone_id, later) == []
