from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.calendar import (
    Calendar,
    CalendarStatus,
    add_months,
    add_working_days,
    is_working_day,
    local_date,
    payment_dates,
    payment_days,
    provisional_years,
    roll,
    working_days_between,
)
from market.errors import Code, Invalid
from market.reference import calendar
from market.vocabulary import Interval, Rolling

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


@pytest.mark.parametrize(
    ("day", "rolling", "expected"),
    [
        # 2026-10-01 … 10-07 are the National Day holidays, 10-10 (a Saturday) is worked in exchange.
        (date(2026, 10, 1), Rolling.NONE, date(2026, 10, 1)),
        (date(2026, 10, 1), Rolling.FOLLOWING, date(2026, 10, 8)),
        (date(2026, 10, 1), Rolling.MODIFIED_FOLLOWING, date(2026, 10, 8)),
        (date(2026, 10, 1), Rolling.PRECEDING, date(2026, 9, 30)),
        (date(2026, 10, 10), Rolling.FOLLOWING, date(2026, 10, 10)),
        # A Sunday at the end of its month goes back rather than into the next one.
        (date(2026, 5, 31), Rolling.FOLLOWING, date(2026, 6, 1)),
        (date(2026, 5, 31), Rolling.MODIFIED_FOLLOWING, date(2026, 5, 29)),
        (date(2026, 5, 29), Rolling.MODIFIED_FOLLOWING, date(2026, 5, 29)),
    ],
)
def test_a_payment_is_rolled_off_days_that_are_not_worked(
    day: date, rolling: Rolling, expected: date
) -> None:
    assert roll(day, rolling, calendar()) == expected


def dates(*args: object, **options: object) -> list[str]:
    return [day.isoformat() for day in payment_dates(*args, calendar=CALENDAR, **options)]  # type: ignore[arg-type]


def test_payments_follow_from_the_start_and_the_maturity_closes_them() -> None:
    assert dates(date(2026, 1, 31), 3) == ["2026-02-28", "2026-03-31", "2026-04-30"]
    assert dates(date(2026, 1, 5), 8, interval=3) == ["2026-04-05", "2026-07-05", "2026-09-05"]
    assert dates(date(2026, 1, 5), 2, interval=12) == ["2026-03-05"]


def test_a_first_date_sets_the_day_of_the_month_and_leaves_odd_periods_at_both_ends() -> None:
    assert dates(date(2026, 1, 5), 3, first=date(2026, 2, 20)) == ["2026-02-20", "2026-03-20", "2026-04-05"]
    assert dates(date(2026, 1, 5), 3, first=date(2026, 1, 31)) == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-05")
    ]
    assert dates(date(2026, 1, 5), 3, first=date(2026, 4, 5)) == ["2026-04-05"]


def test_nominal_days_stand_beside_the_rolled_ones() -> None:
    days = payment_days(date(2026, 4, 30), 1, rolling=Rolling.FOLLOWING, calendar=calendar())
    assert days == ((date(2026, 5, 30), date(2026, 6, 1)),)


def test_two_payments_that_roll_onto_one_day_are_one_with_interest_to_the_later() -> None:
    days = payment_days(
        date(2026, 9, 3), 1, first=date(2026, 10, 2), rolling=Rolling.FOLLOWING, calendar=calendar()
    )
    assert days == ((date(2026, 10, 3), date(2026, 10, 8)),)


@pytest.mark.parametrize(
    ("start", "first", "rolling", "field", "code"),
    [
        (date(2026, 1, 5), date(2026, 1, 5), Rolling.NONE, "first_due", Code.OUT_OF_ORDER),
        (date(2026, 1, 5), date(1, 1, 1), Rolling.NONE, "first_due", Code.OUT_OF_ORDER),
        # The holiday would roll the payment back to before the money was paid out.
        (date(2026, 9, 30), date(2026, 10, 2), Rolling.PRECEDING, "first_due", Code.OUT_OF_ORDER),
        (date(2026, 1, 5), date(2026, 7, 6), Rolling.NONE, "first_due", Code.TOO_LARGE),
        (date(9999, 9, 1), None, Rolling.NONE, "start", Code.NOT_A_DATE),
    ],
)
def test_impossible_payment_dates_are_refused_by_name(
    start: date, first: date | None, rolling: Rolling, field: str, code: Code
) -> None:
    with pytest.raises(Invalid) as refusal:
        payment_dates(start, 6, first=first, rolling=rolling, calendar=calendar())
    assert [(fault.field, fault.code) for fault in refusal.value.faults] == [(field, code)]


@given(
    st.dates(date(2019, 1, 1), date(2028, 12, 31)),
    st.integers(1, 120),
    st.sampled_from(Interval),
    st.sampled_from(Rolling),
    st.one_of(st.none(), st.integers(12, 200)),
)
def test_payments_ascend_and_are_worked_wherever_they_are_rolled(
    start: date, months: int, interval: Interval, rolling: Rolling, wait: int | None
) -> None:
    first = None if wait is None else date.fromordinal(start.toordinal() + wait)
    if first is not None and first > add_months(start, months):
        first = add_months(start, months)
    days = payment_days(start, months, interval=interval, first=first, rolling=rolling, calendar=calendar())
    nominal, paid = zip(*days, strict=True)
    for listed in (nominal, paid):
        assert start < listed[0] and all(a < b for a, b in pairwise(listed))
    assert nominal[-1] == add_months(start, months)
    if rolling is Rolling.NONE:
        assert nominal == paid
    else:
        assert all(is_working_day(day, calendar()) for day in paid)
        assert all(abs((day - due).days) < 12 for due, day in days)


def test_years_without_final_data_are_named_once_and_in_order() -> None:
    days = [date(2028, 1, 1), date(2026, 5, 1), date(2027, 2, 1), date(2027, 3, 1)]
    assert provisional_years(days, calendar()) == (2027, 2028)
    assert provisional_years([], calendar()) == ()
