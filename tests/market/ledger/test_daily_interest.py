"""Interest against a slow count of every single day, whatever is drawn, prepaid and reset in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Code, Conflict
from market.ledger.events import Event
from market.ledger.replay import compute_payoff, replay
from market.money import round_half_up
from market.vocabulary import DayCount
from tests.market.ledger.cases import MILLION, START, K, loan

END = date(2027, 1, 1)
_RATE = Decimal("0.036")
_DAYS = st.one_of(st.sampled_from([31, 59, 90]), st.integers(0, 364))
_CHANGES = st.lists(
    st.tuples(st.sampled_from([K.DRAWDOWN, K.RECEIPT, K.RATE_RESET]), _DAYS, st.integers(1, MILLION // 3)),
    max_size=6,
)


def _history(changes: Sequence[tuple[K, int, int]]) -> list[Event]:
    """The million is drawn in parts: what is drawn later never exceeds what is left of it."""
    events, left = [Event(1, K.DRAWDOWN, START, MILLION // 3)], MILLION - MILLION // 3
    for number, (kind, days, amount) in enumerate(changes, start=2):
        day = START + timedelta(days=days)
        if kind is K.DRAWDOWN:
            amount = min(amount, left)
            left -= amount
        if kind is K.RATE_RESET:
            events.append(Event(number, kind, day, rate=Decimal(amount % 900) / 10_000))
        elif amount:
            events.append(Event(number, kind, day, amount))
    return events


@settings(max_examples=60, deadline=None)
@given(_CHANGES)
def test_every_line_bears_the_sum_of_its_days_rounded_once(changes: list[tuple[K, int, int]]) -> None:
    deal = loan(day_count=DayCount.ACT_360)
    events = _history(changes)
    try:
        book = replay(deal, events, END)
    except Conflict as refused:
        # A loan that was paid off in between is closed.
        assert refused.faults[0].code is Code.ILLEGAL_MOVE
        return
    for line in book.lines:
        exact, day = Fraction(0), line.starts_on
        while day < line.due_on:
            owed = sum(event.amount or 0 for event in events if event.kind is K.DRAWDOWN and event.on <= day)
            owed -= sum(
                book.splits[e.number].principal for e in events if e.number in book.splits and e.on <= day
            )
            rates = sorted(
                (event.on, event.number, event.rate)
                for event in events
                if event.kind is K.RATE_RESET and event.on <= day
            )
            exact += owed * Fraction(rates[-1][2] or 0 if rates else _RATE) / 360
            day += timedelta(days=1)
        assert line.interest == round_half_up(exact)


@settings(max_examples=20, deadline=None)
@given(_DAYS)
def test_the_payoff_grows_by_a_days_interest_a_day(days: int) -> None:
    deal, events = loan(day_count=DayCount.ACT_360), [Event(1, K.DRAWDOWN, START, MILLION)]
    day = START + timedelta(days=days)
    # A million at 3.6 % by 360 is 100 yuan a day, so that no fen is ever rounded.
    assert compute_payoff(deal, events, day) == MILLION + 10_000 * days
