"""An institution's morning: which needs fit, what price wins, and the bid itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import explanations, labels
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import (
    bid_form,
    bid_preview,
    bulk_bids,
    elements,
    institution_bids,
    institution_limits,
    institution_shelf,
    need_words,
    paging,
    reconfirmations,
    standing_bids,
)
from blueprints.web import questions as question_pages
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import Code, not_found
from market.vocabulary import BidState, Capability, Interval, OfferKind, ProductFamily, Purpose, Security
from models.bid import Bid
from models.product import Product
from services import (
    admissions,
    bids,
    contract_loans,
    drawdowns,
    fitting,
    guarantees,
    invoice_claims,
    needs,
    opportunities,
    purchasers,
    questions,
    receivables,
)
from services.opportunities import Opportunity

Answer = str | Response | tuple[str, int]

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
SORTS: dict[str, Callable[[Opportunity], Any]] = {
    "fit": lambda row: min(row.fitting, 1),
    "deadline": lambda row: row.need.closes_at,
    "amount": lambda row: row.need.amount,
    "months": lambda row: row.need.months,
}
COLUMNS = (
    Column(lazy_gettext("Need"), Kind.NUMBER),
    Column(lazy_gettext("Firm")),
    Column(lazy_gettext("Purpose")),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("What can secure it")),
    Column(lazy_gettext("Government contract")),
    Column(lazy_gettext("Own products that fit"), Kind.NUMBER),
    Column(lazy_gettext("Own bid")),
    Column(lazy_gettext("Closes at"), Kind.MOMENT),
)

page = Blueprint("institution", __name__)
institution_bids.init(page)
reconfirmations.init(page)
question_pages.init_institution(page)
institution_shelf.init(page)
standing_bids.init(page)
bulk_bids.init(page)
institution_limits.init(page)


@page.get("/opportunities", endpoint="opportunities")
@allows(*ROLES)
def opportunities_list() -> Answer:
    """Show the open needs of the zone, those that fit on top; filters stand in the address."""
    everything = opportunities.list_open(acting(), now())
    form = Form(request.args)
    least, most = form.wan("least", required=False), form.wan("most", required=False)
    purpose = paging.chosen("purpose", Purpose)
    rows = [
        row
        for row in everything
        if (purpose is None or row.need.purpose is purpose)
        and (least is None or row.need.amount >= least)
        and (most is None or row.need.amount <= most)
        and (not form.flag("fits") or row.fitting > 0)
        and (not form.flag("unanswered") or not row.own_bids)
    ]
    part = paging.asked(SORTS, "-fit")
    # Sorting keeps the order of equals: within each group the need closing first stays on top.
    rows.sort(key=SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "opportunities", request.args["export"], COLUMNS, [_cells(row) for row in rows]
        )
    tomorrow = now() + timedelta(hours=24)
    soon = sum(1 for row in everything if row.need.closes_at is not None and row.need.closes_at < tomorrow)
    return render_template(
        "institution/opportunities.html",
        page=paging.slice_rows(rows, part),
        form=form,
        purposes=list(Purpose),
        total=len(everything),
        fitting=sum(1 for row in everything if row.fitting),
        soon=soon,
        unanswered=sum(1 for row in everything if row.fitting and not row.own_bids),
        securities=lambda need: labels.label_all(Security, need.securities),
        near=opportunities.list_near(rows),
        waiting=drawdowns.list_waiting(acting()),
        has_products=bool(opportunities.list_biddable(acting())),
        standing=admissions.find(int(acting().organisation_id or 0), by=acting(), now=now()),
    )


@page.get("/opportunities/<int(max=2147483647):need_id>")
@allows(*ROLES)
def opportunities_show(need_id: int) -> Answer:
    """Show one need with everything a lender may know of it, and the form for a bid."""
    opportunity = opportunities.find(need_id, by=acting(), now=now())
    product = _choose(opportunity, request.args.get("product_id", type=int))
    values = {}
    if product is not None and opportunity.is_open(now()):
        values = bid_form.open_with(opportunity.need, product, _room(opportunity, product))
        former = _find_former(opportunity, product)
        if former is not None:
            _, content, _ = bids.read_own(former.id, by=acting(), sealer=current_app.extensions["sealer"])
            values = bid_form.open_again(values, content, opportunity.need, product)
    form = bid_form.make(values, product)
    return _show(opportunity, product, form)


@page.post("/opportunities/<int(max=2147483647):need_id>")
@allows(Capability.INSTITUTION_BIDDER)
def opportunities_bid(need_id: int) -> Answer:
    """Place a sealed bid and hand out its receipt; or change the form, or show what it would cost."""
    opportunity = opportunities.find(need_id, by=acting(), now=now())
    product = _choose(opportunity, request.form.get("product_id", type=int))
    if product is None:
        raise not_found("product", request.form.get("product_id", ""))
    form = bid_form.make(request.form, product)
    step = request.form.get("step")
    if step == "add_fee":
        bid_form.add_fee(form)
    elif step == "take_over":
        bid_preview.take_over(form)
    if step in {"add_fee", "take_over"}:
        return _show(opportunity, product, form)
    if step in {"preview", "what_if"}:
        # A browser without scripts asks with a button for what others are shown as they type.
        seen = bid_preview.look(need_id, form, product, moved=step == "what_if")
        return _show(opportunity, product, form, seen)
    quote = bid_form.read(form, product)
    bid = form.run(
        bids.place, need_id, quote, by=acting(), now=now(), sealer=current_app.extensions["sealer"]
    )
    if bid is None:
        return _show(opportunity, product, form)
    sealed = gettext("Your bid is placed and sealed. This is its receipt: keep it.")
    posted = gettext("Your bid is placed. This is its receipt: keep it.")
    flash(sealed if bid.state is BidState.SEALED else posted, "done")
    return redirect(url_for("institution.bids_show", bid_id=bid.id), 303)


@page.post("/opportunities/<int(max=2147483647):need_id>/preview")
@allows(*ROLES)
def opportunities_preview(need_id: int) -> Answer:
    """Price what stands in the form, as it is typed; nothing is stored."""
    opportunity = opportunities.find(need_id, by=acting(), now=now())
    product = _choose(opportunity, request.form.get("product_id", type=int))
    if product is None:
        raise not_found("product", request.form.get("product_id", ""))
    form = bid_form.make(request.form, product)
    moved = request.form.get("step") == "what_if"
    return render_template(
        "institution/preview_answer.html",
        form=form,
        need=opportunity.need,
        **bid_preview.look(need_id, form, product, moved=moved),
    )


def _show(
    opportunity: Opportunity, product: Product | None, form: Form, seen: Mapping[str, Any] | None = None
) -> Answer:
    need = opportunity.need
    facts = fitting.describe(need, local_date(now()))
    bidding = need_words.describe_bidding(need)
    score = purchasers.read_score(need.contract) if need.contract else None
    offered = invoice_claims.list_offered(need)
    return form.page(
        "institution/opportunity.html",
        opportunity=opportunity,
        need=need,
        facts=facts,
        product=product,
        is_open=opportunity.is_open(now()),
        bidding=bidding,
        changes=need_words.describe_changes(need.id),
        questions=questions.list_for(need.id, by=acting()),
        questions_open=questions.is_open(need, now()),
        asking=Form(),
        former=_find_former(opportunity, product),
        room=_room(opportunity, product) if product is not None else None,
        offered=offered,
        offered_room=invoice_claims.read_room(offered, product.contract_ratio if product else None),
        is_debtor_shown=receivables.is_debtor_shown,
        record=purchasers.read_record(need.contract, local_date(now())) if need.contract else None,
        score=score,
        said=purchasers.say(score) if score is not None else None,
        standing=contract_loans.read_standing(need.contract) if need.contract else None,
        going=opportunities.read_going_rate(need.zone_id, need.purpose, now()),
        fee_rows=range(bid_form.count_fees(form)),
        step_rows=range(bid_form.count_steps(form)),
        intervals=[(str(int(interval)), labels.label(interval)) for interval in Interval],
        guarantees=[
            (str(row.id), f"{elements.named(row.organisation)} · {elements.named(row)}")
            for row in guarantees.list_listed(need.zone_id)
        ],
        may_add=bid_form.count_fees(form) < bid_form.MOST_FEES,
        flat=bid_form.FLAT,
        floating=product is not None and bid_form.is_floating(product),
        binds_until=bids.earliest_validity(need, bidding.number if bidding is not None else 1),
        mistyped=form.flag("confirmed") or any(f.code is Code.LOOKS_MISTYPED for f in form.faults),
        securities=labels.label_all(Security, need.securities),
        accepts=labels.label_all(OfferKind, need.accepts),
        tags=gettext(", ").join(explanations.tag(code) for code in sorted(facts["tags"])),
        is_seen=seen is not None,
        **(seen or {}),
    )


def _choose(opportunity: Opportunity, product_id: int | None) -> Product | None:
    """Return the own product asked for; else the one already bid with, else the one that fits best."""
    for fit in opportunity.fits:
        if fit.product.id == product_id:
            return fit.product
    if not opportunity.fits or product_id is not None:
        return None
    if opportunity.own_bids:
        return opportunity.own_bids[0].product
    # A need against a contract is what contract loans are for, even where another product fits as well.
    apt = [fit for fit in opportunity.fits if fit.fits and opportunity.need.contract_id is not None]
    apt = [fit for fit in apt if fit.product.family is ProductFamily.CONTRACT]
    return (apt or opportunity.fits)[0].product


def _find_former(opportunity: Opportunity, product: Product | None) -> Bid | None:
    """Return the own bid with the same product, which a new one would replace."""
    return next((bid for bid in opportunity.own_bids if product and bid.product_id == product.id), None)


def _room(opportunity: Opportunity, product: Product) -> int | None:
    """Return what the contract behind a need can carry at the product's ratio, in fen; None without one."""
    contract = opportunity.need.contract
    return None if contract is None else needs.read_room(contract.id, product.contract_ratio or needs.WHOLE)


def _cells(row: Opportunity) -> list[Any]:
    need = row.need
    return [
        need.id,
        elements.named(need.organisation) if need.shows_name else gettext("not shown"),
        need.purpose,
        need.amount,
        need.months,
        labels.label_all(Security, need.securities),
        gettext("yes") if need.contract_id else gettext("no"),
        row.fitting,
        gettext(", ").join(str(bid.id) for bid in row.own_bids),
        need.closes_at,
    ]
