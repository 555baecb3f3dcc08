"""The loan book: what happened to a deal is written down, and everything else follows from it.

An event is only ever added. After each one the whole deal is worked out anew (``market.ledger``), so that a
receipt that is dated back, or one that is taken back, leaves the book as if all had been known in time. What
the former state booked otherwise is booked over, never erased.

All run inside the caller's transaction, which holds the locks: limits, contract, loan, in that order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market import cashflow
from market.calendar import local_date
from market.ledger.ageing import classify, observed_until
from market.ledger.book import Book, Deal, DealTerms, Entry, Line, Policy
from market.ledger.events import Event, read_details, write_details
from market.ledger.replay import replay
from market.lending_vocabulary import Account, DealKind, LoanEventKind, RiskClass
from market.party import Party
from market.vocabulary import AlertKind, LoanState
from models.loan import Instalment, LateSpan, Loan, LoanEvent, Movement, Repayment
from services import alerts, claims, exposures
from services.exchange.offers import read_terms

#: Receipts of the book: what came in from whomever.
RECEIPTS = (LoanEventKind.RECEIPT, LoanEventKind.COMPENSATION)

_Key = tuple[date, Account, Account]


def read_deal(loan: Loan) -> Deal:
    """Return the deal as the ledger knows it: its terms, its principal in fen and how it is kept."""
    return Deal(
        kind=loan.kind,
        terms=None if loan.kind is DealKind.FUND else cast(DealTerms, read_terms(loan.terms, "terms")),
        principal=loan.principal,
        policy=Policy(
            grace_days=loan.grace_days,
            penalty_rate=loan.penalty_rate,
            allocation=loan.allocation,
            prepayment=loan.prepayment,
            is_revolving=loan.is_revolving,
        ),
    )


def read_events(loan: Loan, without: Iterable[LoanEvent] = ()) -> list[Event]:
    """Return what happened to a loan, as the ledger reads it, in the order of writing."""
    left_out = {row.id for row in without}
    numbers = {row.id: row.number for row in loan.events}
    return [
        _read(row, numbers) for row in loan.events if row.id not in left_out and row.undoes_id not in left_out
    ]


def look(loan: Loan, on: date) -> Book:
    """Return the book of a loan as at a day; raises what an event that cannot stand raises."""
    return replay(read_deal(loan), read_events(loan), on)


def list_standing(loan: Loan) -> list[LoanEvent]:
    """Return the events of a loan that were not taken back, in the order of writing."""
    undone = {row.undoes_id for row in loan.events if row.undoes_id is not None}
    return [row for row in loan.events if row.id not in undone and row.kind is not LoanEventKind.UNDO]


def note(
    session: Session,
    loan: Loan,
    event: Event,
    *,
    by: Party | None,
    now: datetime,
    reference: str | None = None,
    payment_id: int | None = None,
    undoes: LoanEvent | None = None,
    evidence: str = "",
    asked_by: int | None = None,
) -> LoanEvent:
    """Write an event down (its number is given here); nothing follows from it before ``follow``.

    Where two people are needed ``asked_by`` is the first, and the party the one who confirms.
    """
    own = by.user_id if by is not None else None
    row = LoanEvent(
        loan_id=loan.id,
        number=1 + max((one.number for one in loan.events), default=0),
        kind=event.kind,
        effective_on=event.on,
        amount=event.amount,
        reference=reference,
        payment_id=payment_id,
        undoes_id=undoes.id if undoes is not None else None,
        details=write_details(event),
        evidence=evidence,
        recorded_by=own if asked_by is None else asked_by,
        confirmed_by=own if asked_by is not None else None,
        recorded_at=now,
    )
    loan.events.append(row)
    session.flush()
    return row


def follow(session: Session, loan: Loan, *, now: datetime, cause: LoanEvent | None = None) -> Book:
    """Let everything follow from the events of a loan as they stand, and return its book as at today.

    Schedule, receipts, lateness, what counts against limits, and the double entries, of which only what
    differs from those on record is booked. Raises what an event that cannot stand raises.
    """
    today = local_date(now)
    book = look(loan, today)
    was_bound = loan.bound
    released = sum(row.amount or 0 for row in list_standing(loan) if row.kind is LoanEventKind.RELEASE)
    _keep(loan, book, released, today)
    if book.drawn_on is None:
        promise(loan)
    else:
        _lay_out(loan, book.lines)
    _write_receipts(session, loan, book)
    _write_spans(session, loan, book, now)
    session.flush()
    post(session, loan, book.entries, cause=cause, now=now)
    if loan.bound != was_bound:
        claims.give_back(session, loan.contract_id, was_bound - loan.bound, loan=loan)
    if loan.bound < was_bound:
        exposures.give_back(session, loan, was_bound - loan.bound, now=now)
    elif loan.bound > was_bound:
        exposures.take_again(session, loan, loan.bound - was_bound, now=now)
    note_lateness(session, loan, now)
    return book


def post(
    session: Session, loan: Loan, entries: Iterable[Entry], *, cause: LoanEvent | None, now: datetime
) -> None:
    """Book what the entries say beyond what is booked: the difference, by day and pair of accounts."""
    wanted: Counter[_Key] = Counter()
    for entry in entries:
        _add(wanted, entry.booked_on, entry.source, entry.target, entry.amount)
    booked = session.execute(
        select(Movement.booked_on, Movement.source, Movement.target, func.sum(Movement.amount))
        .where(Movement.loan_id == loan.id)
        .group_by(Movement.booked_on, Movement.source, Movement.target)
    )
    for booked_on, source, target, amount in booked:
        _add(wanted, booked_on, source, target, -int(amount))
    for (booked_on, source, target), amount in sorted(wanted.items()):
        if amount != 0:
            ends = (source, target) if amount > 0 else (target, source)
            session.add(
                Movement(
                    loan_id=loan.id,
                    event_id=cause.id if cause is not None else None,
                    booked_on=booked_on,
                    source=ends[0],
                    target=ends[1],
                    amount=abs(amount),
                    posted_at=now,
                )
            )
    session.flush()


def sum_accounts(session: Session, loan_id: int) -> Mapping[Account, int]:
    """Return what stands on each account of a deal, in fen; the sum of all is zero."""
    balances: Counter[Account] = Counter()
    rows = session.execute(
        select(Movement.source, Movement.target, func.sum(Movement.amount))
        .where(Movement.loan_id == loan_id)
        .group_by(Movement.source, Movement.target)
    )
    for source, target, amount in rows:
        balances[source] -= int(amount)
        balances[target] += int(amount)
    return {account: balances[account] for account in Account if balances[account]}


def count_open(line: Instalment) -> int:
    """Return what a line of the schedule still asks for, in fen."""
    asked = line.principal + line.interest + line.fees + line.penalty
    return asked - line.paid_principal - line.paid_interest - line.paid_fees - line.paid_penalty


def note_lateness(session: Session, loan: Loan, now: datetime) -> None:
    """Raise the alert that a loan is late, or close it, by what the book says of it."""
    subject = f"loan:{loan.id}"
    if loan.overdue_since is None:
        alerts.settle(session, AlertKind.LOAN_OVERDUE, subject, "caught_up", now=now)
        return
    today = local_date(now)
    open_amount = sum(count_open(line) for line in loan.instalments if _is_before(line.due_on, today))
    alerts.raise_alert(
        session,
        loan.zone_id,
        AlertKind.LOAN_OVERDUE,
        subject,
        now=now,
        loan_id=loan.id,
        contract_id=loan.contract_id,
        due_on=loan.overdue_since.isoformat(),
        amount=open_amount,
    )


def promise(loan: Loan) -> None:
    """Write the schedule that the loan's terms promise; its lines get their days with the first drawdown."""
    rows = {row.number: row for row in loan.instalments}
    lines = () if loan.kind is DealKind.FUND else cashflow.build(read_terms(loan.terms, "terms")).lines
    for line in lines:
        row = rows.pop(line.number, None)
        if row is None:
            row = Instalment(number=line.number)
            loan.instalments.append(row)
        row.due_on, row.balance, row.penalty = None, line.balance, 0
        row.principal, row.interest, row.fees = line.principal, line.interest, line.fees
        row.paid_principal = row.paid_interest = row.paid_fees = row.paid_penalty = 0
    for row in rows.values():
        loan.instalments.remove(row)


def _read(row: LoanEvent, numbers: Mapping[int, int]) -> Event:
    return Event(
        number=row.number,
        kind=row.kind,
        on=row.effective_on,
        amount=row.amount,
        undoes=numbers[row.undoes_id] if row.undoes_id is not None else None,
        **read_details(row.details),
    )


def _keep(loan: Loan, book: Book, released: int, today: date) -> None:
    """Keep what lists, limits and the clock ask of a loan."""
    loan.drawn, loan.drawn_on, loan.outstanding = book.drawn, book.drawn_on, book.outstanding
    undrawn = 0 if loan.is_revolving else max(loan.principal - book.drawn - released, 0)
    end = max((line.due_on for line in book.lines), default=today)
    is_open = loan.is_revolving and not released and today < end
    loan.repaid_on = None
    if book.written_off_on is not None:
        loan.state, loan.outstanding, loan.bound = LoanState.WRITTEN_OFF, 0, 0
    elif book.drawn_on is None:
        loan.state, loan.bound = LoanState.APPROVED, loan.principal - released
    elif book.settled_on is not None and not undrawn and not is_open:
        loan.state, loan.repaid_on, loan.bound = LoanState.REPAID, book.settled_on, 0
    else:
        loan.state = LoanState.DRAWN
        loan.bound = loan.principal if is_open else book.outstanding + undrawn
    loan.is_stepped = bool(loan.terms.get("rate_steps"))
    loan.overdue_since, loan.oldest_due_on = book.overdue_since, book.oldest_due_on
    loan.paused_days, loan.days_past_due, loan.bucket = book.paused_days, book.days_past_due, book.bucket
    loan.accrued, loan.looked_on = book.accrued, today
    classified = classify(
        book.days_past_due,
        restructured_on=book.restructured_on,
        written_off=book.written_off_on is not None,
        on=today,
    )
    loan.paused_until, loan.observed_until = (
        _find_pause(loan, today),
        observed_until(book.restructured_on, today),
    )
    loan.risk_class = classified if classified is not None else RiskClass.NORMAL
    running = book.accrual
    loan.accrual_from = running.starts_on if running is not None else None
    loan.accrual_to = running.ends_on if running is not None else None
    loan.accrual_days = (running.ends_on - running.starts_on).days if running is not None else 0
    loan.accrual_base = running.base if running is not None else 0
    loan.accrual_interest = running.interest if running is not None else 0


def _lay_out(loan: Loan, lines: Iterable[Line]) -> None:
    """Write the schedule as it stands; lines keep their rows, so that pages and links keep theirs."""
    rows = {row.number: row for row in loan.instalments}
    for line in lines:
        row = rows.pop(line.number, None)
        if row is None:
            row = Instalment(number=line.number)
            loan.instalments.append(row)
        row.due_on, row.balance = line.due_on, line.balance
        row.principal, row.interest = line.principal, line.interest
        row.fees, row.penalty = line.fees, line.penalty
        row.paid_principal, row.paid_interest = line.paid_principal, line.paid_interest
        row.paid_fees, row.paid_penalty = line.paid_fees, line.paid_penalty
    for row in rows.values():
        loan.instalments.remove(row)


def _write_receipts(session: Session, loan: Loan, book: Book) -> None:
    """Write how each receipt counts now; one that was taken back has no row."""
    rows = {row.event_id: row for row in loan.repayments}
    standing = [event for event in list_standing(loan) if event.kind in RECEIPTS]
    for event_id in rows.keys() - {event.id for event in standing}:
        loan.repayments.remove(rows[event_id])
        session.delete(rows[event_id])
    # Gone before the next one comes: it may bear the same reference.
    session.flush()
    for event in standing:
        split, row = book.splits[event.number], rows.get(event.id)
        if row is None:
            source = event.details.get("source", "borrower")
            row = Repayment(
                event_id=event.id,
                reference=event.reference or f"event:{event.id}",
                source=source,
                payment_id=event.payment_id,
                paid_on=event.effective_on,
                amount=event.amount or 0,
                recorded_by=event.recorded_by,
                recorded_at=event.recorded_at,
            )
            loan.repayments.append(row)
        row.fees, row.penalty, row.interest = split.fees, split.penalty, split.interest
        row.principal, row.recovered, row.remainder = split.principal, split.recovered, split.remainder


def _write_spans(session: Session, loan: Loan, book: Book, now: datetime) -> None:
    """Write the history of lateness; what proves wrong stays beside it, superseded."""
    standing = {
        row.from_on: row
        for row in session.scalars(
            select(LateSpan).where(LateSpan.loan_id == loan.id, LateSpan.superseded_at.is_(None))
        )
    }
    wanted = dict(book.spans)
    for from_on, row in standing.items():
        if wanted.get(from_on) is not row.bucket:
            row.superseded_at = now
    session.flush()
    for from_on, bucket in wanted.items():
        if from_on not in standing or standing[from_on].bucket is not bucket:
            session.add(LateSpan(loan_id=loan.id, from_on=from_on, bucket=bucket, recorded_at=now))


def _add(counter: Counter[_Key], booked_on: date, source: Account, target: Account, amount: int) -> None:
    """Count an entry under its two accounts in one order, whichever way the money went."""
    if source < target:
        counter[booked_on, source, target] += amount
    else:
        counter[booked_on, target, source] -= amount


def _find_pause(loan: Loan, today: date) -> date | None:
    """Return the last day of a pause that runs on a day; the end of time for one without an end."""
    ends = [
        event.until or date.max
        for event in read_events(loan)
        if event.kind is LoanEventKind.PAUSE
        and event.number in {row.number for row in list_standing(loan)}
        and event.on <= today <= (event.until or date.max)
    ]
    return max(ends, default=None)


def _is_before(day: date | None, today: date) -> bool:
    return day is not None and day < today
