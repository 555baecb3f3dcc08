"""Anonymous bidding: the best cost and one's own rank while it runs, and a close that late bids move."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.bidding_vocabulary import BidPolicy, Visibility
from market.errors import Code
from market.vocabulary import Capability, NeedState, OrganisationKind
from models.base import db
from models.bid import Bid
from models.need import Need
from services import audit, bids, needs, outcomes, standings
from services.sealing import Sealer
from services.standings import Standing
from tests.factories import MILLION, make_need, make_officer, make_party
from tests.services.bidding import SECOND, bid_all, make_banks, pass_close, reread, states
from tests.services.conftest import Refusing


def make_open(now: datetime, **values: Any) -> Need:
    return make_need(make_party(now=now), now=now, bid_policy=BidPolicy.ANONYMOUS, **values)


def test_bidders_see_the_best_cost_and_their_own_rank_and_nothing_else(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, bid_policy=BidPolicy.ANONYMOUS)
    first, second, apart, watching = make_banks(4, now=now)
    officer = make_officer(now=now)
    auditor = make_party(OrganisationKind.AGENCY, now=now)

    def read(by: Any, at: datetime) -> Standing:
        return standings.read(need.id, by=by, now=at, sealer=sealer)

    assert read(watching.party, now).best is None
    one, other = bid_all(need, [first, second], "4.2 4.0", now=now, sealer=sealer)
    # Far below, but for half of the money: it does not compete, so it is not the best.
    third = apart.bid(need, "2.0", now=now, sealer=sealer, principal=2 * MILLION)
    later = now + SECOND
    for by in (first.party, second.party, apart.party, watching.party, firm, officer, auditor):
        assert read(by, later).best == Decimal("0.04074155")
    assert read(first.party, later).ranks == {one.id: 2}
    assert read(second.party, later).ranks == {other.id: 1}
    assert read(apart.party, later).ranks == {third.id: None}
    for by in (watching.party, firm, officer, auditor):
        assert read(by, later).ranks == {}
    # A standing carries figures of the need and of the reader's own bids alone: no count, no name.
    assert set(Standing.__slots__) == {
        *("need_id", "policy", "number", "planned", "closes_at", "closed_at_first", "extensions"),
        *("step_bps", "is_open", "as_of", "best", "ranks"),
    }
    # Until the opening the offers are nobody's, and a bid carries no rank.
    assert bids.list_offers(need.id, by=firm) == bids.list_offers(need.id, by=officer) == []
    assert states(need) == [("posted", None)] * 3
    (outcome,) = outcomes.list_own(first.party, sealer=sealer)
    assert (outcome.best, outcome.ranked, outcome.winning) == (None, None, None)
    opened = pass_close(need, sealer)
    assert read(first.party, opened).as_of is None and read(first.party, opened).best is None
    assert states(need) == [("live", 2), ("live", 1), ("live", None)]


def test_whoever_may_not_see_the_need_sees_no_standing(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    shown, shut_out = make_banks(2, now=now)
    need = make_open(now, visibility=Visibility.CHOSEN, audience=(shown.party.organisation_id,))
    shown.bid(need, "4.0", now=now, sealer=sealer)
    strangers = [shut_out.party, make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)]
    for stranger in strangers:
        with refuses(Code.NOT_FOUND):
            standings.read(need.id, by=stranger, now=now, sealer=sealer)
    assert standings.read(need.id, by=shown.party, now=now, sealer=sealer).best is not None


@pytest.mark.parametrize("closing", ["opening", "another round"])
def test_an_anonymous_bid_is_replaced_freely_in_its_round_and_improved_in_the_next(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing, closing: str
) -> None:
    need = make_open(now, round_count=2 if closing == "another round" else 1)
    (bank,) = make_banks(1, now=now)
    bank.bid(need, "3.9", now=now, sealer=sealer)
    bank.bid(need, "4.0", now=now, sealer=sealer)
    closed = pass_close(need, sealer)
    if closing == "opening":
        assert states(need) == [("replaced", None), ("live", 1)]
        return
    with refuses(Code.NOT_IMPROVED, "rate"):
        bank.bid(need, "3.97", now=closed, sealer=sealer)
    better = bank.bid(need, "3.9", now=closed, sealer=sealer)
    assert standings.read(need.id, by=bank.party, now=closed, sealer=sealer).ranks == {better.id: 1}
    bids.withdraw(better.id, by=bank.party, now=closed + SECOND)
    assert states(need) == [("replaced", None), ("posted", None), ("withdrawn", None)]
    pass_close(need, sealer)
    assert states(need) == [("replaced", None), ("live", 1), ("withdrawn", None)]


def test_late_bids_move_the_close_three_times_and_it_is_told_why(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_open(now)
    banks = make_banks(5, now=now)
    first = need.closes_at
    assert first is not None
    banks[0].bid(need, "4.4", now=first - timedelta(minutes=3, seconds=1), sealer=sealer)
    assert reread(need).closes_at == first
    for number, percent in enumerate(("4.3", "4.2", "4.1"), start=1):
        closes_at = reread(need).closes_at
        assert closes_at is not None
        banks[number].bid(need, percent, now=closes_at - SECOND, sealer=sealer)
        assert reread(need).closes_at == first + number * timedelta(minutes=5)
    last = first + timedelta(minutes=15)
    banks[4].bid(need, "4.0", now=last - SECOND, sealer=sealer)
    assert reread(need).closes_at == last
    standing = standings.read(need.id, by=banks[4].party, now=last - SECOND, sealer=sealer)
    assert (standing.extensions, standing.closed_at_first, standing.closes_at) == (3, first, last)
    (held,) = needs.list_rounds(need.id)
    assert (held.extensions, held.closes_at) == (3, last)
    moved = [entry for entry in audit.list_entries("needs", need.id) if entry.action == "need.extend"]
    assert [entry.details["after"] for entry in moved] == [
        (first + number * timedelta(minutes=5)).isoformat() for number in (1, 2, 3)
    ]
    assert {entry.organisation_id for entry in moved} == {None}
    with pytest.raises(Exception, match="too_late"):
        banks[4].bid(need, "3.9", now=last, sealer=sealer)
    assert pass_close(need, sealer) == last + SECOND
    assert [rank for _, rank in states(need)] == [5, 4, 3, 2, 1]


def test_a_sealed_round_is_never_moved_by_a_bid(app: Flask, now: datetime, sealer: Sealer) -> None:
    need = make_need(make_party(now=now), now=now)
    closes_at = need.closes_at
    assert closes_at is not None
    make_banks(1, now=now)[0].bid(need, "4.0", now=closes_at - SECOND, sealer=sealer)
    assert reread(need).closes_at == closes_at
    assert needs.list_rounds(need.id)[0].extensions == 0


def test_what_was_changed_in_the_clear_row_of_a_posted_bid_does_not_count_at_the_opening(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_open(now)
    cheap, dear = make_banks(2, now=now)
    _, raised = bid_all(need, [cheap, dear], "4.0 4.4", now=now, sealer=sealer)
    row = db.session.get_one(Bid, raised.id)
    row.effective, row.amount = Decimal("0.0001"), 1
    db.session.commit()
    pass_close(need, sealer)
    assert states(need) == [("live", 1), ("live", 2)]
    found = db.session.get_one(Bid, raised.id, populate_existing=True)
    assert (found.amount, found.effective) == (need.amount, Decimal("0.04489826"))


def test_a_person_without_the_right_to_bid_still_sees_the_rank_of_its_institution(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_open(now)
    (bank,) = make_banks(1, now=now)
    bid = bank.bid(need, "4.0", now=now, sealer=sealer)
    organisation = bid.organisation
    approver = make_party(capabilities=[Capability.INSTITUTION_APPROVER], now=now, organisation=organisation)
    assert standings.read(need.id, by=approver, now=now, sealer=sealer).ranks == {bid.id: 1}
    assert reread(need).state is NeedState.OPEN
