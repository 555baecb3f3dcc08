from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from market.errors import Code, Invalid
from market.terms import Fee, LoanTerms, Subsidy
from market.vocabulary import FeeBasis, FeeTiming, Recipient, Repayment
from services.exchange.charges import read_fees, read_subsidies, write_fee, write_subsidy
from services.exchange.offers import read_offer, read_terms, write_offer
from tests.services.exchange.offer_files import (
    BRIDGE,
    FACTORING,
    LEASE,
    LOAN,
    faults_of,
    faults_of_any,
    read,
    read_any,
)

FEE = {"name": "f", "when": "yearly", "rate": "0.01"}
SUBSIDY = {"name": "s", "when": "yearly", "rate": "0.005"}


def test_a_fee_of_a_part_that_begins_later_is_read() -> None:
    full = {**FEE, "payee": "guarantor", "basis": "outstanding", "part": "0.8", "from_month": 12}
    (fee,) = read_fees([full])
    assert fee == Fee(
        "f",
        FeeTiming.YEARLY,
        "guarantor",
        FeeBasis.OUTSTANDING,
        Decimal("0.01"),
        part=Decimal("0.8"),
        from_month=12,
    )
    assert write_fee(fee) == full


def test_a_bounded_late_subsidy_is_read() -> None:
    bounds = {"cap": "50000.00", "budget": "0.00", "lag_months": 24}
    full = {**SUBSIDY, "basis": "interest", "recipient": "institution", **bounds, "passed_on": "0.5"}
    (subsidy,) = read_subsidies([full])
    assert subsidy == Subsidy(
        "s",
        FeeTiming.YEARLY,
        Recipient.INSTITUTION,
        FeeBasis.INTEREST,
        Decimal("0.005"),
        cap=5_000_000,
        budget=0,
        lag_months=24,
        passed_on=Decimal("0.5"),
    )
    assert write_subsidy(subsidy) == full


@pytest.mark.parametrize("basis", FeeBasis)
@pytest.mark.parametrize("when", FeeTiming)
def test_every_basis_and_every_time_is_read(basis: FeeBasis, when: FeeTiming) -> None:
    (fee,) = read_fees([{**FEE, "basis": basis.value, "when": when.value}])
    assert (fee.basis, fee.when) == (basis, when)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"part": "1.01"}, "part", Code.TOO_LARGE),
        ({"part": "-0.1"}, "part", Code.TOO_SMALL),
        ({"part": "-0"}, "part", Code.NOT_A_NUMBER),
        ({"part": "NaN"}, "part", Code.NOT_FINITE),
        ({"part": "1e400"}, "part", Code.NOT_A_NUMBER),
        ({"part": ""}, "part", Code.NOT_A_NUMBER),
        ({"rate": None, "amount": "5.00", "part": "0.5"}, "amount", Code.ONE_OF),
        ({"rate": None, "amount": "5.00", "basis": "principal"}, "amount", Code.ONE_OF),
        ({"from_month": -1}, "from_month", Code.TOO_SMALL),
        ({"from_month": 12}, "from_month", Code.TOO_LARGE),
        ({"from_month": "1"}, "from_month", Code.NOT_A_NUMBER),
        ({"from_month": 1.5}, "from_month", Code.NOT_A_NUMBER),
        ({"basis": "profit"}, "basis", Code.NOT_A_CHOICE),
        ({"when": "weekly"}, "when", Code.NOT_A_CHOICE),
        ({"cap": "5.00"}, "cap", Code.UNKNOWN_FIELD),
    ],
)
def test_a_fault_in_a_fee_is_named_with_its_path(change: dict[str, Any], field: str, code: Code) -> None:
    assert faults_of({**LOAN, "fees": [FEE, {**FEE, **change}]}) == [(f"offers[0].fees[1].{field}", code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"cap": "-1"}, "cap", Code.TOO_SMALL),
        ({"cap": "-0"}, "cap", Code.NOT_A_NUMBER),
        ({"cap": "1.005"}, "cap", Code.TOO_MANY_DECIMALS),
        ({"cap": "Infinity"}, "cap", Code.NOT_FINITE),
        ({"budget": "-0.01"}, "budget", Code.TOO_SMALL),
        ({"budget": "1e400"}, "budget", Code.NOT_A_NUMBER),
        ({"lag_months": 25}, "lag_months", Code.TOO_LARGE),
        ({"lag_months": -1}, "lag_months", Code.TOO_SMALL),
        ({"recipient": "institution", "passed_on": "1.1"}, "passed_on", Code.TOO_LARGE),
        ({"recipient": "institution", "passed_on": "-0"}, "passed_on", Code.NOT_A_NUMBER),
        ({"recipient": "firm", "passed_on": "0.5"}, "recipient", Code.NOT_A_CHOICE),
        ({"passed_on": "0.5"}, "recipient", Code.NOT_A_CHOICE),
        ({"payee": "lender"}, "payee", Code.UNKNOWN_FIELD),
        ({"from_month": 12}, "from_month", Code.TOO_LARGE),
    ],
)
def test_a_fault_in_a_subsidy_is_named_with_its_path(change: dict[str, Any], field: str, code: Code) -> None:
    found = faults_of({**LOAN, "subsidies": [{**SUBSIDY, **change}]})
    assert found == [(f"offers[0].subsidies[0].{field}", code)]


def test_the_months_before_a_lease_count_for_its_charges() -> None:
    late = {**FEE, "from_month": 37}
    assert faults_of({**LEASE, "fees": [late]}) == [("offers[0].fees[0].from_month", Code.TOO_LARGE)]
    assert len(read({**LEASE, "prelease_months": 2, "fees": [late]})) == 1


INTEREST = {"name": "预扣利息", "when": "upfront", "amount": "5000.00"}
OF_INTEREST = {"name": "service", "when": "upfront", "basis": "interest", "rate": "1"}


@pytest.mark.parametrize("fee", [INTEREST, OF_INTEREST])
def test_interest_deducted_in_advance_is_refused_by_name(fee: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        read({**LOAN, "fees": [FEE, fee]})
    (fault,) = refusal.value.faults
    assert (fault.code, fault.field) == (Code.INTEREST_IN_ADVANCE, "offers[0].fees[1].name")
    assert fault.values == {"value": fee["name"]}
    assert faults_of_any({**BRIDGE, "fees": [fee]}) == [("offers[0].fees[0].name", Code.INTEREST_IN_ADVANCE)]


@pytest.mark.parametrize("fee", [INTEREST, OF_INTEREST])
def test_who_buys_a_claim_or_leases_a_thing_lends_no_money(fee: dict[str, str]) -> None:
    assert len(read({**LEASE, "fees": [fee]})) == 1
    assert len(read_any({**FACTORING, "fees": [fee]})) == 1


def test_what_is_stored_is_not_judged_again() -> None:
    # A loan made before the rule must stay readable, and so must a fee that never falls due.
    fees = (
        Fee("利息", FeeTiming.UPFRONT, amount=1),
        Fee("late", FeeTiming.YEARLY, rate=Decimal("0.01"), from_month=24),
        Fee("half", FeeTiming.END, amount=1, part=Decimal("0.5")),
    )
    terms = LoanTerms(100, 12, Decimal("0.04"), Repayment.BULLET, fees=fees)
    assert read_offer(write_offer(terms)) == terms
    with pytest.raises(Invalid) as refusal:
        read_terms(write_offer(terms), stored=False)
    assert [(fault.field, fault.code) for fault in refusal.value.faults] == [
        ("fees[1].from_month", Code.TOO_LARGE),
        ("fees[2].amount", Code.ONE_OF),
        ("fees[0].name", Code.INTEREST_IN_ADVANCE),
    ]
