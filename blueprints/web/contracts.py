"""Procurement contracts: the registry, the ladder of the contract loan, and the purchaser's payments."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, labels
from blueprints.access import allows
from blueprints.web import contract_side, contract_story, paging
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import Code
from market.vocabulary import Capability, ContractStage
from services import (
    alerts,
    contract_loans,
    contract_steps,
    contracts,
    organisations,
    payment_states,
    payment_terms,
    pledges,
    receivables,
)
from services.contract_loans import Payment
from services.contracts import Entry

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):contract_id>"
#: A payment plan typed by hand has this many lines; more are imported.
PLAN_LINES = 6

page = Blueprint("contracts", __name__)

may_record = allows(
    Capability.PURCHASER,
    Capability.OFFICER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
)
may_enter = allows(Capability.ENTERPRISE_MAKER, Capability.PURCHASER, Capability.OFFICER)


@page.get("/contracts", endpoint="contracts")
@allows(*Capability)
def show_list() -> Answer:
    """List the contracts the party may see; filters and page stand in the address."""
    party = access.acting()
    part = paging.asked({"newest"}, "newest")
    stage = paging.chosen("stage", ContractStage)
    financeable = {"1": True, "0": False}.get(request.args.get("financeable", ""))
    found = contracts.find_page(
        party,
        stage=stage,
        financeable=financeable,
        search=request.args.get("search", "")[:100],
        offset=part.offset,
        most=part.size,
    )
    return render_template(
        "contracts/list.html",
        page=paging.Page(found.rows, found.total, part),
        stage=stage,
        pending=contracts.list_pending_steps(party) if party.may(Capability.OFFICER) else [],
    )


@page.route("/contracts/new", methods=["GET", "POST"], endpoint="contracts_new")
@may_enter
def enter() -> Answer:
    """Enter a signed contract by hand."""
    party = access.acting()
    own = organisations.find(int(party.organisation_id or 0))
    form = Form(request.form)
    if request.method == "GET":
        field = "purchaser_code" if party.may(Capability.PURCHASER) else "supplier_code"
        form.values.update({} if party.may(Capability.OFFICER) else {field: own.credit_code})
        return form.page(
            "contracts/new.html", plan_lines=PLAN_LINES, purchasers=organisations.list_purchasers()
        )
    entry = Entry(
        process_id=form.text("process_id", most=160),
        number=form.text("number", most=160),
        title=form.text("title", most=400),
        amount=form.wan("amount"),
        purchaser_code=form.text("purchaser_code", most=40),
        supplier_code=form.text("supplier_code", most=40),
        signed_on=form.day("signed_on"),
        ends_on=form.day("ends_on", required=False),
        retention=form.wan("retention", required=False) or 0,
        payment_days=form.whole("payment_days", least=0, most=60, required=False),
        plan=_read_plan(form),
        project_number=form.text("project_number", required=False, most=160),
        plan_number=form.text("plan_number", required=False, most=160),
        package_number=form.text("package_number", required=False, most=80),
        agency=form.text("agency", required=False, most=300),
        budget_unit_code=form.text("budget_unit_code", required=False, most=40),
        funding_source=form.text("funding_source", required=False, most=80),
        prepayment_ratio=form.percent("prepayment_ratio", required=False, least=0, most=100),
        delivered_on=form.day("delivered_on", required=False),
    )
    row = form.run(contracts.register, entry, by=party, now=access.now())
    if row is None:
        return form.page(
            "contracts/new.html", plan_lines=PLAN_LINES, purchasers=organisations.list_purchasers()
        )
    if row.obstacles:
        flash(gettext("The contract is on record. Its purchaser or an officer confirms it next."), "success")
    else:
        flash(gettext("The contract is on record. A need can be posted against it now."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=row.id), 303)


@page.get(f"/contracts/{NUMBER}", endpoint="contracts_show")
@allows(*Capability)
def show(contract_id: int) -> Answer:
    """Show one contract: its money, its ladder, its payments, and what the reader can do now."""
    return _show(contract_id, Form())


@page.post(f"/contracts/{NUMBER}/steps", endpoint="contracts_step")
@allows(*Capability)
def record_step(contract_id: int) -> Answer:
    """Record the next rung with its evidence."""
    form = Form(request.form)
    stage = form.choice("stage", ContractStage)
    form.run(
        contract_steps.record,
        contract_id,
        stage,
        form.day("happened_on"),
        by=access.acting(),
        now=access.now(),
        evidence=form.text("evidence", required=False, most=300) or "",
        payee_account=form.text("payee_account", required=False, most=40),
        payee_bank=form.text("payee_bank", required=False, most=120),
        pledge_number=form.text("pledge_number", required=False, most=60),
        pledge_expires_on=form.day("pledge_expires_on", required=False),
        published_on=form.day("published_on", required=False),
    )
    if not form.ok:
        return _show(contract_id, form)
    ends_on = pledges.find_loan_end(contract_id, local_date(access.now()))
    until = form.day("pledge_expires_on", required=False)
    if stage is ContractStage.PLEDGE_REGISTERED and ends_on is not None and until and ends_on > until:
        flash(gettext("Recorded. The pledge ends before the loan: renew it in time."), "warning")
    elif stage is ContractStage.ACCOUNT_LOCKED:
        flash(gettext("Recorded. The lock counts once a second person has confirmed it."), "success")
    else:
        flash(gettext("Recorded: %(step)s.", step=labels.label(stage)), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


@page.post(f"/contracts/{NUMBER}/steps/<int(max=2147483647):step_id>/confirm", endpoint="contracts_confirm")
@may_record
def confirm_step(contract_id: int, step_id: int) -> Answer:
    """Confirm a step as the second person."""
    form = Form(request.form)
    form.run(contract_steps.confirm, step_id, by=access.acting(), now=access.now())
    if not form.ok:
        return _show(contract_id, form)
    flash(gettext("Confirmed. The purchaser may pay into this account only."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


@page.post(f"/contracts/{NUMBER}/steps/<int(max=2147483647):step_id>/reject", endpoint="contracts_reject")
@allows(*Capability)
def reject_step(contract_id: int, step_id: int) -> Answer:
    """Turn a waiting step down, or take back one's own, saying why."""
    form = Form(request.form)
    form.run(contract_steps.reject, step_id, form.text("why", most=300), by=access.acting(), now=access.now())
    if not form.ok:
        return _show(contract_id, form)
    flash(gettext("Turned down. It stays on record, and can be recorded anew."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


@page.post(f"/contracts/{NUMBER}/confirmation", endpoint="contracts_vouch")
@allows(Capability.PURCHASER, Capability.OFFICER)
def vouch(contract_id: int) -> Answer:
    """Vouch for a contract that its supplier entered."""
    form = Form(request.form)
    form.run(contracts.confirm, contract_id, by=access.acting(), now=access.now())
    if not form.ok:
        return _show(contract_id, form)
    flash(gettext("Confirmed. The supplier can borrow against this contract now."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


@page.post(f"/contracts/{NUMBER}/payments", endpoint="contracts_pay")
@may_record
def record_payment(contract_id: int) -> Answer:
    """Record a payment of the purchaser."""
    form = Form(request.form)
    payment = Payment(
        transaction_id=form.text("transaction_id", most=200),
        amount=form.yuan("amount"),
        paid_on=form.day("paid_on"),
        payee_account=form.text("payee_account", most=40),
    )
    row = form.run(contract_loans.record_payment, contract_id, payment, by=access.acting(), now=access.now())
    if row is None:
        return _show(contract_id, form)
    if row.id in contract_loans.list_paying(contract_id):
        flash(gettext("Recorded and settled: the loan was paid from it."), "success")
    else:
        flash(gettext("Recorded. It settled no loan; any alert is listed below."), "warning")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


@page.post(f"/contracts/{NUMBER}/acceptance", endpoint="contracts_accept")
@allows(Capability.PURCHASER, Capability.OFFICER)
def note_acceptance(contract_id: int) -> Answer:
    """Record that the purchaser accepted delivery."""
    form = Form(request.form)
    form.run(
        contracts.note_acceptance, contract_id, form.day("accepted_on"), by=access.acting(), now=access.now()
    )
    if not form.ok:
        return _show(contract_id, form)
    flash(gettext("Acceptance recorded: the statutory payment term runs from that day."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


def show_refused(contract_id: int, form: Form) -> Answer:
    """Show a contract with a form that was refused."""
    return _show(contract_id, form)


@page.post(f"/contracts/{NUMBER}/terms", endpoint="contracts_terms")
@allows(Capability.PURCHASER, Capability.OFFICER)
def agree_terms(contract_id: int) -> Answer:
    """Write down delivery, inspection, late interest and a void clause."""
    form = Form(request.form)
    terms = payment_terms.Terms(
        late_rate=form.percent("late_rate", required=False, least=0, most=100),
        delivered_on=form.day("delivered_on", required=False),
        inspection_days=form.whole("inspection_days", required=False, least=0, most=365),
        pay_when_paid=form.flag("pay_when_paid"),
    )
    form.run(payment_terms.agree, contract_id, terms, by=access.acting(), now=access.now())
    if not form.ok:
        return _show(contract_id, form)
    flash(gettext("The terms of payment are on record."), "success")
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)


def _show(contract_id: int, form: Form) -> tuple[str, int]:
    party = access.acting()
    # Whoever is asked to lend reads the contract's facts beside the need, which do not name the firm.
    contract = contracts.find_for_party(contract_id, by=party)
    today = local_date(access.now())
    if not form.values:
        form.values.update(
            {
                "happened_on": today.isoformat(),
                "paid_on": today.isoformat(),
                "accepted_on": today.isoformat(),
                "payee_account": contract.payee_account or "",
                "late_rate": "" if contract.late_rate is None else f"{contract.late_rate * 100:f}",
                "delivered_on": contract.delivered_on.isoformat() if contract.delivered_on else "",
                "inspection_days": "" if contract.inspection_days is None else contract.inspection_days,
                "pay_when_paid": "1" if contract.pay_when_paid else "",
            }
        )
    pending = contract_steps.find_pending(contract.id)
    deals = contract_loans.list_loans(contract.id, by=party)
    return form.page(
        "contracts/show.html",
        contract=contract,
        standing=contract_loans.read_standing(contract),
        paying=contract_loans.list_paying(contract.id),
        story=contract_story.tell(contract, by=party),
        side=contract_side.read(contract, deals, by=party, now=access.now()),
        undone=contract_story.tell_undone(contract),
        pending=pending,
        may_confirm=pending is not None and contract_steps.may_confirm(contract, pending, party),
        possible=contract_steps.list_possible(contract, party),
        deals=deals,
        invoices=receivables.list_for_contract(contract, by=party),
        alerts=alerts.list_for_contract(contract.id, by=party),
        may_vouch=contracts.may_confirm(contract, by=party),
        may_reject=pending is not None and contract_steps.may_reject(contract, pending, party),
        may_pay=contract_loans.may_record(contract, by=party),
        interest=payment_states.read_late_interest(contract, today),
        deemed=payment_terms.find_deemed(contract, today),
        may_agree=payment_terms.may_agree(contract, by=party),
        may_accept=contracts.may_accept(contract, by=party),
        may_post=party.may(Capability.ENTERPRISE_MAKER)
        and any(row.id == contract.id for row in contracts.list_financeable(party)),
    )


def _read_plan(form: Form) -> tuple[tuple[Any, int], ...]:
    plan = []
    for line in range(1, PLAN_LINES + 1):
        due_on = form.day(f"plan_{line}_due", required=False)
        amount = form.wan(f"plan_{line}_amount", required=False)
        if (due_on is None) != (amount is None):
            form.refuse(Code.REQUIRED, f"plan_{line}_{'due' if due_on is None else 'amount'}")
        if due_on is not None and amount is not None:
            plan.append((due_on, amount))
    return tuple(plan)
