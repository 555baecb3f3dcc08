"""Changes of a deal that runs: written into a form, seen in the schedule after it, then recorded.

What is not recorded yet is worked out each time from the book and the one event more; nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, formats, labels
from blueprints.access import allows
from blueprints.web import deal_story
from blueprints.web.deal_money import NUMBER
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import not_found
from market.ledger.book import Book, Line
from market.ledger.events import Event
from market.lending_vocabulary import Account, LoanEventKind
from market.vocabulary import Capability, Repayment
from models.loan import Loan, LoanEvent
from services import loan_book, loan_changes, loans

Answer = str | Response | tuple[str, int]
#: The fields of each change beside day and evidence; those with a question mark may be left out.
FIELDS: dict[LoanEventKind, tuple[str, ...]] = {
    LoanEventKind.RATE_RESET: ("rate",),
    LoanEventKind.EXTENSION: ("months",),
    LoanEventKind.RESTRUCTURING: ("rate?", "months?", "repayment?", "capitalise"),
    LoanEventKind.WAIVER: ("account", "amount"),
    LoanEventKind.CHARGE: ("amount",),
    LoanEventKind.PAUSE: ("until?",),
    LoanEventKind.WRITE_OFF: (),
    LoanEventKind.UNDO: (),
}
#: The longest term that a form takes, in months.
_LONGEST_TERM = 360


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a deal stands in a book, and what comes: fen and days."""

    book: Book

    @property
    def due(self) -> Line | None:
        """Return the first line that still owes something."""
        return next((line for line in self.book.lines if line.open), None)

    @property
    def ends_on(self) -> date | None:
        """Return the last day of the schedule."""
        return max((line.due_on for line in self.book.lines), default=None)

    @property
    def unpaid_interest(self) -> int:
        """Return the interest that the schedule still asks for."""
        return sum(line.interest - line.paid_interest for line in self.book.lines)

    @property
    def unpaid_rest(self) -> int:
        """Return the fees and late interest that the schedule still asks for."""
        return sum(line.open for line in self.book.lines) - self.unpaid_interest - self._unpaid_principal

    @property
    def _unpaid_principal(self) -> int:
        return sum(line.principal - line.paid_principal for line in self.book.lines)


def init(page: Blueprint) -> None:
    """Add the address to the blueprint of deals."""
    page.add_url_rule(f"/deals/{NUMBER}/change", view_func=deals_change)
    page.add_url_rule(
        f"/deals/{NUMBER}/change", view_func=deals_record, methods=["POST"], endpoint="deals_record"
    )


@allows(Capability.INSTITUTION_APPROVER)
def deals_change(loan_id: int) -> Answer:
    """Show the form of one change, or of taking one event back."""
    loan, kind, target = _find(loan_id, request.args)
    form = Form({"on": local_date(access.now()).isoformat()})
    return _show(loan, kind, target, form, _preview_undo(form, target) if target is not None else None)


@allows(Capability.INSTITUTION_APPROVER)
def deals_record(loan_id: int) -> Answer:
    """Show what a change would make of the schedule; record it once that was seen."""
    loan, kind, target = _find(loan_id, request.form)
    form = Form(request.form, labels={"account": gettext("What is given up"), "undoes": gettext("Event")})
    event = _read(form, kind) if target is None else None
    evidence = form.text("evidence", most=loan_changes.MOST_EVIDENCE)
    if request.form.get("step") != "record":
        book = _preview_undo(form, target)
        if event is not None:
            book = form.run(loan_changes.preview, loan_id, event, by=access.acting(), now=access.now())
        return _show(loan, kind, target, form, book)
    by, now = access.acting(), access.now()
    if target is not None:
        form.run(loan_changes.undo, target.id, evidence, by=by, now=now)
    elif event is not None:
        form.run(loan_changes.record, loan_id, event, evidence, by=by, now=now)
    if not form.ok:
        return _show(loan, kind, target, form, None)
    flash(gettext("Recorded: %(what)s. The book follows from it.", what=labels.label(kind)), "success")
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)


def _find(loan_id: int, asked: Any) -> tuple[Loan, LoanEventKind, LoanEvent | None]:
    """Return the own deal, the kind of change, and the event to take back where it is that."""
    loan = loans.find_own(loan_id, access.acting())
    name = asked.get("kind", "")
    kind = next((kind for kind in FIELDS if kind.value == name), None)
    if kind is None:
        raise not_found("page", name[:40])
    if kind is not LoanEventKind.UNDO:
        return loan, kind, None
    number = asked.get("event", "")
    target = next((event for event in loan.events if str(event.number) == number), None)
    if target is None:
        raise not_found("event", number[:20])
    return loan, kind, target


def _read(form: Form, kind: LoanEventKind) -> Event | None:
    """Return the change that a form describes, None where something in it is wrong."""
    values: dict[str, Any] = {"on": form.day("on")}
    for written in FIELDS[kind]:
        name = written.removesuffix("?")
        values[name] = _READERS[name](form, written == name)
    if kind is LoanEventKind.CHARGE:
        values["account"] = Account.FEES_DUE
    return Event(number=0, kind=kind, **values) if form.ok else None


_READERS: dict[str, Any] = {
    "rate": lambda form, required: form.percent("rate", required=required, least=0, most=100),
    "months": lambda form, required: form.whole("months", required=required, least=1, most=_LONGEST_TERM),
    "repayment": lambda form, required: form.choice("repayment", Repayment, required=required),
    "capitalise": lambda form, required: form.flag("capitalise"),
    "account": lambda form, required: form.choice("account", Account, required=required),
    "amount": lambda form, required: form.yuan("amount", required=required),
    "until": lambda form, required: form.day("until", required=required),
}


def _preview_undo(form: Form, target: LoanEvent | None) -> Book | None:
    if target is None:
        return None
    return form.run(loan_changes.preview_undo, target.id, by=access.acting(), now=access.now())


def _show(
    loan: Loan, kind: LoanEventKind, target: LoanEvent | None, form: Form, book: Book | None
) -> tuple[str, int]:
    today = local_date(access.now())
    before = loan_book.look(loan, today)
    return form.page(
        "deals/change.html",
        loan=loan,
        kind=kind,
        target=target,
        target_facts=deal_story.describe(target, loan) if target is not None else "",
        fields={name.removesuffix("?"): not name.endswith("?") for name in FIELDS[kind]},
        why=deal_story.CHANGES.get(kind) or gettext("The book will be as if it had not been."),
        waivable=deal_story.WAIVABLE,
        repayments=list(Repayment),
        compared=_compare(Outlook(before), Outlook(book)) if book is not None else None,
        lines=book.lines if book is not None else (),
        former={line.due_on: line for line in before.lines},
        today=today,
    )


def _compare(before: Outlook, after: Outlook) -> list[tuple[str, str, str]]:
    """Return what changes, as (what, before, after); what stays is left out where it says nothing."""

    def due(one: Outlook) -> str:
        line = one.due
        if line is None:
            return formats.ABSENT
        return gettext(
            "%(amount)s on %(day)s", amount=formats.money_text(line.open), day=formats.day(line.due_on)
        )

    def tell(words: str, value: Any) -> tuple[str, str, str]:
        return words, value(before), value(after)

    return [
        tell(gettext("Principal outstanding"), lambda one: formats.exact(one.book.outstanding)),
        tell(gettext("Next payment"), due),
        tell(gettext("Last day"), lambda one: formats.day(one.ends_on)),
        tell(gettext("Interest still to pay"), lambda one: formats.exact(one.unpaid_interest)),
        tell(gettext("Fees and late interest still to pay"), lambda one: formats.exact(one.unpaid_rest)),
        tell(gettext("Overdue now"), lambda one: formats.exact(one.book.arrears.total)),
        tell(gettext("Days past due"), lambda one: formats.count(one.book.days_past_due)),
        tell(gettext("Bucket"), lambda one: str(labels.label(one.book.bucket))),
    ]
