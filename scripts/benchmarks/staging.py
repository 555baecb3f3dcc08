"""Who takes part where bids and rounds are measured on a database: made by the same verbs as everybody's."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from market import credit_code
from market.calendar import local_date
from market.party import Party
from market.party import clock as acting_clock
from market.vocabulary import (
    Capability,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Purpose,
    Repayment,
    Security,
)
from models.need import Need
from services import needs, organisations, products, users, zones
from services.admissions import Papers

MILLION = 100_000_000
INSTITUTIONS, EACH = 50, 4


class Bidder(NamedTuple):
    """An institution: who acts for it, its token, and the products it bids with."""

    party: Party
    token: str
    products: list[int]


@dataclass(frozen=True, slots=True)
class Scene:
    """The firm that posts needs, the zone's officer and clock, and the institutions that bid."""

    firm: Party
    officer: Party
    clock: Party
    bidders: list[Bidder]


def stage(now: datetime) -> Scene:
    """Make all who take part, in the default zone of an empty database."""
    zone = zones.default()
    assert zone is not None, "the migrations seed a default zone"
    numbers = itertools.count(1)

    def party(kind: OrganisationKind, *capabilities: Capability) -> Party:
        number, held = next(numbers), frozenset(capabilities)
        code = credit_code.complete(f"91990000MB{number:07d}")
        papers = None
        if kind is OrganisationKind.BANK:
            papers = Papers(f"B{number:04d}H", f"RZ-{number}", local_date(now) + timedelta(days=365))
        made = organisations.register(
            kind, code, f"测试机构{number}", zone_id=zone.id, now=now, papers=papers
        )
        user = users.create(f"bench{number}", f"先生{number}", now=now)
        users.grant(user.id, zone.id, made.id, held, now=now)
        return Party(user.id, made.id, kind, zone.id, held)

    firm = party(OrganisationKind.ENTERPRISE, Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    officer = party(OrganisationKind.ZONE_AUTHORITY, Capability.OFFICER)
    bidders = []
    for _ in range(INSTITUTIONS):
        by = party(OrganisationKind.BANK, Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
        listed = [products.publish(_product(number), by=by, now=now).id for number in range(EACH)]
        bidders.append(Bidder(by, users.issue_token("bench", by=by, now=now)[1], listed))
    return Scene(firm, officer, acting_clock(zone.id), bidders)


def post_need(scene: Scene, closes_at: datetime) -> Need:
    """Post a need that closes then, as of a day before."""
    now = closes_at - timedelta(days=1)
    draft = needs.Draft(
        purpose=Purpose.WORKING_CAPITAL, amount=5 * MILLION, months=12, description="测试融资需求"
    )
    need = needs.draft(draft, by=scene.firm, now=now)
    return needs.publish(need.id, closes_at, by=scene.firm, now=now)


def _product(number: int) -> products.Draft:
    return products.Draft(
        name_zh=f"测试贷{number}",
        name_en=f"Test loan {number}",
        family=ProductFamily.INNOVATION,
        pricing=Pricing.FIXED,
        amount_min=MILLION,
        amount_max=50 * MILLION,
        months_min=6,
        months_max=60,
        security=Security.UNSECURED,
        offer=OfferKind.LOAN,
        rate_from=Decimal("0.03"),
        rate_to=Decimal("0.08"),
        repayment=Repayment.EQUAL_INSTALLMENT,
    )
