"""Deposits of procurement, and the guarantees that replace them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.procurement_vocabulary import DepositForm, DepositKind, DepositState
from models.base import Base, Fen, Id, word
from models.contract import Contract
from models.organisation import Organisation
from models.procurement import AwardNotice


class Deposit(Base):
    """A deposit (保证金) that a purchaser demands of a supplier, ``amount`` in fen.

    It secures a contract, an award, or a project that bids are still made for (``project_number``). Cash is
    given on ``paid_on`` and comes back on ``returned_on``; a guarantee (保函) of a guarantor stands in for it
    under a number until a day.
    """

    __tablename__ = "deposits"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint(
            "(contract_id IS NOT NULL) <> (award_notice_id IS NOT NULL)"
            " OR (contract_id IS NULL AND award_notice_id IS NULL AND project_number IS NOT NULL)",
            name="secures_one_thing",
        ),
        CheckConstraint("state <> 'paid' OR (form = 'cash' AND paid_on IS NOT NULL)", name="paid_in_cash"),
        CheckConstraint("state <> 'asked' OR guarantor_id IS NOT NULL", name="asked_names_guarantor"),
        CheckConstraint(
            "state NOT IN ('guaranteed','expired') OR (form = 'guarantee' AND guarantor_id IS NOT NULL"
            " AND guarantee_number IS NOT NULL AND valid_until IS NOT NULL)",
            name="guarantee_whole",
        ),
        CheckConstraint("(state = 'released') = (released_on IS NOT NULL)", name="released_has_day"),
        CheckConstraint("returned_on IS NULL OR paid_on IS NOT NULL", name="returned_was_paid"),
        # One guarantee stands for one deposit.
        Index(
            "uq_deposits_guarantee",
            "guarantor_id",
            "guarantee_number",
            unique=True,
            sqlite_where=text("guarantee_number IS NOT NULL"),
            postgresql_where=text("guarantee_number IS NOT NULL"),
        ),
        Index("ix_deposits_zone_state", "zone_id", "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    kind: Mapped[DepositKind] = mapped_column(word(DepositKind))
    state: Mapped[DepositState] = mapped_column(word(DepositState), default=DepositState.DEMANDED)
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    award_notice_id: Mapped[int | None] = mapped_column(ForeignKey("award_notices.id"), index=True)
    project_number: Mapped[str | None] = mapped_column(String(160))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    purchaser_name: Mapped[str | None] = mapped_column(String(300))
    amount: Mapped[int] = mapped_column(Fen)
    form: Mapped[DepositForm | None] = mapped_column(word(DepositForm))
    paid_on: Mapped[date | None]
    returned_on: Mapped[date | None]
    guarantor_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    guarantee_number: Mapped[str | None] = mapped_column(String(80))
    valid_until: Mapped[date | None]
    released_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(300), default="")
    demanded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    demanded_at: Mapped[datetime]

    contract: Mapped[Contract | None] = relationship()
    award_notice: Mapped[AwardNotice | None] = relationship()
    supplier: Mapped[Organisation] = relationship(foreign_keys=[supplier_id])
    purchaser: Mapped[Organisation | None] = relationship(foreign_keys=[purchaser_id])
    guarantor: Mapped[Organisation | None] = relationship(foreign_keys=[guarantor_id])
