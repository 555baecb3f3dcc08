"""Published and independently verified annual costs, carried over as numeric facts (``tests/data``).

Foreign conventions are translated into flows by period or by date; the rates are ours.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from market.amortisation import level_payment
from market.cashflow import build
from market.cost import price_flows
from market.terms import LoanTerms, Period
from market.vocabulary import DayCount, Repayment

CASES = json.loads((Path(__file__).parents[1] / "data" / "apr_cases.json").read_text("utf-8"))


def of_kind(*kinds: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in CASES if c["kind"] in kinds])


def check(case: dict[str, Any], found: Decimal | None) -> None:
    if case["expected"] is None:
        assert found is None
    else:
        assert found is not None
        assert abs(float(found) - case["expected"]) <= case["tolerance"]


def by_period(flows: list[tuple[Any, Any]]) -> list[tuple[Fraction, Decimal]]:
    return [(Fraction(str(time)), Decimal(str(amount))) for time, amount in flows]


def days_360(start: date, end: date, *, european: bool) -> int:
    """Count days by 30/360, by the European rule or by that of the US securities industry."""
    first, second = min(start.day, 30), end.day
    if european or first == 30:
        second = min(second, 30)
    return (end.year - start.year) * 360 + (end.month - start.month) * 30 + second - first


def test_every_case_is_read() -> None:
    kinds = {case["kind"] for case in CASES}
    assert len(CASES) == 133
    assert kinds == {
        "effective_annual_rate",
        "effective_annual_rate_dated",
        "xirr",
        "irr_periodic",
        "rate",
        "nominal_periodic_irr_x12",
        "us_actuarial_apr",
        "pmt",
        "schedule",
    }


@of_kind("effective_annual_rate")
def test_rates_of_flows_by_years(case: dict[str, Any]) -> None:
    check(case, price_flows(by_period(case["cashflows"]), Period.YEAR).effective)


@of_kind("effective_annual_rate_dated")
def test_rates_of_flows_by_days_from_a_start(case: dict[str, Any]) -> None:
    start = date.fromisoformat(case["start"])
    flows = [(start + timedelta(days=days), Decimal(str(amount))) for days, amount in case["day_cashflows"]]
    check(case, price_flows(flows).effective)


@of_kind("xirr")
def test_rates_of_dated_flows(case: dict[str, Any]) -> None:
    dated = [(date.fromisoformat(day), Decimal(str(amount))) for day, amount in case["dated_cashflows"]]
    if not case["day_count"].startswith("30"):
        check(case, price_flows(dated).effective)
        return
    european = case["day_count"] == "30E/360"
    flows = [(Fraction(days_360(dated[0][0], day, european=european), 360), amount) for day, amount in dated]
    check(case, price_flows(flows, Period.YEAR).effective)


@of_kind("irr_periodic")
def test_rates_per_period(case: dict[str, Any]) -> None:
    check(case, price_flows(by_period(list(enumerate(case["periodic_cashflows"]))), Period.YEAR).effective)


@of_kind("nominal_periodic_irr_x12")
def test_twelve_monthly_rates_are_the_simple_form(case: dict[str, Any]) -> None:
    check(case, price_flows(by_period(list(enumerate(case["periodic_cashflows"]))), Period.MONTH).simple)


@of_kind("rate")
def test_the_spreadsheet_function_rate(case: dict[str, Any]) -> None:
    terms = case["terms"]
    flows = [
        (0, terms["pv"]),
        *((k, terms["pmt"]) for k in range(1, terms["nper"] + 1)),
        (terms["nper"], terms["fv"]),
    ]
    check(case, price_flows(by_period(flows), Period.YEAR).effective)


@of_kind("us_actuarial_apr")
def test_unit_periods_with_odd_days_at_simple_interest(case: dict[str, Any]) -> None:
    # Reg Z counts the odd days f before the first period at simple interest: what is owed when the first full
    # period begins is A · (1 + f·i), which depends on the rate i being sought; a few rounds settle it.
    terms = case["terms"]
    financed, fraction = Decimal(str(terms["amount_financed"])), Decimal(str(terms["payments"][0][2]))
    payments = [(Fraction(time), -Decimal(str(amount))) for amount, time, _ in terms["payments"]]
    if len(payments) == 1 and payments[0][0] == 0:
        check(case, (-payments[0][1] / financed - 1) / fraction * terms["unit_periods_per_year"])
        return
    rate = Decimal(0)
    for _ in range(60):
        owed = financed * (1 + fraction * rate)
        found = price_flows(
            [(Fraction(0), owed.quantize(Decimal("1e-12"))), *payments], Period.YEAR
        ).effective
        assert found is not None
        if abs(found - rate) < Decimal("1e-12"):
            break
        rate = found
    check(case, rate * terms["unit_periods_per_year"])


@of_kind("pmt")
def test_the_spreadsheet_function_pmt(case: dict[str, Any]) -> None:
    terms, fine = case["terms"], 10**12
    numerator, denominator = Decimal(str(terms["rate"])).as_integer_ratio()
    months = terms["nper"]
    payment = level_payment(terms["pv"] * fine, months, numerator, denominator, [1] * (months + 1), first=1)
    check(case, Decimal(-payment) / fine)


@of_kind("schedule")
def test_schedules(case: dict[str, Any]) -> None:
    terms = case["terms"]
    day_count = {"act/365": DayCount.ACT_365, "30/360": DayCount.THIRTY_360}[terms["basis"]]
    start, months = date.fromisoformat(terms["start"]), terms["n"]

    def lines(fen: int, months: int) -> list[tuple[int, int, int, int]]:
        loan = LoanTerms(
            fen, months, Decimal(str(terms["rate"])), Repayment.EQUAL_INSTALLMENT, day_count, start
        )
        return [
            (line.principal + line.interest, line.interest, line.principal, line.balance)
            for line in build(loan).lines
        ]

    found = lines(terms["principal"] * 100, months)
    if "second" in terms:
        # A second loan is paid out after some months and all is spread anew over the months left.
        after, amount = terms["second"]
        early = found[:after]
        payment, interest, principal, balance = early[-1]
        early[-1] = (payment, interest, principal, balance + amount * 100)
        found = early + lines(balance + amount * 100, months - after)
    expected = [
        tuple(round(line[key] * 100) for key in ("emi", "interest", "principal", "balance"))
        for line in case["expected"]
    ]
    assert found == expected
