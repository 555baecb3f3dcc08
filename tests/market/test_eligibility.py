"""Conditions as data: what fits, what fails and by how far, and which conditions can be stored at all."""

from __future__ import annotations

from typing import Any

import pytest

from market.eligibility import Condition, Requirement, judge, read_conditions
from market.errors import Code, Invalid
from market.vocabulary import OfferKind, ProductFamily, Security

FIRM: dict[str, Any] = {
    "size_class": "small",
    "industry": "software",
    "tags": frozenset({"tech_sme"}),
    "age_months": 30,
    "staff_count": 25,
    "annual_revenue": 12_000_000_00,
    "tax_grade": "B",
    "whitelisted": False,
    "purpose": "working_capital",
    "securities": frozenset({"unsecured"}),
    "accepts": frozenset({"loan"}),
    "amount": 3_000_000_00,
    "months": 12,
    "has_contract": False,
}


def product(
    amounts: tuple[int, int] = (100_000_00, 5_000_000_00),
    months: tuple[int, int] = (1, 12),
    conditions: tuple[Condition, ...] = (),
    security: Security = Security.UNSECURED,
    family: ProductFamily = ProductFamily.INNOVATION,
    offer: OfferKind = OfferKind.LOAN,
) -> Requirement:
    return Requirement(*amounts, *months, security, offer, family, conditions)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        (Condition("tax_grade", "in", ["A", "B", "M"]), True),
        (Condition("tax_grade", "in", ["A"]), False),
        (Condition("tags", "has", "tech_sme"), True),
        (Condition("tags", "has_any", ["high_tech", "tech_sme"]), True),
        (Condition("tags", "has", "specialised_sme"), False),
        (Condition("age_months", "at_least", 24), True),
        (Condition("age_months", "at_least", 36), False),
        (Condition("staff_count", "at_most", 100), True),
        (Condition("whitelisted", "is", True), False),
        (Condition("annual_revenue", "at_least", 12_000_000_00), True),  # a bound includes itself
        (Condition("tax_grade", "is", "B"), True),
        (Condition("tax_grade", "in", []), False),  # one of none is nothing
        (Condition("tags", "has_any", []), False),
    ],
)
def test_a_condition_is_met_or_not(condition: Condition, fits: bool) -> None:
    assert (judge(FIRM, product(conditions=(condition,))) == ()) is fits


def test_a_failing_number_says_how_far_it_is_off() -> None:
    (failure,) = judge(FIRM, product(conditions=(Condition("age_months", "at_least", 36),)))
    assert (failure.found, failure.distance) == (30, 6)
    (failure,) = judge(FIRM, product(amounts=(1, 2_000_000_00)))
    assert (failure.condition.fact, failure.distance) == ("amount", 1_000_000_00)


@pytest.mark.parametrize(
    ("amount", "amounts", "distance"),
    [(2**53 + 1, (1, 2**53), 1), (5, (10**30, 10**31), 10**30 - 5), (10**30, (1, 10**30 - 1), 1)],
)
def test_a_number_is_off_by_its_whole_distance_however_large(
    amount: int, amounts: tuple[int, int], distance: int
) -> None:
    (failure,) = judge({**FIRM, "amount": amount}, product(amounts=amounts))
    assert (failure.found, failure.distance) == (amount, distance)


def test_what_nobody_has_shown_is_not_assumed() -> None:
    unknown = {**FIRM, "tax_grade": None}
    (failure,) = judge(unknown, product(conditions=(Condition("tax_grade", "in", ["A", "B"]),)))
    assert failure.found is None


def test_a_contract_loan_needs_a_contract_and_a_secured_one_the_security() -> None:
    assert [f.condition.fact for f in judge(FIRM, product(family=ProductFamily.CONTRACT))] == ["has_contract"]
    assert [f.condition.fact for f in judge(FIRM, product(security=Security.MORTGAGE))] == ["securities"]
    assert [f.condition.fact for f in judge(FIRM, product(offer=OfferKind.LEASE))] == ["accepts"]


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({"fact": "colour", "test": "is", "value": "red"}, "conditions.0.fact", Code.NOT_A_CHOICE),
        ({"fact": "tags", "test": "at_least", "value": 3}, "conditions.0.test", Code.NOT_A_CHOICE),
        ({"fact": "age_months", "test": "at_least", "value": "36"}, "conditions.0.value", Code.NOT_A_NUMBER),
        ({"fact": "age_months", "test": "at_least", "value": True}, "conditions.0.value", Code.NOT_A_NUMBER),
        ({"fact": "tax_grade", "test": "in", "value": "A"}, "conditions.0.value", Code.REQUIRED),
        ({"fact": "tags", "test": "has"}, "conditions.0.value", Code.REQUIRED),
        ({"fact": "tags", "test": "has", "value": ["high_tech"]}, "conditions.0.value", Code.NOT_TEXT),
        ({"fact": "tags", "test": "has_any", "value": [["x"]]}, "conditions.0.value", Code.NOT_TEXT),
        ({"fact": "whitelisted", "test": "is", "value": "yes"}, "conditions.0.value", Code.NOT_A_CHOICE),
    ],
)
def test_a_faulty_condition_is_named_by_its_path(item: dict[str, Any], field: str, code: Code) -> None:
    with pytest.raises(Invalid) as caught:
        read_conditions([item])
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [(field, code)]
