"""People and things for tests, made through the same verbs as everybody else's.

Each call makes something new: names and credit codes count up and never repeat. All need an application
context and a database (the ``app`` fixture); things lie in the default zone unless ``zone_id`` is given.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from market import credit_code
from market.calendar import local_date
from market.party import Party
from market.vocabulary import (
    INSTITUTION_KINDS,
    Capability,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Purpose,
    Repayment,
    Security,
)
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from models.user import User
from models.zone import Zone
from services import admissions, bids, drawdowns, needs, organisations, products, users, zones
from services.passwords import Passwords
from services.sealing import Sealer

#: A million yuan in fen.
MILLION = 100_000_000

PASSWORD = "correct horse battery"

_numbers = itertools.count(1)

#: What a person of each kind of organisation usually may do.
USUAL: dict[OrganisationKind, frozenset[Capability]] = {
    OrganisationKind.ENTERPRISE: frozenset({Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER}),
    OrganisationKind.ZONE_AUTHORITY: frozenset({Capability.OFFICER}),
    OrganisationKind.PURCHASER: frozenset({Capability.PURCHASER}),
    OrganisationKind.AGENCY: frozenset({Capability.AUDITOR}),
} | {
    kind: frozenset({Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER})
    for kind in INSTITUTION_KINDS
}


def make_credit_code() -> str:
    """Return a valid credit code that nobody can bear: there is no region 990000."""
    return credit_code.complete(f"91990000MA{next(_numbers):07d}")


def make_zone(*, now: datetime, code: str | None = None, **values: Any) -> Zone:
    """Found a zone."""
    code = code or f"zone-{next(_numbers)}"
    return zones.found(code, f"{code}高新区", f"{code} zone", now=now, **values)


def default_zone_id() -> int:
    """Return the number of the zone that every migrated database has."""
    zone = zones.default()
    assert zone is not None, "the migrations seed a default zone"
    return zone.id


def make_organisation(
    kind: OrganisationKind = OrganisationKind.ENTERPRISE,
    *,
    now: datetime,
    zone_id: int | None = None,
    name: str | None = None,
    admitted: bool = True,
    **profile: Any,
) -> Organisation:
    """Register an organisation with a seat in a zone; institutions are admitted for ten years."""
    return organisations.register(
        kind,
        make_credit_code(),
        name or f"测试机构{next(_numbers)}",
        zone_id=zone_id or default_zone_id(),
        now=now,
        profile=profile,
        papers=make_papers(now=now) if admitted and kind in INSTITUTION_KINDS else None,
    )


def make_papers(*, now: datetime, days: int = 3650) -> admissions.Papers:
    """Return a licence and an agreement that ends after so many days."""
    number = next(_numbers)
    until = local_date(now) + timedelta(days=days)
    return admissions.Papers(f"B{number:04d}H", f"HZXY-{number}", until)


def make_user(*, now: datetime, username: str | None = None, passwords: Passwords | None = None) -> User:
    """Create an account; with a hasher its password is ``PASSWORD``, without one nobody can sign in."""
    username = username or f"user{next(_numbers)}"
    password = PASSWORD if passwords is not None else None
    return users.create(username, f"{username} 先生", now=now, password=password, passwords=passwords)


def make_party(
    kind: OrganisationKind = OrganisationKind.ENTERPRISE,
    capabilities: Iterable[Capability] | None = None,
    *,
    now: datetime,
    zone_id: int | None = None,
    organisation: Organisation | None = None,
    user: User | None = None,
    **profile: Any,
) -> Party:
    """Return somebody who may act: a new user of a new organisation, unless these are given."""
    zone_id = zone_id or default_zone_id()
    organisation = organisation or make_organisation(kind, now=now, zone_id=zone_id, **profile)
    user = user or make_user(now=now)
    held = frozenset(USUAL[organisation.kind] if capabilities is None else capabilities)
    users.grant(user.id, zone_id, organisation.id, held, now=now)
    return Party(user.id, organisation.id, organisation.kind, zone_id, held)


def make_officer(*, now: datetime, zone_id: int | None = None) -> Party:
    """Return an officer of a zone."""
    return make_party(OrganisationKind.ZONE_AUTHORITY, now=now, zone_id=zone_id)


def make_product(by: Party, *, now: datetime, **values: Any) -> Product:
    """List a fixed-price unsecured loan of 1 to 50 million yuan, 6 to 60 months: it fits most needs."""
    usual = products.Draft(
        name_zh=f"测试贷{next(_numbers)}",
        name_en="Test loan",
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
    return products.publish(replace(usual, **values), by=by, now=now)


def make_need(
    by: Party, *, now: datetime, closes_in: timedelta | None = timedelta(days=3), **values: Any
) -> Need:
    """Post a need for five million yuan over 12 months; with ``closes_in=None`` it stays a draft."""
    usual = needs.Draft(
        purpose=Purpose.WORKING_CAPITAL, amount=5 * MILLION, months=12, description="测试融资需求"
    )
    need = needs.draft(replace(usual, **values), by=by, now=now)
    if closes_in is not None:
        needs.publish(need.id, now + closes_in, by=by, now=now)
    return need


def place_bid(
    need: Need, product: Product, by: Party, *, now: datetime, sealer: Sealer, **values: Any
) -> Bid:
    """Bid for the whole need at 4 % a year, valid long enough."""
    usual = bids.Quote(
        product_id=product.id,
        principal=need.amount,
        months=need.months,
        valid_until=bids.earliest_validity(need) + timedelta(days=30),
        rate=Decimal("0.04"),
    )
    return bids.place(need.id, replace(usual, **values), by=by, now=now, sealer=sealer)


def pay_out(loan_id: int, drawn_on: date, *, by: Party, now: datetime, amount: int | None = None) -> Loan:
    """Draw a loan; on a contract with the agreement of a second person of the lender."""
    loan = drawdowns.ask(loan_id, drawn_on, by=by, now=now, amount=amount)
    waiting = drawdowns.find_waiting(loan_id)
    if waiting is None:
        return loan
    second = replace(
        by,
        user_id=make_user(now=now).id,
        capabilities=frozenset({Capability.INSTITUTION_APPROVER}),
    )
    return drawdowns.confirm(waiting.id, by=second, now=now)
