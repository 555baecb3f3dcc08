"""A deal to which nothing happens comes to the cost engine's own figures, to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings

from market import cashflow
from market.ledger.book import Deal, Line
from market.ledger.events import Event
from market.ledger.replay import replay
from market.lending_vocabulary import DealKind, LoanEventKind
from market.terms import BridgeTerms, CoverTerms, FactoringTerms, LoanTerms
from tests.market import strategies

START = date(2025, 1, 31)


def drawn(deal: Deal, on: date) -> list[Event]:
    return [Event(1, LoanEventKind.DRAWDOWN, on, deal.principal)]


def owed(lines: tuple[Line, ...]) -> list[tuple[date, int, int, int]]:
    return [(line.due_on, line.principal, line.interest, line.fees) for line in lines]


@settings(max_examples=60, deadline=None)
@given(strategies.offers)
def test_loans_and_leases_agree(terms: strategies.Any) -> None:
    if isinstance(terms, LoanTerms):
        terms = replace(terms, draws=())
    deal = Deal(DealKind.LOAN, terms, terms.principal)
    first = replay(deal, drawn(deal, terms.start), terms.start)
    planned = [line for line in cashflow.build(terms).lines if line.principal or line.interest or line.fees]
    expected = [(line.due, line.principal, line.interest, line.fees) for line in planned]
    assert owed(first.lines) == expected
    last = replay(deal, drawn(deal, terms.start), date(2100, 1, 1))
    assert owed(last.lines) == expected
    assert [line.balance for line in last.lines] == [line.balance for line in first.lines]
    assert [line.balance for line in last.lines] == [line.balance for line in planned]


@settings(max_examples=60, deadline=None)
@given(strategies.st.one_of(strategies.bridges, strategies.factorings))
def test_short_deals_agree(terms: BridgeTerms | FactoringTerms) -> None:
    schedule = cashflow.build(terms)
    deal = Deal(DealKind.BRIDGE, terms, sum(line.principal for line in schedule.lines))
    if not deal.principal:
        return
    book = replay(deal, drawn(deal, START), START)
    assert owed(book.lines) == [
        (START + timedelta(days=line.number), line.principal, line.interest, line.fees)
        for line in schedule.lines
    ]
    again = replay(deal, drawn(deal, START), START + timedelta(days=terms.days))
    assert owed(again.lines) == owed(book.lines)


@settings(max_examples=30, deadline=None)
@given(strategies.covers)
def test_guarantees_agree(terms: CoverTerms) -> None:
    deal = Deal(DealKind.GUARANTEE, terms, terms.amount)
    book = replay(deal, drawn(deal, START), date(2100, 1, 1))
    planned = cashflow.build(replace(terms, start=START)).lines
    assert owed(book.lines) == [
        (line.due, line.principal, line.interest, line.fees)
        for line in planned
        if line.principal or line.fees
    ]
    assert book.outstanding == 0
