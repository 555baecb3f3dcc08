"""Proofs: everything an annual cost follows from, for the parties of an offer."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import BIDDERS, bid_routes
from blueprints.api.parsing import Answer
from blueprints.documents import proof
from market import cost
from market.vocabulary import Capability
from services import bids, comparisons, proofs
from services.exchange.offers import read_offer


class ProofAnswer(Answer):
    """The proof of an annual cost; `flask proof check` works all of it out again."""

    schema = fields.Said("The version of this form.")
    proof = fields.Facts("Terms, every flow with its time, rates, totals, and who is paid.")
    sha256 = fields.Said("SHA-256 of `proof` in canonical JSON (RFC 8785).")
    words = fields.Facts("How the cost is counted and how it is checked, in both languages.")


@bid_routes.route(f"/bids/<{fields.ID}:bid_id>/proof")
class BidProof(MethodView):
    """The proof of one's own bid."""

    @bid_routes.doc(operationId="getBidProof")
    @bid_routes.response(200, ProofAnswer)
    @allows(*BIDDERS)
    def get(self, bid_id: int) -> Any:
        """Return the proof of one's own bid, sealed or not."""
        sealer = current_app.extensions["sealer"]
        bid, content, _ = bids.read_own(bid_id, by=access.acting(), sealer=sealer)
        return proof.document(cost.price(read_offer(content["offer"], "offer")), proofs.describe(bid))


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/offers/<{fields.ID}:bid_id>/proof")
class OfferProof(MethodView):
    """The proof of one opened offer."""

    @bid_routes.doc(operationId="getOfferProof")
    @bid_routes.response(200, ProofAnswer)
    @allows(
        Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, Capability.OFFICER, Capability.AUDITOR
    )
    def get(self, need_id: int, bid_id: int) -> Any:
        """Return the proof of an opened offer; the same document as its institution's."""
        _, bid = comparisons.find_offer(need_id, bid_id, by=access.acting())
        return proof.document(cost.price(read_offer(bid.terms, "terms")), proofs.describe(bid))
