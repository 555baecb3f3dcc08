"""Fitting: which products answer a need, which needs a product answers, and what would open more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from market.eligibility import (
    Facts,
    Failure,
    Fix,
    Requirement,
    find_nearest_fix,
    judge,
    judge_all,
    read_conditions,
)
from market.vocabulary import OfferKind, Purpose
from models.base import db
from models.contract import Contract
from models.need import Need
from models.organisation import Organisation, Tag
from models.product import Product
from models.zone import Membership

#: Facts that a published need shows to every institution; all others are the firm's own.
_SHOWN = frozenset(
    {
        *("accepts", "amount", "contract_days_left", "has_contract", "months", "purpose", "repayment"),
        "securities",
    }
)


@dataclass(frozen=True, slots=True)
class Fit:
    """A product beside a need: no failures means that it fits."""

    product: Product
    failures: tuple[Failure, ...]

    @property
    def fits(self) -> bool:
        """Say whether every condition is met."""
        return not self.failures


def describe_need(
    organisation: Organisation,
    zone_id: int,
    *,
    purpose: Purpose,
    amount: int,
    months: int,
    securities: Sequence[str],
    accepts: Sequence[str],
    contract: Contract | None,
    on: date,
) -> Facts:
    """Return the facts of a firm and its (perhaps not yet stored) need that conditions ask about."""
    return _describe(
        organisation,
        _read_standing([organisation.id], zone_id, on)[organisation.id],
        purpose=purpose,
        amount=amount,
        months=months,
        securities=securities,
        accepts=accepts,
        contract=contract,
        on=on,
    )


def describe_all(needs: Sequence[Need], on: date) -> list[Facts]:
    """Return the facts of many stored needs of one zone, with what firms have in common read once."""
    if not needs:
        return []
    standing = _read_standing({need.organisation_id for need in needs}, needs[0].zone_id, on)
    return [
        _describe(
            need.organisation,
            standing[need.organisation_id],
            purpose=need.purpose,
            amount=need.amount,
            months=need.months,
            securities=need.securities,
            accepts=need.accepts,
            contract=need.contract,
            on=on,
        )
        for need in needs
    ]


def _read_standing(
    organisation_ids: Collection[int], zone_id: int, on: date
) -> dict[int, tuple[bool, frozenset[str]]]:
    """Return, per firm, whether the zone's whitelist has it and which qualifications are in force."""
    listed = set(
        db.session.scalars(
            select(Membership.organisation_id).where(
                Membership.organisation_id.in_(organisation_ids),
                Membership.zone_id == zone_id,
                Membership.whitelisted,
            )
        )
    )
    codes: dict[int, set[str]] = {number: set() for number in organisation_ids}
    for tag in db.session.scalars(
        select(Tag).where(
            Tag.organisation_id.in_(organisation_ids),
            Tag.valid_from <= on,
            Tag.valid_to.is_(None) | (Tag.valid_to >= on),
        )
    ):
        codes[tag.organisation_id].add(tag.code)
    return {number: (number in listed, frozenset(codes[number])) for number in organisation_ids}


def _describe(
    organisation: Organisation,
    standing: tuple[bool, frozenset[str]],
    *,
    purpose: Purpose,
    amount: int,
    months: int,
    securities: Sequence[str],
    accepts: Sequence[str],
    contract: Contract | None,
    on: date,
) -> Facts:
    whitelisted, tags = standing
    facts: dict[str, object] = {
        "tags": tags,
        "whitelisted": whitelisted,
        "purpose": purpose.value,
        "amount": amount,
        "months": months,
        "securities": frozenset(securities),
        "accepts": frozenset(accepts) or frozenset(kind.value for kind in OfferKind),
        "has_contract": contract is not None,
        "size_class": organisation.size_class.value if organisation.size_class else None,
        "industry": organisation.industry,
        "staff_count": organisation.staff_count,
        "annual_revenue": organisation.annual_revenue,
        "tax_grade": organisation.tax_grade,
    }
    if organisation.founded_on is not None:
        founded = organisation.founded_on
        begun = (on.year - founded.year) * 12 + on.month - founded.month
        facts["age_months"] = begun - (on.day < founded.day)
    if contract is not None and contract.last_due_on is not None:
        facts["contract_days_left"] = (contract.last_due_on - on).days
    return facts


def describe(need: Need, on: date) -> Facts:
    """Return the facts of a stored need."""
    return describe_all([need], on)[0]


def read_requirement(product: Product) -> Requirement:
    """Return what a product asks, as the eligibility rules read it."""
    return Requirement(
        amount_min=product.amount_min,
        amount_max=product.amount_max,
        months_min=product.months_min,
        months_max=product.months_max,
        security=product.security,
        offer=product.offer,
        family=product.family,
        conditions=read_conditions(product.conditions),
    )


def fit_products(facts: Facts, zone_id: int) -> list[Fit]:
    """Return every product of the zone that priced bids come from, with its failures, best fit first."""
    products = db.session.scalars(
        select(Product)
        .where(Product.zone_id == zone_id, Product.listed, Product.offer.is_not(None))
        .order_by(Product.id)
    )
    fits = [Fit(product, judge(facts, read_requirement(product))) for product in products]
    return sorted(fits, key=lambda fit: (len(fit.failures), fit.product.id))


def suggest_fix(facts: Facts, fits: Sequence[Fit]) -> Fix | None:
    """Return the smallest single change of amount or months that opens products to the need."""
    return find_nearest_fix(facts, [read_requirement(fit.product) for fit in fits])


@dataclass(frozen=True, slots=True)
class Advice:
    """What the market says to a need before it is published.

    ``fits`` can answer it, ``near`` miss one condition only, ``fix`` is the one change of amount or
    months that opens the most products.
    """

    fits: tuple[Product, ...]
    near: tuple[Fit, ...]
    fix: Fix | None
    total: int


def advise(facts: Facts, zone_id: int) -> Advice:
    """Return which products of the zone fit the facts, which nearly do, and what would open more."""
    judged = fit_products(facts, zone_id)
    return Advice(
        fits=tuple(fit.product for fit in judged if fit.fits),
        near=tuple(fit for fit in judged if len(fit.failures) == 1),
        fix=suggest_fix(facts, judged),
        total=len(judged),
    )


def count_asked(zone_id: int) -> Counter[str]:
    """Return how many listed products of the zone ask for each fact about a firm or need."""
    asked: Counter[str] = Counter()
    for conditions in db.session.scalars(
        select(Product.conditions).where(Product.zone_id == zone_id, Product.listed)
    ):
        asked.update({condition.fact for condition in read_conditions(conditions)})
    return asked


def veil(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """Return failures as an institution may know them: that a condition fails, not the firm's own figures.

    Otherwise a product with an impossible condition would read out the revenue of a firm without a name.
    """
    return tuple(
        failure if failure.condition.fact in _SHOWN else replace(failure, found=None, distance=None)
        for failure in failures
    )


def fit_need(need: Need, products: Sequence[Product], on: date) -> list[Fit]:
    """Return one institution's products beside one need."""
    return fit_needs([need], products, on)[0]


def fit_needs(needs: Sequence[Need], products: Sequence[Product], on: date) -> list[list[Fit]]:
    """Return one institution's products beside many needs of one zone, a row per need, best fit first."""
    rows = judge_all(describe_all(needs, on), [read_requirement(product) for product in products])
    return [
        sorted(
            (Fit(product, veil(failures)) for product, failures in zip(products, row, strict=True)),
            key=lambda fit: (len(fit.failures), fit.product.id),
        )
        for row in rows
    ]
