"""The clock's work watched: how much was expected in a zone, how much was started, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from market import lifecycle
from market.party import Party
from market.reference import calendar
from market.vocabulary import AlertKind, Capability, NeedState, RoundState
from models.base import db, transaction
from models.need import BidRound, Need
from models.round import MatchingRound
from models.zone import Zone
from services import alerts, needs

#: The clock may be this late before it is a matter for people.
GRACE = timedelta(minutes=10)
#: How far back expected and started work are counted.
SPAN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of timed work: what fell due within ``SPAN``, what of it was done, and what still waits.

    ``overdue`` counts what waits for longer than ``GRACE``, since ``oldest``. A matching slot that nobody
    ran before the next one counts as never started, but it is not overdue: the next round cleared for both.
    """

    kind: str
    expected: int
    started: int
    overdue: int
    oldest: datetime | None


def read(*, by: Party, now: datetime) -> list[Work]:
    """Return the zone's timed work of the last days; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return count(db.session(), by.zone_id, now)


def watch(zone_id: int, *, by: Party, now: datetime) -> bool:
    """Raise an alert for work that is overdue, or settle it once all is done; say whether any is overdue.

    The clock asks this after its own work: what it could not do for ten minutes needs a person.
    """
    late = [work for work in count(db.session(), zone_id, now) if work.overdue]
    subject = f"zone:{zone_id}"
    if bool(late) == alerts.is_open(AlertKind.WORK_MISSED, subject):
        return bool(late)
    with transaction() as session:
        if late:
            details = {work.kind: work.overdue for work in late}
            alerts.raise_alert(session, zone_id, AlertKind.WORK_MISSED, subject, now=now, work=details)
        else:
            alerts.settle(session, AlertKind.WORK_MISSED, subject, "caught_up", now=now)
    return bool(late)


def count(session: Session, zone_id: int, now: datetime) -> list[Work]:
    """Return what was expected and started of every kind of timed work, from what is stored."""
    return [
        _count_rounds(session, session.get_one(Zone, zone_id), now),
        _count_closes(session, zone_id, now),
        _count_lapses(session, zone_id, now),
    ]


def _count_rounds(session: Session, zone: Zone, now: datetime) -> Work:
    times = lifecycle.parse_times(zone.matching_times)
    slots = lifecycle.list_slots(max(now - SPAN, zone.created_at), now, times, calendar())
    keys = {slot.isoformat(): slot for slot in slots}
    settled = set(
        session.scalars(
            select(MatchingRound.slot).where(
                MatchingRound.zone_id == zone.id,
                MatchingRound.slot.in_(keys),
                MatchingRound.state == RoundState.SETTLED,
            )
        )
    )
    late = bool(slots) and slots[-1].isoformat() not in settled and slots[-1] < now - GRACE
    if late:
        # A clock that was set back sees a slot that a later round has cleared for.
        newest = session.scalar(
            select(func.max(MatchingRound.scheduled_at)).where(
                MatchingRound.zone_id == zone.id,
                MatchingRound.trigger == "clock",
                MatchingRound.state == RoundState.SETTLED,
            )
        )
        late = newest is None or newest < slots[-1]
    return Work("rounds", len(slots), len(settled), int(late), slots[-1] if late else None)


def _count_closes(session: Session, zone_id: int, now: datetime) -> Work:
    waiting = and_(
        BidRound.closed_at.is_(None), Need.state == NeedState.OPEN, BidRound.closes_at < now - GRACE
    )
    expected, started, overdue, oldest = session.execute(
        select(
            func.count(BidRound.id),
            func.count(BidRound.closed_at),
            func.count().filter(waiting),
            func.min(BidRound.closes_at).filter(waiting),
        )
        .join(Need, BidRound.need_id == Need.id)
        .where(
            Need.zone_id == zone_id,
            BidRound.closes_at.between(now - SPAN, now),
            # A need that its firm took back is not opened any more.
            Need.state.not_in((NeedState.WITHDRAWN, NeedState.DRAFT)),
        )
    ).one()
    return Work("openings", expected, started, overdue, oldest)


def _count_lapses(session: Session, zone_id: int, now: datetime) -> Work:
    lapsed = and_(Need.state == NeedState.UNSUCCESSFUL, Need.reason == "not_accepted_in_time")
    due = and_(Need.state == NeedState.CLOSED, ~needs.has_standing_award())
    waiting = and_(due, Need.accept_until < now - GRACE)
    expected, started, overdue, oldest = session.execute(
        select(
            func.count(Need.id),
            func.count(Need.id).filter(lapsed),
            func.count().filter(waiting),
            func.min(Need.accept_until).filter(waiting),
        ).where(Need.zone_id == zone_id, Need.accept_until.between(now - SPAN, now), lapsed | due)
    ).one()
    return Work("lapses", expected, started, overdue, oldest)
