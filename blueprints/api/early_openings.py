"""Early openings: asked for by one officer, agreed to by another, and told to all concerned."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import bid_routes
from blueprints.api.parsing import Answer, Body
from blueprints.api.standings import READERS
from market.vocabulary import Capability
from models.need import EarlyOpening as Row
from services import early_openings


class EarlyOpeningEntry(Body):
    """Why the bids should be opened before the close."""

    reason = fields.Text(most=early_openings.REASON_MOST, required=True)


class EarlyOpeningDecision(Body):
    """What the second officer says."""

    agreed = fields.Flag("True opens the bids at once.", required=True)


class EarlyOpeningAnswer(Answer):
    """A request to open bids early, and what became of it."""

    id = fields.Count()
    need_id = fields.Count()
    reason = fields.Said()
    asked_by = fields.Said("Name of the officer.")
    asked_at = fields.Moment()
    decided_by = fields.Said("Name of the other officer.", allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    agreed = fields.Flag(allow_none=True)


class EarlyOpeningList(Answer):
    """The requests on a need, oldest first."""

    items = fields.Many(fields.Part(EarlyOpeningAnswer))


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/early-openings")
class EarlyOpenings(MethodView):
    """Requests on a need."""

    @bid_routes.doc(operationId="listEarlyOpenings")
    @bid_routes.response(200, EarlyOpeningList)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """List the early openings of a need.

        Officers and auditors see every request, others what was agreed.
        """
        return {"items": show_all(early_openings.list_for_need(need_id, by=access.acting()))}

    @bid_routes.doc(operationId="askEarlyOpening")
    @bid_routes.arguments(EarlyOpeningEntry)
    @bid_routes.response(201, EarlyOpeningAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Ask for the bids to be opened before the close; another officer decides."""
        made = early_openings.ask(need_id, data["reason"], by=access.acting(), now=access.now())
        return show_all([made])[0]


@bid_routes.route(f"/early-openings/<{fields.ID}:request_id>/decision")
class EarlyOpeningDecided(MethodView):
    """The second officer's word."""

    @bid_routes.doc(operationId="decideEarlyOpening")
    @bid_routes.arguments(EarlyOpeningDecision)
    @bid_routes.response(200, EarlyOpeningAnswer)
    @allows(Capability.OFFICER)
    def post(self, data: dict[str, Any], request_id: int) -> Any:
        """Agree to another officer's request, which ends all bidding and opens the bids; or refuse it."""
        sealer = current_app.extensions["sealer"]
        decided = early_openings.decide(
            request_id, data["agreed"], by=access.acting(), now=access.now(), sealer=sealer
        )
        return show_all([decided])[0]


def show_all(rows: list[Row]) -> list[dict[str, Any]]:
    """Return requests with the names of their officers."""
    names = early_openings.read_names(rows)
    people = ("asked_by", "decided_by")
    return [
        {name: getattr(row, name) for name in EarlyOpeningAnswer().fields if name not in people}
        | {name: names.get(getattr(row, name) or 0) for name in people}
        for row in rows
    ]
