"""Fitting: which products answer a need, which needs a product answers, and what would open more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, select, union_all

from market.eligibility import Facts, Failure, Requirement, judge, read_conditions
from market.eligibility_fixes import Fix, find_nearest_fix, measure, near_fits
from market.eligibility_match import Shelf, count_failures
from market.eligibility_table import Table
from market.purchaser_score import PurchaserScore
from market.vocabulary import OfferKind, Purpose, Repayment
from models.base import db
from models.contract import Contract
from models.need import Need
from models.organisation import Organisation, Tag
from models.product import Product
from models.zone import Membership, Zone
from services import limits, purchasers

#: Facts that a published need shows to every institution; all others are the firm's own.
_SHOWN = frozenset(
    {
        *("accepts", "amount", "months", "purpose", "repayment", "securities", "zone"),
        *("has_contract", "contract_amount", "contract_retention", "contract_days_left", "purchaser_kind"),
        *("purchaser_on_time_share", "purchaser_p90_lag_days"),
    }
)
#: The grades of intellectual property that a zone records (知识价值 A to E), by their qualification.
_IP_GRADES = {f"knowledge_{grade.lower()}": grade for grade in "ABCDE"}


@dataclass(frozen=True)
class Fit:
    """A product beside a need: ``missing`` counts the conditions that are not met, none means that it fits.

    ``veiled`` fits are for institutions (see ``veil``).
    """

    product: Product
    missing: int
    facts: Facts
    requirement: Requirement
    veiled: bool = False

    @property
    def fits(self) -> bool:
        """Say whether every condition is met."""
        return not self.missing

    @cached_property
    def failures(self) -> tuple[Failure, ...]:
        """Return the conditions that are not met."""
        if self.fits:
            return ()
        failures = judge(self.facts, self.requirement)
        return veil(failures) if self.veiled else failures


class Near(NamedTuple):
    """A need, by its place in a list, that one condition keeps from a product."""

    place: int
    product: Product
    failure: Failure


class Standing(NamedTuple):
    """What a zone records of a firm: its whitelist, qualifications in force, and what the firm owes (fen)."""

    whitelisted: bool
    tags: frozenset[str]
    exposure: int


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
    repayment: Repayment | None = None,
) -> Facts:
    """Return the facts of a firm and its (perhaps not yet stored) need that conditions ask about."""
    return _describe(
        organisation,
        _read_standing([organisation.id], zone_id, on)[organisation.id],
        zone=_read_zone(zone_id),
        purpose=purpose,
        amount=amount,
        months=months,
        repayment=repayment,
        securities=securities,
        accepts=accepts,
        contract=contract,
        scores=_read_scores([contract], zone_id),
        on=on,
    )


def describe_all(needs: Sequence[Need], on: date) -> list[Facts]:
    """Return the facts of many stored needs of one zone, with what firms have in common read once."""
    if not needs:
        return []
    standing = _read_standing({need.organisation_id for need in needs}, needs[0].zone_id, on)
    zone = _read_zone(needs[0].zone_id)
    scores = _read_scores([need.contract for need in needs], needs[0].zone_id)
    return [
        _describe(
            need.organisation,
            standing[need.organisation_id],
            zone=zone,
            purpose=need.purpose,
            amount=need.amount,
            months=need.months,
            repayment=need.repayment,
            securities=need.securities,
            accepts=need.accepts,
            contract=need.contract,
            scores=scores,
            on=on,
        )
        for need in needs
    ]


def _read_scores(contracts: Iterable[Contract | None], zone_id: int) -> dict[str, PurchaserScore]:
    codes = {one.purchaser_code for one in contracts if one is not None and one.purchaser_code}
    return {code: purchasers.say(row) for code, row in purchasers.read_scores(zone_id, codes).items()}


def _read_zone(zone_id: int) -> str:
    return db.session.get_one(Zone, zone_id).code


def _read_standing(organisation_ids: Collection[int], zone_id: int, on: date) -> dict[int, Standing]:
    # Three short lists in one question: every bid asks it under the need's lock.
    seats = select(Membership.organisation_id, limits.NO_CODE, limits.NOTHING_OWED).where(
        Membership.organisation_id.in_(organisation_ids),
        Membership.zone_id == zone_id,
        Membership.whitelisted,
    )
    tags = select(Tag.organisation_id, Tag.code, limits.NOTHING_OWED).where(
        Tag.organisation_id.in_(organisation_ids),
        Tag.valid_from <= on,
        Tag.valid_to.is_(None) | (Tag.valid_to >= on),
    )
    listed: set[int] = set()
    codes: dict[int, set[str]] = {number: set() for number in organisation_ids}
    owed: dict[int, int] = {}
    asked: CompoundSelect[Any] = union_all(seats, tags, limits.ask_owed(organisation_ids, zone_id))
    for row in db.session.execute(asked).all():
        number, code, amount = row
        if code is not None:
            codes[number].add(code)
        elif amount is not None:
            owed[number] = int(amount)
        else:
            listed.add(number)
    return {
        number: Standing(number in listed, frozenset(codes[number]), owed.get(number, 0))
        for number in organisation_ids
    }


def _describe(
    organisation: Organisation,
    standing: Standing,
    *,
    zone: str,
    purpose: Purpose,
    amount: int,
    months: int,
    repayment: Repayment | None,
    securities: Sequence[str],
    accepts: Sequence[str],
    contract: Contract | None,
    scores: Mapping[str, PurchaserScore],
    on: date,
) -> Facts:
    facts: dict[str, object] = {
        "tags": standing.tags,
        "whitelisted": standing.whitelisted,
        "exposure": standing.exposure,
        # Of several grades in force the best one counts.
        "ip_grade": min((_IP_GRADES[code] for code in standing.tags & _IP_GRADES.keys()), default=None),
        "zone": zone,
        "purpose": purpose.value,
        "amount": amount,
        "months": months,
        "repayment": repayment.value if repayment else None,
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
    if contract is not None:
        facts["contract_amount"], facts["contract_retention"] = contract.amount, contract.retention
        facts["purchaser_kind"] = contract.purchaser.kind.value if contract.purchaser else None
        if contract.last_due_on is not None:
            facts["contract_days_left"] = (contract.last_due_on - on).days
        score = scores.get(contract.purchaser_code or "")
        if score is not None and score.is_enough:
            # Of too few payments nothing is known, and what is not known fails what asks for it.
            facts["purchaser_on_time_share"] = score.on_time_share
            facts["purchaser_p90_lag_days"] = score.p90_lag
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
    return _fit([facts], products, veiled=False)[0]


def suggest_fix(facts: Facts, fits: Sequence[Fit]) -> Fix | None:
    """Return the smallest single change that opens products to the need (``market.eligibility_fixes``)."""
    return find_nearest_fix(facts, [fit.requirement for fit in fits])


@dataclass(frozen=True, slots=True)
class Advice:
    """What the market says to a need before it is published.

    ``fits`` can answer it, ``near`` miss one condition only, ``fix`` is the nearest change that opens
    products.
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
        near=tuple(fit for fit in judged if fit.missing == 1),
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
    return _fit(describe_all(needs, on), products, veiled=True)


def list_near(rows: Sequence[Sequence[Fit]], most: int) -> list[Near]:
    """Return, of needs beside one institution's products, those that one condition keeps from fitting any.

    ``rows`` are those of ``fit_needs``. Each need comes once, with the product that is nearest to it; the
    nearest need first. How far off a figure of the firm's own is tells the order nothing: to sort by what
    is not shown would show it.
    """
    places = [place for place, row in enumerate(rows) if row and not any(fit.fits for fit in row)]
    table = Table.of([rows[place][0].facts for place in places])
    found: dict[int, tuple[float, int, Near]] = {}
    for fit in rows[places[0]] if places else ():
        for near in near_fits(table, fit.requirement, most=most, shown=_SHOWN):
            place, (failure,) = places[near.need], veil([near.failure])
            weighed = measure(failure), fit.product.id, Near(place, fit.product, failure)
            found[place] = min(weighed, found.get(place, weighed), key=lambda one: one[:2])
    nearest = sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    return [near for _, (_, _, near) in nearest[:most]]


def _fit(facts: Sequence[Facts], products: Iterable[Product], *, veiled: bool) -> list[list[Fit]]:
    shelf = [(product, read_requirement(product)) for product in products]
    counts = count_failures(Table.of(facts), Shelf(requirement for _, requirement in shelf)).tolist()
    return [
        sorted(
            (
                Fit(product, missing, each, requirement, veiled)
                for (product, requirement), missing in zip(shelf, row, strict=True)
            ),
            key=lambda fit: (fit.missing, fit.product.id),
        )
        for each, row in zip(facts, counts, strict=True)
    ]
