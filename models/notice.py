"""Notices: what an organisation, or one person, is told inside the market."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.procurement_vocabulary import NoticeKind
from models.base import Base, Id, word


class Notice(Base):
    """A notice (站内通知): of what (``kind``), about which thing (``subject``: ``intention:7``), to whom.

    Its words are made from ``details`` when it is read, in the reader's language. One who is told once is not
    told again: each has one notice of a kind and subject. Rows come in the order of their numbers and never
    leave, so whoever delivers them elsewhere remembers the last number delivered.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("(organisation_id IS NULL) <> (user_id IS NULL)", name="one_recipient"),
        CheckConstraint("read_at IS NULL OR read_at >= created_at", name="read_after_creation"),
        Index(
            "uq_notices_organisation",
            "organisation_id",
            "zone_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("organisation_id IS NOT NULL"),
            postgresql_where=text("organisation_id IS NOT NULL"),
        ),
        Index(
            "uq_notices_user",
            "user_id",
            "zone_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("user_id IS NOT NULL"),
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        # The bell of every page asks for these.
        Index(
            "ix_notices_unread",
            "organisation_id",
            "zone_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[NoticeKind] = mapped_column(word(NoticeKind))
    subject: Mapped[str] = mapped_column(String(80))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    read_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
