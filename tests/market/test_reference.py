from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import chinese_calendar
import holidays
import pytest

from market import reference
from market.calendar import CalendarStatus, is_working_day
from market.ceilings import CeilingKind, ceiling_in_force, forbidden_fees
from market.errors import Invalid, NotFound
from market.lpr import LprRow, LprTable, floating_rate
from market.terms import Fee
from market.vocabulary import FeeTiming, LprTenor, SizeClass

YEARS = range(2019, 2027)


@pytest.mark.parametrize("year", YEARS)
def test_final_years_agree_with_both_calendars_on_every_day(year: int) -> None:
    shipped, kept = reference.calendar(), holidays.country_holidays("CN", years=year)
    day = date(year, 1, 1)
    assert shipped.status(day) is CalendarStatus.FINAL
    while day.year == year:
        assert is_working_day(day, shipped) == kept.is_working_day(day) == chinese_calendar.is_workday(day), (
            day
        )
        day += timedelta(days=1)


def test_a_year_whose_days_are_not_published_says_so() -> None:
    shipped = reference.calendar()
    assert shipped.status(date(2027, 1, 1)) is CalendarStatus.PROVISIONAL
    assert not is_working_day(date(2027, 10, 1), shipped)


@pytest.mark.parametrize(
    ("on", "one_year", "five_year", "published"),
    [
        (date(2026, 1, 5), "0.03", "0.035", date(2025, 12, 22)),
        (date(2019, 8, 20), "0.0425", "0.0485", date(2019, 8, 20)),
        (date(2019, 9, 19), "0.0425", "0.0485", date(2019, 8, 20)),
        # The newest known row holds on.
        (date(2030, 1, 1), "0.03", "0.035", date(2026, 8, 20)),
    ],
)
def test_the_rate_in_force_is_the_newest_not_after_the_day(
    on: date, one_year: str, five_year: str, published: date
) -> None:
    table = reference.lpr_table()
    assert table.in_force(LprTenor.ONE_YEAR, on) == (Decimal(one_year), published)
    assert table.in_force(LprTenor.FIVE_YEAR, on) == (Decimal(five_year), published)


def test_the_shipped_rates_move_in_steps_of_five_basis_points_once_a_month() -> None:
    rows = reference.lpr_table().rows
    assert len(rows) == 85
    assert len({(row.published_on.year, row.published_on.month) for row in rows}) == len(rows)
    assert all(row.one_year % Decimal("0.0005") == 0 and row.five_year > row.one_year for row in rows)


def test_no_rate_is_known_before_the_first() -> None:
    with pytest.raises(Invalid):
        reference.lpr_table().in_force(LprTenor.ONE_YEAR, date(2019, 8, 19))


def test_a_floating_rate_is_the_base_plus_basis_points() -> None:
    table = reference.lpr_table()
    assert floating_rate(table, LprTenor.ONE_YEAR, date(2026, 1, 5), 55) == Decimal("0.0355")
    assert floating_rate(table, LprTenor.FIVE_YEAR, date(2026, 1, 5), -20) == Decimal("0.033")


def test_a_table_out_of_order_is_no_table() -> None:
    row = LprRow(date(2026, 1, 20), Decimal("0.03"), Decimal("0.035"))
    with pytest.raises(ValueError, match="order"):
        LprTable((row, row))


@pytest.mark.parametrize(
    ("kind", "on", "most"),
    [
        (CeilingKind.LICENSED_LENDER, date(2026, 1, 5), "0.24"),
        (CeilingKind.PRIVATE_LENDING, date(2026, 1, 5), "0.12"),
        (CeilingKind.PRIVATE_LENDING, date(2021, 6, 1), "0.154"),
    ],
)
def test_price_ceilings_are_dated(kind: CeilingKind, on: date, most: str) -> None:
    assert ceiling_in_force(kind, on, reference.lpr_table(), reference.ceilings()) == Decimal(most)


def test_a_day_without_a_ceiling_is_not_guessed() -> None:
    with pytest.raises(NotFound):
        ceiling_in_force(
            CeilingKind.PRIVATE_LENDING, date(2019, 9, 1), reference.lpr_table(), reference.ceilings()
        )


@pytest.mark.parametrize(
    ("name", "payee", "size", "found"),
    [
        ("承诺费", "lender", SizeClass.SMALL, ["commitment_fee"]),
        ("Commitment fee", "lender", SizeClass.MICRO, ["commitment_fee"]),
        ("承诺费", "lender", SizeClass.LARGE, []),
        ("承诺费", "guarantor", SizeClass.SMALL, []),
        ("抵押物评估费", "lender", SizeClass.SMALL, ["collateral_valuation"]),
        ("担保费", "lender", SizeClass.SMALL, []),
    ],
)
def test_forbidden_fees_are_named(name: str, payee: str, size: SizeClass, found: list[str]) -> None:
    fee = Fee(name, FeeTiming.UPFRONT, payee, amount=100)
    rules = forbidden_fees([fee], size, date(2026, 1, 5), reference.forbidden_fees())
    assert [rule.code for _, rule in rules] == found
    assert not any(rule.verified for _, rule in rules)
