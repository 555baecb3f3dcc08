"""Organisations: one row per credit code, platform-wide, with their tags and limits."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.bidding_vocabulary import LimitMode
from market.vocabulary import LimitScope, OrganisationKind, SizeClass
from models.base import Base, Fen, Id, word


class Organisation(Base):
    """A firm, an institution, a purchaser, a zone authority or an agency (机构).

    Figures about a firm (staff, revenue, tax grade …) are what conditions of products ask about;
    amounts in fen. ``controller`` names who controls it in the end. ``dual_control`` asks a second
    person of the firm to confirm an acceptance.
    """

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("length(credit_code) = 18", name="credit_code_length"),
        CheckConstraint("staff_count IS NULL OR staff_count >= 0", name="staff_count_sign"),
        CheckConstraint("annual_revenue IS NULL OR annual_revenue >= 0", name="annual_revenue_sign"),
        CheckConstraint("tax_grade IS NULL OR tax_grade IN ('A','B','M','C','D')", name="tax_grade_known"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[OrganisationKind] = mapped_column(word(OrganisationKind), index=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str | None] = mapped_column(String(160))
    industry: Mapped[str | None] = mapped_column(String(40))
    size_class: Mapped[SizeClass | None] = mapped_column(word(SizeClass))
    founded_on: Mapped[date | None]
    staff_count: Mapped[int | None]
    annual_revenue: Mapped[int | None] = mapped_column(Fen)
    tax_grade: Mapped[str | None] = mapped_column(String(1))
    net_assets: Mapped[int | None] = mapped_column(Fen)
    controller: Mapped[str | None] = mapped_column(String(120))
    dual_control: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    tags: Mapped[list[Tag]] = relationship(back_populates="organisation", order_by="Tag.code")
    limits: Mapped[list[Limit]] = relationship(
        foreign_keys="Limit.organisation_id", back_populates="organisation", order_by="Limit.id"
    )


class Tag(Base):
    """A qualification with its issuer and validity (资质标签), such as ``tech_sme`` or ``high_tech``."""

    __tablename__ = "tags"
    __table_args__ = (
        UniqueConstraint("organisation_id", "code", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity_order"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(String(80))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    organisation: Mapped[Organisation] = relationship(back_populates="tags")


class Limit(Base):
    """A cap on what an institution has out (额度), in fen.

    In total, to one firm, to one industry (``sector``) or on one purchaser's contracts; for a guarantor
    ``leverage`` caps its weighted guarantees at a multiple of its net assets. ``used`` is consumed at
    award and released at repayment, under the row's lock; the CHECK holds even against a writer that
    forgot to look. In ``reserved`` mode live bids hold headroom too, counted anew from the bids.
    """

    __tablename__ = "limits"
    __table_args__ = (
        CheckConstraint("used >= 0", name="used_sign"),
        CheckConstraint("used <= cap", name="used_within_cap"),
        CheckConstraint("(scope = 'firm') = (firm_id IS NOT NULL)", name="firm_scope_names_firm"),
        CheckConstraint("(scope = 'sector') = (sector IS NOT NULL)", name="sector_scope_names_sector"),
        CheckConstraint(
            "(scope = 'purchaser') = (purchaser_id IS NOT NULL)", name="purchaser_scope_names_purchaser"
        ),
        Index(
            "uq_limits_leverage",
            "organisation_id",
            unique=True,
            sqlite_where=text("scope = 'leverage'"),
            postgresql_where=text("scope = 'leverage'"),
        ),
        Index(
            "uq_limits_sector",
            "organisation_id",
            "sector",
            unique=True,
            sqlite_where=text("scope = 'sector'"),
            postgresql_where=text("scope = 'sector'"),
        ),
        Index(
            "uq_limits_purchaser",
            "organisation_id",
            "purchaser_id",
            unique=True,
            sqlite_where=text("scope = 'purchaser'"),
            postgresql_where=text("scope = 'purchaser'"),
        ),
        Index(
            "uq_limits_total",
            "organisation_id",
            unique=True,
            sqlite_where=text("scope = 'total'"),
            postgresql_where=text("scope = 'total'"),
        ),
        Index(
            "uq_limits_firm",
            "organisation_id",
            "firm_id",
            unique=True,
            sqlite_where=text("scope = 'firm'"),
            postgresql_where=text("scope = 'firm'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    scope: Mapped[LimitScope] = mapped_column(word(LimitScope))
    firm_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    sector: Mapped[str | None] = mapped_column(String(40))
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    mode: Mapped[LimitMode] = mapped_column(word(LimitMode), default=LimitMode.RESERVED)
    cap: Mapped[int] = mapped_column(Fen)
    used: Mapped[int] = mapped_column(Fen, default=0)

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], back_populates="limits")
