"""What a lender changes on a deal that runs: rate, end, terms, what it gives up, what it takes back.

Each is one event of the loan book, dated when it counts from; whatever came after that day follows anew.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.ledger.events import Event
from market.lending_vocabulary import Account, LoanEventKind
from market.party import Party
from market.remarks import read_remark
from market.vocabulary import Capability, LoanState, Repayment
from models.base import db, transaction
from models.loan import Loan, LoanEvent
from services import audit, contract_steps, exposures, loan_book, loans

_MOST_EVIDENCE = 300
#: A purchaser's payment is taken back where it was recorded, and not in one loan's book.
_NOT_UNDONE = frozenset({LoanEventKind.UNDO, LoanEventKind.RELEASE})


def reset_rate(
    loan_id: int, on: date, rate: Decimal, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Let another rate per year hold from a day on (重定价); the running period is split by days."""
    if rate < 0:
        raise invalid(Code.TOO_SMALL, "rate", value=str(rate), least="0")
    event = Event(number=0, kind=LoanEventKind.RATE_RESET, on=on, rate=rate)
    return _change(loan_id, event, evidence, by=by, now=now)


def extend(loan_id: int, on: date, months: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Move the end of a deal ``months`` back (展期): what is not due yet is laid out to the new end."""
    event = Event(number=0, kind=LoanEventKind.EXTENSION, on=on, months=months)
    return _change(loan_id, event, evidence, by=by, now=now)


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
    return _change(loan_id, event, evidence, by=by, now=now)


def waive(
    loan_id: int, on: date, account: Account, amount: int, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Give up ``amount`` fen of what is open of fees, late interest, interest or principal (减免)."""
    event = Event(number=0, kind=LoanEventKind.WAIVER, on=on, account=account, amount=amount)
    return _change(loan_id, event, evidence, by=by, now=now)


def charge(loan_id: int, on: date, amount: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Add a fee of ``amount`` fen that falls due with the next line."""
    event = Event(number=0, kind=LoanEventKind.CHARGE, on=on, account=Account.FEES_DUE, amount=amount)
    return _change(loan_id, event, evidence, by=by, now=now)


def pause(
    loan_id: int, on: date, until: date | None, evidence: str, *, by: Party, now: datetime
) -> LoanEvent:
    """Let days not count as late, up to and with ``until``, or until further notice (暂停计逾期)."""
    if until is not None and until < on:
        raise invalid(Code.OUT_OF_ORDER, "until", value=str(until), after=str(on))
    event = Event(number=0, kind=LoanEventKind.PAUSE, on=on, until=until)
    return _change(loan_id, event, evidence, by=by, now=now)


def write_off(loan_id: int, on: date, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """End the claim on all that is open (核销); what still comes in counts as recovered."""
    event = Event(number=0, kind=LoanEventKind.WRITE_OFF, on=on)
    return _change(loan_id, event, evidence, by=by, now=now)


def undo(event_id: int, evidence: str, *, by: Party, now: datetime) -> LoanEvent:
    """Take an event back (冲销), whenever it was: the book is as if it had not been.

    Raises ``Conflict`` for what is taken back already, for a purchaser's payment (resolved where it was
    recorded), and where what came later could then not stand.
    """
    seen = db.session.get(LoanEvent, event_id)
    if seen is None:
        raise not_found("event", event_id)
    if seen.kind in _NOT_UNDONE or seen.payment_id is not None:
        raise conflict(Code.ILLEGAL_MOVE, state=seen.kind.value, move="undo")
    event = Event(number=0, kind=LoanEventKind.UNDO, on=seen.effective_on)
    return _change(seen.loan_id, event, evidence, by=by, now=now, undoes_id=event_id)


def may_change(loan: Loan, by: Party) -> bool:
    """Say whether the party may change a deal that runs."""
    return (
        loan.lender_id == by.organisation_id
        and by.may(Capability.INSTITUTION_APPROVER)
        and loan.state in (LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)
    )


def _change(
    loan_id: int, event: Event, evidence: str, *, by: Party, now: datetime, undoes_id: int | None = None
) -> LoanEvent:
    """Write an event and let everything follow from it, in one transaction."""
    by.require(Capability.INSTITUTION_APPROVER)
    evidence = read_remark(evidence, "evidence", _MOST_EVIDENCE)
    today = local_date(now)
    if event.on > today:
        raise invalid(Code.TOO_LARGE, "on", value=str(event.on), most=str(today))
    contract_id = loans.find_own(loan_id, by).contract_id
    with transaction() as session:
        exposures.lock(session, Loan.id == loan_id)
        if contract_id is not None:
            contract_steps.lock(session, contract_id, by)
        loan = session.get_one(Loan, loan_id, with_for_update=True)
        undoes = _find_undone(session, loan, undoes_id)
        row = loan_book.note(session, loan, event, by=by, now=now, undoes=undoes, evidence=evidence)
        loans.follow(session, loan, by=by, now=now, cause=row)
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
