"""The loan book: deals of every kind, what happened to them, and what follows from it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.lending_vocabulary import (
    Account,
    AllocationOrder,
    Bucket,
    DealKind,
    DrawdownState,
    LoanEventKind,
    PrepaymentEffect,
    RiskClass,
)
from market.vocabulary import LoanState
from models.award import Award
from models.base import Base, Fen, Id, Rate, word
from models.contract import Contract
from models.organisation import Organisation

#: Deals that a day may change by itself: a pause runs out, a line ends, a rate steps, a guarantee is over.
SINGULAR = "paused_until IS NOT NULL OR is_revolving OR is_stepped OR kind = 'guarantee'"


class Loan(Base):
    """A deal in the lender's book (贷款、租赁、保理、转贷、担保、投资): approved, drawn, then repaid.

    ``principal`` is what was approved, ``drawn`` what was paid out of it so far and ``outstanding`` what of
    that is still owed, in fen (more than was approved where overdue interest became principal). ``sector``
    (the borrower's industry) and ``purchaser_id`` (of the contract) are as at the approval: what limits count
    the loan under. Without an award the deal was closed off the platform.

    What happened stands in ``events`` and, to the fen, in ``movements``: neither is ever changed. The
    schedule (``instalments``), the receipts (``repayments``), the spans of lateness and the columns from
    ``bound`` on are what follows from them (``market.ledger``), kept so that lists and the clock need not
    compute it:

    - ``bound``: what the deal takes of limits now: all of it once promised, less what is repaid or given up;
    - ``overdue_since``: the earliest due date not fully paid, by the clock's last look; None when nothing is;
    - ``oldest_due_on``: the earliest due date that is not fully paid, due yet or not;
    - ``paused_days``: days that do not count as late among those since ``oldest_due_on``; ``paused_until``
      the last day of a pause that still runs; ``observed_until`` the last day under watch after a
      restructuring;
    - ``accrual_from``, ``accrual_to``, ``accrual_days``, ``accrual_interest``: the running interest period,
      its length and its interest; ``accrual_base`` what of it had accrued by ``accrual_from``, ``accrued``
      what had by ``looked_on``.
    """

    __tablename__ = "loans"
    __table_args__ = (
        CheckConstraint("principal > 0", name="principal_sign"),
        CheckConstraint("drawn >= 0 AND (is_revolving OR drawn <= principal)", name="drawn_range"),
        CheckConstraint("outstanding >= 0", name="outstanding_range"),
        CheckConstraint("bound >= 0", name="bound_range"),
        CheckConstraint("state NOT IN ('drawn','repaid') OR drawn_on IS NOT NULL", name="drawn_has_date"),
        CheckConstraint("state <> 'repaid' OR outstanding = 0", name="repaid_owes_nothing"),
        CheckConstraint("grace_days BETWEEN 0 AND 30", name="grace_range"),
        CheckConstraint("award_id IS NOT NULL OR evidence <> ''", name="closed_elsewhere_has_evidence"),
        # What the clock asks for each night: what is open longest, what period ends, what ends by itself.
        *(
            Index(f"ix_loans_{name}", *columns, sqlite_where=text(which), postgresql_where=text(which))
            for name, columns, which in (
                ("watched", ("zone_id", "oldest_due_on"), "state = 'drawn'"),
                ("accruing", ("zone_id", "accrual_to"), "state = 'drawn'"),
                ("observed", ("zone_id", "observed_until"), "state = 'drawn' AND observed_until IS NOT NULL"),
                ("singular", ("zone_id",), f"state = 'drawn' AND ({SINGULAR})"),
            )
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    award_id: Mapped[int | None] = mapped_column(ForeignKey("awards.id"), unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    borrower_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    sector: Mapped[str | None] = mapped_column(String(40))
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[DealKind] = mapped_column(word(DealKind))
    state: Mapped[LoanState] = mapped_column(word(LoanState), default=LoanState.APPROVED)
    principal: Mapped[int] = mapped_column(Fen)
    months: Mapped[int]
    effective: Mapped[Decimal | None] = mapped_column(Rate)
    terms: Mapped[dict[str, Any]]
    evidence: Mapped[str] = mapped_column(String(300), default="")
    is_revolving: Mapped[bool] = mapped_column(default=False)
    is_stepped: Mapped[bool] = mapped_column(default=False)
    grace_days: Mapped[int] = mapped_column(default=0)
    penalty_rate: Mapped[Decimal | None] = mapped_column(Rate)
    allocation: Mapped[AllocationOrder] = mapped_column(
        word(AllocationOrder), default=AllocationOrder.FEES_FIRST
    )
    prepayment: Mapped[PrepaymentEffect] = mapped_column(
        word(PrepaymentEffect), default=PrepaymentEffect.NEXT
    )
    approved_at: Mapped[datetime]
    bound: Mapped[int] = mapped_column(Fen, default=0)
    drawn: Mapped[int] = mapped_column(Fen, default=0)
    drawn_on: Mapped[date | None]
    repaid_on: Mapped[date | None]
    outstanding: Mapped[int] = mapped_column(Fen, default=0)
    overdue_since: Mapped[date | None]
    oldest_due_on: Mapped[date | None]
    paused_days: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[date | None]
    observed_until: Mapped[date | None]
    days_past_due: Mapped[int] = mapped_column(default=0)
    bucket: Mapped[Bucket] = mapped_column(word(Bucket), default=Bucket.CURRENT)
    risk_class: Mapped[RiskClass] = mapped_column(word(RiskClass), default=RiskClass.NORMAL)
    accrual_from: Mapped[date | None]
    accrual_to: Mapped[date | None]
    accrual_days: Mapped[int] = mapped_column(default=0)
    accrual_base: Mapped[int] = mapped_column(Fen, default=0)
    accrual_interest: Mapped[int] = mapped_column(Fen, default=0)
    accrued: Mapped[int] = mapped_column(Fen, default=0)
    looked_on: Mapped[date | None]

    award: Mapped[Award | None] = relationship()
    lender: Mapped[Organisation] = relationship(foreign_keys=[lender_id])
    borrower: Mapped[Organisation] = relationship(foreign_keys=[borrower_id])
    contract: Mapped[Contract | None] = relationship()
    instalments: Mapped[list[Instalment]] = relationship(
        back_populates="loan", order_by="Instalment.number", cascade="all, delete-orphan"
    )
    repayments: Mapped[list[Repayment]] = relationship(back_populates="loan", order_by="Repayment.id")
    events: Mapped[list[LoanEvent]] = relationship(order_by="LoanEvent.number")

    @property
    def origin(self) -> Award:
        """Return the award that the deal came of, where there is one by its kind or its review."""
        assert self.award is not None, "a deal closed off the platform has no award"
        return self.award


class Instalment(Base):
    """One line of the repayment schedule as it stands, in fen; ``due_on`` is known once the loan is drawn.

    ``fees`` are what the firm pays beside interest on that date; a line with number 0 is the day of
    drawdown. ``waived`` and ``written_off`` are what of the line nobody asks for any more.
    """

    __tablename__ = "instalments"
    __table_args__ = (
        UniqueConstraint("loan_id", "number"),
        CheckConstraint(
            "principal >= 0 AND interest >= 0 AND fees >= 0 AND penalty >= 0", name="amounts_sign"
        ),
        CheckConstraint("paid_principal BETWEEN 0 AND principal", name="paid_principal_range"),
        CheckConstraint("paid_interest BETWEEN 0 AND interest", name="paid_interest_range"),
        CheckConstraint("paid_fees BETWEEN 0 AND fees", name="paid_fees_range"),
        CheckConstraint("paid_penalty BETWEEN 0 AND penalty", name="paid_penalty_range"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    number: Mapped[int]
    due_on: Mapped[date | None]
    principal: Mapped[int] = mapped_column(Fen)
    interest: Mapped[int] = mapped_column(Fen)
    fees: Mapped[int] = mapped_column(Fen, default=0)
    penalty: Mapped[int] = mapped_column(Fen, default=0)
    balance: Mapped[int] = mapped_column(Fen)
    paid_principal: Mapped[int] = mapped_column(Fen, default=0)
    paid_interest: Mapped[int] = mapped_column(Fen, default=0)
    paid_fees: Mapped[int] = mapped_column(Fen, default=0)
    paid_penalty: Mapped[int] = mapped_column(Fen, default=0)

    loan: Mapped[Loan] = relationship(back_populates="instalments")


class LoanEvent(Base):
    """Something that happened to a deal (贷后事项), written once and never changed.

    ``effective_on`` is the day it counts from, ``number`` the order of writing within the loan. An ``undo``
    names the event it takes back; nothing is taken back twice. ``amount`` is fen where the kind has one;
    ``details`` what else the kind needs (``market.ledger.events``).
    """

    __tablename__ = "loan_events"
    __table_args__ = (
        UniqueConstraint("loan_id", "number"),
        CheckConstraint("amount IS NULL OR amount > 0", name="amount_sign"),
        CheckConstraint("(kind = 'undo') = (undoes_id IS NOT NULL)", name="undo_names_event"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    number: Mapped[int]
    kind: Mapped[LoanEventKind] = mapped_column(word(LoanEventKind))
    effective_on: Mapped[date]
    amount: Mapped[int | None] = mapped_column(Fen)
    reference: Mapped[str | None] = mapped_column(String(80))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"), index=True)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("loan_events.id"), unique=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence: Mapped[str] = mapped_column(String(300), default="")
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]


class Movement(Base):
    """A double entry (分录): ``amount`` fen leave one account of a deal and enter another of it.

    One row is both sides, so that the sum over all accounts of a loan is zero whatever happens. ``booked_on``
    is the day it counts for. Rows are only ever added; what proves wrong is booked back.
    """

    __tablename__ = "movements"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("source <> target", name="two_sides"),
        Index("ix_movements_loan_booked", "loan_id", "booked_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    # None: the clock's, for what fell due by itself.
    event_id: Mapped[int | None] = mapped_column(ForeignKey("loan_events.id"), index=True)
    booked_on: Mapped[date]
    source: Mapped[Account] = mapped_column(word(Account, "source_account"))
    target: Mapped[Account] = mapped_column(word(Account, "target_account"))
    amount: Mapped[int] = mapped_column(Fen)
    posted_at: Mapped[datetime]


class LateSpan(Base):
    """From which day on a deal stood in which bucket of lateness (逾期账龄历史).

    A receipt that is dated back changes the past: the rows it proves wrong stay, superseded, beside the new.
    """

    __tablename__ = "late_spans"
    __table_args__ = (
        Index(
            "uq_late_spans_standing",
            "loan_id",
            "from_on",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    from_on: Mapped[date]
    bucket: Mapped[Bucket] = mapped_column(word(Bucket))
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class NightlyPass(Base):
    """A night's look of the clock over all deals of a zone that are out.

    ``looked`` counts them, ``single`` those that were worked out by themselves.
    """

    __tablename__ = "nightly_passes"
    __table_args__ = (
        UniqueConstraint("zone_id", "day"),
        CheckConstraint("looked >= 0 AND single >= 0 AND newly_late >= 0", name="counts_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    day: Mapped[date]
    looked: Mapped[int]
    single: Mapped[int]
    newly_late: Mapped[int]
    finished_at: Mapped[datetime]


class DrawdownRequest(Base):
    """A drawdown on a contract that one person of the lender asks for and another confirms."""

    __tablename__ = "drawdown_requests"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="two_people"),
        CheckConstraint("(state = 'requested') = (decided_at IS NULL)", name="decision_has_time"),
        CheckConstraint("state <> 'paid_out' OR decided_by IS NOT NULL", name="second_person_named"),
        Index(
            "uq_drawdown_requests_waiting",
            "loan_id",
            unique=True,
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), index=True)
    amount: Mapped[int] = mapped_column(Fen)
    drawn_on: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[DrawdownState] = mapped_column(word(DrawdownState), default=DrawdownState.REQUESTED)
    requested_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(300))

    loan: Mapped[Loan] = relationship()


class Repayment(Base):
    """Money that reached the lender (还款), split as it counts now: it follows from its event.

    ``source`` is ``borrower``, ``guarantor`` for a compensation, or ``purchaser`` with the payment it came
    from; what a purchaser paid beyond the loan went on to the supplier as ``remainder``. A receipt that was
    undone has no row.
    """

    __tablename__ = "repayments"
    __table_args__ = (
        UniqueConstraint("loan_id", "reference"),
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint(
            "amount = fees + penalty + interest + principal + recovered + remainder", name="split_sums_up"
        ),
        CheckConstraint(
            "fees >= 0 AND penalty >= 0 AND interest >= 0 AND principal >= 0 AND recovered >= 0"
            " AND remainder >= 0",
            name="split_sign",
        ),
        CheckConstraint("source IN ('borrower','guarantor','purchaser')", name="source_known"),
        CheckConstraint("(source = 'purchaser') = (payment_id IS NOT NULL)", name="purchaser_names_payment"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("loan_events.id"), unique=True)
    reference: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(16))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"), index=True)
    paid_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)
    fees: Mapped[int] = mapped_column(Fen, default=0)
    penalty: Mapped[int] = mapped_column(Fen, default=0)
    interest: Mapped[int] = mapped_column(Fen, default=0)
    principal: Mapped[int] = mapped_column(Fen, default=0)
    recovered: Mapped[int] = mapped_column(Fen, default=0)
    remainder: Mapped[int] = mapped_column(Fen, default=0)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    loan: Mapped[Loan] = relationship(back_populates="repayments")


class Guarantee(Base):
    """What a guarantor stands for on one loan (担保), in fen, until the loan is repaid or cancelled.

    ``weighted`` is what counts against the guarantor's leverage of what is now in force of it. What was
    ``compensated`` under it left ``uncovered`` fen of the loan's principal to the lender alone: its share.
    A guarantee without a product was closed off the platform, as a deal of its own.
    """

    __tablename__ = "guarantees"
    __table_args__ = (
        CheckConstraint("amount > 0 AND weighted BETWEEN 0 AND amount", name="amounts_range"),
        CheckConstraint("uncovered >= 0", name="uncovered_sign"),
        CheckConstraint("compensated BETWEEN 0 AND amount", name="compensated_range"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    loan_id: Mapped[int] = mapped_column(ForeignKey("loans.id"), unique=True)
    guarantor_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    firm_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    amount: Mapped[int] = mapped_column(Fen)
    weighted: Mapped[int] = mapped_column(Fen)
    uncovered: Mapped[int] = mapped_column(Fen, default=0)
    compensated: Mapped[int] = mapped_column(Fen, default=0)
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    loan: Mapped[Loan] = relationship()
