from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings

from market import cashflow
from market.cashflow import build
from market.errors import Code, Invalid
from market.schedule import Part
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment
from tests.market import reference_pricing
from tests.market.strategies import offers, plain_offers

MILLION = 100_000_000


def loan(**changes: object) -> LoanTerms:
    values = {
        "principal": MILLION,
        "months": 12,
        "rate": Decimal("0.03"),
        "repayment": Repayment.EQUAL_INSTALLMENT,
    }
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(plain_offers)
def test_agrees_with_the_slow_reference_to_the_fen(terms: LoanTerms | LeaseTerms) -> None:
    expected = reference_pricing.price(terms)
    assert list(cashflow.timeline(terms).amounts) == [int(amount) for amount in expected.net]
    schedule = build(terms)
    lines = {line.number: line for line in schedule.lines}
    for number, month in enumerate(expected.months):
        line = lines.get(number)
        found = (line.principal, line.interest, line.fees, line.subsidy, line.deposit) if line else (0,) * 5
        assert found == (month.principal, month.interest, month.fees, month.subsidy, month.deposit)


@settings(max_examples=150, deadline=None)
@given(offers)
def test_every_schedule_closes_and_its_flows_say_the_same_as_its_lines(terms: LoanTerms | LeaseTerms) -> None:
    schedule, timeline = build(terms), cashflow.timeline(terms)
    draws = terms.draws if isinstance(terms, LoanTerms) else ()
    drawn = sum(amount for month, amount in draws if month == 0) if draws else terms.principal
    assert sum(line.principal for line in schedule.lines) == drawn
    assert all(line.balance == 0 for line in schedule.lines[-1:])
    assert all(line.interest >= 0 and line.balance >= 0 for line in schedule.lines)
    assert sum(flow.amount for flow in schedule.flows) == sum(timeline.amounts)
    extra = sum(line.interest + line.fees - line.subsidy for line in schedule.lines)
    assert extra == -sum(timeline.amounts)
    assert sum(line.deposit for line in schedule.lines) == 0
    assert [flow.month for flow in schedule.flows] == sorted(flow.month for flow in schedule.flows)  # type: ignore[type-var]


def test_an_equal_instalment_is_84693_70_for_a_million_at_three_percent() -> None:
    lines = build(loan()).lines
    assert {line.principal + line.interest for line in lines[:-1]} == {8_469_370}
    assert abs(lines[-1].principal + lines[-1].interest - 8_469_370) < 12


@pytest.mark.parametrize(
    ("rent", "payment", "first"),
    [(RentTiming.ARREARS, 3_019_590, 1), (RentTiming.ADVANCE, 3_005_814, 0)],
)
def test_rents_in_advance_are_those_in_arrears_discounted_by_one_period(
    rent: RentTiming, payment: int, first: int
) -> None:
    lines = build(LeaseTerms(MILLION, 36, Decimal("0.055"), rent)).lines
    assert len(lines) == 36 and lines[0].number == first
    assert lines[0].principal + lines[0].interest == payment


def test_a_level_payment_on_day_counts_is_level_to_the_actual_days() -> None:
    # Published by an open-source lender's own tests: 100 at 15.678 %, 6 months, act/365.
    terms = loan(
        principal=10_000,
        months=6,
        rate=Decimal("0.15678"),
        day_count=DayCount.ACT_365,
        start=date(2024, 1, 1),
    )
    assert [line.principal + line.interest for line in build(terms).lines] == [1743] * 5 + [1747]
    assert [line.interest for line in build(terms).lines] == [133, 105, 90, 66, 46, 22]


def test_a_bullet_rounds_its_interest_once() -> None:
    (line,) = build(
        loan(repayment=Repayment.BULLET, principal=10_001, months=7, rate=Decimal("0.0333"))
    ).lines
    assert (line.number, line.principal, line.interest) == (7, 10_001, 194)


def test_a_tiny_principal_is_never_repaid_twice() -> None:
    lines = build(loan(principal=200, months=360, rate=Decimal(0))).lines
    assert [line.principal for line in lines] == [1] * 200


def test_dates_are_clipped_to_the_months_end() -> None:
    lines = build(loan(start=date(2026, 1, 31), months=3)).lines
    assert [line.due for line in lines] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


@pytest.mark.parametrize(
    ("when", "months", "expected"),
    [
        (FeeTiming.UPFRONT, 25, [0]),
        (FeeTiming.YEARLY, 12, [0]),
        (FeeTiming.YEARLY, 25, [0, 12, 24]),
        (FeeTiming.YEARLY, 24, [0, 12]),
        (FeeTiming.MONTHLY, 3, [1, 2, 3]),
        (FeeTiming.END, 25, [25]),
    ],
)
def test_a_fee_falls_due_in_full_at_each_occurrence(
    when: FeeTiming, months: int, expected: list[int]
) -> None:
    fee = Fee("f", when, rate=Decimal("0.01"))
    flows = [flow for flow in build(loan(months=months, fees=(fee,))).flows if flow.part is Part.FEE]
    assert [flow.month for flow in flows] == expected
    assert {flow.amount for flow in flows} == {-1_000_000}


def test_a_fee_on_the_outstanding_takes_the_balance_before_that_months_payment() -> None:
    fee = Fee("f", FeeTiming.MONTHLY, basis=FeeBasis.OUTSTANDING, rate=Decimal("0.01"))
    terms = loan(repayment=Repayment.EQUAL_PRINCIPAL, months=4, fees=(fee,))
    assert [line.fees for line in build(terms).lines] == [1_000_000, 750_000, 500_000, 250_000]


def test_only_the_firms_own_subsidy_counts() -> None:
    def with_subsidy(recipient: Recipient) -> int:
        subsidy = Subsidy("s", FeeTiming.END, recipient, amount=5_000)
        return -sum(cashflow.timeline(loan(subsidies=(subsidy,))).amounts)

    assert with_subsidy(Recipient.INSTITUTION) - with_subsidy(Recipient.FIRM) == 5_000


def test_a_draw_list_bears_interest_on_what_is_drawn_only() -> None:
    terms = loan(
        repayment=Repayment.REVOLVING,
        rate=Decimal("0.12"),
        months=4,
        draws=((0, 50_000), (1, 50_000), (3, -70_000)),
    )
    lines = build(terms).lines
    assert [(line.interest, line.principal, line.balance) for line in lines] == [
        (500, -50_000, 100_000),
        (1000, 0, 100_000),
        (1000, 70_000, 30_000),
        (300, 30_000, 0),
    ]
    assert cashflow.timeline(terms).amounts == (50_000, 49_500, -1000, -71_000, -30_300)


def test_actual_days_need_a_start_date() -> None:
    with pytest.raises(Invalid) as refusal:
        build(loan(day_count=DayCount.ACT_360))
    assert [(fault.code, fault.field) for fault in refusal.value.faults] == [(Code.REQUIRED, "start")]


def test_a_schedule_past_the_last_year_is_refused() -> None:
    with pytest.raises(Invalid):
        build(loan(start=date(9999, 6, 1)))
