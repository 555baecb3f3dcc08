"""Receivables: what debtors owe suppliers, invoice by invoice, on public contracts or any other."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.receivable_vocabulary import ReceivableState
from models.base import Base, Fen, Id, word
from models.contract import Contract
from models.organisation import Organisation

_STANDING = "state <> 'withdrawn'"


class Receivable(Base):
    """An invoice that a supplier has to get paid (应收账款): ``amount`` fen by ``due_on``, ``paid`` so far.

    ``contract_key`` and ``financing_key`` are the duplicate-financing keys of its contract and of itself,
    ``invoice_key`` the invoice number alone, evened out. Right confirmation (确权) is requested of the debtor
    on a day and decided by it or an officer; ``why`` is the reason of a refusal.
    """

    __tablename__ = "receivables"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("paid BETWEEN 0 AND amount", name="paid_range"),
        CheckConstraint("due_on >= issued_on", name="due_after_issue"),
        CheckConstraint("debtor_code IS NULL OR length(debtor_code) = 18", name="debtor_code_length"),
        CheckConstraint("debtor_id IS NULL OR debtor_id <> supplier_id", name="debtor_is_another"),
        CheckConstraint("state <> 'requested' OR requested_on IS NOT NULL", name="requested_has_day"),
        CheckConstraint(
            "state NOT IN ('confirmed','refused') OR decided_at IS NOT NULL", name="decided_has_time"
        ),
        CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name="refusal_has_reason"),
        # One invoice is entered once, in whichever zone and under whichever contract it is said to belong to.
        Index(
            "uq_receivables_invoice",
            "supplier_id",
            "invoice_key",
            unique=True,
            sqlite_where=text(_STANDING),
            postgresql_where=text(_STANDING),
        ),
        Index("ix_receivables_waiting", "zone_id", "state", "requested_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    debtor_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    debtor_name: Mapped[str] = mapped_column(String(300))
    debtor_code: Mapped[str | None] = mapped_column(String(18))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    contract_number: Mapped[str] = mapped_column(String(160))
    invoice_number: Mapped[str] = mapped_column(String(160))
    contract_key: Mapped[str] = mapped_column(String(320))
    financing_key: Mapped[str] = mapped_column(String(320))
    invoice_key: Mapped[str] = mapped_column(String(320))
    amount: Mapped[int] = mapped_column(Fen)
    paid: Mapped[int] = mapped_column(Fen, default=0)
    issued_on: Mapped[date]
    due_on: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[ReceivableState] = mapped_column(word(ReceivableState), default=ReceivableState.ENTERED)
    requested_on: Mapped[date | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(300))
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    entered_at: Mapped[datetime]

    supplier: Mapped[Organisation] = relationship(foreign_keys=[supplier_id])
    debtor: Mapped[Organisation | None] = relationship(foreign_keys=[debtor_id])
    contract: Mapped[Contract | None] = relationship()


class NeedReceivable(Base):
    """A receivable that a need offers to its lender."""

    __tablename__ = "need_receivables"

    need_id: Mapped[int] = mapped_column(ForeignKey("needs.id"), primary_key=True)
    receivable_id: Mapped[int] = mapped_column(ForeignKey("receivables.id"), primary_key=True, index=True)
