"""Zones: each runs one marketplace; organisations join them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organisation import Organisation


class Zone(Base):
    """A high-tech zone (园区) and the settings of its marketplace.

    ``matching_times`` are local times of day ("10:00,15:30") at which matching rounds run on working
    days. An institution's review of an award takes at most ``review_days`` working days; from one bid
    round to the next an annual cost falls by at least ``improvement_bps`` basis points; a gap of the
    clock longer than ``outage_minutes`` moves the deadlines in it. ``clock_offset_seconds`` moves the
    zone's clock, for practice zones (sandboxes) only. With ``framework_required`` only institutions with a
    framework agreement in force offer contract loans; with ``bid_deposits_abolished`` nobody demands a
    deposit of bidders.
    """

    __tablename__ = "zones"
    __table_args__ = (
        # A real market cannot be moved in time: only a sandbox may have an offset.
        CheckConstraint("is_sandbox OR clock_offset_seconds = 0", name="only_sandbox_moves_clock"),
        CheckConstraint("clock_offset_seconds >= 0", name="clock_never_goes_back"),
        CheckConstraint("minimum_bids BETWEEN 1 AND 9", name="minimum_bids_range"),
        CheckConstraint("acceptance_days BETWEEN 1 AND 30", name="acceptance_days_range"),
        CheckConstraint("review_days BETWEEN 1 AND 60", name="review_days_range"),
        CheckConstraint("improvement_bps BETWEEN 1 AND 500", name="improvement_bps_range"),
        CheckConstraint("outage_minutes BETWEEN 1 AND 1440", name="outage_minutes_range"),
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
    review_days: Mapped[int] = mapped_column(default=5)
    improvement_bps: Mapped[int] = mapped_column(default=5)
    outage_minutes: Mapped[int] = mapped_column(default=15)
    matching_times: Mapped[str] = mapped_column(String(80), default="10:00")
    framework_required: Mapped[bool] = mapped_column(default=False)
    bid_deposits_abolished: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Membership(Base):
    """An organisation's seat in a zone (机构 × 园区): every zonal row of an organisation hangs on it.

    An institution bids once it is admitted (准入), with its licence and the agreement it signed with
    the zone, until that ends or an officer suspends it.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("zone_id", "organisation_id"),
        CheckConstraint("(suspended_at IS NULL) = (suspended_because IS NULL)", name="suspension_has_reason"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    joined_at: Mapped[datetime]
    whitelisted: Mapped[bool] = mapped_column(default=False)
    licence_number: Mapped[str | None] = mapped_column(String(60))
    agreement_number: Mapped[str | None] = mapped_column(String(60))
    agreement_until: Mapped[date | None]
    admitted_at: Mapped[datetime | None]
    admitted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    suspended_at: Mapped[datetime | None]
    suspended_because: Mapped[str | None] = mapped_column(String(300))

    zone: Mapped[Zone] = relationship()
    organisation: Mapped[Organisation] = relationship()


class ClockBeat(Base):
    """When the clock last looked at a zone: a gap in it is an outage."""

    __tablename__ = "clock_beats"

    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class Outage(Base):
    """A time the market could not be used (系统中断), and the deadlines it moved, all by the same length.

    ``moved`` lists ``{"subject", "id", "field", "before", "after"}``.
    """

    __tablename__ = "outages"
    __table_args__ = (
        CheckConstraint("ended_at > started_at", name="ends_after_start"),
        CheckConstraint("trigger IN ('clock','officer')", name="trigger_known"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    trigger: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(300), default="")
    moved: Mapped[list[Any]]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
