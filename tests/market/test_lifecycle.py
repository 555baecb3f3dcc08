"""A need's life, and the matching slots that the clock derives from a timetable."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from market.calendar import SHANGHAI
from market.errors import Conflict
from market.lifecycle import (
    NeedMove,
    NeedTimes,
    due,
    end_of_day,
    latest_slot,
    may,
    move,
    next_slot,
    parse_times,
)
from market.reference import calendar
from market.vocabulary import NeedState as S


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_a_need_goes_from_draft_over_open_and_closed_to_awarded() -> None:
    state = S.DRAFT
    for wanted, after in [
        (NeedMove.EDIT, S.DRAFT),
        (NeedMove.PUBLISH, S.OPEN),
        (NeedMove.CLOSE, S.CLOSED),
        (NeedMove.AWARD, S.AWARDED),
    ]:
        state = move(state, wanted)
        assert state is after


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (S.OPEN, NeedMove.EDIT),
        (S.OPEN, NeedMove.AWARD),
        (S.CLOSED, NeedMove.PUBLISH),
        (S.AWARDED, NeedMove.WITHDRAW),
        (S.UNSUCCESSFUL, NeedMove.AWARD),
        (S.DRAFT, NeedMove.CLOSE),
    ],
)
def test_no_other_way_leads_there(state: S, wanted: NeedMove) -> None:
    assert not may(state, wanted)
    with pytest.raises(Conflict):
        move(state, wanted)


def test_what_is_due_follows_from_the_stored_state_alone() -> None:
    closes, until = at("2026-11-20T17:00"), at("2026-11-25T23:59:59")
    assert list(due(NeedTimes(S.OPEN, closes, None))) == [(closes, NeedMove.CLOSE)]
    assert list(due(NeedTimes(S.CLOSED, closes, until))) == [(until, NeedMove.FAIL)]
    assert list(due(NeedTimes(S.CLOSED, closes, until, awaits_confirmation=True))) == []
    assert list(due(NeedTimes(S.DRAFT, None, None))) == []
    assert list(due(NeedTimes(S.AWARDED, closes, until))) == []


TIMES = (time(10, 0), time(15, 30))


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-11-20T10:00", "2026-11-20T10:00"),
        ("2026-11-20T09:59:59", "2026-11-19T15:30"),
        ("2026-11-20T18:00", "2026-11-20T15:30"),
        ("2026-11-22T12:00", "2026-11-20T15:30"),  # a Sunday: the last slot was Friday's
        ("2026-10-04T12:00", "2026-09-30T15:30"),  # inside the National Day holiday
    ],
)
def test_the_latest_slot_lies_on_a_working_day(now: str, slot: str) -> None:
    assert latest_slot(at(now), TIMES, calendar()) == at(slot)


def test_the_next_slot_follows_the_latest() -> None:
    assert next_slot(at("2026-11-20T10:00"), TIMES, calendar()) == at("2026-11-20T15:30")
    assert next_slot(at("2026-11-20T16:00"), TIMES, calendar()) == at("2026-11-23T10:00")


def test_without_a_timetable_there_is_no_slot() -> None:
    assert parse_times("") == ()
    assert latest_slot(at("2026-11-20T10:00"), (), calendar()) is None


def test_the_timetable_is_read_in_order_of_time() -> None:
    assert parse_times("15:30, 10:00") == TIMES
    with pytest.raises(ValueError, match="hour"):
        parse_times("25:00")


def test_a_deadline_given_as_a_date_holds_to_the_end_of_that_day_in_shanghai() -> None:
    assert end_of_day(date(2026, 11, 25)).utcoffset() == timedelta(hours=8)
    assert end_of_day(date(2026, 11, 25)).isoformat() == "2026-11-25T23:59:59+08:00"
