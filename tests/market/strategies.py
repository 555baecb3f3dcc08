"""Generated offers of every kind, with all that may go along: one fen to ten billion yuan, up to 360 months.

``plain_offers`` are monthly, at one rate, with no dates of their own and the simple fees of a bid form.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
from tests.market.reference.timetable import later

TEN_BILLION_YUAN = 10**12
LONGEST = 360

principals = st.one_of(
    st.integers(1, 10_000),
    st.integers(10**6, 10**9),
    st.integers(1, TEN_BILLION_YUAN),
    st.integers(0, 10**9).map(lambda less: TEN_BILLION_YUAN - less),
)
months = st.one_of(
    st.integers(1, 36), st.sampled_from([1, 6, 12, 24, 36, 60, 120, LONGEST]), st.integers(1, LONGEST)
)
rates = st.one_of(
    st.integers(0, 2400).map(lambda n: Decimal(n) / 10_000),
    st.integers(0, 5 * 10**7).map(lambda n: Decimal(n) / 10**8),
)
small_rates = st.integers(0, 500).map(lambda n: Decimal(n) / 10_000)
shares = st.integers(0, 100).map(lambda n: Decimal(n) / 100)
starts = st.dates(date(2019, 1, 1), date(2030, 12, 31))
timings, balances = st.sampled_from(FeeTiming), st.sampled_from([FeeBasis.PRINCIPAL, FeeBasis.OUTSTANDING])
plain_timings = st.sampled_from([timing for timing in FeeTiming if timing is not FeeTiming.EACH_PAYMENT])
payees = st.sampled_from(["lender", "guarantor", "notary"])
deposits = st.integers(0, 30).map(lambda n: Decimal(n) / 100)
amounts = st.integers(0, 10**6)


def _rarely(values: st.SearchStrategy[Any], otherwise: Any) -> st.SearchStrategy[Any]:
    """Most offers have little of the unusual, so that each unusual thing is also met by itself."""
    return st.one_of(st.just(otherwise), st.just(otherwise), values)


@st.composite
def _charges(draw: st.DrawFn, *, when: st.SearchStrategy[FeeTiming], basis: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": "x", "when": draw(when)}
    if draw(st.booleans()):
        return {**values, "basis": draw(basis), "rate": draw(small_rates)}
    return {**values, "amount": draw(amounts)}


def _fees(when: st.SearchStrategy[FeeTiming], basis: Any, **options: Any) -> st.SearchStrategy[Any]:
    fee = st.builds(
        lambda charge, payee, **chosen: Fee(**charge, payee=payee, **chosen),
        _charges(when=when, basis=basis),
        payees,
        **options,
    )
    return st.lists(fee, max_size=3).map(tuple)


def _subsidies(when: st.SearchStrategy[FeeTiming], basis: Any, **options: Any) -> st.SearchStrategy[Any]:
    subsidy = st.builds(
        lambda charge, recipient, **chosen: Subsidy(**charge, recipient=recipient, **chosen),
        _charges(when=when, basis=basis),
        st.sampled_from(Recipient),
        **options,
    )
    return st.lists(subsidy, max_size=2).map(tuple)


parts = {"part": _rarely(shares, Decimal(1))}
options = {**parts, "from_month": _rarely(st.one_of(st.just(12), st.integers(0, 40)), 0)}
bounds = _rarely(st.one_of(amounts, st.integers(0, 10**9)), None)
help_options = {
    **options,
    "cap": bounds,
    "budget": bounds,
    "lag_months": _rarely(st.integers(0, 15), 0),
    "passed_on": shares,
}
fees = _fees(timings, st.sampled_from(FeeBasis), **options)
subsidies = _subsidies(timings, st.sampled_from(FeeBasis), **help_options)
plain_extras = {"fees": _fees(plain_timings, balances), "subsidies": _subsidies(plain_timings, balances)}

plain_loans = st.builds(
    LoanTerms,
    principal=principals,
    months=months,
    rate=rates,
    repayment=st.sampled_from(Repayment),
    day_count=st.sampled_from(DayCount),
    start=starts,
    **plain_extras,
)
plain_leases = st.builds(
    LeaseTerms,
    principal=principals,
    months=months,
    rate=rates,
    rent=st.sampled_from(RentTiming),
    deposit=deposits,
    buyout=st.integers(0, 10**5),
    day_count=st.sampled_from(DayCount),
    start=starts,
    **plain_extras,
)
plain_offers = st.one_of(plain_loans, plain_leases)


def _weekday(day: date, step: int) -> date:
    """Roll a day off a weekend, on (+1) or back (-1): a calendar with no other holidays."""
    while step and day.isoweekday() > 5:
        day += timedelta(days=step)
    return day


@st.composite
def _dates(draw: st.DrawFn, start: date, most: int) -> dict[str, Any]:
    """Draw payment dates: an odd first period, then one every interval, a last one that may be odd too.

    They may be rolled off weekends; then interest runs to the rolled date or to the one it was rolled from.
    """
    interval = draw(st.sampled_from(Interval))
    first = later(start, draw(st.integers(1, 12)))
    if draw(st.booleans()):
        first = start + timedelta(days=draw(st.integers(5, 900)))
    nominal = [later(first, interval * k) for k in range(draw(st.integers(1, max(1, most // interval))))]
    nominal[-1] += timedelta(days=draw(_rarely(st.integers(0, 20), 0)))
    step = draw(st.sampled_from([0, 1, -1]))
    due = tuple(_weekday(day, step) for day in nominal)
    months = (nominal[-1].year - start.year) * 12 + nominal[-1].month - start.month
    months += later(start, months) < nominal[-1]
    accrual = tuple(nominal) if step and draw(st.booleans()) else ()
    return {"months": months, "interval": interval, "start": start, "due": due, "accrual": accrual}


@st.composite
def _times(draw: st.DrawFn, *, wait: int = 0) -> dict[str, Any]:
    """Draw how long an offer runs, when it is paid and which rates it steps to."""
    start, count = draw(starts), draw(months)
    values: dict[str, Any] = {"months": count, "start": start, "interval": draw(st.sampled_from(Interval))}
    if not wait and draw(st.integers(0, 3)) == 0:
        values = draw(_dates(start, min(count, LONGEST - 60)))
    values["day_count"] = draw(st.sampled_from(DayCount))
    steps = draw(_rarely(st.dictionaries(st.integers(1, values["months"] + wait), rates, max_size=3), {}))
    return {**values, "rate_steps": tuple(sorted(steps.items()))}


@st.composite
def _draws(draw: st.DrawFn, principal: int, count: int) -> tuple[tuple[int, int], ...]:
    """Draw how a revolving line is used: drawn and repaid within its limit, before its last month."""
    left, pairs = 0, []
    for month in sorted(draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=5))):
        wanted = draw(st.integers(0, principal))
        if wanted != left:
            pairs.append((month, wanted - left))
            left = wanted
    return tuple(pairs)


@st.composite
def _loans(draw: st.DrawFn) -> LoanTerms:
    principal, repayment, times = draw(principals), draw(st.sampled_from(Repayment)), draw(_times())
    drawn = repayment is Repayment.REVOLVING and "due" not in times and draw(st.booleans())
    return LoanTerms(
        principal=principal,
        rate=draw(rates),
        repayment=repayment,
        draws=draw(_draws(principal, times["months"])) if drawn else (),
        fees=draw(fees),
        subsidies=draw(subsidies),
        deposit=draw(_rarely(deposits, Decimal(0))),
        deposit_holder=draw(payees),
        **times,
    )


@st.composite
def _leases(draw: st.DrawFn) -> LeaseTerms:
    wait = draw(_rarely(st.integers(0, 12), 0))
    return LeaseTerms(
        principal=draw(principals),
        rate=draw(rates),
        rent=draw(st.sampled_from(RentTiming)),
        deposit=draw(deposits),
        buyout=draw(st.integers(0, 10**5)),
        fees=draw(fees),
        subsidies=draw(subsidies),
        deposit_holder=draw(payees),
        prelease_months=wait,
        prelease_rate=draw(st.one_of(st.none(), rates)) if wait else None,
        **draw(_times(wait=wait)),
    )


loans, leases = _loans(), _leases()
offers = st.one_of(loans, leases)

_days = st.integers(1, 720)
_bases = st.sampled_from([360, 365])
bills = st.builds(
    BillTerms,
    face=principals,
    days=_days,
    rate=rates,
    fee_rate=_rarely(small_rates, Decimal(0)),
    basis=_bases,
    fees=_fees(timings, st.sampled_from(FeeBasis), **parts),
)
factorings = st.builds(
    FactoringTerms,
    face=st.integers(100, TEN_BILLION_YUAN),
    days=_days,
    rate=rates,
    advance=st.integers(1, 100).map(lambda n: Decimal(n) / 100),
    interest_when=st.sampled_from([FeeTiming.UPFRONT, FeeTiming.END]),
    basis=_bases,
    fees=_fees(timings, st.sampled_from(FeeBasis), **parts),
)
_daily_rates = st.integers(0, 2000).map(lambda n: Decimal(n) / 10**6)
bridges = st.builds(
    BridgeTerms,
    principal=principals,
    days=_days,
    daily_rate=_daily_rates,
    fees=_fees(timings, st.sampled_from(FeeBasis), **parts),
    steps=_rarely(st.dictionaries(st.integers(1, 60), _daily_rates, max_size=3), {}).map(
        lambda steps: tuple(sorted(steps.items()))
    ),
)
covers = st.builds(
    CoverTerms,
    amount=principals,
    months=months,
    fees=fees,
    deposit=_rarely(deposits, Decimal(0)),
    provider=payees,
    subsidies=subsidies,
    start=st.one_of(st.none(), starts),
)
everything = st.one_of(loans, leases, bills, factorings, bridges, covers)
