"""Zones: finding them, founding them, and moving the clock of a practice zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select, update

from market import lifecycle
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import Capability
from models.base import db, transaction
from models.zone import ClockBeat, Zone
from services import audit

#: As far as a practice zone's clock may run ahead of the real one, in all.
AHEAD_MOST = timedelta(days=3653)


def find(zone_id: int) -> Zone | None:
    """Return the zone, or None."""
    return db.session.get(Zone, zone_id)


def find_by_code(code: str) -> Zone:
    """Return the zone with this code; raises ``NotFound``."""
    zone = db.session.scalar(select(Zone).where(Zone.code == code))
    if zone is None:
        raise not_found("zone", code)
    return zone


def default() -> Zone | None:
    """Return the default zone, which every upgraded database has; None before the first upgrade."""
    return db.session.scalar(select(Zone).where(Zone.is_default))


def list_all() -> list[Zone]:
    """Return every zone, the default one first."""
    return list(db.session.scalars(select(Zone).order_by(Zone.is_default.desc(), Zone.code)))


def found(
    code: str,
    name_zh: str,
    name_en: str,
    *,
    now: datetime,
    is_sandbox: bool = False,
    as_default: bool = False,
    matching_times: str = "10:00",
    acceptance_days: int | None = None,
) -> Zone:
    """Found a zone, or change the zone that has this code; the default one moves when asked."""
    try:
        lifecycle.parse_times(matching_times)
    except ValueError as error:
        raise invalid(Code.NOT_A_DATE, "matching_times", value=matching_times) from error
    with transaction() as session:
        zone = session.scalar(select(Zone).where(Zone.code == code).with_for_update())
        if zone is None:
            zone = Zone(code=code, created_at=now)
            session.add(zone)
        if zone.clock_offset_seconds and not is_sandbox:
            raise conflict(Code.ILLEGAL_MOVE, "is_sandbox", state="fast_forwarded", move="make_real")
        zone.name_zh, zone.name_en = name_zh, name_en
        zone.is_sandbox, zone.matching_times = is_sandbox, matching_times
        if acceptance_days is not None:
            zone.acceptance_days = acceptance_days
        if as_default and not zone.is_default:
            session.execute(update(Zone).where(Zone.is_default).values(is_default=False))
            zone.is_default = True
    return zone


def rename_default(
    code: str,
    name_zh: str,
    name_en: str,
    *,
    is_sandbox: bool,
    matching_times: str,
    acceptance_days: int | None = None,
) -> Zone:
    """Give the default zone, which the first migration seeds, its own name, timetable and window."""
    with transaction() as session:
        zone = session.scalars(select(Zone).where(Zone.is_default).with_for_update()).one()
        zone.code, zone.name_zh, zone.name_en = code, name_zh, name_en
        zone.is_sandbox, zone.matching_times = is_sandbox, matching_times
        if acceptance_days is not None:
            zone.acceptance_days = acceptance_days
    return zone


def fast_forward(zone_id: int, until: datetime, *, by: Party, now: datetime) -> Zone:
    """Move a practice zone's clock forward to ``until``; raises for a real zone or a moment in the past.

    The offset only grows: a market's past cannot be replayed. It ends ten years ahead, because nothing
    could ever bring a zone back from the end of the calendar.
    """
    by.require(Capability.OFFICER)
    with transaction() as session:
        zone = session.get(Zone, zone_id, with_for_update=True)
        if zone is None or zone.id != by.zone_id:
            raise not_found("zone", zone_id)
        if not zone.is_sandbox:
            raise conflict(Code.ILLEGAL_MOVE, state="real", move="fast_forward")
        if until <= now:
            raise invalid(Code.TOO_EARLY, "until", until=now.isoformat())
        ahead = ceil((until - now).total_seconds())
        if zone.clock_offset_seconds + ahead > AHEAD_MOST.total_seconds():
            latest = now + AHEAD_MOST - timedelta(seconds=zone.clock_offset_seconds)
            raise invalid(Code.TOO_LATE, "until", deadline=latest.isoformat())
        zone.clock_offset_seconds += ahead
        beat = session.get(ClockBeat, zone_id, with_for_update=True)
        if beat is not None:
            # The clock stood still for nobody: what it last saw moves along with the zone's time.
            beat.at += timedelta(seconds=ahead)
        audit.record(session, "zone.fast_forward", zone, by=by, now=now, until=until.isoformat())
    return zone
