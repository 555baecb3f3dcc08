"""Needs: what enterprises ask for, and the bid rounds held on them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import NeedState, Purpose, Repayment
from models.base import Base, Fen, Id, Rate, word
from models.contract import Contract
from models.organisation import Organisation
from models.zone import Zone


class Need(Base):
    """A financing need (融资需求): ``amount`` fen for ``months``.

    ``securities`` and ``accepts`` are lists of vocabulary words (what the firm can pledge; loan,
    lease or both). ``reserve_rate`` is the most the firm would pay per year. The LPR columns freeze
    the row that prices every floating bid of this need. ``last_receipt`` numbers the bids, under
    the row's lock.
    """

    __tablename__ = "needs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("months BETWEEN 1 AND 360", name="months_range"),
        CheckConstraint("minimum_bids BETWEEN 1 AND 9", name="minimum_bids_range"),
        # Every state but the draft's has a publication and a closing time: the clock derives from them.
        CheckConstraint(
            "state = 'draft' OR state = 'withdrawn' OR (published_at IS NOT NULL AND closes_at IS NOT NULL)",
            name="published_has_times",
        ),
        CheckConstraint("closes_at IS NULL OR closes_at > published_at", name="closes_after_publication"),
        CheckConstraint(
            "state NOT IN ('closed','awarded','unsuccessful') OR closed_at IS NOT NULL",
            name="closed_has_time",
        ),
        CheckConstraint(
            "(purpose = 'contract') = (contract_id IS NOT NULL)", name="contract_purpose_names_contract"
        ),
        Index("ix_needs_due", "zone_id", "state", "closes_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    state: Mapped[NeedState] = mapped_column(word(NeedState), default=NeedState.DRAFT)
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    description: Mapped[str] = mapped_column(String(500), default="")
    amount: Mapped[int] = mapped_column(Fen)
    months: Mapped[int]
    repayment: Mapped[Repayment | None] = mapped_column(word(Repayment))
    securities: Mapped[list[Any]] = mapped_column(default=list)
    accepts: Mapped[list[Any]] = mapped_column(default=list)
    reserve_rate: Mapped[Decimal | None] = mapped_column(Rate)
    minimum_bids: Mapped[int] = mapped_column(default=3)
    joins_matching: Mapped[bool] = mapped_column(default=True)
    shows_name: Mapped[bool] = mapped_column(default=False)
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    lpr_date: Mapped[date | None]
    lpr_1y: Mapped[Decimal | None] = mapped_column(Rate)
    lpr_5y: Mapped[Decimal | None] = mapped_column(Rate)
    last_receipt: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(40))
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    accept_until: Mapped[datetime | None]

    zone: Mapped[Zone] = relationship(foreign_keys=[zone_id])
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    contract: Mapped[Contract | None] = relationship()


class BidRound(Base):
    """One round of bidding on one need (报价轮): a record of its own, unique by need and number."""

    __tablename__ = "bid_rounds"
    __table_args__ = (
        UniqueConstraint("need_id", "number"),
        CheckConstraint("number BETWEEN 1 AND 3", name="number_range"),
        CheckConstraint("closed_at IS NULL OR closed_at >= closes_at", name="never_closed_early"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    number: Mapped[int]
    opened_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    bid_count: Mapped[int | None]
    ranked_count: Mapped[int | None]

    need: Mapped[Need] = relationship()
