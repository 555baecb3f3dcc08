"""What a guarantor's products say of claims: after how many days, up to which loss, by which list."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.claims_vocabulary import COUNTED_CLAIMS
from market.compensation import check_list, find_cap
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.risk_sharing import RiskSharing
from market.vocabulary import Capability, LoanState, ProductFamily
from models.base import db, transaction
from models.claim import CompensationClaim, GuaranteeTerms
from models.loan import Guarantee, Loan
from models.product import Product
from services import audit
from services.exchange.risk_sharing import read_sharing, write_sharing

MOST_DAYS = 360


def set_terms(
    product_id: int,
    *,
    loss_cap: Decimal | None,
    claim_after_days: int | None,
    sharing: RiskSharing | None,
    by: Party,
    now: datetime,
) -> GuaranteeTerms:
    """Say what holds for claims on a guarantee of the party's own shelf; claims already open keep theirs.

    ``loss_cap`` is a share of all that was guaranteed under the product (代偿率上限, usually 3 to 5 %).
    """
    by.require(Capability.INSTITUTION_APPROVER)
    product = db.session.get(Product, product_id)
    if product is None or (product.zone_id, product.organisation_id) != (by.zone_id, by.organisation_id):
        raise not_found("product", product_id)
    if product.family is not ProductFamily.GUARANTEE:
        expected = ProductFamily.GUARANTEE.value
        raise conflict(Code.WRONG_KIND, "product_id", kind=product.family.value, expected=expected)
    faults = []
    if loss_cap is not None and not 0 < loss_cap <= 1:
        faults.append(Fault(Code.TOO_LARGE, "loss_cap", {"value": f"{loss_cap:f}", "most": "1"}))
    if claim_after_days is not None and not 1 <= claim_after_days <= MOST_DAYS:
        values = {"value": claim_after_days, "most": MOST_DAYS}
        faults.append(Fault(Code.TOO_LARGE, "claim_after_days", values))
    if faults:
        raise Invalid(*faults)
    if sharing is not None:
        check_list(sharing, Decimal(1))
    with transaction() as session:
        row = find(session, product_id, locked=True) or GuaranteeTerms(product_id=product_id)
        row.loss_cap, row.claim_after_days = loss_cap, claim_after_days
        row.risk_sharing = [] if sharing is None else write_sharing(sharing)
        session.add(row)
        audit.record(
            session,
            "guarantee_terms.set",
            row,
            by=by,
            now=now,
            loss_cap=None if loss_cap is None else f"{loss_cap:f}",
            claim_after_days=claim_after_days,
            risk_sharing=row.risk_sharing,
        )
    return row


def find(session: Session, product_id: int | None, *, locked: bool = False) -> GuaranteeTerms | None:
    """Return what a product says of claims, or None."""
    if product_id is None:
        return None
    query = select(GuaranteeTerms).where(GuaranteeTerms.product_id == product_id)
    return session.scalar(query.with_for_update() if locked else query)


def read_list(terms: GuaranteeTerms | None) -> RiskSharing | None:
    """Return the risk-sharing list of a product, or None where it has none."""
    return read_sharing(terms.risk_sharing) if terms is not None and terms.risk_sharing else None


def check_cap(session: Session, guarantee: Guarantee, payable: int) -> None:
    """Raise ``Conflict`` (limit_exceeded) where ``payable`` fen more break the loss cap of the portfolio.

    The portfolio is all that was ever guaranteed under the product, the losses all that was accepted; the
    row of the terms is held, so that two claims are not accepted into the same room.
    """
    terms = find(session, guarantee.product_id, locked=True)
    if terms is None or terms.loss_cap is None:
        return
    portfolio, used = sum_portfolio(session, guarantee.product_id)
    most = find_cap(portfolio, terms.loss_cap)
    if used + payable > most:
        raise conflict(Code.LIMIT_EXCEEDED, "loss_cap", limit=most, used=used, asked=payable)


def sum_portfolio(session: Session, product_id: int | None) -> tuple[int, int]:
    """Return what was guaranteed under a product and what of it was compensated or accepted, in fen."""
    guaranteed = session.scalar(
        select(func.coalesce(func.sum(Guarantee.amount), 0))
        .join(Guarantee.loan)
        .where(Guarantee.product_id == product_id, Loan.state != LoanState.CANCELLED)
    )
    used = session.scalar(
        select(func.coalesce(func.sum(CompensationClaim.payable), 0))
        .join(CompensationClaim.guarantee)
        .where(Guarantee.product_id == product_id, CompensationClaim.state.in_(COUNTED_CLAIMS))
    )
    return int(guaranteed or 0), int(used or 0)


def require_absent(sharing: RiskSharing | None) -> None:
    """Raise ``Invalid`` for a list that is entered where the product has its own."""
    if sharing is not None:
        raise invalid(Code.UNKNOWN_FIELD, "risk_sharing")
