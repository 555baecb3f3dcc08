"""Awards: the firm accepts an offer; a second person confirms where the firm asks for that."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from market.errors import not_found
from market.vocabulary import AwardState, Capability
from services import awards, needs

award_routes = Blueprint("awards", __name__, "Accepting an offer.")

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


class Acceptance(Body):
    """The offer as it was shown."""

    bid_id = fields.Id(required=True)
    shown_hash = fields.Text("The offer's `receipt_hash`.", most=64, required=True)


class AwardAnswer(Answer):
    """An acceptance."""

    id = fields.Count()
    need_id = fields.Count()
    bid_id = fields.Count()
    state = fields.Word(AwardState)
    two_people = fields.Flag("Whether a second person must confirm.")
    shown_hash = fields.Said()
    syndicated = fields.Flag("Whether it is one part of several.")
    amount = fields.Money("What is taken of the offer; null for all of it.", allow_none=True)
    accepted_at = fields.Moment()
    confirmed_at = fields.Moment("When it was confirmed or rejected.", allow_none=True)


@award_routes.route(f"/needs/<{fields.ID}:need_id>/award")
class NeedAward(MethodView):
    """The acceptance that stands on a need."""

    @award_routes.doc(operationId="getAward")
    @award_routes.response(200, AwardAnswer)
    @allows(*FIRM, Capability.OFFICER, Capability.AUDITOR)
    def get(self, need_id: int) -> Any:
        """Return the acceptance that stands on a need, waiting or confirmed; of several parts the first."""
        needs.find(need_id, by=access.acting())
        award = awards.find_for_need(need_id)
        if award is None:
            raise not_found("award", need_id)
        return award

    @award_routes.doc(operationId="acceptOffer")
    @award_routes.arguments(Acceptance)
    @award_routes.response(201, AwardAnswer)
    @allows(*FIRM)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Accept an offer of one's own need; opens the loan, or waits for the second person.

        The loan of an offer that is not firm is under review until its institution approves or declines.
        """
        return awards.accept(
            need_id, data["bid_id"], data["shown_hash"], by=access.acting(), now=access.now()
        )


@award_routes.route(f"/awards/<{fields.ID}:award_id>/confirm")
class AwardConfirmation(MethodView):
    """The second person's yes."""

    @award_routes.doc(operationId="confirmAward")
    @award_routes.response(200, AwardAnswer)
    @allows(Capability.ENTERPRISE_APPROVER)
    def post(self, award_id: int) -> Any:
        """Confirm an acceptance as the firm's second person, with all parts of its syndicate."""
        return awards.confirm(award_id, by=access.acting(), now=access.now())


@award_routes.route(f"/awards/<{fields.ID}:award_id>/reject")
class AwardRejection(MethodView):
    """The second person's no."""

    @award_routes.doc(operationId="rejectAward")
    @award_routes.response(200, AwardAnswer)
    @allows(*FIRM)
    def post(self, award_id: int) -> Any:
        """Turn an acceptance down as the second person, or take one's own back, with all its parts."""
        return awards.reject(award_id, by=access.acting(), now=access.now())
