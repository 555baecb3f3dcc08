"""What holds for every deal, whatever happens to it in whatever order."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from hypothesis import given, settings

from market.ledger.book import Book, Deal
from market.ledger.events import Event
from market.ledger.replay import replay, stand
from market.lending_vocabulary import Account, DealKind, LoanEventKind
from tests.market.ledger.histories import END, START, histories

K = LoanEventKind


def balances(book: Book) -> dict[Account, int]:
    sums: dict[Account, int] = defaultdict(int)
    for entry in book.entries:
        assert entry.amount > 0 and entry.source is not entry.target
        sums[entry.source] -= entry.amount
        sums[entry.target] += entry.amount
    return sums


def check(deal: Deal, events: list[Event], book: Book) -> None:
    sums, standing = balances(book), stand(events)
    claim = Account.GUARANTEED if deal.kind is DealKind.GUARANTEE else Account.PRINCIPAL
    assert sum(sums.values()) == 0
    assert sums[claim] == book.outstanding >= 0
    assert sums[Account.INTEREST_DUE] == book.arrears.interest
    assert sums[Account.FEES_DUE] == book.arrears.fees
    assert 0 <= sums[Account.PENALTY_DUE] <= book.arrears.penalty
    for event in standing:
        if event.number in book.splits:
            split = book.splits[event.number]
            parts = (
                split.fees,
                split.penalty,
                split.interest,
                split.principal,
                split.recovered,
                split.remainder,
            )
            assert min(parts) >= 0 and sum(parts) == event.amount
    for line in book.lines:
        assert 0 <= line.paid_principal <= line.principal
        assert 0 <= line.paid_interest <= line.interest
        assert 0 <= line.paid_fees <= line.fees
        assert 0 <= line.paid_penalty <= line.penalty
        assert line.balance >= 0
    numbers = [line.number for line in book.lines]
    assert numbers == sorted(set(numbers))
    assert [line.due_on for line in book.lines] == sorted(line.due_on for line in book.lines)
    if deal.kind is not DealKind.FUND:
        assert sum(line.principal - line.paid_principal for line in book.lines) == book.outstanding
    if book.settled_on is not None:
        assert all(line.open == 0 for line in book.lines) and book.outstanding == 0
    if book.accrual is not None:
        assert book.accrual.accrued_on(book.as_of) == book.accrued


@settings(max_examples=60, deadline=None)
@given(histories())
def test_money_is_never_made_or_lost(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    for day in (START, START + timedelta(days=59), START + timedelta(days=130), END):
        check(deal, events, replay(deal, events, day))
