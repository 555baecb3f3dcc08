"""Deposits: given in cash or replaced by a guarantee, released or expired, once they were demanded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session, joinedload

from market import deposits
from market.calendar import local_date
from market.deposits import DepositMove
from market.errors import Code, conflict, forbidden, invalid, not_found
from market.party import Party
from market.procurement_vocabulary import (
    DepositForm,
    DepositState,
    NoticeKind,
)
from market.remarks import read_remark
from market.vocabulary import Capability, OrganisationKind
from models.base import db, transaction
from models.deposit import Deposit
from models.organisation import Organisation
from models.zone import Membership
from services import admissions, audit, notices

NUMBER_MOST, NOTE_MOST = 80, 300

#: Who gives guarantees (保函) that a purchaser takes.
GUARANTORS = (OrganisationKind.GUARANTOR, OrganisationKind.BANK, OrganisationKind.INSURER)


def record_cash(deposit_id: int, paid_on: date, *, by: Party, now: datetime) -> Deposit:
    """Record that the supplier gave the deposit in cash: its purchaser or an officer."""
    with transaction() as session:
        row = _lock_for_purchaser(session, deposit_id, DepositMove.PAY, by)
        _check_past(paid_on, "paid_on", now)
        row.state, row.form, row.paid_on, row.returned_on = DepositState.PAID, DepositForm.CASH, paid_on, None
        row.guarantor_id = row.guarantee_number = row.valid_until = None
        audit.record(session, "deposit.pay", row, by=by, now=now, paid_on=str(paid_on))
    return row


def ask(deposit_id: int, guarantor_id: int, *, by: Party, now: datetime) -> Deposit:
    """Ask a guarantor to stand in for one's own deposit, demanded or paid in cash already; the supplier.

    Raises ``Forbidden`` (wrong_kind) for an institution that gives no guarantees, ``Conflict`` for one that
    is not admitted.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    with transaction() as session:
        row = _lock(session, deposit_id, DepositMove.ASK, by, own="supplier_id")
        guarantor = session.scalar(
            select(Organisation)
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Organisation.id == guarantor_id, Membership.zone_id == row.zone_id)
        )
        if guarantor is None:
            raise not_found("organisation", guarantor_id)
        if guarantor.kind not in GUARANTORS:
            raise forbidden(Code.WRONG_KIND, "guarantor_id", kind=guarantor.kind.value, expected=GUARANTORS)
        admissions.require(session, row.zone_id, guarantor.id, local_date(now))
        row.state, row.guarantor_id = DepositState.ASKED, guarantor.id
        row.form = DepositForm.CASH if _holds_cash(row) else None
        row.guarantee_number = row.valid_until = None
        audit.record(session, "deposit.ask", row, by=by, now=now, guarantor=guarantor.id)
        tell(session, row, NoticeKind.GUARANTEE_ASKED, [guarantor.id], now=now)
    return row


def decline(deposit_id: int, why: str, *, by: Party, now: datetime) -> Deposit:
    """Turn down a supplier's request for a guarantee, saying why; the guarantor that was asked."""
    by.require(Capability.INSTITUTION_APPROVER)
    why = read_remark(why, "why", NOTE_MOST)
    with transaction() as session:
        row = _lock(session, deposit_id, DepositMove.DECLINE, by, own="guarantor_id")
        row.state = deposits.state_without_guarantor(cash_held=_holds_cash(row))
        row.guarantor_id = None
        audit.record(session, "deposit.decline", row, by=by, now=now, why=why)
        tell(session, row, NoticeKind.GUARANTEE_DECLINED, [row.supplier_id], now=now, why=why)
    return row


def issue(deposit_id: int, number: str, valid_until: date, *, by: Party, now: datetime) -> Deposit:
    """Issue the guarantee that replaces a deposit; the guarantor that was asked. Cash paid is due back.

    Raises ``Invalid`` for the number or a day that is over, ``Conflict`` (already_exists) for a number that
    stands for another deposit.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    number = read_remark(number, "guarantee_number", NUMBER_MOST)
    today = local_date(now)
    if valid_until < today:
        raise invalid(Code.OUT_OF_ORDER, "valid_until", value=str(valid_until), after=str(today))
    with transaction() as session:
        row = _lock(session, deposit_id, DepositMove.ISSUE, by, own="guarantor_id")
        admissions.require(session, row.zone_id, by.organisation_id, today)
        taken = session.scalar(
            select(Deposit.id).where(
                Deposit.guarantor_id == row.guarantor_id, Deposit.guarantee_number == number
            )
        )
        if taken is not None:
            raise conflict(Code.ALREADY_EXISTS, "guarantee_number", what="guarantee", value=number)
        row.state, row.form = DepositState.GUARANTEED, DepositForm.GUARANTEE
        row.guarantee_number, row.valid_until = number, valid_until
        audit.record(
            session, "deposit.issue", row, by=by, now=now, number=number, valid_until=str(valid_until)
        )
        told = [row.supplier_id, row.purchaser_id]
        tell(session, row, NoticeKind.GUARANTEE_ISSUED, told, now=now, cash_due_back=_holds_cash(row))
    return row


def return_cash(deposit_id: int, returned_on: date, *, by: Party, now: datetime) -> Deposit:
    """Record that cash went back to the supplier; the purchaser or an officer."""
    with transaction() as session:
        row = _lock_for_purchaser(session, deposit_id, DepositMove.RETURN, by)
        if not _holds_cash(row):
            raise conflict(Code.ILLEGAL_MOVE, state="no_cash", move=DepositMove.RETURN.value)
        _check_past(returned_on, "returned_on", now)
        row.returned_on = returned_on
        audit.record(session, "deposit.return", row, by=by, now=now, returned_on=str(returned_on))
    return row


def release(deposit_id: int, released_on: date, *, by: Party, now: datetime) -> Deposit:
    """Release a deposit or the guarantee in its place; the purchaser or an officer."""
    with transaction() as session:
        row = _lock_for_purchaser(session, deposit_id, DepositMove.RELEASE, by)
        _check_past(released_on, "released_on", now)
        row.state, row.released_on = DepositState.RELEASED, released_on
        audit.record(session, "deposit.release", row, by=by, now=now, released_on=str(released_on))
        tell(session, row, NoticeKind.DEPOSIT_RELEASED, [row.supplier_id, row.guarantor_id], now=now)
    return row


def list_expired(zone_id: int, now: datetime) -> list[int]:
    """Return the numbers of deposits whose guarantee is over and that nobody released."""
    return list(
        db.session.scalars(
            select(Deposit.id).where(
                Deposit.zone_id == zone_id,
                Deposit.state == DepositState.GUARANTEED,
                Deposit.valid_until < local_date(now),
            )
        )
    )


def expire(deposit_id: int, *, by: Party, now: datetime) -> None:
    """Note that the guarantee in a deposit's place is over, and tell supplier and purchaser; the clock's."""
    with transaction() as session:
        row = session.get_one(Deposit, deposit_id, with_for_update=True)
        over = row.valid_until is not None and row.valid_until < local_date(now)
        if not over or not deposits.allows(row.state, DepositMove.EXPIRE):
            return
        row.state = DepositState.EXPIRED
        audit.record(session, "deposit.expire", row, by=by, now=now)
        tell(session, row, NoticeKind.GUARANTEE_EXPIRED, [row.supplier_id, row.purchaser_id], now=now)


def list_for(by: Party) -> list[Deposit]:
    """Return the deposits the party may see, newest first: its own, or all of the zone for officers."""
    return list(
        db.session.scalars(
            select(Deposit)
            .where(Deposit.zone_id == by.zone_id, _visible(by))
            .options(
                joinedload(Deposit.contract),
                joinedload(Deposit.award_notice),
                joinedload(Deposit.supplier),
                joinedload(Deposit.purchaser),
                joinedload(Deposit.guarantor),
            )
            .order_by(Deposit.id.desc())
        )
    )


def find(deposit_id: int, *, by: Party) -> Deposit:
    """Return a deposit that the party may see; raises ``NotFound``."""
    row = db.session.scalar(
        select(Deposit).where(Deposit.id == deposit_id, Deposit.zone_id == by.zone_id, _visible(by))
    )
    if row is None:
        raise not_found("deposit", deposit_id)
    return row


def list_moves(row: Deposit, *, by: Party) -> list[DepositMove]:
    """Return what the party can do with a deposit now."""
    purchases = by.may(Capability.OFFICER) or (
        by.may(Capability.PURCHASER) and row.purchaser_id == by.organisation_id
    )
    supplies = by.may(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER) and (
        row.supplier_id == by.organisation_id
    )
    guarantees = by.may(Capability.INSTITUTION_APPROVER) and row.guarantor_id == by.organisation_id
    mine = {
        DepositMove.PAY: purchases,
        DepositMove.ASK: supplies,
        DepositMove.DECLINE: guarantees,
        DepositMove.ISSUE: guarantees,
        DepositMove.RETURN: purchases and _holds_cash(row),
        DepositMove.RELEASE: purchases,
    }
    return [move for move, may in mine.items() if may and deposits.allows(row.state, move)]


def list_guarantors(zone_id: int, now: datetime) -> list[Organisation]:
    """Return the admitted institutions of a zone that give guarantees, guarantors first, by name."""
    seats = db.session.scalars(
        select(Membership)
        .join(Organisation, Membership.organisation_id == Organisation.id)
        .where(Membership.zone_id == zone_id, Organisation.kind.in_(GUARANTORS))
        .options(joinedload(Membership.organisation))
        .order_by(Organisation.name_zh)
    )
    today = local_date(now)
    found = [seat.organisation for seat in seats if admissions.find_fault(seat, today) is None]
    return sorted(found, key=lambda row: GUARANTORS.index(row.kind))


def _lock(session: Session, deposit_id: int, move: DepositMove, by: Party, *, own: str | None) -> Deposit:
    """Return a deposit under its row lock, in a state that allows a move; ``own`` names whose it must be."""
    row = session.get(Deposit, deposit_id, with_for_update=True)
    if row is None or row.zone_id != by.zone_id:
        raise not_found("deposit", deposit_id)
    if own is not None and getattr(row, own) != by.organisation_id:
        raise not_found("deposit", deposit_id)
    if not deposits.allows(row.state, move):
        raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move=move.value)
    return row


def _lock_for_purchaser(session: Session, deposit_id: int, move: DepositMove, by: Party) -> Deposit:
    by.require(Capability.PURCHASER, Capability.OFFICER)
    return _lock(session, deposit_id, move, by, own=None if by.may(Capability.OFFICER) else "purchaser_id")


def _holds_cash(row: Deposit) -> bool:
    return row.paid_on is not None and row.returned_on is None


def _check_past(day: date, field: str, now: datetime) -> None:
    if day > local_date(now):
        raise invalid(Code.NOT_YET, field, value=str(day), today=str(local_date(now)))


def _visible(by: Party) -> ColumnElement[bool]:
    if by.may(Capability.OFFICER, Capability.AUDITOR):
        return true()
    own = by.organisation_id
    return or_(Deposit.supplier_id == own, Deposit.purchaser_id == own, Deposit.guarantor_id == own)


def tell(
    session: Session,
    row: Deposit,
    kind: NoticeKind,
    told: Iterable[int | None],
    *,
    now: datetime,
    **details: Any,
) -> None:
    """Tell organisations what became of a deposit, in the caller's transaction; None is nobody."""
    said = {
        "deposit_kind": row.kind.value,
        "amount": row.amount,
        "purchaser": row.purchaser_name,
        "supplier": row.supplier.name_zh,
        "until": row.valid_until.isoformat() if row.valid_until else None,
        **details,
    }
    # The same may happen to a deposit again: a guarantor asked anew is told anew.
    subject = f"deposit:{row.id}:{int(now.timestamp())}"
    each = [(number, subject, said) for number in dict.fromkeys(told) if number is not None]
    notices.send_all(session, row.zone_id, kind, each, now=now)
