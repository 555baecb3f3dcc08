"""Whoever stands still while another does its work finds it done: a late write is refused."""

from __future__ import annotations

import signal
import time
from datetime import datetime
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, text

from market import clearing
from market.party import clock
from market.vocabulary import RoundState
from models.audit import AuditEntry
from models.base import db
from models.need import Need
from models.round import MatchingRound
from services import opening, rounds
from services.clock import run_due
from services.sealing import Sealer
from tests.databases import URL
from tests.operation.actors import DONE, STOPPED, Actors, Mark, When
from tests.operation.scenes import LATER, list_proposed, make_scene, tell
from tests.services.conftest import take_print

ENTRY = "INSERT INTO audit_entries"
OPENED = Mark("the round opened, not solved", When.COMMITTED, ENTRY, "round.open")
SOLVED = Mark("the round solved, not settled", When.RETURNED, "market.clearing.clear")
SLOT = "2026-11-23T10:00:00+08:00"


def hold_round(zone_id: int, now: datetime) -> None:
    """Open the slot's round, solve it and settle it, as ``rounds.run`` does, but telling of a refusal."""
    by = clock(zone_id)
    opened = rounds.open_round(zone_id, SLOT, now, trigger="clock", by=by, now=now)
    round_id, fence = opened.id, opened.fence
    result = clearing.clear(rounds.read_instance(opened.inputs))
    rounds.settle(round_id, fence, result, by=by, now=now)


@pytest.mark.parametrize("mark", [OPENED, SOLVED], ids=["opened", "solved"])
def test_the_late_settlement_of_a_round_that_another_took_over_is_refused(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer, mark: Mark
) -> None:
    url, later = app.config[URL], now + LATER
    scene, twin = (make_scene(7, now=now, sealer=sealer) for _ in range(2))
    for each in (scene, twin):
        for need_id in each.need_ids:
            opening.open_bids(need_id, by=clock(each.zone_id), now=later, sealer=sealer)
    assert actors.rehearse(url, partial(run_due, twin.zone_id, now=later, sealer=sealer)) == DONE
    late = actors.start(url, partial(hold_round, scene.zone_id, later), mark, blow=signal.SIGSTOP)
    assert actors.wait(late) == STOPPED
    # A second owner opens the slot anew and stands still as well; then a third one finishes it.
    second = actors.start(url, partial(hold_round, scene.zone_id, later), mark, blow=signal.SIGSTOP)
    assert actors.wait(second) == STOPPED
    # The first one's write comes while the round is open, but it is the second one's.
    assert actors.resume(late) == "stale"
    assert not list_proposed(scene.zone_id)
    assert actors.run(url, partial(run_due, scene.zone_id, now=later, sealer=sealer)) == DONE
    settled = take_print()
    assert actors.resume(second) == "stale"
    assert take_print() == settled
    (row,) = db.session.scalars(select(MatchingRound).where(MatchingRound.zone_id == scene.zone_id))
    assert (row.state, row.fence) == (RoundState.SETTLED, 3)
    assert tell(scene.zone_id) == tell(twin.zone_id)


def test_a_clock_that_stood_still_before_an_opening_finds_it_done(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer
) -> None:
    url, later = app.config[URL], now + LATER
    scene = make_scene(7, now=now, sealer=sealer)
    deed = partial(run_due, scene.zone_id, now=later, sealer=sealer)
    # It knows which needs are due and has not locked the first one yet.
    due = Mark("what is due was listed", When.CALLED, "services.opening.open_bids")
    late = actors.start(url, deed, due, blow=signal.SIGSTOP)
    assert actors.wait(late) == STOPPED
    assert actors.run(url, deed) == DONE
    done = take_print()
    assert actors.resume(late) == DONE
    assert take_print() == done


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_opener_whose_connection_was_cut_writes_nothing_any_more(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer
) -> None:
    url, later = app.config[URL], now + LATER
    scene = make_scene(7, now=now, sealer=sealer)
    deed = partial(opening.open_bids, scene.need_ids[0], by=clock(scene.zone_id), now=later, sealer=sealer)
    half = Mark("bids put in clear", When.WRITTEN, "UPDATE bids")
    late = actors.start(url, deed, half, blow=signal.SIGSTOP)
    assert actors.wait(late) == STOPPED
    # It holds the need's lock; whoever runs the database ends its session.
    ended = db.session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    ).all()
    assert ended == [(True,)]
    db.session.rollback()
    assert actors.run(url, deed) == DONE
    done = take_print()
    assert "OperationalError" in actors.resume(late)
    assert take_print() == done
    noted = select(AuditEntry.id).where(AuditEntry.action == "need.open_bids")
    assert len(db.session.scalars(noted).all()) == 1
    assert db.session.get_one(Need, scene.need_ids[0]).closed_at == later


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_second_owner_that_comes_in_the_middle_of_a_settlement_waits_and_never_in_a_circle(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer
) -> None:
    url, later = app.config[URL], now + LATER
    scene, twin = (make_scene(8, now=now, sealer=sealer) for _ in range(2))
    assert actors.rehearse(url, partial(run_due, twin.zone_id, now=later, sealer=sealer)) == DONE
    proposed = Mark("proposals written", When.WRITTEN, "INSERT INTO proposals")
    deed = partial(run_due, scene.zone_id, now=later, sealer=sealer)
    first = actors.start(url, deed, proposed, blow=signal.SIGSTOP)
    assert actors.wait(first) == STOPPED
    second = actors.start(url, deed)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    until = time.monotonic() + 15
    while db.session.scalar(waiting) == 0:
        assert time.monotonic() < until, "nobody waits for the round"
        db.session.rollback()
        time.sleep(0.02)
    db.session.rollback()
    assert (actors.resume(first), actors.wait(second)) == (DONE, DONE)
    (row,) = db.session.scalars(select(MatchingRound).where(MatchingRound.zone_id == scene.zone_id))
    assert (row.state, row.fence) == (RoundState.SETTLED, 1)
    assert tell(scene.zone_id) == tell(twin.zone_id)
