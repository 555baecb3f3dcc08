"""Registrations of a contract's receivable as pledged, one after another."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.ladder_vocabulary import PledgeEnd
from models.base import Base, Id, word
from models.contract import Contract


class Pledge(Base):
    """An entry in the movable-asset registry (应收账款质押登记): its number, and until when it holds.

    A renewal ends one row and begins the next; the standing one is also the contract's ``pledge_number``.
    """

    __tablename__ = "pledges"
    __table_args__ = (
        CheckConstraint("number <> ''", name="number_given"),
        CheckConstraint("expires_on > registered_on", name="expires_later"),
        CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="end_whole"),
        Index(
            "uq_pledges_standing",
            "contract_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    number: Mapped[str] = mapped_column(String(60))
    registered_on: Mapped[date]
    expires_on: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300), default="")
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[PledgeEnd | None] = mapped_column(word(PledgeEnd))

    contract: Mapped[Contract] = relationship()
