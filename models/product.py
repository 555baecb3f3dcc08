"""Products: an institution's standing offers in one zone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import OfferKind, Pricing, ProductFamily, Repayment, Security
from models.base import Base, Fen, Id, Rate, word
from models.organisation import Organisation


class Product(Base):
    """A standing offer (金融产品): what it costs, for how much and how long, and for whom.

    ``rate_from`` and ``rate_to`` are rates per year for fixed prices; ``spread_from`` / ``spread_to``
    basis points over the LPR for floating ones. ``fees`` and ``subsidies`` are lists of the fields of
    ``market.terms.Fee`` and ``Subsidy``; ``conditions`` a list as read by ``market.eligibility``.
    ``offer`` says what a bid made from it hands out; None for a product that no priced bid follows
    from (guarantee, insurance, grant, equity).
    """

    __tablename__ = "products"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
        UniqueConstraint("zone_id", "organisation_id", "name_zh"),
        CheckConstraint("amount_min > 0 AND amount_max >= amount_min", name="amount_order"),
        CheckConstraint("months_min >= 0 AND months_max >= months_min", name="months_order"),
        CheckConstraint(
            "rate_from IS NULL OR (rate_from >= 0 AND rate_to >= rate_from)",
            name="rate_order",
        ),
        CheckConstraint("spread_from IS NULL OR spread_to >= spread_from", name="spread_order"),
        CheckConstraint("pricing <> 'fixed' OR rate_from IS NOT NULL", name="fixed_needs_rate"),
        CheckConstraint(
            "pricing NOT IN ('lpr_1y','lpr_5y') OR spread_from IS NOT NULL", name="floating_needs_spread"
        ),
        CheckConstraint(
            "contract_ratio IS NULL OR (contract_ratio > 0 AND contract_ratio <= 100000000)",
            name="contract_ratio_range",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    family: Mapped[ProductFamily] = mapped_column(word(ProductFamily))
    offer: Mapped[OfferKind | None] = mapped_column(word(OfferKind))
    pricing: Mapped[Pricing] = mapped_column(word(Pricing))
    rate_from: Mapped[Decimal | None] = mapped_column(Rate)
    rate_to: Mapped[Decimal | None] = mapped_column(Rate)
    spread_from: Mapped[int | None]
    spread_to: Mapped[int | None]
    amount_min: Mapped[int] = mapped_column(Fen)
    amount_max: Mapped[int] = mapped_column(Fen)
    months_min: Mapped[int]
    months_max: Mapped[int]
    repayment: Mapped[Repayment | None] = mapped_column(word(Repayment))
    security: Mapped[Security] = mapped_column(word(Security))
    contract_ratio: Mapped[Decimal | None] = mapped_column(Rate)
    deducts_retention: Mapped[bool] = mapped_column(default=False)
    fees: Mapped[list[Any]] = mapped_column(default=list)
    subsidies: Mapped[list[Any]] = mapped_column(default=list)
    conditions: Mapped[list[Any]] = mapped_column(default=list)
    lease: Mapped[dict[str, Any] | None]
    summary_zh: Mapped[str] = mapped_column(String(400), default="")
    summary_en: Mapped[str] = mapped_column(String(600), default="")
    listed: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
