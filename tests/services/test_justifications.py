"""Low bids: held at the opening, explained within a working day, then decided, or refused by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from market.bidding_vocabulary import Decision
from market.errors import Code
from market.vocabulary import AlertKind, BidState, NeedState, OrganisationKind
from models.base import db
from models.bid import Bid
from models.need import Need
from services import alerts, audit, awards, bids, justifications, needs, rounds
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party, make_zone
from tests.services.bidding import SECOND, Bank, bid_all, make_banks, pass_close, reread, states
from tests.services.conftest import Refusing

WHY = "以财政贴息后的资金成本报价"
#: Bids come in until Monday, 10 o'clock; so the day to explain ends with Tuesday, in Shanghai.
DUE = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)


def hold(
    now: datetime, sealer: Sealer, percents: str = "1.9 4.0 4.2"
) -> tuple[Need, list[Bank], Bid, datetime]:
    """Return a need just opened whose first bid is held, with its bidders."""
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    banks = make_banks(len(percents.split()), now=now)
    placed = bid_all(need, banks, percents, now=now, sealer=sealer)
    opened = pass_close(need, sealer)
    bid = db.session.get_one(Bid, placed[0].id, populate_existing=True)
    assert bid.state is BidState.HELD
    return reread(need), banks, bid, opened


def test_a_low_bid_is_held_with_its_figures_and_neither_accepted_nor_proposed(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need, banks, bid, opened = hold(now, sealer)
    assert states(need) == [("held", 1), ("live", 2), ("live", 3)]
    officer = make_officer(now=now)
    row = justifications.find(bid.id, by=banks[0].party)
    assert (row.asked_at, row.due_at, row.text, row.decision) == (opened, DUE, None, None)
    assert row.grounds["rule"] == "mean" and row.grounds["cost"] == str(bid.effective)
    (alert,) = alerts.list_open(officer)
    assert (alert.kind, alert.subject, alert.details["need"]) == (AlertKind.LOW_BID, f"bid:{bid.id}", need.id)
    firm = make_party(now=now, organisation=need.organisation)
    offers = bids.list_offers(need.id, by=firm)
    assert (offers[0].rank, offers[0].state) == (1, BidState.HELD)
    with refuses(Code.ILLEGAL_MOVE, "bid_id"):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=opened)
    run_due(need.zone_id, now=opened + SECOND, sealer=sealer)
    inputs = rounds.list_rounds(need.zone_id)[0].inputs
    assert bid.id not in {offer["bid"] for offer in inputs["offers"]} and len(inputs["offers"]) == 2


def test_accepted_it_joins_the_others_and_the_firm_has_a_working_day_left(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need, banks, bid, opened = hold(now, sealer)
    officer = make_officer(now=now)
    justifications.write(bid.id, f" {WHY} ", by=banks[0].party, now=opened)
    written = justifications.write(bid.id, WHY + "。", by=banks[0].party, now=DUE)
    assert (written.text, written.written_by) == (WHY + "。", banks[0].party.user_id)
    until = need.accept_until
    assert until is not None
    # With a text the clock leaves it to the officer, who still sees the alert.
    run_due(need.zone_id, now=DUE + timedelta(hours=1), sealer=sealer)
    assert len(alerts.list_open(officer)) == 1 and justifications.list_zone(officer) == [written]
    decided = until - timedelta(hours=1)
    row = justifications.decide(bid.id, Decision.ACCEPTED, "成本可信", by=officer, now=decided, sealer=sealer)
    assert (row.decision, row.decided_by, row.decided_at) == (Decision.ACCEPTED, officer.user_id, decided)
    assert states(need) == [("live", 1), ("live", 2), ("live", 3)]
    # The window ended on Thursday night; decided on its last evening the firm has all of Friday.
    assert reread(need).accept_until == until + timedelta(days=1)
    assert alerts.list_open(officer) == [] and justifications.list_zone(officer) == []
    assert justifications.list_zone(officer, decided=True) == [row]
    assert audit.list_entries("bids", bid.id)[-1].details == {"decision": "accepted"}
    firm = make_party(now=now, organisation=need.organisation)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=until + timedelta(hours=9))
    assert reread(need).state is NeedState.AWARDED


def test_an_early_decision_leaves_the_window_as_it_is_and_a_late_one_stays_within_the_bid(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    officer = make_officer(now=now)
    need, banks, bid, opened = hold(now, sealer)
    until = need.accept_until
    justifications.write(bid.id, WHY, by=banks[0].party, now=opened)
    justifications.decide(bid.id, Decision.ACCEPTED, "成本可信", by=officer, now=opened, sealer=sealer)
    assert reread(need).accept_until == until
    # What the bid itself promises ends with the window: nothing can be added to it.
    tight = make_need(make_party(now=now), now=now)
    rivals = make_banks(2, now=now)
    low = rivals[0].bid(tight, "1.9", now=now, sealer=sealer, valid_until=bids.earliest_validity(tight))
    rivals[1].bid(tight, "4.0", now=now, sealer=sealer)
    pass_close(tight, sealer)
    until = reread(tight).accept_until
    assert until is not None
    justifications.write(low.id, WHY, by=rivals[0].party, now=opened)
    justifications.decide(low.id, Decision.ACCEPTED, "成本可信", by=officer, now=until, sealer=sealer)
    assert reread(tight).accept_until == until == low.valid_until


def test_refused_it_leaves_and_the_others_are_ranked_anew(app: Flask, now: datetime, sealer: Sealer) -> None:
    need, banks, bid, opened = hold(now, sealer)
    officer = make_officer(now=now)
    justifications.write(bid.id, WHY, by=banks[0].party, now=opened)
    justifications.decide(bid.id, Decision.REFUSED, "无法说明来源", by=officer, now=opened, sealer=sealer)
    assert states(need) == [("refused", None), ("live", 1), ("live", 2)]
    found = db.session.get_one(Bid, bid.id)
    assert found.reason == {"code": "low_price_refused"} and found.ended_at == opened
    best = next(one for one in bids.list_own(banks[1].party))
    assert best.reason is not None and best.reason["code"] == "best"
    assert reread(need).state is NeedState.CLOSED and alerts.list_open(officer) == []


def test_without_a_word_in_time_the_clock_refuses_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need, banks, bid, opened = hold(now, sealer)
    officer = make_officer(now=now)
    with refuses(Code.TOO_EARLY):
        justifications.decide(bid.id, Decision.REFUSED, "无说明", by=officer, now=opened, sealer=sealer)
    assert run_due(need.zone_id, now=DUE, sealer=sealer)["unexplained low bids"] == 0
    assert run_due(need.zone_id, now=DUE + SECOND, sealer=sealer)["unexplained low bids"] == 1
    assert states(need) == [("refused", None), ("live", 1), ("live", 2)]
    row = justifications.find(bid.id, by=officer)
    assert (row.decision, row.decided_by, row.text) == (Decision.REFUSED, None, None)
    assert db.session.get_one(Bid, bid.id).reason == {"code": "low_price_unexplained"}
    assert run_due(need.zone_id, now=DUE + 2 * SECOND, sealer=sealer)["unexplained low bids"] == 0
    with refuses(Code.ILLEGAL_MOVE):
        justifications.write(bid.id, WHY, by=banks[0].party, now=opened)


def test_a_refusal_that_leaves_nothing_ranked_ends_the_need(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    # Both are far below the third, which the bank then lets run out.
    first, second, dear = make_banks(3, now=now)
    bid_all(need, [first, second], "2.0 2.0", now=now, sealer=sealer)
    dear.bid(need, "4.0", now=now, sealer=sealer, valid_until=bids.earliest_validity(need))
    opened = pass_close(need, sealer)
    assert [state for state, _ in states(need)] == ["held", "held", "live"]
    row = db.session.get_one(Bid, next(one.id for one in bids.list_own(dear.party)))
    row.state = BidState.EXPIRED
    db.session.commit()
    run_due(need.zone_id, now=DUE + SECOND, sealer=sealer)
    assert (reread(need).state, reread(need).reason) == (NeedState.UNSUCCESSFUL, "low_bids_refused")
    assert [state for state, _ in states(need)] == ["refused", "refused", "expired"]
    assert opened < DUE and audit.list_entries("needs", need.id)[-1].action == "need.fail"


def test_only_its_bidder_writes_only_an_officer_decides_and_strangers_see_nothing(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need, banks, bid, opened = hold(now, sealer)
    firm = make_party(now=now, organisation=need.organisation)
    officer, auditor = make_officer(now=now), make_party(OrganisationKind.AGENCY, now=now)
    foreign = make_officer(now=now, zone_id=make_zone(now=now).id)
    with refuses(Code.NOT_FOUND):
        justifications.write(bid.id, WHY, by=banks[1].party, now=opened)
    with refuses(Code.NOT_ALLOWED):
        justifications.write(bid.id, WHY, by=officer, now=opened)
    with refuses(Code.TOO_LATE):
        justifications.write(bid.id, WHY, by=banks[0].party, now=DUE + SECOND)
    with refuses(Code.ILLEGAL_MOVE):
        other = bids.list_own(banks[1].party)[0].id
        justifications.write(other, WHY, by=banks[1].party, now=opened)
    for text, code in ((" ", Code.REQUIRED), ("价" * 1001, Code.TOO_LONG)):
        with refuses(code, "text"):
            justifications.write(bid.id, text, by=banks[0].party, now=opened)
    justifications.write(bid.id, WHY, by=banks[0].party, now=opened)
    for by in (firm, auditor, banks[0].party):
        with refuses(Code.NOT_ALLOWED):
            justifications.decide(bid.id, Decision.ACCEPTED, "可", by=by, now=opened, sealer=sealer)
    with refuses(Code.NOT_FOUND):
        justifications.decide(bid.id, Decision.ACCEPTED, "可", by=foreign, now=opened, sealer=sealer)
    with refuses(Code.REQUIRED, "note"):
        justifications.decide(bid.id, Decision.ACCEPTED, " ", by=officer, now=opened, sealer=sealer)
    for by in (banks[1].party, foreign):
        with refuses(Code.NOT_FOUND):
            justifications.find(bid.id, by=by)
    with refuses(Code.NOT_ALLOWED):
        justifications.find(bid.id, by=firm)
    assert justifications.find(bid.id, by=auditor).text == WHY
    assert justifications.list_zone(foreign) == []


def test_the_officers_alert_goes_when_the_bid_goes_undecided(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    officer = make_officer(now=now)
    need, banks, bid, opened = hold(now, sealer)
    justifications.write(bid.id, WHY, by=banks[0].party, now=opened)
    (alert,) = alerts.list_open(officer)
    with refuses(Code.ILLEGAL_MOVE):
        alerts.resolve(alert.id, "看过了", by=officer, now=opened)
    firm = make_party(now=now, organisation=need.organisation)
    assert need.accept_until is not None
    run_due(need.zone_id, now=need.accept_until + SECOND, sealer=sealer)
    assert reread(need).reason == "not_accepted_in_time"
    assert [state for state, _ in states(need)] == ["expired"] * 3 and alerts.list_open(officer) == []
    with refuses(Code.ILLEGAL_MOVE):
        justifications.decide(bid.id, Decision.ACCEPTED, "可", by=officer, now=opened, sealer=sealer)
    withdrawn, *_ = hold(now, sealer)
    owner = make_party(now=now, organisation=withdrawn.organisation)
    needs.withdraw(withdrawn.id, by=owner, now=opened)
    assert [state for state, _ in states(withdrawn)] == ["lost"] * 3 and alerts.list_open(officer) == []
    assert firm.organisation_id == need.organisation_id


@pytest.mark.parametrize(
    ("percents", "held"),
    [("4.0", 0), ("3.9 4.0 4.1", 0), ("0.5 4.0", 1), ("2.0 2.0 4.0", 2)],
)
def test_how_many_are_held(app: Flask, now: datetime, sealer: Sealer, percents: str, held: int) -> None:
    need = make_need(make_party(now=now), now=now)
    bid_all(need, make_banks(len(percents.split()), now=now), percents, now=now, sealer=sealer)
    pass_close(need, sealer)
    assert [state for state, _ in states(need)].count("held") == held
