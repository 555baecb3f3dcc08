"""Products: the supermarket of a zone, and an institution's own shelf."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows, public
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from blueprints.api.terms import (
    ConditionAnswer,
    ConditionEntry,
    FeeAnswer,
    Fees,
    Subsidies,
    SubsidyAnswer,
    show_condition,
)
from market.money import yuan
from market.vocabulary import (
    Capability,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProductFamily,
    RentTiming,
    Repayment,
    Security,
)
from models.product import Product as Row
from services import products, zones
from services.exchange.offers import read_fees, read_subsidies

product_routes = Blueprint("products", __name__, "Standing offers of institutions.")


class LeaseEntry(Body):
    """Usual terms of a lease."""

    rent = fields.Word(RentTiming)
    deposit = fields.Rate("Share of the principal, returned at the end.")
    buyout = fields.Money("Paid at the end.")


class ProductEntry(Body):
    """A product as an institution writes it."""

    name_zh = fields.Text(most=80, required=True)
    name_en = fields.Text(most=120, required=True)
    family = fields.Word(ProductFamily, required=True)
    pricing = fields.Word(Pricing, "How the price is stated.", required=True)
    offer = fields.Word(OfferKind, "What a bid hands out; null if no priced bid follows.", allow_none=True)
    rate_from = fields.Rate("Lowest annual rate of a fixed price.", allow_none=True)
    rate_to = fields.Rate("Highest annual rate of a fixed price.", allow_none=True)
    spread_from = fields.Whole("Basis points over the LPR.", least=-10_000, most=10_000, allow_none=True)
    spread_to = fields.Whole("Highest spread.", least=-10_000, most=10_000, allow_none=True)
    amount_min = fields.Money(required=True)
    amount_max = fields.Money(required=True)
    months_min = fields.Whole(most=600, required=True)
    months_max = fields.Whole(most=600, required=True)
    repayment = fields.Word(Repayment, allow_none=True)
    security = fields.Word(Security, required=True)
    contract_ratio = fields.Rate("Share of a contract that can be financed.", allow_none=True)
    deducts_retention = fields.Flag()
    fees = Fees("Usual fees.", raw=True)
    subsidies = Subsidies("Public subsidies that apply.", raw=True)
    conditions = fields.Many(fields.Part(ConditionEntry), "Whom the product is for.")
    lease = fields.Part(LeaseEntry, allow_none=True)
    summary_zh = fields.Text(most=400)
    summary_en = fields.Text(most=600)


class LeaseAnswer(Answer):
    """Usual terms of a lease."""

    rent = fields.Word(RentTiming)
    deposit = fields.Rate()
    buyout = fields.Said(metadata={"example": "100.00"})


class ProductAnswer(Answer):
    """A product."""

    id = fields.Count()
    institution = fields.Part(OrganisationBrief)
    listed = fields.Flag("Whether it stands in the supermarket.")
    name_zh = fields.Said()
    name_en = fields.Said()
    family = fields.Word(ProductFamily)
    pricing = fields.Word(Pricing)
    offer = fields.Word(OfferKind, allow_none=True)
    rate_from = fields.Rate(allow_none=True)
    rate_to = fields.Rate(allow_none=True)
    spread_from = fields.Count(allow_none=True)
    spread_to = fields.Count(allow_none=True)
    amount_min = fields.Money()
    amount_max = fields.Money()
    months_min = fields.Count()
    months_max = fields.Count()
    repayment = fields.Word(Repayment, allow_none=True)
    security = fields.Word(Security)
    contract_ratio = fields.Rate(allow_none=True)
    deducts_retention = fields.Flag()
    fees = fields.Many(fields.Part(FeeAnswer))
    subsidies = fields.Many(fields.Part(SubsidyAnswer))
    conditions = fields.Many(fields.Part(ConditionAnswer))
    lease = fields.Part(LeaseAnswer, allow_none=True)
    summary_zh = fields.Said()
    summary_en = fields.Said()


class ZoneQuery(Body):
    """In which zone."""

    zone = fields.Text("Code of the zone; the caller's, or the default zone, if left out.", most=32)


class Browse(Page, ZoneQuery):
    """Which products."""

    family = fields.Word(ProductFamily)
    seller = fields.Word(OrganisationKind, "Kind of institution.")
    amount = fields.Money("Products that lend this amount.")
    months = fields.Number("Products that run this long.", least=1, most=600)
    security = fields.Word(Security)


class Listing(Body):
    """On the shelf or not."""

    listed = fields.Flag(required=True)


Products = page_of(ProductAnswer, "ProductPage")


@product_routes.route("/products")
class Supermarket(MethodView):
    """Products of a zone."""

    @product_routes.doc(operationId="listProducts")
    @product_routes.arguments(Browse, location="query")
    @product_routes.response(200, Products)
    @product_routes.alt_response(404, "NOT_FOUND")
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """Browse the listed products of a zone."""
        page = {"after": query.pop("after", None), "limit": query.pop("limit")}
        return show_page(products.browse(find_zone(query.pop("zone", None)), **query), page)

    @product_routes.doc(operationId="publishProduct")
    @product_routes.arguments(ProductEntry)
    @product_routes.response(201, ProductAnswer)
    @allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any]) -> Any:
        """Put a product of one's institution on the shelf."""
        return show(products.publish(read_draft(data), by=access.acting(), now=access.now()))


@product_routes.route("/products/own")
class Shelf(MethodView):
    """The institution's own products."""

    @product_routes.doc(operationId="listOwnProducts")
    @product_routes.arguments(Page, location="query")
    @product_routes.response(200, Products)
    @allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    def get(self, page: dict[str, Any]) -> Any:
        """List the products of one's institution, unlisted ones too."""
        return show_page(products.list_own(access.acting()), page)


@product_routes.route(f"/products/<{fields.ID}:product_id>")
class Product(MethodView):
    """One product."""

    @product_routes.doc(operationId="getProduct")
    @product_routes.arguments(ZoneQuery, location="query")
    @product_routes.response(200, ProductAnswer)
    @public
    def get(self, query: dict[str, Any], product_id: int) -> Any:
        """Return a product of a zone."""
        return show(products.find(product_id, find_zone(query.get("zone"))))

    @product_routes.doc(operationId="setProductListed")
    @product_routes.arguments(Listing)
    @product_routes.response(200, ProductAnswer)
    @allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    def patch(self, data: dict[str, Any], product_id: int) -> Any:
        """Take a product off the shelf, or put it back; bids already placed stand."""
        return show(products.set_listed(product_id, data["listed"], by=access.acting(), now=access.now()))


def find_zone(code: str | None) -> int:
    """Return the number of the zone with this code, or of the caller's, or of the default one."""
    zone = zones.find_by_code(code) if code is not None else access.current_zone()
    assert zone is not None, "an upgraded database has a default zone"
    return zone.id


def read_draft(data: dict[str, Any]) -> products.Draft:
    """Return what was sent as the service's draft; a lease is stored as it is written."""
    lease = data.pop("lease", None)
    if lease is not None:
        lease = {
            "rent": lease.get("rent", RentTiming.ARREARS).value,
            "deposit": f"{lease.get('deposit', Decimal(0)):f}",
            "buyout": yuan(lease.get("buyout", 0)),
        }
    return products.Draft(**data, lease=lease)


def show(row: Row) -> dict[str, Any]:
    """Return a product in the shape of ``ProductAnswer``."""
    lease = None if row.lease is None else {"rent": "arrears", "deposit": "0", "buyout": "0.00", **row.lease}
    made = {
        "institution": row.organisation,
        "fees": read_fees(row.fees),
        "subsidies": read_subsidies(row.subsidies),
        "conditions": [show_condition(condition) for condition in row.conditions],
        "lease": lease,
    }
    plain = {name: getattr(row, name) for name in ProductAnswer().fields if name not in made}
    return {**plain, **made}


def show_page(rows: list[Row], page: dict[str, Any]) -> dict[str, Any]:
    """Return one page of products."""
    found = cut(rows, page)
    return {**found, "items": [show(row) for row in found["items"]]}
