"""Many needs beside many products: the same answers as pair by pair, in order and in number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import eligibility_match
from market.eligibility import FACTS, Condition, Requirement, judge
from market.eligibility_match import Shelf, count_failures, match
from market.eligibility_table import Numbers, Sets, Table, Words
from market.vocabulary import ProductFamily, Security
from tests.market.eligibility_cases import facts, far_numbers, requirements


def product(*conditions: Condition) -> Requirement:
    return Requirement(1, 10, 0, 0, Security.UNSECURED, None, ProductFamily.INNOVATION, conditions)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.lists(facts(), max_size=6), st.lists(facts(far_numbers), max_size=6)),
    st.lists(requirements(), max_size=6),
)
def test_many_at_once_are_judged_as_each_pair_is(
    needs: list[dict[str, Any]], shelf: list[Requirement]
) -> None:
    table = Table.of(needs)
    matches, counts = match(table, shelf), count_failures(table, shelf)
    judged = [[judge(need, requirement) for requirement in shelf] for need in needs]
    eligible = [(i, j) for i, row in enumerate(judged) for j, failures in enumerate(row) if not failures]
    found, products = matches.pairs()
    assert list(zip(found.tolist(), products.tolist(), strict=True)) == eligible
    assert matches.counts.tolist() == [sum(not failures for failures in row) for row in judged]
    assert matches.unmatched.tolist() == [i for i, row in enumerate(judged) if all(row)]
    assert counts.tolist() == [[len(failures) for failures in row] for row in judged]
    for i, row in enumerate(judged):
        for j, failures in enumerate(row):
            assert matches.failures(i, j) == failures
            assert matches.fits(i, j) == (not failures)
    every = np.indices((len(needs), len(shelf))).reshape(2, -1)
    assert matches.hold(*every).tolist() == [not failures for row in judged for failures in row]


def test_a_shelf_in_several_parts_and_needs_in_several_blocks_keep_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eligibility_match, "PART", 64)
    monkeypatch.setattr(eligibility_match, "BLOCK", 3)
    needs = [{"amount": 5, "age_months": age} for age in range(10)]
    # Each product asks one month more than the one before, and starts again after eleven of them.
    shelf = [product(Condition("age_months", "at_least", place % 11)) for place in range(150)]
    matches = match(Table.of(needs), shelf)
    assert len(Shelf(shelf).parts) == 3
    expected = [(need, place) for need in range(10) for place in range(150) if place % 11 <= need]
    assert list(zip(*(found.tolist() for found in matches.pairs()), strict=True)) == expected
    assert count_failures(Table.of(needs), shelf).tolist() == [
        [int(place % 11 > need) for place in range(150)] for need in range(10)
    ]


def test_nothing_beside_nothing_is_no_pair() -> None:
    for needs, shelf in (([], [product()]), ([{"amount": 5}], []), ([], [])):
        matches = match(Table.of(needs), shelf)
        assert [len(found) for found in matches.pairs()] == [0, 0]
        assert matches.unmatched.tolist() == list(range(len(needs)))


def test_a_condition_that_is_stated_twice_fails_twice() -> None:
    twice = product(*[Condition("age_months", "at_least", 24)] * 2)
    needs = [{"amount": 5, "age_months": 12}]
    assert count_failures(Table.of(needs), [twice]).tolist() == [[len(judge(needs[0], twice))]] == [[2]]


def test_columns_give_back_the_facts_that_went_in() -> None:
    needs: list[dict[str, Any]] = [
        {"amount": 2**53 + 1, "tags": frozenset({"a", "b"}), "tax_grade": "A", "whitelisted": False},
        {"amount": 2**70, "tags": frozenset(), "tax_grade": None},
        {},
    ]
    table = Table.of(needs)
    known = [{fact: value for fact, value in need.items() if value is not None} for need in needs]
    assert [table.row(place) for place in range(3)] == known
    part = table.take(np.array([2, 0]))
    assert [part.row(place) for place in range(len(part))] == [known[2], known[0]]


def test_columns_can_be_filled_without_a_row_per_need() -> None:
    table = Table(
        {
            "amount": Numbers(np.array([5, 5, 50]), np.array([True, False, True])),
            "tax_grade": Words(np.array([1, 1, 2]), ("A", "B")),
            "tags": Sets(np.array([2, 2, 0]), (frozenset(), frozenset({"a"}))),
        },
        3,
    )
    shelf = [product(), product(Condition("tax_grade", "is", "A"), Condition("tags", "has", "a"))]
    assert match(table, shelf).counts.tolist() == [2, 0, 0]


@pytest.mark.parametrize("value", [2.5, "5"])
def test_a_number_that_is_not_whole_is_refused_rather_than_cut(value: Any) -> None:
    with pytest.raises(TypeError):
        Table.of([{"amount": value}])


def test_every_kind_of_fact_has_a_column() -> None:
    for fact in FACTS:
        assert Table.of([{}]).column(fact).get(0) is None
