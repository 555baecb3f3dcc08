"""Expected against started: what the clock owes a zone, and when that becomes an alert."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from market.errors import Forbidden
from market.party import clock
from market.vocabulary import AlertKind
from services import alerts, workload
from services import clock as zone_clock
from services.sealing import Sealer
from tests.factories import make_need, make_officer, make_party, make_zone

CLOSES_IN = timedelta(days=1)


def read(zone_id: int, now: datetime) -> dict[str, tuple[int, int, int]]:
    """Return (expected, started, overdue) by kind."""
    found = workload.read(by=make_officer(now=now, zone_id=zone_id), now=now)
    return {work.kind: (work.expected, work.started, work.overdue) for work in found}


def test_what_falls_due_is_expected_and_overdue_after_ten_minutes(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    zone = make_zone(now=now, matching_times="")
    firm = make_party(now=now, zone_id=zone.id)
    for _ in range(2):
        make_need(firm, now=now, closes_in=CLOSES_IN)
    due = now + CLOSES_IN
    assert read(zone.id, now)["openings"] == (0, 0, 0)
    assert read(zone.id, due + workload.GRACE)["openings"] == (2, 0, 0)
    late = due + workload.GRACE + timedelta(seconds=1)
    assert read(zone.id, late)["openings"] == (2, 0, 2)
    zone_clock.run_due(zone.id, now=late, sealer=sealer)
    assert read(zone.id, late)["openings"] == (2, 2, 0)
    assert read(zone.id, late + workload.SPAN)["openings"] == (0, 0, 0)


def test_every_matching_slot_of_the_week_is_counted_and_the_newest_one_watched(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    zone = make_zone(now=now, matching_times="10:00,15:00")
    # ``now`` is a Friday at ten in the morning: its afternoon follows, then Monday's morning.
    later = now + timedelta(days=3, hours=1)
    expected, started, overdue = read(zone.id, later)["rounds"]
    assert (expected, started, overdue) == (2, 0, 1)
    zone_clock.run_due(zone.id, now=later, sealer=sealer)
    assert read(zone.id, later)["rounds"] == (2, 1, 0)


def test_overdue_work_raises_one_alert_that_settles_itself(app: Flask, now: datetime, sealer: Sealer) -> None:
    zone = make_zone(now=now, matching_times="")
    make_need(make_party(now=now, zone_id=zone.id), now=now, closes_in=CLOSES_IN)
    officer = make_officer(now=now, zone_id=zone.id)
    late = now + CLOSES_IN + timedelta(hours=1)
    for _ in range(2):
        assert workload.watch(zone.id, by=clock(zone.id), now=late)
    (alert,) = alerts.list_open(officer)
    assert (alert.kind, alert.details["work"]) == (AlertKind.WORK_MISSED, {"openings": 1})
    zone_clock.run_due(zone.id, now=late, sealer=sealer)
    assert not workload.watch(zone.id, by=clock(zone.id), now=late)
    assert alerts.list_open(officer) == []


def test_a_firm_does_not_see_the_clock_s_work(app: Flask, now: datetime) -> None:
    with pytest.raises(Forbidden):
        workload.read(by=make_party(now=now), now=now)
