"""Deals and events of the tables of figures: a million yuan at 3.6 % a year unless a case says otherwise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from market.ledger.book import Book, Deal, Policy
from market.ledger.events import Event
from market.ledger.replay import replay
from market.lending_vocabulary import Account, DealKind, LoanEventKind
from market.terms import LoanTerms
from market.vocabulary import DayCount, Repayment

K = LoanEventKind
MILLION = 100_000_000
START = date(2026, 1, 1)


def loan(policy: Policy | None = None, **changes: Any) -> Deal:
    """A year of 30/360: a month's interest on the whole million is 100,000,000 × 0.036 ÷ 12 = 300,000 fen."""
    values: dict[str, Any] = {
        "principal": MILLION,
        "months": 12,
        "rate": Decimal("0.036"),
        "repayment": Repayment.INTEREST_MONTHLY,
        "day_count": DayCount.THIRTY_360,
    }
    values.update(changes)
    return Deal(DealKind.LOAN, LoanTerms(**values), values["principal"], policy or Policy())


def history(*happened: tuple[Any, ...]) -> list[Event]:
    """Number events in the order given: (kind, day, amount, further values)."""
    events = []
    for number, (kind, on, *rest) in enumerate(happened, start=1):
        amount = rest[0] if rest else None
        events.append(Event(number, kind, on, amount, **(rest[1] if len(rest) > 1 else {})))
    return events


DRAWN = (K.DRAWDOWN, START, MILLION)


def sums(book: Book) -> dict[Account, int]:
    """What each account holds."""
    found = dict.fromkeys(Account, 0)
    for entry in book.entries:
        found[entry.source] -= entry.amount
        found[entry.target] += entry.amount
    return found


def book_of(deal: Deal, as_of: date, *happened: tuple[Any, ...]) -> Book:
    return replay(deal, history(*happened), as_of)
