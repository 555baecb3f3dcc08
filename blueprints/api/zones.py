"""Zones, their figures, and the clock of a practice zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask.views import MethodView

from blueprints import access, clock
from blueprints.access import allows, public, signed_in
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import ZoneAnswer
from market.vocabulary import Capability
from models.zone import Zone
from services import opening, zones

zone_routes = Blueprint("zones", __name__, "Marketplaces, and the clock of the caller's.")


class ZoneList(Answer):
    """Every zone."""

    items = fields.Many(fields.Part(ZoneAnswer), most=1000)


class ClockAnswer(Answer):
    """The time in the caller's zone."""

    zone = fields.Part(ZoneAnswer)
    now = fields.Moment("The zone's time, by which deadlines count.")
    next_deadline = fields.Moment("When the next bidding of the zone closes.", allow_none=True)


class FastForward(Body):
    """Where to move the clock."""

    until = fields.Moment("The zone's new time; must lie ahead.", required=True)


@zone_routes.route("/zones")
class Zones(MethodView):
    """All zones."""

    @zone_routes.doc(operationId="listZones")
    @zone_routes.response(200, ZoneList)
    @public
    def get(self) -> Any:
        """List the zones, the default one first."""
        return {"items": zones.list_all()}


@zone_routes.route("/clock")
class Clock(MethodView):
    """The zone's clock."""

    @zone_routes.doc(operationId="getClock")
    @zone_routes.response(200, ClockAnswer)
    @signed_in
    def get(self) -> Any:
        """Say what time it is in the caller's zone."""
        zone = access.current_zone()
        assert zone is not None, "a party acts in a zone"
        return show_clock(zone, access.now())


@zone_routes.route("/clock/fast-forward")
class ClockMove(MethodView):
    """Moving the clock."""

    @zone_routes.doc(operationId="fastForwardClock")
    @zone_routes.arguments(FastForward)
    @zone_routes.response(200, ClockAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Move a practice zone's clock forward.

        What falls due meanwhile is done by the scheduler within seconds, as if the time had passed.
        """
        by = access.acting()
        zone = zones.fast_forward(by.zone_id, data["until"], by=by, now=access.now())
        return show_clock(zone, clock.read(zone))


def show_clock(zone: Zone, now: datetime) -> dict[str, Any]:
    """Return the time in a zone, and its next deadline."""
    return {"zone": zone, "now": now, "next_deadline": opening.next_deadline(zone.id, now)}
