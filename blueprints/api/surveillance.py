"""Surveillance: what stands out in a zone's bidding, for officers and auditors."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from market.vocabulary import Capability
from services import surveillance

surveillance_routes = Blueprint("surveillance", __name__, "Patterns in bidding.")

_MOST = 100_000


class Span(Body):
    """How far back to look."""

    days = fields.Number(
        "How many days back.", least=1, most=surveillance.DAYS_MOST, load_default=surveillance.DAYS_USUAL
    )


class IdenticalAnswer(Answer):
    """Bids of different institutions on one need that cost the same."""

    need = fields.Count("The need's number.")
    bids = fields.Many(fields.Count(), most=_MOST)
    effective = fields.Rate("Their all-in annual cost.")
    whole = fields.Flag("All terms are equal.")


class SecondAnswer(Answer):
    """An institution that comes second behind the same winner, time after time."""

    winner = fields.Count("The winner's organisation number.")
    second = fields.Count("The other's.")
    times = fields.Count("How often it came second.")
    common = fields.Count("Needs that one won and both ranked on.")


class MoveAnswer(Answer):
    """A bid replaced or withdrawn within a minute of the close."""

    bid = fields.Count()
    need = fields.Count()
    institution = fields.Count()
    at = fields.Moment()
    closed_at = fields.Moment()
    withdrawn = fields.Flag("Withdrawn, not replaced.")


class OneControllerAnswer(Answer):
    """Organisations under one controller that met on a need."""

    need = fields.Count()
    controller = fields.Said()
    organisations = fields.Many(fields.Count(), most=_MOST)


class OpeningAnswer(Answer):
    """A request of staff to open sealed bids early."""

    need_id = fields.Count()
    reason = fields.Said()
    asked_by = fields.Count("User number.")
    asked_at = fields.Moment()
    decided_by = fields.Count("User number.", allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    agreed = fields.Flag(allow_none=True)


class ReportAnswer(Answer):
    """What stands out; needs still in bidding are left out."""

    since = fields.Moment()
    days = fields.Count()
    needs_count = fields.Count("Biddings looked at.")
    bids_count = fields.Count("Bids in them.")
    identical = fields.Many(fields.Part(IdenticalAnswer), most=_MOST)
    seconds = fields.Many(fields.Part(SecondAnswer), most=_MOST)
    late_moves = fields.Many(fields.Part(MoveAnswer), most=_MOST)
    controllers = fields.Many(fields.Part(OneControllerAnswer), most=_MOST)
    openings = fields.Many(fields.Part(OpeningAnswer), most=_MOST)


@surveillance_routes.route("/surveillance")
class Surveillance(MethodView):
    """The report."""

    @surveillance_routes.doc(operationId="getSurveillance")
    @surveillance_routes.arguments(Span, location="query")
    @surveillance_routes.response(200, ReportAnswer)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, span: dict[str, Any]) -> Any:
        """Return the patterns in the bidding of the last days."""
        return surveillance.read(by=access.acting(), now=access.now(), days=span["days"])
