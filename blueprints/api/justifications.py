"""Justifications: what bidders say about unusually low bids, and what an officer decides."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import BIDDERS, bid_routes
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market.bidding_vocabulary import Decision
from market.vocabulary import BidState, Capability
from models.bid import Justification as Row
from services import justifications


class JustificationEntry(Body):
    """Why a bid is as low as it is."""

    text = fields.Text(most=justifications.TEXT_MOST, required=True)


class JustificationDecision(Body):
    """What an officer decides."""

    decision = fields.Word(Decision, required=True)
    note = fields.Text("Why.", most=justifications.NOTE_MOST, required=True)


class Grounds(Answer):
    """The figures that held a bid back."""

    rule = fields.Said("`mean` of the other bids, or the `next` dearer one.")
    cost = fields.Rate("The bid's own annual cost.")
    against = fields.Rate("What it was held against.")
    below = fields.Rate("By which share it lies below.")


class JustificationAnswer(Answer):
    """A bid held for its low price."""

    bid_id = fields.Count()
    need_id = fields.Count()
    state = fields.Word(BidState, "The bid's.")
    grounds = fields.Part(Grounds)
    asked_at = fields.Moment()
    due_at = fields.Moment("Until when the bidder may explain; without a word it is refused.")
    text = fields.Said(allow_none=True)
    written_at = fields.Moment(allow_none=True)
    decision = fields.Word(Decision, allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    note = fields.Said(allow_none=True)


class JustificationQuery(Page):
    """Which justifications."""

    decided = fields.FlagNumber("Those decided instead of those to decide.")


@bid_routes.route("/justifications")
class Justifications(MethodView):
    """The zone's low bids."""

    @bid_routes.doc(operationId="listJustifications")
    @bid_routes.arguments(JustificationQuery, location="query")
    @bid_routes.response(200, page_of(JustificationAnswer, "JustificationPage"))
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, query: dict[str, Any]) -> Any:
        """List the bids held for their low price, those due first on top; or those decided, newest first."""
        decided = query.pop("decided", False)
        found = cut(justifications.list_zone(access.acting(), decided=decided), query)
        return {**found, "items": [show(row) for row in found["items"]]}


@bid_routes.route(f"/bids/<{fields.ID}:bid_id>/justification")
class BidJustification(MethodView):
    """The justification of one bid."""

    @bid_routes.doc(operationId="getJustification")
    @bid_routes.response(200, JustificationAnswer)
    @allows(*BIDDERS, Capability.OFFICER, Capability.AUDITOR)
    def get(self, bid_id: int) -> Any:
        """Return what a bid is held for, to its own institution, officers and auditors."""
        return show(justifications.find(bid_id, by=access.acting()))

    @bid_routes.doc(operationId="writeJustification")
    @bid_routes.arguments(JustificationEntry)
    @bid_routes.response(200, JustificationAnswer)
    @allows(Capability.INSTITUTION_BIDDER)
    def put(self, data: dict[str, Any], bid_id: int) -> Any:
        """Explain one's own held bid, within a working day; may be written anew until it is decided."""
        return show(justifications.write(bid_id, data["text"], by=access.acting(), now=access.now()))


@bid_routes.route(f"/bids/<{fields.ID}:bid_id>/justification/decision")
class JustificationDecided(MethodView):
    """The officer's word on it."""

    @bid_routes.doc(operationId="decideJustification")
    @bid_routes.arguments(JustificationDecision)
    @bid_routes.response(200, JustificationAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], bid_id: int) -> Any:
        """Let a held bid compete, or refuse it, with the reason; possible once its bidder has written."""
        sealer = current_app.extensions["sealer"]
        return show(
            justifications.decide(
                bid_id, data["decision"], data["note"], by=access.acting(), now=access.now(), sealer=sealer
            )
        )


def show(row: Row) -> dict[str, Any]:
    """Return a justification with the bid it is about."""
    made = {"need_id": row.bid.need_id, "state": row.bid.state}
    return {name: getattr(row, name) for name in JustificationAnswer().fields if name not in made} | made
