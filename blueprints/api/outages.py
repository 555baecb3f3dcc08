"""Outages: times in which the market could not be used, and the deadlines they moved."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market.vocabulary import Capability
from models.zone import Outage as Row
from services import outages

outage_routes = Blueprint("outages", __name__, "Times in which the market could not be used.")


class OutageEntry(Body):
    """An outage that the clock could not see."""

    started_at = fields.Moment(required=True)
    ended_at = fields.Moment("May be foreseen, up to seven days after the start.", required=True)
    reason = fields.Text(most=outages.REASON_MOST, required=True)


class MovedAnswer(Answer):
    """A deadline that fell into an outage."""

    subject = fields.Said("The table: `needs`, `justifications`, `reviews`, `bids`.")
    id = fields.Count("The row in it.")
    field = fields.Said("Which deadline.")
    before = fields.Moment()
    after = fields.Moment(
        "Null for what was not moved: opened already, or a bidder's own word.", allow_none=True
    )


class OutageAnswer(Answer):
    """An outage and the deadlines in it, all moved by its length."""

    id = fields.Count()
    started_at = fields.Moment()
    ended_at = fields.Moment()
    trigger = fields.Said("`clock` where the clock noticed that it stood still, else `officer`.")
    reason = fields.Said()
    recorded_at = fields.Moment()
    moved = fields.Many(fields.Part(MovedAnswer), most=1_000_000)


@outage_routes.route("/outages")
class Outages(MethodView):
    """The zone's outages."""

    @outage_routes.doc(operationId="listOutages")
    @outage_routes.arguments(Page, location="query")
    @outage_routes.response(200, page_of(OutageAnswer, "OutagePage"))
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, page: dict[str, Any]) -> Any:
        """List the outages of the zone with the deadlines they moved."""
        found = cut(outages.list_all(access.acting()), page)
        return {**found, "items": [show(row) for row in found["items"]]}

    @outage_routes.doc(operationId="declareOutage")
    @outage_routes.arguments(OutageEntry)
    @outage_routes.response(201, OutageAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Declare an outage: every deadline in it that still stands moves by its length."""
        return show(outages.declare(**data, by=access.acting(), now=access.now()))


def show(row: Row) -> dict[str, Any]:
    """Return an outage, its deadlines as moments."""
    plain = {name: getattr(row, name) for name in OutageAnswer().fields if name != "moved"}
    return {**plain, "moved": outages.read_moved(row)}
