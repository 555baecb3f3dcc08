"""Framework agreements: which institutions may offer contract loans, and until when."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.calendar import local_date
from market.vocabulary import Capability
from models.framework import FrameworkAgreement as Row
from services import frameworks
from services.frameworks import NUMBER_MOST, TEXT_MOST

framework_routes = Blueprint("frameworks", __name__, "Framework agreements for contract loans.")

READERS = (
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)


class FrameworkEntry(Body):
    """A framework agreement as it was signed."""

    organisation_id = fields.Id("The institution.", required=True)
    number = fields.Text(most=NUMBER_MOST, required=True)
    valid_from = fields.Day(required=True)
    valid_until = fields.Day("Its last day.", required=True)
    evidence = fields.Text("Where the paper lies.", most=TEXT_MOST, required=True)


class FrameworkEnding(Body):
    """Why an agreement is ended early."""

    reason = fields.Text("The institution is told.", most=TEXT_MOST, required=True)


class FrameworkRequirementEntry(Body):
    """Whether the zone asks for framework agreements."""

    required = fields.Flag(required=True)


class FrameworkRequirementAnswer(Answer):
    """Whether the zone asks for framework agreements."""

    required = fields.Flag()


class FrameworkAnswer(Answer):
    """A framework agreement."""

    id = fields.Count()
    organisation = fields.Part(OrganisationBrief)
    number = fields.Said()
    valid_from = fields.Day()
    valid_until = fields.Day()
    evidence = fields.Said()
    ended_on = fields.Day("From this day on it is not in force any more.", allow_none=True)
    ended_because = fields.Said(allow_none=True)
    in_force = fields.Flag("Today.")


@framework_routes.route("/framework-agreements")
class Frameworks(MethodView):
    """The agreements of the zone."""

    @framework_routes.doc(operationId="listFrameworks")
    @framework_routes.arguments(Page, location="query")
    @framework_routes.response(200, page_of(FrameworkAnswer, "FrameworkPage"))
    @allows(*READERS)
    def get(self, page: dict[str, Any]) -> Any:
        """List the agreements of the zone; an institution sees its own."""
        found = cut(frameworks.list_for(access.acting()), page)
        return {**found, "items": [show(row) for row in found["items"]]}

    @framework_routes.doc(operationId="signFramework")
    @framework_routes.arguments(FrameworkEntry)
    @framework_routes.response(201, FrameworkAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Put an agreement on record; two of one institution do not overlap."""
        number = data.pop("organisation_id")
        return show(frameworks.sign(number, frameworks.Entry(**data), by=access.acting(), now=access.now()))


@framework_routes.route(f"/framework-agreements/<{fields.ID}:agreement_id>/end")
class FrameworkEnd(MethodView):
    """Ending an agreement early."""

    @framework_routes.doc(operationId="endFramework")
    @framework_routes.arguments(FrameworkEnding)
    @framework_routes.response(200, FrameworkAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], agreement_id: int) -> Any:
        """End an agreement from today on; bids placed and loans made before stay."""
        return show(frameworks.end(agreement_id, data["reason"], by=access.acting(), now=access.now()))


@framework_routes.route("/framework-requirement")
class FrameworkRequirement(MethodView):
    """Whether contract loans need an agreement."""

    @framework_routes.doc(operationId="requireFrameworks")
    @framework_routes.arguments(FrameworkRequirementEntry)
    @framework_routes.response(200, FrameworkRequirementAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any]) -> Any:
        """Let the zone ask for a framework agreement before contract loans are offered, or not."""
        zone = frameworks.require_frameworks(data["required"], by=access.acting(), now=access.now())
        return {"required": zone.framework_required}


def show(row: Row) -> dict[str, Any]:
    """Return an agreement, with whether it is in force today."""
    plain = {name: getattr(row, name) for name in FrameworkAnswer().fields if name != "in_force"}
    return {**plain, "in_force": frameworks.is_in_force(row, local_date(access.now()))}
