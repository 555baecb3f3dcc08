"""What an institution writes becomes terms, or is refused for all that is wrong with it at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market import cost
from market.errors import Code, Invalid
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy, Terms
from market.vocabulary import (
    BidState,
    FeeBasis,
    FeeTiming,
    Interval,
    OfferKind,
    OrganisationKind,
    Pricing,
    RentTiming,
    Repayment,
)
from models.need import Need
from models.product import Product
from services import bids, opening
from services.exchange.offers import read_offer
from services.quotes import Quote, build_terms
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_party, make_product, place_bid

LOAN = Product(offer=OfferKind.LOAN, pricing=Pricing.FIXED, repayment=Repayment.INTEREST_MONTHLY)
LEASE = Product(offer=OfferKind.LEASE, pricing=Pricing.FIXED)


def build(product: Product, **values: Any) -> Terms:
    usual = {"principal": MILLION, "months": 12, "rate": Decimal("0.04")}
    quote = Quote(product_id=1, valid_until=datetime(2026, 12, 1), **{**usual, **values})
    return build_terms(quote, Need(), product, on=date(2026, 1, 5))


def faults_of(product: Product, **values: Any) -> list[tuple[str | None, Code]]:
    with pytest.raises(Invalid) as refusal:
        build(product, **values)
    return [(fault.field, fault.code) for fault in refusal.value.faults]


def test_a_loan_takes_its_interval_its_steps_and_its_deposit() -> None:
    steps = ((6, Decimal("0.045")),)
    assert build(
        LOAN, interval=Interval.QUARTERLY, rate_steps=steps, deposit=Decimal("0.1"), buyout=5
    ) == LoanTerms(
        MILLION,
        12,
        Decimal("0.04"),
        Repayment.INTEREST_MONTHLY,
        interval=Interval.QUARTERLY,
        rate_steps=steps,
        deposit=Decimal("0.1"),
    )


def test_a_lease_takes_the_months_before_it_too() -> None:
    before = {"prelease_months": 2, "prelease_rate": Decimal("0.03"), "interval": Interval.HALF_YEARLY}
    assert build(LEASE, rent=RentTiming.ADVANCE, buyout=100, **before) == LeaseTerms(
        MILLION,
        12,
        Decimal("0.04"),
        RentTiming.ADVANCE,
        buyout=100,
        interval=Interval.HALF_YEARLY,
        prelease_months=2,
        prelease_rate=Decimal("0.03"),
    )


@pytest.mark.parametrize(
    ("product", "values", "field", "code"),
    [
        (LOAN, {"rate_steps": ((12, Decimal("0.05")),)}, "rate_steps.0.0", Code.TOO_LARGE),
        (LOAN, {"rate_steps": ((0, Decimal("0.05")),)}, "rate_steps.0.0", Code.TOO_SMALL),
        (LOAN, {"rate_steps": ((3, Decimal("-0.05")),)}, "rate_steps.0.1", Code.TOO_SMALL),
        (LOAN, {"rate_steps": ((3, Decimal("NaN")),)}, "rate_steps.0.1", Code.NOT_FINITE),
        (LOAN, {"deposit": Decimal("1.5")}, "deposit", Code.TOO_LARGE),
        (LOAN, {"prelease_months": 2}, "prelease_months", Code.UNKNOWN_FIELD),
        (LEASE, {"prelease_rate": Decimal("0.03")}, "prelease_months", Code.REQUIRED),
        (LEASE, {"prelease_months": -1}, "prelease_months", Code.TOO_SMALL),
        (LEASE, {"months": 0}, "months", Code.TOO_SMALL),
        (LEASE, {"months": 361}, "months", Code.TOO_LARGE),
        (LEASE, {"principal": 0}, "principal", Code.TOO_SMALL),
        (LOAN, {"rate": None}, "rate", Code.REQUIRED),
    ],
)
def test_terms_that_no_file_could_hold_are_no_quote(
    product: Product, values: dict[str, Any], field: str, code: Code
) -> None:
    assert faults_of(product, **values) == [(field, code)]


def test_interest_deducted_in_advance_is_refused_in_a_loan_and_not_in_a_lease() -> None:
    fees = (
        Fee("handling", FeeTiming.UPFRONT, amount=100),
        Fee("service", FeeTiming.UPFRONT, basis=FeeBasis.INTEREST, rate=Decimal(1)),
    )
    assert faults_of(LOAN, fees=fees) == [("fees.1.name", Code.INTEREST_IN_ADVANCE)]
    assert build(LEASE, fees=fees).fees == fees


def test_a_programme_that_pays_only_after_the_end_is_left_out() -> None:
    late = Subsidy("second year", FeeTiming.YEARLY, rate=Decimal("0.005"), from_month=12)
    assert build(LOAN, subsidies=(late,)).subsidies == ()
    assert build(LOAN, months=13, subsidies=(late,)).subsidies == (late,)
    fee = Fee("second year", FeeTiming.YEARLY, rate=Decimal("0.005"), from_month=12)
    assert faults_of(LOAN, fees=(fee,)) == [("fees.0.from_month", Code.TOO_LARGE)]


def test_what_is_sealed_is_what_is_opened_and_priced(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    placed = place_bid(
        need,
        make_product(bank, now=now),
        bank,
        now=now,
        sealer=sealer,
        repayment=Repayment.EQUAL_PRINCIPAL,
        interval=Interval.QUARTERLY,
        rate_steps=((6, Decimal("0.05")),),
        deposit=Decimal("0.05"),
        fees=(Fee("guarantee", FeeTiming.EACH_PAYMENT, rate=Decimal("0.001"), part=Decimal("0.8")),),
    )
    opening.open_bids(need.id, by=firm, now=now + timedelta(days=3, seconds=1), sealer=sealer)
    (bid,) = bids.list_offers(need.id, by=firm)
    assert (bid.id, bid.state) == (placed.id, BidState.LIVE)
    terms = read_offer(bid.terms, "terms")
    assert isinstance(terms, LoanTerms)
    assert (terms.interval, terms.rate_steps) == (Interval.QUARTERLY, ((6, Decimal("0.05")),))
    assert (terms.deposit, terms.fees[0].part) == (Decimal("0.05"), Decimal("0.8"))
    priced = cost.price(terms)
    assert priced.effective is not None and bid.effective == round(priced.effective, 8)
    assert [line.number for line in priced.schedule.lines] == [0, 3, 6, 9, 12]
