"""Compensation claims: what a lender asks of a guarantor, who bears which share, what comes back later."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.claims_vocabulary import ClaimState
from market.risk_sharing import Role
from models.base import Base, Fen, Id, Rate, word
from models.loan import Guarantee, Loan
from models.product import Product


class GuaranteeTerms(Base):
    """What a guarantor's product says of claims (代偿条款).

    ``claim_after_days`` days past due before a claim, ``loss_cap`` the most of the guaranteed portfolio that
    is ever compensated (代偿率上限), ``risk_sharing`` the list as ``market.risk_sharing`` reads it.
    """

    __tablename__ = "guarantee_terms"
    __table_args__ = (
        CheckConstraint("loss_cap IS NULL OR loss_cap BETWEEN 1 AND 100000000", name="loss_cap_range"),
        CheckConstraint(
            "claim_after_days IS NULL OR claim_after_days BETWEEN 1 AND 360", name="claim_after_days_range"
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), unique=True)
    loss_cap: Mapped[Decimal | None] = mapped_column(Rate)
    claim_after_days: Mapped[int | None]
    risk_sharing: Mapped[list[Any]] = mapped_column(default=list)

    product: Mapped[Product] = relationship()


class CompensationClaim(Base):
    """A lender's claim on the guarantor of a loan (代偿申请): ``amount`` fen of loss.

    ``payable`` of them the guarantor pays, the rest is the lender's own share. ``event_id`` is the
    compensation in the loan's book; a second claim on a loan waits until the first is refused or paid.
    """

    __tablename__ = "compensation_claims"
    __table_args__ = (
        CheckConstraint("payable > 0 AND payable <= amount", name="payable_range"),
        CheckConstraint("basis <> '' AND evidence <> ''", name="grounds_given"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decision_has_time"),
        CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name="refusal_says_why"),
        CheckConstraint("(state IN ('paid','closed')) = (event_id IS NOT NULL)", name="paid_has_event"),
        Index(
            "uq_compensation_claims_standing",
            "loan_id",
            unique=True,
            sqlite_where=text("state IN ('open','accepted')"),
            postgresql_where=text("state IN ('open','accepted')"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), index=True)
    guarantee_id: Mapped[int] = mapped_column(ForeignKey("guarantees.id"), index=True)
    amount: Mapped[int] = mapped_column(Fen)
    payable: Mapped[int] = mapped_column(Fen)
    opened_on: Mapped[date]
    days_past_due: Mapped[int]
    basis: Mapped[str] = mapped_column(String(300))
    evidence: Mapped[str] = mapped_column(String(300))
    state: Mapped[ClaimState] = mapped_column(word(ClaimState), default=ClaimState.OPEN)
    opened_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(300))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("loan_events.id"), unique=True)

    loan: Mapped[Loan] = relationship()
    guarantee: Mapped[Guarantee] = relationship()
    shares: Mapped[list[ClaimShare]] = relationship(back_populates="claim", order_by="ClaimShare.place")


class ClaimShare(Base):
    """What one party of the list bears of a claim, and when it paid that."""

    __tablename__ = "claim_shares"
    __table_args__ = (
        UniqueConstraint("claim_id", "place"),
        UniqueConstraint("claim_id", "party"),
        CheckConstraint("share BETWEEN 1 AND 100000000", name="share_range"),
        CheckConstraint("amount >= 0", name="amount_sign"),
        CheckConstraint("(paid_on IS NULL) = (reference IS NULL)", name="payment_whole"),
        CheckConstraint("paid_on IS NULL OR role NOT IN ('bank','lender')", name="lender_bears"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("compensation_claims.id"))
    place: Mapped[int]
    party: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(word(Role))
    share: Mapped[Decimal] = mapped_column(Rate)
    amount: Mapped[int] = mapped_column(Fen)
    paid_on: Mapped[date | None]
    reference: Mapped[str | None] = mapped_column(String(80))

    claim: Mapped[CompensationClaim] = relationship(back_populates="shares")
    recoveries: Mapped[list[ClaimRecovery]] = relationship(order_by="ClaimRecovery.id")

    @property
    def recovered(self) -> int:
        """Return what has come back to the party, in fen."""
        return sum(row.amount for row in self.recoveries)


class ClaimRecovery(Base):
    """One party's part of money that the borrower paid after a compensation (追偿分配)."""

    __tablename__ = "claim_recoveries"
    __table_args__ = (
        UniqueConstraint("share_id", "reference"),
        CheckConstraint("amount >= 0", name="amount_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    share_id: Mapped[int] = mapped_column(ForeignKey("claim_shares.id"))
    reference: Mapped[str] = mapped_column(String(80))
    recovered_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
