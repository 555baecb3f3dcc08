"""Alerts: what an officer or lender must look at, and what was done about it."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows, signed_in
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.terms import show_facts
from market.vocabulary import AlertKind, Capability
from models.alert import Alert as Row
from services import alerts

alert_routes = Blueprint("alerts", __name__, "What somebody must look at.")

#: Figures in an alert's details that are kept in fen.
_AMOUNTS = frozenset({"amount", "paid"})


class AlertAnswer(Answer):
    """An alert."""

    id = fields.Count()
    kind = fields.Word(AlertKind)
    subject = fields.Said(metadata={"example": "loan:1"})
    contract_id = fields.Count(allow_none=True)
    loan_id = fields.Count(allow_none=True)
    details = fields.Facts()
    raised_at = fields.Moment()
    resolved_at = fields.Moment(allow_none=True)
    resolution = fields.Said(allow_none=True)


class Resolution(Body):
    """What was done."""

    resolution = fields.Text(most=300, required=True)


@alert_routes.route("/alerts")
class Alerts(MethodView):
    """Open alerts."""

    @alert_routes.doc(operationId="listAlerts")
    @alert_routes.arguments(Page, location="query")
    @alert_routes.response(200, page_of(AlertAnswer, "AlertPage"))
    @signed_in
    def get(self, page: dict[str, Any]) -> Any:
        """List the open alerts that concern the caller."""
        found = cut(alerts.list_open(access.acting()), page)
        return {**found, "items": [show(row) for row in found["items"]]}


@alert_routes.route(f"/alerts/<{fields.ID}:alert_id>/resolve")
class AlertResolution(MethodView):
    """Closing an alert."""

    @alert_routes.doc(operationId="resolveAlert")
    @alert_routes.arguments(Resolution)
    @alert_routes.response(200, AlertAnswer)
    @allows(Capability.OFFICER, Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], alert_id: int) -> Any:
        """Close an alert, saying what was done."""
        return show(alerts.resolve(alert_id, data["resolution"], by=access.acting(), now=access.now()))


def show(row: Row) -> dict[str, Any]:
    """Return an alert, amounts of its details in yuan."""
    plain = {name: getattr(row, name) for name in AlertAnswer().fields if name != "details"}
    return {**plain, "details": show_facts(row.details, _AMOUNTS)}
