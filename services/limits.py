"""Limits of institutions: consumed at award, released at repayment, under the rows' locks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from market.errors import Code, conflict
from market.vocabulary import LIVE_LOANS, LimitScope, LoanState
from models.base import db
from models.loan import Loan
from models.organisation import Limit

#: What a live loan takes of a limit: all of it once promised, what is outstanding once drawn.
_OUT = case((Loan.state == LoanState.APPROVED, Loan.principal), else_=Loan.outstanding)


def lock(session: Session, lender_id: int, firm_id: int) -> list[Limit]:
    """Return the limits that a deal between the two touches, locked in order of their row numbers."""
    return lock_all(session, [(lender_id, firm_id)])


def lock_all(session: Session, deals: Sequence[tuple[int, int]]) -> list[Limit]:
    """Return the limits that deals, as (lender, firm), touch, locked in order of their row numbers.

    All at once and always in one order, before the first check: two transactions that share limits
    wait for each other and never wait in a circle.
    """
    touched = [
        and_(
            Limit.organisation_id == lender_id, or_(Limit.scope == LimitScope.TOTAL, Limit.firm_id == firm_id)
        )
        for lender_id, firm_id in deals
    ]
    if not touched:
        return []
    return list(session.scalars(select(Limit).where(or_(*touched)).order_by(Limit.id).with_for_update()))


def consume(session: Session, lender_id: int, firm_id: int, amount: int) -> None:
    """Take ``amount`` fen of every limit in the way; raises ``Conflict`` (limit_exceeded), taking nothing."""
    touched = lock(session, lender_id, firm_id)
    for limit in touched:
        if limit.used + amount > limit.cap:
            raise conflict(Code.LIMIT_EXCEEDED, limit=limit.cap, used=limit.used, asked=amount)
    for limit in touched:
        limit.used += amount


def release(session: Session, lender_id: int, firm_id: int, amount: int) -> None:
    """Give ``amount`` fen back to every limit it was taken of."""
    for limit in lock(session, lender_id, firm_id):
        limit.used -= min(amount, limit.used)


def count_out(session: Session, lender_id: int, firm_id: int | None = None) -> int:
    """Return the fen a lender has out now, to everybody or to one firm: promised, or drawn and not repaid."""
    query = select(func.coalesce(func.sum(_OUT), 0)).where(
        Loan.lender_id == lender_id, Loan.state.in_(LIVE_LOANS)
    )
    if firm_id is not None:
        query = query.where(Loan.borrower_id == firm_id)
    return int(session.scalar(query) or 0)


def sum_owed(firm_ids: Collection[int], zone_id: int) -> dict[int, int]:
    """Return the fen that firms owe lenders of a zone now, promised or drawn and not repaid, by firm."""
    query = (
        select(Loan.borrower_id, func.sum(_OUT))
        .where(Loan.zone_id == zone_id, Loan.borrower_id.in_(firm_ids), Loan.state.in_(LIVE_LOANS))
        .group_by(Loan.borrower_id)
    )
    return {firm_id: int(owed) for firm_id, owed in db.session.execute(query)}


def list_for(organisation_id: int) -> list[Limit]:
    """Return the limits of an institution, the total first, then one per firm."""
    found = db.session.scalars(
        select(Limit)
        .where(Limit.organisation_id == organisation_id)
        .order_by(Limit.scope == LimitScope.FIRM, Limit.id)
    )
    return list(found)


def find_total(organisation_id: int | None) -> Limit | None:
    """Return the cap on all that an institution has out, or None where nobody set one."""
    return db.session.scalar(
        select(Limit).where(Limit.organisation_id == organisation_id, Limit.scope == LimitScope.TOTAL)
    )
