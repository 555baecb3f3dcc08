"""Deals: the loans and leases that came of awards, for their borrower, their lender and the zone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, endings, formats
from blueprints.access import allows
from blueprints.web import paging
from blueprints.web.forms import Form
from market import cost
from market.calendar import local_date
from market.vocabulary import Capability, LoanState
from models.loan import Loan
from services import awards, contract_loans, drawdowns, loans, review_records, reviews
from services.exchange.offers import read_offer

Answer = str | Response | tuple[str, int]
SORTS = ("newest", "amount", "cost", "next")
NUMBER = "<int(max=2147483647):loan_id>"

page = Blueprint("deals", __name__)


@page.get("/deals")
@allows(*Capability)
def deals() -> Answer:
    """List the deals the party is part of; state, order and page stand in the address."""
    party = access.acting()
    today = local_date(access.now())
    own = awards.list_deals(party)
    state = paging.chosen("state", LoanState)
    late = request.args.get("late") == "1"
    part = paging.asked(SORTS, "newest")
    rows = [loan for loan in own if state is None or loan.state is state]
    if late:
        rows = [loan for loan in rows if loan.overdue_since is not None]
    upcoming = {loan.id: loans.next_payment(loan, today) for loan in rows if loan.state is LoanState.DRAWN}

    def order(loan: Loan) -> tuple[Any, ...]:
        if part.sort == "amount":
            return loan.principal, loan.id
        if part.sort == "cost":
            return loan.effective, loan.id
        if part.sort == "next":
            due = upcoming.get(loan.id)
            return due is None, due.due_on if due else today, loan.id
        return (-loan.id,)

    rows.sort(key=order, reverse=part.descending)
    return render_template(
        "deals/list.html",
        page=paging.slice_rows(rows, part),
        total=len(own),
        outstanding=sum(loan.outstanding for loan in own),
        late_count=sum(1 for loan in own if loan.overdue_since is not None),
        upcoming=upcoming,
        state=state,
        counts={member: sum(1 for loan in own if loan.state is member) for member in LoanState},
    )


@page.get(f"/deals/{NUMBER}")
@allows(*Capability)
def deals_show(loan_id: int) -> Answer:
    """Show one deal: what was agreed, the schedule, what was paid, and what comes next."""
    return show(loan_id, Form())


@page.post(f"/deals/{NUMBER}/drawdown")
@allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
def deals_draw(loan_id: int) -> Answer:
    """Record that the lender paid the loan out."""
    form = Form(request.form)
    drawn_on = form.day("drawn_on")
    form.run(drawdowns.ask, loan_id, drawn_on, by=access.acting(), now=access.now())
    if not form.ok:
        return show(loan_id, form)
    if drawdowns.find_waiting(loan_id) is not None:
        flash(gettext("Asked for. It is paid out once a second person confirms it."), "success")
    else:
        said = gettext("Drawn on %(day)s. The schedule has its dates now.", day=formats.day(drawn_on))
        flash(said, "success")
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)


@page.post(f"/deals/{NUMBER}/repayments")
@allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
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
    flash(
        gettext(
            "Recorded: interest %(interest)s, principal %(principal)s.",
            interest=formats.money_text(row.interest),
            principal=formats.money_text(row.principal),
        ),
        "success",
    )
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)


@page.post(f"/deals/{NUMBER}/cancel")
@allows(Capability.INSTITUTION_APPROVER)
def deals_cancel(loan_id: int) -> Answer:
    """Cancel a deal that was never drawn."""
    form = Form(request.form)
    form.run(loans.cancel, loan_id, by=access.acting(), now=access.now())
    if not form.ok:
        return show(loan_id, form)
    flash(gettext("The deal is cancelled; limit and contract are free again."), "success")
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)


def show(loan_id: int, form: Form) -> tuple[str, int]:
    """Return the page of a deal with what was typed on it and what is wrong with that."""
    party = access.acting()
    loan = loans.find(loan_id, by=party)
    today = local_date(access.now())
    is_lender = loan.lender_id == party.organisation_id
    is_borrower = loan.borrower_id == party.organisation_id
    review = review_records.find_for_loan(loan_id)
    priced = cost.price(read_offer(loan.terms, "terms"))
    is_waiting = review is not None and review.outcome is None
    if not form.values:
        form.values.update({"drawn_on": today.isoformat(), "paid_on": today.isoformat()})
    return form.page(
        "deals/show.html",
        loan=loan,
        bid=loan.award.bid if loan.award is not None else None,
        priced=priced,
        need=loan.award.need if loan.award is not None else None,
        today=today,
        upcoming=loans.next_payment(loan, today) if loan.state is LoanState.DRAWN else None,
        owed=loans.read_owed(loan),
        standing=contract_loans.read_standing(loan.contract) if loan.contract is not None else None,
        may_draw=is_lender
        and loan.state is LoanState.APPROVED
        and party.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER),
        may_cancel=is_lender
        and loan.state is LoanState.APPROVED
        and party.may(Capability.INSTITUTION_APPROVER),
        may_repay=is_lender and loan.state is LoanState.DRAWN,
        review=review,
        stands_still=review is not None and review_records.is_standing_still(review),
        endings=endings,
        reasons=reviews.REASONS,
        may_ask=is_lender
        and is_waiting
        and party.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER),
        may_decide=review is not None and review_records.may_decide(review, party),
        may_answer=is_borrower
        and is_waiting
        and party.may(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER),
        may_give_up=is_borrower and is_waiting and party.may(Capability.ENTERPRISE_APPROVER),
    )
