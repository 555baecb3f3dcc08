"""Packages of an offer: gathered from the zone's shelf, judged for the firm, priced as an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.errors import Code, Forbidden, NotFound
from market.party import Party, clock
from market.risk_sharing import Concern, Role
from market.terms import Fee
from market.vocabulary import (
    CoverKind,
    DayCount,
    FeeTiming,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Repayment,
    Security,
    SizeClass,
)
from models.bid import Bid
from models.need import Need
from models.product import Product
from services import bids, opening, packages, products
from services.packages import Standing
from services.sealing import Sealer
from services.shelf_covers import ASSUMED_SHARE
from tests.factories import (
    MILLION,
    make_need,
    make_officer,
    make_organisation,
    make_party,
    make_product,
    make_zone,
    place_bid,
)
from tests.services.conftest import take_print

LATER = timedelta(days=3, minutes=1)
YEARLY = {"name": "担保费", "payee": "guarantor", "when": "yearly", "basis": "principal", "rate": "0.01"}
SMALL = {"fact": "size_class", "test": "in", "value": ["small", "micro"]}


@dataclass(frozen=True)
class Table:
    """A firm, a bank with a loan that asks for a guarantee, and what the firm needs."""

    firm: Party
    bank: Party
    product: Product
    need: Need


def make_table(now: datetime, **firm: Any) -> Table:
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now, security=Security.GUARANTEE, repayment=Repayment.INTEREST_MONTHLY)
    owner = make_party(now=now, **firm)
    need = make_need(owner, now=now, amount=MILLION, securities=(Security.GUARANTEE,))
    return Table(owner, bank, product, need)


def list_cover(
    now: datetime,
    family: ProductFamily = ProductFamily.GUARANTEE,
    *,
    by: Party | None = None,
    zone_id: int | None = None,
    **values: Any,
) -> Product:
    """List a guarantee of 1 % a year on the shelf, by a guarantor of its own."""
    guarantee = family is ProductFamily.GUARANTEE
    kind = OrganisationKind.GUARANTOR if guarantee else OrganisationKind.INSURER
    usual: dict[str, Any] = {
        "family": family,
        "pricing": Pricing.FEE,
        "offer": None,
        "repayment": None,
        "security": Security.GUARANTEE if guarantee else Security.UNSECURED,
        "amount_min": MILLION // 10,
        "amount_max": 10 * MILLION,
        "months_min": 3,
        "months_max": 12,
        "rate_from": Decimal("0.01"),
        "rate_to": Decimal("0.03"),
        "fees": [YEARLY],
    }
    seller = by or make_party(kind, now=now, zone_id=zone_id)
    return make_product(seller, now=now, **{**usual, **values})


def open_offer(table: Table, now: datetime, sealer: Sealer, **values: Any) -> Bid:
    """Bid at 3.65 % and open the bid."""
    usual = {"rate": Decimal("0.0365")}
    bid = place_bid(table.need, table.product, table.bank, now=now, sealer=sealer, **{**usual, **values})
    opening.open_bids(table.need.id, by=clock(table.need.zone_id), now=now + LATER, sealer=sealer)
    return bid


def test_a_loan_that_asks_for_a_guarantee_is_priced_with_each_of_the_shelf(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    guarantee = list_cover(now)
    insurance = list_cover(
        now, ProductFamily.INSURANCE, fees=[{**YEARLY, "payee": "insurer", "rate": "0.025"}]
    )
    bid = open_offer(table, now, sealer)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert found.standing is Standing.SOUGHT and found.unfit == ()
    assert [found.provider(package).product.id for package in found.packages] == [guarantee.id, insurance.id]
    first, second = found.packages
    # 1 % and 2.5 % a year of the 80 % that are taken to be covered.
    assert [(step.kind.value, step.party, step.amount) for step in first.steps] == [
        ("guarantee", "guarantor", 800_000)
    ]
    assert [(step.kind.value, step.party, step.amount) for step in second.steps] == [
        ("insurance", "insurer", 2_000_000)
    ]
    assert first.bare.effective == second.bare.effective is not None
    assert f"{first.bare.effective:.6f}" == "0.037117"
    assert found.provider(first).assumed and first.stack.covered == ASSUMED_SHARE
    assert [(sharer.name, sharer.role, sharer.share) for sharer in second.risk] == [
        ("lender", Role.BANK, Decimal("0.2")),
        ("insurer", Role.INSURER, Decimal("0.8")),
    ]
    assert first.notes == ()


def test_proposing_stores_nothing(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    list_cover(now)
    bid = open_offer(table, now, sealer)
    before = take_print()
    packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert take_print() == before


def test_a_loan_without_such_security_needs_no_package(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    list_cover(now)
    plain = make_product(table.bank, now=now)
    need = make_need(table.firm, now=now)
    bid = open_offer(Table(table.firm, table.bank, plain, need), now, sealer)
    found = packages.propose(need.id, bid.id, by=table.firm, now=now + LATER)
    assert (found.standing, found.packages) == (Standing.NOT_ASKED, ())


@pytest.mark.parametrize("payee", ["guarantor", "insurer", "一家担保公司"])
def test_a_loan_whose_own_fees_pay_for_a_guarantee_gets_none_on_top(
    app: Flask, now: datetime, sealer: Sealer, payee: str
) -> None:
    table = make_table(now)
    organisation = make_organisation(OrganisationKind.GUARANTOR, now=now, name="一家担保公司")
    list_cover(now, by=make_party(now=now, organisation=organisation))
    fee = Fee("担保费", FeeTiming.UPFRONT, payee, rate=Decimal("0.01"))
    bid = open_offer(table, now, sealer, fees=(fee,))
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert (found.standing, found.packages) == (Standing.INCLUDED, ())


def test_a_fee_to_somebody_else_does_not_pay_for_a_guarantee(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    list_cover(now)
    fee = Fee("评审费", FeeTiming.UPFRONT, "agency", amount=50_000)
    bid = open_offer(table, now, sealer, fees=(fee,))
    (package,) = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER).packages
    assert dict(package.cost.breakdown)["agency"] == 50_000


def test_what_does_not_fit_the_firm_or_the_loan_is_named_with_its_conditions(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now, size_class=SizeClass.MEDIUM)
    fits = list_cover(now)
    small = list_cover(now, conditions=[SMALL])
    low = list_cover(now, amount_max=MILLION // 2)
    other_zone = make_zone(now=now)
    list_cover(now, zone_id=other_zone.id)
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now)
    unlisted = list_cover(now, by=guarantor)
    products.set_listed(unlisted.id, False, by=guarantor, now=now)
    loan = list_cover(now, pricing=Pricing.FIXED, offer="loan", repayment=Repayment.BULLET)
    bid = open_offer(table, now, sealer)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert [found.provider(package).product.id for package in found.packages] == [fits.id]
    assert [(one.product.id, one.failures[0].condition.fact) for one in found.unfit] == [
        (small.id, "size_class"),
        (low.id, "amount"),
    ]
    assert loan.id not in {one.product.id for one in found.unfit}


def test_the_cover_is_judged_for_what_the_lender_offers(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    enough = list_cover(now, amount_max=MILLION, months_max=13)
    list_cover(now, months_max=12)
    bid = open_offer(table, now, sealer, months=13)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert [found.provider(package).product.id for package in found.packages] == [enough.id]
    # The thirteenth month begins a second year.
    assert found.packages[0].steps[0].amount == 1_600_000
    assert [failure.condition.fact for failure in found.unfit[0].failures] == ["months"]


def test_a_product_says_its_share_by_the_part_of_its_fees(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    parts = [
        {**YEARLY, "part": "0.7"},
        {**YEARLY, "name": "再担保费", "payee": "省再担保", "rate": "0.001", "part": "0.2"},
        {"name": "评审费", "when": "upfront", "amount": "100.00"},
    ]
    list_cover(now, fees=parts)
    bid = open_offer(table, now, sealer)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    (package,) = found.packages
    assert not found.provider(package).assumed and package.stack.covered == Decimal("0.7")
    # A fee that names nobody goes to the guarantor.
    assert package.payees == (("lender", 3_650_004), ("guarantor", 710_000), ("省再担保", 20_000))
    assert package.risk.share_of(Role.BANK) == Decimal("0.3")


def test_a_product_without_a_list_of_fees_counts_with_the_upper_end_of_its_rate(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    ranged = list_cover(now, fees=[])
    nothing = list_cover(now, fees=[], rate_from=None, rate_to=None)
    bid = open_offer(table, now, sealer)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert [found.provider(package).product.id for package in found.packages] == [ranged.id]
    assert found.packages[0].steps[0].amount == 2_400_000
    assert [(one.product.id, one.failures) for one in found.unfit] == [(nothing.id, ())]


@pytest.mark.parametrize(
    ("subsidy", "lowers"),
    [
        ({"recipient": "firm", "basis": "principal", "rate": "0.005"}, 400_000),
        ({"recipient": "institution", "basis": "principal", "rate": "0.005"}, 0),
        ({"recipient": "institution", "basis": "principal", "rate": "0.005", "passed_on": "0.5"}, 200_000),
        ({"recipient": "firm", "basis": "principal", "rate": "0.005", "part": "0.5"}, 250_000),
        ({"recipient": "firm", "basis": "interest", "rate": "0.4"}, 1_460_002),
        ({"recipient": "firm", "amount": "1000.00"}, 100_000),
        ({"recipient": "firm", "basis": "principal", "rate": "0.005", "cap": "1500.00"}, 150_000),
    ],
)
def test_a_subsidy_of_the_guarantee_counts_as_far_as_the_firm_receives_it(
    app: Flask, now: datetime, sealer: Sealer, subsidy: dict[str, str], lowers: int
) -> None:
    table = make_table(now)
    list_cover(now, subsidies=[{"name": "担保费补贴", "when": "end", **subsidy}])
    bid = open_offer(table, now, sealer)
    (package,) = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER).packages
    assert [step.amount for step in package.steps] == [800_000, -lowers]


def test_a_lender_that_is_no_bank_keeps_its_share_as_a_lender(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    fund = make_party(OrganisationKind.FUND, now=now)
    product = make_product(fund, now=now, security=Security.GUARANTEE)
    list_cover(now, fees=[{**YEARLY, "part": "0.9"}])
    bid = open_offer(Table(table.firm, fund, product, table.need), now, sealer)
    (package,) = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER).packages
    assert package.risk.share_of(Role.LENDER) == Decimal("0.1")
    assert [note.concern for note in package.notes] == [Concern.BANK_BELOW_PRINCIPLE]


def test_an_offer_counted_in_days_has_packages_too(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    list_cover(now)
    bid = open_offer(table, now, sealer, day_count=DayCount.ACT_360)
    (package,) = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER).packages
    assert package.cost.convention.startswith("act/360") and package.cost.effective is not None


def test_an_officer_sees_the_packages_and_others_do_not(app: Flask, now: datetime, sealer: Sealer) -> None:
    table = make_table(now)
    list_cover(now)
    bid = open_offer(table, now, sealer)
    seen = packages.propose(table.need.id, bid.id, by=make_officer(now=now), now=now + LATER)
    assert len(seen.packages) == 1
    with pytest.raises(NotFound):
        packages.propose(table.need.id, bid.id, by=make_party(now=now), now=now + LATER)
    with pytest.raises(Forbidden):
        packages.propose(table.need.id, bid.id, by=table.bank, now=now + LATER)


def test_before_the_opening_there_is_no_offer_to_put_a_guarantee_beside(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    list_cover(now)
    bid = place_bid(table.need, table.product, table.bank, now=now, sealer=sealer)
    with pytest.raises(NotFound) as refused:
        packages.propose(table.need.id, bid.id, by=table.firm, now=now)
    assert refused.value.faults[0].code is Code.NOT_FOUND


def test_a_bank_sees_what_its_quote_would_cost_with_a_guarantee_without_the_firms_figures(
    app: Flask, now: datetime
) -> None:
    table = make_table(now, size_class=SizeClass.MEDIUM)
    fits = list_cover(now)
    small = list_cover(now, conditions=[SMALL])
    quote = bids.Quote(
        product_id=table.product.id,
        principal=MILLION,
        months=12,
        valid_until=now + timedelta(days=60),
        rate=Decimal("0.0365"),
    )
    found = packages.preview(table.need.id, quote, by=table.bank, now=now)
    assert [found.provider(package).product.id for package in found.packages] == [fits.id]
    ((one,),) = [[failure for failure in unfit.failures] for unfit in found.unfit]
    assert (found.unfit[0].product.id, one.condition.fact, one.found) == (small.id, "size_class", None)
    with pytest.raises(Forbidden):
        packages.preview(table.need.id, quote, by=table.firm, now=now)


def test_many_products_are_one_row_each_and_in_order_of_cost(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    table = make_table(now)
    rates = ["0.012", "0.008", "0.01", "0.03", "0.009"]
    for rate in rates:
        list_cover(now, fees=[{**YEARLY, "rate": rate}])
        list_cover(now, ProductFamily.INSURANCE, fees=[{**YEARLY, "rate": rate, "part": "0.2"}])
    bid = open_offer(table, now, sealer)
    found = packages.propose(table.need.id, bid.id, by=table.firm, now=now + LATER)
    assert len(found.packages) == 10
    costs = [package.cost.effective for package in found.packages]
    assert None not in costs and costs == sorted(costs)  # type: ignore[type-var]
    kinds = {found.provider(package).cover.kind for package in found.packages}
    assert kinds == set(CoverKind) and all(len(package.stack.covers) == 1 for package in found.packages)
