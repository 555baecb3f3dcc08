"""What lenders reported on their contract loans, month by month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organisation import Organisation


class LenderReport(Base):
    """A lender's report on a month's contract loans (政采贷月报), as it was handed in.

    ``figures`` are those of the book as the lender saw and confirmed them (``services.lender_figures``),
    ``row_count`` the deals newly financed among them, ``seal`` their SHA-256. A correction is another row
    with its reason; the one before stays, superseded.
    """

    __tablename__ = "lender_reports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "lender_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
        UniqueConstraint("zone_id", "lender_id", "month", "number"),
        CheckConstraint("month LIKE '20__-__' AND length(month) = 7", name="month_written"),
        CheckConstraint("number >= 1 AND row_count >= 0", name="counts_range"),
        CheckConstraint("(number = 1) = (reason IS NULL)", name="correction_has_reason"),
        CheckConstraint("length(seal) = 64", name="seal_length"),
        # One report a month stands, however often it was corrected.
        Index(
            "uq_lender_reports_standing",
            "zone_id",
            "lender_id",
            "month",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    month: Mapped[str] = mapped_column(String(7))
    number: Mapped[int]
    figures: Mapped[dict[str, Any]]
    row_count: Mapped[int]
    seal: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(300))
    submitted_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]

    lender: Mapped[Organisation] = relationship(foreign_keys=[lender_id])
