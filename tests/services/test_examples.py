from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from flask import Flask

from market.vocabulary import (
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    RentTiming,
    Repayment,
    Security,
)
from models.product import Product
from services import examples
from tests.factories import MILLION, make_party, make_product

TODAY = date(2026, 11, 20)
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def make(now: datetime, kind: OrganisationKind = OrganisationKind.BANK, **values: object) -> Product:
    return make_product(make_party(kind, now=now), now=now, **values)


def test_a_range_is_priced_at_both_ends(app: Flask, now: datetime) -> None:
    product = make(
        now,
        rate_from=Decimal("0.0365"),
        rate_to=Decimal("0.05"),
        repayment=Repayment.INTEREST_MONTHLY,
        fees=[{"name": "guarantee fee", "payee": "guarantor", "rate": "0.01", "when": "upfront"}],
    )
    example = examples.price(product, today=TODAY)
    assert example is not None and example.is_range
    assert (example.principal, example.months) == (MILLION, 12)
    assert example.lowest.effective is not None and example.highest.effective is not None
    assert round(example.lowest.effective, 6) == Decimal("0.047770")
    assert example.highest.effective > example.lowest.effective


def test_a_floating_price_rests_on_the_lpr_of_the_day(app: Flask, now: datetime) -> None:
    product = make(
        now,
        pricing=Pricing.LPR_1Y,
        rate_from=None,
        rate_to=None,
        spread_from=-400,
        spread_to=60,
    )
    example = examples.price(product, today=TODAY)
    assert example is not None
    # A subsidised loan may stand below the LPR, never below nothing.
    assert example.rates == (Decimal(0), Decimal("0.036"))
    assert example.priced_on == date(2026, 8, 20)


def test_amount_and_tenor_are_drawn_into_the_products_ranges(app: Flask, now: datetime) -> None:
    product = make(now, amount_min=5 * MILLION, months_min=24)
    example = examples.price(product, today=TODAY, amount=MILLION, months=6)
    assert example is not None and (example.principal, example.months) == (5 * MILLION, 24)
    example = examples.price(product, today=TODAY, amount=900 * MILLION, months=600)
    assert example is not None and (example.principal, example.months) == (50 * MILLION, 60)


def test_a_lease_counts_deposit_fee_and_buy_out(app: Flask, now: datetime) -> None:
    product = make(
        now,
        OrganisationKind.LESSOR,
        family=ProductFamily.LEASE,
        offer=OfferKind.LEASE,
        repayment=None,
        security=Security.EQUIPMENT,
        months_min=36,
        months_max=36,
        rate_from=Decimal("0.055"),
        rate_to=Decimal("0.055"),
        lease={"rent": RentTiming.ARREARS.value, "deposit": "0.05", "buyout": "100.00"},
        fees=[{"name": "handling", "rate": "0.015", "when": "upfront"}],
    )
    example = examples.price(product, today=TODAY)
    assert example is not None and not example.is_range
    assert example.lowest.effective is not None and round(example.lowest.effective, 6) == Decimal("0.074276")


def test_a_bridge_loan_is_priced_by_the_day(app: Flask, now: datetime) -> None:
    product = make(
        now,
        OrganisationKind.BRIDGE_PLATFORM,
        family=ProductFamily.BRIDGE,
        offer=None,
        pricing=Pricing.PER_DAY,
        rate_from=Decimal("0.0002"),
        rate_to=Decimal("0.0002"),
        months_min=0,
        months_max=0,
        repayment=None,
        amount_max=10 * MILLION,
    )
    example = examples.price(product, today=TODAY, amount=950_000_000)
    assert example is not None and (example.months, example.days) == (None, 5)
    assert example.lowest.total_cost == 950_000  # 9,500,000 yuan × 0.02 % × 5 days


def test_what_hands_out_no_money_has_no_example(app: Flask, now: datetime) -> None:
    guarantee = make(
        now,
        OrganisationKind.GUARANTOR,
        family=ProductFamily.GUARANTEE,
        offer=None,
        pricing=Pricing.FEE,
        rate_from=Decimal("0.01"),
        rate_to=Decimal("0.01"),
        repayment=None,
    )
    loan = make(now)
    assert examples.price(guarantee, today=TODAY) is None
    assert set(examples.price_all([guarantee, loan], today=TODAY)) == {loan.id}
