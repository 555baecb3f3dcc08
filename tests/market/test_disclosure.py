from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings

from market.cost import price
from market.disclosure import list_parts, parts
from market.terms import BillTerms, BridgeTerms, Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Repayment
from tests.market.strategies import offers


@settings(max_examples=100, deadline=None)
@given(offers)
def test_the_parts_sum_to_the_total_cost(terms: LoanTerms | LeaseTerms) -> None:
    priced = price(terms)
    assert sum(part.total for part in parts(priced)) == priced.total_cost


def test_every_cost_is_named_with_payee_basis_and_timing() -> None:
    terms = LoanTerms(
        100_000_000,
        24,
        Decimal("0.0365"),
        Repayment.INTEREST_MONTHLY,
        fees=(
            Fee("担保费", FeeTiming.YEARLY, "guarantor", FeeBasis.OUTSTANDING, Decimal("0.01")),
            Fee("登记费", FeeTiming.UPFRONT, "registry", amount=3_000),
        ),
        subsidies=(Subsidy("贴息", FeeTiming.END, rate=Decimal("0.005")),),
    )
    assert list_parts(price(terms)) == [
        {"part": "interest", "payee": "lender", "total": 7_300_008, "times": 24, "rate": "0.0365"},
        {
            "part": "fee",
            "payee": "guarantor",
            "total": 2_000_000,
            "times": 2,
            "name": "担保费",
            "rate": "0.01",
            "basis": "outstanding",
            "when": "yearly",
        },
        {"part": "fee", "payee": "registry", "total": 3_000, "times": 1, "name": "登记费", "when": "upfront"},
        {
            "part": "subsidy",
            "payee": "subsidy",
            "total": -500_000,
            "times": 1,
            "name": "贴息",
            "rate": "0.005",
            "basis": "principal",
            "when": "end",
        },
    ]


def test_bills_and_bridge_loans_disclose_their_parts_too() -> None:
    bill = price(BillTerms(100_000_000, 90, Decimal("0.06"), Decimal("0.003"), 365))
    assert [(part.part.value, part.total) for part in parts(bill)] == [
        ("interest", 1_479_452),
        ("fee", 73_973),
    ]
    bridge = price(
        BridgeTerms(950_000_000, 5, Decimal("0.0002"), (Fee("服务费", FeeTiming.END, amount=100),))
    )
    assert [(part.part.value, part.total) for part in parts(bridge)] == [("interest", 950_000), ("fee", 100)]
