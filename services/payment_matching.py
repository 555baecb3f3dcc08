"""Payments on contracts that are not in the registry: kept as reported, matched once they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from market import financing_key
from market.errors import Code, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import AlertKind, Capability
from models.base import db, transaction
from models.contract import Contract
from models.financing import Financing
from models.payment import PurchaserPayment, UnmatchedPayment
from services import alerts, audit, contract_loans
from services.contract_loans import Payment

#: The resolution of a payment that found its contract.
MATCHED = "matched"
REPORTERS = (
    Capability.PURCHASER,
    Capability.OFFICER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
)


def make_number_key(number: str) -> str:
    """Return a contract number with spelling evened out: how the duplicate-financing key begins."""
    return financing_key.make_key(number, "")


def report(
    number: str, payment: Payment, *, by: Party, now: datetime, supplier_code: str | None = None
) -> PurchaserPayment | UnmatchedPayment:
    """Record a payment by the number of its contract, however it is spelt; unmatched if nobody knows it.

    A number that belongs to a contract of others is unmatched too, so that nobody learns of it this way; so
    is one that several contracts share, unless the supplier's code tells them apart. Raises ``Conflict``
    (already_exists) for a transaction reported before.
    """
    by.require(*REPORTERS)
    payment = contract_loans.check_payment(payment, now)
    number = number.strip()
    if not any(letter.isalnum() for letter in number):
        raise invalid(Code.REQUIRED, "number")
    found = _find_contracts(by.zone_id, number, supplier_code)
    own = [contract for contract in found if contract_loans.may_record(contract, by=by)]
    if len(own) == 1:
        return contract_loans.record_payment(own[0].id, payment, by=by, now=now)
    with transaction() as session:
        row = keep(
            session,
            number,
            payment,
            by=by,
            now=now,
            supplier_code=supplier_code,
            vouched=by.may(Capability.OFFICER),
        )
    return row


def keep(
    session: Session,
    number: str,
    payment: Payment,
    *,
    by: Party,
    now: datetime,
    supplier_code: str | None = None,
    vouched: bool,
) -> UnmatchedPayment:
    """Keep a payment whose contract is not known and alert, inside the caller's transaction.

    ``vouched``: it comes from an officer or a public register, so that the number alone may match it later.
    """
    key = make_number_key(number)
    taken = session.scalar(
        select(UnmatchedPayment.id).where(
            UnmatchedPayment.zone_id == by.zone_id,
            UnmatchedPayment.key == key,
            UnmatchedPayment.transaction_id == payment.transaction_id,
        )
    )
    if taken is not None:
        raise conflict(Code.ALREADY_EXISTS, "transaction_id", what="payment", value=payment.transaction_id)
    row = UnmatchedPayment(
        zone_id=by.zone_id,
        number=number,
        key=key,
        supplier_code=supplier_code,
        transaction_id=payment.transaction_id,
        paid_on=payment.paid_on,
        amount=payment.amount,
        payer=payment.payer,
        payee=payment.payee,
        payee_account=payment.payee_account,
        reporter_id=by.organisation_id,
        vouched=vouched,
        recorded_by=by.user_id,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    _alert(session, row, now)
    audit.record(session, "payment.unmatched", row, by=by, now=now, number=number, amount=payment.amount)
    return row


def match(unmatched_id: int, contract_id: int, *, by: Party, now: datetime) -> PurchaserPayment:
    """Say to which contract an unmatched payment belongs: an officer, its purchaser or its lender.

    It becomes a payment of that contract and takes effect. Raises ``Conflict`` for one that is resolved.
    """
    by.require(*REPORTERS)
    with transaction() as session:
        contract = contract_loans.lock_for_payment(session, contract_id)
        if contract.zone_id != by.zone_id or not contract_loans.may_record(contract, by=by):
            raise not_found("contract", contract_id)
        row = _wait(session, unmatched_id, by)
        payment = _make_payment(session, row, contract, by=by, now=now)
    return payment


def set_aside(unmatched_id: int, why: str, *, by: Party, now: datetime) -> UnmatchedPayment:
    """Close an unmatched payment that belongs to no contract here, saying why: officers, or its reporter."""
    by.require(*REPORTERS)
    why = why.strip()
    if not why:
        raise invalid(Code.REQUIRED, "why")
    with transaction() as session:
        row = _wait(session, unmatched_id, by)
        row.resolved_by, row.resolved_at, row.resolution = by.user_id, now, why
        alerts.settle(session, AlertKind.UNMATCHED_PAYMENT, _subject(row), why, now=now, by=by)
        audit.record(session, "payment.set_aside", row, by=by, now=now)
    return row


def bring_back(unmatched_id: int, *, by: Party, now: datetime) -> UnmatchedPayment:
    """Let an unmatched payment that was set aside wait again. Raises ``Conflict`` for one that is matched."""
    by.require(*REPORTERS)
    with transaction() as session:
        row = _lock(session, unmatched_id, by)
        if row.resolved_at is None or row.matched_payment_id is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="matched", move="bring_back")
        _reopen(session, row, now)
        audit.record(session, "payment.bring_back", row, by=by, now=now)
    return row


def unmatch(session: Session, payment: PurchaserPayment, now: datetime) -> None:
    """Let the report behind a payment that was taken back wait again, inside the caller's transaction."""
    row = session.scalar(
        select(UnmatchedPayment).where(UnmatchedPayment.matched_payment_id == payment.id).with_for_update()
    )
    if row is not None:
        _reopen(session, row, now)


def match_waiting(session: Session, numbers: Mapping[int, str], *, by: Party, now: datetime) -> int:
    """Match what waits for contracts (numbers by id) that have just become known, for the caller to commit.

    The caller holds the contracts' locks. A report is matched by itself if it was vouched for, or came from
    the contract's own purchaser or lender, and if its number names one contract only; others wait for a
    person. Returns how many were matched.
    """
    waits = (UnmatchedPayment.zone_id == by.zone_id, UnmatchedPayment.resolved_at.is_(None))
    keys = set(session.scalars(select(UnmatchedPayment.key).where(*waits).distinct()))
    if not keys:
        # Nearly always: then the numbers of an import need no second look.
        return 0
    by_key: dict[str, list[int]] = {}
    for contract_id, number in numbers.items():
        if (key := make_number_key(number)) in keys:
            by_key.setdefault(key, []).append(contract_id)
    if not by_key:
        return 0
    waiting = session.scalars(
        select(UnmatchedPayment)
        .where(*waits, UnmatchedPayment.key.in_(by_key))
        .order_by(UnmatchedPayment.id)
        .with_for_update()
    ).all()
    matched = 0
    for row in waiting:
        found = _find_contracts(by.zone_id, row.number, row.supplier_code)
        if len(found) == 1 and found[0].id in by_key[row.key] and _is_trusted(session, row, found[0]):
            _make_payment(session, row, found[0], by=by, now=now)
            matched += 1
    return matched


def list_unmatched(by: Party, *, waiting: bool = True, most: int = 500) -> list[UnmatchedPayment]:
    """Return unmatched payments, newest first: all to officers and auditors, to others what they reported."""
    query = select(UnmatchedPayment).where(
        UnmatchedPayment.zone_id == by.zone_id, UnmatchedPayment.resolved_at.is_(None) == waiting
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where(UnmatchedPayment.reporter_id == by.organisation_id)
    query = query.options(joinedload(UnmatchedPayment.reporter))
    return list(db.session.scalars(query.order_by(UnmatchedPayment.id.desc()).limit(most)))


def suggest(rows: Sequence[UnmatchedPayment], *, by: Party) -> dict[int, list[Contract]]:
    """Return, per unmatched payment, the contracts with its number that the party may match it to."""
    return {row.id: list_by_number(row.number, by=by) for row in rows}


def list_by_number(number: str, *, by: Party) -> list[Contract]:
    """Return the contracts with a number, however it is spelt, to which the party may match a payment."""
    found = _find_contracts(by.zone_id, number, None)
    return [contract for contract in found if contract_loans.may_record(contract, by=by)]


def _find_contracts(zone_id: int, number: str, supplier_code: str | None) -> list[Contract]:
    key = make_number_key(number)
    if supplier_code is not None:
        same = Contract.financing_key == financing_key.make_key(number, supplier_code)
    else:
        same = Contract.financing_key.startswith(key, autoescape=True) | (Contract.number == number)
    return list(
        db.session.scalars(select(Contract).where(Contract.zone_id == zone_id, same).order_by(Contract.id))
    )


def _is_trusted(session: Session, row: UnmatchedPayment, contract: Contract) -> bool:
    if row.vouched or (row.reporter_id is not None and row.reporter_id == contract.purchaser_id):
        return True
    lent = select(Financing.id).where(
        Financing.contract_id == contract.id, Financing.lender_id == row.reporter_id
    )
    return session.scalar(lent.limit(1)) is not None


def _make_payment(
    session: Session, row: UnmatchedPayment, contract: Contract, *, by: Party, now: datetime
) -> PurchaserPayment:
    told = Payment(
        transaction_id=row.transaction_id,
        amount=row.amount,
        paid_on=row.paid_on,
        payee_account=row.payee_account,
        payer=row.payer,
        payee=row.payee,
    )
    known = session.scalar(
        select(PurchaserPayment).where(
            PurchaserPayment.contract_id == contract.id,
            PurchaserPayment.transaction_id == row.transaction_id,
        )
    )
    if known is not None and (
        known.resolution in contract_loans.GONE or (known.amount, known.paid_on) != (row.amount, row.paid_on)
    ):
        # Another payment bears this number already, perhaps one that was taken back: nothing is deleted, so
        # that the number of payments makes a new one.
        count = session.scalar(select(func.count()).where(PurchaserPayment.contract_id == contract.id))
        told = replace(told, transaction_id=f"{row.transaction_id[:180]}~{count}")
        known = None
    payment = known if known is not None else contract_loans.enter(session, contract, told, now=now)
    contract_loans.settle(session, contract, payment, by=by, now=now, is_published=row.vouched)
    row.matched_payment_id = payment.id
    row.resolved_by, row.resolved_at, row.resolution = by.user_id, now, MATCHED
    alerts.settle(session, AlertKind.UNMATCHED_PAYMENT, _subject(row), MATCHED, now=now, by=by)
    audit.record(session, "payment.match", payment, by=by, now=now, unmatched=row.id)
    return payment


def _lock(session: Session, unmatched_id: int, by: Party) -> UnmatchedPayment:
    row = session.get(UnmatchedPayment, unmatched_id, with_for_update=True)
    own = row is not None and (by.may(Capability.OFFICER) or row.reporter_id == by.organisation_id)
    if row is None or row.zone_id != by.zone_id or not own:
        raise not_found("payment", unmatched_id)
    return row


def _wait(session: Session, unmatched_id: int, by: Party) -> UnmatchedPayment:
    row = _lock(session, unmatched_id, by)
    if row.resolved_at is not None:
        raise conflict(
            Code.ILLEGAL_MOVE, state="matched" if row.matched_payment_id else "set_aside", move=MATCHED
        )
    return row


def _reopen(session: Session, row: UnmatchedPayment, now: datetime) -> None:
    row.matched_payment_id = None
    row.resolved_by = row.resolved_at = row.resolution = None
    session.flush()
    _alert(session, row, now)


def _alert(session: Session, row: UnmatchedPayment, now: datetime) -> None:
    alerts.raise_alert(
        session,
        row.zone_id,
        AlertKind.UNMATCHED_PAYMENT,
        _subject(row),
        now=now,
        amount=row.amount,
        number=row.number,
    )


def _subject(row: UnmatchedPayment) -> str:
    return f"unmatched:{row.id}"
