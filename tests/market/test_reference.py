from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import chinese_calendar
import holidays
import pytest

from market import reference
from market.calendar import CalendarStatus, is_working_day
from market.ceilings import CeilingKind, ceiling_in_force, forbidden_fees, warn_of_fees
from market.errors import Code, Invalid, NotFound
from market.lpr import LprRow, LprTable, floating_rate
from market.terms import Fee
from market.vocabulary import FeeTiming, LprTenor, OrganisationKind, SizeClass

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


def test_every_day_that_breaks_the_rule_has_a_name() -> None:
    special = reference.special_days()
    assert [each.day for each in special] == sorted(reference.calendar().exceptions)
    assert all(each.name and each.worked == (each.day.weekday() >= 5) for each in special)


@pytest.mark.parametrize(
    ("name", "payee", "size", "found"),
    [
        ("承诺费", "lender", SizeClass.SMALL, ["commitment_fee"]),
        ("Commitment fee", "lender", SizeClass.MICRO, ["commitment_fee"]),
        ("承诺费", "lender", SizeClass.LARGE, []),
        ("承诺费", "guarantor", SizeClass.SMALL, []),
        ("抵押物评估费", "lender", SizeClass.SMALL, ["collateral_valuation"]),
        # The bank bears the valuation: the appraiser may not send the firm its bill either.
        ("抵押物评估费", "agency", SizeClass.SMALL, ["collateral_valuation"]),
        ("评估费", "guarantor", SizeClass.SMALL, []),
        ("担保费", "lender", SizeClass.SMALL, []),
        # A firm of unknown size may be a small one.
        ("承诺费", "lender", None, ["commitment_fee"]),
    ],
)
def test_forbidden_fees_are_named(name: str, payee: str, size: SizeClass | None, found: list[str]) -> None:
    others = Fee("担保费", FeeTiming.UPFRONT, "guarantor", amount=100)
    fees = [others, Fee(name, FeeTiming.UPFRONT, payee, amount=100)]
    rules = forbidden_fees(fees, size, date(2026, 1, 5), reference.forbidden_fees())
    assert [(place, rule.code) for place, rule in rules] == [(1, code) for code in found]
    assert not any(rule.verified for _, rule in rules)


def test_only_banks_are_told_of_rules_for_banks_and_only_while_they_hold() -> None:
    fees = [Fee("承诺费", FeeTiming.UPFRONT, "lender", amount=100)]
    rules, size = reference.forbidden_fees(), SizeClass.SMALL
    kinds = {
        kind for kind in OrganisationKind if forbidden_fees(fees, size, date(2026, 1, 5), rules, lender=kind)
    }
    assert kinds == {OrganisationKind.BANK}
    assert forbidden_fees(fees, size, date(2011, 10, 23), rules) == []


def test_a_warning_names_the_fee_the_rule_and_whom_it_protects() -> None:
    fees = [Fee("Prepayment fee", FeeTiming.END, "lender", amount=100)]
    size, rules = SizeClass.MICRO, reference.forbidden_fees()
    (warning,) = warn_of_fees(fees, size, date(2026, 1, 5), rules, lender=OrganisationKind.BANK)
    assert (warning.code, warning.field) == (Code.FORBIDDEN_FEE, "fees.0.name")
    assert warning.values == {
        "value": "Prepayment fee",
        "rule": "early_repayment_penalty",
        "sizes": [SizeClass.SMALL, SizeClass.MICRO],
        "source": "银保监发〔2020〕18号",
    }
