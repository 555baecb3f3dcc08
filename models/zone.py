"""Zones: each runs one marketplace; organisations join them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organisation import Organisation


class Zone(Base):
    """A high-tech zone (园区) and the settings of its marketplace.

    ``matching_times`` are local times of day ("10:00,15:30") at which matching rounds run on working
    days. ``clock_offset_seconds`` moves the zone's clock, for practice zones (sandboxes) only.
    """

    __tablename__ = "zones"
    __table_args__ = (
        # A real market cannot be moved in time: only a sandbox may have an offset.
        CheckConstraint("is_sandbox OR clock_offset_seconds = 0", name="only_sandbox_moves_clock"),
        CheckConstraint("clock_offset_seconds >= 0", name="clock_never_goes_back"),
        CheckConstraint("minimum_bids BETWEEN 1 AND 9", name="minimum_bids_range"),
        CheckConstraint("acceptance_days BETWEEN 1 AND 30", name="acceptance_days_range"),
        # The import command and the sign-up page fall back on exactly one default zone.
        Index(
            "uq_zones_default",
            "is_default",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    is_default: Mapped[bool] = mapped_column(default=False)
    is_sandbox: Mapped[bool] = mapped_column(default=False)
    clock_offset_seconds: Mapped[int] = mapped_column(default=0)
    minimum_bids: Mapped[int] = mapped_column(default=3)
    acceptance_days: Mapped[int] = mapped_column(default=3)
    matching_times: Mapped[str] = mapped_column(String(80), default="10:00")
    created_at: Mapped[datetime]


class Membership(Base):
    """An organisation's seat in a zone (机构 × 园区): every zonal row of an organisation hangs on it."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("zone_id", "organisation_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    joined_at: Mapped[datetime]
    whitelisted: Mapped[bool] = mapped_column(default=False)

    zone: Mapped[Zone] = relationship()
    organisation: Mapped[Organisation] = relationship()
