"""Reviews: an institution asks, the firm answers, a second person at the institution decides.

Everything stands on the page of the deal; here are what is sent from it, and the list of what waits.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access, endings
from blueprints.access import allows
from blueprints.web import deal_view, paging
from blueprints.web.forms import Form
from market.bidding_vocabulary import DeclineReason
from market.vocabulary import Capability
from services import review_records, reviews

Answer = str | Response | tuple[str, int]
LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
NUMBER = "<int(max=2147483647):review_id>"

page = Blueprint("reviews", __name__)


@page.get("/reviews", endpoint="reviews")
@allows(*LENDER)
def reviews_list() -> Answer:
    """List the institution's reviews, those that wait first with their clock."""
    party = access.acting()
    found = review_records.list_for(party)
    waiting = [row for row in found if row.outcome is None]
    now = access.now()
    part = paging.asked((), "")
    assert party.organisation_id is not None, "capabilities are held for an organisation"
    rates = review_records.read_decline_rates([party.organisation_id], party.zone_id)
    return render_template(
        "reviews/list.html",
        page=paging.slice_rows(found, part),
        waiting=len(waiting),
        late=sum(1 for row in waiting if row.due_at < now and not review_records.is_standing_still(row)),
        own=rates.get(party.organisation_id),
        endings=endings,
        stands_still=review_records.is_standing_still,
        at=now,
    )


@page.post(f"/reviews/{NUMBER}/requests")
@allows(*LENDER)
def reviews_ask(review_id: int) -> Answer:
    """Ask the firm for a document or statement."""
    party = access.acting()
    review = review_records.find(review_id, by=party)
    form = Form(request.form, labels={"what": lazy_gettext("What is asked for")})
    what = form.text("what", most=reviews.WHAT_MOST)
    form.run(reviews.ask, review_id, what, by=party, now=access.now())
    if not form.ok:
        return deal_view.show(review.loan_id, form)
    flash(gettext("Asked. Until the firm answers, your clock stands."), "success")
    return _back(review.loan_id)


@page.post("/review-requests/<int(max=2147483647):request_id>/answer")
@allows(*FIRM)
def reviews_answer(request_id: int) -> Answer:
    """Answer what the institution asked."""
    party = access.acting()
    asked = review_records.find_request(request_id, by=party)
    # Several questions may stand open on one page, each with a form of its own.
    name = f"answer.{request_id}"
    form = Form(request.form, aliases={"answer": name}, labels={name: lazy_gettext("Answer")})
    text = form.text(name, most=reviews.ANSWER_MOST)
    form.run(reviews.answer, request_id, text, by=party, now=access.now())
    if not form.ok:
        return deal_view.show(asked.review.loan_id, form)
    flash(gettext("Answered. The institution can go on."), "success")
    return _back(asked.review.loan_id)


@page.post(f"/reviews/{NUMBER}/approve")
@allows(Capability.INSTITUTION_APPROVER)
def reviews_approve(review_id: int) -> Answer:
    """Approve the loan as the institution's second person."""
    party = access.acting()
    review = review_records.find(review_id, by=party)
    form = Form(request.form)
    form.run(reviews.approve, review_id, by=party, now=access.now())
    if not form.ok:
        return deal_view.show(review.loan_id, form)
    flash(gettext("Approved. The loan can be paid out now."), "success")
    return _back(review.loan_id)


@page.post(f"/reviews/{NUMBER}/decline")
@allows(Capability.INSTITUTION_APPROVER)
def reviews_decline(review_id: int) -> Answer:
    """Decline the loan with a reason as the institution's second person."""
    party = access.acting()
    review = review_records.find(review_id, by=party)
    form = Form(
        request.form, labels={"reason": lazy_gettext("Reason"), "note": lazy_gettext("In your words")}
    )
    reason = form.choice("reason", DeclineReason)
    note = form.text("note", required=False, most=reviews.NOTE_MOST)
    sealer = current_app.extensions["sealer"]
    form.run(reviews.decline, review_id, reason, note or "", by=party, now=access.now(), sealer=sealer)
    if not form.ok:
        return deal_view.show(review.loan_id, form)
    flash(gettext("Declined. Limit and contract are free again; the firm is told the reason."), "success")
    return _back(review.loan_id)


@page.post(f"/reviews/{NUMBER}/give-up")
@allows(Capability.ENTERPRISE_APPROVER)
def reviews_give_up(review_id: int) -> Answer:
    """Give the award up, for the firm, as long as the institution is not bound."""
    party = access.acting()
    review = review_records.find(review_id, by=party)
    form = Form(request.form)
    sealer = current_app.extensions["sealer"]
    form.run(reviews.give_up, review_id, by=party, now=access.now(), sealer=sealer)
    if not form.ok:
        return deal_view.show(review.loan_id, form)
    flash(gettext("Given up. The other offers that still hold are yours to accept again."), "success")
    return redirect(url_for("enterprise.needs_offers", need_id=review.loan.origin.need_id), 303)


def _back(loan_id: int) -> Any:
    return redirect(url_for("deals.deals_show", loan_id=loan_id), 303)
