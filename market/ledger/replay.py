"""Replay: a deal's book from its terms and its events, whatever the order in which they became known.

The events that stand (an undo takes the one it names out) are sorted by day, then by kind, then by number.
On one day a drawdown comes first; a waiver comes before a receipt, a receipt before what lays the schedule
out anew, which therefore works with the balance after it; a write-off comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from market.errors import Code, conflict, invalid
from market.ledger import ageing, changes, receipts
from market.ledger.ageing import Pauses
from market.ledger.book import Accrual, Arrears, Book, Deal, Entry, Line
from market.ledger.events import Event
from market.ledger.walk import NEVER, Row, Walk
from market.lending_vocabulary import Bucket, LoanEventKind
from market.money import round_half_up

_Kind = LoanEventKind

#: In this order the events of one day act.
_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            *(_Kind.DRAWDOWN, _Kind.PAUSE, _Kind.CHARGE, _Kind.WAIVER, _Kind.RECEIPT, _Kind.COMPENSATION),
            *(_Kind.RATE_RESET, _Kind.EXTENSION, _Kind.RESTRUCTURING, _Kind.WRITE_OFF),
        )
    )
}
_ACTS: dict[LoanEventKind, Callable[[Walk, Event], None]] = {
    _Kind.DRAWDOWN: changes.draw,
    _Kind.CHARGE: changes.charge,
    _Kind.WAIVER: receipts.waive,
    _Kind.RECEIPT: receipts.receive,
    _Kind.COMPENSATION: receipts.receive,
    _Kind.RATE_RESET: changes.reset_rate,
    _Kind.EXTENSION: changes.extend,
    _Kind.RESTRUCTURING: changes.restructure,
    _Kind.WRITE_OFF: changes.write_off,
}
_WITH_AMOUNT = frozenset({_Kind.DRAWDOWN, _Kind.CHARGE, _Kind.WAIVER, _Kind.RECEIPT, _Kind.COMPENSATION})
#: What may still happen when everything is paid, and when the claim was given up.
_AFTER_SETTLEMENT = frozenset({_Kind.RECEIPT, _Kind.COMPENSATION, _Kind.PAUSE})
_AFTER_WRITE_OFF = frozenset({_Kind.RECEIPT, _Kind.COMPENSATION})


def replay(deal: Deal, events: Iterable[Event], as_of: date) -> Book:
    """Return the book of a deal by the end of ``as_of``.

    Raises ``Invalid`` and ``Conflict`` where an event is impossible where it stands, the field named:

    - amount: too_small, too_large (drawn beyond the approval, waived beyond what is open);
    - on: out_of_order (anything before the first drawdown), too_late (drawn or extended after the end);
    - rate, months: required, too_small; account: not_a_choice;
    - undoes: not_found, already_exists (undone twice);
    - illegal_move: what a settled or written-off deal no longer allows.
    """
    standing = stand(events)
    walk = _walk(deal, standing, as_of)
    return _close(walk, as_of)


def compute_payoff(deal: Deal, events: Iterable[Event], on: date) -> int:
    """Return the fen that would settle everything on a day, after what has happened by then.

    That is what is due, the interest that has accrued, all principal and all fees to come. Of a deal that
    was written off it is what was not recovered yet.
    """
    walk = _walk(deal, stand(events), on)
    if walk.written_off_on is not None:
        return max(walk.written_off - walk.recovered, 0)
    for row in walk.due_rows:
        walk.count_penalty(row, on)
    total = sum(row.open for row in walk.due_rows) + walk.accrued(walk.accrue(on))
    for row in walk.undue_rows:
        total += row.fees - row.paid_fees + row.penalty - row.paid_penalty
    return total + (walk.claimed if walk.is_cover else walk.balance)


def stand(events: Iterable[Event]) -> list[Event]:
    """Return the events that were not undone, without the undoings, in the order in which they act."""
    by_number: dict[int, Event] = {}
    for event in events:
        if event.number in by_number:
            raise invalid(Code.REPEATED, "number", value=event.number)
        by_number[event.number] = event
    undone: set[int] = set()
    for number in sorted(by_number, reverse=True):
        event = by_number[number]
        if event.kind is not _Kind.UNDO or number in undone:
            continue
        if event.undoes is None:
            raise invalid(Code.REQUIRED, "undoes")
        if event.undoes not in by_number or event.undoes >= number:
            raise invalid(Code.NOT_FOUND, "undoes", what="event", id=str(event.undoes))
        if event.undoes in undone:
            raise conflict(Code.ALREADY_EXISTS, "undoes", what="undo", value=event.undoes)
        undone.add(event.undoes)
    # What is given up undrawn says nothing of what is owed.
    kept = (event for event in by_number.values() if event.kind not in (_Kind.UNDO, _Kind.RELEASE))
    return sorted(
        (event for event in kept if event.number not in undone),
        key=lambda event: (event.on, _ORDER[event.kind], event.number),
    )


def _walk(deal: Deal, standing: Sequence[Event], as_of: date) -> Walk:
    known = [event for event in standing if event.on <= as_of]
    pauses = ageing.merge_pauses((event.on, event.until) for event in known if event.kind is _Kind.PAUSE)
    walk = Walk(deal, pauses)
    for event in known:
        _check(walk, event, standing)
        walk.advance(event.on)
        walk.age(event.on)
        _check_state(walk, event)
        if event.kind is _Kind.COMPENSATION and walk.is_cover and walk.written_off_on is None:
            receipts.pay_out(walk, event)
        elif event.kind is not _Kind.PAUSE:
            _ACTS[event.kind](walk, event)
        # What an event makes due on its own day (the line of the drawdown itself) is due before the next.
        walk.advance(event.on)
        walk.settle(event.on)
    walk.advance(as_of)
    return walk


def _check(walk: Walk, event: Event, standing: Sequence[Event]) -> None:
    if event.kind in _WITH_AMOUNT and (event.amount is None or event.amount <= 0):
        raise invalid(Code.TOO_SMALL, "amount", value=event.amount or 0, least=1)
    if event.until is not None and event.until < event.on:
        raise invalid(Code.OUT_OF_ORDER, "until", value=event.until.isoformat(), after=event.on.isoformat())
    if walk.drawn_on is None and event.kind is not _Kind.DRAWDOWN:
        first = next((other.on for other in standing if other.kind is _Kind.DRAWDOWN), None)
        if first is None:
            raise conflict(Code.ILLEGAL_MOVE, "on", state="approved", move=event.kind.value)
        raise invalid(Code.OUT_OF_ORDER, "on", value=event.on.isoformat(), after=first.isoformat())


def _check_state(walk: Walk, event: Event) -> None:
    state = None
    if walk.written_off_on is not None and event.kind not in _AFTER_WRITE_OFF:
        state = "written_off"
    elif walk.settled_on is not None and event.kind not in _AFTER_SETTLEMENT:
        state = "settled"
    if state is not None:
        raise conflict(Code.ILLEGAL_MOVE, "on", state=state, move=event.kind.value)


def _close(walk: Walk, as_of: date) -> Book:
    """Turn where a walk ended into a book."""
    grace, pauses = walk.policy.grace_days, walk.pauses
    for row in walk.due_rows:
        walk.count_penalty(row, as_of)
    running = walk.running
    accrual = _accrual(walk, running, as_of)
    lines = _lines(walk)
    # What a guarantor stands for is never overdue: it is released by itself.
    oldest = next(
        (line.due_on for line in lines if line.open > walk.is_cover * (line.principal - line.paid_principal)),
        None,
    )
    overdue = next((row.due_on for row in walk.due_rows if row.open and row.due_on < as_of), None)
    late = 0 if overdue is None else ageing.count_late(overdue, as_of, pauses)
    arrears = Arrears(
        fees=sum(row.fees - row.paid_fees for row in walk.due_rows),
        penalty=sum(row.penalty - row.paid_penalty for row in walk.due_rows),
        interest=sum(row.interest - row.paid_interest for row in walk.due_rows),
        principal=sum(row.open_principal for row in walk.due_rows),
    )
    # A claim that was given up is late no more, nor in time again: its history ends the day before.
    ended = as_of if walk.written_off_on is None else walk.written_off_on - timedelta(days=1)
    return Book(
        as_of=as_of,
        lines=lines,
        splits=walk.splits,
        entries=tuple(Entry(*key, amount) for key, amount in walk.entries.items()),
        drawn=walk.drawn,
        outstanding=walk.outstanding,
        drawn_on=walk.drawn_on,
        settled_on=walk.settled_on,
        written_off_on=walk.written_off_on,
        restructured_on=walk.restructured_on,
        arrears=arrears,
        overdue_since=overdue,
        oldest_due_on=oldest,
        paused_days=0 if oldest is None else ageing.count_paused(oldest, as_of, pauses),
        days_past_due=late if late > grace else 0,
        bucket=ageing.bucket_after(late, grace),
        spans=_spans(walk, ended, grace, pauses),
        accrual=accrual,
        accrued=0 if accrual is None else accrual.accrued_on(as_of),
        available=_available(walk, as_of),
        written_off=walk.written_off,
        recovered=walk.recovered,
    )


def _accrual(walk: Walk, running: Row | None, as_of: date) -> Accrual | None:
    """Return how interest runs on ``as_of``: up to the due date, or to the day a stepped rate changes."""
    if running is None or running.period is None:
        return None
    period = running.period
    piece = next((piece for piece in period.pieces if as_of < piece.ends_on), period.pieces[-1])
    begins = max(period.since, piece.starts_on)
    base = max(round_half_up(period.done + walk.balance * period.factor(begins)), 0)
    total = max(round_half_up(period.done + walk.balance * period.factor(piece.ends_on)), base)
    return Accrual(begins, piece.ends_on, base, total - base)


def _lines(walk: Walk) -> tuple[Line, ...]:
    """Return the rows as lines; those to come bear interest on the balance that they will find."""
    balance, starts_on, lines = walk.balance, walk.drawn_on, []
    for row in walk.rows:
        if row.due_on == NEVER:
            continue
        assert starts_on is not None, "rows begin with the drawdown"
        begins = starts_on if row.period is None else row.period.starts_on
        if not row.is_due:
            if row.period is not None:
                exact = row.period.done + balance * row.period.factor(row.period.ends_on)
                row.interest = max(round_half_up(exact), row.paid_interest)
            balance -= row.open_principal
            row.balance = balance
        if not (row.is_shown or row.principal or row.interest or row.fees or row.penalty):
            continue
        lines.append(
            Line(
                row.number,
                begins,
                row.due_on,
                row.principal,
                row.interest,
                row.fees,
                row.penalty,
                row.balance,
                row.paid_principal,
                row.paid_interest,
                row.paid_fees,
                row.paid_penalty,
            )
        )
        starts_on = row.due_on
    return tuple(lines)


def _spans(walk: Walk, until: date, grace: int, pauses: Pauses) -> tuple[tuple[date, Bucket], ...]:
    return ageing.trace(walk.marks, until, grace_days=grace, pauses=pauses)


def _available(walk: Walk, as_of: date) -> int:
    if walk.settled_on is not None or walk.written_off_on is not None:
        return 0
    if walk.ends_on is not None and walk.ends_on <= as_of:
        return 0
    return changes.find_available(walk)
