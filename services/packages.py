"""Packages: what a loan that asks for a guarantee costs with one from the zone's shelf.

An estimate: guarantors and insurers have not bid, so their listed fees and subsidies are counted as they
stand. At most one of them is put beside the loan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market import packages
from market.calendar import local_date
from market.eligibility import Facts, Failure, judge
from market.package_offers import CoverNeed, CoverUse, LoanOffer, SubsidyOffer
from market.packages import Package
from market.party import Party
from market.risk_sharing import Role
from market.terms import LENDER, Terms
from market.vocabulary import PAYMENT_BASES, CoverKind, OrganisationKind, Security
from models.base import db
from models.need import Need
from models.product import Product
from services import bids, comparisons, fitting, needs, products
from services.bids import Quote
from services.exchange.offers import read_offer, read_subsidies
from services.shelf_covers import KINDS, PAYEES, Provider, read_cover


class Standing(StrEnum):
    """How a loan stands to packages."""

    NOT_ASKED = "not_asked"  # its product asks for no guarantee
    INCLUDED = "included"  # its own fees pay for one
    SOUGHT = "sought"


@dataclass(frozen=True, slots=True)
class Unfit:
    """A product that does not answer: the conditions that fail, none where it lists no usable price."""

    product: Product
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The packages of one loan, the cheapest first; ``providers`` by the key of their cover."""

    standing: Standing
    terms: Terms
    packages: tuple[Package, ...] = ()
    providers: Mapping[str, Provider] | None = None
    unfit: tuple[Unfit, ...] = ()

    def provider(self, package: Package) -> Provider:
        """Return whose cover a package has."""
        (covering,) = package.stack.covers
        return (self.providers or {})[covering.cover.key]


def propose(need_id: int, bid_id: int, *, by: Party, now: datetime) -> Proposal:
    """Return the packages of an opened offer, for its firm, an officer or an auditor; stores nothing.

    Raises ``NotFound`` for what the party may not see.
    """
    _, bid = comparisons.find_offer(need_id, bid_id, by=by)
    return _propose(bid.need, bid.product, read_offer(bid.terms, "terms"), now=now)


def preview(need_id: int, quote: Quote, *, by: Party, now: datetime) -> Proposal:
    """Return the packages of a quote before it is placed, for the institution that writes it.

    Which conditions of others' products the firm fails is told without the firm's own figures.
    """
    terms = bids.preview(need_id, quote, by=by, now=now).terms
    product = products.find(quote.product_id, by.zone_id)
    found = _propose(needs.find(need_id, by=by), product, terms, now=now)
    veiled = tuple(Unfit(one.product, fitting.veil(one.failures)) for one in found.unfit)
    return replace(found, unfit=veiled)


def _propose(need: Need, product: Product, terms: Terms, *, now: datetime) -> Proposal:
    if product.security is not Security.GUARANTEE:
        return Proposal(Standing.NOT_ASKED, terms)
    shelf = _list_covers(need.zone_id)
    if _pays_for_cover(terms, shelf):
        return Proposal(Standing.INCLUDED, terms)
    # The cover is for what this lender offers, which may differ from what the firm asked for.
    facts = {
        **fitting.describe(need, local_date(now)),
        "amount": terms.principal,
        "months": terms.months,
    }
    providers, unfit = _judge(shelf, facts)
    role = Role.BANK if product.organisation.kind is OrganisationKind.BANK else Role.LENDER
    loan = LoanOffer("loan", terms, LENDER, role, product.family, CoverNeed(CoverUse.REQUIRED))
    ranked: list[Package] = []
    for kind in CoverKind:
        # One kind at a time: nobody asked for two covers beside one loan.
        covers = [provider.cover for provider in providers.values() if provider.cover.kind is kind]
        subsidies = [offer for cover in covers for offer in _subsidies(providers[cover.key])]
        ranked += packages.compare(loan, covers, subsidies, as_of=local_date(now)).ranked
    ranked.sort(key=lambda package: package.order)
    return Proposal(Standing.SOUGHT, terms, tuple(ranked), providers, unfit)


def _list_covers(zone_id: int) -> list[Product]:
    """Return the listed guarantees and insurances of a zone; a loan under a fund's guarantee is neither."""
    return list(
        db.session.scalars(
            select(Product)
            .where(
                Product.zone_id == zone_id,
                Product.listed,
                Product.family.in_(KINDS),
                Product.offer.is_(None),
            )
            .options(joinedload(Product.organisation))
            .order_by(Product.id)
        )
    )


def _pays_for_cover(terms: Terms, shelf: list[Product]) -> bool:
    """Say whether an offer's own fees go to a guarantor or insurer, by word or by name."""
    names = {*PAYEES.values(), *(product.organisation.name_zh for product in shelf)}
    return any(fee.payee in names for fee in terms.fees)


def _judge(shelf: list[Product], facts: Facts) -> tuple[dict[str, Provider], tuple[Unfit, ...]]:
    providers: dict[str, Provider] = {}
    unfit = []
    for product in shelf:
        failures = judge(facts, fitting.read_requirement(product))
        provider = None if failures else read_cover(product)
        if provider is None:
            unfit.append(Unfit(product, failures))
        else:
            providers[provider.cover.key] = provider
    return providers, tuple(unfit)


def _subsidies(provider: Provider) -> list[SubsidyOffer]:
    """Return the subsidies that a cover's product names: they come with it, of the part that it covers."""
    key = provider.cover.key
    return [
        SubsidyOffer(
            f"{key}-subsidy-{place}",
            subsidy,
            covers=frozenset({key}),
            of_cover=subsidy.part == 1 and subsidy.basis not in PAYMENT_BASES,
            automatic=True,
        )
        for place, subsidy in enumerate(read_subsidies(provider.product.subsidies, "subsidies"))
    ]
