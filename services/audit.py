"""The audit log: every deed writes one entry in its own transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.party import Party
from models.audit import AuditEntry
from models.base import Base, db, transaction
from models.zone import Zone


def record(
    session: Session, action: str, row: Base, *, by: Party | None, now: datetime, **details: Any
) -> None:
    """Add the entry of ``action`` on ``row``, inside the caller's transaction.

    ``details`` are JSON values. Nothing of a sealed bid but its hash may stand in them.
    """
    session.flush()
    session.add(
        AuditEntry(
            zone_id=by.zone_id if by else getattr(row, "zone_id", None),
            at=now,
            user_id=by.user_id if by else None,
            organisation_id=by.organisation_id if by else None,
            action=action,
            subject=row.__tablename__,
            subject_id=row.id,  # type: ignore[attr-defined]
            details=details,
        )
    )


def note(action: str, zone_id: int, *, now: datetime, by: Party | None = None, **details: Any) -> None:
    """Record a deed about a whole zone, such as a load of data, in a transaction of its own."""
    with transaction() as session:
        record(session, action, session.get_one(Zone, zone_id), by=by, now=now, **details)


def list_entries(subject: str, subject_id: int) -> list[AuditEntry]:
    """Return what was done to one row, oldest first."""
    return list(
        db.session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject == subject, AuditEntry.subject_id == subject_id)
            .order_by(AuditEntry.id)
        )
    )


def list_recent(zone_id: int, most: int = 50) -> list[AuditEntry]:
    """Return the newest entries of a zone."""
    return list(
        db.session.scalars(
            select(AuditEntry).where(AuditEntry.zone_id == zone_id).order_by(AuditEntry.id.desc()).limit(most)
        )
    )
