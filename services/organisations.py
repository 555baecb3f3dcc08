"""Organisations: registration, seats in zones and qualifications."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market import credit_code
from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, OrganisationKind, SizeClass
from models.base import db, transaction
from models.contract import Contract
from models.organisation import Organisation, Tag
from models.zone import Membership
from services import admissions, audit, award_notices
from services.admissions import Papers

#: What an organisation may say of itself; everything else is recorded by others.
PROFILE = (
    "name_zh",
    "name_en",
    "industry",
    "size_class",
    "founded_on",
    "staff_count",
    "annual_revenue",
    "tax_grade",
    "net_assets",
    "dual_control",
)


def register(
    kind: OrganisationKind,
    code: str,
    name_zh: str,
    *,
    zone_id: int,
    now: datetime,
    by: Party | None = None,
    profile: Mapping[str, Any] | None = None,
    papers: Papers | None = None,
) -> Organisation:
    """Register an organisation under its credit code, with a seat in the zone.

    With ``papers`` an institution is admitted at once. Raises ``Invalid`` (credit code, name, profile,
    papers), ``Forbidden`` for papers of no institution and ``Conflict`` if the code is taken.
    """
    code = credit_code.parse(code)
    _check_papers(kind, papers, now)
    if not name_zh.strip():
        raise invalid(Code.REQUIRED, "name_zh")
    with transaction() as session:
        if session.scalar(select(Organisation.id).where(Organisation.credit_code == code)) is not None:
            raise conflict(Code.ALREADY_EXISTS, "credit_code", what="organisation", value=code)
        row = Organisation(kind=kind, credit_code=code, name_zh=name_zh.strip(), created_at=now)
        _apply_profile(row, profile or {}, now)
        session.add(row)
        session.flush()
        seat = Membership(zone_id=zone_id, organisation_id=row.id, joined_at=now)
        session.add(seat)
        if papers is not None:
            admissions.write(session, seat, papers, by=by, now=now)
        # Contracts imported before their supplier or purchaser came find them now.
        for contract in session.scalars(select(Contract).where(Contract.supplier_code == code)):
            contract.supplier_id = row.id
        if kind is OrganisationKind.PURCHASER:
            for contract in session.scalars(select(Contract).where(Contract.purchaser_code == code)):
                contract.purchaser_id = row.id
        award_notices.claim(session, row, now=now)
        audit.record(session, "organisation.register", row, by=by, now=now, zone=zone_id)
    return row


def join(
    organisation_id: int,
    zone_id: int,
    *,
    now: datetime,
    by: Party | None = None,
    papers: Papers | None = None,
) -> Membership:
    """Give an organisation a seat in a zone; with ``papers`` an institution is admitted with it.

    Joining twice changes nothing.
    """
    with transaction() as session:
        if papers is not None:
            _check_papers(session.get_one(Organisation, organisation_id).kind, papers, now)
        seat = session.scalar(
            select(Membership).where(
                Membership.organisation_id == organisation_id, Membership.zone_id == zone_id
            )
        )
        if seat is None:
            seat = Membership(zone_id=zone_id, organisation_id=organisation_id, joined_at=now)
            session.add(seat)
            award_notices.claim(session, session.get_one(Organisation, organisation_id), now=now)
            audit.record(session, "organisation.join", seat, by=by, now=now)
            if papers is not None:
                admissions.write(session, seat, papers, by=by, now=now)
    return seat


def update_profile(profile: Mapping[str, Any], *, by: Party, now: datetime) -> Organisation:
    """Change what the party's own organisation says of itself (fields of ``PROFILE``).

    Whether acceptances ask for a second person is the approver's to say: a maker could else be rid of it.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        row = session.get(Organisation, by.organisation_id, with_for_update=True)
        if row is None:
            raise not_found("organisation", by.organisation_id)
        if profile.get("dual_control", row.dual_control) != row.dual_control:
            by.require(Capability.ENTERPRISE_APPROVER, Capability.INSTITUTION_APPROVER)
        _apply_profile(row, profile, now)
        audit.record(session, "organisation.update", row, by=by, now=now, fields=sorted(profile))
    return row


def tag(
    organisation_id: int,
    code: str,
    issuer: str,
    valid_from: date,
    valid_to: date | None,
    *,
    by: Party,
    now: datetime,
) -> Tag:
    """Record a qualification of a firm; officers only, because conditions of products lean on it.

    Raises ``Invalid`` for a missing or too long word and for an end before the start, ``Conflict`` for a
    qualification that is recorded from the same day already.
    """
    by.require(Capability.OFFICER)
    _check_tag(code, issuer, valid_from, valid_to)
    with transaction() as session:
        _seat(organisation_id, by.zone_id)
        taken = session.scalar(
            select(Tag.id).where(
                Tag.organisation_id == organisation_id, Tag.code == code, Tag.valid_from == valid_from
            )
        )
        if taken is not None:
            raise conflict(Code.ALREADY_EXISTS, "code", what="tag", value=code)
        row = Tag(
            organisation_id=organisation_id,
            code=code,
            issuer=issuer,
            valid_from=valid_from,
            valid_to=valid_to,
        )
        session.add(row)
        audit.record(session, "organisation.tag", row, by=by, now=now, code=code)
    return row


def end_tag(tag_id: int, ends_on: date, *, by: Party, now: datetime) -> Tag:
    """Let a qualification end on a day; officers only. It stays on record, because deals leaned on it."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        row = session.get(Tag, tag_id, with_for_update=True)
        if row is None:
            raise not_found("tag", tag_id)
        _seat(row.organisation_id, by.zone_id)
        if ends_on < row.valid_from:
            raise invalid(Code.OUT_OF_ORDER, "valid_to", value=str(ends_on), after=str(row.valid_from))
        row.valid_to = ends_on
        audit.record(session, "organisation.end_tag", row, by=by, now=now, code=row.code)
    return row


def whitelist(organisation_id: int, listed: bool, *, by: Party, now: datetime) -> Membership:
    """Put a firm on the zone's whitelist, or take it off; officers only."""
    by.require(Capability.OFFICER)
    with transaction() as session:
        seat = _seat(organisation_id, by.zone_id)
        seat.whitelisted = listed
        audit.record(session, "organisation.whitelist", seat, by=by, now=now, listed=listed)
    return seat


def record_controller(
    organisation_id: int, controller: str | None, *, by: Party, now: datetime
) -> Organisation:
    """Record who controls a member in the end (实际控制人), or that nobody is known; officers only.

    Limits on affiliates and the surveillance of bidding lean on it, so it is not the firm's own to say.
    """
    by.require(Capability.OFFICER)
    name = read_remark(controller or "", "controller", 120, required=False)
    with transaction() as session:
        row = _seat(organisation_id, by.zone_id).organisation
        row.controller = name or None
        audit.record(session, "organisation.controller", row, by=by, now=now, controller=row.controller)
    return row


def find(organisation_id: int) -> Organisation:
    """Return the organisation; raises ``NotFound``."""
    row = db.session.get(Organisation, organisation_id)
    if row is None:
        raise not_found("organisation", organisation_id)
    return row


def find_member(organisation_id: int, *, by: Party) -> Membership:
    """Return an organisation's seat in the party's zone to an officer or auditor; raises ``NotFound``."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    return _seat(organisation_id, by.zone_id)


def list_members(zone_id: int, kinds: frozenset[OrganisationKind] | None = None) -> list[Membership]:
    """Return the seats in a zone, by name, of the given kinds or all."""
    query = (
        select(Membership)
        .join(Organisation, Membership.organisation_id == Organisation.id)
        .where(Membership.zone_id == zone_id)
        .options(joinedload(Membership.organisation).selectinload(Organisation.tags))
        .order_by(Organisation.name_zh)
    )
    if kinds is not None:
        query = query.where(Organisation.kind.in_(kinds))
    return list(db.session.scalars(query))


def list_tags(organisation_id: int, on: date) -> list[Tag]:
    """Return the qualifications in force on a date."""
    return list(
        db.session.scalars(
            select(Tag)
            .where(
                Tag.organisation_id == organisation_id,
                Tag.valid_from <= on,
                Tag.valid_to.is_(None) | (Tag.valid_to >= on),
            )
            .order_by(Tag.code)
        )
    )


def list_purchasers() -> list[Organisation]:
    """Return every registered purchaser, by name: they are platform-wide, any zone's firm may supply them."""
    return list(
        db.session.scalars(
            select(Organisation)
            .where(Organisation.kind == OrganisationKind.PURCHASER)
            .order_by(Organisation.name_zh)
        )
    )


def _check_papers(kind: OrganisationKind, papers: Papers | None, now: datetime) -> None:
    if papers is not None:
        admissions.check_kind(kind)
        admissions.check(papers, local_date(now))


def _check_tag(code: str, issuer: str, valid_from: date, valid_to: date | None) -> None:
    faults: list[Fault] = []
    for field, text, most in (("code", code, 40), ("issuer", issuer, 80)):
        if not text.strip():
            faults.append(Fault(Code.REQUIRED, field))
        elif len(text) > most:
            faults.append(Fault(Code.TOO_LONG, field, {"value": text[:40], "most": most}))
    if valid_to is not None and valid_to < valid_from:
        values = {"value": str(valid_to), "after": str(valid_from)}
        faults.append(Fault(Code.OUT_OF_ORDER, "valid_to", values))
    if faults:
        raise Invalid(*faults)


def _seat(organisation_id: int, zone_id: int) -> Membership:
    seat = db.session.scalar(
        select(Membership).where(Membership.organisation_id == organisation_id, Membership.zone_id == zone_id)
    )
    if seat is None:
        raise not_found("organisation", organisation_id)
    return seat


def _apply_profile(row: Organisation, profile: Mapping[str, Any], now: datetime) -> None:
    faults: list[Fault] = []
    for field, value in profile.items():
        if field not in PROFILE:
            faults.append(Fault(Code.UNKNOWN_FIELD, field))
        elif field in {"staff_count", "annual_revenue", "net_assets"} and value is not None and value < 0:
            faults.append(Fault(Code.TOO_SMALL, field, {"value": value, "least": 0}))
        elif field == "founded_on" and value is not None and value > local_date(now):
            faults.append(Fault(Code.TOO_LARGE, field, {"value": str(value), "most": str(local_date(now))}))
        elif field == "tax_grade" and value is not None and value not in {"A", "B", "M", "C", "D"}:
            faults.append(
                Fault(Code.NOT_A_CHOICE, field, {"value": value, "choices": ["A", "B", "M", "C", "D"]})
            )
        elif field == "size_class" and value is not None and value not in set(SizeClass):
            faults.append(Fault(Code.NOT_A_CHOICE, field, {"value": value, "choices": sorted(SizeClass)}))
        elif field == "name_zh" and not str(value).strip():
            faults.append(Fault(Code.REQUIRED, field))
    if faults:
        raise Invalid(*faults)
    for field, value in profile.items():
        setattr(row, field, value)
