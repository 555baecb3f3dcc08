"""An institution's own bids: what was sent, the receipt that proves it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import rfc8785
from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints import cautions, disclosure, endings, explanations, low_prices
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import need_words, paging
from blueprints.web.forms import Form
from market import cost
from market.vocabulary import BidState, Capability
from services import (
    bid_content,
    bids,
    fees,
    justifications,
    need_changes,
    outcomes,
    review_records,
    syndicates,
    visibility,
)
from services.exchange.offers import read_offer
from services.outcomes import Outcome

Answer = Any

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
SORTS: dict[str, Callable[[Outcome], Any]] = {
    "receipt": lambda row: row.bid.receipt_at,
    "deadline": lambda row: row.bid.need.closes_at,
    "amount": lambda row: row.amount or 0,
    "cost": lambda row: (row.effective is None, row.effective or 0),
}
COLUMNS = (
    Column(lazy_gettext("Bid"), Kind.NUMBER),
    Column(lazy_gettext("Need"), Kind.NUMBER),
    Column(lazy_gettext("Product")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("All-in annual cost"), Kind.RATE),
    Column(lazy_gettext("Own rank"), Kind.NUMBER),
    Column(lazy_gettext("Bids ranked"), Kind.NUMBER),
    Column(lazy_gettext("Best annual cost"), Kind.RATE),
    Column(lazy_gettext("Winning annual cost"), Kind.RATE),
    Column(lazy_gettext("What became of it")),
    Column(lazy_gettext("Received"), Kind.MOMENT),
    Column(lazy_gettext("Valid until"), Kind.MOMENT),
    Column(lazy_gettext("Receipt hash")),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/bids", view_func=bids_list, endpoint="bids")
    page.add_url_rule("/bids/<int(max=9007199254740991):bid_id>", view_func=bids_show)
    page.add_url_rule("/bids/<int(max=9007199254740991):bid_id>/receipt.txt", view_func=bids_receipt)
    page.add_url_rule(
        "/bids/<int(max=9007199254740991):bid_id>/withdraw", view_func=bids_withdraw, methods=["POST"]
    )
    page.add_url_rule(
        "/bids/<int(max=9007199254740991):bid_id>/justification", view_func=bids_justify, methods=["POST"]
    )


@allows(*ROLES)
def bids_list() -> Answer:
    """Show the institution's bids with their states and, after the opening, how they stand."""
    everything = outcomes.list_own(acting(), sealer=current_app.extensions["sealer"])
    state = paging.chosen("state", BidState)
    rows = [row for row in everything if state is None or row.bid.state is state]
    part = paging.asked(SORTS, "-receipt")
    rows.sort(key=SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond("bids", request.args["export"], COLUMNS, [_cells(row) for row in rows])
    counts = {state: sum(1 for row in everything if row.bid.state is state) for state in BidState}
    return render_template(
        "institution/bids.html",
        page=paging.slice_rows(rows, part),
        total=len(everything),
        counts=counts,
        state=state,
        states=[state for state in BidState if counts[state]],
        endings=endings,
    )


@allows(*ROLES)
def bids_show(bid_id: int) -> Answer:
    """Show the receipt of one own bid: content, salt and hash, and how anybody can check them."""
    return _show(bid_id, Form())


@allows(*ROLES)
def bids_receipt(bid_id: int) -> Response:
    """Hand out the receipt as a file whose SHA-256 is the receipt hash."""
    bid, content, salt = bids.read_own(bid_id, by=acting(), sealer=current_app.extensions["sealer"])
    body = salt.encode() + b"\n" + rfc8785.dumps(content)
    response = Response(body, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="bid-{bid.id}-receipt.txt"'
    return response


@allows(Capability.INSTITUTION_BIDDER)
def bids_withdraw(bid_id: int) -> Answer:
    """Withdraw an own bid before the close."""
    form = Form(request.form)
    bid = form.run(bids.withdraw, bid_id, by=acting(), now=now())
    if bid is None:
        return _show(bid_id, form)
    flash(gettext("The bid is withdrawn. It will not be opened."), "done")
    return redirect(url_for("institution.bids_show", bid_id=bid_id), 303)


@allows(Capability.INSTITUTION_BIDDER)
def bids_justify(bid_id: int) -> Answer:
    """Say why an own bid that is held back is as low as it is."""
    form = Form(request.form, labels={"text": gettext("Why the price is so low")})
    text = form.text("text", most=justifications.TEXT_MOST)
    row = form.run(justifications.write, bid_id, text, by=acting(), now=now())
    if row is None:
        return _show(bid_id, form)
    flash(gettext("Your reasons are sent. An officer of the zone decides on them."), "done")
    return redirect(url_for("institution.bids_show", bid_id=bid_id, _anchor="justification"), 303)


def _show(bid_id: int, form: Form) -> Answer:
    sealer = current_app.extensions["sealer"]
    bid, content, salt = bids.read_own(bid_id, by=acting(), sealer=sealer)
    terms = read_offer(content["offer"], "offer")
    priced = cost.price(terms)
    (outcome,) = outcomes.describe([bid], sealer=sealer)
    chance = need_changes.find_chance(bid, by=acting(), now=now(), sealer=sealer)
    return form.page(
        "institution/bid.html",
        bid=bid,
        outcome=outcome,
        review=review_records.find_for_bid(bid.id),
        chance=chance,
        differences=need_words.describe(chance.differences) if chance is not None else [],
        is_shown=visibility.may_see(bid.need, acting()),
        content=content,
        canonical=rfc8785.dumps(content).decode(),
        salt=salt,
        terms=terms,
        priced=priced,
        cost_parts=disclosure.rows(priced),
        reason="" if bid.state in {BidState.REFUSED, BidState.VOIDED} else explanations.rank(bid.reason),
        ending=endings.bid(outcome.why),
        cautions=cautions.fees(fees.warn_bid(bid, terms.fees)),
        declared=None if content["declared_rate"] is None else Decimal(content["declared_rate"]),
        say_low=low_prices.say,
        may_withdraw=bids.may_withdraw(bid, now()),
        least=bid_content.read_least(content),
        taken=syndicates.find_taken(bid),
    )


def _cells(row: Outcome) -> list[Any]:
    bid = row.bid
    return [
        bid.id,
        bid.need_id,
        bid.product.name_zh,
        bid.state,
        row.amount,
        row.months,
        row.effective,
        bid.rank,
        row.ranked,
        row.best,
        row.winning,
        endings.bid(row.why),
        bid.receipt_at,
        bid.valid_until,
        bid.receipt_hash,
    ]
