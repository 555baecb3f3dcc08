"""Awards: an accepted bid, bound to what was shown when it was accepted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import AwardState
from models.base import Base, Fen, Id, word
from models.bid import Bid
from models.need import Need

_STANDS = "state NOT IN ('rejected','declined')"


class Award(Base):
    """An acceptance (成交): by the firm's maker and, where the firm asks for two people, its approver.

    ``amount`` fen are taken of the bid; None for all of it, anything else only in a syndicate.
    ``shown_hash`` is the receipt hash of the accepted bid as it stood on the page.
    """

    __tablename__ = "awards"
    __table_args__ = (
        # One award a need, whatever crashes; a rejected or declined one makes room for another.
        Index(
            "uq_awards_need",
            "need_id",
            unique=True,
            sqlite_where=text(f"{_STANDS} AND NOT syndicated"),
            postgresql_where=text(f"{_STANDS} AND NOT syndicated"),
        ),
        Index(
            "uq_awards_bid", "bid_id", unique=True, sqlite_where=text(_STANDS), postgresql_where=text(_STANDS)
        ),
        CheckConstraint(
            "confirmed_by IS NULL OR NOT two_people OR confirmed_by <> accepted_by", name="two_people"
        ),
        CheckConstraint(
            "state <> 'confirmed' OR NOT two_people OR confirmed_by IS NOT NULL", name="second_person_named"
        ),
        CheckConstraint(
            "state = 'awaiting_confirmation' OR confirmed_at IS NOT NULL", name="decided_has_time"
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"))
    bid_id: Mapped[int] = mapped_column(ForeignKey("bids.id"))
    state: Mapped[AwardState] = mapped_column(word(AwardState))
    two_people: Mapped[bool] = mapped_column(default=False)
    syndicated: Mapped[bool] = mapped_column(default=False)
    amount: Mapped[int | None] = mapped_column(Fen)
    shown_hash: Mapped[str] = mapped_column(String(64))
    accepted_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    accepted_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[datetime | None]

    need: Mapped[Need] = relationship()
    bid: Mapped[Bid] = relationship()

    @property
    def taken(self) -> int:
        """Return the fen that are taken of the bid."""
        whole = self.bid.amount if self.amount is None else self.amount
        assert whole is not None, "only an opened bid is accepted"
        return whole
