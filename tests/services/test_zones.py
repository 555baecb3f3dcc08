"""Zones: real ones keep the real time, practice ones run ahead and never back."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from market.errors import Code
from market.vocabulary import OrganisationKind
from models.base import db
from models.zone import Zone
from services import audit, zones
from tests.factories import make_officer, make_party, make_zone
from tests.services.conftest import Refusing


def test_only_a_practice_zones_own_officer_moves_its_clock_and_only_forward(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    practice, real = make_zone(now=now, is_sandbox=True), make_zone(now=now)
    officer, elsewhere = make_officer(now=now, zone_id=practice.id), make_officer(now=now, zone_id=real.id)
    auditor = make_party(OrganisationKind.AGENCY, now=now, zone_id=practice.id)
    day = now + timedelta(days=1)
    for party, zone_id, until, code in (
        (elsewhere, practice.id, day, Code.NOT_FOUND),
        (auditor, practice.id, day, Code.NOT_ALLOWED),
        (elsewhere, real.id, day, Code.ILLEGAL_MOVE),
        (officer, practice.id, now, Code.TOO_EARLY),
        (officer, practice.id, now + timedelta(days=4000), Code.TOO_LATE),
    ):
        with refuses(code):
            zones.fast_forward(zone_id, until, by=party, now=now)
    moved = zones.fast_forward(practice.id, day + timedelta(microseconds=1), by=officer, now=now)
    # Whole seconds, rounded up: the moment asked for has come.
    assert moved.clock_offset_seconds == 86401
    assert audit.list_entries("zones", practice.id)[-1].action == "zone.fast_forward"
    ahead = now + timedelta(seconds=86401)
    with refuses(Code.TOO_LATE, "until"):
        zones.fast_forward(practice.id, ahead + timedelta(days=3653), by=officer, now=ahead)


def test_a_zone_that_ran_ahead_stays_a_practice_zone(app: Flask, now: datetime, refuses: Refusing) -> None:
    practice = make_zone(now=now, is_sandbox=True)
    officer = make_officer(now=now, zone_id=practice.id)
    zones.fast_forward(practice.id, now + timedelta(days=1), by=officer, now=now)
    with refuses(Code.ILLEGAL_MOVE, "is_sandbox"):
        zones.found(practice.code, "真", "Real", now=now)
    with refuses(Code.NOT_A_DATE, "matching_times"):
        zones.found("wrong", "区", "Zone", now=now, matching_times="25:00")


def test_there_is_one_default_zone_and_it_moves_when_asked(app: Flask, now: datetime) -> None:
    first = zones.default()
    assert first is not None
    second = zones.found("second", "二区", "Second", now=now, as_default=True)
    assert [zone.id for zone in db.session.query(Zone).filter(Zone.is_default)] == [second.id]
    assert zones.list_all()[0].id == second.id != first.id
