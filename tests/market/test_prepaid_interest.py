from __future__ import annotations

from decimal import Decimal

import pytest

from market.prepaid_interest import find_prepaid_interest
from market.terms import Fee
from market.vocabulary import FeeBasis, FeeTiming

RATE = Decimal("0.01")


@pytest.mark.parametrize(
    "fee",
    [
        Fee("handling", FeeTiming.UPFRONT, basis=FeeBasis.INTEREST, rate=RATE),
        Fee("interest", FeeTiming.UPFRONT, amount=100),
        Fee("Prepaid interest (3 months)", FeeTiming.UPFRONT, rate=RATE),
        Fee("预扣利息", FeeTiming.UPFRONT, amount=100),
        Fee("首期利息、手续费", FeeTiming.UPFRONT, amount=100),
        Fee("砍头息", FeeTiming.UPFRONT, amount=100),
        # A yearly fee of the principal falls at the start as well.
        Fee("利息", FeeTiming.YEARLY, rate=RATE),
    ],
)
def test_interest_taken_by_the_lender_at_the_start_is_found(fee: Fee) -> None:
    assert find_prepaid_interest([Fee("handling", FeeTiming.UPFRONT, amount=1), fee]) == [1]


@pytest.mark.parametrize(
    "fee",
    [
        Fee("handling", FeeTiming.UPFRONT, rate=RATE),
        Fee("interest", FeeTiming.END, amount=100),
        Fee("interest", FeeTiming.MONTHLY, amount=100),
        Fee("interest", FeeTiming.YEARLY, basis=FeeBasis.INTEREST, rate=RATE),
        Fee("interest", FeeTiming.YEARLY, rate=RATE, from_month=12),
        # Somebody else's charge is no interest of the lender's, however it is reckoned.
        Fee("guarantee fee", FeeTiming.UPFRONT, "guarantor", FeeBasis.INTEREST, rate=RATE),
        Fee("interested party search", FeeTiming.UPFRONT, amount=100),
        Fee("利息发票邮寄费", FeeTiming.UPFRONT, amount=100),
    ],
)
def test_other_fees_are_not_taken_for_interest(fee: Fee) -> None:
    assert find_prepaid_interest([fee]) == []


def test_a_loan_of_days_pays_its_yearly_fees_at_the_start() -> None:
    fee = Fee("share", FeeTiming.YEARLY, basis=FeeBasis.INTEREST, rate=RATE)
    assert find_prepaid_interest([fee]) == []
    assert find_prepaid_interest([fee], short=True) == [0]
