"""What fees and subsidies come to, worked by hand on small loans."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from market.cashflow import build
from market.cost import price, price_many
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Interval, Recipient, RentTiming, Repayment

#: 12,000.00 yuan over 24 months at 12 % a year: 1 % a month.
PRINCIPAL = 1_200_000


def loan(**changes: object) -> LoanTerms:
    values = {
        "principal": PRINCIPAL,
        "months": 24,
        "rate": Decimal("0.12"),
        "repayment": Repayment.INTEREST_MONTHLY,
    }
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


def fees(terms: LoanTerms | LeaseTerms) -> dict[object, int]:
    """Return the fees by month, and check that columns agree."""
    assert price_many([terms, terms]) == [price(terms)] * 2
    return {line.number: line.fees for line in build(terms).lines if line.fees}


def subsidies(terms: LoanTerms | LeaseTerms) -> dict[object, int]:
    assert price_many([terms, terms]) == [price(terms)] * 2
    return {line.number: line.subsidy for line in build(terms).lines if line.subsidy}


def fee(when: FeeTiming, basis: FeeBasis, rate: str = "0.1", **more: object) -> Fee:
    return Fee("f", when, basis=basis, rate=Decimal(rate), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "basis", "expected"),
    [
        # Twelve months of 12,000 fen interest make a year.
        (FeeTiming.YEARLY, FeeBasis.INTEREST, {12: 14_400, 24: 14_400}),
        (FeeTiming.UPFRONT, FeeBasis.INTEREST, {0: 28_800}),
        (FeeTiming.END, FeeBasis.INTEREST, {24: 28_800}),
        (FeeTiming.YEARLY, FeeBasis.RENT, {12: 14_400, 24: 134_400}),
        (FeeTiming.END, FeeBasis.RENT, {24: 148_800}),
        (FeeTiming.YEARLY, FeeBasis.OUTSTANDING, {0: 120_000, 12: 120_000}),
    ],
)
def test_what_a_rate_is_taken_of(when: FeeTiming, basis: FeeBasis, expected: dict[int, int]) -> None:
    assert fees(loan(fees=(fee(when, basis),))) == expected


def test_a_share_of_each_rent_is_due_with_the_rent() -> None:
    terms = LeaseTerms(
        PRINCIPAL,
        12,
        Decimal(0),
        RentTiming.ADVANCE,
        interval=Interval.QUARTERLY,
        fees=(fee(FeeTiming.EACH_PAYMENT, FeeBasis.RENT, "0.01"),),
    )
    assert fees(terms) == {0: 3_000, 3: 3_000, 6: 3_000, 9: 3_000}


def test_each_payment_follows_the_interval_and_monthly_does_not() -> None:
    terms = loan(months=6, interval=Interval.QUARTERLY, repayment=Repayment.EQUAL_PRINCIPAL)
    each = Fee("f", FeeTiming.EACH_PAYMENT, amount=100)
    monthly = Fee("f", FeeTiming.MONTHLY, amount=100)
    assert fees(LoanTerms(**{**_values(terms), "fees": (each,)})) == {3: 100, 6: 100}
    assert fees(LoanTerms(**{**_values(terms), "fees": (monthly,)})) == dict.fromkeys(range(1, 7), 100)


def _values(terms: LoanTerms) -> dict[str, object]:
    return {name: getattr(terms, name) for name in LoanTerms.__slots__}


def test_the_balance_between_two_payments_is_what_the_last_one_left() -> None:
    terms = loan(
        months=6,
        interval=Interval.QUARTERLY,
        repayment=Repayment.EQUAL_PRINCIPAL,
        fees=(fee(FeeTiming.MONTHLY, FeeBasis.OUTSTANDING, "0.01"),),
    )
    assert fees(terms) == {1: 12_000, 2: 12_000, 3: 12_000, 4: 6_000, 5: 6_000, 6: 6_000}


def test_a_guarantee_is_charged_on_the_guaranteed_part() -> None:
    # 80 % guaranteed at 1 % a year, on what is outstanding when each year begins.
    guarantee = fee(FeeTiming.YEARLY, FeeBasis.OUTSTANDING, "0.01", part=Decimal("0.8"))
    terms = loan(repayment=Repayment.EQUAL_PRINCIPAL, fees=(guarantee,))
    # Before month 12's payment, eleven twenty-fourths are repaid: 650,000 are left.
    assert fees(terms) == {0: 9_600, 12: 5_200}


def test_the_part_is_rounded_together_with_the_rate() -> None:
    terms = loan(
        principal=333, fees=(fee(FeeTiming.UPFRONT, FeeBasis.PRINCIPAL, "0.5", part=Decimal("0.5")),)
    )
    assert fees(terms) == {0: 83}


def test_a_fee_whose_first_year_is_free_begins_with_the_second() -> None:
    terms = loan(fees=(fee(FeeTiming.YEARLY, FeeBasis.PRINCIPAL, "0.01", from_month=12),))
    assert fees(terms) == {12: 12_000}


def test_an_interest_subsidy_is_a_share_of_what_was_paid_up_to_its_cap() -> None:
    # 40 % of the interest paid, at most 1,000.00 yuan, paid a quarter after each year.
    help_ = Subsidy(
        "贴息",
        FeeTiming.YEARLY,
        basis=FeeBasis.INTEREST,
        rate=Decimal("0.4"),
        cap=100_000,
        lag_months=3,
    )
    assert subsidies(loan(subsidies=(help_,))) == {15: 57_600, 27: 42_400}


def test_the_lesser_of_cap_and_budget_binds() -> None:
    help_ = Subsidy("s", FeeTiming.YEARLY, amount=1_000, cap=1_500, budget=1_200)
    assert subsidies(loan(subsidies=(help_,))) == {0: 1_000, 12: 200}


def test_an_institutions_subsidy_counts_as_far_as_it_is_passed_on() -> None:
    # The cap binds what is paid out; half of that reaches the firm.
    help_ = Subsidy(
        "s", FeeTiming.END, Recipient.INSTITUTION, amount=1_001, cap=900, passed_on=Decimal("0.5")
    )
    assert subsidies(loan(subsidies=(help_,))) == {24: 450}
    kept = Subsidy("s", FeeTiming.END, Recipient.INSTITUTION, amount=1_001)
    assert price(loan(subsidies=(kept,))).effective == price(loan()).effective


def test_a_late_subsidy_on_dates_is_paid_months_after_its_date() -> None:
    help_ = Subsidy("s", FeeTiming.END, amount=1_000, lag_months=1)
    terms = loan(months=12, start=date(2026, 1, 31), day_count=DayCount.ACT_365, subsidies=(help_,))
    last = build(terms).lines[-1]
    assert (last.due, last.subsidy, last.balance) == (date(2027, 2, 28), 1_000, 0)


def test_a_fee_by_the_year_on_dates_is_due_with_the_payment_after_the_anniversary() -> None:
    due = (*(date(2026, month, 20) for month in range(1, 13)), date(2027, 1, 20), date(2027, 2, 5))
    terms = loan(months=13, start=date(2026, 1, 5), due=due, fees=(Fee("f", FeeTiming.YEARLY, amount=100),))
    assert {line.due: line.fees for line in build(terms).lines if line.fees} == {
        date(2026, 1, 5): 100,
        date(2027, 1, 20): 100,
    }


def test_a_deposit_is_the_holders_until_the_end() -> None:
    terms = loan(deposit=Decimal("0.1"), deposit_holder="guarantor")
    held = [(line.number, line.deposit) for line in build(terms).lines if line.deposit]
    assert held == [(0, 120_000), (24, -120_000)]
    plain, priced = price(loan()), price(terms)
    assert priced.total_cost == plain.total_cost and dict(priced.breakdown)["guarantor"] == 0
    assert priced.effective is not None and plain.effective is not None
    assert priced.effective > plain.effective
