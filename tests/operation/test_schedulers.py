"""Four clocks on fifty due rounds: each need is opened once, each slot cleared once, and all is counted."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.party import clock
from market.vocabulary import AlertKind, NeedState, OrganisationKind, ProposalState, RoundState
from models.alert import Alert
from models.audit import AuditEntry
from models.base import db
from models.need import Need
from models.round import MatchingRound, Proposal
from models.zone import Outage
from scripts import scheduler
from services import workload
from services.clock import run_due
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import make_need, make_party, make_product, make_zone, place_bid
from tests.operation.actors import DONE, KILLED, Actors

ZONES, CLOCKS = 50, 4
SECONDS = 60.0


def make_zones(count: int, now: datetime, sealer: Sealer) -> list[int]:
    """Found zones with a sealed bid on one need each; needs close, and slots fall due, three days later."""
    found = []
    for _ in range(count):
        zone_id = make_zone(now=now).id
        firm = make_party(now=now, zone_id=zone_id)
        bank = make_party(OrganisationKind.BANK, now=now, zone_id=zone_id)
        need = make_need(firm, now=now, minimum_bids=1)
        place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer)
        found.append(zone_id)
    return found


def count_work(zone_ids: list[int], now: datetime) -> Counter[tuple[str, int, int]]:
    """Return how many zones have which kind of work, expected and started."""
    db.session.rollback()
    db.session.expire_all()
    return Counter(
        (work.kind, work.expected, work.started)
        for zone_id in zone_ids
        for work in workload.count(db.session(), zone_id, now)
        if work.kind != "lapses"
    )


def check_all_done_once(zone_ids: list[int]) -> None:
    db.session.rollback()
    db.session.expire_all()
    rows = db.session.scalars(select(MatchingRound).where(MatchingRound.zone_id.in_(zone_ids))).all()
    assert Counter(row.state for row in rows) == {RoundState.SETTLED: ZONES}
    assert {row.zone_id for row in rows} == set(zone_ids)
    assert {row.placed_count for row in rows} == {1}
    made = select(Proposal.state).where(Proposal.round_id.in_([row.id for row in rows]))
    assert Counter(db.session.scalars(made)) == {ProposalState.PROPOSED: ZONES}
    needs = db.session.scalars(select(Need.state).where(Need.zone_id.in_(zone_ids)))
    assert Counter(needs) == {NeedState.CLOSED: ZONES}
    for action in ("need.open_bids", "round.settle"):
        noted = select(AuditEntry.subject_id).where(
            AuditEntry.action == action, AuditEntry.zone_id.in_(zone_ids)
        )
        entries = db.session.scalars(noted).all()
        assert len(entries) == len(set(entries)) == ZONES, action
    assert not db.session.scalars(select(Outage)).all()


def tick_all(zone_ids: list[int], now: datetime, sealer: Sealer) -> None:
    """Do what is due in all zones, as a clock does that leads."""
    for zone_id in zone_ids:
        try:
            run_due(zone_id, now=now, sealer=sealer)
        except ExceptionGroup as faults:
            raise RuntimeError(f"zone {zone_id}: {faults.exceptions!r}") from faults


def test_four_clocks_that_all_believe_to_lead_clear_fifty_rounds_once(
    app: Flask, actors: Actors, now: datetime, sealer: Sealer
) -> None:
    (other_id, *zone_ids), url = make_zones(1 + ZONES, now, sealer), app.config[URL]
    later = now + timedelta(days=3, seconds=1)
    waiting = {("openings", 1, 0): ZONES, ("rounds", 1, 0): ZONES}
    assert count_work(zone_ids, later) == waiting
    db.session.rollback()
    assert actors.rehearse(url, partial(tick_all, [other_id], later, sealer)) == DONE
    # All four go through the zones in the same order, so that they meet in each of them.
    running = [actors.start(url, partial(tick_all, zone_ids, later, sealer)) for _ in range(CLOCKS)]
    assert [actors.wait(one) for one in running] == [DONE] * CLOCKS
    check_all_done_once(zone_ids)
    assert count_work(zone_ids, later) == {("openings", 1, 1): ZONES, ("rounds", 1, 1): ZONES}
    assert db.session.scalar(select(func.count(Alert.id))) == 0


def run_clock(url: str, log: Path) -> None:
    """Be a scheduler until a signal ends it."""
    os.environ.update(DATABASE_URL=url, CUOHE_TICK_SECONDS="0.2", LOG_LEVEL="INFO")
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    if scheduler.main() != 0:
        raise RuntimeError("the clock did not run")


@pytest.fixture
def clocks() -> Iterator[list[int]]:
    """The processes of schedulers that run; none is left behind."""
    running: list[int] = []
    yield running
    for process in running:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def wait_for(what: Callable[[], int], count: int) -> None:
    """Wait until so many of something are counted."""
    until = time.monotonic() + SECONDS
    while what() < count:
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.05)


def count_settled() -> int:
    db.session.rollback()
    return db.session.query(MatchingRound).filter_by(state=RoundState.SETTLED).count()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_four_schedulers_of_which_one_is_killed_clear_fifty_rounds_once(
    app: Flask, actors: Actors, clocks: list[int], sealer: Sealer, tmp_path: Path
) -> None:
    """The schedulers read the clock: what fell due did so in the last weeks, while none was running."""
    now = datetime.now(UTC)
    zone_ids = make_zones(ZONES, now - timedelta(days=20), sealer)
    # Long overdue: a person is told before anybody works.
    assert workload.watch(zone_ids[0], by=clock(zone_ids[0]), now=now)
    db.session.rollback()
    log = tmp_path / "log"
    deed = partial(run_clock, app.config[URL], log)
    clocks.append(actors.start(app.config[URL], deed))
    wait_for(count_settled, 5)
    clocks.extend(actors.start(app.config[URL], deed) for _ in range(CLOCKS - 1))
    first = clocks.pop(0)
    os.kill(first, signal.SIGKILL)
    assert actors.wait(first) == KILLED
    wait_for(count_settled, ZONES)
    # Who hears a signal before it has begun is no clock yet.
    wait_for(lambda: log.read_text().count("clock started"), CLOCKS)
    db.session.rollback()
    # They finish the tick they are at and find nothing left.
    for process in clocks:
        os.kill(process, signal.SIGTERM)
    assert [actors.wait(clocks.pop(0)) for _ in range(CLOCKS - 1)] == [DONE] * (CLOCKS - 1)
    assert "tick failed" not in log.read_text()
    check_all_done_once(zone_ids)
    (alert,) = db.session.scalars(select(Alert))
    assert (alert.kind, alert.resolution) == (AlertKind.WORK_MISSED, "caught_up")
