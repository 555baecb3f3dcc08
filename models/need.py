"""Needs: what enterprises ask for, and the bid rounds held on them."""

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

from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.vocabulary import NeedState, Purpose, Repayment
from models.base import Base, Fen, Id, Rate, word
from models.contract import Contract
from models.organisation import Organisation
from models.receivable import NeedReceivable, Receivable
from models.zone import Zone


class Need(Base):
    """A financing need (融资需求): ``amount`` fen for ``months``.

    ``securities`` and ``accepts`` are lists of vocabulary words (what the firm can pledge; loan,
    lease or both). ``reserve_rate`` is the most the firm would pay per year. The LPR columns freeze
    the row that prices every floating bid of this need. ``last_receipt`` numbers the bids, under
    the row's lock. ``round_count`` bid rounds are held, those after the first for ``round_hours``;
    ``closes_at`` is the end of the one that runs. A ``syndicated`` need may be met by several bids.
    ``revision`` counts the changes made while it was open.
    """

    __tablename__ = "needs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["zone_id", "organisation_id"], ["memberships.zone_id", "memberships.organisation_id"]
        ),
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("months BETWEEN 1 AND 360", name="months_range"),
        CheckConstraint("minimum_bids BETWEEN 1 AND 9", name="minimum_bids_range"),
        CheckConstraint("round_count BETWEEN 1 AND 3", name="round_count_range"),
        CheckConstraint("round_hours BETWEEN 1 AND 720", name="round_hours_range"),
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
    bid_policy: Mapped[BidPolicy] = mapped_column(word(BidPolicy), default=BidPolicy.SEALED)
    round_count: Mapped[int] = mapped_column(default=1)
    round_hours: Mapped[int] = mapped_column(default=24)
    few_bids: Mapped[FewBids] = mapped_column(word(FewBids), default=FewBids.OFFER)
    visibility: Mapped[Visibility] = mapped_column(word(Visibility), default=Visibility.ALL)
    revision: Mapped[int] = mapped_column(default=1)
    syndicated: Mapped[bool] = mapped_column(default=False)
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
    receivables: Mapped[list[Receivable]] = relationship(
        secondary=NeedReceivable.__table__, order_by="Receivable.due_on, Receivable.id"
    )


class BidRound(Base):
    """One round of bidding on one need (报价轮): a record of its own, unique by need and number.

    ``extensions`` counts how often a late bid of anonymous bidding moved ``closes_at``.
    """

    __tablename__ = "bid_rounds"
    __table_args__ = (
        UniqueConstraint("need_id", "number"),
        CheckConstraint("number BETWEEN 1 AND 3", name="number_range"),
        CheckConstraint(
            "closed_at IS NULL OR closed_at >= closes_at OR opened_early", name="never_closed_early"
        ),
        CheckConstraint("extensions BETWEEN 0 AND 3", name="extensions_range"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    number: Mapped[int]
    opened_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    extensions: Mapped[int] = mapped_column(default=0)
    opened_early: Mapped[bool] = mapped_column(default=False)
    bid_count: Mapped[int | None]
    ranked_count: Mapped[int | None]

    need: Mapped[Need] = relationship()


class Audience(Base):
    """An institution that a need names (可见机构): shown to these only, or to all but these."""

    __tablename__ = "audiences"
    __table_args__ = (UniqueConstraint("need_id", "organisation_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)


class NeedChange(Base):
    """A change of an open need (需求变更): ``differences`` are ``{"field", "before", "after"}``."""

    __tablename__ = "need_changes"
    __table_args__ = (UniqueConstraint("need_id", "revision"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    revision: Mapped[int]
    differences: Mapped[list[Any]]
    voided_count: Mapped[int] = mapped_column(default=0)
    changed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime]


class Question(Base):
    """A bidder's question on a need and the firm's answer, shown to all bidders alike (答疑).

    Who asked stays unknown to the other bidders and to the firm.
    """

    __tablename__ = "questions"
    __table_args__ = (CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered_whole"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(500))
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(1000))

    need: Mapped[Need] = relationship()


class EarlyOpening(Base):
    """A request to open a need's bids before the close (提前开标): one officer asks, another agrees."""

    __tablename__ = "early_openings"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_officers"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_whole"),
        CheckConstraint("agreed IS NULL OR decided_at IS NOT NULL", name="agreed_has_time"),
        Index(
            "uq_early_openings_waiting",
            "need_id",
            unique=True,
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"), index=True)
    reason: Mapped[str] = mapped_column(String(300))
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]

    need: Mapped[Need] = relationship()
