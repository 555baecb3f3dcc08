"""People: users, what they may do for whom and where, and their API tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import Capability, Locale
from models.base import Base, Id, word
from models.organisation import Organisation
from models.zone import Zone


class User(Base):
    """A person who signs in. Without a password hash the person was invited and cannot sign in yet."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    locale: Mapped[Locale | None] = mapped_column(word(Locale))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    roles: Mapped[list[Role]] = relationship(back_populates="user", order_by="Role.id")


class Role(Base):
    """One capability of one user for one organisation in one zone; the seat must exist."""

    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("user_id", "zone_id", "organisation_id", "capability"),
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    capability: Mapped[Capability] = mapped_column(word(Capability))

    user: Mapped[User] = relationship(back_populates="roles")
    zone: Mapped[Zone] = relationship()
    organisation: Mapped[Organisation] = relationship()


class ApiToken(Base):
    """An opaque API token: only its SHA-256 is kept, so that a copy of the database opens nothing."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
