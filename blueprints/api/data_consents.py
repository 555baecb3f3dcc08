"""Leave to read: which institutions a firm lets read its procurement records, how much and until when."""

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
from market.bureau_vocabulary import ConsentScope
from market.vocabulary import Capability
from services import data_consents

consent_routes = Blueprint(
    "consents", __name__, "Leave that a firm gives institutions to read its procurement records."
)

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


class ConsentEntry(Body):
    """Who may read what, until when."""

    institution_id = fields.Id(
        "An institution of the zone; null: every bank whose agreement with the zone is in force.",
        allow_none=True,
        load_default=None,
    )
    scope = fields.Word(
        ConsentScope,
        "`contracts`: awards and contracts; `payments`: the purchasers' payments as well.",
        required=True,
    )
    valid_until = fields.Day("The last day of it, at most three years away.", required=True)


class ConsentAnswer(Answer):
    """A leave to read, standing or over."""

    id = fields.Count()
    institution = fields.Part(OrganisationBrief, "Null: every bank under agreement.", allow_none=True)
    scope = fields.Word(ConsentScope)
    valid_until = fields.Day()
    given_at = fields.Moment()
    revoked_at = fields.Moment(allow_none=True)


@consent_routes.route("/data-consents")
class Consents(MethodView):
    """The firm's leaves."""

    @consent_routes.doc(operationId="listDataConsents")
    @consent_routes.arguments(Page, location="query")
    @consent_routes.response(200, page_of(ConsentAnswer, "DataConsentPage"))
    @allows(*FIRM)
    def get(self, page: dict[str, Any]) -> Any:
        """List what the firm allowed, standing or over."""
        return cut(data_consents.list_own(access.acting()), page)

    @consent_routes.doc(operationId="giveDataConsent")
    @consent_routes.arguments(ConsentEntry)
    @consent_routes.response(201, ConsentAnswer)
    @allows(*FIRM)
    def post(self, data: dict[str, Any]) -> Any:
        """Let an institution, or every bank under agreement, read the firm's records.

        It takes the place of one that stands for the same institution.
        """
        return data_consents.give(**data, by=access.acting(), now=access.now())


@consent_routes.route(f"/data-consents/<{fields.ID}:consent_id>/revoke")
class ConsentRevocation(MethodView):
    """Taking a leave back."""

    @consent_routes.doc(operationId="revokeDataConsent")
    @consent_routes.response(200, ConsentAnswer)
    @allows(*FIRM)
    def post(self, consent_id: int) -> Any:
        """Take a leave back: from now on nobody reads by it."""
        return data_consents.revoke(consent_id, by=access.acting(), now=access.now())
