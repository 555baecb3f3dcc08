"""The pages anybody may read: what the market is, what is on its shelf, and what an offer would cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from blueprints import access
from blueprints import disclosure as sheet
from blueprints.access import public
from blueprints.web import account_notices, calculator, paging, registration
from blueprints.web.forms import Form
from market.calendar import local_date
from market.errors import not_found
from market.vocabulary import OrganisationKind, ProductFamily, Security
from models.product import Product
from models.zone import Zone
from services import board, examples, lpr, products

Answer = str | Response | tuple[str, int]

NEWEST = 4
SORTS = ("cost", "newest", "amount")

page = Blueprint("public", __name__)
account_notices.init(page)
calculator.init(page)
registration.init(page)
page.record_once(lambda state: state.app.jinja_env.globals.update(sheet=sheet))


@page.get("/")
@public
def home() -> Answer:
    """Say what the market is, with its live figures, and open a door for each role."""
    zone = _zone()
    today = local_date(access.now())
    newest = sorted(products.browse(zone.id), key=lambda product: product.id, reverse=True)
    priced = examples.price_all(newest, today=today)
    # The newest of each kind: a lender that lists a whole shelf at once must not fill the page alone.
    first_of_kind = {product.family: product for product in reversed(newest) if product.id in priced}
    shown = sorted(first_of_kind.values(), key=lambda product: product.id, reverse=True)[:NEWEST]
    figures = board.read_figures(zone.id)
    base = lpr.read_table().row(today)
    months = board.read_months(zone.id, today)
    return render_template(
        "public/home.html",
        zone=zone,
        figures=figures,
        over_lpr=None if figures.effective is None else figures.effective - base.one_year,
        base=base,
        months=months,
        labels=[month.month.isoformat()[:7] for month in months],
        newest=shown,
        examples=priced,
    )


@page.get("/products")
@public
def product_list() -> Answer:
    """Show the supermarket of products; filters and order stand in the address."""
    zone = _zone()
    form = Form(request.args)
    amount, months = (
        form.wan("amount", required=False),
        form.whole("months", required=False, least=1, most=360),
    )
    found = products.browse(
        zone.id,
        family=paging.chosen("family", ProductFamily),
        seller=paging.chosen("seller", OrganisationKind),
        security=paging.chosen("security", Security),
        amount=amount or None,
        months=months,
    )
    priced = examples.price_all(
        found,
        today=local_date(access.now()),
        amount=amount or examples.USUAL_AMOUNT,
        months=months or examples.USUAL_MONTHS,
    )
    part = paging.asked(SORTS, "cost")
    rows = sorted(found, key=_orders(priced)[part.sort], reverse=part.descending)
    return form.page(
        "public/products.html",
        zone=zone,
        page=paging.slice_rows(rows, part),
        examples=priced,
        families=sorted(
            {product.family for product in products.browse(zone.id)}, key=list(ProductFamily).index
        ),
        sellers=[kind for kind in OrganisationKind if kind in _sellers(zone)],
        amount=amount,
        months=months,
        sort=part.sort,
        usual=(examples.USUAL_AMOUNT, examples.USUAL_MONTHS),
    )


@page.get("/products/<int(max=2147483647):product_id>")
@public
def product_show(product_id: int) -> Answer:
    """Show one product: its annual cost for an amount and tenor, its fees and its conditions in words."""
    zone = _zone()
    product = products.find(product_id, zone.id)
    form = Form(request.args)
    amount, months = (
        form.wan("amount", required=False),
        form.whole("months", required=False, least=1, most=360),
    )
    example = examples.price(
        product,
        today=local_date(access.now()),
        amount=amount or examples.USUAL_AMOUNT,
        months=months or examples.USUAL_MONTHS,
    )
    if example is not None:
        form.values.setdefault("amount", f"{Decimal(example.principal) / 1_000_000:f}")
        form.values.setdefault("months", example.months)
    return form.page(
        "public/product.html",
        product=product,
        example=example,
        was_moved=example is not None
        and (
            (amount or example.principal) != example.principal or (months or example.months) != example.months
        ),
        cost_parts=sheet.rows(example.lowest) if example is not None else [],
    )


def _zone() -> Zone:
    zone = access.current_zone()
    if zone is None:
        raise not_found("zone", "default")
    return zone


def _sellers(zone: Zone) -> set[OrganisationKind]:
    return {product.organisation.kind for product in products.browse(zone.id)}


def _orders(priced: dict[int, examples.Example]) -> dict[str, Any]:
    """Return the sort keys by name; what has no annual cost comes last among the cheapest."""

    def by_cost(product: Product) -> tuple[bool, Decimal, int]:
        example = priced.get(product.id)
        effective = example.lowest.effective if example is not None else None
        return effective is None, effective or Decimal(0), product.id

    return {
        "cost": by_cost,
        "newest": lambda product: -product.id,
        "amount": lambda product: (-product.amount_max, product.id),
    }
