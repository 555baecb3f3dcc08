"""Generated offers: every style, day count, fee and subsidy, from one fen to ten billion yuan."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment

TEN_BILLION_YUAN = 10**12

principals = st.one_of(st.integers(1, 10_000), st.integers(10**6, 10**9), st.integers(1, TEN_BILLION_YUAN))
months = st.one_of(st.integers(1, 36), st.sampled_from([1, 6, 12, 24, 36, 60, 120, 360]), st.integers(1, 360))
rates = st.one_of(
    st.integers(0, 2400).map(lambda n: Decimal(n) / 10_000),
    st.integers(0, 5 * 10**7).map(lambda n: Decimal(n) / 10**8),
)
small_rates = st.integers(0, 500).map(lambda n: Decimal(n) / 10_000)
starts = st.dates(date(2019, 1, 1), date(2030, 12, 31))
timings, bases = st.sampled_from(FeeTiming), st.sampled_from(FeeBasis)


@st.composite
def charges(draw: st.DrawFn) -> dict[str, object]:
    values: dict[str, object] = {"name": "x", "when": draw(timings)}
    if draw(st.booleans()):
        return {**values, "basis": draw(bases), "rate": draw(small_rates)}
    return {**values, "amount": draw(st.integers(0, 10**6))}


fees = st.builds(
    lambda charge, payee: Fee(**charge, payee=payee),
    charges(),
    st.sampled_from(["lender", "guarantor", "notary"]),
)
subsidies = st.builds(
    lambda charge, recipient: Subsidy(**charge, recipient=recipient), charges(), st.sampled_from(Recipient)
)
extras = {
    "fees": st.lists(fees, max_size=3).map(tuple),
    "subsidies": st.lists(subsidies, max_size=2).map(tuple),
}


loans = st.builds(
    LoanTerms,
    principal=principals,
    months=months,
    rate=rates,
    repayment=st.sampled_from(Repayment),
    day_count=st.sampled_from(DayCount),
    start=starts,
    **extras,
)
leases = st.builds(
    LeaseTerms,
    principal=principals,
    months=months,
    rate=rates,
    rent=st.sampled_from(RentTiming),
    deposit=st.integers(0, 30).map(lambda n: Decimal(n) / 100),
    buyout=st.integers(0, 10**5),
    day_count=st.sampled_from(DayCount),
    start=starts,
    **extras,
)
offers = st.one_of(loans, leases)
