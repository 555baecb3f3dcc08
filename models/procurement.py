"""Public procurement before there is a contract: who was awarded what (中标公告)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Fen, Id
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
    recorded_at: Mapped[datetime]

    supplier: Mapped[Organisation | None] = relationship()
