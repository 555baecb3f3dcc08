"""Leave to read: a supplier lets a bank, or every bank under agreement, read its procurement records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, or_, select
from sqlalchemy.orm import Session, joinedload

from market.bureau_vocabulary import ConsentScope
from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import INSTITUTION_KINDS, Capability, OrganisationKind
from models.base import db, transaction
from models.bureau import DataConsent
from models.organisation import Organisation
from models.zone import Membership
from services import admissions, audit

#: Leave is given for a time one can oversee.
MOST_DAYS = 3 * 366
_FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


def give(
    institution_id: int | None, scope: ConsentScope, valid_until: date, *, by: Party, now: datetime
) -> DataConsent:
    """Let an institution (None: every bank whose agreement is in force) read the firm's records.

    A leave that stands for the same institution is replaced. Raises ``Invalid`` for a day that is past or
    more than three years away, ``NotFound`` for an institution that has no seat in the zone.
    """
    by.require(*_FIRM)
    _check_day(valid_until, local_date(now))
    with transaction() as session:
        if institution_id is not None and not _has_seat(session, institution_id, by.zone_id):
            raise not_found("institution", institution_id)
        standing = session.scalar(
            select(DataConsent)
            .where(
                DataConsent.zone_id == by.zone_id,
                DataConsent.firm_id == by.organisation_id,
                DataConsent.institution_id == institution_id
                if institution_id is not None
                else DataConsent.institution_id.is_(None),
                DataConsent.revoked_at.is_(None),
            )
            .with_for_update()
        )
        if standing is not None:
            standing.revoked_at, standing.revoked_by = now, by.user_id
            session.flush()
        consent = DataConsent(
            zone_id=by.zone_id,
            firm_id=by.organisation_id,
            institution_id=institution_id,
            scope=scope,
            valid_until=valid_until,
            given_by=by.user_id,
            given_at=now,
        )
        session.add(consent)
        audit.record(
            session,
            "consent.give",
            consent,
            by=by,
            now=now,
            institution=institution_id,
            scope=scope.value,
            until=valid_until.isoformat(),
        )
    return consent


def revoke(consent_id: int, *, by: Party, now: datetime) -> DataConsent:
    """Take a leave back; from this moment nobody reads by it. Raises ``Conflict`` for one that is over."""
    by.require(*_FIRM)
    with transaction() as session:
        consent = session.get(DataConsent, consent_id, with_for_update=True)
        if consent is None or (consent.zone_id, consent.firm_id) != (by.zone_id, by.organisation_id):
            raise not_found("consent", consent_id)
        if consent.revoked_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="withdrawn", move="withdraw")
        consent.revoked_at, consent.revoked_by = now, by.user_id
        audit.record(session, "consent.revoke", consent, by=by, now=now)
    return consent


def list_own(by: Party) -> Sequence[DataConsent]:
    """Return every leave the firm ever gave in the zone, the newest first."""
    by.require(*_FIRM)
    return db.session.scalars(
        select(DataConsent)
        .where(DataConsent.zone_id == by.zone_id, DataConsent.firm_id == by.organisation_id)
        .options(joinedload(DataConsent.institution))
        .order_by(DataConsent.id.desc())
    ).all()


def is_standing(consent: DataConsent, today: date) -> bool:
    """Say whether anybody may read by a leave on a day."""
    return consent.revoked_at is None and consent.valid_until >= today


def covers(
    firm_id: SQLColumnExpression[int | None], scope: ConsentScope, *, by: Party, now: datetime
) -> ColumnElement[bool]:
    """Return the condition that the firm in a column lets the party's institution read so much today."""
    today = local_date(now)
    named = DataConsent.institution_id == by.organisation_id
    to_whom = or_(named, DataConsent.institution_id.is_(None)) if is_under_agreement(by, today) else named
    # Whoever may read payments may read the contracts they are made on.
    enough = list(ConsentScope)[list(ConsentScope).index(scope) :]
    return (
        select(DataConsent.id)
        .where(
            DataConsent.zone_id == by.zone_id,
            DataConsent.firm_id == firm_id,
            DataConsent.revoked_at.is_(None),
            DataConsent.valid_until >= today,
            DataConsent.scope.in_(enough),
            to_whom,
        )
        .correlate_except(DataConsent)
        .exists()
    )


def is_under_agreement(by: Party, today: date) -> bool:
    """Say whether the party's bank has an agreement with the zone that is in force today."""
    if by.kind is not OrganisationKind.BANK:
        return False
    seat = db.session.scalar(
        select(Membership).where(
            Membership.zone_id == by.zone_id, Membership.organisation_id == by.organisation_id
        )
    )
    return admissions.find_fault(seat, today) is None


def _check_day(valid_until: date, today: date) -> None:
    if valid_until < today:
        raise invalid(Code.OUT_OF_ORDER, "valid_until", value=str(valid_until), after=str(today))
    if (valid_until - today).days > MOST_DAYS:
        latest = date.fromordinal(today.toordinal() + MOST_DAYS)
        raise invalid(Code.TOO_LARGE, "valid_until", value=str(valid_until), most=str(latest))


def _has_seat(session: Session, institution_id: int, zone_id: int) -> bool:
    found = session.scalar(
        select(Membership.id)
        .join(Organisation, Membership.organisation_id == Organisation.id)
        .where(
            Membership.zone_id == zone_id,
            Membership.organisation_id == institution_id,
            Organisation.kind.in_(INSTITUTION_KINDS),
        )
    )
    return found is not None
