"""Outages: a time in which the market could not be used moves every deadline in it, all by its length.

The clock notices by itself that it stood still (``beat``); what it could not see, such as a web server
that was down while the clock ran, an officer declares. What follows from a deadline that was moved is not
moved again, and what happened at its former time already (an opening, a lapse) is not undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.errors import Code, Fault, Invalid, conflict
from market.party import Party, clock
from market.vocabulary import AlertKind, BidState, Capability, NeedState
from models.base import db, transaction
from models.bid import Bid, Justification
from models.loan import Loan
from models.need import BidRound, Need
from models.review import Review
from models.zone import ClockBeat, Outage, Zone
from services import alerts, audit

#: An outage declared by hand may reach ahead (announced works), and is no longer than this.
LONGEST = timedelta(days=7)
#: The longest reason.
REASON_MOST = 300

_FROM_CLOCK, _FROM_OFFICER = "clock", "officer"
_PUBLISHED = (NeedState.CLOSED, NeedState.AWARDED, NeedState.UNSUCCESSFUL)


@dataclass(frozen=True, slots=True)
class Gap:
    """The time from ``start`` to ``end``: a deadline is in it from just after its start to its very end."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it lasted, which is by how much deadlines move."""
        return self.end - self.start


def beat(zone_id: int, *, now: datetime) -> Outage | None:
    """Note that the clock looks at a zone now; returns the outage where it had not done so for too long.

    Longer than the zone's ``outage_minutes`` is an outage: every deadline in the gap moves, under its row's
    lock and in the beat's own transaction, so that a crash leaves either both or neither and a second clock
    finds nothing left to move. To be called before any work that is due. The first beat ever notes the time
    alone; one that comes late to its lock sets nothing back. A practice zone's beat moves with its clock
    (``zones.fast_forward``), so that leaping ahead is no outage.
    """
    with transaction() as session:
        row = session.get(ClockBeat, zone_id, with_for_update=True)
        if row is None:
            # The first beat of all is one of two only where both hold the zone's lock in turn.
            session.get_one(Zone, zone_id, with_for_update={"key_share": True})
            row = session.get(ClockBeat, zone_id, with_for_update=True)
        if row is None:
            session.add(ClockBeat(zone_id=zone_id, at=now))
            return None
        since = row.at
        row.at = max(since, now)
        zone = session.get_one(Zone, zone_id)
        if now - since <= timedelta(minutes=zone.outage_minutes):
            return None
        return _record(session, zone_id, Gap(since, now), _FROM_CLOCK, "", by=clock(zone_id), now=now)


def declare(started_at: datetime, ended_at: datetime, reason: str, *, by: Party, now: datetime) -> Outage:
    """Record an outage that the clock could not see, and move the deadlines in it that still stand.

    It has begun already; its end may be foreseen. What was opened or lapsed in it already is listed with
    the outage as not moved. Raises ``Invalid`` for its times or reason, ``Conflict`` (already_exists) where
    it overlaps one on record: a deadline is moved once for each moment lost.
    """
    by.require(Capability.OFFICER)
    reason = reason.strip()
    faults = _check(started_at, ended_at, reason, now)
    if faults:
        raise Invalid(*faults)
    with transaction() as session:
        # Two officers who report the same outage follow one another here.
        session.get_one(Zone, by.zone_id, with_for_update={"key_share": True})
        known = session.scalar(
            select(Outage)
            .where(Outage.zone_id == by.zone_id, Outage.started_at < ended_at, Outage.ended_at > started_at)
            .order_by(Outage.id)
            .limit(1)
        )
        if known is not None:
            when = known.started_at.isoformat()
            raise conflict(Code.ALREADY_EXISTS, "started_at", what="outage", value=when)
        gap = Gap(started_at, ended_at)
        return _record(session, by.zone_id, gap, _FROM_OFFICER, reason, by=by, now=now)


def list_all(by: Party, most: int = 200) -> list[Outage]:
    """Return the newest outages of the party's zone; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return list(
        db.session.scalars(
            select(Outage).where(Outage.zone_id == by.zone_id).order_by(Outage.id.desc()).limit(most)
        )
    )


def read_moved(outage: Outage) -> list[dict[str, Any]]:
    """Return the deadlines in an outage with their times as moments; ``after`` is None for those kept."""
    return [
        {**one, **{name: one[name] and datetime.fromisoformat(one[name]) for name in ("before", "after")}}
        for one in outage.moved
    ]


def read_beat(zone_id: int) -> datetime | None:
    """Return when the clock last looked at a zone, in the zone's time; None if it never did."""
    row = db.session.get(ClockBeat, zone_id)
    return None if row is None else row.at


def _check(started_at: datetime, ended_at: datetime, reason: str, now: datetime) -> list[Fault]:
    faults = []
    if started_at > now:
        values = {"value": started_at.isoformat(), "today": now.isoformat()}
        faults.append(Fault(Code.NOT_YET, "started_at", values))
    if ended_at <= started_at:
        values = {"value": ended_at.isoformat(), "after": started_at.isoformat()}
        faults.append(Fault(Code.OUT_OF_ORDER, "ended_at", values))
    elif ended_at - started_at > LONGEST:
        latest = started_at + LONGEST
        faults.append(Fault(Code.TOO_LATE, "ended_at", {"deadline": latest.isoformat()}))
    if not reason:
        faults.append(Fault(Code.REQUIRED, "reason"))
    elif len(reason) > REASON_MOST:
        faults.append(Fault(Code.TOO_LONG, "reason", {"value": reason[:40], "most": REASON_MOST}))
    return faults


def _record(
    session: Session, zone_id: int, gap: Gap, trigger: str, reason: str, *, by: Party, now: datetime
) -> Outage:
    moved = [*_move_needs(session, zone_id, gap), *_move_others(session, zone_id, gap)]
    moved.extend(_list_kept(session, zone_id, gap))
    outage = Outage(
        zone_id=zone_id,
        started_at=gap.start,
        ended_at=gap.end,
        trigger=trigger,
        reason=reason,
        moved=moved,
        recorded_by=by.user_id,
        recorded_at=now,
    )
    session.add(outage)
    count = sum(1 for one in moved if one["after"] is not None)
    audit.record(session, "outage.record", outage, by=by, now=now, trigger=trigger, moved=count)
    if trigger == _FROM_CLOCK:
        subject = f"outage:{outage.id}"
        alerts.raise_alert(
            session,
            zone_id,
            AlertKind.CLOCK_GAP,
            subject,
            now=now,
            moved=count,
            started=gap.start.isoformat(),
            ended=gap.end.isoformat(),
        )
    return outage


def _move_needs(session: Session, zone_id: int, gap: Gap) -> Iterator[dict[str, Any]]:
    """Move the close of open needs and the acceptance window of closed ones, locked in order of their ids."""
    closing = (Need.state == NeedState.OPEN) & (Need.closes_at > gap.start) & (Need.closes_at <= gap.end)
    deciding = (
        (Need.state == NeedState.CLOSED) & (Need.accept_until > gap.start) & (Need.accept_until <= gap.end)
    )
    query = select(Need).where(Need.zone_id == zone_id, closing | deciding).order_by(Need.id)
    for need in session.scalars(query.with_for_update()).all():
        if need.state is NeedState.OPEN:
            yield _move(need, "closes_at", gap)
            running = select(BidRound).where(BidRound.need_id == need.id, BidRound.closed_at.is_(None))
            for held in session.scalars(running):
                held.closes_at += gap.length
        else:
            yield _move(need, "accept_until", gap)


def _move_others(session: Session, zone_id: int, gap: Gap) -> Iterator[dict[str, Any]]:
    """Move until when bidders may justify an unusually low bid, and institutions may review an award."""
    asked = (
        select(Justification)
        .join(Bid, Justification.bid_id == Bid.id)
        .join(Need, Bid.need_id == Need.id)
        .where(
            Need.zone_id == zone_id,
            Justification.decision.is_(None),
            Justification.due_at > gap.start,
            Justification.due_at <= gap.end,
        )
        .order_by(Justification.id)
    )
    reviewed = (
        select(Review)
        .join(Loan, Review.loan_id == Loan.id)
        .where(
            Loan.zone_id == zone_id,
            Review.outcome.is_(None),
            Review.due_at > gap.start,
            Review.due_at <= gap.end,
        )
        .order_by(Review.id)
    )
    yield from _move_all(session.scalars(asked.with_for_update(of=Justification)).all(), gap)
    yield from _move_all(session.scalars(reviewed.with_for_update(of=Review)).all(), gap)


def _move_all(rows: Iterable[Justification | Review], gap: Gap) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield _move(row, "due_at", gap)


def _move(row: Need | Justification | Review, field: str, gap: Gap) -> dict[str, Any]:
    before: datetime = getattr(row, field)
    after = before + gap.length
    setattr(row, field, after)
    return _tell(row.__tablename__, row.id, field, before, after)


def _list_kept(session: Session, zone_id: int, gap: Gap) -> Iterator[dict[str, Any]]:
    """Yield what was in the gap and stays as it is, without an ``after``.

    Bidding that was opened in it, windows that lapsed in it, and bids that expire in it: how long a bid
    binds is its bidder's own word, which stands in its receipt and which nobody else prolongs.
    """
    over = select(Need).where(Need.zone_id == zone_id, Need.state.in_(_PUBLISHED)).order_by(Need.id)
    for need in session.scalars(over.where(Need.closes_at > gap.start, Need.closes_at <= gap.end)):
        yield _tell("needs", need.id, "closes_at", need.closes_at, None)
    lapsed = over.where(Need.state == NeedState.UNSUCCESSFUL)
    for need in session.scalars(lapsed.where(Need.accept_until > gap.start, Need.accept_until <= gap.end)):
        yield _tell("needs", need.id, "accept_until", need.accept_until, None)
    for bid in session.scalars(
        select(Bid)
        .join(Need, Bid.need_id == Need.id)
        .where(
            Need.zone_id == zone_id,
            # Those that wait for their opening are not listed: that would say how many there are.
            Bid.state.in_((BidState.LIVE, BidState.HELD)),
            Bid.valid_until > gap.start,
            Bid.valid_until <= gap.end,
        )
        .order_by(Bid.need_id, Bid.receipt_number)
    ):
        yield _tell("bids", bid.id, "valid_until", bid.valid_until, None)


def _tell(
    subject: str, row_id: int, field: str, before: datetime | None, after: datetime | None
) -> dict[str, Any]:
    return {
        "subject": subject,
        "id": row_id,
        "field": field,
        "before": before.isoformat() if before is not None else None,
        "after": after.isoformat() if after is not None else None,
    }
