"""Imports of contracts, how far each is, and the files that wait for a confirmation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from market.import_vocabulary import ImportFormat, ImportState
from models.base import Base, Id, word


class ImportJob(Base):
    """One import: who, what, how far, and what came of it; a resumed one keeps its row.

    ``bytes_read`` of ``bytes_total`` (None where the length is not known) say how far the file was read;
    ``parts`` releases or rows of it, and ``findings`` of the next one, are stored. ``run`` counts its starts:
    a run that finds another number there has been replaced. ``fingerprint`` is the SHA-256 of the first MB.
    """

    __tablename__ = "import_jobs"
    __table_args__ = (
        CheckConstraint("imported >= 0 AND updated >= 0 AND rejected >= 0", name="counts_sign"),
        CheckConstraint("notices >= 0 AND notices_refused >= 0", name="notices_sign"),
        CheckConstraint(
            "bytes_read >= 0 AND (bytes_total IS NULL OR bytes_read <= bytes_total)", name="bytes_range"
        ),
        CheckConstraint("parts >= 0 AND findings >= 0 AND run >= 1", name="position_sign"),
        CheckConstraint("(state IN ('waiting', 'running')) = (finished_at IS NULL)", name="end_has_time"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(300))
    format: Mapped[ImportFormat] = mapped_column(word(ImportFormat), default=ImportFormat.OCDS)
    state: Mapped[ImportState] = mapped_column(word(ImportState), default=ImportState.RUNNING)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    imported: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    notices: Mapped[int] = mapped_column(default=0)
    notices_refused: Mapped[int] = mapped_column(default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_total: Mapped[int | None] = mapped_column(BigInteger)
    parts: Mapped[int] = mapped_column(default=0)
    findings: Mapped[int] = mapped_column(default=0)
    run: Mapped[int] = mapped_column(default=1)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    failure: Mapped[dict[str, Any] | None]


class ImportFile(Base):
    """A file sent through a page: kept until its import is done, so that it can be confirmed and resumed."""

    __tablename__ = "import_files"
    __table_args__ = (CheckConstraint("length(content) > 0", name="content_given"),)

    job_id: Mapped[int] = mapped_column(ForeignKey("import_jobs.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
