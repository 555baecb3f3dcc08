"""The board: key figures of a zone, its funnel and its months."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows, public
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from blueprints.api.products import ZoneQuery, find_zone
from market.calendar import local_date
from market.vocabulary import Capability
from services import board

board_routes = Blueprint("board", __name__, "Figures of a zone.")


class FiguresAnswer(Answer):
    """Key figures of a zone over all time."""

    institutions = fields.Count()
    products = fields.Count()
    firms = fields.Count()
    needs = fields.Count()
    needs_amount = fields.Money()
    open_needs = fields.Count()
    answered_share = fields.Rate("Closed needs with a bid.", allow_none=True)
    three_bids_share = fields.Rate("Closed needs with three bids or more.", allow_none=True)
    deals = fields.Count()
    deal_firms = fields.Count("Distinct firms.")
    awarded_amount = fields.Money()
    drawn_amount = fields.Money()
    outstanding = fields.Money()
    average_amount = fields.Money(allow_none=True)
    effective = fields.Rate("All-in annual cost of deals, weighted by amount.", allow_none=True)
    saving = fields.Rate("How far deals lie under the mean of their offers.", allow_none=True)
    unsecured_share = fields.Rate(allow_none=True)
    median_working_days = fields.Count("From publication to drawdown.", allow_none=True)
    overdue_loans = fields.Count()
    overdue_share = fields.Rate(allow_none=True)
    elsewhere = fields.Count("Deals closed off the platform, in no figure above.")
    elsewhere_amount = fields.Money()
    contracts = fields.Count()
    contract_loans = fields.Count()
    open_alerts = fields.Count()


class FunnelStep(Answer):
    """One step of the funnel."""

    name = fields.Said("`published`, `answered`, `three_bids`, `awarded` or `drawn`.")
    times = fields.Count("Events.")
    firms = fields.Count("Distinct firms.")
    amount = fields.Money()


class Funnel(Answer):
    """From needs to money."""

    items = fields.Many(fields.Part(FunnelStep))


class MonthAnswer(Answer):
    """One month of deals."""

    month = fields.Day("Its first day.")
    deals = fields.Count()
    amount = fields.Money()
    effective = fields.Rate(allow_none=True)
    lpr_1y = fields.Rate("At the month's end.")


class Months(Answer):
    """Months, oldest first."""

    items = fields.Many(fields.Part(MonthAnswer))


class MonthQuery(Body):
    """How many months."""

    count = fields.Number("Months up to this one.", least=1, most=60, load_default=12)


@board_routes.route("/board/figures")
class BoardFigures(MethodView):
    """Key figures."""

    @board_routes.doc(operationId="getFigures")
    @board_routes.arguments(ZoneQuery, location="query")
    @board_routes.response(200, FiguresAnswer)
    @board_routes.alt_response(404, "NOT_FOUND")
    @public
    def get(self, query: dict[str, Any]) -> Any:
        """Return the key figures of a zone; they name nobody."""
        return board.read_figures(find_zone(query.get("zone")))


@board_routes.route("/board/funnel")
class BoardFunnel(MethodView):
    """The funnel."""

    @board_routes.doc(operationId="getFunnel")
    @board_routes.response(200, Funnel)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self) -> Any:
        """Return the way from needs to money: published, answered, three bids, awarded, drawn."""
        return {"items": board.read_funnel(access.acting().zone_id)}


@board_routes.route("/board/months")
class BoardMonths(MethodView):
    """Months."""

    @board_routes.doc(operationId="getMonths")
    @board_routes.arguments(MonthQuery, location="query")
    @board_routes.response(200, Months)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, query: dict[str, Any]) -> Any:
        """Return deals month by month beside the LPR."""
        return {"items": board.read_months(access.acting().zone_id, local_date(access.now()), query["count"])}
