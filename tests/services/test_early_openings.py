"""Early openings: two officers, one reason, all bidding over at once, and a record that everybody reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask

from market.bidding_vocabulary import BidPolicy
from market.errors import Code
from market.vocabulary import NeedState, OrganisationKind
from services import audit, early_openings, needs, opening
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party, make_zone
from tests.services import racing
from tests.services.bidding import SECOND, bid_all, make_banks, pass_close, reread, states
from tests.services.conftest import Refusing

WHY = "企业提前到期的贷款须于周五前归还"


@pytest.mark.parametrize("policy", list(BidPolicy))
def test_with_two_officers_all_bidding_ends_at_once(
    app: Flask, now: datetime, sealer: Sealer, policy: BidPolicy
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now, bid_policy=policy, round_count=3)
    planned = need.closes_at
    banks = make_banks(3, now=now)
    bid_all(need, banks[:2], "4.0 4.2", now=now, sealer=sealer)
    asking, agreeing = make_officer(now=now), make_officer(now=now)
    auditor = make_party(OrganisationKind.AGENCY, now=now)
    asked = early_openings.ask(need.id, f" {WHY} ", by=asking, now=now)
    # Until it is agreed the firm and the bidders are not told that somebody would look.
    assert early_openings.list_for_need(need.id, by=firm) == []
    assert early_openings.list_for_need(need.id, by=auditor) == [asked]
    assert early_openings.list_waiting(agreeing) == [asked]
    at = now + timedelta(hours=1)
    early_openings.decide(asked.id, True, by=agreeing, now=at, sealer=sealer)
    assert states(need) == [("live", 1), ("live", 2)]
    found = reread(need)
    assert (found.state, found.closed_at, found.closes_at) == (NeedState.CLOSED, at, at)
    (held,) = needs.list_rounds(need.id)
    assert (held.opened_early, held.closed_at, held.closes_at) == (True, at, planned)
    for by in (firm, banks[0].party, banks[2].party, auditor, asking):
        (told,) = early_openings.list_for_need(need.id, by=by)
        assert (told.reason, told.asked_by, told.decided_by) == (WHY, asking.user_id, agreeing.user_id)
        assert (told.asked_at, told.decided_at, told.agreed) == (now, at, True)
    assert set(early_openings.read_names([told])) == {asking.user_id, agreeing.user_id}
    entries = {entry.action: entry for entry in audit.list_entries("needs", need.id)}
    assert entries["need.ask_early_opening"].details == {"reason": WHY, "request": asked.id}
    assert entries["need.agree_early_opening"].user_id == agreeing.user_id
    assert entries["need.open_bids"].details["early"] is True
    with pytest.raises(Exception, match="too_late") as late:
        banks[2].bid(need, "3.9", now=at + SECOND, sealer=sealer)
    assert at.isoformat() in str(late.value)
    assert audit.list_entries("needs", need.id)[-1].action == "bid.late"


def test_nobody_opens_early_alone_without_a_reason_or_from_outside(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    asking, other = make_officer(now=now), make_officer(now=now)
    (bank,) = make_banks(1, now=now)
    bank.bid(need, "4.0", now=now, sealer=sealer)
    foreign = make_officer(now=now, zone_id=make_zone(now=now).id)
    auditor = make_party(OrganisationKind.AGENCY, now=now)
    for reason, code in (("  ", Code.REQUIRED), ("因" * 301, Code.TOO_LONG)):
        with refuses(code, "reason"):
            early_openings.ask(need.id, reason, by=asking, now=now)
    for by in (firm, bank.party, auditor):
        with refuses(Code.NOT_ALLOWED):
            early_openings.ask(need.id, WHY, by=by, now=now)
    with refuses(Code.NOT_FOUND):
        early_openings.ask(need.id, WHY, by=foreign, now=now)
    asked = early_openings.ask(need.id, WHY, by=asking, now=now)
    with refuses(Code.ALREADY_EXISTS):
        early_openings.ask(need.id, WHY, by=other, now=now)
    with refuses(Code.SAME_PERSON):
        early_openings.decide(asked.id, True, by=asking, now=now, sealer=sealer)
    with refuses(Code.NOT_ALLOWED):
        early_openings.decide(asked.id, True, by=auditor, now=now, sealer=sealer)
    with refuses(Code.NOT_FOUND):
        early_openings.decide(asked.id, True, by=foreign, now=now, sealer=sealer)
    assert states(need) == [("sealed", None)]
    early_openings.decide(asked.id, False, by=other, now=now, sealer=sealer)
    assert reread(need).state is NeedState.OPEN and early_openings.find_waiting(need.id, by=other) is None
    with refuses(Code.ILLEGAL_MOVE):
        early_openings.decide(asked.id, True, by=other, now=now, sealer=sealer)
    # A refusal is on record too, and somebody may ask again.
    assert audit.list_entries("needs", need.id)[-1].action == "need.refuse_early_opening"
    assert early_openings.ask(need.id, WHY, by=other, now=now).id != asked.id


def test_a_request_is_over_with_the_bidding(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now)
    asking, other = make_officer(now=now), make_officer(now=now)
    bid_all(need, make_banks(1, now=now), "4.0", now=now, sealer=sealer)
    asked = early_openings.ask(need.id, WHY, by=asking, now=now)
    assert need.closes_at is not None
    with refuses(Code.TOO_LATE):
        early_openings.decide(asked.id, True, by=other, now=need.closes_at, sealer=sealer)
    pass_close(need, sealer)
    with refuses(Code.ILLEGAL_MOVE):
        early_openings.decide(asked.id, True, by=other, now=need.closes_at, sealer=sealer)
    with refuses(Code.ILLEGAL_MOVE):
        early_openings.ask(need.id, WHY, by=asking, now=now)
    assert early_openings.find_waiting(need.id, by=other) is None and early_openings.list_waiting(other) == []


def test_agreed_twice_at_the_same_moment_it_opens_once(
    database: Flask, app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(make_party(now=now), now=now)
    bid_all(need, make_banks(2, now=now), "4.0 4.2", now=now, sealer=sealer)
    officers = [make_officer(now=now) for _ in range(3)]
    asked = early_openings.ask(need.id, WHY, by=officers[0], now=now)
    outcomes = racing.run(
        database.config["SQLALCHEMY_DATABASE_URI"],
        [
            partial(early_openings.decide, asked.id, True, by=officer, now=now + SECOND, sealer=sealer)
            for officer in officers[1:]
        ],
    )
    assert sorted(outcomes) == ["done", "illegal_move"]
    actions = [entry.action for entry in audit.list_entries("needs", need.id)]
    assert actions.count("need.open_bids") == actions.count("need.agree_early_opening") == 1
    assert opening.list_due(need.zone_id, now + timedelta(days=9)) == []
