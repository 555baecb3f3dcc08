"""The bureau's desk: awards, contracts, account changes and payments, for whom the supplier lets read them.

Officers and auditors read all of their zone, purchasers what they buy, suppliers what they supply. An
institution reads what the supplier gave it leave to (``data_consents``), and any contract whose claim it
holds. A contract that only its supplier speaks of is nobody's record yet and is not shown to institutions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, false, func, or_, select, true
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from market import financing_key
from market.bureau_vocabulary import ChangeStatus, ConsentScope, DayBasis
from market.calendar import SHANGHAI
from market.contract_record import Obstacle
from market.errors import Code, Fault, Invalid
from market.party import Party
from market.vocabulary import Capability, ContractStage
from models.base import db
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.organisation import Organisation
from models.payment import PurchaserPayment
from models.procurement import AwardNotice
from services import data_consents

#: The longest span of days that one list covers.
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Window:
    """Which days a list is about, first and last included, and by which of a record's days."""

    day: date
    until: date
    basis: DayBasis = DayBasis.PUBLISHED

    def check(self) -> None:
        """Raise ``Invalid`` unless the days are in order and at most 31."""
        if self.until < self.day:
            values = {"value": str(self.until), "after": str(self.day)}
            raise Invalid(Fault(Code.OUT_OF_ORDER, "until", values))
        if (self.until - self.day).days >= MOST_DAYS:
            latest = self.day + timedelta(days=MOST_DAYS - 1)
            raise Invalid(Fault(Code.TOO_LARGE, "until", {"value": str(self.until), "most": str(latest)}))

    def holds_day(self, column: Any) -> ColumnElement[bool]:
        """Return the condition that a day lies in the window."""
        return and_(column >= self.day, column <= self.until)

    def holds_moment(self, column: Any) -> ColumnElement[bool]:
        """Return the condition that a moment lies in the window, by the calendar of Shanghai."""
        start, end = (
            datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)
            for day in (self.day, self.until + timedelta(days=1))
        )
        return and_(column >= start, column < end)


@dataclass(frozen=True, slots=True)
class Change:
    """How far a change of the locked account is, and since when."""

    status: ChangeStatus
    since: date | None = None


def list_awards(
    window: Window, *, by: Party, now: datetime, before_id: int | None = None, most: int = 50
) -> Sequence[AwardNotice]:
    """Return the award notices of some days, newest row first; ``before_id`` continues after a row."""
    window.check()
    query = select(AwardNotice).where(
        AwardNotice.zone_id == by.zone_id,
        window.holds_day(AwardNotice.published_on)
        if window.basis is DayBasis.PUBLISHED
        else window.holds_moment(AwardNotice.recorded_at),
    )
    if not _sees_all(by):
        readable = [AwardNotice.supplier_id == by.organisation_id]
        if by.is_institution:
            readable = [data_consents.covers(AwardNotice.supplier_id, ConsentScope.CONTRACTS, by=by, now=now)]
        elif by.may(Capability.PURCHASER):
            # Notices name their purchaser by its code alone.
            readable = [AwardNotice.purchaser_code == _find_code(by)]
        query = query.where(or_(*readable))
    return _cut(query, AwardNotice.id, before_id, most)


def list_contracts(
    window: Window, *, by: Party, now: datetime, before_id: int | None = None, most: int = 50
) -> Sequence[Contract]:
    """Return the contracts that were published, or changed in the registry, on some days."""
    window.check()
    moment = (
        func.coalesce(Contract.released_at, Contract.created_at)
        if window.basis is DayBasis.PUBLISHED
        else Contract.updated_at
    )
    return _cut(_select_contracts(by, now).where(window.holds_moment(moment)), Contract.id, before_id, most)


def find_contracts(
    *,
    number: str | None = None,
    supplier_code: str | None = None,
    by: Party,
    now: datetime,
    before_id: int | None = None,
    most: int = 50,
) -> Sequence[Contract]:
    """Return the contracts of a number, however it is spelt, or of a supplier's credit code, or of both."""
    query = _select_contracts(by, now)
    if number is not None:
        named = [Contract.number == number.strip()]
        key = financing_key.make_key(number, "")
        if key.strip("|"):
            named.append(Contract.financing_key.startswith(key, autoescape=True))
        query = query.where(or_(*named))
    if supplier_code is not None:
        query = query.where(Contract.supplier_code == supplier_code.strip().upper())
    return _cut(query, Contract.id, before_id, most)


def list_payments(
    window: Window, *, by: Party, now: datetime, before_id: int | None = None, most: int = 50
) -> Sequence[PurchaserPayment]:
    """Return the purchasers' payments of some days; an undated one counts on the day it was recorded."""
    window.check()
    recorded = window.holds_moment(PurchaserPayment.recorded_at)
    when = recorded
    if window.basis is DayBasis.PUBLISHED:
        when = or_(
            window.holds_day(PurchaserPayment.paid_on), and_(PurchaserPayment.paid_on.is_(None), recorded)
        )
    query = (
        select(PurchaserPayment)
        .join(PurchaserPayment.contract)
        .options(contains_eager(PurchaserPayment.contract))
        .where(Contract.zone_id == by.zone_id, _is_readable(by, ConsentScope.PAYMENTS, now), when)
    )
    return _cut(query, PurchaserPayment.id, before_id, most)


def list_claimed(by: Party, contract_ids: Collection[int]) -> set[int]:
    """Return those of the contracts whose live claim the party's institution holds."""
    return set(
        db.session.scalars(
            select(Financing.contract_id).where(
                Financing.contract_id.in_(contract_ids),
                Financing.lender_id == by.organisation_id,
                Financing.ended_at.is_(None),
            )
        )
    )


def shows_account(contract: Contract, *, by: Party, claimed: Collection[int]) -> bool:
    """Say whether the party reads the locked account whole: the claim's holder and the purchaser alone."""
    is_purchaser = by.may(Capability.PURCHASER) and contract.purchaser_id == by.organisation_id
    return contract.id in claimed or is_purchaser


def shows_payee(contract: Contract, *, by: Party, claimed: Collection[int]) -> bool:
    """Say whether the party reads whole to which account a payment went: officers watch over that, too."""
    return _sees_all(by) or shows_account(contract, by=by, claimed=claimed)


def mask(account: str | None) -> str | None:
    """Return an account with all but its last four characters hidden."""
    return None if account is None else "*" * max(len(account) - 4, 4) + account[-4:]


def read_account_changes(contract_ids: Collection[int]) -> dict[int, Change]:
    """Return for each contract how far a change of its account is: the one place where that is read.

    By the ladder: a lock that waits for its second person is a change requested; one in force after
    another was undone is a change done; everything else is none.
    """
    changes = {contract_id: Change(ChangeStatus.NONE) for contract_id in contract_ids}
    undone: set[int] = set()
    steps = db.session.scalars(
        select(ContractStep)
        .where(ContractStep.contract_id.in_(contract_ids), ContractStep.stage == ContractStage.ACCOUNT_LOCKED)
        .order_by(ContractStep.id)
    )
    for step in steps:
        if step.undone_at is not None:
            # Turned down before anybody confirmed it, it never was the account.
            if step.confirmed_at is not None:
                undone.add(step.contract_id)
            changes[step.contract_id] = Change(ChangeStatus.NONE)
        elif step.confirmed_at is None:
            changes[step.contract_id] = Change(ChangeStatus.REQUESTED, step.happened_on)
        elif step.contract_id in undone:
            changes[step.contract_id] = Change(ChangeStatus.DONE, step.happened_on)
    return changes


def is_readable(contract: Contract, *, by: Party, now: datetime) -> bool:
    """Say whether the party may read a contract here."""
    query = _select_contracts(by, now).where(Contract.id == contract.id)
    return db.session.scalar(query.with_only_columns(Contract.id)) is not None


def _select_contracts(by: Party, now: datetime) -> Select[Contract]:
    return (
        select(Contract)
        .where(Contract.zone_id == by.zone_id, _is_readable(by, ConsentScope.CONTRACTS, now))
        .options(selectinload(Contract.plan), joinedload(Contract.supplier))
    )


def _is_readable(by: Party, scope: ConsentScope, now: datetime) -> ColumnElement[bool]:
    if _sees_all(by):
        return true()
    if by.may(Capability.PURCHASER):
        return Contract.purchaser_id == by.organisation_id
    if by.may(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER):
        return Contract.supplier_id == by.organisation_id
    if not by.is_institution:
        return false()
    vouched = ~cast(Contract.obstacles, String).contains(Obstacle.UNCONFIRMED.value)
    held = Contract.id.in_(
        select(Financing.contract_id).where(
            Financing.lender_id == by.organisation_id, Financing.ended_at.is_(None)
        )
    )
    allowed = data_consents.covers(Contract.supplier_id, scope, by=by, now=now)
    return or_(held, and_(vouched, allowed))


def _sees_all(by: Party) -> bool:
    return by.may(Capability.OFFICER, Capability.AUDITOR)


def _find_code(by: Party) -> Any:
    return select(Organisation.credit_code).where(Organisation.id == by.organisation_id).scalar_subquery()


def _cut(query: Any, column: Any, before_id: int | None, most: int) -> Sequence[Any]:
    if before_id is not None:
        query = query.where(column < before_id)
    return db.session.scalars(query.order_by(column.desc()).limit(most)).unique().all()
