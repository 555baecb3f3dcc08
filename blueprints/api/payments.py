"""Purchasers' payments: reported by contract number, watched by state, resolved by name."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contract_views import PaymentAnswer
from blueprints.api.contracts import LENDER, READERS, PaymentEntry
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from market.payment_vocabulary import PaymentMove, PaymentState
from market.vocabulary import Capability
from models.payment import PurchaserPayment, UnmatchedPayment
from services import payment_matching, payment_resolutions, payments
from services.contract_loans import Payment as Told

payment_routes = Blueprint(
    "payments",
    __name__,
    "Payments of purchasers: how each stands to what is owed, and what is done about it.",
)

REPORTERS = (Capability.PURCHASER, *LENDER, Capability.OFFICER)
RESOLVERS = (*LENDER, Capability.OFFICER)


class PaymentRow(PaymentAnswer):
    """A payment in a list."""

    contract_id = fields.Count()
    contract_number = fields.Said()
    purchaser_name = fields.Said(allow_none=True)


class PaymentDetail(PaymentRow):
    """A payment with the rows that answer it or that it answers."""

    linked = fields.Many(fields.Part(PaymentAnswer), "Reversals, refunds, money passed on.", most=100)


class UnmatchedAnswer(Answer):
    """A payment on a contract that is not in the registry, as it was reported."""

    id = fields.Count()
    number = fields.Said("The contract number as reported.")
    supplier_code = fields.Said(allow_none=True)
    transaction_id = fields.Said()
    paid_on = fields.Day(allow_none=True)
    amount = fields.Money()
    payer = fields.Said(allow_none=True)
    payee = fields.Said(allow_none=True)
    payee_account = fields.Said(allow_none=True)
    recorded_at = fields.Moment()
    matched_payment_id = fields.Count(allow_none=True)
    resolved_at = fields.Moment(allow_none=True)
    resolution = fields.Said(allow_none=True)


class ReportOutcome(Answer):
    """What became of a report: a payment of its contract, or an unmatched one; the other is null."""

    payment = fields.Part(PaymentRow, allow_none=True)
    unmatched = fields.Part(UnmatchedAnswer, allow_none=True)


class PaymentQuery(Page):
    """Which payments."""

    state = fields.Word(PaymentState)
    to_resolve = fields.FlagNumber("Only those that wait for somebody (`true`).")
    search = fields.Text("Part of voucher, contract or payer.", most=80)


class UnmatchedQuery(Page):
    """Which unmatched payments."""

    waiting = fields.FlagNumber("Those that wait (`true`, the usual), or those resolved.")


class PaymentReport(PaymentEntry):
    """A payment by the number of its contract."""

    number = fields.Text(
        "The contract number; spacing, case, width and dashes are spelling.", most=160, required=True
    )
    supplier_code = fields.Text("Tells contracts of one number apart.", most=18, allow_none=True)


class DateEntry(Body):
    """When a payment was made."""

    paid_on = fields.Day(required=True)


class MoveEntry(Body):
    """What is done about a payment, and why."""

    move = fields.Word(PaymentMove, required=True)
    why = fields.Text("The reason; to accept an account, the written evidence.", most=300, required=True)


class FollowEntry(PaymentEntry):
    """Money that went on: passed on to the locked account, or refunded."""

    why = fields.Text(most=300, required=True)


class MatchEntry(Body):
    """The contract of an unmatched payment."""

    contract_id = fields.Id(required=True)


class AsideEntry(Body):
    """Why an unmatched payment belongs to no contract here."""

    why = fields.Text(most=300, required=True)


@payment_routes.route("/payments")
class Payments(MethodView):
    """Payments the caller may see."""

    @payment_routes.doc(operationId="listPayments")
    @payment_routes.arguments(PaymentQuery, location="query")
    @payment_routes.response(200, page_of(PaymentRow, "PaymentPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List payments on contracts one supplies, buys or finances; officers see all of the zone."""
        limit = query["limit"]
        rows = payments.find_page(
            access.acting(),
            state=query.get("state"),
            to_resolve=bool(query.get("to_resolve")),
            search=query.get("search", ""),
            before_id=query.get("after"),
            most=limit + 1,
        ).rows
        return {
            "items": [show(row) for row in rows[:limit]],
            "next": rows[limit - 1].id if len(rows) > limit else None,
        }

    @payment_routes.doc(operationId="reportPayment")
    @payment_routes.arguments(PaymentReport)
    @payment_routes.response(201, ReportOutcome)
    @allows(*REPORTERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Report a payment by its contract number, however spelt; one nobody knows is kept as unmatched.

        It is matched by itself when the contract comes into the registry.
        """
        number, code = data.pop("number"), data.pop("supplier_code", None)
        row = payment_matching.report(
            number, Told(**data), by=access.acting(), now=access.now(), supplier_code=code
        )
        if isinstance(row, UnmatchedPayment):
            return {"payment": None, "unmatched": row}
        return {"payment": show(row), "unmatched": None}


@payment_routes.route(f"/payments/<{fields.ID}:payment_id>")
class Payment(MethodView):
    """One payment."""

    @payment_routes.doc(operationId="getPayment")
    @payment_routes.response(200, PaymentDetail)
    @allows(*READERS)
    def get(self, payment_id: int) -> Any:
        """Return a payment with what answers it."""
        row = payments.find(payment_id, by=access.acting())
        return {**show(row), "linked": payments.list_linked(row)}


@payment_routes.route(f"/payments/<{fields.ID}:payment_id>/date")
class PaymentDate(MethodView):
    """The day of an undated payment."""

    @payment_routes.doc(operationId="datePayment")
    @payment_routes.arguments(DateEntry)
    @payment_routes.response(200, PaymentRow)
    @allows(*REPORTERS)
    def post(self, data: dict[str, Any], payment_id: int) -> Any:
        """Say when an undated payment was made; it then takes effect."""
        row = payment_resolutions.put_date(payment_id, data["paid_on"], by=access.acting(), now=access.now())
        return show(row)


@payment_routes.route(f"/payments/<{fields.ID}:payment_id>/resolution")
class PaymentResolved(MethodView):
    """What is done about a payment."""

    @payment_routes.doc(operationId="resolvePayment")
    @payment_routes.arguments(MoveEntry)
    @payment_routes.response(200, PaymentRow)
    @allows(*RESOLVERS)
    def post(self, data: dict[str, Any], payment_id: int) -> Any:
        """Resolve a payment: accept its account, record its return, leave an excess, take it back."""
        return show(_MOVES[data["move"]](payment_id, data["why"], by=access.acting(), now=access.now()))

    @payment_routes.doc(operationId="reopenPayment")
    @payment_routes.response(200, PaymentRow)
    @allows(*REPORTERS)
    def delete(self, payment_id: int) -> Any:
        """Take back a word that moved no money: a date, or an excess left to the supplier."""
        return show(payment_resolutions.reopen(payment_id, by=access.acting(), now=access.now()))


@payment_routes.route(f"/payments/<{fields.ID}:payment_id>/redirection")
class PaymentRedirection(MethodView):
    """Money passed on."""

    @payment_routes.doc(operationId="redirectPayment")
    @payment_routes.arguments(FollowEntry)
    @payment_routes.response(201, PaymentRow)
    @allows(*RESOLVERS)
    def post(self, data: dict[str, Any], payment_id: int) -> Any:
        """Record that money in another account was passed on: returns the payment as which it arrived."""
        why = data.pop("why")
        return show(
            payment_resolutions.redirect(payment_id, Told(**data), why, by=access.acting(), now=access.now())
        )


@payment_routes.route(f"/payments/<{fields.ID}:payment_id>/refund")
class PaymentRefund(MethodView):
    """Money that went back."""

    @payment_routes.doc(operationId="refundPayment")
    @payment_routes.arguments(FollowEntry)
    @payment_routes.response(201, PaymentRow)
    @allows(*RESOLVERS)
    def post(self, data: dict[str, Any], payment_id: int) -> Any:
        """Record that what was paid beyond the contract went back: returns the refund, a negative payment."""
        why = data.pop("why")
        return show(
            payment_resolutions.refund(payment_id, Told(**data), why, by=access.acting(), now=access.now())
        )


@payment_routes.route("/unmatched-payments")
class UnmatchedPayments(MethodView):
    """Payments whose contract is not known."""

    @payment_routes.doc(operationId="listUnmatchedPayments")
    @payment_routes.arguments(UnmatchedQuery, location="query")
    @payment_routes.response(200, page_of(UnmatchedAnswer, "UnmatchedPage"))
    @allows(*REPORTERS, Capability.AUDITOR)
    def get(self, query: dict[str, Any]) -> Any:
        """List unmatched payments: all of the zone to officers, to others what they reported."""
        found = payment_matching.list_unmatched(access.acting(), waiting=query.get("waiting") is not False)
        return cut(found, query)


@payment_routes.route(f"/unmatched-payments/<{fields.ID}:unmatched_id>/match")
class UnmatchedMatch(MethodView):
    """Finding its contract."""

    @payment_routes.doc(operationId="matchPayment")
    @payment_routes.arguments(MatchEntry)
    @payment_routes.response(201, PaymentRow)
    @allows(*REPORTERS)
    def post(self, data: dict[str, Any], unmatched_id: int) -> Any:
        """Say to which contract an unmatched payment belongs; it takes effect there."""
        return show(
            payment_matching.match(unmatched_id, data["contract_id"], by=access.acting(), now=access.now())
        )


@payment_routes.route(f"/unmatched-payments/<{fields.ID}:unmatched_id>/aside")
class UnmatchedAside(MethodView):
    """Setting one aside."""

    @payment_routes.doc(operationId="setPaymentAside")
    @payment_routes.arguments(AsideEntry)
    @payment_routes.response(200, UnmatchedAnswer)
    @allows(*REPORTERS)
    def post(self, data: dict[str, Any], unmatched_id: int) -> Any:
        """Close an unmatched payment that belongs to no contract here, saying why."""
        return payment_matching.set_aside(unmatched_id, data["why"], by=access.acting(), now=access.now())

    @payment_routes.doc(operationId="bringPaymentBack")
    @payment_routes.response(200, UnmatchedAnswer)
    @allows(*REPORTERS)
    def delete(self, unmatched_id: int) -> Any:
        """Let an unmatched payment that was set aside wait again."""
        return payment_matching.bring_back(unmatched_id, by=access.acting(), now=access.now())


def show(row: PurchaserPayment) -> dict[str, Any]:
    """Return a payment with the contract it is on."""
    plain = {name: getattr(row, name) for name in PaymentAnswer().fields}
    contract = row.contract
    return {
        **plain,
        "contract_id": contract.id,
        "contract_number": contract.number,
        "purchaser_name": contract.purchaser_name,
    }


_MOVES = {
    PaymentMove.ACCEPT_ACCOUNT: payment_resolutions.accept_account,
    PaymentMove.SEND_BACK: payment_resolutions.send_back,
    PaymentMove.LEAVE_TO_SUPPLIER: payment_resolutions.leave_to_supplier,
    PaymentMove.CORRECT: payment_resolutions.correct,
}
