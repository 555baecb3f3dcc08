"""Framework agreements: which institutions may offer contract loans in a zone, and until when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organisation import Organisation


class FrameworkAgreement(Base):
    """A framework agreement (政采贷框架协议) between a zone and an institution with a seat in it.

    In force from ``valid_from`` up to and including ``valid_until``, or until the day before ``ended_on``
    if it was ended early. Two that live at once are refused by a trigger (migration 0006), which neither
    database can say as a CHECK.
    """

    __tablename__ = "framework_agreements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
        UniqueConstraint("zone_id", "number"),
        CheckConstraint("valid_until >= valid_from", name="validity_order"),
        CheckConstraint("ended_on IS NULL OR ended_on <= valid_until", name="ended_early"),
        CheckConstraint(
            "(ended_on IS NULL) = (ended_because IS NULL) AND (ended_on IS NULL) = (ended_by IS NULL)",
            name="ending_whole",
        ),
        Index("ix_framework_agreements_institution", "zone_id", "organisation_id", "valid_until"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    number: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    ended_on: Mapped[date | None]
    ended_because: Mapped[str | None] = mapped_column(String(300))
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
