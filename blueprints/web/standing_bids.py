"""Standing bids on an institution's shelf: which products answer by themselves, and what they did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from blueprints.access import acting, allows, now
from blueprints.web import bid_form, elements
from blueprints.web.charge_rows import percent, trim
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import Code, not_found
from market.vocabulary import Capability
from models.base import db
from models.bid import StandingBid
from models.product import Product
from services import outcomes, products, standing_bids

Answer = Any

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: More of a standing bid's bids than this stand in the list of all own bids.
MOST_SHOWN = 50


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/shelf/automatic", view_func=show_all, endpoint="shelf_automatic")
    page.add_url_rule(
        "/shelf/<int(max=2147483647):product_id>/standing",
        view_func=show,
        methods=["GET", "POST"],
        endpoint="shelf_standing",
    )


@allows(*ROLES)
def show_all() -> Answer:
    """Show which products of the institution answer by themselves, and what they have spent today."""
    running = {row.product_id: row for row in standing_bids.list_own(acting()) if row.ended_at is None}
    shown = [one for one in products.list_own(acting()) if one.offer is not None]
    today = local_date(now())
    spent = {row.id: standing_bids.count_spent(row, today) for row in running.values()}
    return render_template("institution/standing_bids.html", products=shown, running=running, spent=spent)


@allows(*ROLES)
def show(product_id: int) -> Answer:
    """Show how a product answers by itself; the approver starts it, changes it and stops it."""
    by = acting()
    product = products.find(product_id, by.zone_id)
    if product.organisation_id != by.organisation_id or product.offer is None:
        raise not_found("product", product_id)
    row = standing_bids.find_active(db.session(), product.id)
    form = _make_form(request.form if request.method == "POST" else _open_with(product, row))
    if request.method == "POST":
        by.require(Capability.INSTITUTION_APPROVER)
        said = _act(form, product, row)
        if said is not None:
            flash(said, "done")
            return redirect(url_for("institution.shelf_standing", product_id=product.id), 303)
        row = standing_bids.find_active(db.session(), product.id)
    own = [one for one in standing_bids.list_own(by) if one.product_id == product.id]
    placed = [bid for one in own for bid in standing_bids.list_bids(one.id, by=by)]
    return form.page(
        "institution/standing_bid.html",
        product=products.find(product_id, by.zone_id),
        row=row,
        floating=bid_form.is_floating(product),
        spent=0 if row is None else standing_bids.count_spent(row, local_date(now())),
        placed=outcomes.describe(placed[:MOST_SHOWN], sealer=current_app.extensions["sealer"]),
        placed_count=len(placed),
        former=[one for one in own if one.ended_at is not None],
    )


def _act(form: Form, product: Product, row: StandingBid | None) -> str | None:
    """Do what the form asks for; returns what was done, or None with the form's faults."""
    if request.form.get("step") == "stop":
        if row is None:
            form.refuse(Code.ILLEGAL_MOVE, None, state="stopped", move="stop")
            return None
        if form.run(standing_bids.stop, row.id, by=acting(), now=now()) is None:
            return None
        return gettext("It answers nothing more by itself. Bids already placed stand.")
    draft = _read(form, product)
    if row is not None:
        if form.run(standing_bids.change, row.id, draft, by=acting(), now=now()) is None:
            return None
        return gettext("Changed. It holds from the next answer on.")
    if form.run(standing_bids.start, product.id, draft, by=acting(), now=now()) is None:
        return None
    return gettext("“%(name)s” answers needs by itself from now on.", name=elements.named(product))


def _read(form: Form, product: Product) -> Any:
    price: dict[str, Any]
    if bid_form.is_floating(product):
        price = {name: form.whole(name, least=-10_000, most=10_000) for name in ("spread", "floor_spread")}
    else:
        price = {name: form.percent(name, least=0, most=100) for name in ("rate", "floor_rate")}
    draft = {
        **price,
        "cap": form.wan("cap"),
        "daily_budget": form.wan("daily_budget"),
        "is_firm": form.value("is_firm", "1") == "1",
    }
    return standing_bids.Draft(**draft) if form.ok else None


def _make_form(values: Any) -> Form:
    return Form(
        values,
        labels={
            "rate": gettext("Asked at first"),
            "floor_rate": gettext("Lowest rate"),
            "spread": gettext("Asked at first"),
            "floor_spread": gettext("Lowest points over LPR"),
            "cap": gettext("Most for one need"),
            "daily_budget": gettext("Daily budget"),
        },
    )


def _wan(fen: int) -> Decimal:
    return Decimal(fen) / 1_000_000


def _open_with(product: Product, row: StandingBid | None) -> dict[str, Any]:
    """Return what the form shows at first: the standing bid that runs, or the product's own range."""
    if row is None:
        values: dict[str, Any] = {"cap": trim(_wan(product.amount_max))}
        if bid_form.is_floating(product):
            values |= {"spread": product.spread_to, "floor_spread": product.spread_from}
        elif product.rate_from is not None and product.rate_to is not None:
            values |= {"rate": percent(product.rate_to), "floor_rate": percent(product.rate_from)}
        return {**values, "is_firm": "1"}
    values = {"cap": trim(_wan(row.cap)), "daily_budget": trim(_wan(row.daily_budget))}
    if row.rate is not None and row.floor_rate is not None:
        values |= {"rate": percent(row.rate), "floor_rate": percent(row.floor_rate)}
    else:
        values |= {"spread": row.spread, "floor_spread": row.floor_spread}
    return {**values, "is_firm": "1" if row.is_firm else "0"}
