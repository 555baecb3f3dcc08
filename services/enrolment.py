"""Enrolment: an officer takes an institution into the zone on its licence and agreement, in one step."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from market import credit_code
from market.errors import Code, conflict, invalid
from market.party import Party
from market.vocabulary import Capability, OrganisationKind
from models.base import db
from models.organisation import Organisation
from models.zone import Membership
from services import admissions, organisations
from services.admissions import Papers


def enrol(
    kind: OrganisationKind, code: str, name_zh: str, papers: Papers, *, by: Party, now: datetime
) -> Organisation:
    """Give an institution a seat in the officer's zone and admit it; it is registered if nobody knows it.

    One that other zones know already keeps the name it has. Raises ``Invalid`` (credit code, name, papers,
    or a kind that is not the one on record), ``Forbidden`` for a kind that is no institution's, and
    ``Conflict`` for one that has a seat here already.
    """
    by.require(Capability.OFFICER)
    code = credit_code.parse(code)
    admissions.check_kind(kind)
    known = db.session.scalar(select(Organisation).where(Organisation.credit_code == code))
    if known is None:
        return organisations.register(kind, code, name_zh, zone_id=by.zone_id, now=now, by=by, papers=papers)
    if known.kind is not kind:
        raise invalid(Code.NOT_A_CHOICE, "kind", value=kind.value, choices=[known.kind.value])
    seat = db.session.scalar(
        select(Membership.id).where(Membership.organisation_id == known.id, Membership.zone_id == by.zone_id)
    )
    if seat is not None:
        raise conflict(Code.ALREADY_EXISTS, "credit_code", what="organisation", value=code)
    organisations.join(known.id, by.zone_id, now=now, by=by, papers=papers)
    return known
