"""Review records: what is on record of reviews, for whoever may see it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import joinedload, selectinload

from market.bidding_vocabulary import DeclineReason, ReviewOutcome
from market.diligence import DeclineRate
from market.errors import not_found
from market.party import Party
from market.vocabulary import Capability
from models.award import Award
from models.base import db
from models.loan import Loan
from models.review import Review, ReviewRequest

#: What lists and pages show of a review, read along with it.
_WITH = (
    selectinload(Review.requests),
    joinedload(Review.loan).options(
        joinedload(Loan.lender), joinedload(Loan.borrower), joinedload(Loan.award)
    ),
)


def find_for_loan(loan_id: int) -> Review | None:
    """Return the review of a loan with its questions, for whoever may see the loan; None for a firm bid."""
    return db.session.scalar(
        select(Review).where(Review.loan_id == loan_id).options(selectinload(Review.requests))
    )


def find_for_bid(bid_id: int) -> Review | None:
    """Return the review that the award of a bid opened, for its institution; None without one."""
    return db.session.scalar(
        select(Review)
        .join(Loan, Review.loan_id == Loan.id)
        .join(Award, Loan.award_id == Award.id)
        .where(Award.bid_id == bid_id)
        .options(*_WITH)
    )


def find(review_id: int, *, by: Party) -> Review:
    """Return a review to the two sides of its loan, or an officer or auditor of the zone."""
    review = db.session.scalar(
        select(Review).where(Review.id == review_id, _shown_to(by)).join(Loan).options(*_WITH)
    )
    if review is None:
        raise not_found("review", review_id)
    return review


def find_request(request_id: int, *, by: Party) -> ReviewRequest:
    """Return something asked for in a review to the two sides of its loan, as ``find``."""
    asked = db.session.get(ReviewRequest, request_id)
    if asked is None:
        raise not_found("request", request_id)
    find(asked.review_id, by=by)
    return asked


def list_for(by: Party, *, waiting: bool | None = None) -> list[Review]:
    """Return the reviews the party is part of (officers and auditors: the zone's).

    Those that wait come first, the one due first on top; ``waiting`` keeps these, or only the decided.
    """
    query = select(Review).join(Loan).where(_shown_to(by)).options(*_WITH)
    if waiting is not None:
        query = query.where(Review.outcome.is_(None) if waiting else Review.outcome.is_not(None))
    found = db.session.scalars(query.order_by(Review.id))
    return sorted(
        found,
        key=lambda row: (
            row.decided_at is not None,
            row.due_at.timestamp() if row.decided_at is None else -row.decided_at.timestamp(),
        ),
    )


def list_declined(need_id: int) -> list[Review]:
    """Return the reviews that ended awards of a need, the last one first, for whoever may see its offers."""
    return list(
        db.session.scalars(
            select(Review)
            .join(Loan, Review.loan_id == Loan.id)
            .join(Award, Loan.award_id == Award.id)
            .where(Award.need_id == need_id, Review.outcome == ReviewOutcome.DECLINED)
            .options(*_WITH)
            .order_by(Review.id.desc())
        )
    )


def list_open_requests(by: Party) -> list[ReviewRequest]:
    """Return what institutions wait for the party's firm to answer, oldest first."""
    return list(
        db.session.scalars(
            select(ReviewRequest)
            .join(Review, ReviewRequest.review_id == Review.id)
            .join(Loan, Review.loan_id == Loan.id)
            .where(
                Loan.zone_id == by.zone_id,
                Loan.borrower_id == by.organisation_id,
                Review.outcome.is_(None),
                ReviewRequest.answered_at.is_(None),
            )
            .options(
                joinedload(ReviewRequest.review).joinedload(Review.loan).joinedload(Loan.lender),
            )
            .order_by(ReviewRequest.id)
        )
    )


def is_standing_still(review: Review) -> bool:
    """Say whether a review's clock stands, because the firm has not answered everything."""
    return review.outcome is None and any(request.answered_at is None for request in review.requests)


def may_decide(review: Review, by: Party) -> bool:
    """Say whether the party is the second person at the institution who decides a review now."""
    loan = review.loan
    return (
        review.outcome is None
        and loan.lender_id == by.organisation_id
        and by.may(Capability.INSTITUTION_APPROVER)
        and loan.origin.bid.placed_by != by.user_id
    )


def read_decline_rates(organisation_ids: Collection[int], zone_id: int) -> dict[int, DeclineRate]:
    """Return how often institutions declined what they reviewed in a zone; none without a review decided."""
    declined = func.count().filter(Review.outcome == ReviewOutcome.DECLINED)
    query = (
        select(Loan.lender_id, func.count(), declined)
        .join(Review, Review.loan_id == Loan.id)
        .where(
            Loan.zone_id == zone_id,
            Loan.lender_id.in_(organisation_ids),
            Review.outcome.is_not(None),
            Review.reason.is_distinct_from(DeclineReason.FIRM_WITHDREW),
        )
        .group_by(Loan.lender_id)
    )
    return {lender: DeclineRate(reviewed, no) for lender, reviewed, no in db.session.execute(query)}


def _shown_to(by: Party) -> ColumnElement[bool]:
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return Loan.zone_id == by.zone_id
    own = by.organisation_id
    return and_(Loan.zone_id == by.zone_id, (Loan.lender_id == own) | (Loan.borrower_id == own))
