"""The book of a loan as the API shows it: events, double entries, accounts, lateness, a schedule to come."""

from __future__ import annotations

from typing import Any

from blueprints.api import fields
from blueprints.api.parsing import Answer
from market.ledger.book import Book
from market.lending_vocabulary import Account, Bucket, DrawdownState, LoanEventKind, RiskClass
from market.party import Party
from models.base import db
from models.loan import DrawdownRequest, Loan
from services import drawdowns, loan_book, loan_records
from services.loan_records import Told


class LineAnswer(Answer):
    """One line of the schedule; line 0 is the day of drawdown."""

    number = fields.Count()
    due_on = fields.Day("Known once the loan is drawn.", allow_none=True)
    principal = fields.Money()
    interest = fields.Money()
    fees = fields.Money()
    penalty = fields.Money("Late interest.")
    balance = fields.Money("Principal left after it.")
    paid_principal = fields.Money()
    paid_interest = fields.Money()
    paid_fees = fields.Money()
    paid_penalty = fields.Money()


class EventAnswer(Answer):
    """Something that happened to the loan; written once, and taken back rather than changed."""

    id = fields.Count()
    number = fields.Count("The order of writing within the loan.")
    kind = fields.Word(LoanEventKind)
    on = fields.Day("The day it counts from.")
    amount = fields.Money(allow_none=True)
    reference = fields.Said(allow_none=True)
    details = fields.Facts(
        "What else the kind says: rate, months, repayment, capitalise, account, until, source."
    )
    evidence = fields.Said()
    recorded_by = fields.Said("Name of whoever wrote it down; null for the clock.", allow_none=True)
    confirmed_by = fields.Said("Name of the second person, where two are needed.", allow_none=True)
    recorded_at = fields.Moment()
    undone_at = fields.Moment("When it was taken back.", allow_none=True)
    undone_by = fields.Said(allow_none=True)
    undone_why = fields.Said(allow_none=True)


class MovementAnswer(Answer):
    """A double entry: the amount leaves one account of the loan and enters another."""

    booked_on = fields.Day("The day it counts for.")
    source = fields.Word(Account)
    target = fields.Word(Account)
    amount = fields.Money()
    event_id = fields.Count("What it follows from; null for what fell due by itself.", allow_none=True)
    posted_at = fields.Moment()


class AccountAnswer(Answer):
    """What stands on an account; the sum of all is zero."""

    account = fields.Word(Account)
    amount = fields.Money(least=None)


class SpanAnswer(Answer):
    """From which day the loan stood in a bucket of lateness."""

    from_on = fields.Day()
    bucket = fields.Word(Bucket)
    superseded_at = fields.Moment("When a back-dated event proved it wrong.", allow_none=True)


class DrawdownRequestAnswer(Answer):
    """A drawdown that one person of the lender asks for and another confirms."""

    id = fields.Count()
    loan_id = fields.Count()
    amount = fields.Money()
    drawn_on = fields.Day()
    evidence = fields.Said()
    state = fields.Word(DrawdownState)
    requested_by = fields.Said("Name of who asked.", allow_none=True)
    requested_at = fields.Moment()
    decided_at = fields.Moment(allow_none=True)
    why = fields.Said("Why it was turned down.", allow_none=True)


class LatenessAnswer(Answer):
    """How late the loan is, by the clock's last look."""

    days_past_due = fields.Count()
    bucket = fields.Word(Bucket)
    risk_class = fields.Word(RiskClass, "The five levels of the 2023 rules.")
    paused_until = fields.Day("Days up to it do not count as late.", allow_none=True)


class BookAnswer(Answer):
    """The book of a loan as it would be; nothing of it is stored."""

    outstanding = fields.Money("Principal still owed.")
    overdue = fields.Money("Due and unpaid.")
    overdue_since = fields.Day(allow_none=True)
    days_past_due = fields.Count()
    bucket = fields.Word(Bucket)
    written_off = fields.Money()
    schedule = fields.Many(fields.Part(LineAnswer), most=1000)


def show_event(one: Told) -> dict[str, Any]:
    """Return an event in the shape of ``EventAnswer``."""
    event, undone = one.event, one.undone
    return {
        "id": event.id,
        "number": event.number,
        "kind": event.kind,
        "on": event.effective_on,
        "amount": event.amount,
        "reference": event.reference,
        "details": event.details,
        "evidence": event.evidence,
        "recorded_by": one.recorded_by,
        "confirmed_by": one.confirmed_by,
        "recorded_at": event.recorded_at,
        "undone_at": undone.recorded_at if undone is not None else None,
        "undone_by": one.undone_by,
        "undone_why": undone.evidence if undone is not None else None,
    }


def show_drawdown(row: DrawdownRequest) -> dict[str, Any]:
    """Return a drawdown that was asked for in the shape of ``DrawdownRequestAnswer``."""
    made = {"requested_by": loan_records.name_person(row.requested_by)}
    plain = {name: getattr(row, name) for name in DrawdownRequestAnswer().fields if name not in made}
    return {**plain, **made}


def show_book(book: Book) -> dict[str, Any]:
    """Return a book that was worked out in the shape of ``BookAnswer``."""
    return {
        "outstanding": book.outstanding,
        "overdue": book.arrears.total,
        "overdue_since": book.overdue_since,
        "days_past_due": book.days_past_due,
        "bucket": book.bucket,
        "written_off": book.written_off,
        "schedule": book.lines,
    }


def show_record(loan: Loan, by: Party) -> dict[str, Any]:
    """Return what is on record of a loan; its double entries to everybody but the borrower."""
    waiting = drawdowns.find_waiting(loan.id)
    sees_entries = loan.borrower_id != by.organisation_id
    accounts = loan_book.sum_accounts(db.session(), loan.id) if sees_entries else {}
    return {
        "events": [show_event(one) for one in loan_records.list_events(loan)],
        "movements": loan_records.list_movements(loan) if sees_entries else [],
        "accounts": [{"account": account, "amount": amount} for account, amount in accounts.items()],
        "spans": loan_records.list_spans(loan),
        "drawdown": show_drawdown(waiting) if waiting is not None else None,
    }
