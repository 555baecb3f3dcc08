"""Patterns in bids: what is flagged, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from market.surveillance import (
    AlwaysSecond,
    Answer,
    Identical,
    Move,
    OneController,
    find_identical,
    find_late_moves,
    find_one_controller,
    find_seconds,
)

CLOSE = datetime(2026, 9, 3, 9, tzinfo=UTC)
BASE = Answer(
    bid=1, need=1, institution=10, effective=Decimal("0.04"), total_cost=1000, terms="a", rank=1, won=False
)


def test_bids_of_two_institutions_with_the_same_costs_are_identical() -> None:
    other = replace(BASE, bid=2, institution=11, terms="b")
    assert find_identical([other, BASE]) == [Identical(1, (1, 2), Decimal("0.04"), whole=False)]
    assert find_identical([BASE, replace(other, terms="a")]) == [
        Identical(1, (1, 2), Decimal("0.04"), whole=True)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"institution": 10},
        {"need": 2},
        {"effective": Decimal("0.04000001")},
        {"total_cost": 1001},
        {"effective": None},
    ],
)
def test_bids_of_one_institution_or_at_other_costs_are_not_identical(change: dict[str, object]) -> None:
    other = replace(replace(BASE, bid=2, institution=11), **change)  # type: ignore[arg-type]
    first = replace(BASE, effective=None) if change.get("effective", 1) is None else BASE
    assert find_identical([first, other]) == []


def hold(need: int, *order: int) -> list[Answer]:
    """Return the answers on a need that the first institution won, the others ranked in order."""
    return [
        replace(BASE, bid=need * 10 + place, need=need, institution=institution, rank=place, won=place == 1)
        for place, institution in enumerate(order, start=1)
    ]


def test_whoever_comes_second_behind_one_winner_on_four_of_five_needs_is_flagged() -> None:
    answers = [answer for need in range(1, 5) for answer in hold(need, 10, 11, 12)]
    answers += hold(5, 10, 12, 11)
    assert find_seconds(answers) == [AlwaysSecond(winner=10, second=11, times=4, common=5)]


def test_two_needs_or_three_of_four_do_not_make_a_pattern() -> None:
    twice = [answer for need in (1, 2) for answer in hold(need, 10, 11)]
    assert find_seconds(twice) == []
    mixed = [answer for need in (1, 2, 3) for answer in hold(need, 10, 11, 12)] + hold(4, 10, 12, 11)
    assert find_seconds(mixed) == []


def test_a_second_bid_of_the_winner_does_not_hide_who_was_second() -> None:
    answers = [answer for need in (1, 2, 3) for answer in hold(need, 10, 10, 11)]
    assert find_seconds(answers) == [AlwaysSecond(winner=10, second=11, times=3, common=3)]


def test_needs_without_a_winner_count_for_nothing() -> None:
    answers = [replace(a, won=False) for need in (1, 2, 3) for a in hold(need, 10, 11)]
    assert find_seconds(answers) == []


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, True), (59, True), (60, True), (60.001, False), (3600, False), (-1, False)]
)
def test_a_move_is_late_within_sixty_seconds_of_the_close(seconds: float, late: bool) -> None:
    move = Move(1, 1, 10, at=CLOSE - timedelta(seconds=seconds), closed_at=CLOSE, withdrawn=False)
    assert find_late_moves([move]) == ([move] if late else [])


def test_organisations_under_one_controller_are_found_the_firm_among_them() -> None:
    controllers = {1: "张三", 10: "张三", 11: "李四", 12: "李四", 13: "王五"}
    found = find_one_controller({7: [10, 11, 12, 13], 8: [11, 13]}, {7: 1, 8: 2}, controllers)
    assert found == [OneController(7, "张三", (1, 10)), OneController(7, "李四", (11, 12))]


def test_organisations_without_a_known_controller_are_not_taken_for_one() -> None:
    assert find_one_controller({7: [10, 11]}, {7: 1}, {10: "", 11: ""}) == []
