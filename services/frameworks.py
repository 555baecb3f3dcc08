"""Framework agreements: who may offer contract loans in a zone, until when, and who is told that one ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from market.calendar import local_date
from market.errors import Code, Conflict, Fault, Invalid, conflict, not_found
from market.party import Party
from market.procurement_vocabulary import NoticeKind
from market.remarks import read_remark
from market.vocabulary import AlertKind, Capability
from models.base import db, transaction
from models.framework import FrameworkAgreement
from models.zone import Membership, Zone
from services import admissions, alerts, audit, notices

#: So many days before its last one an institution is told; the officer at ``WARNING_DAYS``.
TOLD_DAYS = (60, 30, 7)
WARNING_DAYS = 30
NUMBER_MOST, TEXT_MOST = 60, 300


@dataclass(frozen=True, slots=True)
class Entry:
    """An agreement as it was signed, with where the paper lies (``evidence``)."""

    number: str
    valid_from: date
    valid_until: date
    evidence: str


@dataclass(frozen=True, slots=True)
class Ending:
    """An agreement that the clock must speak of: to whom, and at how many days before its end."""

    agreement_id: int
    days: int
    tells_officer: bool


def sign(organisation_id: int, entry: Entry, *, by: Party, now: datetime) -> FrameworkAgreement:
    """Put an agreement with an institution of the officer's zone on record.

    Raises ``Invalid`` with every fault, ``Conflict`` (already_exists) for a number on record or an agreement
    that is live on one of its days, ``NotFound`` and ``Forbidden`` as for an admission.
    """
    by.require(Capability.OFFICER)
    entry = _check(entry)
    with transaction() as session:
        seat = session.scalar(
            select(Membership)
            .where(Membership.zone_id == by.zone_id, Membership.organisation_id == organisation_id)
            .with_for_update()
        )
        if seat is None:
            raise not_found("organisation", organisation_id)
        admissions.check_kind(seat.organisation.kind)
        for taken in session.scalars(
            select(FrameworkAgreement).where(
                FrameworkAgreement.zone_id == by.zone_id,
                or_(
                    FrameworkAgreement.number == entry.number,
                    FrameworkAgreement.organisation_id == organisation_id,
                ),
            )
        ):
            if taken.number == entry.number or _overlaps(taken, entry):
                raise conflict(
                    Code.ALREADY_EXISTS,
                    "number" if taken.number == entry.number else "valid_from",
                    what="framework",
                    value=taken.number,
                )
        row = FrameworkAgreement(
            zone_id=by.zone_id,
            organisation_id=organisation_id,
            number=entry.number,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            evidence=entry.evidence,
            recorded_by=by.user_id,
            recorded_at=now,
        )
        session.add(row)
        audit.record(
            session,
            "framework.sign",
            row,
            by=by,
            now=now,
            number=row.number,
            valid_from=str(row.valid_from),
            valid_until=str(row.valid_until),
        )
        for former in _list_live(session, by.zone_id, organisation_id):
            if former.id != row.id and _follows(row, former):
                alerts.settle(session, AlertKind.FRAMEWORK_ENDING, _subject(former.id), "renewed", now=now)
    return row


def end(agreement_id: int, reason: str, *, by: Party, now: datetime) -> FrameworkAgreement:
    """End an agreement from today on, for a reason that the institution is told; its bids and loans stay.

    Raises ``Invalid`` for the reason, ``Conflict`` for one that is over.
    """
    by.require(Capability.OFFICER)
    reason = read_remark(reason, "reason", TEXT_MOST)
    today = local_date(now)
    with transaction() as session:
        row = session.get(FrameworkAgreement, agreement_id, with_for_update=True)
        if row is None or row.zone_id != by.zone_id:
            raise not_found("framework", agreement_id)
        if row.ended_on is not None or row.valid_until < today:
            raise conflict(Code.ILLEGAL_MOVE, state="ended", move="end")
        row.ended_on, row.ended_because, row.ended_by = today, reason, by.user_id
        audit.record(session, "framework.end", row, by=by, now=now, reason=reason)
        alerts.settle(session, AlertKind.FRAMEWORK_ENDING, _subject(row.id), "ended", now=now)
        notices.send(
            session,
            row.zone_id,
            NoticeKind.FRAMEWORK_ENDED,
            _subject(row.id),
            now=now,
            organisation_id=row.organisation_id,
            number=row.number,
            why=reason,
        )
    return row


def require_frameworks(required: bool, *, by: Party, now: datetime) -> Zone:
    """Let the officer's zone ask for a framework agreement before contract loans are offered, or not."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        zone = session.get_one(Zone, by.zone_id, with_for_update=True)
        zone.framework_required = required
        audit.record(session, "zone.require_frameworks", zone, by=by, now=now, required=required)
    return zone


def find_fault(
    session: Session, zone_id: int, organisation_id: int | None, on: date, field: str | None = None
) -> Fault | None:
    """Return what keeps an institution from offering contract loans in a zone on a day, or None."""
    if not session.scalar(select(Zone.framework_required).where(Zone.id == zone_id)):
        return None
    held = session.scalar(
        select(FrameworkAgreement.id)
        .where(
            FrameworkAgreement.zone_id == zone_id,
            FrameworkAgreement.organisation_id == organisation_id,
            FrameworkAgreement.valid_from <= on,
            FrameworkAgreement.valid_until >= on,
            or_(FrameworkAgreement.ended_on.is_(None), FrameworkAgreement.ended_on > on),
        )
        .limit(1)
    )
    return None if held is not None else Fault(Code.NO_FRAMEWORK, field, {"on": on.isoformat()})


def require(session: Session, zone_id: int, organisation_id: int | None, on: date) -> None:
    """Raise ``Conflict`` (no_framework) unless an institution may offer contract loans in a zone on a day."""
    fault = find_fault(session, zone_id, organisation_id, on, "family")
    if fault is not None:
        raise Conflict(fault)


def list_for(by: Party) -> list[FrameworkAgreement]:
    """Return the agreements of the zone, newest end first; an institution sees its own."""
    query = select(FrameworkAgreement).where(FrameworkAgreement.zone_id == by.zone_id)
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(FrameworkAgreement.organisation_id == by.organisation_id)
    return list(
        db.session.scalars(
            query.options(joinedload(FrameworkAgreement.organisation)).order_by(
                FrameworkAgreement.valid_until.desc(), FrameworkAgreement.id.desc()
            )
        )
    )


def is_in_force(row: FrameworkAgreement, on: date) -> bool:
    """Say whether an agreement is in force on a day."""
    return row.valid_from <= on <= row.valid_until and (row.ended_on is None or on < row.ended_on)


def list_ending(zone_id: int, now: datetime) -> list[Ending]:
    """Return the agreements of which somebody must be told that they end, and was not yet.

    One that another follows without a gap ends nothing.
    """
    session = db.session()
    today = local_date(now)
    live = list(_list_live(session, zone_id))
    nearing = [
        row
        for row in live
        if today <= row.valid_until <= today + timedelta(days=TOLD_DAYS[0])
        and not any(other.id != row.id and _follows(other, row) for other in live)
    ]
    due: dict[str, Ending] = {}
    for row in nearing:
        left = (row.valid_until - today).days
        days = min(each for each in TOLD_DAYS if left <= each)
        due[_notice_subject(row.id, days)] = Ending(row.id, days, left <= WARNING_DAYS)
    told = notices.find_sent(session, zone_id, NoticeKind.FRAMEWORK_ENDING, due)
    return [ending for subject, ending in due.items() if subject not in told]


def tell_ending(ending: Ending, *, by: Party, now: datetime) -> None:
    """Tell the institution that its agreement ends, and from thirty days before raise an alert of it."""
    with transaction() as session:
        row = session.get_one(FrameworkAgreement, ending.agreement_id, with_for_update=True)
        if row.ended_on is not None:
            return
        notices.send(
            session,
            row.zone_id,
            NoticeKind.FRAMEWORK_ENDING,
            _notice_subject(row.id, ending.days),
            now=now,
            organisation_id=row.organisation_id,
            number=row.number,
            due_on=row.valid_until.isoformat(),
            days=ending.days,
        )
        if ending.tells_officer:
            alerts.raise_alert(
                session,
                row.zone_id,
                AlertKind.FRAMEWORK_ENDING,
                _subject(row.id),
                now=now,
                name=row.organisation.name_zh,
                due_on=row.valid_until.isoformat(),
            )


def _check(entry: Entry) -> Entry:
    faults: list[Fault] = []
    said: dict[str, str] = {}
    for field, most in (("number", NUMBER_MOST), ("evidence", TEXT_MOST)):
        try:
            said[field] = read_remark(getattr(entry, field), field, most)
        except Invalid as error:
            faults.extend(error.faults)
    if entry.valid_until < entry.valid_from:
        values = {"value": str(entry.valid_until), "after": str(entry.valid_from)}
        faults.append(Fault(Code.OUT_OF_ORDER, "valid_until", values))
    if faults:
        raise Invalid(*faults)
    return Entry(said["number"], entry.valid_from, entry.valid_until, said["evidence"])


def _overlaps(row: FrameworkAgreement, entry: Entry) -> bool:
    return (
        row.ended_on is None and row.valid_from <= entry.valid_until and row.valid_until >= entry.valid_from
    )


def _follows(later: FrameworkAgreement, former: FrameworkAgreement) -> bool:
    """Say whether an agreement begins before another one of its institution leaves a gap."""
    return (
        later.organisation_id == former.organisation_id
        and later.valid_from <= former.valid_until + timedelta(days=1)
        and later.valid_until > former.valid_until
    )


def _list_live(
    session: Session, zone_id: int, organisation_id: int | None = None
) -> list[FrameworkAgreement]:
    query = select(FrameworkAgreement).where(
        FrameworkAgreement.zone_id == zone_id, FrameworkAgreement.ended_on.is_(None)
    )
    if organisation_id is not None:
        query = query.where(FrameworkAgreement.organisation_id == organisation_id)
    return list(session.scalars(query))


def _subject(agreement_id: int) -> str:
    return f"framework:{agreement_id}"


def _notice_subject(agreement_id: int, days: int) -> str:
    return f"framework:{agreement_id}:{days}"
