"""Syndicates: several institutions that share one need, as a matching round proposes them."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.awards import FIRM, AwardAnswer, award_routes
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.vocabulary import AwardState, Capability
from services import syndicates
from services.syndicates import Part, Shown, Syndicate

#: Whatever the market holds, more institutions than this never share one need.
_MOST = 100


class PartEntry(Body):
    """A part as it was shown."""

    bid_id = fields.Id(required=True)
    shown_hash = fields.Text("The `receipt_hash` of its offer.", most=64, required=True)
    amount = fields.Money("What is taken of the offer.", required=True)


class SyndicateAcceptance(Body):
    """All parts of the syndicate as they were shown."""

    parts = fields.Many(fields.Part(PartEntry), most=_MOST, required=True)


class PartAnswer(Answer):
    """What one institution lends of a need, with what that part costs by itself."""

    bid_id = fields.Count()
    institution = fields.Part(OrganisationBrief)
    receipt_hash = fields.Said()
    amount = fields.Money()
    share = fields.Rate("Of the need's amount.")
    effective = fields.Rate("All-in annual cost of the part.", allow_none=True)
    total_cost = fields.Money(least=None)
    award_id = fields.Count("Once it was accepted.", allow_none=True)
    state = fields.Word(AwardState, "Once it was accepted.", allow_none=True)


class SyndicateAnswer(Answer):
    """The parts that share a need, the largest first; those that were declined count no more."""

    need_id = fields.Count()
    amount = fields.Money("All standing parts together.")
    missing_amount = fields.Money("What nobody lends.")
    effective = fields.Rate("Annual cost of the standing parts, weighted by amount.", allow_none=True)
    total_cost = fields.Money(least=None)
    parts = fields.Many(fields.Part(PartAnswer), most=_MOST)


class SyndicateAwards(Answer):
    """An acceptance for each part."""

    items = fields.Many(fields.Part(AwardAnswer), most=_MOST)


@award_routes.route(f"/needs/<{fields.ID}:need_id>/syndicate")
class NeedSyndicate(MethodView):
    """Several institutions for one need."""

    @award_routes.doc(operationId="getSyndicate")
    @award_routes.response(200, SyndicateAnswer)
    @allows(*FIRM, Capability.OFFICER, Capability.AUDITOR)
    def get(self, need_id: int) -> Any:
        """Return the accepted parts of a need, or else those that the last matching round proposes."""
        return show(syndicates.read(need_id, by=access.acting()))

    @award_routes.doc(operationId="acceptSyndicate")
    @award_routes.arguments(SyndicateAcceptance)
    @award_routes.response(201, SyndicateAwards)
    @allows(*FIRM)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Accept all proposed parts of one's own need at once; opens a loan for each.

        A second person confirms, or rejects, all of them with any one of the awards.
        """
        parts = [Shown(part["bid_id"], part["shown_hash"], part["amount"]) for part in data["parts"]]
        return {"items": syndicates.accept(need_id, parts, by=access.acting(), now=access.now())}


def show(syndicate: Syndicate) -> dict[str, Any]:
    """Return a syndicate with its parts."""
    return {
        "need_id": syndicate.need.id,
        "amount": syndicate.amount,
        "missing_amount": syndicate.missing,
        "effective": syndicate.effective,
        "total_cost": syndicate.total_cost,
        "parts": [_show_part(syndicate, part) for part in syndicate.parts],
    }


def _show_part(syndicate: Syndicate, part: Part) -> dict[str, Any]:
    return {
        "bid_id": part.bid.id,
        "institution": part.bid.organisation,
        "receipt_hash": part.bid.receipt_hash,
        "amount": part.amount,
        "share": syndicate.share(part),
        "effective": part.cost.effective,
        "total_cost": part.cost.total_cost,
        "award_id": part.award.id if part.award is not None else None,
        "state": part.award.state if part.award is not None else None,
    }
