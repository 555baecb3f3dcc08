"""Admissions: institutions let into a zone on their licence and agreement, suspended and reinstated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market import admission
from market.admission import AdmissionState
from market.calendar import local_date
from market.errors import Code, Conflict, Fault, Invalid, conflict, forbidden, not_found
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import INSTITUTION_KINDS, Capability, OrganisationKind
from models.base import db, transaction
from models.organisation import Organisation
from models.zone import Membership
from services import audit

#: The longest licence or agreement number, and the longest reason of a suspension.
NUMBER_MOST, REASON_MOST = 60, 300


@dataclass(frozen=True, slots=True)
class Papers:
    """What an institution is admitted on: its licence, its agreement with the zone, that one's last day."""

    licence_number: str
    agreement_number: str
    agreement_until: date


@dataclass(frozen=True, slots=True)
class Standing:
    """An institution's seat and where it stands today; ``days_left`` until its agreement ends."""

    seat: Membership
    state: AdmissionState
    days_left: int | None


def admit(organisation_id: int, papers: Papers, *, by: Party, now: datetime) -> Membership:
    """Admit an institution with a seat in the officer's zone; it may list products and bid from now on.

    Raises ``Invalid`` for papers that are incomplete or over, ``Forbidden`` (wrong_kind) for an
    organisation that is no institution, ``Conflict`` for one that is admitted already.
    """
    by.require(Capability.OFFICER)
    check(papers, local_date(now))
    with transaction() as session:
        seat = _lock(session, organisation_id, by)
        if seat.admitted_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=_judge(seat, now).value, move="admit")
        write(session, seat, papers, by=by, now=now)
    return seat


def renew(organisation_id: int, papers: Papers, *, by: Party, now: datetime) -> Membership:
    """Record the licence and the agreement that follow on those on record, or correct these.

    A suspension stays. Raises as ``admit``, and ``Conflict`` for an institution never admitted.
    """
    by.require(Capability.OFFICER)
    check(papers, local_date(now))
    with transaction() as session:
        seat = _lock(session, organisation_id, by)
        if seat.admitted_at is None:
            raise conflict(Code.ILLEGAL_MOVE, state=_judge(seat, now).value, move="renew")
        former = seat.agreement_until
        _apply(seat, papers)
        audit.record(
            session,
            "membership.renew",
            seat,
            by=by,
            now=now,
            licence=seat.licence_number,
            agreement=seat.agreement_number,
            until=str(seat.agreement_until),
            former=str(former),
        )
    return seat


def suspend(organisation_id: int, reason: str, *, by: Party, now: datetime) -> Membership:
    """Keep an institution from bidding until it is reinstated, for a reason that it is told.

    Its bids that wait for an opening stay out of it, its opened ones cannot be accepted meanwhile;
    running loans go on. Raises ``Invalid`` for the reason, ``Conflict`` unless it is admitted.
    """
    by.require(Capability.OFFICER)
    reason = read_remark(reason, "reason", REASON_MOST)
    with transaction() as session:
        seat = _lock(session, organisation_id, by)
        if seat.admitted_at is None or seat.suspended_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state=_judge(seat, now).value, move="suspend")
        seat.suspended_at, seat.suspended_because = now, reason
        audit.record(session, "membership.suspend", seat, by=by, now=now, reason=reason)
    return seat


def reinstate(organisation_id: int, *, by: Party, now: datetime) -> Membership:
    """End a suspension; bids that an opening refused meanwhile stay refused. Raises ``Conflict``."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        seat = _lock(session, organisation_id, by)
        if seat.suspended_at is None:
            raise conflict(Code.ILLEGAL_MOVE, state=_judge(seat, now).value, move="reinstate")
        since = seat.suspended_at
        seat.suspended_at = seat.suspended_because = None
        audit.record(session, "membership.reinstate", seat, by=by, now=now, since=since.isoformat())
    return seat


def require(session: Session, zone_id: int, organisation_id: int | None, on: date) -> None:
    """Raise ``Conflict`` unless an institution may list products and bid in a zone on a day.

    The code is not_admitted, suspended (with the reason) or agreement_ended (with its last day).
    """
    require_seat(
        session.scalar(
            select(Membership).where(
                Membership.zone_id == zone_id, Membership.organisation_id == organisation_id
            )
        ),
        on,
    )


def require_seat(seat: Membership | None, on: date) -> None:
    """As ``require``, for a seat that was read already."""
    fault = find_fault(seat, on)
    if fault is not None:
        raise Conflict(fault)


def find_fault(seat: Membership | None, on: date) -> Fault | None:
    """Return what keeps the institution of a seat from bidding on a day, or None."""
    state = AdmissionState.NOT_ADMITTED if seat is None else judge(seat, on)
    if seat is None or state is AdmissionState.NOT_ADMITTED:
        return Fault(Code.NOT_ADMITTED)
    if state is AdmissionState.SUSPENDED:
        return Fault(Code.SUSPENDED, None, {"why": seat.suspended_because})
    if state is AdmissionState.ENDED:
        return Fault(Code.AGREEMENT_ENDED, None, {"until": str(seat.agreement_until)})
    return None


def judge(seat: Membership, on: date) -> AdmissionState:
    """Return where the institution of a seat stands on a day."""
    return admission.judge(
        admitted=seat.admitted_at is not None,
        until=seat.agreement_until,
        suspended=seat.suspended_at is not None,
        on=on,
    )


def read_suspensions(
    session: Session, zone_id: int, organisation_ids: Collection[int]
) -> dict[int, Conflict]:
    """Return, of some institutions, those that are suspended in a zone, each with its refusal."""
    return {
        seat.organisation_id: conflict(Code.SUSPENDED, why=seat.suspended_because)
        for seat in session.scalars(
            select(Membership).where(
                Membership.zone_id == zone_id,
                Membership.organisation_id.in_(organisation_ids),
                Membership.suspended_at.is_not(None),
            )
        )
    }


def require_acceptable(session: Session, zone_id: int, organisation_id: int) -> None:
    """Raise ``Conflict`` (offer_suspended) while the institution of an offer is suspended.

    The firm is not told why: that is between the institution and the zone.
    """
    if read_suspensions(session, zone_id, [organisation_id]):
        raise conflict(Code.OFFER_SUSPENDED, "bid_id")


def list_institutions(*, by: Party, now: datetime) -> list[Standing]:
    """Return every institution with a seat in the party's zone, by name; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    seats = db.session.scalars(
        select(Membership)
        .join(Organisation, Membership.organisation_id == Organisation.id)
        .where(Membership.zone_id == by.zone_id, Organisation.kind.in_(INSTITUTION_KINDS))
        .options(joinedload(Membership.organisation))
        .order_by(Organisation.name_zh, Membership.id)
    )
    return [read(seat, now) for seat in seats]


def list_ending(*, by: Party, now: datetime) -> list[Standing]:
    """Return whose agreement ends within thirty days or is over, the earliest end first.

    A suspended institution is among them: what is between it and the zone does not stop the calendar.
    """
    found = [
        standing
        for standing in list_institutions(by=by, now=now)
        if standing.days_left is not None and standing.days_left <= admission.WARNING_DAYS
    ]
    return sorted(found, key=lambda standing: (standing.days_left, standing.seat.id))


def find(organisation_id: int, *, by: Party, now: datetime) -> Standing:
    """Return where one institution of the party's zone stands; raises ``NotFound``.

    Officers and auditors may ask of all, an institution of itself.
    """
    if by.organisation_id != organisation_id:
        by.require(Capability.OFFICER, Capability.AUDITOR)
    seat = db.session.scalar(
        select(Membership)
        .where(Membership.zone_id == by.zone_id, Membership.organisation_id == organisation_id)
        .options(joinedload(Membership.organisation))
    )
    if seat is None or seat.organisation.kind not in INSTITUTION_KINDS:
        raise not_found("organisation", organisation_id)
    return read(seat, now)


def read(seat: Membership, now: datetime) -> Standing:
    """Return where the institution of a seat stands."""
    until = seat.agreement_until if seat.admitted_at is not None else None
    left = None if until is None else (until - local_date(now)).days
    return Standing(seat, _judge(seat, now), left)


def check(papers: Papers, on: date) -> None:
    """Raise ``Invalid`` with every fault of papers: a number missing or too long, an end before ``on``."""
    faults: list[Fault] = []
    for field in ("licence_number", "agreement_number"):
        text = getattr(papers, field).strip()
        if not text:
            faults.append(Fault(Code.REQUIRED, field))
        elif len(text) > NUMBER_MOST:
            faults.append(Fault(Code.TOO_LONG, field, {"value": text[:40], "most": NUMBER_MOST}))
    if papers.agreement_until < on:
        values = {"value": str(papers.agreement_until), "after": str(on)}
        faults.append(Fault(Code.OUT_OF_ORDER, "agreement_until", values))
    if faults:
        raise Invalid(*faults)


def check_kind(kind: OrganisationKind) -> None:
    """Raise ``Forbidden`` (wrong_kind) unless organisations of a kind can be admitted."""
    if kind not in INSTITUTION_KINDS:
        raise forbidden(Code.WRONG_KIND, kind=kind.value, expected=sorted(INSTITUTION_KINDS))


def write(session: Session, seat: Membership, papers: Papers, *, by: Party | None, now: datetime) -> None:
    """Put an admission on a seat, inside the caller's transaction; the papers are checked already."""
    _apply(seat, papers)
    seat.admitted_at, seat.admitted_by = now, by.user_id if by is not None else None
    audit.record(
        session,
        "membership.admit",
        seat,
        by=by,
        now=now,
        licence=seat.licence_number,
        agreement=seat.agreement_number,
        until=str(seat.agreement_until),
    )


def _apply(seat: Membership, papers: Papers) -> None:
    seat.licence_number = papers.licence_number.strip()
    seat.agreement_number = papers.agreement_number.strip()
    seat.agreement_until = papers.agreement_until


def _judge(seat: Membership, now: datetime) -> AdmissionState:
    return judge(seat, local_date(now))


def _lock(session: Session, organisation_id: int, by: Party) -> Membership:
    """Return an institution's seat in the officer's zone under its row lock."""
    seat = session.scalar(
        select(Membership)
        .where(Membership.zone_id == by.zone_id, Membership.organisation_id == organisation_id)
        .with_for_update()
    )
    if seat is None:
        raise not_found("organisation", organisation_id)
    check_kind(seat.organisation.kind)
    return seat
