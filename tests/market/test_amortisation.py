"""How principals are repaid, worked by hand: intervals, steps of the rate, dates, the time before a lease."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from market.cashflow import build
from market.cost import price, price_many
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import DayCount, Interval, RentTiming, Repayment

Rows = list[tuple[int, int, int, int]]


def rows(terms: LoanTerms | LeaseTerms) -> Rows:
    """Return (number, principal, interest, balance) of each line, and check that columns agree."""
    assert price_many([terms, terms]) == [price(terms)] * 2
    return [(line.number, line.principal, line.interest, line.balance) for line in build(terms).lines]


def loan(repayment: Repayment, **changes: object) -> LoanTerms:
    values = {"principal": 1_000_000, "months": 12, "rate": Decimal("0.12"), "repayment": repayment}
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


def test_quarterly_interest_is_three_months_on_the_balance() -> None:
    terms = loan(Repayment.INTEREST_MONTHLY, months=9, interval=Interval.QUARTERLY)
    assert rows(terms) == [
        (3, 0, 30_000, 1_000_000),
        (6, 0, 30_000, 1_000_000),
        (9, 1_000_000, 30_000, 0),
    ]


def test_a_short_last_period_bears_its_own_months_only() -> None:
    terms = loan(Repayment.EQUAL_PRINCIPAL, months=8, interval=Interval.QUARTERLY)
    assert rows(terms) == [
        (3, 333_333, 30_000, 666_667),
        (6, 333_333, 20_000, 333_334),
        (8, 333_334, 6_667, 0),
    ]


@pytest.mark.parametrize(
    ("interval", "rent", "payment"),
    [
        # A = P·i ÷ (1 - (1 + i)^-n); in advance divided by 1 + i. 1,000,000.00 over 36 months at 5.5 %.
        (Interval.MONTHLY, RentTiming.ARREARS, 3_019_590),
        (Interval.QUARTERLY, RentTiming.ARREARS, 9_096_764),
        (Interval.HALF_YEARLY, RentTiming.ARREARS, 18_307_083),
        (Interval.QUARTERLY, RentTiming.ADVANCE, 8_973_380),
        (Interval.HALF_YEARLY, RentTiming.ADVANCE, 17_817_112),
    ],
)
def test_rents_by_the_annuity_formula(interval: Interval, rent: RentTiming, payment: int) -> None:
    terms = LeaseTerms(100_000_000, 36, Decimal("0.055"), rent, interval=interval)
    i, n = 0.055 * interval / 12, 36 // interval
    formula = 1e8 * i / (1 - (1 + i) ** -n) / (1 if rent is RentTiming.ARREARS else 1 + i)
    assert payment == round(formula)
    paid = [principal + interest for _, principal, interest, _ in rows(terms)]
    assert set(paid[:-1]) == {payment} and abs(paid[-1] - payment) <= n
    assert len(paid) == n


def test_interest_before_the_lease_is_paid_in_one_sum_when_it_begins() -> None:
    terms = LeaseTerms(1_200_000, 2, Decimal(0), prelease_months=3, prelease_rate=Decimal("0.06"))
    assert rows(terms) == [(3, 0, 18_000, 1_200_000), (4, 600_000, 0, 600_000), (5, 600_000, 0, 0)]
    assert price(terms).average_monthly_payment == 243_600


def test_rents_in_advance_begin_with_the_lease() -> None:
    terms = LeaseTerms(1_200_000, 2, Decimal("0.12"), RentTiming.ADVANCE, prelease_months=1)
    # 1,200,000 = R + R ÷ 1.01
    assert rows(terms) == [(1, 602_985, 12_000, 597_015), (2, 597_015, 5_970, 0)]


def test_a_level_instalment_is_spread_anew_when_the_rate_steps() -> None:
    terms = loan(Repayment.EQUAL_INSTALLMENT, months=4, rate=Decimal(0), rate_steps=((2, Decimal("0.12")),))
    # Two payments of a quarter without interest; then 500,000 = R ÷ 1.01 + R ÷ 1.01².
    assert rows(terms) == [
        (1, 250_000, 0, 750_000),
        (2, 250_000, 0, 500_000),
        (3, 248_756, 5_000, 251_244),
        (4, 251_244, 2_512, 0),
    ]


def test_a_rent_in_advance_is_spread_anew_with_the_interest_that_is_owed() -> None:
    terms = LeaseTerms(1_000_000, 3, Decimal("0.12"), RentTiming.ADVANCE, rate_steps=((1, Decimal("0.24")),))
    # First rent 1,000,000 ÷ (1 + 1 ÷ 1.01 + 1 ÷ 1.01²) = 336,656; then 663,344 and its interest of 6,633
    # are owed: 669,977 ÷ (1 + 1 ÷ 1.02) = 338,305.
    assert rows(terms) == [
        (0, 336_656, 0, 663_344),
        (1, 331_672, 6_633, 331_672),
        (2, 331_672, 6_633, 0),
    ]


def test_a_bullet_sums_its_steps_and_rounds_once() -> None:
    terms = loan(Repayment.BULLET, principal=1_001, rate=Decimal("0.06"), rate_steps=((6, Decimal("0.12")),))
    # 1,001 × (6 × 0.5 % + 6 × 1 %) = 90.09
    assert rows(terms) == [(12, 1_001, 90, 0)]


def test_an_odd_first_period_bears_the_interest_of_its_days() -> None:
    due = (date(2026, 2, 20), date(2026, 3, 20))
    by_days = loan(
        Repayment.INTEREST_MONTHLY, months=2, start=date(2026, 1, 5), due=due, day_count=DayCount.ACT_360
    )
    # 46 and 28 days at 12 % over 360.
    assert [interest for _, _, interest, _ in rows(by_days)] == [15_333, 9_333]
    by_months = loan(Repayment.INTEREST_MONTHLY, months=2, start=date(2026, 1, 5), due=due)
    # 45 and 30 days of thirty-day months.
    assert [interest for _, _, interest, _ in rows(by_months)] == [15_000, 10_000]
    assert price(by_months).convention == "30/360; days/365"


def test_a_payment_rolled_off_a_holiday_changes_when_it_is_paid_and_so_the_cost() -> None:
    start, nominal = date(2026, 8, 5), (date(2026, 9, 5), date(2026, 10, 5))
    rolled = (date(2026, 9, 7), date(2026, 10, 8))
    plain = loan(Repayment.BULLET, months=2, start=start, due=nominal)
    later = loan(Repayment.BULLET, months=2, start=start, due=rolled, accrual=nominal)
    assert build(plain).lines[-1].interest == build(later).lines[-1].interest == 20_000
    cheap, dear = price(later).effective, price(plain).effective
    assert cheap is not None and dear is not None and cheap < dear


def test_a_revolving_loan_with_quarterly_interest_counts_every_month_of_its_draws() -> None:
    terms = loan(
        Repayment.REVOLVING, months=6, interval=Interval.QUARTERLY, draws=((0, 500_000), (2, 500_000))
    )
    assert [(line.number, line.principal, line.interest, line.balance) for line in build(terms).lines] == [
        (2, -500_000, 0, 1_000_000),
        # Two months on 500,000 and one on 1,000,000.
        (3, 0, 20_000, 1_000_000),
        (6, 1_000_000, 30_000, 0),
    ]
