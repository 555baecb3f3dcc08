"""Deals closed off the platform: recorded by the lender, confirmed by the borrower."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.loans import LENDER, PARTIES, LoanAnswer, LoanDetail, show, show_whole
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Body
from market.calendar import local_date
from market.ledger.book import Policy
from market.lending_vocabulary import AllocationOrder, DealKind, PrepaymentEffect
from market.vocabulary import Capability
from services import direct_deals

direct_deal_routes = Blueprint(
    "direct_deals", __name__, "Deals closed off the platform: real once the borrower has confirmed."
)

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)


class PolicyEntry(Body):
    """How the deal is kept beside its price."""

    grace_days = fields.Whole("A line paid within them bears no late interest.", most=30)
    penalty_rate = fields.Rate("Late interest a year; at most one and a half times the rate.")
    allocation = fields.Word(AllocationOrder)
    prepayment = fields.Word(PrepaymentEffect)
    is_revolving = fields.Flag()


class DirectDealEntry(Body):
    """A deal as its lender records it."""

    kind = fields.Word(DealKind, required=True)
    borrower = fields.Text("Credit code of the firm.", most=40, required=True)
    amount = fields.Money("As the terms say it.", least=1, required=True)
    evidence = fields.Text("Reference to the contract.", most=direct_deals.MOST_EVIDENCE, required=True)
    terms = fields.Facts(
        "As an offer of `POST /prices`: a loan, lease, factoring, bridge or cover. None for an investment."
    )
    months = fields.Whole("Of an investment, which has no terms.", least=1, most=direct_deals.MOST_MONTHS)
    policy = fields.Part(PolicyEntry)


class RefusalEntry(Body):
    """Why there is no such deal."""

    why = fields.Text(most=direct_deals.MOST_EVIDENCE, required=True)


@direct_deal_routes.route("/direct-deals")
class DirectDeals(MethodView):
    """Deals that wait for their borrower."""

    @direct_deal_routes.doc(operationId="listUnconfirmedDeals")
    @direct_deal_routes.arguments(Page, location="query")
    @direct_deal_routes.response(200, page_of(LoanAnswer, "UnconfirmedDealPage"))
    @allows(*PARTIES)
    def get(self, query: dict[str, Any]) -> Any:
        """List the deals of the caller that wait for a borrower's word; officers see all of the zone."""
        page = cut(direct_deals.list_waiting(access.acting()), query)
        today = local_date(access.now())
        return {**page, "items": [show(row, today) for row in page["items"]]}

    @direct_deal_routes.doc(operationId="recordDirectDeal")
    @direct_deal_routes.arguments(DirectDealEntry)
    @direct_deal_routes.response(201, LoanDetail)
    @allows(*LENDER)
    def post(self, data: dict[str, Any]) -> Any:
        """Record a deal that was closed elsewhere; nothing counts before its borrower confirms it."""
        policy = Policy(**data.pop("policy", {}))
        draft = direct_deals.Draft(borrower_code=data.pop("borrower"), policy=policy, **data)
        return show_whole(direct_deals.record(draft, by=access.acting(), now=access.now()))


@direct_deal_routes.route(f"/direct-deals/<{fields.ID}:loan_id>/confirmation")
class DirectDealConfirmation(MethodView):
    """The borrower's yes."""

    @direct_deal_routes.doc(operationId="confirmDirectDeal")
    @direct_deal_routes.response(200, LoanDetail)
    @allows(*FIRM)
    def post(self, loan_id: int) -> Any:
        """Confirm that a deal was closed as recorded; the lender's limits are taken now."""
        return show_whole(direct_deals.confirm(loan_id, by=access.acting(), now=access.now()))


@direct_deal_routes.route(f"/direct-deals/<{fields.ID}:loan_id>/refusal")
class DirectDealRefusal(MethodView):
    """The borrower's no, or the lender's taking back."""

    @direct_deal_routes.doc(operationId="refuseDirectDeal")
    @direct_deal_routes.arguments(RefusalEntry)
    @direct_deal_routes.response(200, LoanDetail)
    @allows(*FIRM, *LENDER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Say that there is no such deal, or take back what was recorded by mistake."""
        return show_whole(direct_deals.refuse(loan_id, data["why"], by=access.acting(), now=access.now()))
