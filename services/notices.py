"""Notices inside the market: sent in the transaction of what they tell of, read by organisation or person.

Whoever delivers notices elsewhere, by mail or call, reads on with ``list_after`` from the last number
delivered.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from market.errors import not_found
from market.party import Party
from market.procurement_vocabulary import NoticeKind
from models.base import db, transaction
from models.notice import Notice

#: Rows written at once: below what either database takes as parameters of one statement.
_BATCH = 500


def send(
    session: Session,
    zone_id: int,
    kind: NoticeKind,
    subject: str,
    *,
    now: datetime,
    organisation_id: int | None = None,
    user_id: int | None = None,
    **details: Any,
) -> None:
    """Tell an organisation or a person, inside the caller's transaction; who was told is not told again.

    Exactly one of ``organisation_id`` and ``user_id``; ``details`` are JSON values.
    """
    _write(
        session,
        [
            {
                "zone_id": zone_id,
                "organisation_id": organisation_id,
                "user_id": user_id,
                "kind": kind,
                "subject": subject,
                "details": details,
                "created_at": now,
            }
        ],
    )


def send_all(
    session: Session,
    zone_id: int,
    kind: NoticeKind,
    told: Iterable[tuple[int, str, dict[str, Any]]],
    *,
    now: datetime,
) -> int:
    """Tell many organisations: (organisation, subject, details) each; returns how many were told anew."""
    rows = [
        {
            "zone_id": zone_id,
            "organisation_id": organisation_id,
            "user_id": None,
            "kind": kind,
            "subject": subject,
            "details": details,
            "created_at": now,
        }
        for organisation_id, subject, details in told
    ]
    return _write(session, rows)


def find_sent(session: Session, zone_id: int, kind: NoticeKind, subjects: Iterable[str]) -> set[str]:
    """Return, of some subjects, those of which somebody in the zone was told already."""
    return set(
        session.scalars(
            select(Notice.subject).where(
                Notice.zone_id == zone_id, Notice.kind == kind, Notice.subject.in_(list(subjects))
            )
        )
    )


def count_unread(by: Party) -> int:
    """Return how many notices to the party nobody has read."""
    return (
        db.session.scalar(select(func.count(Notice.id)).where(_meant_for(by), Notice.read_at.is_(None))) or 0
    )


def list_for(by: Party, *, unread: bool = False, most: int = 500) -> list[Notice]:
    """Return the newest notices to the party's organisation and to the person, newest first."""
    query = select(Notice).where(_meant_for(by)).order_by(Notice.id.desc()).limit(most)
    if unread:
        query = query.where(Notice.read_at.is_(None))
    return list(db.session.scalars(query))


def list_after(notice_id: int, *, most: int = 500) -> list[Notice]:
    """Return the notices written after the one numbered, to anybody, oldest first: for their delivery."""
    return list(
        db.session.scalars(select(Notice).where(Notice.id > notice_id).order_by(Notice.id).limit(most))
    )


def mark_read(notice_id: int, *, by: Party, now: datetime) -> Notice:
    """Note that a notice was read; one that was read already keeps its time. Raises ``NotFound``."""
    with transaction() as session:
        notice = session.scalar(
            select(Notice).where(Notice.id == notice_id, _meant_for(by)).with_for_update()
        )
        if notice is None:
            raise not_found("notice", notice_id)
        if notice.read_at is None:
            # A practice zone's clock is an officer's to move; a notice is never read before it is written.
            notice.read_at, notice.read_by = max(now, notice.created_at), by.user_id
    return notice


def mark_all_read(*, by: Party, now: datetime) -> int:
    """Note that all notices to the party were read; returns how many were not before."""
    with transaction() as session:
        done = session.execute(
            update(Notice)
            .where(_meant_for(by), Notice.read_at.is_(None), Notice.created_at <= now)
            .values(read_at=now, read_by=by.user_id)
            .execution_options(synchronize_session=False)
        )
    return int(done.rowcount)  # type: ignore[attr-defined]


def _meant_for(by: Party) -> ColumnElement[bool]:
    """Return the condition that a notice is to the party's organisation in its zone, or to the person."""
    return and_(
        Notice.zone_id == by.zone_id,
        or_(
            and_(Notice.organisation_id.is_not(None), Notice.organisation_id == by.organisation_id),
            and_(Notice.user_id.is_not(None), Notice.user_id == by.user_id),
        ),
    )


def _write(session: Session, rows: list[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that are there: a race to tell the same thing is nobody's conflict."""
    session.flush()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    written = 0
    for start in range(0, len(rows), _BATCH):
        statement = insert(Notice).values(rows[start : start + _BATCH]).on_conflict_do_nothing()
        written += session.execute(statement).rowcount  # type: ignore[attr-defined]
    return written
