"""Visibility: which institutions a need is shown to; for the others it does not exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, delete, or_, select
from sqlalchemy.orm import Session

from market.bidding_vocabulary import Visibility
from market.errors import Code, Fault, Invalid
from market.party import Party
from market.vocabulary import INSTITUTION_KINDS, Capability
from models.base import db
from models.need import Audience, Need
from models.organisation import Organisation
from models.zone import Membership


def may_see(need: Need, by: Party) -> bool:
    """Say whether a party of the need's zone may know of it at all.

    The firm sees its own; officers and auditors whatever was published; people of an institution what
    was published and is shown to their institution.
    """
    if need.organisation_id == by.organisation_id:
        return True
    if need.published_at is None:
        return False
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return True
    wanted = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    return by.may(*wanted) and admits(need, by.organisation_id)


def admits(need: Need, institution_id: int | None) -> bool:
    """Say whether a need is shown to an institution, published or not."""
    if need.visibility is Visibility.ALL:
        return True
    named = db.session.scalar(
        select(Audience.id).where(Audience.need_id == need.id, Audience.organisation_id == institution_id)
    )
    return (named is not None) is (need.visibility is Visibility.CHOSEN)


def read_audiences(needs: Sequence[Need]) -> dict[int, Callable[[int], bool]]:
    """Return of each need whether it is shown to an institution of an id, all read at once."""
    named: dict[int, set[int]] = {need.id: set() for need in needs}
    rows = db.session.execute(
        select(Audience.need_id, Audience.organisation_id).where(Audience.need_id.in_(named))
    )
    for need_id, organisation_id in rows:
        named[need_id].add(organisation_id)

    def judge(need: Need) -> Callable[[int], bool]:
        chosen = need.visibility is Visibility.CHOSEN
        return lambda id: need.visibility is Visibility.ALL or (id in named[need.id]) is chosen

    return {need.id: judge(need) for need in needs}


def is_shown_to(institution_id: int | SQLColumnExpression[int] | None) -> ColumnElement[bool]:
    """Return the condition that a need of the query around it is shown to an institution.

    The institution is an id, or a column of the query, such as a standing bid's.
    """
    named = (
        select(Audience.id)
        .where(Audience.need_id == Need.id, Audience.organisation_id == institution_id)
        .correlate_except(Audience)
        .exists()
    )
    return or_(
        Need.visibility == Visibility.ALL,
        and_(Need.visibility == Visibility.CHOSEN, named),
        and_(Need.visibility == Visibility.EXCEPT, ~named),
    )


def list_choices(zone_id: int) -> list[Organisation]:
    """Return the institutions of a zone that a need may name, by name."""
    return list(
        db.session.scalars(
            select(Organisation)
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Membership.zone_id == zone_id, Organisation.kind.in_(INSTITUTION_KINDS))
            .order_by(Organisation.name_zh, Organisation.id)
        )
    )


def list_named(need_id: int) -> list[Organisation]:
    """Return the institutions that a need names, by name; for its firm, officers and auditors only."""
    return list(
        db.session.scalars(
            select(Organisation)
            .join(Audience, Audience.organisation_id == Organisation.id)
            .where(Audience.need_id == need_id)
            .order_by(Organisation.name_zh, Organisation.id)
        )
    )


def list_ids(need_id: int) -> list[int]:
    """Return the ids of the institutions that a need names, in order."""
    return sorted(db.session.scalars(select(Audience.organisation_id).where(Audience.need_id == need_id)))


def name(session: Session, need: Need, audience: Sequence[int]) -> None:
    """Write which institutions a need names, in place of those before, inside the caller's transaction.

    Raises ``Invalid`` for an id that is no institution of the need's zone.
    """
    wanted = set(audience)
    _check(wanted, need.zone_id)
    session.flush()
    session.execute(delete(Audience).where(Audience.need_id == need.id))
    session.add_all(Audience(need_id=need.id, organisation_id=number) for number in sorted(wanted))


def _check(wanted: Collection[int], zone_id: int) -> None:
    if not wanted:
        return
    known = {organisation.id for organisation in list_choices(zone_id)}
    strange = sorted(set(wanted) - known)
    if strange:
        values = {"what": "institution", "id": ", ".join(map(str, strange))}
        raise Invalid(Fault(Code.NOT_FOUND, "audience", values))
