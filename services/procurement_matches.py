"""Who is told of public procurement: the firms of a zone that it is for, the institutions that lend on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.procurement_matching import Sought, Watcher, match
from market.procurement_vocabulary import MatchReason
from market.vocabulary import OrganisationKind, ProductFamily
from models.organisation import Organisation, Tag
from models.procurement import ProcurementIntention, ProcurementWatch
from models.product import Product
from models.zone import Membership


def describe(intention: ProcurementIntention) -> Sought:
    """Return what an intention is about, as the rules of matching read it."""
    words = f"{intention.title}\n{intention.description}"
    return Sought(words, intention.industry, frozenset(intention.tags), intention.is_reserved)


def find_firms(
    session: Session, intention: ProcurementIntention, on: date
) -> Iterator[tuple[int, list[MatchReason]]]:
    """Yield the firms of the intention's zone that it reaches on a day, each with the reasons."""
    sought = describe(intention)
    for firm_id, watcher in read_watchers(session, intention.zone_id, on):
        reasons = match(sought, watcher)
        if reasons:
            yield firm_id, reasons


def read_watchers(session: Session, zone_id: int, on: date) -> list[tuple[int, Watcher]]:
    """Return what the firms with a seat in a zone are and watch for, by number."""
    tags: dict[int, set[str]] = defaultdict(set)
    held = select(Tag.organisation_id, Tag.code).where(
        Tag.valid_from <= on, (Tag.valid_to.is_(None)) | (Tag.valid_to >= on)
    )
    for organisation_id, code in session.execute(held):
        tags[organisation_id].add(code)
    rows = session.execute(
        select(
            Organisation.id,
            Organisation.industry,
            Organisation.size_class,
            ProcurementWatch.industries,
            ProcurementWatch.keywords,
        )
        .join(Membership, Membership.organisation_id == Organisation.id)
        .outerjoin(
            ProcurementWatch,
            (ProcurementWatch.organisation_id == Organisation.id) & (ProcurementWatch.zone_id == zone_id),
        )
        .where(Membership.zone_id == zone_id, Organisation.kind == OrganisationKind.ENTERPRISE)
        .order_by(Organisation.id)
    )
    return [
        (
            firm_id,
            Watcher(industry, size, frozenset(tags[firm_id]), tuple(industries or ()), tuple(keywords or ())),
        )
        for firm_id, industry, size, industries, keywords in rows
    ]


def list_lenders(session: Session, zone_id: int) -> list[int]:
    """Return the institutions that have a contract loan on the zone's shelf, and are not suspended there."""
    return list(
        session.scalars(
            select(Product.organisation_id)
            .join(
                Membership,
                (Membership.organisation_id == Product.organisation_id) & (Membership.zone_id == zone_id),
            )
            .where(
                Product.zone_id == zone_id,
                Product.family == ProductFamily.CONTRACT,
                Product.listed,
                Membership.suspended_at.is_(None),
            )
            .distinct()
            .order_by(Product.organisation_id)
        )
    )
