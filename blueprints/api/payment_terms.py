"""Terms of payment, the late interest that follows from them, and how a purchaser pays."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contract_views import ContractDetail, ScoreAnswer, show_score, show_whole
from blueprints.api.contracts import READERS, contract_routes
from blueprints.api.parsing import Answer, Body
from blueprints.api.payments import payment_routes
from market.calendar import local_date
from market.vocabulary import Capability
from services import contracts, payment_states, payment_terms, purchasers


class TermsEntry(Body):
    """Terms of payment of a contract, in place of what stood there."""

    late_rate = fields.Rate("Late interest per year, at least the one-year LPR at signing.", allow_none=True)
    delivered_on = fields.Day(allow_none=True)
    inspection_days = fields.Whole("Days to inspect after delivery.", least=0, most=365, allow_none=True)
    pay_when_paid = fields.Flag("A clause to pay only once paid stands in the contract.")


class SegmentAnswer(Answer):
    """Some days over which one amount stood open; interest counts after `from_on` up to `to_on`."""

    due_on = fields.Day()
    from_on = fields.Day()
    to_on = fields.Day()
    days = fields.Count()
    amount = fields.Money()
    interest = fields.Money()


class LateInterestAnswer(Answer):
    """Late interest that a purchaser owes up to today, with its computation."""

    rate = fields.Rate("Per year if agreed, else per day; null where no rule is known.", allow_none=True)
    is_agreed = fields.Flag()
    open = fields.Money("What is late and unpaid.")
    total = fields.Money("The sum of the segments.")
    segments = fields.Many(fields.Part(SegmentAnswer), most=10_000)


class ScoredPartAnswer(Answer):
    """A payment that fell due, behind a purchaser's figures."""

    contract_id = fields.Count()
    contract_number = fields.Said()
    due_on = fields.Day()
    amount = fields.Money()
    covered_on = fields.Day("When the last of it was paid; null while some is open.", allow_none=True)
    lag_days = fields.Count()


class PurchaserRecord(Answer):
    """How a purchaser pays, and the rows of this zone behind it."""

    record = fields.Part(ScoreAnswer, allow_none=True)
    rows = fields.Many(fields.Part(ScoredPartAnswer), most=10_000)


class RecordQuery(Body):
    """Whose record."""

    code = fields.Text("Credit code of the purchaser.", most=80, required=True)


@payment_routes.route("/purchaser-record")
class PurchaserRecords(MethodView):
    """How a purchaser pays."""

    @payment_routes.doc(operationId="getPurchaserRecord")
    @payment_routes.arguments(RecordQuery, location="query")
    @payment_routes.response(200, PurchaserRecord)
    @allows(Capability.PURCHASER, Capability.OFFICER, Capability.AUDITOR)
    def get(self, query: dict[str, Any]) -> Any:
        """Return a purchaser's payment record with its rows: officers, auditors and the purchaser itself."""
        by, code = access.acting(), query["code"]
        rows = purchasers.list_rows(code, by=by, now=access.now())
        return {
            "record": show_score(purchasers.read_scores(by.zone_id, [code]).get(code)),
            "rows": [
                {
                    "contract_id": row.contract.id,
                    "contract_number": row.contract.number,
                    "due_on": row.part.due_on,
                    "amount": row.part.amount,
                    "covered_on": row.part.covered_on,
                    "lag_days": row.lag,
                }
                for row in rows
            ],
        }


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/payment-terms")
class ContractTerms(MethodView):
    """Terms of payment."""

    @contract_routes.doc(operationId="agreePaymentTerms")
    @contract_routes.arguments(TermsEntry)
    @contract_routes.response(200, ContractDetail)
    @allows(Capability.PURCHASER, Capability.OFFICER)
    def put(self, data: dict[str, Any], contract_id: int) -> Any:
        """Write down delivery, inspection and late interest; refused under the LPR at signing."""
        by = access.acting()
        row = payment_terms.agree(contract_id, payment_terms.Terms(**data), by=by, now=access.now())
        return show_whole(row, by)


@contract_routes.route(f"/contracts/<{fields.ID}:contract_id>/late-interest")
class ContractLateInterest(MethodView):
    """Late interest."""

    @contract_routes.doc(operationId="getLateInterest")
    @contract_routes.response(200, LateInterestAnswer)
    @allows(*READERS)
    def get(self, contract_id: int) -> Any:
        """Return the late interest of a contract's purchaser, segment by segment; for its parties."""
        by = access.acting()
        contract = contracts.find_for_party(contract_id, by=by)
        interest = payment_states.read_late_interest(contract, local_date(access.now()))
        return {
            "rate": interest.rate.rate if interest.rate else None,
            "is_agreed": interest.rate is not None and interest.rate.is_agreed,
            "open": interest.open,
            "total": interest.total,
            "segments": interest.segments,
        }
