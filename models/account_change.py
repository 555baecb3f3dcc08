"""A locked payee account that is to become another one, by consent of purchaser and lender."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.ladder_vocabulary import AccountChangeState
from models.base import Base, Id, word
from models.contract import Contract


class AccountChange(Base):
    """The wish to change a contract's locked account (回款账户变更), and who consented to it in writing.

    ``evidence`` names the supplementary agreement. It takes effect, and is published, when both the purchaser
    and the lender have consented; whoever asked and the two who consent are three people. The database lets
    a locked account become another one only where a change to it is done (trigger
    ``contracts_account_agreed``).
    """

    __tablename__ = "account_changes"
    __table_args__ = (
        CheckConstraint("evidence <> ''", name="evidence_given"),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("new_account <> '' AND new_account <> old_account", name="another_account"),
        CheckConstraint(
            "(purchaser_agreed_by IS NULL) = (purchaser_agreed_at IS NULL)", name="purchaser_whole"
        ),
        CheckConstraint("(lender_agreed_by IS NULL) = (lender_agreed_at IS NULL)", name="lender_whole"),
        CheckConstraint(
            "(purchaser_agreed_by IS NULL OR purchaser_agreed_by <> requested_by)"
            " AND (lender_agreed_by IS NULL OR lender_agreed_by <> requested_by)"
            " AND (purchaser_agreed_by IS NULL OR lender_agreed_by IS NULL"
            " OR purchaser_agreed_by <> lender_agreed_by)",
            name="three_people",
        ),
        # Nothing changes without both consents; and where both are given, nothing waits.
        CheckConstraint(
            "state <> 'done' OR (purchaser_agreed_by IS NOT NULL AND lender_agreed_by IS NOT NULL)",
            name="done_by_both",
        ),
        CheckConstraint(
            "state <> 'requested' OR purchaser_agreed_by IS NULL OR lender_agreed_by IS NULL",
            name="both_make_done",
        ),
        CheckConstraint("(state = 'done') = (published_at IS NOT NULL)", name="done_is_published"),
        CheckConstraint("(state = 'requested') = (decided_at IS NULL)", name="decision_has_time"),
        CheckConstraint("state <> 'refused' OR (why IS NOT NULL AND why <> '')", name="refusal_has_reason"),
        Index(
            "uq_account_changes_open",
            "contract_id",
            unique=True,
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    state: Mapped[AccountChangeState] = mapped_column(
        word(AccountChangeState), default=AccountChangeState.REQUESTED
    )
    old_account: Mapped[str] = mapped_column(String(40))
    old_bank: Mapped[str | None] = mapped_column(String(120))
    new_account: Mapped[str] = mapped_column(String(40))
    new_bank: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(300))
    evidence: Mapped[str] = mapped_column(String(300))
    # Of the supplier or of the lender.
    requested_for: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    requested_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime]
    purchaser_agreed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    purchaser_agreed_at: Mapped[datetime | None]
    lender_agreed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    lender_agreed_at: Mapped[datetime | None]
    # None: the clock's, or with the lock that it was about.
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(300))
    published_at: Mapped[datetime | None]

    contract: Mapped[Contract] = relationship()
