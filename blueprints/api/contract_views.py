"""Contracts in answers: whole for their parties, without the supplier for those who only consider lending."""

from __future__ import annotations

from typing import Any

from blueprints import access
from blueprints.api import fields
from blueprints.api.parsing import Answer
from blueprints.api.terms import show_facts
from market.ladder_vocabulary import Deadline, SideState
from market.party import Party
from market.payment_vocabulary import PaymentResolution, PaymentState
from market.vocabulary import ContractStage
from models.contract import Contract, ContractStep
from models.payment import PurchaserScore
from services import contract_loans, contracts, purchasers, side_states

_AMOUNTS = frozenset({"amount"})
#: What names the supplier, or is between supplier, purchaser and lender.
_PRIVATE = {
    "process_id": None,
    "number": None,
    # The award notice of a project is public and names who won it.
    "project_number": None,
    "plan_number": None,
    "package_number": None,
    "supplier_code": None,
    "supplier_name": None,
    "payee_account": None,
    "payee_bank": None,
    "pledge_number": None,
    "pledge_expires_on": None,
}


class ContractAnswer(Answer):
    """A procurement contract."""

    id = fields.Count()
    process_id = fields.Said(allow_none=True)
    number = fields.Said(allow_none=True)
    title = fields.Said()
    stage = fields.Word(ContractStage, "How far its contract loan is.")
    purchaser_name = fields.Said(allow_none=True)
    purchaser_code = fields.Said(allow_none=True)
    supplier_name = fields.Said("Null for institutions that do not lend on it.", allow_none=True)
    supplier_code = fields.Said(allow_none=True)
    amount = fields.Money(allow_none=True)
    currency = fields.Said(allow_none=True)
    retention = fields.Money()
    payment_days = fields.Count(allow_none=True)
    late_rate = fields.Rate("Yearly rate of late interest as agreed; null: by law.", allow_none=True)
    delivered_on = fields.Day(allow_none=True)
    inspection_days = fields.Count("Days to inspect; then delivery counts as accepted.", allow_none=True)
    pay_when_paid = fields.Flag("A clause to pay only once paid stands in it; such a clause is void.")
    signed_on = fields.Day(allow_none=True)
    published_on = fields.Day("When the contract was published, if that is on record.", allow_none=True)
    ends_on = fields.Day(allow_none=True)
    project_number = fields.Said("Number of the procurement project.", allow_none=True)
    plan_number = fields.Said("Filing number of the procurement plan.", allow_none=True)
    package_number = fields.Said(allow_none=True)
    agency = fields.Said("The procurement agency.", allow_none=True)
    budget_unit_code = fields.Said(allow_none=True)
    funding_source = fields.Said(allow_none=True)
    prepayment_ratio = fields.Rate("Share of the amount paid in advance.", allow_none=True)
    accepted_on = fields.Day(allow_none=True)
    last_due_on = fields.Day("When the last payment falls due.", allow_none=True)
    terminated_on = fields.Day("When the contract ended early.", allow_none=True)
    obstacles = fields.Many(fields.Said(), "Why it cannot be financed; empty if it can.")
    payee_account = fields.Said("The one account the purchaser may pay into, once locked.", allow_none=True)
    payee_bank = fields.Said(allow_none=True)
    pledge_number = fields.Said(allow_none=True)
    pledge_expires_on = fields.Day(allow_none=True)
    source = fields.Said("`form`, or the import it came from.")
    updated_at = fields.Moment()


class StepAnswer(Answer):
    """One rung climbed."""

    id = fields.Count()
    stage = fields.Word(ContractStage)
    happened_on = fields.Day()
    evidence = fields.Said()
    details = fields.Facts()
    needs_confirmation = fields.Flag()
    recorded_at = fields.Moment()
    confirmed_at = fields.Moment(allow_none=True)


class PaymentAnswer(Answer):
    """A payment by the purchaser."""

    id = fields.Count()
    transaction_id = fields.Said()
    paid_on = fields.Day(allow_none=True)
    amount = fields.Money()
    payer = fields.Said(allow_none=True)
    payee = fields.Said(allow_none=True)
    payee_account = fields.Said(allow_none=True)
    settled_at = fields.Moment("Since when it counts for the contract's loans; else null.", allow_none=True)
    state = fields.Word(PaymentState, "How it stands to what is owed.")
    lag_days = fields.Count("Days after (below zero: before) what it pays fell due.", allow_none=True)
    excess = fields.Money("What of it is beyond the contract.")
    reverses_id = fields.Count("The payment that this row takes back.", allow_none=True)
    follows_id = fields.Count("The payment whose money this is: passed on, or refunded.", allow_none=True)
    resolution = fields.Word(PaymentResolution, "What was done about it.", allow_none=True)
    resolution_note = fields.Said(allow_none=True)


class PlannedAnswer(Answer):
    """A payment the purchaser owes."""

    number = fields.Count()
    due_on = fields.Day()
    amount = fields.Money()


class StandingAnswer(Answer):
    """Where the contract stands in money."""

    amount = fields.Money()
    paid = fields.Money()
    financed = fields.Money()
    room = fields.Money("What could still be financed.")
    outstanding = fields.Money()


class ScoreAnswer(Answer):
    """How a purchaser pays, counted over the platform; facts with their number and no credit score."""

    computed_on = fields.Day("The day up to which it is counted.")
    contracts = fields.Count()
    payments = fields.Count("Payments that fell due or were made.")
    on_time = fields.Count("Those of them covered by their day.")
    unpaid = fields.Count("Those of them that are due and open.")
    on_time_share = fields.Count("Whole percent; null under three payments.", allow_none=True)
    median_lag = fields.Count("Days after the due day; null under three payments.", allow_none=True)
    p90_lag = fields.Count("The delay that nine of ten payments stay within.", allow_none=True)


class DeadlineAnswer(Answer):
    """What the law asks for after the signing."""

    deadline = fields.Word(Deadline)
    due_on = fields.Day()
    done_on = fields.Day("Null where nothing says when it was done.", allow_none=True)
    is_late = fields.Flag("Done, and after its day.")
    is_provisional = fields.Flag("Whether the working days in between are not all published yet.")
    source = fields.Said("The article.")


class ContractDetail(ContractAnswer):
    """A contract with its ladder, plan and payments; what happened on it only for its parties."""

    side_states = fields.Many(
        fields.Word(SideState), "What holds beside the rung, as the caller may know it."
    )
    deadlines = fields.Many(fields.Part(DeadlineAnswer), "Statutory terms from the signing.", most=10)
    standing = fields.Part(StandingAnswer, allow_none=True)
    purchaser_record = fields.Part(ScoreAnswer, allow_none=True)
    plan = fields.Many(fields.Part(PlannedAnswer), most=1000)
    steps = fields.Many(fields.Part(StepAnswer), most=1000)
    payments = fields.Many(fields.Part(PaymentAnswer), most=10_000)


def show(row: Contract, by: Party) -> dict[str, Any]:
    """Return a contract as far as the party may know it."""
    plain = {name: getattr(row, name) for name in ContractAnswer().fields}
    return plain if contracts.is_party(row, by=by) else {**plain, **_PRIVATE}


def show_whole(row: Contract, by: Party) -> dict[str, Any]:
    """Return a contract with what happened on it, the latter to its parties only."""
    inside = contracts.is_party(row, by=by)
    return {
        **show(row, by),
        "side_states": side_states.read(row, by=by, now=access.now()) if inside else [],
        "deadlines": side_states.list_deadlines(row) if inside else [],
        "standing": contract_loans.read_standing(row) if inside else None,
        "purchaser_record": show_score(purchasers.read_score(row)),
        "plan": row.plan,
        "steps": [show_step(step) for step in row.steps] if inside else [],
        "payments": row.payments if inside else [],
    }


def show_score(row: PurchaserScore | None) -> dict[str, Any] | None:
    """Return how a purchaser pays; delays and share only where there are enough payments to tell."""
    if row is None:
        return None
    said = purchasers.say(row)
    plain = {name: getattr(row, name) for name in ScoreAnswer().fields if name != "on_time_share"}
    if not said.is_enough:
        plain |= {"median_lag": None, "p90_lag": None}
    return {**plain, "on_time_share": said.on_time_share}


def show_step(row: ContractStep) -> dict[str, Any]:
    """Return a rung, amounts of its details in yuan."""
    plain = {name: getattr(row, name) for name in StepAnswer().fields if name != "details"}
    return {**plain, "details": show_facts(row.details, _AMOUNTS)}
