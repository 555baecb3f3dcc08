"""What holds for every deal, whatever happens to it in whatever order."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings

from market.ledger.book import Book, Deal
from market.ledger.events import Event
from market.ledger.replay import compute_payoff, replay, stand
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


@settings(max_examples=50, deadline=None)
@given(histories())
def test_money_is_never_made_or_lost(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    for day in (START, START + timedelta(days=59), START + timedelta(days=130), END):
        check(deal, events, replay(deal, events, day))


@settings(max_examples=30, deadline=None)
@given(histories())
def test_a_later_day_changes_no_earlier_entry(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    whole = replay(deal, events, END).entries
    for days in (0, 1, 59, 130, 300, 500):
        day = START + timedelta(days=days)
        assert replay(deal, events, day).entries == tuple(entry for entry in whole if entry.booked_on <= day)


@settings(max_examples=30, deadline=None)
@given(histories())
def test_the_book_does_not_depend_on_what_was_written_first(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    standing = stand(events)
    written = list(range(1, len(standing) + 1))
    random.Random(len(events)).shuffle(written)
    # Of one kind on one day the order of writing is all there is: those keep it.
    renumbered: list[Event] = []
    order: dict[tuple[date, K], list[Event]] = {}
    for event in standing:
        order.setdefault((event.on, event.kind), []).append(event)
    renumbered = []
    numbers = iter(written)
    for group in order.values():
        taken = sorted(next(numbers) for _ in group)
        renumbered += [replace(event, number=number) for event, number in zip(group, taken, strict=True)]
    random.Random(len(events)).shuffle(renumbered)
    one, other = replay(deal, standing, END), replay(deal, renumbered, END)
    assert replace(one, splits={}) == replace(other, splits={})


@settings(max_examples=30, deadline=None)
@given(histories())
def test_undoing_the_last_event_restores_the_book_before_it(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    *before, last = events
    if not before:
        return
    number = last.number + 1
    undone = [*events, Event(number, K.UNDO, END, undoes=last.number)]
    assert replay(deal, undone, END) == replay(deal, before, END)
    if last.kind is not K.UNDO:
        again = [*undone, Event(number + 1, K.UNDO, END, undoes=number)]
        assert replay(deal, again, END) == replay(deal, events, END)


@settings(max_examples=30, deadline=None)
@given(histories(most=5))
def test_the_payoff_settles_and_a_fen_less_does_not(history: tuple[Deal, list[Event]]) -> None:
    deal, events = history
    day = START + timedelta(days=75)
    known = stand([event for event in stand(events) if event.on <= day])
    before = replay(deal, known, day)
    payoff = compute_payoff(deal, known, day)
    if before.settled_on or before.written_off_on or not payoff or deal.policy.is_revolving:
        return
    number = max(event.number for event in known) + 1
    # What acts after a receipt of its day would find the deal settled.
    after = {K.COMPENSATION, K.RATE_RESET, K.EXTENSION, K.RESTRUCTURING, K.WRITE_OFF}
    if any(event.on == day and event.kind in after for event in known):
        return
    paid = replay(deal, [*known, Event(number, K.RECEIPT, day, payoff + 5)], day)
    assert (paid.splits[number].remainder, sum(line.open for line in paid.lines)) == (
        5 * (deal.kind is not DealKind.FUND),
        paid.outstanding if deal.kind is DealKind.GUARANTEE else 0,
    )
    less = replay(deal, [*known, Event(number, K.RECEIPT, day, payoff - 1)], day) if payoff > 1 else before
    assert less.settled_on is None
