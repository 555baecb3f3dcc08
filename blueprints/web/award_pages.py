"""Accepting an offer: what will be signed is shown first; a second person confirms if the firm wants it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints import access, endings
from blueprints.access import allows
from blueprints.web import offer_pages, syndicate_pages, syndicate_view
from blueprints.web.forms import Form
from market.vocabulary import AwardState, Capability
from models.award import Award
from services import awards, comparisons, desk, needs, review_records, syndicates, users

Answer = str | Response | tuple[str, int]


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    need, bid = "/needs/<int(max=2147483647):need_id>", "<int(max=9007199254740991):bid_id>"
    page.add_url_rule(f"{need}/offers/{bid}/accept", "needs_accept", needs_accept, methods=["GET", "POST"])
    page.add_url_rule(f"{need}/award", "needs_award", needs_award, methods=["GET", "POST"])


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_accept(need_id: int, bid_id: int) -> Answer:
    """Show what accepting means, or accept the offer exactly as it was shown."""
    party = access.acting()
    comparison, bid = comparisons.find_offer(need_id, bid_id, by=party)
    form = Form(
        request.form or {"shown_hash": bid.receipt_hash},
        labels={"bid_id": lazy_gettext("Offer"), "shown_hash": lazy_gettext("Offer as shown")},
    )
    if request.method == "POST":
        award = form.run(
            awards.accept, need_id, bid_id, str(form.value("shown_hash")), by=party, now=access.now()
        )
        if award is not None:
            _say_accepted(award)
            return redirect(url_for("enterprise.needs_award", need_id=need_id), 303)
        comparison, bid = comparisons.find_offer(need_id, bid_id, by=party)
    elif not comparison.may_accept(bid, access.now()):
        return redirect(url_for("enterprise.needs_offers", need_id=need_id), 303)
    return form.page(
        "enterprise/accept.html",
        need=comparison.need,
        comparison=comparison,
        column=offer_pages.make_column(bid, comparison),
        two_people=comparison.need.organisation.dual_control,
    )


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def needs_award(need_id: int) -> Answer:
    """Show the acceptance that stands on a need; its second person confirms or turns it down."""
    party = access.acting()
    need = needs.find(need_id, by=party)
    award = awards.find_for_need(need_id)
    if award is None:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    form = Form(request.form)
    if request.method == "POST":
        rejecting = form.value("decision") == "reject"
        form.run(awards.reject if rejecting else awards.confirm, award.id, by=party, now=access.now())
        if form.ok:
            if rejecting:
                flash(gettext("Turned down. The other offers can still be accepted."), "success")
                return redirect(url_for("enterprise.needs_offers", need_id=need_id), 303)
            bound = gettext("Confirmed. The institution is now bound to its offer.")
            if award.syndicated:
                syndicate_pages.say_accepted(awards.list_standing(need_id))
            else:
                flash(bound if _is_firm(award) else _say_reviewed(), "success")
            return redirect(url_for("enterprise.needs_award", need_id=need_id), 303)
        award = awards.find_for_need(need_id) or award
    comparison, bid = comparisons.find_offer(need_id, award.bid_id, by=party)
    waiting = award.state is AwardState.AWAITING_CONFIRMATION
    own = award.accepted_by == current_user.id
    told = {
        "need": need,
        "award": award,
        "comparison": comparison,
        "waiting": waiting,
        "own": own,
        "may_confirm": waiting and not own and party.may(Capability.ENTERPRISE_APPROVER),
        "may_take_back": waiting and own,
        "accepted_by": users.find(award.accepted_by),
        "confirmed_by": users.find(award.confirmed_by) if award.confirmed_by else None,
    }
    syndicate = syndicates.find_accepted(award)
    if syndicate is not None:
        rows = syndicate_view.list_rows(syndicate, comparison)
        return form.page(
            "enterprise/syndicate_award.html", syndicate=syndicate, rows=rows, endings=endings, **told
        )
    loan = desk.find_loan(award)
    return form.page(
        "enterprise/award.html",
        **told,
        column=offer_pages.make_column(bid, comparison),
        loan=loan,
        review=None if loan is None else review_records.find_for_loan(loan.id),
    )


def _say_accepted(award: Award) -> None:
    if award.state is AwardState.AWAITING_CONFIRMATION:
        flash(gettext("Accepted. It counts as soon as a second person of your firm confirms it."), "success")
    elif _is_firm(award):
        flash(gettext("Accepted. The institution is now bound to its offer."), "success")
    else:
        flash(_say_reviewed(), "success")


def _is_firm(award: Award) -> bool:
    return award.bid.is_firm is not False


def _say_reviewed() -> str:
    return gettext("Accepted. The institution now reviews; what it asks of you stands with the deal.")
