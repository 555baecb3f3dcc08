"""The money of a deal, as its lender writes it down: paid out in tranches, confirmed, given up, received."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, formats
from blueprints.access import allows
from blueprints.web.deal_view import LENDER, show
from blueprints.web.forms import Form
from market.errors import not_found
from market.vocabulary import Capability
from models.loan import Loan
from services import drawdowns, loans

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):loan_id>"


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint of deals."""
    for path, view in (
        ("drawdown", deals_draw),
        ("drawdown/confirm", deals_confirm),
        ("drawdown/refuse", deals_refuse),
        ("release", deals_release),
        ("repayments", deals_repay),
        ("cancel", deals_cancel),
    ):
        page.add_url_rule(f"/deals/{NUMBER}/{path}", view_func=view, methods=["POST"])


@allows(*LENDER)
def deals_draw(loan_id: int) -> Answer:
    """Record that the lender paid the loan out, all that is left of it or a tranche."""
    form = Form(
        request.form,
        aliases={"amount": "draw_amount", "evidence": "draw_evidence"},
        labels={"draw_amount": gettext("Amount"), "draw_evidence": gettext("Evidence")},
    )
    drawn_on, amount = form.day("drawn_on"), form.yuan("draw_amount", required=False)
    evidence = form.text("draw_evidence", required=False, most=300) or ""
    form.run(
        drawdowns.ask,
        loan_id,
        drawn_on,
        by=access.acting(),
        now=access.now(),
        amount=amount,
        evidence=evidence,
    )
    if not form.ok:
        return show(loan_id, form)
    if drawdowns.find_waiting(loan_id) is not None:
        return _done(loan_id, gettext("Asked for. It is paid out once a second person confirms it."))
    day = formats.day(drawn_on)
    return _done(loan_id, gettext("Drawn on %(day)s. The schedule has its dates now.", day=day))


@allows(Capability.INSTITUTION_APPROVER)
def deals_confirm(loan_id: int) -> Answer:
    """Confirm, as the second person, the drawdown that was seen waiting."""
    form = Form(request.form)
    number = form.whole("drawdown_id", least=1)
    if form.ok:
        _check_waiting(loan_id, number)
    form.run(drawdowns.confirm, number, by=access.acting(), now=access.now())
    if not form.ok:
        return show(loan_id, form)
    return _done(loan_id, gettext("Confirmed and paid out. The schedule has its dates now."))


@allows(*LENDER)
def deals_refuse(loan_id: int) -> Answer:
    """Turn the waiting drawdown down, or take one's own back."""
    form = Form(request.form, labels={"why": gettext("Reason")})
    number, why = form.whole("drawdown_id", least=1), form.text("why", most=300)
    if form.ok:
        _check_waiting(loan_id, number)
    form.run(drawdowns.refuse, number, why, by=access.acting(), now=access.now())
    if not form.ok:
        return show(loan_id, form)
    return _done(loan_id, gettext("Turned down. It can be asked for anew."))


@allows(Capability.INSTITUTION_APPROVER)
def deals_release(loan_id: int) -> Answer:
    """Give up what will not be drawn any more."""
    form = Form(
        request.form,
        aliases={"evidence": "release_evidence"},
        labels={"release_evidence": gettext("Evidence")},
    )
    evidence = form.text("release_evidence", required=False, most=300) or ""
    form.run(drawdowns.release, loan_id, by=access.acting(), now=access.now(), evidence=evidence)
    if not form.ok:
        return show(loan_id, form)
    return _done(loan_id, gettext("Given up. Limits have their room back."))


@allows(*LENDER)
def deals_repay(loan_id: int) -> Answer:
    """Record money that the firm paid the lender."""
    form = Form(request.form)
    amount, paid_on = form.yuan("amount"), form.day("paid_on")
    reference = form.text("reference", most=80)
    row = form.run(
        loans.record_repayment, loan_id, amount, paid_on, reference, by=access.acting(), now=access.now()
    )
    if row is None:
        return show(loan_id, form)
    if row.recovered:
        return _done(
            loan_id, gettext("Recorded: recovered %(amount)s.", amount=formats.money_text(row.recovered))
        )
    interest, principal = formats.money_text(row.interest), formats.money_text(row.principal)
    return _done(
        loan_id,
        gettext(
            "Recorded: interest %(interest)s, principal %(principal)s.",
            interest=interest,
            principal=principal,
        ),
    )


@allows(Capability.INSTITUTION_APPROVER)
def deals_cancel(loan_id: int) -> Answer:
    """Cancel a deal that was never drawn."""
    form = Form(request.form)
    form.run(loans.cancel, loan_id, by=access.acting(), now=access.now())
    if not form.ok:
        return show(loan_id, form)
    return _done(loan_id, gettext("The deal is cancelled; limit and contract are free again."))


def _check_waiting(loan_id: int, drawdown_id: int) -> None:
    """Refuse a number that is another deal's."""
    loan: Loan = loans.find_own(loan_id, access.acting())
    if drawdowns.find(drawdown_id, by=access.acting()).loan_id != loan.id:
        raise not_found("drawdown", drawdown_id)


def _done(loan_id: int, said: str) -> Response:
    flash(said, "success")
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)
