"""What changes beside a contract's ladder, on its page: another account, a renewed pledge, an early end."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web.contracts import NUMBER, page, show_refused
from blueprints.web.forms import Form
from market.calendar import local_date
from market.ladder_vocabulary import AccountChangeState
from market.vocabulary import Capability
from services import account_changes, pledges, terminations

Answer = str | Response | tuple[str, int]
CHANGE = f"{NUMBER}/account-changes/<int(max=2147483647):change_id>"

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
SUPPLIER = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
may_consent = allows(Capability.PURCHASER, Capability.INSTITUTION_APPROVER, Capability.OFFICER)


@page.post(f"/contracts/{NUMBER}/account-changes", endpoint="contracts_change")
@allows(*SUPPLIER, *LENDER)
def request_change(contract_id: int) -> Answer:
    """Ask that the locked account becomes another one."""
    names = {
        "payee_account": "new_account",
        "payee_bank": "new_bank",
        "reason": "change_reason",
        "evidence": "change_evidence",
    }
    form = Form(request.form, aliases=names)
    form.run(
        account_changes.request,
        contract_id,
        form.text("new_account", most=40),
        form.text("new_bank", required=False, most=120),
        form.text("change_reason", most=300),
        form.text("change_evidence", most=300),
        by=access.acting(),
        now=access.now(),
    )
    if not form.ok:
        return show_refused(contract_id, form)
    flash(gettext("Asked for. The account changes once purchaser and lender have both consented."), "success")
    return _back(contract_id)


@page.post(f"/contracts/{CHANGE}/agree", endpoint="contracts_change_agree")
@may_consent
def agree(contract_id: int, change_id: int) -> Answer:
    """Consent for the purchaser or the lender."""
    form = Form(request.form)
    change = form.run(account_changes.agree, change_id, by=access.acting(), now=access.now())
    if change is None:
        return show_refused(contract_id, form)
    if change.state is AccountChangeState.DONE:
        flash(gettext("Both have consented: the account is changed and the change is published."), "success")
    else:
        flash(gettext("Your consent is on record. The other side's is still missing."), "success")
    return _back(contract_id)


@page.post(f"/contracts/{CHANGE}/refuse", endpoint="contracts_change_refuse")
@may_consent
def refuse(contract_id: int, change_id: int) -> Answer:
    """Refuse consent, saying why."""
    form = Form(request.form, aliases={"why": "change_why"})
    why = form.text("change_why", most=300)
    form.run(account_changes.refuse, change_id, why, by=access.acting(), now=access.now())
    if not form.ok:
        return show_refused(contract_id, form)
    flash(gettext("Refused. The locked account stays what it is."), "success")
    return _back(contract_id)


@page.post(f"/contracts/{CHANGE}/withdraw", endpoint="contracts_change_withdraw")
@allows(*SUPPLIER, *LENDER)
def withdraw(contract_id: int, change_id: int) -> Answer:
    """Take one's own wish back."""
    form = Form(request.form)
    form.run(account_changes.withdraw, change_id, by=access.acting(), now=access.now())
    if not form.ok:
        return show_refused(contract_id, form)
    flash(gettext("Withdrawn. The locked account stays what it is."), "success")
    return _back(contract_id)


@page.post(f"/contracts/{NUMBER}/pledges", endpoint="contracts_renew")
@allows(*LENDER)
def renew(contract_id: int) -> Answer:
    """Record that the pledge's registration was renewed."""
    names = {
        "pledge_number": "renewed_number",
        "pledge_expires_on": "renewed_until",
        "registered_on": "renewed_on",
    }
    form = Form(request.form, aliases=names)
    row = form.run(
        pledges.renew,
        contract_id,
        form.text("renewed_number", most=60),
        form.day("renewed_on"),
        form.day("renewed_until"),
        evidence=form.text("renewed_evidence", required=False, most=300) or "",
        by=access.acting(),
        now=access.now(),
    )
    if row is None:
        return show_refused(contract_id, form)
    ends_on = pledges.find_loan_end(contract_id, local_date(access.now()))
    if ends_on is not None and ends_on > row.expires_on:
        flash(gettext("Recorded. The loan still ends after the pledge: renew it again in time."), "warning")
    else:
        flash(gettext("Recorded: the pledge holds until %(day)s.", day=row.expires_on), "success")
    return _back(contract_id)


@page.post(f"/contracts/{NUMBER}/termination", endpoint="contracts_terminate")
@allows(Capability.PURCHASER, Capability.OFFICER)
def terminate(contract_id: int) -> Answer:
    """Record that the contract ended early."""
    names = {"terminated_on": "ended_on", "reason": "ended_reason", "evidence": "ended_evidence"}
    form = Form(request.form, aliases=names)
    form.run(
        terminations.terminate,
        contract_id,
        form.day("ended_on"),
        form.text("ended_reason", most=300),
        form.text("ended_evidence", most=300),
        by=access.acting(),
        now=access.now(),
    )
    if not form.ok:
        return show_refused(contract_id, form)
    flash(gettext("Recorded. The contract cannot be financed any more; its lender is alerted."), "success")
    return _back(contract_id)


def _back(contract_id: int) -> Response:
    return redirect(url_for("contracts.contracts_show", contract_id=contract_id), 303)
