"""What a purchaser owes on a contract, what it paid, and how it pays."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.payment_vocabulary import PaymentResolution, PaymentState
from models.base import Base, Fen, Id, word
from models.contract import Contract
from models.organisation import Organisation


class PlannedPayment(Base):
    """One payment the purchaser owes by the contract's payment plan (付款计划), in fen."""

    __tablename__ = "planned_payments"
    __table_args__ = (
        UniqueConstraint("contract_id", "number"),
        CheckConstraint("amount > 0", name="amount_sign"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    number: Mapped[int]
    due_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)


class PurchaserPayment(Base):
    """A payment by the purchaser (采购人付款): ``transaction_id`` makes it recordable once only.

    ``paid_on`` is None when the record gives no date: such a payment is stored, alerted and never moves a
    state by itself. ``state`` says how it stands to what is owed, ``lag_days`` how long after (below zero:
    before) its due day it came and ``excess`` what of it is beyond the contract, in fen; all three follow
    from the contract's payments and are written anew with each of them. ``went_astray`` went to another
    account than the locked one. Nothing is deleted: what was recorded wrongly, or went back, is taken back by
    a row that ``reverses_id`` it; money that came on from another account, or a refund of an excess,
    ``follows_id`` it. ``watched_at`` says when the clock looked whether it went to the locked account.
    """

    __tablename__ = "purchaser_payments"
    __table_args__ = (
        UniqueConstraint("contract_id", "transaction_id"),
        # Taken back once, passed on once.
        UniqueConstraint("reverses_id"),
        UniqueConstraint("follows_id"),
        CheckConstraint("reverses_id IS NULL OR reverses_id <> id", name="reverses_another"),
        CheckConstraint("follows_id IS NULL OR follows_id <> id", name="follows_another"),
        CheckConstraint("excess >= 0", name="excess_sign"),
        CheckConstraint("resolution IS NULL OR handled_at IS NOT NULL", name="resolution_has_time"),
        CheckConstraint("handled_by IS NULL OR handled_at IS NOT NULL", name="handling_whole"),
        Index("ix_purchaser_payments_state", "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    transaction_id: Mapped[str] = mapped_column(String(200))
    paid_on: Mapped[date | None]
    amount: Mapped[int] = mapped_column(Fen)
    currency: Mapped[str | None] = mapped_column(String(8))
    payer: Mapped[str | None] = mapped_column(String(300))
    payee: Mapped[str | None] = mapped_column(String(300))
    payee_account: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[PaymentState] = mapped_column(word(PaymentState), default=PaymentState.NO_DUE_DATE)
    lag_days: Mapped[int | None]
    excess: Mapped[int] = mapped_column(Fen, default=0)
    went_astray: Mapped[bool] = mapped_column(default=False)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"))
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"))
    resolution: Mapped[PaymentResolution | None] = mapped_column(word(PaymentResolution))
    resolution_note: Mapped[str | None] = mapped_column(String(300))
    # When a person touched it: a record that is read again does not undo what they said.
    handled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    handled_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    watched_at: Mapped[datetime | None]
    # When the record that says so was published: an older one never undoes a newer one.
    released_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]

    contract: Mapped[Contract] = relationship(back_populates="payments")


class UnmatchedPayment(Base):
    """A payment reported on a contract number that is not in the registry (待匹配付款), as it was reported.

    ``key`` is the number with spelling evened out, as in the duplicate-financing key. It becomes a payment of
    its contract (``matched_payment_id``) once that is known, or is set aside with a word of why.
    """

    __tablename__ = "unmatched_payments"
    __table_args__ = (
        UniqueConstraint("zone_id", "key", "transaction_id"),
        UniqueConstraint("matched_payment_id"),
        CheckConstraint("amount <> 0", name="amount_sign"),
        CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolution_whole"),
        CheckConstraint("matched_payment_id IS NULL OR resolved_at IS NOT NULL", name="match_resolves"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    number: Mapped[str] = mapped_column(String(160))
    key: Mapped[str] = mapped_column(String(320))
    supplier_code: Mapped[str | None] = mapped_column(String(18))
    transaction_id: Mapped[str] = mapped_column(String(200))
    paid_on: Mapped[date | None]
    amount: Mapped[int] = mapped_column(Fen)
    payer: Mapped[str | None] = mapped_column(String(300))
    payee: Mapped[str | None] = mapped_column(String(300))
    payee_account: Mapped[str | None] = mapped_column(String(40))
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    # Reported by an officer or a public register: then the number alone is enough to match it.
    vouched: Mapped[bool]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    matched_payment_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser_payments.id"))
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None] = mapped_column(String(300))

    reporter: Mapped[Organisation | None] = relationship()
    payment: Mapped[PurchaserPayment | None] = relationship()


class PurchaserScore(Base):
    """How one purchaser paid by a day (采购人付款记录), over all contracts that a zone may count.

    Counts and days of ``market.purchaser_score``, computed anew once a day by the zone's clock.
    """

    __tablename__ = "purchaser_scores"
    __table_args__ = (
        UniqueConstraint("zone_id", "purchaser_code"),
        CheckConstraint("on_time BETWEEN 0 AND payments", name="on_time_range"),
        CheckConstraint("unpaid BETWEEN 0 AND payments", name="unpaid_range"),
        CheckConstraint("median_lag <= p90_lag", name="lag_order"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    purchaser_code: Mapped[str] = mapped_column(String(80))
    computed_on: Mapped[date]
    contracts: Mapped[int]
    payments: Mapped[int]
    on_time: Mapped[int]
    unpaid: Mapped[int]
    median_lag: Mapped[int]
    p90_lag: Mapped[int]
