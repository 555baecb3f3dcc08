"""When a new row of the loan prime rate is believed: its day, its steps, its distance from its neighbours.

The rate is published on the 20th of every month, or on the next working day, in steps of 0.05 percentage
points (announcement 2019 No. 15 of the People's Bank of China).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from market.calendar import Calendar, CalendarStatus, add_working_days
from market.errors import Code, Fault
from market.lpr import LprRow, LprTable

#: The first publication of the rate as it is made today.
FIRST = date(2019, 8, 20)
#: The day of the month.
DAY = 20
#: Published rates are multiples of this.
STEP = Decimal("0.0005")
#: No rate above it and no move beyond it between two publications was ever seen: it is asked about.
MOST, MOST_MOVE = Decimal("0.2"), Decimal("0.01")
TENORS = ("one_year", "five_year")

Month = tuple[int, int]


class Outcome(StrEnum):
    """What a row does to the table."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Change:
    """A row, what it does to the table, and the row it replaces if it corrects one."""

    row: LprRow
    outcome: Outcome
    former: LprRow | None = None


def publication_day(year: int, month: int, calendar: Calendar) -> date:
    """Return the day of a month on which the rate is published: the 20th or the next working day."""
    return add_working_days(date(year, month, DAY), 0, calendar)


def judge(
    rows: Sequence[LprRow],
    table: LprTable,
    calendar: Calendar,
    *,
    today: date,
    correct: bool = False,
    confirmed: bool = False,
) -> tuple[list[Change], list[Fault]]:
    """Return what new rows, in any order, do to a table, oldest first, and what speaks against them.

    One row belongs to a month. A month known already is unchanged when the row is the same, else it is
    refused unless ``correct``. Rates above 20 %, moves of more than a point and a five-year rate below the
    one-year rate are refused unless ``confirmed``. Faults name ``rows.2.one_year`` by place in ``rows``.
    """
    known = {_month(row): row for row in table.rows}
    changes: list[Change] = []
    faults: list[Fault] = []
    new: dict[Month, tuple[int, LprRow]] = {}
    for place, row in sorted(enumerate(rows), key=lambda item: item[1].published_on):
        month, former = _month(row), known.get(_month(row))
        if month in new:
            # Of two days in one month the calendar may know the wrong one.
            wrong = [*_judge_day(place, row, calendar, today)]
            again = _fault(Code.REPEATED, place, "published_on", value=row.published_on.isoformat())
            faults.extend(wrong if wrong and row.published_on != new[month][1].published_on else [again])
            continue
        new[month] = place, row
        if former == row:
            changes.append(Change(row, Outcome.UNCHANGED))
            continue
        found = [*_judge_day(place, row, calendar, today), *_judge_rates(place, row, confirmed)]
        if former is not None and not correct and not found:
            found.append(_differ(place, row, former))
        faults.extend(found)
        outcome = Outcome.ADDED if former is None else Outcome.CORRECTED
        changes.append(Change(row, outcome, former))
    if not confirmed:
        faults.extend(_judge_moves(known, new, {fault.field for fault in faults}))
    return changes, faults


def list_missing(table: LprTable, calendar: Calendar, on: date) -> list[date]:
    """Return the publication days up to and including a day of which a table holds no row, oldest first."""
    if not table.rows:
        return []
    held = {_month(row) for row in table.rows}
    first = table.rows[0].published_on
    months = range(first.year * 12 + first.month - 1, on.year * 12 + on.month)
    days = [publication_day(*_split(month), calendar) for month in months if _split(month) not in held]
    return [day for day in days if day <= on]


def _judge_day(place: int, row: LprRow, calendar: Calendar, today: date) -> Iterator[Fault]:
    day = row.published_on
    if day > today:
        yield _fault(Code.NOT_YET, place, "published_on", value=day.isoformat(), today=today.isoformat())
    if day < FIRST:
        before = (FIRST - timedelta(days=1)).isoformat()
        yield _fault(Code.OUT_OF_ORDER, place, "published_on", value=day.isoformat(), after=before)
        return
    expected = publication_day(day.year, day.month, calendar)
    # What is only expected of a year's holidays refuses nothing but a day before the 20th.
    provisional = calendar.status(day) is CalendarStatus.PROVISIONAL
    if day.day < DAY if provisional else day not in {expected, _weekday(expected, calendar)}:
        values = {"value": day.isoformat(), "expected": expected.isoformat()}
        yield _fault(Code.NOT_PUBLICATION_DAY, place, "published_on", **values)


def _weekday(day: date, calendar: Calendar) -> date:
    """Return the day, or the working weekday after a weekend that is worked in exchange.

    No rule says on which of the two the rate is published.
    """
    while day.weekday() > 4:
        day = add_working_days(day, 1, calendar)
    return day


def _judge_rates(place: int, row: LprRow, confirmed: bool) -> Iterator[Fault]:
    believed = True
    for tenor in TENORS:
        rate: Decimal = getattr(row, tenor)
        believed = believed and 0 < rate <= MOST
        if rate <= 0:
            yield _fault(Code.TOO_SMALL, place, tenor, value=f"{rate:f}", least=f"{STEP:f}")
        elif rate % STEP:
            yield _fault(Code.NOT_A_STEP, place, tenor, value=f"{rate:f}", step=f"{STEP:f}")
        elif rate > MOST and not confirmed:
            yield _fault(Code.LOOKS_MISTYPED, place, tenor, value=f"{rate:f}")
    if believed and row.five_year < row.one_year and not confirmed:
        yield _fault(Code.LOOKS_MISTYPED, place, "five_year", value=f"{row.five_year:f}")


def _judge_moves(
    known: Mapping[Month, LprRow], new: Mapping[Month, tuple[int, LprRow]], faulty: set[str | None]
) -> Iterator[Fault]:
    """Yield the moves beyond belief; a day or rate that is in doubt itself puts no neighbour in doubt."""
    placed: dict[Month, tuple[int | None, LprRow]] = {month: (None, row) for month, row in known.items()}
    placed |= {month: (place, row) for month, (place, row) in new.items() if known.get(month) != row}
    for tenor in TENORS:
        before: tuple[int | None, Decimal] | None = None
        for _, (place, row) in sorted(placed.items()):
            rate: Decimal = getattr(row, tenor)
            if not faulty.isdisjoint({f"rows.{place}.published_on", f"rows.{place}.{tenor}"}):
                continue
            if before is not None and abs(rate - before[1]) > MOST_MOVE:
                if place is not None:
                    yield _fault(Code.LOOKS_MISTYPED, place, tenor, value=f"{rate:f}")
                    continue
                if before[0] is not None:
                    yield _fault(Code.LOOKS_MISTYPED, before[0], tenor, value=f"{before[1]:f}")
            before = place, rate


def _differ(place: int, row: LprRow, former: LprRow) -> Fault:
    for name in ("published_on", *TENORS):
        value, held = getattr(row, name), getattr(former, name)
        if value != held:
            return _fault(Code.ON_RECORD, place, name, value=f"{value}", known=f"{held}")
    raise AssertionError("unreachable: the rows are the same")


def _fault(code: Code, place: int, name: str, **values: str) -> Fault:
    return Fault(code, f"rows.{place}.{name}", values)


def _month(row: LprRow) -> Month:
    return row.published_on.year, row.published_on.month


def _split(month: int) -> Month:
    return month // 12, month % 12 + 1
