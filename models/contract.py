"""Government procurement contracts, their amendments, and the ladder of the contract loan."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.vocabulary import ContractStage
from models.base import Base, Fen, Id, Rate, word
from models.organisation import Organisation

if TYPE_CHECKING:
    from models.payment import PlannedPayment, PurchaserPayment

_CLIMBED_ONCE = "stage NOT IN ('drawn','purchaser_paid','repaid') AND undone_at IS NULL"
_WAITING = "needs_confirmation AND confirmed_by IS NULL AND undone_at IS NULL"


class Contract(Base):
    """A procurement contract (政府采购合同), known by process id and contract id platform-wide.

    ``amount`` and ``retention`` are fen and None when the record states none. ``obstacles`` lists why
    the contract cannot be financed (words of ``market.contract_record.Obstacle``); empty means it
    can. ``financing_key`` is the duplicate-financing key. The payee account is the one account the
    purchaser may pay into once ``stage`` has reached ``account_locked``: from then on it becomes another one
    only through an ``AccountChange`` that is done. ``terminated_on`` is the day of a ``Termination``,
    ``published_on`` when the contract was published, where that is on record. Project, plan filing and
    package numbers, agency, budget unit and funding source are as in the award notice and the budget;
    ``prepayment_ratio`` is the share of the amount paid in advance; ``late_rate`` the yearly rate of late
    interest as agreed, None where the law's holds; ``pay_when_paid`` marks a clause that is void.
    """

    __tablename__ = "contracts"
    __table_args__ = (
        UniqueConstraint("process_id", "contract_id"),
        CheckConstraint("retention >= 0", name="retention_sign"),
        CheckConstraint("supplier_code IS NULL OR length(supplier_code) = 18", name="supplier_code_length"),
        CheckConstraint(
            "payment_days IS NULL OR payment_days BETWEEN 0 AND 60", name="payment_days_statutory"
        ),
        # The purchaser may pay into one account from the lock to its release, and nothing is drawn, paid or
        # repaid without a pledge: it may be given up only at the end.
        CheckConstraint(
            "stage NOT IN ('account_locked','pledge_registered','drawn','purchaser_paid','repaid',"
            "'pledge_cancelled') OR payee_account IS NOT NULL",
            name="locked_names_account",
        ),
        CheckConstraint(
            "stage NOT IN ('pledge_registered','drawn','purchaser_paid','repaid')"
            " OR (pledge_number IS NOT NULL AND pledge_expires_on IS NOT NULL)",
            name="pledged_names_pledge",
        ),
        # Shares are stored in hundred-millionths.
        CheckConstraint("prepayment_ratio BETWEEN 0 AND 100000000", name="prepayment_ratio_range"),
        # What a bureau is asked for day by day.
        Index("ix_contracts_zone_id_updated_at", "zone_id", "updated_at"),
        CheckConstraint("late_rate BETWEEN 0 AND 100000000", name="late_rate_range"),
        CheckConstraint("inspection_days BETWEEN 0 AND 365", name="inspection_days_range"),
        Index("ix_contracts_zone_supplier", "zone_id", "supplier_code"),
        Index("ix_contracts_financing_key", "financing_key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    process_id: Mapped[str] = mapped_column(String(160))
    contract_id: Mapped[str] = mapped_column(String(160))
    award_id: Mapped[str | None] = mapped_column(String(160))
    project_number: Mapped[str | None] = mapped_column(String(160))
    plan_number: Mapped[str | None] = mapped_column(String(160))
    package_number: Mapped[str | None] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(160))
    title: Mapped[str] = mapped_column(String(400), default="")
    status: Mapped[str | None] = mapped_column(String(40))
    purchaser_name: Mapped[str | None] = mapped_column(String(300))
    purchaser_code: Mapped[str | None] = mapped_column(String(80))
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    supplier_name: Mapped[str | None] = mapped_column(String(300))
    supplier_code: Mapped[str | None] = mapped_column(String(18))
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    amount: Mapped[int | None] = mapped_column(Fen)
    currency: Mapped[str | None] = mapped_column(String(8))
    retention: Mapped[int] = mapped_column(Fen, default=0)
    payment_days: Mapped[int | None]
    prepayment_ratio: Mapped[Decimal | None] = mapped_column(Rate)
    budget_unit_code: Mapped[str | None] = mapped_column(String(40))
    funding_source: Mapped[str | None] = mapped_column(String(80))
    agency: Mapped[str | None] = mapped_column(String(300))
    late_rate: Mapped[Decimal | None] = mapped_column(Rate)
    pay_when_paid: Mapped[bool] = mapped_column(default=False)
    inspection_days: Mapped[int | None]
    signed_on: Mapped[date | None]
    published_on: Mapped[date | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    delivered_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    last_due_on: Mapped[date | None]
    terminated_on: Mapped[date | None]
    obstacles: Mapped[list[Any]] = mapped_column(default=list)
    financing_key: Mapped[str | None] = mapped_column(String(320))
    source: Mapped[str] = mapped_column(String(40), default="form")
    # When the newest record behind this row was published: an older one never undoes a newer one.
    released_at: Mapped[datetime | None]
    # What that record did not state but an older one did: the field, and when the older one was published.
    older_fields: Mapped[dict[str, Any] | None]
    stage: Mapped[ContractStage] = mapped_column(word(ContractStage), default=ContractStage.AWARDED)
    payee_account: Mapped[str | None] = mapped_column(String(40))
    payee_bank: Mapped[str | None] = mapped_column(String(120))
    pledge_number: Mapped[str | None] = mapped_column(String(60))
    pledge_expires_on: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    supplier: Mapped[Organisation | None] = relationship(foreign_keys=[supplier_id])
    purchaser: Mapped[Organisation | None] = relationship(foreign_keys=[purchaser_id])
    # The steps that count; what was undone is history (``contract_steps.list_undone``).
    steps: Mapped[list[ContractStep]] = relationship(
        primaryjoin="and_(ContractStep.contract_id == Contract.id, ContractStep.undone_at.is_(None))",
        order_by="ContractStep.id",
        viewonly=True,
    )
    payments: Mapped[list[PurchaserPayment]] = relationship(
        back_populates="contract", order_by="PurchaserPayment.paid_on, PurchaserPayment.id"
    )
    plan: Mapped[list[PlannedPayment]] = relationship(order_by="PlannedPayment.number")


class ContractRevision(Base):
    """What a contract said before a record changed it: amendments keep their history."""

    __tablename__ = "contract_revisions"
    __table_args__ = (UniqueConstraint("contract_id", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    number: Mapped[int]
    replaced_at: Mapped[datetime]
    former: Mapped[dict[str, Any]]


class ContractStep(Base):
    """One rung climbed (进度): when, on which evidence, recorded by whom and confirmed by whom.

    A step that was turned down, or that fell with its loan, stays on record with ``undone_why``; it no longer
    counts and makes room for another try.
    """

    __tablename__ = "contract_steps"
    __table_args__ = (
        # Two people: whoever recorded a step cannot confirm it.
        CheckConstraint(
            "confirmed_by IS NULL OR recorded_by IS NULL OR confirmed_by <> recorded_by", name="two_people"
        ),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmation_whole"),
        CheckConstraint("(undone_at IS NULL) = (undone_why IS NULL)", name="undoing_whole"),
        CheckConstraint("stage <> 'account_locked' OR needs_confirmation", name="lock_asks_second"),
        CheckConstraint("stage NOT IN ('filed','account_locked') OR evidence <> ''", name="evidence_given"),
        Index(
            "uq_contract_steps_waiting",
            "contract_id",
            unique=True,
            sqlite_where=text(_WAITING),
            postgresql_where=text(_WAITING),
        ),
        # A rung that does not repeat is climbed once; a second loan of the same lender repeats the money's.
        Index(
            "uq_contract_steps_once",
            "contract_id",
            "stage",
            unique=True,
            sqlite_where=text(_CLIMBED_ONCE),
            postgresql_where=text(_CLIMBED_ONCE),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    stage: Mapped[ContractStage] = mapped_column(word(ContractStage))
    happened_on: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(300), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    needs_confirmation: Mapped[bool] = mapped_column(default=False)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undone_at: Mapped[datetime | None]
    undone_why: Mapped[str | None] = mapped_column(String(300))

    contract: Mapped[Contract] = relationship()
