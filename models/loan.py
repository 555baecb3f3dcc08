"""Loans and leases that came of awards: schedule, drawdown and repayments."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import LoanState, OfferKind
from models.award import Award
from models.base import Base, Fen, Id, Rate, word
from models.contract import Contract
from models.organisation import Organisation


class Loan(Base):
    """A loan or lease (贷款 / 租赁): approved by the award, drawn, then repaid line by line.

    ``principal`` and ``outstanding`` are fen of principal. ``overdue_since`` is the earliest due date
    not fully paid by the clock's last look; None when nothing is late. ``sector`` (the borrower's industry)
    and ``purchaser_id`` (of the contract) are as at the award: what limits count the loan under.
    """

    __tablename__ = "loans"
    __table_args__ = (
        CheckConstraint("principal > 0", name="principal_sign"),
        CheckConstraint("outstanding BETWEEN 0 AND principal", name="outstanding_range"),
        CheckConstraint("state NOT IN ('drawn','repaid') OR drawn_on IS NOT NULL", name="drawn_has_date"),
        CheckConstraint("state <> 'repaid' OR outstanding = 0", name="repaid_owes_nothing"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    award_id: Mapped[int] = mapped_column(ForeignKey("awards.id"), unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    sector: Mapped[str | None] = mapped_column(String(40))
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[OfferKind] = mapped_column(word(OfferKind))
    state: Mapped[LoanState] = mapped_column(word(LoanState), default=LoanState.APPROVED)
    principal: Mapped[int] = mapped_column(Fen)
    months: Mapped[int]
    outstanding: Mapped[int] = mapped_column(Fen, default=0)
    effective: Mapped[Decimal] = mapped_column(Rate)
    terms: Mapped[dict[str, Any]]
    approved_at: Mapped[datetime]
    drawn_on: Mapped[date | None]
    repaid_on: Mapped[date | None]
    overdue_since: Mapped[date | None]

    award: Mapped[Award] = relationship()
    lender: Mapped[Organisation] = relationship(foreign_keys=[lender_id])
    borrower: Mapped[Organisation] = relationship(foreign_keys=[borrower_id])
    contract: Mapped[Contract | None] = relationship()
    instalments: Mapped[list[Instalment]] = relationship(back_populates="loan", order_by="Instalment.number")
    repayments: Mapped[list[Repayment]] = relationship(back_populates="loan", order_by="Repayment.id")


class Instalment(Base):
    """One line of the repayment schedule, in fen; ``due_on`` is known once the loan is drawn.

    ``fees`` are what the firm pays beside interest on that date; a line with number 0 is the day of
    drawdown.
    """

    __tablename__ = "instalments"
    __table_args__ = (
        UniqueConstraint("loan_id", "number"),
        CheckConstraint("principal >= 0 AND interest >= 0 AND fees >= 0", name="amounts_sign"),
        CheckConstraint("paid_principal BETWEEN 0 AND principal", name="paid_principal_range"),
        CheckConstraint("paid_interest BETWEEN 0 AND interest", name="paid_interest_range"),
        CheckConstraint("paid_fees BETWEEN 0 AND fees", name="paid_fees_range"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    number: Mapped[int]
    due_on: Mapped[date | None]
    principal: Mapped[int] = mapped_column(Fen)
    interest: Mapped[int] = mapped_column(Fen)
    fees: Mapped[int] = mapped_column(Fen, default=0)
    balance: Mapped[int] = mapped_column(Fen)
    paid_principal: Mapped[int] = mapped_column(Fen, default=0)
    paid_interest: Mapped[int] = mapped_column(Fen, default=0)
    paid_fees: Mapped[int] = mapped_column(Fen, default=0)

    loan: Mapped[Loan] = relationship(back_populates="instalments")


class Repayment(Base):
    """Money that reached the lender (还款), split into fees, interest and principal.

    ``source`` is ``borrower``, or ``purchaser`` with the payment it came from; what a purchaser paid
    beyond the loan went on to the supplier as ``remainder``.
    """

    __tablename__ = "repayments"
    __table_args__ = (
        UniqueConstraint("loan_id", "reference"),
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("amount = fees + interest + principal + remainder", name="split_sums_up"),
        CheckConstraint(
            "fees >= 0 AND interest >= 0 AND principal >= 0 AND remainder >= 0", name="split_sign"
        ),
        CheckConstraint("source IN ('borrower','purchaser')", name="source_known"),
        CheckConstraint("(source = 'purchaser') = (payment_id IS NOT NULL)", name="purchaser_names_payment"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    reference: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(16))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"), index=True)
    paid_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)
    fees: Mapped[int] = mapped_column(Fen, default=0)
    interest: Mapped[int] = mapped_column(Fen, default=0)
    principal: Mapped[int] = mapped_column(Fen, default=0)
    remainder: Mapped[int] = mapped_column(Fen, default=0)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    loan: Mapped[Loan] = relationship(back_populates="repayments")


class Guarantee(Base):
    """What a guarantor stands for on one loan (担保), in fen, until the loan is repaid or cancelled.

    ``weighted`` is what counts against the guarantor's leverage of what is now in force of it.
    """

    __tablename__ = "guarantees"
    __table_args__ = (CheckConstraint("amount > 0 AND weighted BETWEEN 0 AND amount", name="amounts_range"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), unique=True)
    guarantor_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    firm_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    amount: Mapped[int] = mapped_column(Fen)
    weighted: Mapped[int] = mapped_column(Fen)
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    loan: Mapped[Loan] = relationship()
