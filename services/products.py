"""Products: what institutions offer in a zone, and the supermarket in which firms find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from market.calendar import local_date
from market.eligibility import read_conditions
from market.errors import Code, Fault, Invalid, conflict, forbidden, not_found
from market.party import Party
from market.vocabulary import (
    FLOATING,
    INSTITUTION_KINDS,
    Capability,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Repayment,
    Security,
)
from models.base import db, transaction
from models.organisation import Organisation
from models.product import Product
from services import admissions, audit, frameworks
from services.exchange.offers import read_fees, read_subsidies


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as an institution writes it; amounts in fen, rates per year, spreads in basis points."""

    name_zh: str
    name_en: str
    family: ProductFamily
    pricing: Pricing
    amount_min: int
    amount_max: int
    months_min: int
    months_max: int
    security: Security
    offer: OfferKind | None = None
    rate_from: Decimal | None = None
    rate_to: Decimal | None = None
    spread_from: int | None = None
    spread_to: int | None = None
    repayment: Repayment | None = None
    contract_ratio: Decimal | None = None
    deducts_retention: bool = False
    fees: list[Mapping[str, Any]] = field(default_factory=list)
    subsidies: list[Mapping[str, Any]] = field(default_factory=list)
    conditions: list[Mapping[str, Any]] = field(default_factory=list)
    lease: Mapping[str, Any] | None = None
    summary_zh: str = ""
    summary_en: str = ""


def publish(draft: Draft, *, by: Party, now: datetime) -> Product:
    """List a product in the party's zone; raises ``Invalid`` with every fault of the draft.

    Raises ``Conflict`` for an institution that may not bid there (not admitted, suspended, agreement over),
    and for a contract loan without the framework agreement that the zone asks for.
    """
    if draft.family is ProductFamily.GRANT and by.kind is OrganisationKind.ZONE_AUTHORITY:
        # Zones hand out seed money of their own.
        by.require(Capability.OFFICER)
    else:
        by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        if by.kind not in INSTITUTION_KINDS:
            raise forbidden(Code.WRONG_KIND, kind=str(by.kind), expected=sorted(INSTITUTION_KINDS))
    check(draft)
    with transaction() as session:
        if by.kind in INSTITUTION_KINDS:
            admissions.require(session, by.zone_id, by.organisation_id, local_date(now))
        if draft.family is ProductFamily.CONTRACT:
            frameworks.require(session, by.zone_id, by.organisation_id, local_date(now))
        taken = session.scalar(
            select(Product.id).where(
                Product.zone_id == by.zone_id,
                Product.organisation_id == by.organisation_id,
                Product.name_zh == draft.name_zh,
            )
        )
        if taken is not None:
            raise conflict(Code.ALREADY_EXISTS, "name_zh", what="product", value=draft.name_zh)
        product = Product(
            zone_id=by.zone_id, organisation_id=by.organisation_id, created_at=now, **asdict(draft)
        )
        session.add(product)
        audit.record(session, "product.publish", product, by=by, now=now)
    return product


def check(draft: Draft) -> None:
    """Raise ``Invalid`` unless the draft makes sense by itself."""
    faults: list[Fault] = []
    if not draft.name_zh.strip():
        faults.append(Fault(Code.REQUIRED, "name_zh"))
    if draft.amount_min <= 0:
        faults.append(Fault(Code.TOO_SMALL, "amount_min", {"value": draft.amount_min, "least": 1}))
    if draft.amount_max < draft.amount_min:
        faults.append(
            Fault(Code.OUT_OF_ORDER, "amount_max", {"value": draft.amount_max, "after": draft.amount_min})
        )
    if draft.months_min < 0:
        faults.append(Fault(Code.TOO_SMALL, "months_min", {"value": draft.months_min, "least": 0}))
    if draft.months_max < draft.months_min:
        faults.append(
            Fault(Code.OUT_OF_ORDER, "months_max", {"value": draft.months_max, "after": draft.months_min})
        )
    if draft.pricing is Pricing.FIXED and (draft.rate_from is None or draft.rate_to is None):
        faults.append(Fault(Code.REQUIRED, "rate_from"))
    if draft.rate_from is not None and draft.rate_to is not None and draft.rate_to < draft.rate_from:
        faults.append(
            Fault(Code.OUT_OF_ORDER, "rate_to", {"value": str(draft.rate_to), "after": str(draft.rate_from)})
        )
    if draft.rate_from is not None and draft.rate_from < 0:
        faults.append(Fault(Code.TOO_SMALL, "rate_from", {"value": str(draft.rate_from), "least": "0"}))
    if draft.spread_from is not None and draft.spread_to is not None and draft.spread_to < draft.spread_from:
        values = {"value": draft.spread_to, "after": draft.spread_from}
        faults.append(Fault(Code.OUT_OF_ORDER, "spread_to", values))
    if draft.contract_ratio is not None and not 0 < draft.contract_ratio <= 1:
        code, bound = (
            (Code.TOO_LARGE, {"most": "1"})
            if draft.contract_ratio > 1
            else (Code.TOO_SMALL, {"least": "0.01"})
        )
        faults.append(Fault(code, "contract_ratio", {"value": str(draft.contract_ratio), **bound}))
    if draft.pricing in FLOATING and (draft.spread_from is None or draft.spread_to is None):
        faults.append(Fault(Code.REQUIRED, "spread_from"))
    if draft.offer is OfferKind.LOAN and draft.repayment is None:
        faults.append(Fault(Code.REQUIRED, "repayment"))
    if draft.offer is OfferKind.LEASE and draft.lease is None:
        faults.append(Fault(Code.REQUIRED, "lease"))
    if draft.family is ProductFamily.CONTRACT and draft.contract_ratio is None:
        faults.append(Fault(Code.REQUIRED, "contract_ratio"))
    for reading in (
        lambda: read_conditions(draft.conditions),
        lambda: read_fees(draft.fees, "fees"),
        lambda: read_subsidies(draft.subsidies, "subsidies"),
    ):
        try:
            reading()
        except Invalid as error:
            faults.extend(error.faults)
    if faults:
        raise Invalid(*faults)


def set_listed(product_id: int, listed: bool, *, by: Party, now: datetime) -> Product:
    """Take a product off the shelf, or put it back; bids already placed stand.

    Only an institution that may bid can put one back, a contract loan only under the framework agreement that
    the zone asks for; raises ``Conflict``.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        product = session.get(Product, product_id, with_for_update=True)
        if product is None or (product.organisation_id, product.zone_id) != (by.organisation_id, by.zone_id):
            raise not_found("product", product_id)
        if listed and by.kind in INSTITUTION_KINDS:
            admissions.require(session, by.zone_id, by.organisation_id, local_date(now))
        if listed and product.family is ProductFamily.CONTRACT:
            frameworks.require(session, by.zone_id, by.organisation_id, local_date(now))
        product.listed = listed
        audit.record(session, "product.list" if listed else "product.unlist", product, by=by, now=now)
    return product


def find(product_id: int, zone_id: int) -> Product:
    """Return a product of the zone; raises ``NotFound``."""
    product = db.session.get(Product, product_id)
    if product is None or product.zone_id != zone_id:
        raise not_found("product", product_id)
    return product


def list_own(by: Party) -> list[Product]:
    """Return the products of the party's institution in its zone, unlisted ones too."""
    return list(
        db.session.scalars(
            select(Product)
            .where(Product.zone_id == by.zone_id, Product.organisation_id == by.organisation_id)
            .order_by(Product.id)
        )
    )


def browse(
    zone_id: int,
    *,
    family: ProductFamily | None = None,
    seller: OrganisationKind | None = None,
    amount: int | None = None,
    months: int | None = None,
    security: Security | None = None,
) -> list[Product]:
    """Return the listed products of a zone (产品超市) that pass the filters, by family and name."""
    query = (
        select(Product)
        .join(Organisation, Product.organisation_id == Organisation.id)
        .where(Product.zone_id == zone_id, Product.listed)
        .options(contains_eager(Product.organisation))
        .order_by(Product.family, Product.id)
    )
    if family is not None:
        query = query.where(Product.family == family)
    if seller is not None:
        query = query.where(Organisation.kind == seller)
    if amount is not None:
        query = query.where(Product.amount_min <= amount, Product.amount_max >= amount)
    if months is not None:
        query = query.where(Product.months_min <= months, Product.months_max >= months)
    if security is not None:
        query = query.where(Product.security == security)
    return list(db.session.scalars(query))
