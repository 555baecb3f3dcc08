"""Claims on receivables: each invoice has one lender, though several may finance those of one contract.

All run inside the caller's transaction. Locks come in the order need, limits, contracts, receivables (by
number), modes (by key), claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import contract_loan, receivable
from market.calendar import add_months
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.receivable_vocabulary import FinancingMode, ReceivableObstacle
from market.vocabulary import LIVE_LOANS, Security
from models.base import db
from models.contract import Contract
from models.financing import Financing, LoanReceivable
from models.loan import Loan
from models.need import Need
from models.receivable import Receivable
from services import financings

FIELD = "receivables"


@dataclass(frozen=True, slots=True)
class Room:
    """What receivables can still carry, in fen: each by itself, and all together under their contracts."""

    each: Mapping[int, int]
    total: int


def list_offered(need: Need) -> list[Receivable]:
    """Return the receivables that a need offers to its lender, the first due first."""
    # Only what is offered as security is looked up: other needs are asked about far more often.
    return list(need.receivables) if Security.RECEIVABLE_PLEDGE.value in need.securities else []


def check(
    session: Session, ids: Sequence[int], *, supplier_id: int, lender_id: int | None, today: date
) -> list[Receivable]:
    """Return receivables, locked, if their supplier may have them financed (by ``lender_id``, if known).

    Raises ``NotFound`` for those of another supplier, ``Invalid`` (not_financeable, with the reasons),
    ``Conflict`` (already_financed: one is another lender's, or its contract is financed whole).
    """
    rows = lock(session, ids)
    for row in rows:
        if row.supplier_id != supplier_id:
            raise not_found("receivable", row.id)
        if obstacles := find_obstacles(row, today):
            raise invalid(Code.NOT_FINANCEABLE, FIELD, reason=[word.value for word in obstacles])
    for key, group in groupby(sorted(rows, key=_by_contract), _by_contract):
        live = {claim.key: claim for claim in financings.list_live(session, key)}
        if any(claim.live_mode is FinancingMode.WHOLE for claim in live.values()):
            raise conflict(Code.ALREADY_FINANCED, FIELD, key=key)
        for row in group:
            claim = live.get(row.financing_key)
            if claim is not None and (
                claim.receivable_id != row.id or lender_id not in (None, claim.lender_id)
            ):
                raise conflict(Code.ALREADY_FINANCED, FIELD, key=row.financing_key)
    return rows


def lock(session: Session, ids: Sequence[int]) -> list[Receivable]:
    """Return receivables under their locks, by their numbers, after the contracts behind them."""
    wanted = sorted(set(ids))
    contracts = select(Receivable.contract_id).where(Receivable.id.in_(wanted))
    session.scalars(
        select(Contract).where(Contract.id.in_(contracts)).order_by(Contract.id).with_for_update()
    ).all()
    found = select(Receivable).where(Receivable.id.in_(wanted)).order_by(Receivable.id).with_for_update()
    rows = list(session.scalars(found))
    for number in wanted:
        if all(row.id != number for row in rows):
            raise not_found("receivable", number)
    return rows


def find_obstacles(row: Receivable, today: date) -> tuple[ReceivableObstacle, ...]:
    """Return why nothing may be lent on a receivable today; empty if something may."""
    return receivable.find_obstacles(
        row.state, amount=row.amount, paid=row.paid, due_on=row.due_on, today=today
    )


def compute_room(
    session: Session, rows: Sequence[Receivable], *, ratio: Decimal, besides: Mapping[int, int] | None = None
) -> Room:
    """Return what receivables can still carry at a ratio, after what was paid and what is financed.

    Those of one contract on record carry together no more than the contract does. ``besides`` fen of what
    is financed already are left out of the count, by receivable: what was claimed for the loan in question.
    """
    left_out = besides or {}
    financed: dict[int | None, int] = {}
    for key in {row.contract_key for row in rows}:
        financed |= {live.receivable_id: live.financed for live in financings.list_live(session, key)}
    each = {
        row.id: receivable.compute_room(
            amount=row.amount,
            paid=row.paid,
            financed=financed.get(row.id, 0) - left_out.get(row.id, 0),
            ratio=ratio,
        )
        for row in rows
    }
    for _, group in groupby(sorted(rows, key=_by_contract), _by_contract):
        members = list(group)
        contract = next((row.contract for row in members if row.contract is not None), None)
        if contract is None:
            continue
        most = financings.compute_room(
            session, contract, ratio=ratio, besides=sum(left_out.get(row.id, 0) for row in members)
        )
        rooms = [each[row.id] for row in members]
        parts = receivable.spread(min(most, sum(rooms)), rooms)
        each |= {row.id: part for row, part in zip(members, parts, strict=True)}
    return Room(each, sum(each.values()))


def read_room(rows: Sequence[Receivable], ratio: Decimal | None) -> int:
    """Return what receivables can still carry together at a product's ratio, in fen; without one, at most."""
    return compute_room(db.session(), rows, ratio=ratio or financings.WHOLE).total


def take(
    session: Session, need: Need, loan: Loan, *, lender_id: int, ratio: Decimal, today: date, now: datetime
) -> None:
    """Claim the receivables of a need for its lender: each carries its part of the loan.

    Raises as ``check``, and ``Conflict`` (above_financeable) for more than they carry at the ratio.
    """
    ids = [row.id for row in list_offered(need)]
    rows = lock(session, ids)
    for key in sorted({row.contract_key for row in rows}):
        financings.hold_mode(session, key, FinancingMode.INVOICES, field=FIELD)
    rows = check(session, ids, supplier_id=need.organisation_id, lender_id=lender_id, today=today)
    room = compute_room(session, rows, ratio=ratio)
    if loan.principal > room.total:
        raise conflict(Code.ABOVE_FINANCEABLE, asked=loan.principal, most=room.total)
    parts = receivable.spread(loan.principal, [room.each[row.id] for row in rows])
    for row, part in zip(rows, parts, strict=True):
        if part == 0:
            continue
        claim = _find_live(session, row)
        if claim is None:
            claim = Financing(
                key=row.financing_key,
                receivable_id=row.id,
                lender_id=lender_id,
                financed=0,
                live_key=row.contract_key,
                live_mode=FinancingMode.INVOICES,
                started_at=now,
            )
            session.add(claim)
        claim.financed += part
        session.add(LoanReceivable(loan=loan, financing=claim, amount=part, financed=part))
    session.flush()


def check_drawdown(session: Session, loan: Loan, drawn_on: date, *, ratio: Decimal) -> None:
    """Raise ``Invalid`` with everything that forbids drawing a loan on its receivables on a day."""
    parts = _list_parts(session, loan)
    if not parts:
        return
    faults: list[Fault] = []
    rows = lock(session, [part.financing.receivable_id or 0 for part in parts])
    claims = {part.financing.receivable_id: part for part in parts}
    for row in rows:
        obstacles = set(find_obstacles(row, drawn_on)) - {ReceivableObstacle.PAST_DUE}
        if obstacles:
            reasons = sorted(word.value for word in obstacles)
            faults.append(Fault(Code.NOT_FINANCEABLE, FIELD, {"reason": reasons}))
        live = _find_live(session, row)
        if live is None or live.id != claims[row.id].financing_id or live.lender_id != loan.lender_id:
            faults.append(Fault(Code.ALREADY_FINANCED, FIELD, {"key": row.financing_key}))
    besides = {number: part.financed for number, part in claims.items() if number is not None}
    room = compute_room(session, rows, ratio=ratio, besides=besides)
    if (asked := sum(besides.values())) > room.total:
        faults.append(Fault(Code.ABOVE_FINANCEABLE, None, {"asked": asked, "most": room.total}))
    ends, latest = add_months(drawn_on, loan.months), find_latest_end(rows)
    if latest is not None and ends > latest:
        values = {"ends": ends.isoformat(), "latest": latest.isoformat()}
        faults.append(Fault(Code.ENDS_TOO_LATE, "drawn_on", values))
    if faults:
        raise Invalid(*faults)


def find_latest_end(rows: Sequence[Receivable]) -> date | None:
    """Return the last day a loan on receivables may run, as on a contract: the last due day plus grace."""
    return contract_loan.latest_end(max(row.due_on for row in rows)) if rows else None


def give_back(session: Session, loan: Loan, amount: int) -> None:
    """Take ``amount`` fen of principal that is repaid, or never drawn, off a loan's claims, first due first.

    A negative amount is put on again, the last due first: a repayment was taken back.
    """
    parts = sorted(_list_parts(session, loan), key=_due, reverse=amount < 0)
    for part in parts:
        if amount < 0:
            _revive(session, part)
        off = min(amount, part.financed) if amount > 0 else max(amount, part.financed - part.amount)
        if off:
            part.financed -= off
            part.financing.financed -= off
            amount -= off


def end(session: Session, loan: Loan, *, now: datetime) -> None:
    """End a loan's claims on receivables, unless another live loan of the lender leans on them as well."""
    for part in _list_parts(session, loan):
        claim = part.financing
        claim.financed -= part.financed
        part.financed = 0
        others = (
            select(LoanReceivable.id)
            .join(Loan, LoanReceivable.loan_id == Loan.id)
            .where(LoanReceivable.financing_id == claim.id, Loan.id != loan.id, Loan.state.in_(LIVE_LOANS))
        )
        if claim.ended_at is None and session.scalar(others.limit(1)) is None:
            claim.ended_at = now
    session.flush()


def _revive(session: Session, part: LoanReceivable) -> None:
    """Let a claim live again whose loan is owed again; raises ``Conflict`` where another took its place."""
    claim, row = part.financing, part.financing.receivable
    if claim.ended_at is None:
        return
    assert row is not None, "a loan's parts lean on receivables"
    financings.hold_mode(session, row.contract_key, FinancingMode.INVOICES, field=FIELD)
    if _find_live(session, row) is not None:
        raise conflict(Code.ALREADY_FINANCED, FIELD, key=row.financing_key)
    claim.ended_at, claim.live_key, claim.live_mode = None, row.contract_key, FinancingMode.INVOICES
    session.flush()


def _find_live(session: Session, row: Receivable) -> Financing | None:
    return session.scalar(
        select(Financing)
        .where(Financing.key == row.financing_key, Financing.ended_at.is_(None))
        .with_for_update()
    )


def _list_parts(session: Session, loan: Loan) -> list[LoanReceivable]:
    """Return what of a loan leans on which receivable, the claims locked in the order of their numbers."""
    if loan.contract_id is not None:
        return []
    parts = list(
        session.scalars(
            select(LoanReceivable)
            .where(LoanReceivable.loan_id == loan.id)
            .order_by(LoanReceivable.financing_id)
        )
    )
    if parts:
        ids = [part.financing_id for part in parts]
        session.scalars(
            select(Financing).where(Financing.id.in_(ids)).order_by(Financing.id).with_for_update()
        ).all()
    return parts


def _due(part: LoanReceivable) -> tuple[date, int]:
    row = part.financing.receivable
    assert row is not None, "a loan's parts lean on receivables"
    return row.due_on, row.id


def _by_contract(row: Receivable) -> str:
    return row.contract_key
