"""Compensation claims: what a lender asks of a guarantor, who bears which share, what comes back."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.claims_vocabulary import ClaimState
from market.risk_sharing import RiskSharing, Role, Sharer
from market.vocabulary import Capability
from models.claim import CompensationClaim as Row
from services import claim_lists, compensation_claims, guarantee_terms, guarantees

claim_routes = Blueprint("claims", __name__, "Compensation claims on guarantors, shared by the agreed list.")

INSTITUTION = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
READERS = (*INSTITUTION, Capability.OFFICER, Capability.AUDITOR)
MOST = compensation_claims.MOST_TEXT


class SharerEntry(Body):
    """A party of a risk-sharing list."""

    party = fields.Text(most=80, required=True)
    role = fields.Word(Role, required=True)
    share = fields.Rate("`0.2` is 20 %; all together make exactly 1.", required=True)


class ClaimEntry(Body):
    """A claim as its lender opens it."""

    amount = fields.Money("The loss, the lender's own share included.", least=1, required=True)
    basis = fields.Text("On what the claim stands, as days past due.", most=MOST, required=True)
    evidence = fields.Text("Reference to the paper.", most=MOST, required=True)
    risk_sharing = fields.Many(fields.Part(SharerEntry), "Only where the guarantee's product has no list.")


class ClaimRefusalEntry(Body):
    """Why the guarantor refuses."""

    why = fields.Text(most=MOST, required=True)


class SharePaymentEntry(Body):
    """A party of the list paid."""

    share_id = fields.Whole(least=1, required=True)
    paid_on = fields.Day(required=True)
    reference = fields.Text(most=80, required=True)


class RecoveryEntry(Body):
    """The borrower paid after the compensation."""

    amount = fields.Money(least=1, required=True)
    recovered_on = fields.Day(required=True)
    reference = fields.Text("Makes the recovery recordable once only.", most=80, required=True)


class ClaimTermsEntry(Body):
    """What holds for claims on a guarantee of the shelf."""

    loss_cap = fields.Rate("Most of the guaranteed portfolio that is ever compensated.", allow_none=True)
    claim_after_days = fields.Whole("Days past due before a claim.", least=1, most=360, allow_none=True)
    risk_sharing = fields.Many(fields.Part(SharerEntry))


class ClaimShareAnswer(Answer):
    """What a party of the list bears, paid, and got back."""

    id = fields.Count()
    party = fields.Said()
    role = fields.Word(Role)
    share = fields.Rate()
    amount = fields.Money()
    paid_on = fields.Day(allow_none=True)
    reference = fields.Said(allow_none=True)
    recovered = fields.Money()


class ClaimAnswer(Answer):
    """A compensation claim."""

    id = fields.Count()
    loan_id = fields.Count()
    state = fields.Word(ClaimState)
    lender = fields.Part(OrganisationBrief)
    guarantor = fields.Part(OrganisationBrief)
    borrower = fields.Part(OrganisationBrief)
    amount = fields.Money("The loss that was claimed.")
    payable = fields.Money("What of it the guarantor pays the lender.")
    opened_on = fields.Day()
    days_past_due = fields.Count()
    basis = fields.Said()
    evidence = fields.Said()
    why = fields.Said("Why it was refused.", allow_none=True)
    shares = fields.Many(fields.Part(ClaimShareAnswer))


class ClaimTermsAnswer(Answer):
    """What holds for claims on a guarantee of the shelf."""

    product_id = fields.Count()
    loss_cap = fields.Rate(allow_none=True)
    claim_after_days = fields.Count(allow_none=True)
    risk_sharing = fields.Many(fields.Facts())


@claim_routes.route("/claims")
class Claims(MethodView):
    """Claims the caller is part of."""

    @claim_routes.doc(operationId="listClaims")
    @claim_routes.arguments(Page, location="query")
    @claim_routes.response(200, page_of(ClaimAnswer, "ClaimPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List claims, newest first; officers see all of the zone."""
        page = cut(claim_lists.list_for(access.acting()), query)
        return {**page, "items": [show(row) for row in page["items"]]}


@claim_routes.route(f"/loans/<{fields.ID}:loan_id>/claims")
class LoanClaims(MethodView):
    """Claiming."""

    @claim_routes.doc(operationId="openClaim")
    @claim_routes.arguments(ClaimEntry)
    @claim_routes.response(201, ClaimAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Claim a loss from the guarantor of a loan that is late enough."""
        sharing = read_sharing(data.pop("risk_sharing", []))
        by = access.acting()
        return show(compensation_claims.open_claim(loan_id, **data, sharing=sharing, by=by, now=access.now()))


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>")
class Claim(MethodView):
    """One claim."""

    @claim_routes.doc(operationId="getClaim")
    @claim_routes.response(200, ClaimAnswer)
    @allows(*READERS)
    def get(self, claim_id: int) -> Any:
        """Return a claim with who bears, paid and got back what."""
        return show(compensation_claims.find(claim_id, by=access.acting()))


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>/acceptance")
class ClaimAcceptance(MethodView):
    """The guarantor's yes."""

    @claim_routes.doc(operationId="acceptClaim")
    @claim_routes.response(200, ClaimAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, claim_id: int) -> Any:
        """Accept a claim, within the loss cap of the guaranteed portfolio."""
        return show(compensation_claims.accept(claim_id, by=access.acting(), now=access.now()))


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>/refusal")
class ClaimRefusal(MethodView):
    """The guarantor's no."""

    @claim_routes.doc(operationId="refuseClaim")
    @claim_routes.arguments(ClaimRefusalEntry)
    @claim_routes.response(200, ClaimAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], claim_id: int) -> Any:
        """Refuse a claim, saying why."""
        return show(compensation_claims.refuse(claim_id, data["why"], by=access.acting(), now=access.now()))


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>/payments")
class ClaimPayments(MethodView):
    """Paying."""

    @claim_routes.doc(operationId="recordClaimPayment")
    @claim_routes.arguments(SharePaymentEntry)
    @claim_routes.response(200, ClaimAnswer)
    @allows(*INSTITUTION)
    def post(self, data: dict[str, Any], claim_id: int) -> Any:
        """Record that a party paid: the lender records the guarantor's, the guarantor the others'."""
        return show(
            compensation_claims.record_payment(claim_id, **data, by=access.acting(), now=access.now())
        )


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>/recoveries")
class ClaimRecoveries(MethodView):
    """Getting back."""

    @claim_routes.doc(operationId="recordRecovery")
    @claim_routes.arguments(RecoveryEntry)
    @claim_routes.response(200, ClaimAnswer)
    @allows(*INSTITUTION)
    def post(self, data: dict[str, Any], claim_id: int) -> Any:
        """Record what the borrower paid after the compensation; it is divided by the same list."""
        return show(
            compensation_claims.record_recovery(claim_id, **data, by=access.acting(), now=access.now())
        )


@claim_routes.route(f"/claims/<{fields.ID}:claim_id>/closing")
class ClaimClosing(MethodView):
    """Giving up what is left."""

    @claim_routes.doc(operationId="closeClaim")
    @claim_routes.response(200, ClaimAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, claim_id: int) -> Any:
        """Close a paid claim: nothing more is expected of the borrower."""
        return show(compensation_claims.close(claim_id, by=access.acting(), now=access.now()))


@claim_routes.route(f"/products/<{fields.ID}:product_id>/claim-terms")
class ClaimTerms(MethodView):
    """What holds for claims on a guarantee of the caller's shelf."""

    @claim_routes.doc(operationId="setClaimTerms")
    @claim_routes.arguments(ClaimTermsEntry)
    @claim_routes.response(200, ClaimTermsAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def put(self, data: dict[str, Any], product_id: int) -> Any:
        """Say when a claim may be opened, up to which loss of the portfolio, and who shares it."""
        return guarantee_terms.set_terms(
            product_id,
            loss_cap=data.get("loss_cap"),
            claim_after_days=data.get("claim_after_days"),
            sharing=read_sharing(data.get("risk_sharing", [])),
            by=access.acting(),
            now=access.now(),
        )


def read_sharing(entries: list[dict[str, Any]]) -> RiskSharing | None:
    """Return the list that was sent, or None where none was; raises ``Invalid`` for one that is not whole."""
    if not entries:
        return None
    return RiskSharing(tuple(Sharer(entry["party"], entry["role"], entry["share"]) for entry in entries))


def show(row: Row) -> dict[str, Any]:
    """Return a claim in the shape of ``ClaimAnswer``."""
    made = {
        "lender": row.loan.lender,
        "borrower": row.loan.borrower,
        "guarantor": guarantees.read_guarantor(row.guarantee),
    }
    plain = {name: getattr(row, name) for name in ClaimAnswer().fields if name not in made}
    return {**plain, **made}
