"""The clock ticks for every zone, survives what goes wrong in one, and leads alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import services.clock
from models.base import db, transaction
from models.zone import Zone
from scripts import scheduler
from scripts.scheduler import Leadership, read_seconds, tick
from tests.databases import URL

ROOT = Path(__file__).resolve().parents[2]


def found(code: str, now: datetime, **values: Any) -> int:
    with transaction() as session:
        zone = Zone(code=code, name_zh=f"{code}高新区", name_en=f"{code} zone", created_at=now, **values)
        session.add(zone)
    return zone.id


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[int, datetime]:
    """The zones for which due work was asked for, each with the time it was told."""
    seen: dict[int, datetime] = {}

    def run_due(zone_id: int, *, now: datetime, sealer: object) -> Counter[str]:
        seen[zone_id] = now
        return Counter()

    monkeypatch.setattr(services.clock, "run_due", run_due)
    return seen


@pytest.fixture
def leaderships(database: Flask) -> Iterator[list[Leadership]]:
    """Two clocks on one database."""
    both = [Leadership(database.config[URL]) for _ in range(2)]
    yield both
    for each in both:
        each.release()


def test_every_zone_is_asked_at_its_own_time(
    database: Flask, calls: dict[int, datetime], now: datetime
) -> None:
    with database.app_context():
        real = found("real", now)
        practice = found("practice", now, is_sandbox=True, clock_offset_seconds=86_400)
        everywhere = set(db.session.scalars(select(Zone.id)))
    tick(database)
    assert set(calls) == everywhere
    assert abs(calls[real] - datetime.now(UTC)) < timedelta(minutes=1)
    assert timedelta(hours=23) < calls[practice] - calls[real] < timedelta(hours=25)


def test_a_fault_in_one_zone_is_logged_and_stops_nobody_else(
    database: Flask, monkeypatch: pytest.MonkeyPatch, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.app_context():
        broken, sound = found("broken", now), found("sound", now)
    asked: list[int] = []

    def run_due(zone_id: int, *, now: datetime, sealer: object) -> Counter[str]:
        asked.append(zone_id)
        if zone_id == broken:
            # It dies in the middle of a change, which must neither be kept nor stand in anybody's way.
            with transaction() as session:
                session.get_one(Zone, zone_id).name_en = "half done"
                session.flush()
                raise ValueError("开标失败")
        with transaction() as session:
            session.get_one(Zone, zone_id).name_en = "done"
        return Counter()

    monkeypatch.setattr(services.clock, "run_due", run_due)
    monkeypatch.setenv("LOG_LEVEL", "")
    scheduler.configure_log()
    tick(database)
    tick(database)
    assert asked.count(broken) == asked.count(sound) == 2
    with database.app_context():
        assert db.session.get_one(Zone, broken).name_en == "broken zone"
        assert db.session.get_one(Zone, sound).name_en == "done"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    entry = json.loads(lines[0])
    assert (entry["event"], entry["level"], entry["zone_id"]) == ("tick failed", "error", broken)
    assert "ValueError: 开标失败" in lines[0]


def test_a_database_that_is_gone_does_not_end_the_clock(
    database: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leading() -> bool:
        raise ConnectionError("the database is gone")

    scheduler.configure_log()
    tick(database, leading)
    assert "the database is gone" in capsys.readouterr().err


def test_one_clock_leads_and_another_follows_when_it_is_gone(leaderships: list[Leadership]) -> None:
    first, second = leaderships
    assert [first.held(), second.held(), first.held()] == [True, False, True]
    first.release()
    assert second.held()
    assert not first.held()


def test_a_clock_that_does_not_lead_does_nothing(
    database: Flask, calls: dict[int, datetime], leaderships: list[Leadership], now: datetime
) -> None:
    with database.app_context():
        found("real", now)
    first, second = leaderships
    assert first.held()
    tick(database, second.held)
    assert not calls
    tick(database, first.held)
    assert calls


@pytest.mark.parametrize("value", ["0", "-5", "abc", "nan", "inf", "1e9"])
def test_an_impossible_rhythm_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="CUOHE_TICK_SECONDS must be a number of seconds") as fault:
        read_seconds(value)
    assert repr(value) in str(fault.value)


def test_the_clock_ticks_every_five_seconds_unless_told_otherwise() -> None:
    assert (read_seconds(""), read_seconds("0.5")) == (5.0, 0.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_clock_in_order(database: Flask, number: signal.Signals) -> None:
    process = start_clock(database)
    process.send_signal(number)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert json.loads(log.splitlines()[-1])["event"] == "clock stopped"
    assert "Traceback" not in log


def test_a_second_clock_takes_over_from_a_killed_one(database: Flask) -> None:
    first = start_clock(database)
    probe = Leadership(database.config[URL])
    until_false(probe)
    first.kill()
    first.communicate(timeout=30)
    end = time.monotonic() + 20
    while not probe.held() and time.monotonic() < end:
        time.sleep(0.1)
    assert probe.held()
    probe.release()


def until_false(probe: Leadership) -> None:
    """Wait until somebody else leads."""
    end = time.monotonic() + 20
    while probe.held() and time.monotonic() < end:
        probe.release()
        time.sleep(0.3)
    assert not probe.held()


def start_clock(application: Flask) -> subprocess.Popen[str]:
    """Start a real clock on the database and wait until it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.scheduler"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": application.config[URL],
            "LOG_LEVEL": "INFO",
            "CUOHE_TICK_SECONDS": "0.2",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert json.loads(process.stderr.readline())["event"] == "clock started"
    # A tick or two, so that the signal meets a clock at work.
    time.sleep(0.5)
    return process
