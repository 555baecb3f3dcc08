"""What a purchaser owes on a contract, and what it paid."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Fen, Id
from models.contract import Contract


class PlannedPayment(Base):
    """One payment the purchaser owes by the contract's payment plan (付款计划), in fen."""

    __tablename__ = "planned_payments"
    __table_args__ = (
        UniqueConstraint("contract_id", "number"),
        CheckConstraint("amount > 0", name="amount_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    number: Mapped[int]
    due_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)


class PurchaserPayment(Base):
    """A payment by the purchaser (采购人付款): ``transaction_id`` makes it recordable once only.

    ``paid_on`` is None when the record gives no date: such a payment is stored, alerted and never
    moves a state by itself. ``watched_at`` says when the clock looked whether it went to the locked account.
    """

    __tablename__ = "purchaser_payments"
    __table_args__ = (UniqueConstraint("contract_id", "transaction_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    transaction_id: Mapped[str] = mapped_column(String(200))
    paid_on: Mapped[date | None]
    amount: Mapped[int] = mapped_column(Fen)
    currency: Mapped[str | None] = mapped_column(String(8))
    payer: Mapped[str | None] = mapped_column(String(300))
    payee: Mapped[str | None] = mapped_column(String(300))
    payee_account: Mapped[str | None] = mapped_column(String(40))
    settled_at: Mapped[datetime | None]
    watched_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]

    contract: Mapped[Contract] = relationship(back_populates="payments")
