"""Reviews: an institution's own diligence after an award, where its bid was subject to approval."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.bidding_vocabulary import DeclineReason, ReviewOutcome
from models.base import Base, Id, word
from models.loan import Loan


class Review(Base):
    """An institution's review of one awarded loan (授信审批), on the working-day clock until ``due_at``."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided_whole"),
        CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'declined') = (reason IS NOT NULL)",
            name="declined_has_reason",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), unique=True)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    outcome: Mapped[ReviewOutcome | None] = mapped_column(word(ReviewOutcome))
    reason: Mapped[DeclineReason | None] = mapped_column(word(DeclineReason))
    note: Mapped[str | None] = mapped_column(String(500))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]

    loan: Mapped[Loan] = relationship()
    requests: Mapped[list[ReviewRequest]] = relationship(back_populates="review", order_by="ReviewRequest.id")


class ReviewRequest(Base):
    """A document or statement the institution asks the firm for, and what the firm answered (补充材料)."""

    __tablename__ = "review_requests"
    __table_args__ = (CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered_whole"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), index=True)
    what: Mapped[str] = mapped_column(String(300))
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(1000))
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]

    review: Mapped[Review] = relationship(back_populates="requests")
