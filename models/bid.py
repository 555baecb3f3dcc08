"""Bids: sealed until the opening, then priced, ranked and comparable."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.bidding_vocabulary import Decision
from market.vocabulary import BidState, OfferKind
from models.base import Base, Fen, Id, Rate, word
from models.need import Need
from models.organisation import Organisation
from models.product import Product

_HOLDS = "state IN ('sealed','posted','live','held','won')"


#: Every reader of JSON keeps whole numbers up to here exact.
NUMBER_MOST = 2**53 - 1


def draw_number() -> int:
    """Return the number of a new bid: counted numbers would tell a bidder how many bids others placed."""
    return 1 + secrets.randbelow(NUMBER_MOST)


class Bid(Base):
    """An institution's priced answer to one need (报价).

    Where bidding is sealed the terms exist only inside ``seal`` until the opening (encrypted under a
    key derived per need from a secret outside the database); ``posted`` bids, of anonymous bidding,
    stand in clear from the start. ``receipt_hash`` is SHA-256 over salt and canonical JSON, handed to
    the bidder at once and checkable by anyone after the opening. ``round_number`` is the bid round it
    came in, ``revision`` the need's when it was placed. A bid that ``holds`` keeps headroom of limits
    that reserve. ``is_firm`` is False for a bid subject to the institution's approval; ``least`` is the
    smallest part of its amount it can be taken for where the need is syndicated.
    """

    __tablename__ = "bids"
    __table_args__ = (
        UniqueConstraint("need_id", "receipt_number"),
        # While sealed no amount, price or term of a bid may stand in clear in the database.
        CheckConstraint(
            "posted OR opened_at IS NOT NULL OR (terms IS NULL AND offer IS NULL AND amount IS NULL"
            " AND months IS NULL AND effective IS NULL AND simple IS NULL AND total_cost IS NULL"
            " AND cost IS NULL AND declared_rate IS NULL AND rank IS NULL AND is_firm IS NULL"
            " AND guarantee_product_id IS NULL AND guaranteed IS NULL AND least IS NULL)",
            name="sealed_shows_nothing",
        ),
        CheckConstraint(
            "state NOT IN ('live','held','won','lost','declined')"
            " OR (terms IS NOT NULL AND amount IS NOT NULL AND amount > 0 AND opened_at IS NOT NULL)",
            name="opened_shows_terms",
        ),
        CheckConstraint("state <> 'sealed' OR (NOT posted AND opened_at IS NULL)", name="sealed_is_shut"),
        CheckConstraint(
            "state <> 'posted' OR (posted AND amount IS NOT NULL AND amount > 0 AND terms IS NOT NULL)",
            name="posted_shows_terms",
        ),
        CheckConstraint("round_number BETWEEN 1 AND 3", name="round_number_range"),
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
        # One winner a need, whatever crashes; several only where the firm asked for a syndicate.
        Index(
            "uq_bids_won",
            "need_id",
            unique=True,
            sqlite_where=text("state = 'won' AND NOT syndicated"),
            postgresql_where=text("state = 'won' AND NOT syndicated"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, default=draw_number)
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
    round_number: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    posted: Mapped[bool] = mapped_column(default=False)
    syndicated: Mapped[bool] = mapped_column(default=False)
    holds: Mapped[bool] = mapped_column(default=False)
    standing_bid_id: Mapped[int | None] = mapped_column(ForeignKey("standing_bids.id"), index=True)
    ended_at: Mapped[datetime | None]

    # All below is None until the opening, but for posted bids.
    offer: Mapped[OfferKind | None] = mapped_column(word(OfferKind))
    terms: Mapped[dict[str, Any] | None]
    amount: Mapped[int | None] = mapped_column(Fen)
    months: Mapped[int | None]
    effective: Mapped[Decimal | None] = mapped_column(Rate)
    simple: Mapped[Decimal | None] = mapped_column(Rate)
    total_cost: Mapped[int | None] = mapped_column(Fen)
    cost: Mapped[dict[str, Any] | None]
    declared_rate: Mapped[Decimal | None] = mapped_column(Rate)
    is_firm: Mapped[bool | None]
    guarantee_product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    guaranteed: Mapped[int | None] = mapped_column(Fen)
    least: Mapped[int | None] = mapped_column(Fen)
    rank: Mapped[int | None]
    reason: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime | None]

    need: Mapped[Need] = relationship()
    organisation: Mapped[Organisation] = relationship()
    product: Mapped[Product] = relationship(foreign_keys=[product_id])
    guarantee_product: Mapped[Product | None] = relationship(foreign_keys=[guarantee_product_id])
    justification: Mapped[Justification | None] = relationship(back_populates="bid")


class Justification(Base):
    """What a bidder says about an unusually low bid, and what an officer decided (异常低价说明).

    ``grounds`` are the figures that held the bid back, as JSON values.
    """

    __tablename__ = "justifications"
    __table_args__ = (
        CheckConstraint("(text IS NULL) = (written_at IS NULL)", name="written_whole"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_whole"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    bid_id: Mapped[int] = mapped_column(ForeignKey("bids.id"), unique=True)
    grounds: Mapped[dict[str, Any]]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    text: Mapped[str | None] = mapped_column(String(1000))
    written_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    written_at: Mapped[datetime | None]
    decision: Mapped[Decision | None] = mapped_column(word(Decision))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(String(300))

    bid: Mapped[Bid] = relationship(back_populates="justification")


class StandingBid(Base):
    """A product that answers needs by itself (自动报价), within what its institution allows it.

    ``rate`` per year (or ``spread`` in basis points over the LPR) is what it asks at first, ``floor``
    what it goes down to where it can be outbid. ``cap`` fen is the most for one need, ``daily_budget``
    fen the most that it bids for in one day in Shanghai; ``spent`` counts that of the day ``spent_on``.
    """

    __tablename__ = "standing_bids"
    __table_args__ = (
        CheckConstraint("(rate IS NULL) <> (spread IS NULL)", name="one_price"),
        CheckConstraint("(rate IS NULL) = (floor_rate IS NULL)", name="floor_like_rate"),
        CheckConstraint("(spread IS NULL) = (floor_spread IS NULL)", name="floor_like_spread"),
        CheckConstraint("floor_rate IS NULL OR floor_rate BETWEEN 0 AND rate", name="floor_rate_range"),
        CheckConstraint("floor_spread IS NULL OR floor_spread <= spread", name="floor_spread_range"),
        CheckConstraint("cap > 0 AND daily_budget >= cap", name="cap_within_budget"),
        CheckConstraint("spent BETWEEN 0 AND daily_budget", name="spent_within_budget"),
        Index(
            "uq_standing_bids_active",
            "product_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    rate: Mapped[Decimal | None] = mapped_column(Rate)
    floor_rate: Mapped[Decimal | None] = mapped_column(Rate)
    spread: Mapped[int | None]
    floor_spread: Mapped[int | None]
    cap: Mapped[int] = mapped_column(Fen)
    daily_budget: Mapped[int] = mapped_column(Fen)
    spent_on: Mapped[date | None]
    spent: Mapped[int] = mapped_column(Fen, default=0)
    is_firm: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    product: Mapped[Product] = relationship()
