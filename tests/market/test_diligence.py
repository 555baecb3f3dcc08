"""The clock of a review: working days, standing still while the firm is asked; and the decline rate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from market.diligence import DeclineRate, find_standstill, move_due, set_due
from market.reference import calendar


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+08:00")


def test_a_review_is_due_at_the_end_of_its_last_working_day() -> None:
    # Wednesday, 30 September: the week of the National Day is off, 10 October is a worked Saturday.
    assert set_due(at("09-30T15:00"), 2, calendar()) == datetime.fromisoformat("2026-10-09T23:59:59+08:00")
    assert set_due(at("11-20T23:50"), 1, calendar()) == datetime.fromisoformat("2026-11-23T23:59:59+08:00")


@pytest.mark.parametrize(
    ("asked", "answered", "days"),
    [
        ("11-23T09:00", "11-23T17:00", 0),  # answered the same day
        ("11-23T09:00", "11-25T09:00", 2),
        ("11-20T17:00", "11-23T09:00", 1),  # over a weekend
        ("11-21T09:00", "11-22T20:00", 0),  # within one
    ],
)
def test_the_due_time_moves_by_the_working_days_the_firm_took(asked: str, answered: str, days: int) -> None:
    due = at("11-24T23:59")
    moved = move_due(due, at(asked), at(answered), calendar())
    assert (moved - due).days == days and moved.time() == due.time()


def test_a_moved_due_time_falls_on_a_working_day() -> None:
    # Friday plus one working day.
    assert move_due(at("11-27T23:59"), at("11-23T09:00"), at("11-24T09:00"), calendar()) == at("11-30T23:59")


def test_questions_that_wait_together_stop_the_clock_once() -> None:
    monday, tuesday, wednesday, thursday = (at(f"11-{day}T09:00") for day in (23, 24, 25, 26))
    assert find_standstill([(tuesday, thursday)], thursday) == tuesday
    assert find_standstill([(monday, wednesday), (tuesday, thursday)], thursday) == monday
    # The first was answered before the second was asked: the clock ran in between.
    assert find_standstill([(monday, tuesday), (wednesday, thursday)], thursday) == wednesday
    assert find_standstill([], thursday) == thursday


def test_two_reviews_say_nothing_of_an_institution() -> None:
    assert DeclineRate(2, 2).rate is None
    assert DeclineRate(3, 1).rate == Decimal(1) / 3
    assert DeclineRate(4, 0).rate == 0
