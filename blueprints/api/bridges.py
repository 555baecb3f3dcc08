"""Bridge loans: the bank's commitment to renew, the money that comes back, the turnover of a fund."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.loans import LENDER, PARTIES, RepaymentAnswer, RepaymentEntry
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.errors import not_found
from market.vocabulary import Capability
from services import bridge_rules, loans, renewals

bridge_routes = Blueprint("bridges", __name__, "Bridge loans that close their loop.")


class CommitmentEntry(Body):
    """A bank's commitment to renew the maturing loan."""

    bank_code = fields.Text("Credit code of the bank.", most=40, required=True)
    promised = fields.Money("What the bank will renew.", least=1, required=True)
    promised_by = fields.Day(required=True)
    maturing_reference = fields.Text("The loan that falls due.", most=80, required=True)
    account = fields.Text("Of the maturing loan: the bridge is paid to no other.", most=60, required=True)
    evidence = fields.Text("Reference to the commitment.", most=300, required=True)


class RenewalAnswer(Answer):
    """A commitment and what became of it."""

    loan_id = fields.Count()
    bank = fields.Part(OrganisationBrief)
    promised = fields.Money()
    promised_by = fields.Day()
    maturing_reference = fields.Said()
    account = fields.Said()
    evidence = fields.Said()
    paid_account = fields.Said("Where the bridge was paid.", allow_none=True)
    returned_on = fields.Day("When the renewal closed the loop.", allow_none=True)


class BridgeRuleEntry(Body):
    """What the zone allows of bridge loans from a day on."""

    from_on = fields.Day(required=True)
    most_share = fields.Rate("Share of the promised renewal.", required=True)
    most_days = fields.Whole("Working days.", least=1, most=bridge_rules.MOST_DAYS, required=True)
    source = fields.Text("The rule's title and number.", most=300, required=True)


class BridgeRuleAnswer(Answer):
    """A rule for bridge loans."""

    from_on = fields.Day()
    most_share = fields.Rate()
    most_days = fields.Count()
    source = fields.Said()


class TurnoverQuery(Body):
    """Which days, both included."""

    since = fields.Day(required=True)
    until = fields.Day(required=True)


class TurnoverAnswer(Answer):
    """What a bridge fund did."""

    bridges = fields.Count()
    amount = fields.Money()
    returned = fields.Count()
    average_days = fields.Said("In the mean, one decimal.", allow_none=True)
    times = fields.Said("Paid out over the limit of the fund, two decimals.", allow_none=True)


@bridge_routes.route(f"/loans/<{fields.ID}:loan_id>/renewal")
class LoanRenewal(MethodView):
    """The commitment behind a bridge."""

    @bridge_routes.doc(operationId="getRenewal")
    @bridge_routes.response(200, RenewalAnswer)
    @allows(*PARTIES)
    def get(self, loan_id: int) -> Any:
        """Return the commitment that a bridge loan leans on."""
        found = renewals.find(loans.find(loan_id, by=access.acting()).id)
        if found is None:
            raise not_found("renewal", loan_id)
        return found

    @bridge_routes.doc(operationId="commitRenewal")
    @bridge_routes.arguments(CommitmentEntry)
    @bridge_routes.response(200, RenewalAnswer)
    @allows(*LENDER)
    def put(self, data: dict[str, Any], loan_id: int) -> Any:
        """Record the bank's commitment, or correct it before anything is paid out."""
        return renewals.record_promise(
            loan_id, renewals.Commitment(**data), by=access.acting(), now=access.now()
        )


@bridge_routes.route(f"/loans/<{fields.ID}:loan_id>/renewal/return")
class RenewalReturn(MethodView):
    """The money that comes back."""

    @bridge_routes.doc(operationId="returnRenewal")
    @bridge_routes.arguments(RepaymentEntry)
    @bridge_routes.response(201, RepaymentAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Record that the bank's renewal came in: it pays the bridge back and closes the loop."""
        return renewals.record_return(loan_id, **data, by=access.acting(), now=access.now())


@bridge_routes.route("/bridges/turnover")
class BridgeTurnover(MethodView):
    """What the caller's fund did."""

    @bridge_routes.doc(operationId="getBridgeTurnover")
    @bridge_routes.arguments(TurnoverQuery, location="query")
    @bridge_routes.response(200, TurnoverAnswer)
    @allows(*LENDER)
    def get(self, query: dict[str, Any]) -> Any:
        """Return how often the fund was turned over, and after how many days its bridges came back."""
        by = access.acting()
        assert by.organisation_id is not None
        found = renewals.measure(by.organisation_id, by.zone_id, query["since"], query["until"])
        return {
            "bridges": found.bridges,
            "amount": found.amount,
            "returned": found.returned,
            "average_days": None if found.average_days is None else f"{found.average_days:f}",
            "times": None if found.times is None else f"{found.times:f}",
        }


@bridge_routes.route("/bridges/rules")
class BridgeRules(MethodView):
    """What a zone allows."""

    @bridge_routes.doc(operationId="setBridgeRule")
    @bridge_routes.arguments(BridgeRuleEntry)
    @bridge_routes.response(200, BridgeRuleAnswer)
    @allows(Capability.OFFICER)
    def put(self, data: dict[str, Any]) -> Any:
        """Set the largest share of a renewal and the most working days, from a day on."""
        return bridge_rules.set_rule(**data, by=access.acting(), now=access.now())
