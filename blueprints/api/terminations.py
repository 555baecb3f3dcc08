"""Contracts that end early."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import contract_routes
from blueprints.api.parsing import Answer, Body
from market.vocabulary import Capability
from services import terminations


class TerminationEntry(Body):
    """How a contract ended early."""

    terminated_on = fields.Day(required=True)
    reason = fields.Text(most=300, required=True)
    evidence = fields.Text("The notice with its number.", most=300, required=True)


class TerminationAnswer(Answer):
    """The early end of a contract."""

    id = fields.Count()
    contract_id = fields.Count()
    terminated_on = fields.Day()
    reason = fields.Said()
    evidence = fields.Said()
    recorded_at = fields.Moment()


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/termination")
class ContractTermination(MethodView):
    """The early end."""

    @contract_routes.doc(operationId="terminateContract")
    @contract_routes.arguments(TerminationEntry)
    @contract_routes.response(201, TerminationAnswer)
    @allows(Capability.PURCHASER, Capability.OFFICER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Record that a contract ended early; by its purchaser or an officer.

        It cannot be financed any more and its lender is alerted; loans on it stay what they are.
        """
        return terminations.terminate(contract_id, **data, by=access.acting(), now=access.now())
