"""Claims of lenders on what a purchaser or debtor will pay: one live claim at a time."""

from __future__ import annotations

from datetime import datetime
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
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from market.receivable_vocabulary import FinancingMode
from models.base import Base, Fen, Id, word
from models.contract import Contract
from models.loan import Loan
from models.organisation import Organisation
from models.receivable import Receivable


class ContractMode(Base):
    """How one contract is financed, known by its key in the whole system: whole, or invoice by invoice.

    Live claims point at key and mode, so that no claim of the other kind can stand beside them; the mode is
    switched only while no live claim points at it. The row is also what claims on one contract wait for.
    """

    __tablename__ = "financing_modes"
    __table_args__ = (UniqueConstraint("contract_key", "mode"),)

    contract_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    mode: Mapped[FinancingMode] = mapped_column(word(FinancingMode))


class Financing(Base):
    """A claim on a contract's or an invoice's money by one lender: the guard against double financing.

    ``key`` (normalised contract number + supplier code, + invoice number for a receivable) is unique over
    live financings in the whole system, not per zone and not per row of contract or receivable. ``live_key``
    is the contract's key in either case and, with ``live_mode``, empty once the claim has ended.
    """

    __tablename__ = "financings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["live_key", "live_mode"], ["financing_modes.contract_key", "financing_modes.mode"]
        ),
        Index(
            "uq_financings_live_key",
            "key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_financings_live_mode", "live_key", "live_mode"),
        CheckConstraint("financed >= 0", name="financed_sign"),
        CheckConstraint("(contract_id IS NULL) <> (receivable_id IS NULL)", name="one_subject"),
        CheckConstraint(
            "(ended_at IS NULL) = (live_key IS NOT NULL) AND (ended_at IS NULL) = (live_mode IS NOT NULL)",
            name="live_until_ended",
        ),
        CheckConstraint(
            "live_mode IS NULL OR (live_mode = 'invoices') = (receivable_id IS NOT NULL)",
            name="mode_fits_subject",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(320))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivables.id"), index=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    financed: Mapped[int] = mapped_column(Fen, default=0)
    live_key: Mapped[str | None] = mapped_column(String(320))
    live_mode: Mapped[FinancingMode | None] = mapped_column(word(FinancingMode, "live_mode"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    # Only a claim on a receivable has none, and nobody asks that one for its contract.
    contract: Mapped[Contract] = relationship()
    receivable: Mapped[Receivable | None] = relationship()
    lender: Mapped[Organisation] = relationship()

    @validates("ended_at")
    def _let_go(self, _name: str, ended_at: Any) -> Any:
        """Whoever ends a claim lets go of its contract's mode: the table asks for both at once."""
        if ended_at is not None:
            self.live_key = self.live_mode = None
        return ended_at


class LoanReceivable(Base):
    """The part of a loan that leans on one receivable: ``amount`` at the award, ``financed`` what is left."""

    __tablename__ = "loan_receivables"
    __table_args__ = (
        UniqueConstraint("loan_id", "financing_id"),
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("financed BETWEEN 0 AND amount", name="financed_range"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    financing_id: Mapped[int] = mapped_column(ForeignKey("financings.id"), index=True)
    amount: Mapped[int] = mapped_column(Fen)
    financed: Mapped[int] = mapped_column(Fen)

    loan: Mapped[Loan] = relationship()
    financing: Mapped[Financing] = relationship()
