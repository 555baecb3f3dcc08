"""Admission: institutions let into the zone, suspended and reinstated by its officers."""

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
from market.admission import AdmissionState
from market.vocabulary import Capability, OrganisationKind
from services import admissions, enrolment
from services.admissions import NUMBER_MOST, REASON_MOST, Papers, Standing

admission_routes = Blueprint("admissions", __name__, "Which institutions may bid, and on which papers.")

WATCHERS = (Capability.OFFICER, Capability.AUDITOR)
BIDDERS = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


class AdmissionAnswer(Answer):
    """Where an institution stands in the zone."""

    organisation = fields.Part(OrganisationBrief)
    state = fields.Word(AdmissionState)
    licence_number = fields.Said(allow_none=True)
    agreement_number = fields.Said(allow_none=True)
    agreement_until = fields.Day("The last day on which it may bid.", allow_none=True)
    days_left = fields.Whole("Negative once it is over.", least=-100_000, allow_none=True)
    admitted_at = fields.Moment(allow_none=True)
    suspended_at = fields.Moment(allow_none=True)
    suspended_because = fields.Said(allow_none=True)


class AdmissionPage(Page):
    """Which institutions."""

    state = fields.Word(AdmissionState, "Only those that stand so.")


class PapersEntry(Body):
    """What an institution is admitted on."""

    licence_number = fields.Text(most=NUMBER_MOST, required=True, metadata={"example": "B0001H"})
    agreement_number = fields.Text(most=NUMBER_MOST, required=True)
    agreement_until = fields.Day("Its last day.", required=True)


class EnrolmentEntry(PapersEntry):
    """A new institution with its papers."""

    kind = fields.Word(OrganisationKind, "An institution's kind.", required=True)
    credit_code = fields.Text("Unified social credit code.", most=40, required=True)
    name_zh = fields.Text("Registered name.", most=120, required=True)


class SuspensionEntry(Body):
    """Why an institution is suspended."""

    reason = fields.Text("The institution is told.", most=REASON_MOST, required=True)


@admission_routes.route("/admissions")
class Admissions(MethodView):
    """The institutions of the zone."""

    @admission_routes.doc(operationId="listAdmissions")
    @admission_routes.arguments(AdmissionPage, location="query")
    @admission_routes.response(200, page_of(AdmissionAnswer, "AdmissionPageAnswer"))
    @allows(*WATCHERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the institutions with a seat in the zone, with their papers."""
        rows = admissions.list_institutions(by=access.acting(), now=access.now())
        wanted = query.get("state")
        page = cut([row.seat for row in rows if wanted is None or row.state is wanted], query)
        return {**page, "items": [show(admissions.read(seat, access.now())) for seat in page["items"]]}

    @admission_routes.doc(operationId="enrolInstitution")
    @admission_routes.arguments(EnrolmentEntry)
    @admission_routes.response(201, AdmissionAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Give an institution a seat in the zone and admit it; it is registered if nobody knows it."""
        kind, code, name = data.pop("kind"), data.pop("credit_code"), data.pop("name_zh")
        row = enrolment.enrol(kind, code, name, Papers(**data), by=access.acting(), now=access.now())
        return read(row.id)


@admission_routes.route("/admission")
class OwnAdmission(MethodView):
    """The caller's own admission."""

    @admission_routes.doc(operationId="getAdmission")
    @admission_routes.response(200, AdmissionAnswer)
    @allows(*BIDDERS)
    def get(self) -> Any:
        """Return where the caller's institution stands in the zone."""
        return read(access.acting().organisation_id or 0)


@admission_routes.route(f"/members/<{fields.ID}:organisation_id>/admission")
class MemberAdmission(MethodView):
    """One institution's admission."""

    @admission_routes.doc(operationId="admitInstitution")
    @admission_routes.arguments(PapersEntry)
    @admission_routes.response(201, AdmissionAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Admit an institution that has a seat: from now on it may list products and bid."""
        admissions.admit(organisation_id, Papers(**data), by=access.acting(), now=access.now())
        return read(organisation_id)

    @admission_routes.doc(operationId="renewAdmission")
    @admission_routes.arguments(PapersEntry)
    @admission_routes.response(200, AdmissionAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Record the papers that follow on those on record, or correct these; a suspension stays."""
        admissions.renew(organisation_id, Papers(**data), by=access.acting(), now=access.now())
        return read(organisation_id)


@admission_routes.route(f"/members/<{fields.ID}:organisation_id>/suspension")
class MemberSuspension(MethodView):
    """One institution's suspension."""

    @admission_routes.doc(operationId="suspendInstitution")
    @admission_routes.arguments(SuspensionEntry)
    @admission_routes.response(201, AdmissionAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Keep an institution from bidding; its waiting bids stay out of openings, its loans go on."""
        admissions.suspend(organisation_id, data["reason"], by=access.acting(), now=access.now())
        return read(organisation_id)

    @admission_routes.doc(operationId="reinstateInstitution")
    @admission_routes.response(200, AdmissionAnswer)
    @allows(Capability.OFFICER)
    def delete(self, organisation_id: int) -> Any:
        """End a suspension."""
        admissions.reinstate(organisation_id, by=access.acting(), now=access.now())
        return read(organisation_id)


def read(organisation_id: int) -> dict[str, Any]:
    """Return where one institution stands now."""
    return show(admissions.find(organisation_id, by=access.acting(), now=access.now()))


def show(row: Standing) -> dict[str, Any]:
    """Return where an institution stands, with what is on record of it."""
    made = {"organisation": row.seat.organisation, "state": row.state, "days_left": row.days_left}
    plain = {name: getattr(row.seat, name) for name in AdmissionAnswer().fields if name not in made}
    return {**plain, **made}
