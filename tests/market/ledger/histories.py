"""Generated histories of a deal: events on any days in any order, as far as they are possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from market.errors import MarketError
from market.ledger.book import Deal, Policy
from market.ledger.events import Event
from market.ledger.replay import replay
from market.lending_vocabulary import (
    Account,
    AllocationOrder,
    DealKind,
    LoanEventKind,
    PrepaymentEffect,
)
from market.terms import BridgeTerms, CoverTerms, FactoringTerms, Fee, LeaseTerms, LoanTerms
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Interval, RentTiming, Repayment

K = LoanEventKind
START = date(2025, 1, 31)
END = date(2029, 1, 1)
_PRINCIPALS = st.sampled_from([100, 99_999, 1_000_000, 100_000_000, 123_456_789])
_RATES = st.sampled_from([Decimal("0"), Decimal("0.0365"), Decimal("0.06"), Decimal("0.18")])
_FEES = st.sampled_from(
    [
        (),
        (Fee("x", FeeTiming.UPFRONT, rate=Decimal("0.01")),),
        (Fee("x", FeeTiming.YEARLY, amount=5000), Fee("y", FeeTiming.END, amount=777)),
        (Fee("x", FeeTiming.MONTHLY, rate=Decimal("0.001"), basis=FeeBasis.OUTSTANDING),),
    ]
)
_POLICIES = st.builds(
    Policy,
    grace_days=st.sampled_from([0, 0, 5]),
    penalty_rate=st.sampled_from([None, Decimal("0.09")]),
    allocation=st.sampled_from(AllocationOrder),
    prepayment=st.sampled_from(PrepaymentEffect),
)
_LOANS = st.builds(
    LoanTerms,
    principal=_PRINCIPALS,
    months=st.sampled_from([1, 5, 12]),
    rate=_RATES,
    repayment=st.sampled_from(Repayment),
    day_count=st.sampled_from(DayCount),
    interval=st.sampled_from([Interval.MONTHLY, Interval.MONTHLY, Interval.QUARTERLY]),
    rate_steps=st.sampled_from([(), ((3, Decimal("0.1")),)]),
    fees=_FEES,
)
_LEASES = st.builds(
    LeaseTerms,
    principal=_PRINCIPALS,
    months=st.sampled_from([3, 12]),
    rate=_RATES,
    rent=st.sampled_from(RentTiming),
    buyout=st.sampled_from([0, 100]),
    prelease_months=st.sampled_from([0, 0, 2]),
    fees=_FEES,
)
_BRIDGES = st.builds(
    BridgeTerms,
    principal=_PRINCIPALS,
    days=st.sampled_from([1, 10]),
    daily_rate=st.just(Decimal("0.0002")),
    steps=st.sampled_from([(), ((6, Decimal("0.0005")),)]),
)
_FACTORINGS = st.builds(
    FactoringTerms,
    face=_PRINCIPALS,
    days=st.sampled_from([30, 90]),
    rate=_RATES,
    interest_when=st.sampled_from([FeeTiming.UPFRONT, FeeTiming.END]),
)
_COVERS = st.builds(CoverTerms, amount=_PRINCIPALS, months=st.just(12), fees=_FEES)


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    policy = draw(_POLICIES)
    kind = draw(st.sampled_from([DealKind.LOAN, DealKind.LOAN, DealKind.LOAN, *DealKind]))
    if kind is DealKind.FUND:
        return Deal(kind, None, draw(_PRINCIPALS), replace(policy, penalty_rate=None))
    terms: Any = draw(
        {
            DealKind.LOAN: _LOANS,
            DealKind.LEASE: _LEASES,
            DealKind.BRIDGE: _BRIDGES,
            DealKind.FACTORING: _FACTORINGS,
            DealKind.GUARANTEE: _COVERS,
        }[kind]
    )
    principal = {DealKind.FACTORING: "face", DealKind.GUARANTEE: "amount"}.get(kind, "principal")
    if isinstance(terms, LoanTerms) and terms.repayment is Repayment.REVOLVING:
        policy = replace(policy, is_revolving=True)
    return Deal(kind, terms, getattr(terms, principal), policy)


_SHARES = st.sampled_from([1, 3, 10, 25, 50, 90, 100, 120])


@st.composite
def histories(draw: st.DrawFn, most: int = 7) -> tuple[Deal, list[Event]]:
    """Draw a deal and events that are possible for it; what is impossible is left out."""
    deal = draw(deals())
    first = draw(st.sampled_from([100, 100, 100, 40]))
    events = [Event(1, K.DRAWDOWN, START, max(deal.principal * first // 100, 1))]
    kinds = [K.RECEIPT, K.RECEIPT, K.RECEIPT, *(kind for kind in K if kind is not K.UNDO)]
    for number in range(2, draw(st.integers(2, most)) + 1):
        kind = draw(st.sampled_from(kinds))
        day = START + timedelta(
            days=draw(st.one_of(st.sampled_from([0, 28, 59, 89, 120, 365]), st.integers(0, 500)))
        )
        amount = max(deal.principal * draw(_SHARES) // 100, 1)
        event = Event(number, kind, day)
        if kind in (K.DRAWDOWN, K.RECEIPT, K.COMPENSATION, K.CHARGE, K.WAIVER):
            event = replace(event, amount=amount)
        if kind is K.RECEIPT:
            event = replace(event, source=draw(st.sampled_from(["borrower", "purchaser"])))
        if kind is K.CHARGE:
            event = replace(event, account=draw(st.sampled_from([Account.FEES_DUE, Account.PENALTY_DUE])))
        if kind is K.WAIVER:
            accounts = [Account.FEES_DUE, Account.PENALTY_DUE, Account.INTEREST_DUE, Account.PRINCIPAL]
            event = replace(event, account=draw(st.sampled_from(accounts)), amount=max(amount // 50, 1))
        if kind in (K.RATE_RESET, K.RESTRUCTURING):
            event = replace(event, rate=draw(_RATES))
        if kind in (K.EXTENSION, K.RESTRUCTURING):
            event = replace(event, months=draw(st.sampled_from([1, 6, 12])))
        if kind is K.RESTRUCTURING:
            event = replace(
                event, capitalise=draw(st.booleans()), repayment=draw(st.sampled_from([None, *Repayment]))
            )
        if kind is K.PAUSE:
            event = replace(event, until=draw(st.sampled_from([None, day, day + timedelta(days=40)])))
        if draw(st.integers(0, 7)) == 0:
            event = Event(number, K.UNDO, day, undoes=draw(st.integers(1, number - 1)))
        try:
            replay(deal, [*events, event], END)
        except MarketError:
            continue
        events.append(event)
    return deal, events
