"""What a lender changes on a deal that runs: rate, end, terms, what it gives up, what it takes back.

Each is one event of the loan book, dated when it counts from; whatever came after that day follows anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.ledger.book import Book
from market.ledger.events import Event
from market.ledger.replay import replay
from market.lending_vocabulary import Account, LoanEventKind
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, LoanState, Repayment
from models.base import db, transaction
from models.loan import Loan, LoanEvent
from services import audit, compensation_claims, contract_steps, exposures, loan_book, loans, renewals

#: What a lender changes on a deal that runs, beside what it takes back.
CHANGES = (
    LoanEventKind.RATE_RESET,
    LoanEventKind.EXTENSION,
    LoanEventKind.RESTRUCTURING,
    LoanEventKind.WAIVER,
    LoanEventKind.CHARGE,
    LoanEventKind.PAUSE,
    LoanEventKind.WRITE_OFF,
)
#: The longest words on why a deal is changed.
MOST_EVIDENCE = 300
#: A purchaser's payment is taken back where it was recorded, and not in one loan's book.
_NOT_UNDONE = frozenset({LoanEventKind.UNDO, LoanEventKind.RELEASE})


def reset_rate(
    loan_id: int, on: date, rate: Decimal, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Let another rate per year hold from a day on (重定价); the running period is split by days."""
    event = Event(number=0, kind=LoanEventKind.RATE_RESET, on=on, rate=rate)
    return record(loan_id, event, evidence, by=by, now=now)


def extend(loan_id: int, on: date, months: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Move the end of a deal ``months`` back (展期): what is not due yet is laid out to the new end."""
    event = Event(number=0, kind=LoanEventKind.EXTENSION, on=on, months=months)
    return record(loan_id, event, evidence, by=by, now=now)


def restructure(
    loan_id: int,
    on: date,
    evidence: str,
    *,
    by: Party,
    now: datetime,
    rate: Decimal | None = None,
    months: int | None = None,
    repayment: Repayment | None = None,
    capitalise: bool = False,
) -> LoanEvent:
    """Lay what is owed out anew (重组); with ``capitalise`` what is overdue becomes principal."""
    event = Event(
        number=0,
        kind=LoanEventKind.RESTRUCTURING,
        on=on,
        rate=rate,
        months=months,
        repayment=repayment,
        capitalise=capitalise,
    )
    return record(loan_id, event, evidence, by=by, now=now)


def waive(
    loan_id: int, on: date, account: Account, amount: int, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Give up ``amount`` fen of what is open of fees, late interest, interest or principal (减免)."""
    event = Event(number=0, kind=LoanEventKind.WAIVER, on=on, account=account, amount=amount)
    return record(loan_id, event, evidence, by=by, now=now)


def charge(loan_id: int, on: date, amount: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Add a fee of ``amount`` fen that falls due with the next line."""
    event = Event(number=0, kind=LoanEventKind.CHARGE, on=on, account=Account.FEES_DUE, amount=amount)
    return record(loan_id, event, evidence, by=by, now=now)


def pause(
    loan_id: int, on: date, until: date | None, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Let days not count as late, up to and with ``until``, or until further notice (暂停计逾期)."""
    event = Event(number=0, kind=LoanEventKind.PAUSE, on=on, until=until)
    return record(loan_id, event, evidence, by=by, now=now)


def write_off(loan_id: int, on: date, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """End the claim on all that is open (核销); what still comes in counts as recovered."""
    event = Event(number=0, kind=LoanEventKind.WRITE_OFF, on=on)
    return record(loan_id, event, evidence, by=by, now=now)


def record(loan_id: int, event: Event, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Write one of ``CHANGES`` down (its number is given here) with the paper it rests on.

    Raises ``Invalid`` and ``Conflict`` with the fields of an ``Event``, as ``preview`` does.
    """
    _check(event)
    return _change(loan_id, event, evidence, by=by, now=now)


def undo(event_id: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Take an event back (冲销), whenever it was: the book is as if it had not been.

    Raises ``Conflict`` for what is taken back already, for a purchaser's payment (resolved where it was
    recorded), and where what came later could then not stand.
    """
    seen = _find_event(event_id, by)
    event = Event(number=0, kind=LoanEventKind.UNDO, on=seen.effective_on)
    return _change(seen.loan_id, event, evidence, by=by, now=now, undoes_id=event_id)


def preview(loan_id: int, event: Event, *, by: Party, now: datetime) -> Book:
    """Return the book of a deal as it would be with one of ``CHANGES``; nothing is stored.

    On a contract the purchaser's payments stay shared out as they are. Raises what ``record`` would.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    _check(event)
    return _foresee(loans.find_own(loan_id, by), event, now)


def preview_undo(event_id: int, *, by: Party, now: datetime) -> Book:
    """Return the book of a deal as it would be without an event; nothing is stored. Raises as ``undo``."""
    by.require(Capability.INSTITUTION_APPROVER)
    seen = _find_event(event_id, by)
    loan = loans.find_own(seen.loan_id, by)
    if not is_undoable(seen, loan):
        raise conflict(Code.ALREADY_EXISTS, "undoes", what="undo", value=event_id)
    event = Event(number=0, kind=LoanEventKind.UNDO, on=seen.effective_on, undoes=seen.number)
    return _foresee(loan, event, now)


def is_undoable(event: LoanEvent, loan: Loan) -> bool:
    """Say whether an event stands and is of those that can be taken back."""
    may_be = event.kind not in _NOT_UNDONE and event.payment_id is None
    return may_be and event in loan_book.list_standing(loan)


def may_change(loan: Loan, by: Party) -> bool:
    """Say whether the party may change a deal that runs."""
    return (
        loan.lender_id == by.organisation_id
        and by.may(Capability.INSTITUTION_APPROVER)
        and loan.state in (LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)
    )


def _check(event: Event) -> None:
    """Refuse what has a verb of its own."""
    if event.kind not in CHANGES:
        raise invalid(
            Code.NOT_A_CHOICE, "kind", value=event.kind.value, choices=[kind.value for kind in CHANGES]
        )


def _check_day(event: Event, now: datetime) -> None:
    today = local_date(now)
    if event.on > today:
        raise invalid(Code.TOO_LARGE, "on", value=str(event.on), most=str(today))


def _foresee(loan: Loan, event: Event, now: datetime) -> Book:
    _check_day(event, now)
    number = 1 + max((row.number for row in loan.events), default=0)
    events = [*loan_book.read_events(loan), replace(event, number=number)]
    return replay(loan_book.read_deal(loan), events, local_date(now))


def _find_event(event_id: int, by: Party) -> LoanEvent:
    """Return an event to the lender of its deal; raises for one that is taken back elsewhere or never."""
    seen = db.session.get(LoanEvent, event_id)
    if seen is None:
        raise not_found("event", event_id)
    loans.find_own(seen.loan_id, by)
    if seen.kind in _NOT_UNDONE or seen.payment_id is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=seen.kind.value, move="undo")
    return seen


def _change(
    loan_id: int, event: Event, evidence: str, *, by: Party, now: datetime, undoes_id: int | None = None
) -> LoanEvent:
    """Write an event and let everything follow from it, in one transaction."""
    by.require(Capability.INSTITUTION_APPROVER)
    evidence = read_remark(evidence, "evidence", MOST_EVIDENCE)
    _check_day(event, now)
    contract_id = loans.find_own(loan_id, by).contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        undoes = _find_undone(session, loan, undoes_id)
        row = loan_book.note(session, loan, event, by=by, now=now, undoes=undoes, evidence=evidence)
        loans.follow(session, loan, by=by, now=now, cause=row)
        if undoes is not None:
            renewals.reopen(session, undoes)
            compensation_claims.reopen(session, undoes, now)
        details = {"amount": event.amount} if event.amount is not None else {}
        audit.record(
            session, f"loan.{event.kind.value}", loan, by=by, now=now, on=event.on.isoformat(), **details
        )
    return row


def _find_undone(session: Session, loan: Loan, event_id: int | None) -> LoanEvent | None:
    if event_id is None:
        return None
    undoes = session.get_one(LoanEvent, event_id)
    if undoes not in loan_book.list_standing(loan):
        raise conflict(Code.ALREADY_EXISTS, "undoes", what="undo", value=event_id)
    return undoes
