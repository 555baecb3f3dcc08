"""Bills, factored receivables, bridge loans and covers by themselves, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.cost import price
from market.disclosure import parts
from market.money import rate_text, yuan
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    LoanTerms,
    Priceable,
    Subsidy,
)
from market.vocabulary import FeeBasis, FeeTiming, Repayment

MILLION = 100_000_000


def lines(terms: Priceable) -> list[tuple[int, int, int, int, int]]:
    return [
        (line.number, line.principal, line.interest, line.fees, line.balance)
        for line in price(terms).schedule.lines
    ]


def test_a_bill_with_a_service_fee() -> None:
    fee = Fee("手续费", FeeTiming.UPFRONT, "platform", rate=Decimal("0.001"))
    terms = BillTerms(MILLION, 180, Decimal("0.024"), basis=360, fees=(fee,))
    # 1,000,000 × 2.4 % × 180 ÷ 360 = 12,000; a thousandth of the face is 1,000.
    assert lines(terms) == [(0, 0, 1_200_000, 100_000, MILLION), (180, MILLION, 0, 0, 0)]
    assert yuan(price(terms).net_received) == "987000.00"
    assert [(part.name, part.payee, part.total) for part in parts(price(terms))] == [
        ("", "lender", 1_200_000),
        ("手续费", "platform", 100_000),
    ]


@pytest.mark.parametrize(
    ("when", "received", "at_end"),
    [(FeeTiming.END, "795000.00", "-812000.00"), (FeeTiming.UPFRONT, "783000.00", "-800000.00")],
)
def test_factoring_pays_out_a_share_and_passes_the_rest_on(
    when: FeeTiming, received: str, at_end: str
) -> None:
    # 80 % of a million at 6 % for 90 days: 12,000. The service fee is 0.5 % of the receivable.
    fee = Fee("保理服务费", FeeTiming.UPFRONT, rate=Decimal("0.005"))
    terms = FactoringTerms(MILLION, 90, Decimal("0.06"), Decimal("0.8"), when, fees=(fee,))
    priced = price(terms)
    assert yuan(priced.net_received) == received and yuan(priced.total_cost) == "17000.00"
    assert yuan(sum(flow.amount for flow in priced.schedule.flows if flow.month == 90)) == at_end
    assert priced.cost_per_yuan == Decimal("0.02125")
    assert sum(part.total for part in parts(priced)) == priced.total_cost


def test_fees_on_factored_money_are_taken_of_what_was_paid_out() -> None:
    fee = Fee("f", FeeTiming.END, basis=FeeBasis.OUTSTANDING, rate=Decimal("0.01"))
    terms = FactoringTerms(MILLION, 90, Decimal(0), Decimal("0.8"), fees=(fee,))
    assert price(terms).total_cost == 800_000


def test_interest_kept_back_costs_more_than_interest_at_the_end() -> None:
    early, late = (
        price(FactoringTerms(MILLION, 90, Decimal("0.06"), interest_when=when)).effective
        for when in (FeeTiming.UPFRONT, FeeTiming.END)
    )
    assert early is not None and late is not None and early > late


@pytest.mark.parametrize(
    ("days", "interest"),
    # 9,500,000 at 0.02 % a day for days 1 to 5 and 0.03 % from day 6 on.
    [(3, "5700.00"), (5, "9500.00"), (6, "12350.00"), (10, "23750.00")],
)
def test_a_bridge_loan_gets_dearer_day_by_day(days: int, interest: str) -> None:
    terms = BridgeTerms(950_000_000, days, Decimal("0.0002"), steps=((6, Decimal("0.0003")),))
    assert yuan(price(terms).total_cost) == interest


def test_the_cost_of_a_cover_is_what_it_adds_to_an_interest_free_loan() -> None:
    fee = Fee("担保费", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01"))
    cover = price(CoverTerms(MILLION, 12, (fee,)))
    loan = price(LoanTerms(MILLION, 12, Decimal(0), Repayment.BULLET, fees=(fee,)))
    assert (cover.effective, cover.breakdown) == (loan.effective, loan.breakdown)
    # 1 ÷ 0.99 - 1
    assert cover.effective is not None and rate_text(cover.effective) == "0.01010101"
    assert cover.convention == "cover alone; months/12"
    assert [(part.payee, part.total) for part in parts(cover)] == [("guarantor", 1_000_000)]


def test_a_deposit_left_with_the_guarantor_makes_the_cover_dearer() -> None:
    fee = Fee("担保费", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01"))
    cover = price(CoverTerms(MILLION, 12, (fee,), Decimal("0.1")))
    # 890,000 received, 900,000 repaid: 10 ÷ 890.
    assert cover.effective is not None and rate_text(cover.effective) == "0.01123596"
    assert [(part.part.value, part.held) for part in parts(cover)] == [("fee", 0), ("deposit", 10_000_000)]


def test_a_guarantee_fee_paid_back_by_half_costs_half() -> None:
    fee = Fee("担保费", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01"))
    help_ = Subsidy("保费补贴", FeeTiming.UPFRONT, rate=Decimal("0.005"))
    assert price(CoverTerms(MILLION, 12, (fee,), subsidies=(help_,))).total_cost == 500_000
