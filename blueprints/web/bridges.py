"""Bridge loans: the bank's commitment, the one account they are paid to, the renewal that closes the loop."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import not_found
from market.lending_vocabulary import DealKind
from market.vocabulary import Capability, LoanState, OrganisationKind
from services import bridge_rules, drawdowns, loans, renewals

Answer = str | Response | tuple[str, int]
LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
READERS = (*LENDER, Capability.OFFICER, Capability.AUDITOR)
NUMBER = "<int(max=2147483647):loan_id>"
LABELS = {
    "bank": lazy_gettext("Bank's credit code"),
    "account": lazy_gettext("Account of the maturing loan"),
    "most_share": lazy_gettext("Share of the promised renewal"),
    "most_days": lazy_gettext("Working days"),
}

page = Blueprint("bridges", __name__)


@page.get("/bridges", endpoint="bridges")
@allows(*READERS)
def bridges_list() -> Answer:
    """List the bridges whose loop is open, and what the fund did this year."""
    return _list(Form())


@page.post("/bridges/rules")
@allows(Capability.OFFICER)
def bridges_rule() -> Answer:
    """Set what the zone allows of bridge loans."""
    form = Form(request.form, labels=LABELS)
    from_on, share = form.day("from_on"), form.percent("most_share", least=0, most=100)
    days, source = (
        form.whole("most_days", least=1, most=bridge_rules.MOST_DAYS),
        form.text("source", most=300),
    )
    by = access.acting()
    form.run(bridge_rules.set_rule, from_on, share or Decimal(0), days, source, by=by, now=access.now())
    if not form.ok:
        return _list(form)
    flash(gettext("Stored. It holds for what is paid out from that day on."), "success")
    return redirect(url_for("bridges.bridges"), 303)


@page.get(f"/bridges/{NUMBER}")
@allows(*READERS)
def bridges_show(loan_id: int) -> Answer:
    """Show one bridge with its commitment and what comes next."""
    return _show(loan_id, Form())


@page.post(f"/bridges/{NUMBER}/commitment")
@allows(*LENDER)
def bridges_commit(loan_id: int) -> Answer:
    """Record the bank's commitment to renew."""
    form = Form(request.form, labels=LABELS)
    commitment = renewals.Commitment(
        bank_code=form.text("bank", most=40),
        promised=form.wan("promised"),
        promised_by=form.day("promised_by"),
        maturing_reference=form.text("maturing_reference", most=80),
        account=form.text("account", most=60),
        evidence=form.text("evidence", most=300),
    )
    form.run(renewals.record_promise, loan_id, commitment, by=access.acting(), now=access.now())
    return _answer(form, loan_id, gettext("The commitment is on record. The bridge can be paid out now."))


@page.post(f"/bridges/{NUMBER}/drawdown")
@allows(*LENDER)
def bridges_draw(loan_id: int) -> Answer:
    """Pay the bridge out, to the maturing loan's account."""
    form = Form(request.form, labels=LABELS)
    drawn_on, account = form.day("drawn_on"), form.text("payee_account", most=60)
    by, now = access.acting(), access.now()
    form.run(drawdowns.ask, loan_id, drawn_on, by=by, now=now, payee_account=account or "")
    return _answer(form, loan_id, gettext("Paid out to the maturing loan."))


@page.post(f"/bridges/{NUMBER}/return")
@allows(*LENDER)
def bridges_return(loan_id: int) -> Answer:
    """Record that the bank's renewal came in."""
    form = Form(request.form)
    amount, paid_on = form.yuan("amount"), form.day("paid_on")
    reference = form.text("reference", most=80)
    by, now = access.acting(), access.now()
    form.run(renewals.record_return, loan_id, amount, paid_on, reference, by=by, now=now)
    return _answer(form, loan_id, gettext("The renewal came in: the loop is closed."))


def _answer(form: Form, loan_id: int, said: str) -> Any:
    if not form.ok:
        return _show(loan_id, form)
    flash(said, "success")
    return redirect(url_for("bridges.bridges_show", loan_id=loan_id), 303)


def _list(form: Form) -> tuple[str, int]:
    party, today = access.acting(), local_date(access.now())
    is_fund = party.kind in (OrganisationKind.BRIDGE_PLATFORM, OrganisationKind.FUND)
    turnover = None
    if is_fund and party.organisation_id is not None:
        turnover = renewals.measure(party.organisation_id, party.zone_id, date(today.year, 1, 1), today)
    form.values.setdefault("from_on", today.isoformat())
    return form.page(
        "bridges/list.html",
        own_id=party.organisation_id,
        rows=renewals.list_bridges(party),
        turnover=turnover,
        year=today.year,
        today=today,
        rule=bridge_rules.find(party.zone_id, today),
        is_fund=is_fund and party.may(*LENDER),
        may_set=party.may(Capability.OFFICER),
    )


def _show(loan_id: int, form: Form) -> tuple[str, int]:
    party, today = access.acting(), local_date(access.now())
    loan = loans.find(loan_id, by=party)
    if loan.kind is not DealKind.BRIDGE:
        raise not_found("loan", loan_id)
    renewal = renewals.find(loan_id)
    is_lender = loan.lender_id == party.organisation_id and party.may(*LENDER)
    is_before = loan.state in (LoanState.UNCONFIRMED, LoanState.APPROVED)
    for name in ("drawn_on", "paid_on"):
        form.values.setdefault(name, today.isoformat())
    if renewal is not None and is_before:
        known = {
            "bank": renewal.bank.credit_code,
            "promised": f"{Decimal(renewal.promised) / 10**6:f}",
            "promised_by": renewal.promised_by.isoformat(),
            "maturing_reference": renewal.maturing_reference,
            "account": renewal.account,
            "evidence": renewal.evidence,
        }
        for name, value in known.items():
            form.values.setdefault(name, value)
    return form.page(
        "bridges/show.html",
        loan=loan,
        renewal=renewal,
        rule=bridge_rules.find(party.zone_id, today),
        payoff=loans.read_payoff(loan, today) if loan.state is LoanState.DRAWN else None,
        may_commit=is_lender and is_before,
        may_draw=is_lender and loan.state is LoanState.APPROVED and renewal is not None,
        may_return=is_lender and loan.state is LoanState.DRAWN,
    )
