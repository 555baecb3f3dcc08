"""Lists about compensation claims: the party's own, and the deals of which it could claim."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from market.claims_vocabulary import STANDING_CLAIMS
from market.party import Party
from market.vocabulary import Capability, LoanState
from models.base import db
from models.claim import ClaimShare, CompensationClaim
from models.loan import Guarantee, Loan


def list_for(by: Party) -> Sequence[CompensationClaim]:
    """Return the claims of the party, newest first; officers and auditors see their zone's."""
    query = (
        select(CompensationClaim)
        .join(CompensationClaim.loan)
        .join(CompensationClaim.guarantee)
        .where(Loan.zone_id == by.zone_id)
        .options(
            joinedload(CompensationClaim.loan).joinedload(Loan.borrower),
            joinedload(CompensationClaim.loan).joinedload(Loan.lender),
            selectinload(CompensationClaim.shares).selectinload(ClaimShare.recoveries),
        )
        .order_by(CompensationClaim.id.desc())
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        own = by.organisation_id
        query = query.where(or_(Loan.lender_id == own, Guarantee.guarantor_id == own))
    return list(db.session.scalars(query))


def list_claimable(by: Party) -> Sequence[Loan]:
    """Return the party's guaranteed deals that are late, or are guarantees themselves, the latest first.

    One with a claim that waits for its decision or its payment is not among them.
    """
    waiting = (
        select(CompensationClaim.id)
        .where(CompensationClaim.loan_id == Loan.id, CompensationClaim.state.in_(STANDING_CLAIMS))
        .exists()
    )
    return list(
        db.session.scalars(
            select(Loan)
            .join(Guarantee, Guarantee.loan_id == Loan.id)
            .where(
                Loan.zone_id == by.zone_id,
                Loan.lender_id == by.organisation_id,
                Loan.state == LoanState.DRAWN,
                Guarantee.ended_at.is_(None),
                or_(Loan.overdue_since.is_not(None), Guarantee.guarantor_id == Loan.lender_id),
                ~waiting,
            )
            .options(joinedload(Loan.borrower))
            .order_by(Loan.overdue_since, Loan.id)
        )
    )
