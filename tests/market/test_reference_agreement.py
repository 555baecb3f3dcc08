"""The engine and the slow reference say the same, to the fen, on 10,900 generated offers of every kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from market.cost import Cost, Priceable, price, price_many
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    LeaseTerms,
    LoanTerms,
    Subsidy,
)
from market.vocabulary import (
    DayCount,
    FeeBasis,
    FeeTiming,
    Interval,
    Recipient,
    RentTiming,
    Repayment,
)
from tests.market import reference_pricing
from tests.market.reference_pricing import Priced, present_value
from tests.market.strategies import (
    bills,
    bridges,
    covers,
    everything,
    factorings,
    leases,
    loans,
    plain_offers,
)

#: Offers of one example: a batch prices them together.
BATCH = 20
MILLION = 100_000_000


def agrees(terms: Priceable, priced: Cost, expected: Priced) -> None:
    """Compare every sum of money: by time, by time and payee, by line, and in all."""
    sums: dict[Any, int] = defaultdict(int)
    flows: dict[Any, int] = defaultdict(int)
    for flow in priced.schedule.flows:
        sums[flow.month] += flow.amount
        flows[flow.month, flow.payee] += flow.amount
    assert {when: amount for when, amount in sums.items() if amount} == expected.sums(), terms
    assert {key: amount for key, amount in flows.items() if amount} == expected.flows(), terms
    assert list(_figures(priced.schedule.lines)) == list(_figures(expected.months)), terms
    owed = [line.balance for line in priced.schedule.lines if line.principal]
    assert owed == [point.before - point.principal for point in expected.months if point.principal], terms
    assert priced.total_cost == -sum(expected.net), terms
    assert priced.net_received == expected.net[0], terms
    assert priced.average_monthly_payment == expected.average, terms
    named = {payee: amount for payee, amount in expected.payees.items() if amount}
    assert {payee: amount for payee, amount in priced.breakdown if amount} == named, terms


#: Rates of more places than the columns of a batch have room for.
fine = plain_offers.map(lambda terms: replace(terms, rate=terms.rate + Decimal("0.0000000001")))


def _figures(lines: Sequence[Any]) -> Iterator[tuple[int, ...]]:
    for line in lines:
        figures = (line.principal, line.interest, line.fees, line.subsidy, line.deposit)
        if any(figures):
            yield figures


def agreement(offers: st.SearchStrategy[Any], batches: int) -> Callable[[], None]:
    """Return a test of ``batches`` × ``BATCH`` different offers, each priced by itself and among the others.

    An offer that fails is named whole: to make a batch of twenty smaller step by step takes many minutes.
    """

    @settings(
        max_examples=batches,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(offers, min_size=BATCH, max_size=BATCH, unique=True))
    def check(listed: Sequence[Priceable]) -> None:
        for terms, among in zip(listed, price_many(listed), strict=True):
            alone = price(terms)
            assert among == alone, terms
            agrees(terms, alone, reference_pricing.price(terms))

    return check


# 545 batches of 20. Hypothesis may repeat an offer in another batch; well over 10,000 are different.
test_plain_offers_agree_to_the_fen = agreement(plain_offers, 100)
test_loans_agree_to_the_fen = agreement(loans, 75)
test_more_loans_agree_to_the_fen = agreement(loans, 75)
test_leases_agree_to_the_fen = agreement(leases, 75)
test_more_leases_agree_to_the_fen = agreement(leases, 75)
test_covers_agree_to_the_fen = agreement(covers, 25)
test_what_runs_by_days_agrees_to_the_fen = agreement(st.one_of(bills, factorings, bridges), 70)
test_mixed_batches_agree_to_the_fen = agreement(st.one_of(everything, fine), 50)


@settings(max_examples=150, deadline=None)
@given(everything)
def test_at_the_effective_rate_the_reference_flows_sum_to_zero(terms: Priceable) -> None:
    effective = price(terms).effective
    assume(effective is not None and Decimal("-0.9") < effective < 100)
    assert effective is not None
    residue, size = present_value(reference_pricing.price(terms), effective)
    assert abs(residue) <= size * Decimal("1e-15")


# What follows holds the reference itself to figures that were published or can be worked out by hand.


def loan(principal: int, months: int, rate: str, repayment: Repayment, **more: Any) -> LoanTerms:
    return LoanTerms(principal, months, Decimal(rate), repayment, **more)


def net(terms: Priceable) -> list[int]:
    return [int(amount) for amount in reference_pricing.price(terms).net]


def both(terms: Priceable) -> Priced:
    """Return the reference's figures, with which the engine has to agree."""
    expected = reference_pricing.price(terms)
    agrees(terms, price(terms), expected)
    return expected


@pytest.mark.parametrize(
    ("terms", "effective"),
    [
        (loan(MILLION, 12, "0.0365", Repayment.INTEREST_MONTHLY), "0.037117"),
        (
            loan(
                MILLION,
                12,
                "0.0365",
                Repayment.INTEREST_MONTHLY,
                fees=(Fee("f", FeeTiming.UPFRONT, rate=Decimal("0.01")),),
            ),
            "0.047770",
        ),
        *(
            (
                LeaseTerms(
                    MILLION,
                    36,
                    Decimal("0.055"),
                    rent,
                    deposit=Decimal("0.05"),
                    buyout=10_000,
                    fees=(Fee("f", FeeTiming.UPFRONT, rate=Decimal("0.015")),),
                ),
                effective,
            )
            for rent, effective in [(RentTiming.ARREARS, "0.074276"), (RentTiming.ADVANCE, "0.075449")]
        ),
        (BillTerms(MILLION, 90, Decimal("0.06"), Decimal("0.003"), 365), "0.065554"),
    ],
)
def test_the_reference_gives_the_published_rates(terms: Priceable, effective: str) -> None:
    half = Decimal("0.0000005")
    below, above = (present_value(both(terms), Decimal(effective) + step)[0] for step in (-half, half))
    assert below < 0 < above


LATE = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # 84,693.70 yuan a month, as published; here the remainder is nothing.
        (loan(MILLION, 12, "0.03", Repayment.EQUAL_INSTALLMENT), [MILLION, *[-8_469_370] * 12]),
        # A level instalment at a new rate: 600 left over two months at 1 % is 304.5.
        (
            loan(900, 3, "0", Repayment.EQUAL_INSTALLMENT, rate_steps=((1, Decimal("0.12")),)),
            [900, -300, -305, -304],
        ),
        # The same in advance: 900 / 2.9704, then 597 and the 6 of interest in it over two rents at 0 %.
        (
            LeaseTerms(900, 3, Decimal("0.12"), RentTiming.ADVANCE, rate_steps=((1, Decimal(0)),)),
            [597, -302, -301, 0],
        ),
        # A rent of exactly 13.5 is 14: 26 × 1.08 / 2.08.
        (
            LeaseTerms(26, 24, Decimal("0.08"), RentTiming.ADVANCE, interval=Interval.YEARLY),
            [12, *[0] * 11, -13, *[0] * 12],
        ),
        # Quarterly for seven months: 1 % a month, the short last period bears one.
        (
            loan(3000, 7, "0.12", Repayment.EQUAL_PRINCIPAL, interval=Interval.QUARTERLY),
            [3000, 0, 0, -1090, 0, 0, -1060, -1010],
        ),
        # A year of bullet interest at 12 %, from the seventh month at 24 %.
        (
            loan(1000, 12, "0.12", Repayment.BULLET, rate_steps=((6, Decimal("0.24")),)),
            [1000, *[0] * 11, -1180],
        ),
        # 4,000, 7,000 and 2,000 of balance in the first three months, 2,000 in the last, at 1 % a month.
        (
            loan(
                10_000,
                4,
                "0.12",
                Repayment.REVOLVING,
                draws=((0, 4000), (1, 3000), (2, -5000)),
                interval=Interval.QUARTERLY,
            ),
            [4000, 3000, -5000, -130, -2020],
        ),
        # By 30E/360 the last of January is the 30th: 28 days, then 32, at 100 a day.
        (
            loan(
                360_000,
                2,
                "0.1",
                Repayment.INTEREST_MONTHLY,
                start=LATE,
                due=(date(2026, 2, 28), date(2026, 3, 31)),
            ),
            [360_000, -2800, -363_200],
        ),
        # Paid two days late because of a weekend, or the interest stops where it should have been paid.
        (
            loan(
                360_000,
                2,
                "0.1",
                Repayment.INTEREST_MONTHLY,
                day_count=DayCount.ACT_360,
                start=LATE,
                due=(date(2026, 3, 2), date(2026, 3, 31)),
            ),
            [360_000, -3000, -362_900],
        ),
        (
            loan(
                360_000,
                2,
                "0.1",
                Repayment.INTEREST_MONTHLY,
                day_count=DayCount.ACT_360,
                start=LATE,
                due=(date(2026, 3, 2), date(2026, 3, 31)),
                accrual=(date(2026, 2, 28), date(2026, 3, 31)),
            ),
            [360_000, -2800, -363_100],
        ),
        # Paid before the weekend, the first period still ends with the month; the new rate begins there.
        (
            loan(
                1000,
                2,
                "0",
                Repayment.INTEREST_MONTHLY,
                start=date(2026, 1, 1),
                due=(date(2026, 1, 30), date(2026, 3, 2)),
                accrual=(date(2026, 2, 1), date(2026, 3, 1)),
                rate_steps=((1, Decimal("0.12")),),
            ),
            [1000, 0, -1010],
        ),
        # Three months at 2 % before the rents begin; the rents in advance bear 0 %.
        (
            LeaseTerms(
                1000,
                2,
                Decimal(0),
                RentTiming.ADVANCE,
                deposit=Decimal("0.1"),
                buyout=7,
                prelease_months=3,
                prelease_rate=Decimal("0.24"),
            ),
            [900, 0, 0, -560, -500, 93],
        ),
        # 2 % of half of the balance at months 0 and 12, but not before month 6.
        (
            loan(
                1000,
                24,
                "0",
                Repayment.EQUAL_PRINCIPAL,
                interval=Interval.YEARLY,
                fees=(
                    Fee(
                        "f",
                        FeeTiming.YEARLY,
                        basis=FeeBasis.OUTSTANDING,
                        rate=Decimal("0.02"),
                        part=Decimal("0.5"),
                        from_month=6,
                    ),
                ),
            ),
            [1000, *[0] * 11, -510, *[0] * 11, -500],
        ),
        # Half of the interest back, year by year and two months late: 15 of 30, 7 of 15 of which 3 are left.
        (
            loan(
                1000,
                18,
                "0.03",
                Repayment.INTEREST_MONTHLY,
                interval=Interval.YEARLY,
                subsidies=(
                    Subsidy(
                        "s",
                        FeeTiming.YEARLY,
                        basis=FeeBasis.INTEREST,
                        rate=Decimal("0.5"),
                        cap=100,
                        budget=18,
                        lag_months=2,
                    ),
                ),
            ),
            [1000, *[0] * 11, -30, 0, 15, 0, 0, 0, -1015, 0, 3],
        ),
        # The bank gets 9 and then the 1 that is left; it passes half of each on: 4.5 is 5, and 0.5 is 1.
        (
            loan(
                900,
                2,
                "0",
                Repayment.INTEREST_MONTHLY,
                subsidies=(
                    Subsidy(
                        "s",
                        FeeTiming.MONTHLY,
                        Recipient.INSTITUTION,
                        rate=Decimal("0.01"),
                        cap=10,
                        passed_on=Decimal("0.5"),
                    ),
                ),
            ),
            [900, 5, -899],
        ),
        # 800 of 1,000 paid out for 90 days at 10 % over 360, with 1 % of the receivable at first.
        (
            FactoringTerms(
                1000,
                90,
                Decimal("0.1"),
                Decimal("0.8"),
                fees=(Fee("f", FeeTiming.UPFRONT, rate=Decimal("0.01")),),
            ),
            [790, -820],
        ),
        (FactoringTerms(1000, 90, Decimal("0.1"), Decimal("0.8"), FeeTiming.UPFRONT), [780, -800]),
        # Two days at 0.1 %, three at 0.2 %.
        (BridgeTerms(1000, 5, Decimal("0.001"), steps=((3, Decimal("0.002")),)), [1000, -1008]),
        # A tenth of the year's interest comes with the interest.
        (
            BridgeTerms(
                1000,
                5,
                Decimal("0.002"),
                fees=(Fee("f", FeeTiming.YEARLY, basis=FeeBasis.INTEREST, rate=Decimal("0.1")),),
            ),
            [1000, -1011],
        ),
        # One per cent a year on what is covered, and a deposit of a tenth.
        (
            CoverTerms(
                1000,
                13,
                (Fee("f", FeeTiming.YEARLY, "guarantor", rate=Decimal("0.01")),),
                deposit=Decimal("0.1"),
            ),
            [890, *[0] * 11, -10, -900],
        ),
    ],
)
def test_worked_by_hand(terms: Priceable, expected: list[int]) -> None:
    assert net(terms) == expected
    both(terms)


def test_every_yearly_share_of_the_rents_adds_up_to_all_of_them() -> None:
    rents = [
        Fee("f", when, "guarantor", FeeBasis.RENT, Decimal("0.01"))
        for when in (FeeTiming.YEARLY, FeeTiming.END, FeeTiming.EACH_PAYMENT)
    ]
    for rent in RentTiming:
        paid = [
            both(LeaseTerms(12 * MILLION, 30, Decimal(0), rent, fees=(fee,), interval=Interval.QUARTERLY))
            for fee in rents
        ]
        assert [priced.payees["guarantor"] for priced in paid] == [12_000_000] * 3


def test_a_yearly_fee_on_named_dates_falls_on_the_first_of_them_after_the_anniversary() -> None:
    start, yearly = date(2024, 2, 29), Fee("f", FeeTiming.YEARLY, amount=7)
    due = tuple(date(year, month, 10) for year in (2024, 2025, 2026) for month in (3, 9))
    priced = both(loan(600, 31, "0", Repayment.EQUAL_PRINCIPAL, start=start, due=due, fees=(yearly,)))
    # 28 February 2025 and 2026 are the anniversaries.
    charged = [point.when for point in priced.months if point.fees]
    assert charged == [start, date(2025, 3, 10), date(2026, 3, 10)]
    assert all(first < second for first, second in pairwise(priced.years))
