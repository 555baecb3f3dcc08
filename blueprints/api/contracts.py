"""Procurement contracts: the registry, the ladder of the contract loan, the purchaser's payments."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contract_views import (
    ContractAnswer,
    ContractDetail,
    PaymentAnswer,
    StepAnswer,
    show,
    show_step,
    show_whole,
)
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, page_of
from blueprints.api.parsing import Body
from market.vocabulary import Capability, ContractStage
from services import contract_loans, contract_steps, contracts

contract_routes = Blueprint(
    "contracts", __name__, "Procurement contracts and the ladder of the contract loan."
)

READERS = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.PURCHASER,
    Capability.OFFICER,
    Capability.AUDITOR,
)
LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


class PlanEntry(Body):
    """A payment the purchaser owes."""

    due_on = fields.Day(required=True)
    amount = fields.Money(required=True)


class ContractEntry(Body):
    """A signed contract."""

    process_id = fields.Text("Number of the procurement.", most=160, required=True)
    number = fields.Text("Number of the contract.", most=160, required=True)
    title = fields.Text(most=400, required=True)
    amount = fields.Money(required=True)
    purchaser_code = fields.Text("Credit code of the purchaser.", most=40, required=True)
    supplier_code = fields.Text("Credit code of the supplier.", most=40, required=True)
    signed_on = fields.Day(required=True)
    ends_on = fields.Day(allow_none=True)
    retention = fields.Money("Kept back by the purchaser.")
    payment_days = fields.Whole("Days to pay after acceptance, at most 60.", most=60, allow_none=True)
    accepted_on = fields.Day(allow_none=True)
    plan = fields.Many(fields.Part(PlanEntry), "Payment plan; sums to the amount.", most=200)
    project_number = fields.Text("Number of the procurement project.", most=160, allow_none=True)
    plan_number = fields.Text("Filing number of the procurement plan.", most=160, allow_none=True)
    package_number = fields.Text("Package of the project.", most=80, allow_none=True)
    agency = fields.Text("The procurement agency.", most=300, allow_none=True)
    budget_unit_code = fields.Text("The purchaser's budget unit.", most=40, allow_none=True)
    funding_source = fields.Text(most=80, allow_none=True)
    prepayment_ratio = fields.Rate("Share of the amount paid in advance.", allow_none=True)
    delivered_on = fields.Day(allow_none=True)


class ContractQuery(Page):
    """Which contracts."""

    stage = fields.Word(ContractStage)
    search = fields.Text("Part of number, title, supplier or purchaser.", most=80)
    financeable = fields.FlagNumber("Only those that can (`true`) or cannot (`false`) be financed.")


class StepEntry(Body):
    """One rung of the ladder."""

    stage = fields.Word(ContractStage, required=True)
    happened_on = fields.Day(required=True)
    evidence = fields.Text(
        "The paper with its number. Required for `filed` (record number) and `account_locked` (supplementary"
        " agreement).",
        most=300,
    )
    payee_account = fields.Text("For `account_locked`: the one account the purchaser may pay into.", most=40)
    payee_bank = fields.Text(most=120)
    pledge_number = fields.Text("For `pledge_registered`.", most=60)
    pledge_expires_on = fields.Day("For `pledge_registered`.")
    published_on = fields.Day("For `filed`: when the contract was published.")


class PaymentEntry(Body):
    """A payment by the purchaser."""

    transaction_id = fields.Text("Makes the payment recordable once only.", most=200, required=True)
    amount = fields.Money(required=True)
    paid_on = fields.Day(
        "A payment without a date raises an alert and settles nothing.", allow_none=True, load_default=None
    )
    payee_account = fields.Text("The account it went to.", most=40, allow_none=True)
    payer = fields.Text(most=300, allow_none=True)
    payee = fields.Text(most=300, allow_none=True)


class StepRefusal(Body):
    """Why a waiting step is turned down."""

    why = fields.Text(required=True, most=300)


class DeliveryAcceptance(Body):
    """When the purchaser accepted delivery."""

    accepted_on = fields.Day(required=True)


@contract_routes.route("/contracts")
class Contracts(MethodView):
    """Contracts the caller may see."""

    @contract_routes.doc(operationId="listContracts")
    @contract_routes.arguments(ContractQuery, location="query")
    @contract_routes.response(200, page_of(ContractAnswer, "ContractPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the contracts one supplies, buys or finances; officers see all of the zone."""
        by, limit = access.acting(), query["limit"]
        rows = contracts.find_page(
            by,
            stage=query.get("stage"),
            financeable=query.get("financeable"),
            search=query.get("search", ""),
            before_id=query.get("after"),
            most=limit + 1,
        ).rows
        items = [show(row, by) for row in rows[:limit]]
        return {"items": items, "next": rows[limit - 1].id if len(rows) > limit else None}

    @contract_routes.doc(operationId="registerContract")
    @contract_routes.arguments(ContractEntry)
    @contract_routes.response(201, ContractDetail)
    @allows(Capability.ENTERPRISE_MAKER, Capability.PURCHASER, Capability.OFFICER)
    def post(self, data: dict[str, Any]) -> Any:
        """Enter a signed contract by hand: its supplier, its purchaser or an officer.

        What its supplier enters has the obstacle ``unconfirmed`` until purchaser or officer confirm it.
        """
        plan = [(line["due_on"], line["amount"]) for line in data.pop("plan", [])]
        by = access.acting()
        return show_whole(contracts.register(contracts.Entry(**data, plan=plan), by=by, now=access.now()), by)


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>")
class Contract(MethodView):
    """One contract."""

    @contract_routes.doc(operationId="getContract")
    @contract_routes.response(200, ContractDetail)
    @allows(*READERS)
    def get(self, contract_id: int) -> Any:
        """Return a contract with its ladder and payments.

        An institution that is asked to lend on it, but does not lend, sees neither the supplier nor what
        names it.
        """
        by = access.acting()
        return show_whole(contracts.find(contract_id, by=by), by)


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/steps")
class ContractSteps(MethodView):
    """The ladder."""

    @contract_routes.doc(operationId="recordStep")
    @contract_routes.arguments(StepEntry)
    @contract_routes.response(201, StepAnswer)
    @allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, *LENDER, Capability.OFFICER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Record one step with its evidence.

        The lender records lock, pledge and their release; the supplier or an officer signing and filing, the
        latter also of late. An account lock counts only after another person confirmed it. No step is dated
        before those under it.
        """
        return show_step(contract_steps.record(contract_id, **data, by=access.acting(), now=access.now()))


@contract_routes.route(f"/steps/<{fields.ID}:step_id>/confirm")
class StepConfirmation(MethodView):
    """The second person."""

    @contract_routes.doc(operationId="confirmStep")
    @contract_routes.response(200, StepAnswer)
    @allows(Capability.PURCHASER, Capability.INSTITUTION_APPROVER, Capability.OFFICER)
    def post(self, step_id: int) -> Any:
        """Confirm an account lock as a second person: purchaser, lender's approver or officer."""
        return show_step(contract_steps.confirm(step_id, by=access.acting(), now=access.now()))


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/payments")
class ContractPayments(MethodView):
    """The purchaser's payments."""

    @contract_routes.doc(operationId="recordPayment")
    @contract_routes.arguments(PaymentEntry)
    @contract_routes.response(201, PaymentAnswer)
    @allows(Capability.PURCHASER, *LENDER, Capability.OFFICER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Record a purchaser's payment; it settles the contract's loans, oldest first.

        A payment into another account than the locked one settles nothing and raises an alert.
        """
        payment = contract_loans.Payment(**data)
        return contract_loans.record_payment(contract_id, payment, by=access.acting(), now=access.now())


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/confirmation")
class ContractConfirmation(MethodView):
    """Vouching for a contract."""

    @contract_routes.doc(operationId="confirmContract")
    @contract_routes.response(200, ContractDetail)
    @allows(Capability.PURCHASER, Capability.OFFICER)
    def post(self, contract_id: int) -> Any:
        """Vouch that a contract its supplier entered is real, so that it can be financed."""
        by = access.acting()
        return show_whole(contracts.confirm(contract_id, by=by, now=access.now()), by)


@contract_routes.route(f"/steps/<{fields.ID}:step_id>/reject")
class StepRejection(MethodView):
    """Turning a waiting step down."""

    @contract_routes.doc(operationId="rejectStep")
    @contract_routes.arguments(StepRefusal)
    @contract_routes.response(200, StepAnswer)
    @allows(Capability.PURCHASER, *LENDER, Capability.OFFICER)
    def post(self, data: dict[str, Any], step_id: int) -> Any:
        """Turn a waiting step down, or take back one's own, saying why; it can be recorded anew."""
        return show_step(contract_steps.reject(step_id, **data, by=access.acting(), now=access.now()))


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/acceptance")
class ContractAcceptance(MethodView):
    """Acceptance of delivery."""

    @contract_routes.doc(operationId="noteAcceptance")
    @contract_routes.arguments(DeliveryAcceptance)
    @contract_routes.response(200, ContractDetail)
    @allows(Capability.PURCHASER, Capability.OFFICER)
    def post(self, data: dict[str, Any], contract_id: int) -> Any:
        """Record that the purchaser accepted delivery: the statutory payment term starts."""
        by = access.acting()
        row = contracts.note_acceptance(contract_id, data["accepted_on"], by=by, now=access.now())
        return show_whole(row, by)
