"""The clock repairs what it finds: broken bids, rounds cut off half-way, work done twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from market import clearing
from market.errors import Code, Conflict
from market.party import clock
from market.vocabulary import BidState, NeedState, OrganisationKind, RoundState
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from services import bids, opening, rounds
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_need, make_party, make_product, place_bid

LATER = timedelta(days=3, seconds=1)


def test_a_bid_with_a_broken_seal_is_refused_and_the_others_are_ranked(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    placed = []
    for _ in range(2):
        bank = make_party(OrganisationKind.BANK, now=now)
        placed.append(place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer))
    with transaction() as session:
        touched = session.get_one(Bid, placed[0].id)
        touched.seal = touched.seal[:-1] + bytes([touched.seal[-1] ^ 1])
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    broken, sound = db.session.get_one(Bid, placed[0].id), db.session.get_one(Bid, placed[1].id)
    assert (broken.state, broken.rank, broken.reason) == (BidState.REFUSED, None, {"code": "seal_broken"})
    assert (sound.state, sound.rank) == (BidState.LIVE, 1)


def test_a_bid_sealed_for_one_need_does_not_open_on_another(app: Flask, sealer: Sealer) -> None:
    sealed = sealer.seal(1, {"offer": {}})
    with pytest.raises(Exception, match="seal_broken"):
        sealer.open(2, sealed.blob)


def test_opening_twice_or_too_early_changes_nothing(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    by = clock(firm.zone_id)
    opening.open_bids(need.id, by=by, now=now + timedelta(days=1), sealer=sealer)
    assert db.session.get_one(Need, need.id).state is NeedState.OPEN
    first = opening.open_bids(need.id, by=by, now=now + LATER, sealer=sealer).closed_at
    assert opening.open_bids(need.id, by=by, now=now + LATER * 2, sealer=sealer).closed_at == first


def test_a_round_cut_off_before_its_settlement_is_finished_by_the_next_tick(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now)
    place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    monday = now + LATER
    by = clock(firm.zone_id)
    opening.open_bids(need.id, by=by, now=monday, sealer=sealer)
    slot = monday.replace(second=0)
    # As if the process died after opening the round: the record stands, nothing was proposed.
    cut = rounds.open_round(
        firm.zone_id, "2026-11-23T10:00:00+08:00", slot, trigger="clock", by=by, now=monday
    )
    round_id, old_fence, inputs = cut.id, cut.fence, dict(cut.inputs)
    assert run_due(firm.zone_id, now=monday + timedelta(seconds=5), sealer=sealer)["rounds"] == 1
    finished = rounds.list_rounds(firm.zone_id)[0]
    assert (finished.id, finished.state, finished.placed_count) == (round_id, RoundState.SETTLED, 1)
    # Whoever still computed on the old inputs is refused.
    with pytest.raises(Conflict) as stale:
        result = clearing.clear(rounds.read_instance(inputs))
        rounds.settle(round_id, old_fence, result, by=by, now=monday + timedelta(seconds=6))
    assert stale.value.faults[0].code is Code.STALE


def test_a_stored_round_replays_to_the_same_result(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    for _ in range(3):
        need = make_need(firm, now=now)
        for _ in range(2):
            bank = make_party(OrganisationKind.BANK, now=now)
            place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    (row,) = rounds.list_rounds(firm.zone_id)
    assert rounds.describe(clearing.clear(rounds.read_instance(row.inputs))) == row.result


def test_one_piece_of_work_that_fails_does_not_hold_up_the_others(
    app: Flask, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = make_party(now=now)
    bad, good = make_need(firm, now=now), make_need(firm, now=now, closes_in=timedelta(days=3, seconds=1))
    real = opening.open_bids

    def fail_once(need_id: int, **rest: object) -> Need:
        if need_id == bad.id:
            raise OSError("disk full")
        return real(need_id, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(opening, "open_bids", fail_once)
    with pytest.raises(ExceptionGroup) as caught:
        run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    assert [str(fault) for fault in caught.value.exceptions] == ["disk full"]
    assert db.session.get_one(Need, good.id).state is NeedState.UNSUCCESSFUL
    monkeypatch.undo()
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    assert db.session.get_one(Need, bad.id).state is NeedState.UNSUCCESSFUL


def test_a_round_leaves_out_bids_that_no_longer_hold(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    need = make_need(firm, now=now)
    until = bids.earliest_validity(need)
    place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer, valid_until=until)
    run_due(firm.zone_id, now=now + LATER, sealer=sealer)
    inputs = rounds.list_rounds(firm.zone_id)[0].inputs
    assert [offer["need"] for offer in inputs["offers"]] == [need.id]
    need_row = db.session.get_one(Need, need.id)
    assert need_row.accept_until is not None and need_row.accept_until <= until + timedelta(seconds=1)
