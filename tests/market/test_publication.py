from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import reference
from market.calendar import is_working_day
from market.errors import Code
from market.lpr import LprRow, LprTable, is_old
from market.publication import Outcome, judge, list_missing, publication_day

TODAY = date(2026, 11, 20)
SEPTEMBER, OCTOBER = date(2026, 9, 20), date(2026, 10, 20)


def row(day: date, one_year: str = "0.03", five_year: str = "0.035") -> LprRow:
    return LprRow(day, Decimal(one_year), Decimal(five_year))


def judged(
    *rows: LprRow, table: LprTable | None = None, today: date = TODAY, **options: bool
) -> tuple[list[tuple[date, Outcome]], list[tuple[Code, str | None]]]:
    changes, faults = judge(
        rows, table or reference.lpr_table(), reference.calendar(), today=today, **options
    )
    return (
        [(change.row.published_on, change.outcome) for change in changes],
        [(fault.code, fault.field) for fault in faults],
    )


def test_every_shipped_row_stands_on_its_day_and_would_be_believed() -> None:
    rows = reference.lpr_table().rows
    for each in rows:
        day = each.published_on
        assert publication_day(day.year, day.month, reference.calendar()) == day
    changes, faults = judged(*rows, table=LprTable(()))
    assert faults == []
    assert [outcome for _, outcome in changes] == [Outcome.ADDED] * len(rows)


def test_months_come_in_any_order_and_what_is_known_stays() -> None:
    changes, faults = judged(row(OCTOBER), row(date(2026, 8, 20)), row(SEPTEMBER))
    assert faults == []
    assert changes == [
        (date(2026, 8, 20), Outcome.UNCHANGED),
        (SEPTEMBER, Outcome.ADDED),
        (OCTOBER, Outcome.ADDED),
    ]


@pytest.mark.parametrize(
    ("new", "code", "name"),
    [
        (row(date(2026, 9, 22)), Code.NOT_PUBLICATION_DAY, "published_on"),
        (row(date(2026, 10, 21)), Code.NOT_PUBLICATION_DAY, "published_on"),
        (row(date(2026, 12, 21)), Code.NOT_YET, "published_on"),
        (row(date(2019, 7, 22)), Code.OUT_OF_ORDER, "published_on"),
        (row(OCTOBER, "0.0307"), Code.NOT_A_STEP, "one_year"),
        (row(OCTOBER, five_year="0.03501"), Code.NOT_A_STEP, "five_year"),
        (row(OCTOBER, "0"), Code.TOO_SMALL, "one_year"),
        (row(OCTOBER, "-0.03"), Code.TOO_SMALL, "one_year"),
        (row(OCTOBER, "0.03", "0.205"), Code.LOOKS_MISTYPED, "five_year"),
        # More than a point from September.
        (row(OCTOBER, "0.0195"), Code.LOOKS_MISTYPED, "one_year"),
        (row(OCTOBER, "0.03", "0.0455"), Code.LOOKS_MISTYPED, "five_year"),
        # The tenors have changed places.
        (row(OCTOBER, "0.035", "0.03"), Code.LOOKS_MISTYPED, "five_year"),
        (row(date(2026, 8, 20), "0.0305"), Code.ON_RECORD, "one_year"),
        (row(date(2026, 8, 20), "0.03", "0.0345"), Code.ON_RECORD, "five_year"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name(new: LprRow, code: Code, name: str) -> None:
    _, faults = judged(row(SEPTEMBER), new)
    assert faults == [(code, f"rows.1.{name}")]


def test_a_month_stands_in_a_file_once() -> None:
    _, faults = judged(row(OCTOBER), row(SEPTEMBER), row(OCTOBER))
    assert faults == [(Code.REPEATED, "rows.2.published_on")]
    _, faults = judged(row(OCTOBER), row(date(2026, 10, 21)))
    assert faults == [(Code.NOT_PUBLICATION_DAY, "rows.1.published_on")]


def test_an_unusual_rate_passes_once_it_is_confirmed_but_never_one_without_sense() -> None:
    assert judged(row(OCTOBER, "0.205", "0.21"), confirmed=True)[1] == []
    assert judged(row(OCTOBER, "0.035", "0.03"), confirmed=True)[1] == []
    assert judged(row(OCTOBER, "0"), confirmed=True)[1] == [(Code.TOO_SMALL, "rows.0.one_year")]
    assert judged(row(OCTOBER, "0.0312"), confirmed=True)[1] == [(Code.NOT_A_STEP, "rows.0.one_year")]


def test_a_slip_puts_no_neighbour_in_doubt() -> None:
    _, faults = judged(row(SEPTEMBER, "0.045", "0.05"), row(OCTOBER))
    assert faults == [(Code.LOOKS_MISTYPED, "rows.0.one_year"), (Code.LOOKS_MISTYPED, "rows.0.five_year")]
    # Between two months that are known it is the new one that is doubted, seen from either side.
    table = reference.lpr_table()
    gap = LprTable(table.rows[:1] + table.rows[2:])
    _, faults = judged(row(table.rows[1].published_on, "0.031", "0.0485"), table=gap)
    assert faults == [(Code.LOOKS_MISTYPED, "rows.0.one_year")]


def test_a_correction_replaces_the_row_of_its_month() -> None:
    table = reference.lpr_table()
    known = table.rows[-1]
    corrected = row(known.published_on, "0.0295")
    changes, faults = judge([corrected], table, reference.calendar(), today=TODAY, correct=True)
    assert faults == []
    assert [(change.outcome, change.former) for change in changes] == [(Outcome.CORRECTED, known)]


def test_a_provisional_year_does_not_refuse_a_day_it_cannot_know() -> None:
    today = date(2027, 3, 1)
    # A Saturday, on which work may well be made up for the Spring Festival.
    assert judged(row(date(2027, 2, 20)), today=today)[1] == []
    assert judged(row(date(2027, 2, 22)), today=today)[1] == []
    assert judged(row(date(2027, 2, 19)), today=today)[1] == [
        (Code.NOT_PUBLICATION_DAY, "rows.0.published_on")
    ]
    # Another day of a month that is known is a correction of it, not a second publication.
    table = LprTable((*reference.lpr_table().rows, row(date(2027, 2, 22))))
    assert judged(row(date(2027, 2, 20)), table=table, today=today)[1] == [
        (Code.ON_RECORD, "rows.0.published_on")
    ]
    changes, _ = judged(row(date(2027, 2, 20)), table=table, today=today, correct=True)
    assert changes == [(date(2027, 2, 20), Outcome.CORRECTED)]


@given(st.integers(2019, 2027), st.integers(1, 12))
def test_the_rate_is_published_on_the_first_working_day_from_the_20th_on(year: int, month: int) -> None:
    calendar = reference.calendar()
    day = publication_day(year, month, calendar)
    assert (day.year, day.month) == (year, month)
    assert is_working_day(day, calendar)
    skipped = [date(year, month, 20) + timedelta(n) for n in range((day - date(year, month, 20)).days)]
    assert not any(is_working_day(each, calendar) for each in skipped)


def test_what_is_missing_is_listed_by_its_day() -> None:
    table, calendar = reference.lpr_table(), reference.calendar()
    assert list_missing(table, calendar, date(2026, 9, 19)) == []
    assert list_missing(table, calendar, TODAY) == [SEPTEMBER, OCTOBER, TODAY]
    assert list_missing(LprTable(table.rows[:3] + table.rows[4:]), calendar, date(2026, 9, 1)) == [
        date(2019, 11, 20)
    ]
    assert list_missing(LprTable(()), calendar, TODAY) == []


def test_a_row_is_old_once_the_next_one_must_exist() -> None:
    published = date(2026, 8, 20)
    assert not is_old(published, date(2026, 9, 29))
    assert is_old(published, date(2026, 9, 30))


def test_a_sunday_worked_in_exchange_and_the_monday_after_it_are_both_believed() -> None:
    for day in (SEPTEMBER, date(2026, 9, 21)):
        changes, faults = judged(row(day))
        assert changes == [(day, Outcome.ADDED)] and not faults
