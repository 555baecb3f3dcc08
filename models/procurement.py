"""Public procurement before there is a contract: intentions, awards, rules that favour small firms."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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

from market.procurement_vocabulary import Favoured, ProcurementObject, ProcurementRuleKind
from models.base import Base, Fen, Id, Rate, word
from models.organisation import Organisation


class AwardNotice(Base):
    """An award notice (中标、成交公告): one package of one project, awarded to one supplier.

    ``price`` is fen and None where the notice states none that can be read; ``package`` is empty where the
    project is not divided. Known by project, package and supplier within its zone.
    """

    __tablename__ = "award_notices"
    __table_args__ = (
        # Named by hand: with all its columns the name is longer than PostgreSQL's.
        UniqueConstraint(
            "zone_id", "project_number", "package_number", "supplier_name", name="uq_award_notices_package"
        ),
        CheckConstraint("price > 0", name="price_sign"),
        CheckConstraint("supplier_code IS NULL OR length(supplier_code) = 18", name="supplier_code_length"),
        Index("ix_award_notices_published", "zone_id", "published_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    project_number: Mapped[str] = mapped_column(String(160))
    package_number: Mapped[str] = mapped_column(String(80), default="")
    plan_number: Mapped[str | None] = mapped_column(String(160))
    title: Mapped[str] = mapped_column(String(400), default="")
    purchaser_name: Mapped[str | None] = mapped_column(String(300))
    purchaser_code: Mapped[str | None] = mapped_column(String(80))
    supplier_name: Mapped[str] = mapped_column(String(300))
    supplier_code: Mapped[str | None] = mapped_column(String(18), index=True)
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    price: Mapped[int | None] = mapped_column(Fen)
    currency: Mapped[str | None] = mapped_column(String(8))
    agency: Mapped[str | None] = mapped_column(String(300))
    published_on: Mapped[date]
    source: Mapped[str] = mapped_column(String(40), default="form")
    # When the newest record behind this row was published: an older one never undoes a newer one.
    released_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]

    supplier: Mapped[Organisation | None] = relationship()


class ProcurementIntention(Base):
    """A procurement intention (采购意向), published 30 days before its procurement begins, as a rule.

    ``budget`` is fen, None where none is stated; ``expected_month`` the first day of the month expected;
    ``industry`` the code of whom delivers it, ``tags`` the qualifications asked for. Known by purchaser,
    title and month within its zone.
    """

    __tablename__ = "procurement_intentions"
    __table_args__ = (
        UniqueConstraint(
            "zone_id",
            "purchaser_name",
            "title",
            "expected_month",
            name="uq_procurement_intentions_known",
        ),
        CheckConstraint("budget > 0", name="budget_sign"),
        Index("ix_procurement_intentions_published", "zone_id", "published_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    purchaser_name: Mapped[str] = mapped_column(String(300))
    title: Mapped[str] = mapped_column(String(400))
    description: Mapped[str] = mapped_column(String(1000), default="")
    object: Mapped[ProcurementObject] = mapped_column(word(ProcurementObject))
    industry: Mapped[str | None] = mapped_column(String(40))
    tags: Mapped[list[Any]] = mapped_column(default=list)
    budget: Mapped[int | None] = mapped_column(Fen)
    expected_month: Mapped[date]
    published_on: Mapped[date]
    is_reserved: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(40), default="form")
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    purchaser: Mapped[Organisation | None] = relationship()


class ProcurementWatch(Base):
    """What a firm watches for among a zone's intentions (采购关注): industry codes, and words to be found."""

    __tablename__ = "procurement_watches"
    __table_args__ = (
        UniqueConstraint("zone_id", "organisation_id"),
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    industries: Mapped[list[Any]] = mapped_column(default=list)
    keywords: Mapped[list[Any]] = mapped_column(default=list)
    updated_at: Mapped[datetime]


class ProcurementRuleRow(Base):
    """A dated rule of public procurement (政府采购政策): the nation's, or a zone's own, which is stronger.

    ``low`` and ``high`` are shares, the amounts fen: the rule speaks of projects above ``amount_from`` and up
    to ``amount_to``.
    """

    __tablename__ = "procurement_rules"
    __table_args__ = (
        CheckConstraint("low IS NOT NULL OR high IS NOT NULL", name="share_named"),
        CheckConstraint("low BETWEEN 0 AND 100000000", name="low_range"),
        CheckConstraint("high BETWEEN 0 AND 100000000 AND (low IS NULL OR high >= low)", name="high_range"),
        CheckConstraint("amount_from >= 0", name="amount_from_sign"),
        CheckConstraint("amount_to > coalesce(amount_from, 0)", name="amount_order"),
        CheckConstraint("valid_to >= valid_from", name="validity_order"),
        Index(
            "uq_procurement_rules_nation",
            "kind",
            "object",
            "favoured",
            "valid_from",
            unique=True,
            sqlite_where=text("zone_id IS NULL"),
            postgresql_where=text("zone_id IS NULL"),
        ),
        Index(
            "uq_procurement_rules_zone",
            "zone_id",
            "kind",
            "object",
            "favoured",
            "valid_from",
            unique=True,
            sqlite_where=text("zone_id IS NOT NULL"),
            postgresql_where=text("zone_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zones.id"))
    kind: Mapped[ProcurementRuleKind] = mapped_column(word(ProcurementRuleKind))
    object: Mapped[ProcurementObject] = mapped_column(word(ProcurementObject))
    favoured: Mapped[Favoured] = mapped_column(word(Favoured))
    low: Mapped[Decimal | None] = mapped_column(Rate)
    high: Mapped[Decimal | None] = mapped_column(Rate)
    amount_from: Mapped[int | None] = mapped_column(Fen)
    amount_to: Mapped[int | None] = mapped_column(Fen)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    issuer: Mapped[str] = mapped_column(String(120))
    document: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(300), default="")
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
