"""Bids: sealed until the opening, then priced, ranked and comparable."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import BidState, OfferKind
from models.base import Base, Fen, Id, Rate, word
from models.need import Need
from models.organisation import Organisation
from models.product import Product

_HOLDS = "state IN ('sealed','live','won')"


class Bid(Base):
    """An institution's priced answer to one need (报价).

    Before the opening the terms exist only inside ``seal`` (encrypted under a key derived per need
    from a secret outside the database). ``receipt_hash`` is SHA-256 over salt and canonical JSON,
    handed to the bidder at once and checkable by anyone after the opening.
    """

    __tablename__ = "bids"
    __table_args__ = (
        UniqueConstraint("need_id", "receipt_number"),
        # While sealed no amount, price or term of a bid may stand in clear in the database.
        CheckConstraint(
            "state NOT IN ('sealed','withdrawn') OR (terms IS NULL AND offer IS NULL AND amount IS NULL"
            " AND months IS NULL AND effective IS NULL AND simple IS NULL AND total_cost IS NULL"
            " AND cost IS NULL AND declared_rate IS NULL AND rank IS NULL AND opened_at IS NULL)",
            name="sealed_shows_nothing",
        ),
        CheckConstraint(
            "state NOT IN ('live','won','lost')"
            " OR (terms IS NOT NULL AND amount IS NOT NULL AND amount > 0 AND opened_at IS NOT NULL)",
            name="opened_shows_terms",
        ),
        CheckConstraint("rank IS NULL OR effective IS NOT NULL", name="ranked_by_cost_only"),
        # A product answers a need once at a time; improving a bid withdraws the former one.
        Index(
            "uq_bids_live",
            "need_id",
            "product_id",
            unique=True,
            sqlite_where=text(_HOLDS),
            postgresql_where=text(_HOLDS),
        ),
        # One winner a need, whatever crashes.
        Index(
            "uq_bids_won",
            "need_id",
            unique=True,
            sqlite_where=text("state = 'won'"),
            postgresql_where=text("state = 'won'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    placed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[BidState] = mapped_column(word(BidState), default=BidState.SEALED)
    receipt_number: Mapped[int]
    receipt_at: Mapped[datetime]
    receipt_hash: Mapped[str] = mapped_column(String(64))
    seal: Mapped[bytes] = mapped_column(deferred=True)
    valid_until: Mapped[datetime]

    # All below is None until the opening.
    offer: Mapped[OfferKind | None] = mapped_column(word(OfferKind))
    terms: Mapped[dict[str, Any] | None]
    amount: Mapped[int | None] = mapped_column(Fen)
    months: Mapped[int | None]
    effective: Mapped[Decimal | None] = mapped_column(Rate)
    simple: Mapped[Decimal | None] = mapped_column(Rate)
    total_cost: Mapped[int | None] = mapped_column(Fen)
    cost: Mapped[dict[str, Any] | None]
    declared_rate: Mapped[Decimal | None] = mapped_column(Rate)
    rank: Mapped[int | None]
    reason: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime | None]

    need: Mapped[Need] = relationship()
    organisation: Mapped[Organisation] = relationship()
    product: Mapped[Product] = relationship()
