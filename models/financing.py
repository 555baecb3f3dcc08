"""Claims of lenders on what a purchaser will pay: one live claim at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Fen, Id
from models.contract import Contract
from models.organisation import Organisation


class Financing(Base):
    """A live claim on one contract's money by one lender: the guard against double financing.

    The key (normalised contract number + supplier code) is unique over live financings in the whole
    system, not per zone and not per contract row.
    """

    __tablename__ = "financings"
    __table_args__ = (
        Index(
            "uq_financings_live_key",
            "key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("financed >= 0", name="financed_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(320))
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    financed: Mapped[int] = mapped_column(Fen, default=0)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    contract: Mapped[Contract] = relationship()
    lender: Mapped[Organisation] = relationship()
