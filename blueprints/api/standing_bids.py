"""Standing bids: products that answer needs by themselves, started and stopped by their institution."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import BIDDERS, BidAnswer, bid_routes
from blueprints.api.bids import show as show_bid
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market.calendar import local_date
from market.vocabulary import Capability
from models.bid import StandingBid as Row
from services import outcomes, standing_bids


class StandingBidTerms(Body):
    """What a standing bid may do: `rate` and `floor_rate` for a fixed price, `spread` and `floor_spread` for
    a floating one."""

    rate = fields.Rate("Asked at first, per year.", allow_none=True)
    floor_rate = fields.Rate("The least it goes down to where it is outbid.", allow_none=True)
    spread = fields.Whole(
        "Asked at first, in basis points over the LPR.", least=-10_000, most=10_000, allow_none=True
    )
    floor_spread = fields.Whole("The least it goes down to.", least=-10_000, most=10_000, allow_none=True)
    cap = fields.Money("The most for one need.", required=True)
    daily_budget = fields.Money("The most that it bids for in one day in Shanghai.", required=True)
    is_firm = fields.Flag("False for bids that are subject to approval after the award.", load_default=True)


class StandingBidEntry(StandingBidTerms):
    """A standing bid to start, on one of the institution's own products."""

    product_id = fields.Id(required=True)


class StandingBidAnswer(Answer):
    """A standing bid."""

    id = fields.Count()
    product_id = fields.Count()
    rate = fields.Rate(allow_none=True)
    floor_rate = fields.Rate(allow_none=True)
    spread = fields.Count(allow_none=True)
    floor_spread = fields.Count(allow_none=True)
    cap = fields.Money()
    daily_budget = fields.Money()
    spent_today = fields.Money("Bid for today; improvements of a bid count nothing.")
    is_firm = fields.Flag()
    created_at = fields.Moment()
    ended_at = fields.Moment("When it was stopped.", allow_none=True)


@bid_routes.route("/standing-bids")
class StandingBids(MethodView):
    """The institution's standing bids."""

    @bid_routes.doc(operationId="listStandingBids")
    @bid_routes.arguments(Page, location="query")
    @bid_routes.response(200, page_of(StandingBidAnswer, "StandingBidPage"))
    @allows(*BIDDERS)
    def get(self, page: dict[str, Any]) -> Any:
        """List the standing bids of one's institution, stopped ones too."""
        found = cut(standing_bids.list_own(access.acting()), page)
        return {**found, "items": [show(row) for row in found["items"]]}

    @bid_routes.doc(operationId="startStandingBid")
    @bid_routes.arguments(StandingBidEntry)
    @bid_routes.response(201, StandingBidAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any]) -> Any:
        """Let a product answer by itself every need that it fits, for the need's whole amount and tenor.

        It bids the price asked; in anonymous bidding, and from one bid round to the next, it improves by the
        zone's step where it is outbid, down to its floor.
        """
        product_id = data.pop("product_id")
        draft = standing_bids.Draft(**data)
        return show(standing_bids.start(product_id, draft, by=access.acting(), now=access.now()))


@bid_routes.route(f"/standing-bids/<{fields.ID}:standing_bid_id>")
class StandingBid(MethodView):
    """One standing bid."""

    @bid_routes.doc(operationId="getStandingBid")
    @bid_routes.response(200, StandingBidAnswer)
    @allows(*BIDDERS)
    def get(self, standing_bid_id: int) -> Any:
        """Return a standing bid of one's institution, with what it has bid for today."""
        return show(standing_bids.find(standing_bid_id, by=access.acting()))

    @bid_routes.doc(operationId="changeStandingBid")
    @bid_routes.arguments(StandingBidTerms)
    @bid_routes.response(200, StandingBidAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def put(self, data: dict[str, Any], standing_bid_id: int) -> Any:
        """Change what a standing bid may do from its next answer on; bids it placed stand."""
        draft = standing_bids.Draft(**data)
        return show(standing_bids.change(standing_bid_id, draft, by=access.acting(), now=access.now()))

    @bid_routes.doc(operationId="stopStandingBid")
    @bid_routes.response(200, StandingBidAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def delete(self, standing_bid_id: int) -> Any:
        """Stop a standing bid; bids it placed stand and are improved no more."""
        return show(standing_bids.stop(standing_bid_id, by=access.acting(), now=access.now()))


@bid_routes.route(f"/standing-bids/<{fields.ID}:standing_bid_id>/bids")
class StandingBidBids(MethodView):
    """What a standing bid placed."""

    @bid_routes.doc(operationId="listBidsOfStandingBid")
    @bid_routes.arguments(Page, location="query")
    @bid_routes.response(200, page_of(BidAnswer, "StandingBidBidPage"))
    @allows(*BIDDERS)
    def get(self, page: dict[str, Any], standing_bid_id: int) -> Any:
        """List the bids that a standing bid placed."""
        found = cut(standing_bids.list_bids(standing_bid_id, by=access.acting()), page)
        told = outcomes.describe(found["items"], sealer=current_app.extensions["sealer"])
        return {**found, "items": [show_bid(outcome) for outcome in told]}


def show(row: Row) -> dict[str, Any]:
    """Return a standing bid with what it has spent of today's budget."""
    plain = {name: getattr(row, name) for name in StandingBidAnswer().fields if name != "spent_today"}
    return {**plain, "spent_today": standing_bids.count_spent(row, local_date(access.now()))}
