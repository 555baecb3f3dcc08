"""The exchange with finance bureaus: who may read whose records, whom we read, and what lenders report."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.bureau_vocabulary import BureauKind, ConsentScope
from models.base import Base, Fen, Id, word
from models.contract import Contract
from models.organisation import Organisation

_STANDING = "revoked_at IS NULL"


class DataConsent(Base):
    """A supplier's leave to read its procurement records (数据授权), until a day or its revocation.

    Without an ``institution_id`` it is given to every bank whose agreement with the zone is in force.
    """

    __tablename__ = "data_consents"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revocation_whole"),
        # One standing leave per institution, and one to all: a new one takes the place of the former.
        Index(
            "uq_data_consents_named",
            "zone_id",
            "firm_id",
            "institution_id",
            unique=True,
            sqlite_where=text(_STANDING),
            postgresql_where=text(_STANDING),
        ),
        Index(
            "uq_data_consents_all",
            "zone_id",
            "firm_id",
            unique=True,
            sqlite_where=text(f"{_STANDING} AND institution_id IS NULL"),
            postgresql_where=text(f"{_STANDING} AND institution_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    firm_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    scope: Mapped[ConsentScope] = mapped_column(word(ConsentScope))
    valid_until: Mapped[date]
    given_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    given_at: Mapped[datetime]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]

    institution: Mapped[Organisation | None] = relationship(foreign_keys=[institution_id])


class BureauLink(Base):
    """A bureau that a zone reads from: where, and the token for it, sealed.

    The token can be unsealed only together with the address it was given for, so that nobody sends it
    elsewhere by changing the address. ``is_private`` lets the address lie in a private network: that is for
    whoever runs the market to allow, not for an officer.
    """

    __tablename__ = "bureau_links"
    __table_args__ = (UniqueConstraint("zone_id", "base_url"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"))
    name: Mapped[str] = mapped_column(String(80))
    base_url: Mapped[str] = mapped_column(String(200))
    token: Mapped[bytes] = mapped_column(LargeBinary)
    is_private: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime]


class BureauPull(Base):
    """One attempt to fetch a day's records of one kind: without a failure, the day is had.

    A day that was not over when it was asked for (not ``is_whole``) has to be asked for again.
    """

    __tablename__ = "bureau_pulls"
    __table_args__ = (
        CheckConstraint("imported >= 0 AND updated >= 0 AND rejected >= 0", name="counts_sign"),
        CheckConstraint("failure IS NULL OR finished_at IS NOT NULL", name="failed_is_over"),
        Index("ix_bureau_pulls_link_kind_day", "link_id", "kind", "day"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("bureau_links.id"))
    kind: Mapped[BureauKind] = mapped_column(word(BureauKind))
    day: Mapped[date]
    is_whole: Mapped[bool] = mapped_column(default=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    imported: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    # The first rows that were refused, each with its place and its fault.
    rejections: Mapped[list[Any]] = mapped_column(default=list)
    failure: Mapped[dict[str, Any] | None]

    link: Mapped[BureauLink] = relationship()


class RepaymentReport(Base):
    """What a lender reports of its financing on a contract (还款上报), amounts in fen, written once.

    ``differences`` says where it departed from our own loan book at that moment.
    """

    __tablename__ = "repayment_reports"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_sign"),
        CheckConstraint("returned >= 0", name="returned_sign"),
        CheckConstraint("ends_on >= financed_on", name="ends_after_start"),
        CheckConstraint("returned = 0 OR last_paid_on IS NOT NULL", name="returned_has_day"),
        CheckConstraint("last_paid_on IS NULL OR last_paid_on >= financed_on", name="paid_after_start"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zones.id"), index=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    bank_code: Mapped[str | None] = mapped_column(String(40))
    financed_on: Mapped[date]
    ends_on: Mapped[date]
    amount: Mapped[int] = mapped_column(Fen)
    returned: Mapped[int] = mapped_column(Fen)
    last_paid_on: Mapped[date | None]
    differences: Mapped[list[Any]] = mapped_column(default=list)
    reported_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reported_at: Mapped[datetime]

    contract: Mapped[Contract] = relationship()
    lender: Mapped[Organisation] = relationship()
