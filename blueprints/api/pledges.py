"""Pledge registrations of a contract: which stands, which stood, and a renewal."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import LENDER, READERS, contract_routes
from blueprints.api.parsing import Answer, Body
from market.calendar import local_date
from market.errors import not_found
from market.ladder_vocabulary import PledgeEnd
from services import account_changes, contracts, pledges


class PledgeEntry(Body):
    """A registration that takes the place of the standing one."""

    number = fields.Text("The same number if it was only extended.", most=60, required=True)
    registered_on = fields.Day(required=True)
    expires_on = fields.Day(required=True)
    evidence = fields.Text(most=300)


class PledgeAnswer(Answer):
    """A registration in the movable-asset registry."""

    id = fields.Count()
    number = fields.Said()
    registered_on = fields.Day()
    expires_on = fields.Day()
    evidence = fields.Said()
    ended_at = fields.Moment("Null of the standing one.", allow_none=True)
    ended_why = fields.Word(PledgeEnd, allow_none=True)


class PledgeList(Answer):
    """The registrations of one contract."""

    items = fields.Many(fields.Part(PledgeAnswer), "Newest first.", most=10_000)
    loan_ends_on = fields.Day(
        "When the last live loan ends, were it drawn today: the pledge should not expire before.",
        allow_none=True,
    )


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/pledges")
class Pledges(MethodView):
    """Registrations."""

    @contract_routes.doc(operationId="listPledges")
    @contract_routes.response(200, PledgeList)
    @allows(*READERS)
    def get(self, contract_id: int) -> Any:
        """List the registrations of a contract: to its two sides, its lender and the officers."""
        by = access.acting()
        contract = contracts.find(contract_id, by=by)
        if not account_changes.may_see(contract, by=by):
            raise not_found("contract", contract_id)
        return {
            "items": pledges.list_all(contract.id),
            "loan_ends_on": pledges.find_loan_end(contract.id, local_date(access.now())),
        }

    @contract_routes.doc(operationId="renewPledge")
    @contract_routes.arguments(PledgeEntry)
    @contract_routes.response(201, PledgeAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Renew the standing registration: under a new number, or for longer; the former stays on record."""
        return pledges.renew(contract_id, **data, by=access.acting(), now=access.now())
