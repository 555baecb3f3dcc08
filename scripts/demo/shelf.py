"""The shelf: every family listed as a product of each institution that sells it, in every zone it sits in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from market.vocabulary import Pricing
from scripts.demo.bank_families import BANK_FAMILIES
from scripts.demo.cast import WAN, Cast, Member
from scripts.demo.families import Family
from scripts.demo.other_families import OTHER_FAMILIES
from services import products

FAMILIES = BANK_FAMILIES + OTHER_FAMILIES
_POINT = Decimal("0.0001")
FLOATING = {Pricing.LPR_1Y, Pricing.LPR_5Y}


@dataclass(frozen=True, slots=True)
class Listed:
    """A product on the shelf: its number, what it is, and who sells it."""

    product_id: int
    family: Family
    seller: Member
    low: Decimal
    high: Decimal


def fill(cast: Cast, *, now: datetime) -> dict[int, Listed]:
    """List every product; returns them by product number."""
    shelf: dict[int, Listed] = {}
    for family in FAMILIES:
        for entry in family.sellers.split():
            slug, _, shift = entry.partition(":")
            seller = cast.members[slug]
            low, high = shift_price(family, int(shift or 0))
            for party in seller.parties.values():
                product = products.publish(write_draft(family, low, high), by=party, now=now)
                shelf[product.id] = Listed(product.id, family, seller, low, high)
    return shelf


def shift_price(family: Family, points: int) -> tuple[Decimal, Decimal]:
    """Return a seller's price range: basis points for floating families, else the rate per year or day."""
    if family.price is None:
        return Decimal(0), Decimal(0)
    low, high = (Decimal(end) for end in family.price)
    if family.pricing in FLOATING:
        return low + points, high + points
    return low / 100 + points * _POINT, high / 100 + points * _POINT


def write_draft(family: Family, low: Decimal, high: Decimal) -> products.Draft:
    """Return a family as one seller lists it."""
    floating = family.pricing in FLOATING
    priced = family.price is not None and not floating
    return products.Draft(
        name_zh=family.name_zh,
        name_en=family.name_en,
        family=family.family,
        pricing=family.pricing,
        amount_min=family.least * WAN,
        amount_max=family.cap * WAN,
        months_min=family.months[0],
        months_max=family.months[1],
        security=family.security,
        offer=family.offer,
        rate_from=low if priced else None,
        rate_to=high if priced else None,
        spread_from=int(low) if floating else None,
        spread_to=int(high) if floating else None,
        repayment=family.repayment,
        contract_ratio=Decimal(family.ratio) if family.ratio else None,
        deducts_retention=family.deducts_retention,
        fees=[dict(fee) for fee in family.fees],
        subsidies=[dict(subsidy) for subsidy in family.subsidies],
        conditions=[dict(condition) for condition in family.conditions],
        lease=dict(family.lease) if family.lease else None,
        summary_zh=family.summary_zh,
        summary_en=family.summary_en,
    )
