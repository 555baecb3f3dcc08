"""Receivables: invoices entered by their supplier, confirmed by the debtor, financed once."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import READERS
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market.errors import Code, invalid
from market.receivable_vocabulary import ReceivableState, ReceivableUse
from market.vocabulary import Capability
from models.receivable import Receivable as Row
from services import receivable_uses, receivables
from services.exchange import invoices
from services.receivables import ENTRIES_MOST

receivable_routes = Blueprint("receivables", __name__, "Receivables: what debtors owe firms, by invoice.")

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
DECIDERS = (*FIRM, Capability.PURCHASER, Capability.OFFICER)
#: The largest file a request may carry, in bytes.
MOST_FILE = 2 * 1024 * 1024


class ReceivableEntry(Body):
    """An invoice as its supplier enters it."""

    contract_number = fields.Text("Number of the contract it belongs to.", most=160, required=True)
    invoice_number = fields.Text("With its code, if it has one.", most=160, required=True)
    amount = fields.Money("Tax included.", required=True)
    issued_on = fields.Day(required=True)
    due_on = fields.Day(required=True)
    debtor_code = fields.Text("Credit code of whoever owes it.", most=40)
    debtor_name = fields.Text("For a debtor that has no credit code.", most=300)
    evidence = fields.Text("Reference to the paper.", most=300)


class ReceivableEntries(Body):
    """Several invoices, stored all or none."""

    items = fields.Many(fields.Part(ReceivableEntry), most=ENTRIES_MOST, required=True)


class ReceivableRefusal(Body):
    """Why a right is not confirmed."""

    why = fields.Text(required=True, most=300)


class ReceivablePayment(Body):
    """What the debtor has paid so far."""

    paid = fields.Money("In all, not only the last payment.", required=True)


class ReceivableQuery(Page):
    """Which receivables."""

    state = fields.Word(ReceivableState)


class ReceivableAnswer(Answer):
    """A receivable."""

    id = fields.Count()
    state = fields.Word(ReceivableState, "How far the right to it is confirmed.")
    use = fields.Word(ReceivableUse, "What becomes of its money; who lends is told to nobody.")
    contract_number = fields.Said()
    invoice_number = fields.Said()
    contract_id = fields.Count("The contract on record it belongs to.", allow_none=True)
    debtor_name = fields.Said()
    debtor_code = fields.Said(allow_none=True)
    amount = fields.Money()
    paid = fields.Money()
    issued_on = fields.Day()
    due_on = fields.Day()
    evidence = fields.Said()
    requested_on = fields.Day("When its confirmation was asked for; 30 days run from then.", allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    why = fields.Said("Why the confirmation was refused.", allow_none=True)


class ReceivableList(Answer):
    """Receivables just entered."""

    items = fields.Many(fields.Part(ReceivableAnswer), most=ENTRIES_MOST)


@receivable_routes.route("/receivables")
class Receivables(MethodView):
    """Receivables the caller may see."""

    @receivable_routes.doc(operationId="listReceivables")
    @receivable_routes.arguments(ReceivableQuery, location="query")
    @receivable_routes.response(200, page_of(ReceivableAnswer, "ReceivablePage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the receivables one is owed, owes or finances; officers see all of the zone."""
        states = [query["state"]] if "state" in query else None
        page = cut(receivables.list_all(access.acting(), states=states), query)
        return {**page, "items": show_all(page["items"])}

    @receivable_routes.doc(operationId="enterReceivables")
    @receivable_routes.arguments(ReceivableEntries)
    @receivable_routes.response(201, ReceivableList)
    @allows(Capability.ENTERPRISE_MAKER)
    def post(self, data: dict[str, Any]) -> Any:
        """Enter invoices of one's firm; each can be entered once, in whichever spelling."""
        entries = [receivables.Entry(**item) for item in data["items"]]
        rows = receivables.enter(entries, by=access.acting(), now=access.now())
        return {"items": show_all(rows)}


@receivable_routes.route("/receivables/import")
class ReceivableImport(MethodView):
    """Taking invoices over from a file."""

    @receivable_routes.doc(
        operationId="importReceivables",
        requestBody={
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
        },
    )
    @receivable_routes.response(201, ReceivableList)
    @allows(Capability.ENTERPRISE_MAKER)
    def post(self) -> Any:
        """Enter the invoices of a CSV file, all or none; its columns are named as the fields of an entry."""
        if (request.content_length or 0) > MOST_FILE:
            raise invalid(Code.TOO_LARGE, value=request.content_length, most=MOST_FILE)
        entries = invoices.read(request.get_data(cache=False))
        return {"items": show_all(receivables.enter(entries, by=access.acting(), now=access.now()))}


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>")
class Receivable(MethodView):
    """One receivable."""

    @receivable_routes.doc(operationId="getReceivable")
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*READERS)
    def get(self, receivable_id: int) -> Any:
        """Return a receivable to its supplier, its debtor, its lender or an officer."""
        return show(receivables.find(receivable_id, by=access.acting()))


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>/confirmation-request")
class ReceivableRequest(MethodView):
    """Asking the debtor."""

    @receivable_routes.doc(operationId="requestConfirmation")
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*FIRM)
    def post(self, receivable_id: int) -> Any:
        """Ask the debtor to confirm the right; government bodies and large firms answer within 30 days."""
        return show(receivables.request_confirmation(receivable_id, by=access.acting(), now=access.now()))


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>/confirmation")
class ReceivableConfirmation(MethodView):
    """The debtor's yes."""

    @receivable_routes.doc(operationId="confirmReceivable")
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*DECIDERS)
    def post(self, receivable_id: int) -> Any:
        """Confirm, as its debtor or an officer, that a receivable is owed as it stands."""
        return show(receivables.confirm(receivable_id, by=access.acting(), now=access.now()))


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>/refusal")
class ReceivableRefused(MethodView):
    """The debtor's no."""

    @receivable_routes.doc(operationId="refuseReceivable")
    @receivable_routes.arguments(ReceivableRefusal)
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*DECIDERS)
    def post(self, data: dict[str, Any], receivable_id: int) -> Any:
        """Refuse to confirm a receivable, saying why; its firm can ask again."""
        return show(receivables.refuse(receivable_id, data["why"], by=access.acting(), now=access.now()))


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>/payment")
class ReceivablePaid(MethodView):
    """What the debtor paid."""

    @receivable_routes.doc(operationId="noteReceivablePaid")
    @receivable_routes.arguments(ReceivablePayment)
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*DECIDERS, Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], receivable_id: int) -> Any:
        """Record what was paid so far; by the debtor, the lender or an officer."""
        return show(receivables.note_paid(receivable_id, data["paid"], by=access.acting(), now=access.now()))


@receivable_routes.route(f"/receivables/<{fields.ID}:receivable_id>/withdrawal")
class ReceivableWithdrawal(MethodView):
    """Taking a wrong entry back."""

    @receivable_routes.doc(operationId="withdrawReceivable")
    @receivable_routes.response(200, ReceivableAnswer)
    @allows(*FIRM)
    def post(self, receivable_id: int) -> Any:
        """Take a receivable back that no lender has a claim on."""
        return show(receivables.withdraw(receivable_id, by=access.acting(), now=access.now()))


def show(row: Row) -> dict[str, Any]:
    """Return one receivable."""
    return show_all([row])[0]


def show_all(rows: list[Row]) -> list[dict[str, Any]]:
    """Return receivables with what becomes of their money."""
    uses = receivable_uses.read_uses(rows)
    names = [name for name in ReceivableAnswer().fields if name != "use"]
    return [{name: getattr(row, name) for name in names} | {"use": uses[row.id]} for row in rows]
