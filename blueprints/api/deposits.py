"""Deposits of procurement, and the guarantees that replace them."""

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
from market.procurement_vocabulary import DepositForm, DepositKind, DepositState
from market.vocabulary import Capability
from services import deposit_demands, deposits
from services.deposit_demands import PROJECT_MOST
from services.deposits import NOTE_MOST, NUMBER_MOST

deposit_routes = Blueprint("deposits", __name__, "Deposits of procurement, and guarantees in their place.")

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
PURCHASERS = (Capability.PURCHASER, Capability.OFFICER)
READERS = (
    *FIRM,
    *PURCHASERS,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.AUDITOR,
)


class DepositEntry(Body):
    """A deposit demanded for exactly one of a contract, an award or a project."""

    kind = fields.Word(DepositKind, required=True)
    amount = fields.Money(required=True)
    contract_id = fields.Id(allow_none=True)
    award_notice_id = fields.Id(allow_none=True)
    project_number = fields.Text(
        "With `supplier_code`: bids are still made.", most=PROJECT_MOST, allow_none=True
    )
    supplier_code = fields.Text(most=40, allow_none=True)
    note = fields.Text(most=NOTE_MOST)


class DepositDay(Body):
    """On which day."""

    on = fields.Day(required=True)


class GuaranteeRequest(Body):
    """Who is asked to stand in."""

    guarantor_id = fields.Id(required=True)


class GuaranteeEntry(Body):
    """A letter of guarantee."""

    guarantee_number = fields.Text(most=NUMBER_MOST, required=True)
    valid_until = fields.Day("Its last day.", required=True)


class GuaranteeRefusal(Body):
    """Why a guarantor declines."""

    why = fields.Text("The supplier is told.", most=NOTE_MOST, required=True)


class BidDepositEntry(Body):
    """Whether the zone does without deposits of bidders."""

    abolished = fields.Flag(required=True)


class BidDepositAnswer(Answer):
    """Whether the zone does without deposits of bidders."""

    abolished = fields.Flag()


class DepositAnswer(Answer):
    """A deposit."""

    id = fields.Count()
    kind = fields.Word(DepositKind)
    state = fields.Word(DepositState)
    contract_id = fields.Count(allow_none=True)
    award_notice_id = fields.Count(allow_none=True)
    project_number = fields.Said(allow_none=True)
    supplier = fields.Part(OrganisationBrief)
    purchaser_name = fields.Said(allow_none=True)
    amount = fields.Money()
    form = fields.Word(DepositForm, allow_none=True)
    paid_on = fields.Day(allow_none=True)
    returned_on = fields.Day(allow_none=True)
    guarantor = fields.Part(OrganisationBrief, allow_none=True)
    guarantee_number = fields.Said(allow_none=True)
    valid_until = fields.Day(allow_none=True)
    released_on = fields.Day(allow_none=True)
    note = fields.Said()
    demanded_at = fields.Moment()


@deposit_routes.route("/deposits")
class Deposits(MethodView):
    """Deposits one gives, holds or guarantees."""

    @deposit_routes.doc(operationId="listDeposits")
    @deposit_routes.arguments(Page, location="query")
    @deposit_routes.response(200, page_of(DepositAnswer, "DepositPage"))
    @allows(*READERS)
    def get(self, page: dict[str, Any]) -> Any:
        """List one's deposits; officers see all of the zone."""
        return cut(deposits.list_for(access.acting()), page)

    @deposit_routes.doc(operationId="demandDeposit")
    @deposit_routes.arguments(DepositEntry)
    @deposit_routes.response(201, DepositAnswer)
    @allows(*PURCHASERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Demand a deposit; the supplier is told."""
        return deposit_demands.demand(deposit_demands.Entry(**data), by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/payment")
class DepositPayment(MethodView):
    """The deposit in cash."""

    @deposit_routes.doc(operationId="recordDepositPayment")
    @deposit_routes.arguments(DepositDay)
    @deposit_routes.response(200, DepositAnswer)
    @allows(*PURCHASERS)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Record that the supplier gave the deposit in cash."""
        return deposits.record_cash(deposit_id, data["on"], by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/guarantee-request")
class DepositRequest(MethodView):
    """Asking a guarantor."""

    @deposit_routes.doc(operationId="askForGuarantee")
    @deposit_routes.arguments(GuaranteeRequest)
    @deposit_routes.response(200, DepositAnswer)
    @allows(*FIRM)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Ask a guarantor to stand in for one's own deposit."""
        return deposits.ask(deposit_id, data["guarantor_id"], by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/guarantee-refusal")
class DepositRefusal(MethodView):
    """A guarantor that declines."""

    @deposit_routes.doc(operationId="declineGuarantee")
    @deposit_routes.arguments(GuaranteeRefusal)
    @deposit_routes.response(200, DepositAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Turn down the request, saying why."""
        return deposits.decline(deposit_id, data["why"], by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/guarantee")
class DepositGuarantee(MethodView):
    """The guarantee."""

    @deposit_routes.doc(operationId="issueGuarantee")
    @deposit_routes.arguments(GuaranteeEntry)
    @deposit_routes.response(200, DepositAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Issue the guarantee that replaces the deposit; cash paid before is due back."""
        number, until = data["guarantee_number"], data["valid_until"]
        return deposits.issue(deposit_id, number, until, by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/cash-return")
class DepositReturn(MethodView):
    """Cash that goes back."""

    @deposit_routes.doc(operationId="returnDepositCash")
    @deposit_routes.arguments(DepositDay)
    @deposit_routes.response(200, DepositAnswer)
    @allows(*PURCHASERS)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Record that cash went back to the supplier."""
        return deposits.return_cash(deposit_id, data["on"], by=access.acting(), now=access.now())


@deposit_routes.route(f"/deposits/<{fields.ID}:deposit_id>/release")
class DepositRelease(MethodView):
    """The end of a deposit."""

    @deposit_routes.doc(operationId="releaseDeposit")
    @deposit_routes.arguments(DepositDay)
    @deposit_routes.response(200, DepositAnswer)
    @allows(*PURCHASERS)
    def post(self, data: dict[str, Any], deposit_id: int) -> Any:
        """Release a deposit, or the guarantee in its place."""
        return deposits.release(deposit_id, data["on"], by=access.acting(), now=access.now())


@deposit_routes.route("/bid-deposits")
class BidDeposits(MethodView):
    """Whether bidders give deposits."""

    @deposit_routes.doc(operationId="abolishBidDeposits")
    @deposit_routes.arguments(BidDepositEntry)
    @deposit_routes.response(200, BidDepositAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any]) -> Any:
        """Let the zone do without deposits of bidders, or with them again."""
        zone = deposit_demands.abolish_bid_deposits(data["abolished"], by=access.acting(), now=access.now())
        return {"abolished": zone.bid_deposits_abolished}
