"""Contracts that ended before their time."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.contract import Contract


class Termination(Base):
    """A contract that its purchaser ended early (合同终止), once: nobody takes up a financing on it any more.

    The day stands in the contract's ``terminated_on`` too, where a record that is imported later, or a new
    financing (trigger ``financings_not_terminated``), finds it.
    """

    __tablename__ = "terminations"
    __table_args__ = (CheckConstraint("reason <> '' AND evidence <> ''", name="grounds_given"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), unique=True)
    terminated_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(300))
    evidence: Mapped[str] = mapped_column(String(300))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    contract: Mapped[Contract] = relationship()
