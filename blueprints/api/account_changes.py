"""Changes of a locked payee account: asked for by supplier or lender, agreed by purchaser and lender."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import LENDER, READERS, contract_routes
from blueprints.api.parsing import Answer, Body
from market.errors import not_found
from market.ladder_vocabulary import AccountChangeState
from market.vocabulary import Capability
from services import account_changes, contracts

SUPPLIER = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
CONSENTING = (Capability.PURCHASER, Capability.INSTITUTION_APPROVER, Capability.OFFICER)


class AccountChangeEntry(Body):
    """Another account than the locked one."""

    payee_account = fields.Text("The account that is to be locked instead.", most=40, required=True)
    payee_bank = fields.Text(most=120, load_default=None, allow_none=True)
    reason = fields.Text(most=300, required=True)
    evidence = fields.Text("Number of the supplementary agreement.", most=300, required=True)


class ConsentRefusal(Body):
    """Why consent is refused."""

    why = fields.Text(required=True, most=300)


class AccountChangeAnswer(Answer):
    """A wish to change a locked account; the account changes with the second consent."""

    id = fields.Count()
    contract_id = fields.Count()
    state = fields.Word(AccountChangeState)
    old_account = fields.Said()
    new_account = fields.Said()
    new_bank = fields.Said(allow_none=True)
    reason = fields.Said()
    evidence = fields.Said()
    requested_at = fields.Moment()
    purchaser_agreed_at = fields.Moment(allow_none=True)
    lender_agreed_at = fields.Moment(allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    why = fields.Said("Of a refusal.", allow_none=True)
    published_at = fields.Moment("When it took effect and was published.", allow_none=True)


class AccountChangeList(Answer):
    """The changes of one contract's account."""

    items = fields.Many(fields.Part(AccountChangeAnswer), "Newest first.", most=10_000)


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/account-changes")
class AccountChanges(MethodView):
    """Changes of the locked account."""

    @contract_routes.doc(operationId="listAccountChanges")
    @contract_routes.response(200, AccountChangeList)
    @allows(*READERS)
    def get(self, contract_id: int) -> Any:
        """List the changes of a contract's account: to its two sides, its lender and the officers."""
        by = access.acting()
        contract = contracts.find(contract_id, by=by)
        if not account_changes.may_see(contract, by=by):
            raise not_found("contract", contract_id)
        return {"items": account_changes.list_all(contract, by=by)}

    @contract_routes.doc(operationId="requestAccountChange")
    @contract_routes.arguments(AccountChangeEntry)
    @contract_routes.response(201, AccountChangeAnswer)
    @allows(*SUPPLIER, *LENDER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Ask that a locked account becomes another one; by supplier or lender, one wish at a time."""
        return account_changes.request(contract_id, **data, by=access.acting(), now=access.now())


@contract_routes.route(f"/account-changes/<{fields.ID}:change_id>/agree")
class AccountChangeConsent(MethodView):
    """Consent."""

    @contract_routes.doc(operationId="agreeAccountChange")
    @contract_routes.response(200, AccountChangeAnswer)
    @allows(*CONSENTING)
    def post(self, change_id: int) -> Any:
        """Consent for the purchaser or the lender; with the second consent the account changes.

        Whoever asked and the two who consent are three people. An officer files the consent of a purchaser
        that is not registered here.
        """
        return account_changes.agree(change_id, by=access.acting(), now=access.now())


@contract_routes.route(f"/account-changes/<{fields.ID}:change_id>/refuse")
class AccountChangeRefusal(MethodView):
    """Refused consent."""

    @contract_routes.doc(operationId="refuseAccountChange")
    @contract_routes.arguments(ConsentRefusal)
    @contract_routes.response(200, AccountChangeAnswer)
    @allows(*CONSENTING)
    def post(self, data: dict[str, Any], change_id: int) -> Any:
        """Refuse consent for the purchaser or the lender: the account stays what it is."""
        return account_changes.refuse(change_id, **data, by=access.acting(), now=access.now())


@contract_routes.route(f"/account-changes/<{fields.ID}:change_id>/withdraw")
class AccountChangeWithdrawal(MethodView):
    """A wish taken back."""

    @contract_routes.doc(operationId="withdrawAccountChange")
    @contract_routes.response(200, AccountChangeAnswer)
    @allows(*SUPPLIER, *LENDER)
    def post(self, change_id: int) -> Any:
        """Take an open wish back; by the organisation that had it."""
        return account_changes.withdraw(change_id, by=access.acting(), now=access.now())
