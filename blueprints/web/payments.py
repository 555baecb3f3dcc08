"""Payments of purchasers: how each stands to what is owed, and a place to resolve those that cannot stand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import paging
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import Code, not_found
from market.party import Party
from market.payment_vocabulary import PaymentMove, PaymentState
from market.vocabulary import Capability
from models.payment import UnmatchedPayment
from services import (
    contract_loans,
    contracts,
    organisations,
    payment_matching,
    payment_resolutions,
    payment_states,
    payments,
    purchasers,
)
from services.contract_loans import Payment

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):payment_id>"
UNMATCHED = "<int(max=2147483647):unmatched_id>"
CONTRACT = "<int(max=2147483647):contract_id>"

page = Blueprint("payments", __name__)

may_look = allows(*Capability)
may_report = allows(*payment_matching.REPORTERS)
may_decide = allows(*payment_resolutions.LENDERS, Capability.OFFICER)

LATE_COLUMNS = (
    Column(lazy_gettext("Contract")),
    Column(lazy_gettext("Purchaser")),
    Column(lazy_gettext("Supplier")),
    Column(lazy_gettext("Late and unpaid"), Kind.MONEY),
    Column(lazy_gettext("Late since"), Kind.DAY),
    Column(lazy_gettext("Late interest"), Kind.MONEY),
)
SEGMENT_COLUMNS = (
    Column(lazy_gettext("Due"), Kind.DAY),
    Column(lazy_gettext("After"), Kind.DAY),
    Column(lazy_gettext("Up to and including"), Kind.DAY),
    Column(lazy_gettext("Days"), Kind.NUMBER),
    Column(lazy_gettext("Open amount"), Kind.MONEY),
    Column(lazy_gettext("Late interest"), Kind.MONEY),
)


@page.get("/payments", endpoint="payments")
@may_look
def show_list() -> Answer:
    """List the payments the party may see; filters and page stand in the address."""
    party = access.acting()
    part = paging.asked({"newest"}, "newest")
    state = paging.chosen("state", PaymentState)
    to_resolve = request.args.get("view") == "open"
    found = payments.find_page(
        party,
        state=state,
        to_resolve=to_resolve,
        search=request.args.get("q", "")[:80],
        offset=part.offset,
        most=part.size,
    )
    return render_template(
        "payments/list.html",
        page=paging.Page(found.rows, found.total, part),
        to_resolve=to_resolve,
        waiting=sum(payments.count_waiting(party).values()),
        unmatched=len(payment_matching.list_unmatched(party)),
        states=[state for state in PaymentState if state is not PaymentState.UNMATCHED],
        may_report=party.may(*payment_matching.REPORTERS),
    )


@page.route("/payments/report", methods=["GET", "POST"], endpoint="payments_report")
@may_report
def report() -> Answer:
    """Report a payment by the number of its contract."""
    form = Form(request.form)
    if request.method == "GET":
        return form.page("payments/report.html")
    told = Payment(
        transaction_id=form.text("transaction_id", most=200),
        amount=form.yuan("amount"),
        paid_on=form.day("paid_on", required=False),
        payee_account=form.text("payee_account", required=False, most=40),
        payer=form.text("payer", required=False, most=300),
    )
    row = form.run(
        payment_matching.report,
        form.text("number", most=160),
        told,
        by=access.acting(),
        now=access.now(),
    )
    if row is None:
        return form.page("payments/report.html")
    if isinstance(row, UnmatchedPayment):
        flash(
            gettext("Recorded. The contract is not in the registry: the payment waits until it is."),
            "warning",
        )
        return redirect(url_for("payments.payments_unmatched"), 303)
    flash(gettext("Recorded on its contract."), "success")
    return _to(row.id)


@page.get(f"/payments/{NUMBER}", endpoint="payments_show")
@may_look
def show(payment_id: int) -> Answer:
    """Show one payment, what answers it, and what the reader can do about it."""
    return _show(payment_id, Form())


@page.post(f"/payments/{NUMBER}/date", endpoint="payments_date")
@may_report
def put_date(payment_id: int) -> Answer:
    """Say when an undated payment was made."""
    form = Form(request.form)
    form.run(
        payment_resolutions.put_date,
        payment_id,
        form.day("paid_on"),
        by=access.acting(),
        now=access.now(),
    )
    return _done(form, payment_id, gettext("Dated. The payment has taken effect."))


@page.post(f"/payments/{NUMBER}/resolve", endpoint="payments_resolve")
@may_decide
def resolve(payment_id: int) -> Answer:
    """Accept the account, record the return, leave an excess to the supplier, or take a payment back."""
    form = Form(request.form, aliases={"evidence": "why"})
    move = form.choice("move", PaymentMove)
    why = form.text("why", most=300)
    if move is not None:
        form.run(_MOVES[move], payment_id, why, by=access.acting(), now=access.now())
    return _done(form, payment_id, gettext("Done, and on record."))


@page.post(f"/payments/{NUMBER}/follow", endpoint="payments_follow")
@may_decide
def follow(payment_id: int) -> Answer:
    """Record money that went on: passed on to the locked account, or refunded."""
    form = Form(request.form)
    told = Payment(
        transaction_id=form.text("transaction_id", most=200),
        amount=form.yuan("amount"),
        paid_on=form.day("paid_on"),
        payee_account=form.text("payee_account", required=False, most=40),
    )
    verb = payment_resolutions.refund if form.value("kind") == "refund" else payment_resolutions.redirect
    row = form.run(
        verb, payment_id, told, form.text("follow_why", most=300), by=access.acting(), now=access.now()
    )
    return _done(form, row.id if row is not None else payment_id, gettext("Recorded, and linked to it."))


@page.post(f"/payments/{NUMBER}/reopen", endpoint="payments_reopen")
@may_report
def reopen(payment_id: int) -> Answer:
    """Take back a word that moved no money."""
    form = Form(request.form)
    form.run(payment_resolutions.reopen, payment_id, by=access.acting(), now=access.now())
    return _done(form, payment_id, gettext("Taken back: the payment waits again."))


@page.get("/payments/unmatched", endpoint="payments_unmatched")
@may_look
def show_unmatched() -> Answer:
    """List payments whose contract is not in the registry."""
    return _show_unmatched(Form(), None)


@page.post(f"/payments/unmatched/{UNMATCHED}", endpoint="payments_match")
@may_report
def match(unmatched_id: int) -> Answer:
    """Match an unmatched payment to a contract, set it aside, or let it wait again."""
    form = Form(request.form)
    who: dict[str, Any] = {"by": access.acting(), "now": access.now()}
    do = form.value("do")
    if do == "match":
        row = form.run(payment_matching.match, unmatched_id, _read_contract(form, who["by"]), **who)
        if row is not None:
            flash(gettext("Matched. The payment has taken effect on its contract."), "success")
            return _to(row.id)
    elif do == "back":
        form.run(payment_matching.bring_back, unmatched_id, **who)
    else:
        form.run(payment_matching.set_aside, unmatched_id, form.text("why", most=300), **who)
    if not form.ok:
        return _show_unmatched(form, unmatched_id)
    flash(gettext("Done, and on record."), "success")
    return redirect(url_for("payments.payments_unmatched"), 303)


@page.get("/payments/late", endpoint="payments_late")
@may_look
def show_late() -> Answer:
    """List contracts with late interest on them, the dearest first."""
    rows = payments.list_late(access.acting(), access.now())
    if request.args.get("export"):
        cells = [
            (
                row.contract.number,
                row.contract.purchaser_name,
                row.contract.supplier_name,
                row.interest.open,
                row.late_since,
                row.interest.total,
            )
            for row in rows
        ]
        return spreadsheet.respond("late-interest", request.args["export"], LATE_COLUMNS, cells)
    part = paging.asked({"newest"}, "newest")
    return render_template(
        "payments/late.html",
        page=paging.slice_rows(rows, part),
        total=sum(row.interest.total for row in rows),
        open=sum(row.interest.open for row in rows),
    )


@page.get(f"/payments/late/{CONTRACT}", endpoint="payments_late_contract")
@may_look
def show_computation(contract_id: int) -> Answer:
    """Show how the late interest on one contract is counted, segment by segment."""
    contract = contracts.find_for_party(contract_id, by=access.acting())
    today = local_date(access.now())
    interest = payment_states.read_late_interest(contract, today)
    if request.args.get("export"):
        cells = [
            (part.due_on, part.from_on, part.to_on, part.days, part.amount, part.interest)
            for part in interest.segments
        ]
        return spreadsheet.respond("late-interest", request.args["export"], SEGMENT_COLUMNS, cells)
    return render_template(
        "payments/late_contract.html",
        contract=contract,
        interest=interest,
        rule=payment_states.read_rule(contract),
        today=today,
    )


@page.get("/payments/record", endpoint="payments_record")
@allows(Capability.PURCHASER, Capability.OFFICER, Capability.AUDITOR)
def show_record() -> Answer:
    """Show how one purchaser pays, with the rows behind the figures; a purchaser need not name itself."""
    party, code = access.acting(), request.args.get("code", "")[:80]
    if not code and party.may(Capability.PURCHASER):
        code = organisations.find(int(party.organisation_id or 0)).credit_code
    if not code:
        raise not_found("organisation", "?")
    rows = purchasers.list_rows(code, by=party, now=access.now())
    stored = purchasers.read_scores(party.zone_id, [code]).get(code)
    return render_template(
        "payments/record.html",
        code=code,
        score=stored,
        said=purchasers.say(stored) if stored is not None else None,
        page=paging.slice_rows(rows, paging.asked({"newest"}, "newest")),
    )


def _show(payment_id: int, form: Form) -> Answer:
    party = access.acting()
    row = payments.find(payment_id, by=party)
    if not form.values:
        form.values.update(
            {
                "paid_on": local_date(access.now()).isoformat(),
                "payee_account": row.contract.payee_account or "",
                "amount": f"{(row.excess or row.amount) / 100:.2f}",
            }
        )
    return form.page(
        "payments/show.html",
        payment=row,
        contract=row.contract,
        settled=row.id in contract_loans.list_paying(row.contract_id),
        linked=payments.list_linked(row),
        moves=payments.list_moves(row, by=party),
    )


def _read_contract(form: Form, by: Party) -> Any:
    """Return the contract that was chosen, or the only one that bears the number typed."""
    if "contract_number" not in form.values:
        return form.whole("contract_id", least=1, most=2**31 - 1)
    number = form.text("contract_number", most=160)
    found = payment_matching.list_by_number(number, by=by) if form.ok else []
    if form.ok and len(found) != 1:
        form.refuse(Code.NOT_FOUND, "contract_number", what="contract", id=number)
    return found[0].id if found else None


def _show_unmatched(form: Form, faulty: int | None) -> Answer:
    party = access.acting()
    waiting = payment_matching.list_unmatched(party)
    return form.page(
        "payments/unmatched.html",
        waiting=waiting,
        resolved=payment_matching.list_unmatched(party, waiting=False, most=50),
        suggested=payment_matching.suggest(waiting[:50], by=party),
        faulty=faulty,
        may_decide=party.may(*payment_matching.REPORTERS),
    )


def _done(form: Form, payment_id: int, said: str) -> Answer:
    if not form.ok:
        return _show(payment_id, form)
    flash(said, "success")
    return _to(payment_id)


def _to(payment_id: int) -> Response:
    return redirect(url_for("payments.payments_show", payment_id=payment_id), 303)


_MOVES = {
    PaymentMove.ACCEPT_ACCOUNT: payment_resolutions.accept_account,
    PaymentMove.SEND_BACK: payment_resolutions.send_back,
    PaymentMove.LEAVE_TO_SUPPLIER: payment_resolutions.leave_to_supplier,
    PaymentMove.CORRECT: payment_resolutions.correct,
}
