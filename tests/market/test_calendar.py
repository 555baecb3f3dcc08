from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from market.calendar import (
    Calendar,
    CalendarStatus,
    add_months,
    add_working_days,
    is_working_day,
    local_date,
    working_days_between,
)

# A Friday off, and the Sunday after it worked instead.
CALENDAR = Calendar({date(2026, 1, 2): False, date(2026, 1, 4): True}, {2026: CalendarStatus.FINAL})


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_are_clipped_to_their_end(start: date, months: int, expected: date) -> None:
    assert add_months(start, months) == expected


@pytest.mark.parametrize("months", [1, -120_000])
def test_there_are_no_dates_beyond_the_calendar(months: int) -> None:
    with pytest.raises(OverflowError):
        add_months(date(9999, 12, 1), months)


def test_exceptions_overrule_the_week() -> None:
    days = [date(2026, 1, day) for day in range(1, 6)]
    assert [is_working_day(day, CALENDAR) for day in days] == [True, False, False, True, True]


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 1, 1), 1, date(2026, 1, 4)),
        (date(2026, 1, 1), 2, date(2026, 1, 5)),
        (date(2026, 1, 5), -2, date(2026, 1, 1)),
        (date(2026, 1, 1), 0, date(2026, 1, 1)),
        (date(2026, 1, 2), 0, date(2026, 1, 4)),
    ],
)
def test_working_days_are_counted_after_the_start(start: date, count: int, expected: date) -> None:
    assert add_working_days(start, count, CALENDAR) == expected


def test_working_days_between_two_dates_mirror_the_count() -> None:
    assert working_days_between(date(2026, 1, 1), date(2026, 1, 5), CALENDAR) == 2
    assert working_days_between(date(2026, 1, 5), date(2026, 1, 1), CALENDAR) == -2


def test_a_year_without_data_is_provisional() -> None:
    assert CALENDAR.status(date(2026, 6, 1)) is CalendarStatus.FINAL
    assert CALENDAR.status(date(2031, 6, 1)) is CalendarStatus.PROVISIONAL


def test_the_local_day_is_shanghais() -> None:
    assert local_date(datetime(2026, 1, 1, 15, 59, tzinfo=UTC)) == date(2026, 1, 1)
    assert local_date(datetime(2026, 1, 1, 16, 0, tzinfo=UTC)) == date(2026, 1, 2)
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 1, 1))
