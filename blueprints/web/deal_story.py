"""What happened to a deal, in words: each event by its day, with evidence, people, what took it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints import formats, labels
from market.ledger.events import read_details
from market.lending_vocabulary import Account, LoanEventKind
from models.loan import Loan, LoanEvent
from services import loan_changes, loan_records
from services.loan_records import Told

#: What the lender may change, with what it does.
CHANGES: dict[LoanEventKind, Any] = {
    LoanEventKind.RATE_RESET: lazy_gettext("Another rate from a day on."),
    LoanEventKind.EXTENSION: lazy_gettext("The end moves back; what is not due yet is laid out anew."),
    LoanEventKind.RESTRUCTURING: lazy_gettext("What is owed is laid out anew, on other terms."),
    LoanEventKind.WAIVER: lazy_gettext("Part of what is owed is given up."),
    LoanEventKind.CHARGE: lazy_gettext("A fee that falls due with the next line."),
    LoanEventKind.PAUSE: lazy_gettext("Days that do not count as late."),
    LoanEventKind.WRITE_OFF: lazy_gettext("The claim ends; what still comes in counts as recovered."),
}
#: What can be waived, in the order in which it is owed.
WAIVABLE = (Account.FEES_DUE, Account.PENALTY_DUE, Account.INTEREST_DUE, Account.PRINCIPAL)
_SOURCES = {
    "borrower": lazy_gettext("borrower"),
    "purchaser": lazy_gettext("purchaser"),
    "guarantor": lazy_gettext("guarantor"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the page tells it; ``undone`` says what took it back, on which day, by whom and why."""

    number: int | None
    event_id: int | None
    title: str
    on: date
    amount: int | None
    facts: str
    evidence: str
    people: str
    undone: str | None
    is_undoable: bool


def tell(loan: Loan) -> list[Happening]:
    """Return what happened to a deal by its day, its approval first; refused drawdowns stand among it."""
    told = [_tell(one, loan) for one in loan_records.list_events(loan)]
    for request, asked_by in loan_records.list_refused(loan):
        told.append(
            Happening(
                number=None,
                event_id=None,
                title=gettext("Drawdown not paid out"),
                on=request.drawn_on,
                amount=request.amount,
                facts=request.why or "",
                evidence=request.evidence,
                people=asked_by or "",
                undone=None,
                is_undoable=False,
            )
        )
    return sorted(told, key=lambda one: (one.on, one.number or 0))


def describe(event: LoanEvent, loan: Loan) -> str:
    """Return what an event of a deal says beside its day and amount, in words."""
    details = read_details(event.details)
    said = []
    if source := details.get("source"):
        said.append(gettext("from the %(source)s", source=_SOURCES[source]))
    if (rate := details.get("rate")) is not None:
        said.append(gettext("%(rate)s a year", rate=formats.rate(rate)))
    if (months := details.get("months")) is not None:
        added = event.kind is LoanEventKind.EXTENSION
        words = formats.months(months)
        said.append(gettext("%(months)s longer", months=words) if added else words)
    if repayment := details.get("repayment"):
        said.append(str(labels.label(repayment)))
    if details.get("capitalise"):
        said.append(gettext("what was overdue became principal"))
    if account := details.get("account"):
        said.append(str(labels.label(account)))
    if event.kind is LoanEventKind.PAUSE:
        until = details.get("until")
        said.append(
            gettext("up to and with %(day)s", day=formats.day(until))
            if until is not None
            else gettext("until further notice")
        )
    if event.reference:
        said.append(list_vouchers(loan).get(event.payment_id, event.reference))
    return " · ".join(said)


def list_vouchers(loan: Loan) -> dict[int | None, str]:
    """Return the voucher numbers of the purchaser's payments behind a deal, as both sides know them."""
    return {one.id: one.transaction_id for one in loan.contract.payments} if loan.contract else {}


def _tell(one: Told, loan: Loan) -> Happening:
    event, undone = one.event, None
    recorded = formats.day(event.recorded_at)
    if one.recorded_by and one.confirmed_by:
        people = gettext(
            "recorded by %(name)s, confirmed by %(second)s on %(day)s",
            name=one.recorded_by,
            second=one.confirmed_by,
            day=recorded,
        )
    elif one.recorded_by:
        people = gettext("recorded by %(name)s on %(day)s", name=one.recorded_by, day=recorded)
    else:
        people = gettext("recorded on %(day)s", day=recorded)
    if one.undone is not None:
        undone = gettext(
            "taken back on %(day)s by %(name)s: %(why)s",
            day=formats.day(one.undone.recorded_at),
            name=one.undone_by or formats.ABSENT,
            why=one.undone.evidence,
        )
    return Happening(
        number=event.number,
        event_id=event.id,
        title=str(labels.label(event.kind)),
        on=event.effective_on,
        amount=event.amount,
        facts=describe(event, loan),
        evidence=event.evidence,
        people=people,
        undone=undone,
        is_undoable=loan_changes.is_undoable(event, loan),
    )
