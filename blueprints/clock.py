"""The time of a request, read once at its start and handed down to every service as ``now``.

On PostgreSQL the database's clock rules, so that several web hosts agree to the millisecond on who was
in time; on SQLite there is one host and its clock does. A practice zone (sandbox) adds its offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from models.base import db
from models.zone import Zone


def read(zone: Zone | None = None) -> datetime:
    """Return the aware UTC time in ``zone``; without one, the real time."""
    if db.engine.dialect.name == "postgresql":
        # clock_timestamp() moves inside a transaction, unlike now().
        real: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
        real = real.astimezone(UTC)
    else:
        real = datetime.now(UTC)
    return in_zone(real, zone)


def in_zone(real: datetime, zone: Zone | None) -> datetime:
    """Return what the real time is in a zone: its own in a practice zone, else the same."""
    return real + timedelta(seconds=zone.clock_offset_seconds if zone is not None else 0)
