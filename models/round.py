"""Matching rounds: one clearing of many needs, stored so that it can be explained and replayed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import ProposalState, RoundState
from models.base import Base, Fen, Id, word
from models.bid import Bid
from models.need import Need


class MatchingRound(Base):
    """A matching round (撮合轮次). ``slot`` is its unique key in the zone: the scheduled local time, or
    the moment an officer asked for it. ``inputs_hash`` and ``fence`` guard the settlement; ``result``
    replays to the same bytes, ``milliseconds`` says how long the solving took."""

    __tablename__ = "matching_rounds"
    __table_args__ = (
        UniqueConstraint("zone_id", "slot"),
        CheckConstraint("state <> 'settled' OR settled_at IS NOT NULL", name="settled_has_time"),
        CheckConstraint("trigger IN ('clock','officer')", name="trigger_known"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    slot: Mapped[str] = mapped_column(String(40))
    trigger: Mapped[str] = mapped_column(String(16))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    scheduled_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    state: Mapped[RoundState] = mapped_column(word(RoundState))
    fence: Mapped[int] = mapped_column(default=1)
    inputs: Mapped[dict[str, Any]]
    inputs_hash: Mapped[str] = mapped_column(String(64))
    result: Mapped[dict[str, Any] | None]
    milliseconds: Mapped[int | None]
    need_count: Mapped[int] = mapped_column(default=0)
    placed_count: Mapped[int] = mapped_column(default=0)
    placed_amount: Mapped[int] = mapped_column(Fen, default=0)

    proposals: Mapped[list[Proposal]] = relationship(back_populates="round", order_by="Proposal.need_id")


class Proposal(Base):
    """What a matching round says to one need: a bid to take, or why none; the firm decides.

    A syndicated need gets a row per bid of its syndicate, with the fen taken of each in ``amount``.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        UniqueConstraint("round_id", "need_id", "bid_id"),
        # Two rows without a bid would both be unique above: NULL equals nothing.
        Index(
            "uq_proposals_unplaced",
            "round_id",
            "need_id",
            unique=True,
            sqlite_where=text("bid_id IS NULL"),
            postgresql_where=text("bid_id IS NULL"),
        ),
        CheckConstraint("(state = 'unplaced') = (bid_id IS NULL)", name="placed_names_bid"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("matching_rounds.id"))
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"), index=True)
    bid_id: Mapped[int | None] = mapped_column(ForeignKey("bids.id"))
    amount: Mapped[int | None] = mapped_column(Fen)
    state: Mapped[ProposalState] = mapped_column(word(ProposalState))
    why: Mapped[dict[str, Any]]

    round: Mapped[MatchingRound] = relationship(back_populates="proposals")
    need: Mapped[Need] = relationship()
    bid: Mapped[Bid | None] = relationship()
