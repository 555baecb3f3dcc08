"""What is missing: the single change that opens products, and the needs that one condition keeps out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import eligibility_fixes, eligibility_match
from market.eligibility import FACTS, Condition, Requirement, judge
from market.eligibility_fixes import (
    RANK_OF_CHANGE,
    Fix,
    NearFit,
    find_fixes,
    find_nearest_fix,
    measure,
    near_fits,
)
from market.eligibility_table import Table
from market.vocabulary import OfferKind, ProductFamily, Security
from tests.market.eligibility_cases import facts, far_numbers, requirements

FIRM: dict[str, Any] = {
    "age_months": 30,
    "tags": frozenset({"tech_sme"}),
    "securities": frozenset({"unsecured"}),
    "accepts": frozenset({"loan"}),
    "amount": 3_000_000_00,
    "months": 12,
}


def product(
    amounts: tuple[int, int] = (100_000_00, 5_000_000_00),
    months: tuple[int, int] = (1, 12),
    *conditions: Condition,
    security: Security = Security.UNSECURED,
    offer: OfferKind = OfferKind.LOAN,
) -> Requirement:
    return Requirement(*amounts, *months, security, offer, ProductFamily.INNOVATION, conditions)


def try_everything(need: dict[str, Any], shelf: list[Requirement]) -> tuple[Fix, ...]:
    """Make every change that any condition names, and judge the whole shelf after each of them."""
    best = {}
    for fact in RANK_OF_CHANGE:
        asked = [c.value for one in shelf for c in one.expand() if c.fact == fact]
        found, tried = need.get(fact), []
        for value in {one for each in asked for one in (each if isinstance(each, list) else [each])}:
            if FACTS[fact] == "number" and found is None:
                continue
            changed = frozenset(found or ()) | {value} if FACTS[fact] == "set" else value
            opens = sum(bool(judge(need, one)) and not judge({**need, fact: changed}, one) for one in shelf)
            far = Fraction(abs(value - found), max(1, abs(found))) if FACTS[fact] == "number" else Fraction(0)
            if opens:
                tried.append(((RANK_OF_CHANGE[fact], -opens, far, fact), value, Fix(fact, value, opens)))
        if tried:
            best[fact] = min(tried, key=lambda one: one[:2])
    return tuple(fix for _, _, fix in sorted(best.values(), key=lambda one: one[:2]))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.lists(facts(), max_size=5), st.lists(facts(far_numbers), max_size=5)),
    st.lists(requirements(), max_size=8),
)
def test_no_single_change_is_better_than_the_ones_found(
    needs: list[dict[str, Any]], shelf: list[Requirement]
) -> None:
    assert find_fixes(Table.of(needs), shelf) == [try_everything(need, shelf) for need in needs]


def test_the_nearest_fix_opens_the_most_products_by_the_smallest_change() -> None:
    shelf = [
        product(amounts=(1, 2_400_000_00)),
        product(amounts=(1, 2_400_000_00)),
        product(amounts=(1, 2_000_000_00)),
        product((1, 5_000_000_00), (1, 6), Condition("tags", "has", "high_tech")),
    ]
    # Lowering to 240万 opens two, to 200万 all three: more products win over the smaller change.
    assert find_nearest_fix(FIRM, shelf) == Fix("amount", 2_000_000_00, 3)
    assert find_nearest_fix(FIRM, shelf[:2]) == Fix("amount", 2_400_000_00, 2)


@pytest.mark.parametrize(("asked", "nearest"), [(10, 8), (1, 2), (5, 4), (6, 7)])
def test_of_ranges_that_are_apart_the_nearest_end_is_proposed(asked: int, nearest: int) -> None:
    shelf = [product(amounts=amounts) for amounts in ((2, 3), (4, 4), (7, 7), (8, 8))]
    assert find_nearest_fix({**FIRM, "amount": asked}, shelf) == Fix("amount", nearest, 1)


def test_of_equal_changes_the_smaller_share_of_what_is_asked_comes_first() -> None:
    # 300万 to 290万 is a thirtieth, 12 months to 11 a twelfth.
    shelf = [product(amounts=(1, 2_900_000_00)), product(months=(1, 11))]
    assert find_fixes(Table.of([FIRM]), shelf) == [(Fix("amount", 2_900_000_00, 1), Fix("months", 11, 1))]


def test_what_is_asked_changes_before_what_is_pledged_and_that_before_what_a_firm_is() -> None:
    by_tag = product((1, 5_000_000_00), (1, 12), Condition("tags", "has_any", ["high_tech", "gazelle"]))
    secured, leased = product(security=Security.MORTGAGE), product(offer=OfferKind.LEASE)
    shorter = product(months=(1, 6))
    shelf = [by_tag, by_tag, by_tag, secured, secured, leased, shorter]
    assert find_fixes(Table.of([FIRM]), shelf) == [
        (
            Fix("months", 6, 1),
            Fix("accepts", "lease", 1),
            Fix("securities", "mortgage", 2),
            Fix("tags", "gazelle", 3),  # of two that open the same, the earlier word
        )
    ]


def test_two_obstacles_are_no_single_change_and_nothing_in_the_way_needs_none() -> None:
    two = product((1, 5_000_000_00), (1, 6), security=Security.MORTGAGE)
    closed = product((1, 5_000_000_00), (1, 12), Condition("age_months", "at_least", 36))
    assert find_nearest_fix(FIRM, [two, closed, product()]) is None


def test_one_change_may_meet_several_conditions_on_the_same_fact() -> None:
    stricter = product((1, 5_000_000_00), (1, 12), Condition("amount", "at_most", 1_000_000_00))
    assert find_nearest_fix(FIRM, [stricter]) == Fix("amount", 1_000_000_00, 1)
    # No amount is both at least 500万 and at most 100万.
    never = product((5_000_000_00, 6_000_000_00), (1, 12), Condition("amount", "at_most", 1_000_000_00))
    assert find_nearest_fix(FIRM, [never]) is None


def test_an_amount_that_nobody_has_stated_is_not_guessed() -> None:
    assert find_nearest_fix({**FIRM, "amount": None}, [product()]) is None


def test_many_needs_are_fixed_as_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eligibility_fixes, "BLOCK", 4)
    monkeypatch.setattr(eligibility_match, "PART", 64)
    needs = [
        {**FIRM, "amount": 1_000_000_00 * (place % 9 + 1), "months": place % 5 + 1} for place in range(30)
    ]
    shelf = [
        product((1_000_000_00, 1_000_000_00 * (place % 7 + 1)), (1, place % 4 + 1)) for place in range(130)
    ]
    singly = [find_fixes(Table.of([need]), shelf)[0] for need in needs]
    assert find_fixes(Table.of(needs), shelf) == singly == [try_everything(need, shelf) for need in needs]


@settings(max_examples=200, deadline=None)
@given(st.lists(facts(far_numbers), max_size=8), requirements())
def test_needs_that_one_condition_keeps_out_come_nearest_first(
    needs: list[dict[str, Any]], requirement: Requirement
) -> None:
    judged = [judge(need, requirement) for need in needs]
    expected = [NearFit(place, failures[0]) for place, failures in enumerate(judged) if len(failures) == 1]
    expected.sort(key=lambda near: measure(near.failure))
    assert near_fits(Table.of(needs), requirement) == expected
    assert near_fits(Table.of(needs), requirement, most=2) == expected[:2]


def test_what_is_not_shown_does_not_tell_the_order_how_far_off_it_is() -> None:
    asks = product((1, 2_000_000_00), (1, 12), Condition("age_months", "at_least", 36))
    ages = [{**FIRM, "amount": 1_000_000_00, "age_months": age} for age in (10, 35, 20)]
    amounts = [{**FIRM, "age_months": 40, "amount": amount} for amount in (9_000_000_00, 3_000_000_00)]
    table = Table.of([*ages, *amounts])
    assert [near.need for near in near_fits(table, asks)] == [1, 2, 4, 0, 3]
    assert [near.need for near in near_fits(table, asks, shown={"amount"})] == [4, 3, 0, 1, 2]


def test_a_word_has_no_distance() -> None:
    (failure,) = judge(FIRM, product(security=Security.MORTGAGE))
    assert measure(failure) == float("inf")
    (failure,) = judge(FIRM, product(amounts=(1, 2_000_000_00)))
    assert measure(failure) == 0.5


def test_the_part_of_a_table_that_matches_nothing_can_be_fixed_by_itself() -> None:
    needs = [FIRM, {**FIRM, "months": 24}]
    shelf = [product()]
    table = Table.of(needs)
    unmatched = eligibility_match.match(table, shelf).unmatched
    assert unmatched.tolist() == [1]
    assert find_fixes(table.take(np.asarray(unmatched)), shelf) == [(Fix("months", 12, 1),)]
