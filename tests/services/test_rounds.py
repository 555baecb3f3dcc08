"""Matching rounds: who asks for one, what they take in, and that they never override a deed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

from market import clearing
from market.bidding_vocabulary import Visibility
from market.errors import Code, Conflict, Forbidden
from market.party import clock
from market.vocabulary import BidState, LimitScope, OrganisationKind, ProposalState, RoundState
from models.base import db
from models.need import Audience
from models.round import MatchingRound, Proposal
from services import (
    alerts,
    awards,
    bids,
    limit_settings,
    needs,
    opening,
    round_inputs,
    round_report,
    rounds,
    zones,
)
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services.conftest import Refusing
from tests.services.test_awards import make_closed

LATER = timedelta(days=3, seconds=1)


def test_only_an_officer_of_the_zone_runs_a_round_out_of_turn(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    officer, other = make_officer(now=now), make_zone(now=now)
    away = make_officer(now=now, zone_id=other.id)
    for party, zone_id, code in (
        (make_party(now=now), officer.zone_id, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.AGENCY, now=now), officer.zone_id, Code.NOT_ALLOWED),
        (officer, other.id, Code.NOT_FOUND),
    ):
        with refuses(code):
            rounds.run_now(zone_id, by=party, now=now)
    row = rounds.run_now(officer.zone_id, by=officer, now=now)
    assert (row.state, row.trigger, row.asked_by) == (RoundState.SETTLED, "officer", officer.user_id)
    # Two clicks in one second are one round.
    assert rounds.run_now(officer.zone_id, by=officer, now=now).id == row.id
    for party in (away, make_party(now=now)):
        with refuses(Code.NOT_FOUND if party is away else Code.NOT_ALLOWED):
            rounds.find(row.id, by=party)


def test_a_round_takes_in_closed_needs_that_joined_and_nothing_else(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    joined, _ = make_closed(firm, now, sealer)
    taken, (bid,) = make_closed(firm, now, sealer)
    gone, _ = make_closed(firm, now, sealer)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    alone = make_need(firm, now=now, joins_matching=False)
    place_bid(alone, product, bank, now=now, sealer=sealer)
    opening.open_bids(alone.id, by=firm, now=later, sealer=sealer)
    still_open = make_need(firm, now=later)
    place_bid(still_open, product, bank, now=later, sealer=sealer)
    awards.accept(taken.id, bid.id, bid.receipt_hash, by=firm, now=later)
    needs.withdraw(gone.id, by=firm, now=later)
    officer = make_officer(now=now)
    assert [need.id for need in rounds.foresee(by=officer, now=later).needs] == [joined.id]
    row = rounds.run_now(officer.zone_id, by=officer, now=later)
    assert [entry["id"] for entry in row.inputs["needs"]] == [joined.id]
    assert [entry["need"] for entry in row.inputs["offers"]] == [joined.id]
    # After the acceptance window there is nothing left to propose.
    assert rounds.foresee(by=officer, now=later + timedelta(days=10)).needs == []


def test_what_was_decided_while_a_round_was_solved_gets_no_proposal(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    taken, (bid,) = make_closed(firm, now, sealer)
    gone, _ = make_closed(firm, now, sealer)
    left, _ = make_closed(firm, now, sealer)
    by = clock(firm.zone_id)
    opened = rounds.open_round(firm.zone_id, "slot", later, trigger="clock", by=by, now=later)
    round_id, fence = opened.id, opened.fence
    result = clearing.clear(rounds.read_instance(opened.inputs))
    assert set(result.placed) == {taken.id, gone.id, left.id}
    awards.accept(taken.id, bid.id, bid.receipt_hash, by=firm, now=later)
    needs.withdraw(gone.id, by=firm, now=later)
    row = rounds.settle(round_id, fence, result, by=by, now=later)
    assert [(p.need_id, p.state) for p in db.session.query(Proposal)] == [(left.id, ProposalState.PROPOSED)]
    assert (row.need_count, row.placed_count, row.placed_amount) == (3, 1, 5 * MILLION)
    with pytest.raises(Conflict):
        rounds.settle(round_id, fence, result, by=by, now=later)


def test_a_second_clock_that_comes_while_the_first_solves_does_not_disturb(
    app: Flask, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm, later = make_party(now=now), now + LATER
    make_closed(firm, now, sealer)
    by, real, calls = clock(firm.zone_id), clearing.clear, []

    def solve_slowly(instance: clearing.Instance) -> clearing.Clearing:
        if not calls:
            calls.append(1)
            # In the middle of the first clock's solving the second one does the whole round.
            assert rounds.run_scheduled(firm.zone_id, by=by, now=later + timedelta(seconds=1)) is not None
        return real(instance)

    monkeypatch.setattr(clearing, "clear", solve_slowly)
    row = rounds.run_scheduled(firm.zone_id, by=by, now=later)
    assert row is not None
    (stored,) = db.session.query(MatchingRound)
    assert (stored.id, stored.state, stored.fence) == (row.id, RoundState.SETTLED, 2)
    assert db.session.query(Proposal).count() == 1


def test_a_need_left_out_is_told_why_and_a_new_round_replaces_the_old_proposal(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 5 * MILLION, by=bank, now=now)
    both = [make_need(firm, now=now) for _ in range(2)]
    for need, rate in zip(both, ("0.04", "0.05"), strict=True):
        place_bid(need, product, bank, now=now, sealer=sealer, rate=Decimal(rate))
    run_due(firm.zone_id, now=later, sealer=sealer)
    first, second = (rounds.find_proposal(need.id) for need in both)
    assert first is not None and second is not None
    assert (first.state, second.state) == (ProposalState.PROPOSED, ProposalState.UNPLACED)
    assert (second.why["code"], second.why["needs"]) == ("limit_used_up", [both[0].id])
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 10 * MILLION, by=bank, now=later)
    officer = make_officer(now=now)
    rounds.run_now(firm.zone_id, by=officer, now=later + timedelta(minutes=1))
    assert db.session.get_one(Proposal, first.id).state is ProposalState.LAPSED
    for need in both:
        proposal = rounds.find_proposal(need.id)
        assert proposal is not None and proposal.state is ProposalState.PROPOSED
        assert [offer.id for offer in bids.list_offers(need.id, by=firm)] == [proposal.bid_id]


def test_a_round_asks_the_database_as_often_for_many_needs_as_for_few(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later, officer = make_party(now=now), now + LATER, make_officer(now=now)
    counts = []
    for moment in range(2):
        for _ in range(2 + 4 * moment):
            make_closed(firm, now, sealer)
        asked: list[str] = []

        def note(*arguments: object, asked: list[str] = asked) -> None:
            if str(arguments[2]).startswith("SELECT"):
                asked.append(str(arguments[2]))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            rounds.run_now(firm.zone_id, by=officer, now=later + timedelta(minutes=moment))
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_zone_without_times_has_no_rounds_of_its_own(app: Flask, now: datetime, sealer: Sealer) -> None:
    zone = zones.found("quiet", "静区", "Quiet", now=now, matching_times="")
    assert run_due(zone.id, now=now + LATER, sealer=sealer)["rounds"] == 0
    assert rounds.find_next_slot(zone, now) is None


def test_a_round_proposes_nothing_that_the_limit_for_one_firm_refuses(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    full, other = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    cheap = place_bid(need, make_product(full, now=now), full, now=now, sealer=sealer, rate=Decimal("0.036"))
    dear = place_bid(need, make_product(other, now=now), other, now=now, sealer=sealer, rate=Decimal("0.045"))
    limit_settings.set_limit(
        full.organisation_id or 0, LimitScope.FIRM, MILLION, firm_id=firm.organisation_id, by=full, now=now
    )
    run_due(firm.zone_id, now=now + timedelta(days=3, seconds=1), sealer=sealer)
    proposal = rounds.find_proposal(need.id)
    assert proposal is not None and proposal.bid_id == dear.id != cheap.id


def test_a_round_that_was_left_open_is_taken_up_and_after_five_attempts_given_up(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    zone = make_zone(now=now, matching_times="")
    officer = make_officer(now=now, zone_id=zone.id)
    by = clock(zone.id)
    left = rounds.open_round(zone.id, "officer 1", now, trigger="officer", by=officer, now=now)
    soon, later = now + timedelta(minutes=5), now + timedelta(minutes=11)
    assert (rounds.list_left(zone.id, soon), rounds.list_left(zone.id, later)) == ([], [left.id])
    assert run_due(zone.id, now=later, sealer=sealer)["rounds taken up"] == 1
    assert (left.state, left.fence) == (RoundState.SETTLED, 2)
    assert rounds.list_left(zone.id, later + timedelta(days=1)) == []

    again = rounds.open_round(zone.id, "officer 2", now, trigger="officer", by=officer, now=now)
    for _ in range(rounds.ATTEMPTS_MOST - 1):
        rounds.open_round(zone.id, "officer 2", now, trigger="officer", by=officer, now=now)
    assert rounds.take_up(again.id, by=by, now=later).state is RoundState.ABANDONED
    (alert,) = alerts.list_open(officer)
    assert alert.details == {"round": again.id, "attempts": rounds.ATTEMPTS_MOST}
    with pytest.raises(Conflict):
        rounds.replay(again.id, by=officer)


def test_a_round_replays_to_the_same_bytes_and_a_touched_record_shows(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    for _ in range(2):
        make_closed(firm, now, sealer)
    officer = make_officer(now=now)
    row = rounds.run_now(firm.zone_id, by=officer, now=later)
    assert row.milliseconds is not None
    same = rounds.replay(row.id, by=officer)
    assert (same.inputs_kept, same.same, same.result) == (True, True, row.result)
    # Somebody with the database makes one offer dearer, and writes the fitting hash beside it.
    inputs = json.loads(json.dumps(row.inputs))
    inputs["offers"][0]["cost"] += 1
    row.inputs, row.inputs_hash = inputs, round_inputs.compute_hash(inputs)
    db.session.commit()
    touched = rounds.replay(row.id, by=officer)
    assert (touched.inputs_kept, touched.same) == (False, False)
    with pytest.raises(Forbidden):
        rounds.replay(row.id, by=firm)


def test_a_settlement_on_inputs_that_moved_is_refused(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, later = make_party(now=now), now + LATER
    make_closed(firm, now, sealer)
    by = clock(firm.zone_id)
    opened = rounds.open_round(firm.zone_id, "slot", later, trigger="clock", by=by, now=later)
    result = clearing.clear(round_inputs.read_instance(opened.inputs))
    inputs = json.loads(json.dumps(opened.inputs))
    inputs["needs"][0]["unplaced_cost"] = 1
    opened.inputs = inputs
    db.session.commit()
    with pytest.raises(Conflict, match="stale"):
        rounds.settle(opened.id, opened.fence, result, by=by, now=later)
    assert db.session.query(Proposal).count() == 0


def test_a_round_keeps_every_limit_and_says_what_it_saved(app: Flask, now: datetime, sealer: Sealer) -> None:
    """Two firms of one industry, two banks; the cheaper one may lend that industry five million only."""
    later = now + LATER
    firms = [make_party(now=now, industry="C39") for _ in range(2)]
    cheap, dear = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    shelf = [make_product(bank, now=now) for bank in (cheap, dear)]
    assert cheap.organisation_id is not None
    limit_settings.set_limit(
        cheap.organisation_id, LimitScope.SECTOR, 5 * MILLION, by=cheap, now=now, sector="C39"
    )
    both = [make_need(firm, now=now) for firm in firms]
    for need, (rate, other) in zip(both, (("0.04", "0.045"), ("0.04", "0.05")), strict=True):
        place_bid(need, shelf[0], cheap, now=now, sealer=sealer, rate=Decimal(rate))
        place_bid(need, shelf[1], dear, now=now, sealer=sealer, rate=Decimal(other))
        opening.open_bids(need.id, by=clock(need.zone_id), now=later, sealer=sealer)
    officer = make_officer(now=now)
    row = rounds.run_now(officer.zone_id, by=officer, now=later)
    winners = {p.need_id: p.bid.organisation_id for p in row.proposals if p.bid is not None}
    # The bank with room for one goes where the other bank is dearer.
    assert winners == {both[0].id: dear.organisation_id, both[1].id: cheap.organisation_id}
    first, second = round_report.tell(row.id, by=officer)
    for story in (first, second):
        assert {party.id for party in story.could} == {cheap.organisation_id, dear.organisation_id}
        assert {party.id for party in story.did} == {cheap.organisation_id, dear.organisation_id}
    # Who does not see a need could not bid on it.
    both[0].visibility = Visibility.EXCEPT
    db.session.add(Audience(need_id=both[0].id, organisation_id=dear.organisation_id))
    db.session.commit()
    hidden, shown = round_report.tell(row.id, by=officer)
    assert {party.id for party in hidden.could} == {cheap.organisation_id}
    assert {party.id for party in shown.could} == {cheap.organisation_id, dear.organisation_id}
    assert first.saved is not None and first.saved < 0 < (second.saved or 0)
    summary = round_report.summarise(row)
    assert (summary.saved, summary.compared) == (first.saved + (second.saved or 0), 2)
    assert summary.gap == 0 and summary.left_cost == 0 and summary.unplaced == 0
    assert summary.placed_cost == summary.objective == summary.bound
    assert (first.proposals[0].why["code"], first.proposals[0].why["needs"]) == (
        "cheaper_used_up",
        [both[1].id],
    )


def test_a_round_of_needs_without_any_live_bid_leaves_them_all_out(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, later = make_party(now=now), now + LATER
    need, (bid,) = make_closed(firm, now, sealer)
    bid.state = BidState.EXPIRED
    db.session.commit()
    row = rounds.run_now(firm.zone_id, by=make_officer(now=now), now=later)
    (proposal,) = row.proposals
    assert (proposal.need_id, proposal.why) == (need.id, {"code": "no_live_bid"})
    assert row.result is not None and row.result["status"] == "optimal"
    assert row.result["objective"] == row.result["bound"] == row.inputs["needs"][0]["unplaced_cost"]
