from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from market import grid
from market.errors import Invalid
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import DayCount, Interval, Repayment


def loan(**changes: object) -> LoanTerms:
    values = {"principal": 10**8, "months": 12, "rate": Decimal("0.03"), "repayment": Repayment.BULLET}
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("months", "interval", "knots"),
    [
        (4, Interval.MONTHLY, (0, 1, 2, 3, 4)),
        (12, Interval.QUARTERLY, (0, 3, 6, 9, 12)),
        # A short last period closes the term.
        (14, Interval.HALF_YEARLY, (0, 6, 12, 14)),
        (5, Interval.YEARLY, (0, 5)),
    ],
)
def test_payments_fall_due_every_interval_and_at_the_end(
    months: int, interval: Interval, knots: tuple[int, ...]
) -> None:
    assert grid.grid_of(loan(months=months, interval=interval)).knots == knots


def test_the_rents_begin_when_the_time_before_the_lease_is_over() -> None:
    lattice = grid.grid_of(
        LeaseTerms(10**8, 6, Decimal("0.05"), interval=Interval.QUARTERLY, prelease_months=2)
    )
    assert (lattice.last, lattice.knots) == (8, (2, 5, 8))


@pytest.mark.parametrize(
    ("interval", "month", "period"),
    [
        (Interval.MONTHLY, 6, 7),
        (Interval.QUARTERLY, 6, 3),
        # In the middle of a quarter the old rate holds until the quarter is over.
        (Interval.QUARTERLY, 7, 4),
        # Beyond the last begin it never holds.
        (Interval.QUARTERLY, 10, 5),
    ],
)
def test_a_step_holds_from_the_first_period_that_begins_then_or_later(
    interval: Interval, month: int, period: int
) -> None:
    lattice = grid.grid_of(loan(interval=interval, rate_steps=((month, Decimal("0.05")),)))
    assert lattice.steps == ((period,) if period <= lattice.periods else ())


def test_a_step_to_the_same_rate_is_no_step() -> None:
    steps = ((3, Decimal("0.03")), (6, Decimal("0.05")), (9, Decimal("0.05")))
    assert grid.grid_of(loan(rate_steps=steps)).steps == (7,)


def test_months_of_an_explicit_schedule_are_its_first_dates_on_or_after() -> None:
    due = (*(date(2026, month, 20) for month in range(1, 13)), date(2027, 1, 5))
    lattice = grid.grid_of(loan(start=date(2026, 1, 5), due=due))
    assert lattice.dated and lattice.last == 13
    assert [lattice.point(month) for month in (0, 1, 2, 11, 12, 13)] == [0, 2, 3, 12, 13, 14]
    assert lattice.anniversaries() == [0]


def test_an_end_between_two_months_has_no_point_for_the_later_one() -> None:
    lattice = grid.grid_of(loan(start=date(2026, 1, 5), due=(date(2026, 2, 20), date(2026, 3, 20))))
    assert [lattice.point(month) for month in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        # 30E/360: ISDA 2006 section 4.16 (g).
        (date(2026, 1, 31), date(2026, 2, 28), 28),
        (date(2026, 1, 15), date(2026, 2, 15), 30),
        (date(2026, 1, 30), date(2026, 3, 31), 60),
        (date(2026, 2, 28), date(2026, 3, 31), 32),
        (date(2026, 1, 5), date(2027, 1, 5), 360),
    ],
)
def test_thirty_day_months(start: date, end: date, days: int) -> None:
    assert grid.days_360(start, end) == days


def test_interest_runs_to_the_nominal_day_where_the_rolled_one_bears_none() -> None:
    # 20 June 2026 is a Saturday: paid on Monday, counted to Saturday.
    terms = loan(
        start=date(2026, 5, 20),
        day_count=DayCount.ACT_365,
        due=(date(2026, 6, 22), date(2026, 7, 20)),
        accrual=(date(2026, 6, 20), date(2026, 7, 20)),
    )
    dates = grid.dates_of(terms)
    assert dates is not None and dates.paid[1] == date(2026, 6, 22)
    assert grid.lengths(dates, terms.day_count) == [0, 31, 30]


def test_dates_without_a_start_are_refused() -> None:
    with pytest.raises(Invalid):
        grid.grid_of(loan(due=(date(2026, 2, 20),)))
    with pytest.raises(Invalid):
        grid.dates_of(loan(day_count=DayCount.ACT_360))
