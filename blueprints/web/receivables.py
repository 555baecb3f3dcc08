"""Receivables: invoices a firm has to get paid, confirmed by the debtor, and what becomes of their money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web import paging
from blueprints.web.forms import Form
from market import receivable
from market.calendar import local_date
from market.errors import Code
from market.receivable_vocabulary import ReceivableState
from market.vocabulary import Capability
from models.receivable import Receivable
from services import invoice_claims, receivable_uses, receivables
from services.exchange import invoices
from services.receivables import Entry

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):receivable_id>"
#: Invoices typed by hand at once; more come from a file.
LINES = 3
MOST_FILE = 2 * 1024 * 1024
FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
DECIDERS = (*FIRM, Capability.PURCHASER, Capability.OFFICER)
FIELDS = (
    *("contract_number", "invoice_number", "debtor_code", "debtor_name"),
    *("amount", "issued_on", "due_on", "evidence"),
)

page = Blueprint("receivables", __name__)


@page.get("/receivables", endpoint="receivables")
@allows(*Capability)
def show_list() -> Answer:
    """List the receivables the party is owed, owes or finances."""
    party = access.acting()
    state = paging.chosen("state", ReceivableState)
    rows = receivables.list_all(party, states=None if state is None else [state])
    shown = paging.slice_rows(rows, paging.asked({"newest"}, "newest"))
    return render_template(
        "receivables/list.html",
        page=shown,
        uses=receivable_uses.read_uses(shown.rows),
        states=list(ReceivableState),
    )


@page.route("/receivables/new", methods=["GET", "POST"], endpoint="receivables_new")
@allows(Capability.ENTERPRISE_MAKER)
def enter() -> Answer:
    """Enter invoices by hand, several at once, or from a file."""
    form = Form(request.form)
    if request.method == "GET":
        return form.page("receivables/new.html", lines=LINES, fields=FIELDS, columns=invoices.COLUMNS)
    sent = request.files.get("file")
    places: list[int] | None = None
    if sent is not None and sent.filename:
        body = sent.stream.read(MOST_FILE + 1)
        if len(body) > MOST_FILE:
            form.refuse(Code.TOO_LARGE, "file", value=len(body), most=MOST_FILE)
        entries = form.run(invoices.read, body) or []
    else:
        places, entries = _read_lines(form)
    rows = form.run(receivables.enter, entries, by=access.acting(), now=access.now())
    if rows is None:
        _place_faults(form, places)
        return form.page("receivables/new.html", lines=LINES, fields=FIELDS, columns=invoices.COLUMNS)
    flash(
        gettext("On record. Ask the debtors to confirm them: then they can be offered in a need."), "success"
    )
    return redirect(url_for("receivables.receivables"), 303)


@page.get(f"/receivables/{NUMBER}", endpoint="receivables_show")
@allows(*Capability)
def show(receivable_id: int) -> Answer:
    """Show one receivable: its right, its money, and what the reader can do now."""
    return _show(receivable_id, Form())


@page.post(f"/receivables/{NUMBER}/request", endpoint="receivables_request")
@allows(*FIRM)
def ask(receivable_id: int) -> Answer:
    """Ask the debtor to confirm."""
    said = gettext("The debtor is asked to confirm. It has 30 days.")
    return _do(receivable_id, receivables.request_confirmation, said)


@page.post(f"/receivables/{NUMBER}/confirm", endpoint="receivables_confirm")
@allows(*DECIDERS)
def confirm(receivable_id: int) -> Answer:
    """Confirm as the debtor or an officer."""
    return _do(receivable_id, receivables.confirm, gettext("Confirmed. The supplier can borrow on it now."))


@page.post(f"/receivables/{NUMBER}/refuse", endpoint="receivables_refuse")
@allows(*DECIDERS)
def refuse(receivable_id: int) -> Answer:
    """Refuse to confirm, saying why."""
    form = Form(request.form)
    why = form.text("why", most=300)
    return _do(
        receivable_id, receivables.refuse, gettext("Refused. Its supplier is told why."), why, form=form
    )


@page.post(f"/receivables/{NUMBER}/paid", endpoint="receivables_paid")
@allows(*DECIDERS, Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
def note_paid(receivable_id: int) -> Answer:
    """Record what was paid so far."""
    form = Form(request.form)
    paid = form.yuan("paid")
    return _do(receivable_id, receivables.note_paid, gettext("The payment is on record."), paid, form=form)


@page.post(f"/receivables/{NUMBER}/withdraw", endpoint="receivables_withdraw")
@allows(*FIRM)
def withdraw(receivable_id: int) -> Answer:
    """Take a wrong entry back."""
    return _do(receivable_id, receivables.withdraw, gettext("Taken back. It can be entered anew."))


def _do(
    receivable_id: int, verb: Callable[..., Receivable], said: str, *what: Any, form: Form | None = None
) -> Answer:
    form = form or Form(request.form)
    form.run(verb, receivable_id, *what, by=access.acting(), now=access.now())
    if not form.ok:
        return _show(receivable_id, form)
    flash(said, "success")
    return redirect(url_for("receivables.receivables_show", receivable_id=receivable_id), 303)


def _show(receivable_id: int, form: Form) -> tuple[str, int]:
    party = access.acting()
    row = receivables.find(receivable_id, by=party)
    own = row.supplier_id == party.organisation_id and party.may(*FIRM)
    free = receivable_uses.find_claim(row.id) is None
    due = receivable.confirmation_due(row.requested_on) if row.requested_on is not None else None
    return form.page(
        "receivables/show.html",
        row=row,
        use=receivable_uses.read_uses([row])[row.id],
        obstacles=invoice_claims.find_obstacles(row, local_date(access.now())),
        answer_by=due if row.state is ReceivableState.REQUESTED else None,
        may_ask=own and row.state in {ReceivableState.ENTERED, ReceivableState.REFUSED},
        may_decide=receivables.may_decide(row, by=party),
        may_pay=row.paid < row.amount and receivables.may_note_paid(row, by=party),
        may_withdraw=own and free and row.state is not ReceivableState.WITHDRAWN,
    )


def _read_lines(form: Form) -> tuple[list[int], list[Entry]]:
    """Return the lines that were filled in, by their numbers, as invoices."""
    places, entries = [], []
    for line in range(1, LINES + 1):
        if not any(str(form.value(f"{line}_{field}")).strip() for field in FIELDS):
            continue
        issued_on, due_on = form.day(f"{line}_issued_on"), form.day(f"{line}_due_on")
        amount = form.yuan(f"{line}_amount")
        texts = {
            field: form.text(f"{line}_{field}", required=False, most=300) or ""
            for field in ("contract_number", "invoice_number", "debtor_code", "debtor_name", "evidence")
        }
        if None not in (issued_on, due_on, amount):
            places.append(line)
            entries.append(Entry(amount=amount, issued_on=issued_on, due_on=due_on, **texts))
    return places, entries


def _place_faults(form: Form, places: list[int] | None) -> None:
    """Move faults of typed invoices to their fields; those of a file stay with their rows."""
    for number, fault in enumerate(form.faults):
        head, _, field = (fault.field or "").partition(".")
        if places is not None and head.isdigit() and field:
            form.faults[number] = type(fault)(fault.code, f"{places[int(head)]}_{field}", fault.values)
