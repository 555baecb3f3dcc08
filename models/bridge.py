"""Bridge loans: what zones allow, and the bank's commitment to renew that each of them leans on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Fen, Id, Rate
from models.loan import Loan
from models.organisation import Organisation


class BridgeRule(Base):
    """What holds for bridge loans from a day on (转贷规则); a row without a zone holds where none is set."""

    __tablename__ = "bridge_rules"
    __table_args__ = (
        CheckConstraint("most_share BETWEEN 1 AND 100000000", name="most_share_range"),
        CheckConstraint("most_days BETWEEN 1 AND 60", name="most_days_range"),
        Index(
            "uq_bridge_rules_zone",
            "zone_id",
            "from_on",
            unique=True,
            sqlite_where=text("zone_id IS NOT NULL"),
            postgresql_where=text("zone_id IS NOT NULL"),
        ),
        Index(
            "uq_bridge_rules_default",
            "from_on",
            unique=True,
            sqlite_where=text("zone_id IS NULL"),
            postgresql_where=text("zone_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zones.id"))
    from_on: Mapped[date]
    most_share: Mapped[Decimal] = mapped_column(Rate)
    most_days: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class Renewal(Base):
    """A bank's commitment to renew the loan that a bridge repays (续贷承诺).

    The bridge is paid to the maturing loan's account only; ``returned_on`` is the day on which the renewal
    came back and closed the loop, by the receipt ``event_id`` in the bridge's book.
    """

    __tablename__ = "renewals"
    __table_args__ = (
        CheckConstraint("promised > 0", name="promised_sign"),
        CheckConstraint(
            "evidence <> '' AND maturing_reference <> '' AND account <> ''", name="commitment_whole"
        ),
        CheckConstraint("paid_account IS NULL OR paid_account = account", name="closed_loop"),
        CheckConstraint("(returned_on IS NULL) = (event_id IS NULL)", name="return_whole"),
        CheckConstraint("returned_on IS NULL OR paid_account IS NOT NULL", name="returns_after_payment"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), unique=True)
    bank_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    promised: Mapped[int] = mapped_column(Fen)
    promised_by: Mapped[date] = mapped_column(index=True)
    evidence: Mapped[str] = mapped_column(String(300))
    maturing_reference: Mapped[str] = mapped_column(String(80))
    account: Mapped[str] = mapped_column(String(40))
    paid_account: Mapped[str | None] = mapped_column(String(40))
    returned_on: Mapped[date | None]
    event_id: Mapped[int | None] = mapped_column(ForeignKey("loan_events.id"), unique=True)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    loan: Mapped[Loan] = relationship()
    bank: Mapped[Organisation] = relationship()
