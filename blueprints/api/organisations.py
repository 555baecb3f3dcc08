"""Organisations: a firm signs up, keeps its profile; institutions keep limits; officers keep the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access, clock
from blueprints.access import allows, public, signed_in
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.bidding_vocabulary import LimitMode
from market.calendar import local_date
from market.vocabulary import Capability, LimitScope, OrganisationKind, SizeClass
from models.organisation import Limit
from services import limit_settings, limits, organisations, registration, reservations, zones

organisation_routes = Blueprint("organisations", __name__, "Firms, institutions and the zone's member list.")


class SignUp(Body):
    """A firm and its first person."""

    credit_code = fields.Text("Unified social credit code of the firm.", most=40, required=True)
    name_zh = fields.Text("Registered name.", most=120, required=True)
    username = fields.Text("User name of the first person.", most=80, required=True)
    password = fields.Text("At least ten characters.", most=200, required=True, load_only=True)
    person = fields.Text("Name of the first person.", most=80)
    zone = fields.Text("Code of the zone to join; the default zone if left out.", most=32)


class SignedUp(Answer):
    """The account that was opened; get a token with it."""

    username = fields.Said()
    name = fields.Said()


class Profile(Body):
    """What an organisation says of itself; only what is sent is changed."""

    name_zh = fields.Text(most=120)
    name_en = fields.Text(most=160, allow_none=True)
    industry = fields.Text(most=40, allow_none=True)
    size_class = fields.Word(SizeClass, allow_none=True)
    founded_on = fields.Day(allow_none=True)
    staff_count = fields.Whole(most=10_000_000, allow_none=True)
    annual_revenue = fields.Money(allow_none=True)
    net_assets = fields.Money(allow_none=True)
    tax_grade = fields.Text("A, B, M, C or D.", most=1, allow_none=True)
    dual_control = fields.Flag("Whether a second person must confirm an acceptance.")


class TagAnswer(Answer):
    """A qualification in force."""

    code = fields.Said(metadata={"example": "high_tech"})
    issuer = fields.Said()
    valid_from = fields.Day()
    valid_to = fields.Day(allow_none=True)


class OrganisationAnswer(OrganisationBrief):
    """An organisation with what it says of itself."""

    industry = fields.Said(allow_none=True)
    size_class = fields.Word(SizeClass, allow_none=True)
    founded_on = fields.Day(allow_none=True)
    staff_count = fields.Count(allow_none=True)
    annual_revenue = fields.Money(allow_none=True)
    net_assets = fields.Money(allow_none=True, least=None)
    tax_grade = fields.Said(allow_none=True)
    dual_control = fields.Flag()
    tags = fields.Many(fields.Part(TagAnswer), most=1000)


class MemberAnswer(Answer):
    """A seat in the zone."""

    id = fields.Count("Number of the seat.")
    organisation = fields.Part(OrganisationBrief)
    joined_at = fields.Moment()
    whitelisted = fields.Flag()


class MemberPage(Page):
    """Which members."""

    kind = fields.Word(OrganisationKind, "Only this kind of organisation.")


class TagEntry(Body):
    """A qualification to record."""

    code = fields.Text(most=40, required=True, metadata={"example": "high_tech"})
    issuer = fields.Text(most=80, required=True)
    valid_from = fields.Day(required=True)
    valid_to = fields.Day(allow_none=True, load_default=None)


class WhitelistEntry(Body):
    """On or off."""

    listed = fields.Flag(required=True)


class ControllerEntry(Body):
    """Who controls an organisation in the end."""

    controller = fields.Text(
        "A person or body; null for nobody known.", most=120, required=True, allow_none=True
    )


class ControllerAnswer(Answer):
    """Who is on record."""

    controller = fields.Said(allow_none=True)


class LimitEntry(Body):
    """What an institution may have out."""

    scope = fields.Word(LimitScope, required=True)
    firm_id = fields.Id("The firm, for the scope `firm`.")
    sector = fields.Text("The borrowers' industry, for the scope `sector`.", most=40)
    purchaser_id = fields.Id("The purchaser of financed contracts, for the scope `purchaser`.")
    cap = fields.Money("May be left out for `leverage`: what the law allows on the net assets.")
    mode = fields.Word(LimitMode, "Whether live bids hold headroom; unchanged if left out.")


class LimitAnswer(Answer):
    """A limit and how much of it is used."""

    id = fields.Count()
    scope = fields.Word(LimitScope)
    firm_id = fields.Count(allow_none=True)
    sector = fields.Said(allow_none=True)
    purchaser_id = fields.Count(allow_none=True)
    mode = fields.Word(LimitMode)
    cap = fields.Money()
    used = fields.Money("Taken by awards.")
    reserved = fields.Money("Held by live bids besides, where the limit reserves.")


class LimitList(Answer):
    """The institution's limits."""

    items = fields.Many(fields.Part(LimitAnswer), most=10_000)


@organisation_routes.route("/organisations")
class Organisations(MethodView):
    """Firms that sign up."""

    @organisation_routes.doc(operationId="registerFirm")
    @organisation_routes.arguments(SignUp)
    @organisation_routes.response(201, SignedUp)
    @organisation_routes.alt_response(404, "NOT_FOUND")
    @public
    def post(self, data: dict[str, Any]) -> Any:
        """Register an enterprise with its first person, in one step."""
        code = data.get("zone")
        zone = zones.find_by_code(code) if code is not None else zones.default()
        assert zone is not None, "an upgraded database has a default zone"
        return registration.sign_up(
            data["credit_code"],
            data["name_zh"],
            data["username"],
            data["password"],
            zone_id=zone.id,
            now=clock.read(zone),
            passwords=current_app.extensions["passwords"],
            person=data.get("person", ""),
        )


@organisation_routes.route("/organisation")
class Own(MethodView):
    """The caller's organisation."""

    @organisation_routes.doc(operationId="getOrganisation")
    @organisation_routes.response(200, OrganisationAnswer)
    @signed_in
    def get(self) -> Any:
        """Return the caller's own organisation."""
        return show(organisations.find(access.acting().organisation_id or 0))

    @organisation_routes.doc(operationId="updateOrganisation")
    @organisation_routes.arguments(Profile)
    @organisation_routes.response(200, OrganisationAnswer)
    @allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, Capability.INSTITUTION_APPROVER)
    def patch(self, data: dict[str, Any]) -> Any:
        """Change what the organisation says of itself; conditions of products ask about it."""
        return show(organisations.update_profile(data, by=access.acting(), now=access.now()))


@organisation_routes.route("/limits")
class Limits(MethodView):
    """The institution's limits."""

    @organisation_routes.doc(operationId="listLimits")
    @organisation_routes.response(200, LimitList)
    @allows(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    def get(self) -> Any:
        """List the institution's limits, what is used of them and what its live bids reserve."""
        return {"items": show_limits(limits.list_for(access.acting().organisation_id or 0))}

    @organisation_routes.doc(operationId="setLimit")
    @organisation_routes.arguments(LimitEntry)
    @organisation_routes.response(200, LimitAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def put(self, data: dict[str, Any]) -> Any:
        """Set what the institution may have out: in total, to a firm or industry, on a purchaser's contracts.

        A guarantor also bounds its weighted guarantees (`leverage`).
        """
        by = access.acting()
        row = limit_settings.set_limit(by.organisation_id or 0, **data, by=by, now=access.now())
        return show_limits([row])[0]


@organisation_routes.route("/members")
class Members(MethodView):
    """The zone's members."""

    @organisation_routes.doc(operationId="listMembers")
    @organisation_routes.arguments(MemberPage, location="query")
    @organisation_routes.response(200, page_of(MemberAnswer, "MemberPageAnswer"))
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, page: dict[str, Any]) -> Any:
        """List the organisations with a seat in the zone."""
        kinds = frozenset({page["kind"]}) if "kind" in page else None
        return cut(organisations.list_members(access.acting().zone_id, kinds), page)


@organisation_routes.route(f"/members/<{fields.ID}:organisation_id>/tags")
class MemberTags(MethodView):
    """Qualifications of a member."""

    @organisation_routes.doc(operationId="addTag")
    @organisation_routes.arguments(TagEntry)
    @organisation_routes.response(201, TagAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Record a qualification of a firm."""
        return organisations.tag(organisation_id, **data, by=access.acting(), now=access.now())


@organisation_routes.route(f"/members/<{fields.ID}:organisation_id>/whitelist")
class MemberWhitelist(MethodView):
    """The zone's whitelist."""

    @organisation_routes.doc(operationId="setWhitelisted")
    @organisation_routes.arguments(WhitelistEntry)
    @organisation_routes.response(200, MemberAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Put a firm on the zone's whitelist, or take it off."""
        return organisations.whitelist(organisation_id, data["listed"], by=access.acting(), now=access.now())


@organisation_routes.route(f"/members/<{fields.ID}:organisation_id>/controller")
class MemberController(MethodView):
    """Who controls a member."""

    @organisation_routes.doc(operationId="setController")
    @organisation_routes.arguments(ControllerEntry)
    @organisation_routes.response(200, ControllerAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any], organisation_id: int) -> Any:
        """Record who controls a member in the end: limits on affiliates and surveillance lean on it."""
        return organisations.record_controller(organisation_id, **data, by=access.acting(), now=access.now())


def show_limits(rows: Sequence[Limit]) -> list[dict[str, Any]]:
    """Return limits with what live bids reserve of each."""
    sealer = current_app.extensions["sealer"]
    reserved = reservations.sum_reserved(rows, now=access.now(), sealer=sealer)
    names = [name for name in LimitAnswer().fields if name != "reserved"]
    return [
        {**{name: getattr(row, name) for name in names}, "reserved": reserved.get(row.id, 0)} for row in rows
    ]


def show(row: Any) -> dict[str, Any]:
    """Return an organisation with the qualifications in force today."""
    names = [name for name in OrganisationAnswer().fields if name != "tags"]
    tags = organisations.list_tags(row.id, local_date(access.now()))
    return {**{name: getattr(row, name) for name in names}, "tags": tags}
