"""Imports of contracts, and how far each is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class ImportJob(Base):
    """One run of an import: who, what, how far, and what came of it."""

    __tablename__ = "import_jobs"
    __table_args__ = (
        CheckConstraint("imported >= 0 AND updated >= 0 AND rejected >= 0", name="counts_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(300))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    imported: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any] | None]
