"""Generated histories of a deal: events on any days in any order, as far as they are possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
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


_SHARES = (1, 3, 10, 25, 50, 90, 120)
_KINDS = (*[K.RECEIPT] * 6, K.DRAWDOWN, *(kind for kind in K if kind is not K.UNDO))
_RATE_CHOICES = (Decimal("0"), Decimal("0.0365"), Decimal("0.06"), Decimal("0.18"))
_ACCOUNTS = (Account.FEES_DUE, Account.PENALTY_DUE, Account.INTEREST_DUE, Account.PRINCIPAL)


def _happen(chance: Random, number: int, principal: int) -> Event:
    """Return anything that may happen, on a day that often is a due date or another event's."""
    kind = chance.choice(_KINDS)
    day = START + timedelta(days=chance.choice([28, 59, 59, 75, 89, chance.randint(0, 500)]))
    event = Event(number, kind, day)
    if kind in (K.DRAWDOWN, K.RECEIPT, K.COMPENSATION, K.CHARGE, K.WAIVER):
        event = replace(event, amount=max(principal * chance.choice(_SHARES) // 100, 1))
    if kind is K.RECEIPT:
        event = replace(event, source=chance.choice(["borrower", "purchaser"]))
    if kind is K.CHARGE:
        event = replace(event, account=chance.choice(_ACCOUNTS[:2]))
    if kind is K.WAIVER:
        event = replace(event, account=chance.choice(_ACCOUNTS), amount=max((event.amount or 0) // 200, 1))
    if kind in (K.RATE_RESET, K.RESTRUCTURING):
        event = replace(event, rate=chance.choice(_RATE_CHOICES))
    if kind in (K.EXTENSION, K.RESTRUCTURING):
        event = replace(event, months=chance.choice([1, 6, 12]))
    if kind is K.RESTRUCTURING:
        style = chance.choice([None, *Repayment])
        event = replace(event, capitalise=chance.random() < 0.5, repayment=style)
    if kind is K.PAUSE:
        event = replace(event, until=chance.choice([None, day, day + timedelta(days=40)]))
    if number > 3 and chance.random() < 0.1:
        event = Event(number, K.UNDO, day, undoes=chance.randint(2, number - 1))
    return event


@st.composite
def histories(draw: st.DrawFn, most: int = 9) -> tuple[Deal, list[Event]]:
    """Draw a deal and events that are possible for it; what is impossible is left out.

    The events come from a seed: drawn one by one they would mostly be few and simple.
    """
    deal, chance = draw(deals()), Random(draw(st.integers(0, 2**32)))
    events = [Event(1, K.DRAWDOWN, START, max(deal.principal * chance.choice([100, 100, 40]) // 100, 1))]
    for number in range(2, most + 1):
        event = _happen(chance, number, deal.principal)
        try:
            replay(deal, [*events, event], END)
        except MarketError:
            continue
        events.append(event)
    return deal, events
