"""Limits of institutions: consumed at award, released at repayment, under the rows' locks.

Locks are taken in the order of the house: need, limits (by row number), contract, loan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, case, cast, func, null, or_, select
from sqlalchemy.orm import Session

from market.errors import Code, conflict
from market.vocabulary import LIVE_LOANS, LimitScope
from models.base import db
from models.loan import Loan
from models.organisation import Limit, Organisation

#: What a live loan takes of a limit: all of it once promised, less what is repaid or given up.
OUT = Loan.bound

#: What a row of a question of several kinds has where it says nothing.
NO_CODE, NOTHING_OWED = cast(null(), String), cast(null(), BigInteger)


@dataclass(frozen=True, slots=True)
class Exposure:
    """``amount`` fen that one institution has, or would have, out to one firm.

    ``sector`` is the firm's industry and ``purchaser_id`` the purchaser of its contract, if there are any.
    """

    organisation_id: int
    firm_id: int
    sector: str | None = None
    purchaser_id: int | None = None
    amount: int = 0

    def touches(self, limit: Limit) -> bool:
        """Say whether a limit counts this; leverage counts guarantees by their weight, not by amount."""
        if limit.organisation_id != self.organisation_id:
            return False
        match limit.scope:
            case LimitScope.TOTAL:
                return True
            case LimitScope.FIRM:
                return limit.firm_id == self.firm_id
            case LimitScope.SECTOR:
                return limit.sector == self.sector
            case LimitScope.PURCHASER:
                return limit.purchaser_id == self.purchaser_id
            case LimitScope.LEVERAGE:
                return False


def read(session: Session, exposures: Iterable[Exposure]) -> list[Limit]:
    """Return the limits in the way of exposures, as they stand at the moment, in order of their numbers."""
    return _find(session, exposures, locked=False)


def lock(session: Session, exposures: Iterable[Exposure]) -> list[Limit]:
    """Return the limits in the way of exposures, locked in order of their row numbers.

    All at once and always in one order, before the first check: two transactions that share limits
    wait for each other and never wait in a circle.
    """
    return _find(session, exposures, locked=True)


def consume(session: Session, exposures: Sequence[Exposure]) -> None:
    """Take the amounts of every limit in the way; raises ``Conflict`` (limit_exceeded), taking nothing.

    The institutions themselves are held for the moment too, so that a limit set just now either counts
    this or is met by it.
    """
    ids = {exposure.organisation_id for exposure in exposures}
    session.execute(
        select(Organisation.id)
        .where(Organisation.id.in_(ids))
        .order_by(Organisation.id)
        .with_for_update(read=True, key_share=True)
    )
    touched = lock(session, exposures)
    asked = {limit.id: sum(e.amount for e in exposures if e.touches(limit)) for limit in touched}
    for limit in touched:
        if limit.used + asked[limit.id] > limit.cap:
            raise conflict(Code.LIMIT_EXCEEDED, limit=limit.cap, used=limit.used, asked=asked[limit.id])
    for limit in touched:
        limit.used += asked[limit.id]


def release(session: Session, exposures: Sequence[Exposure]) -> None:
    """Give the amounts back to every limit they were taken of."""
    for limit in lock(session, exposures):
        given = sum(exposure.amount for exposure in exposures if exposure.touches(limit))
        limit.used -= min(given, limit.used)


def restore(session: Session, exposures: Sequence[Exposure]) -> None:
    """Take amounts of every limit in the way again, whatever its cap: what is owed again is owed."""
    for limit in lock(session, exposures):
        limit.used += sum(exposure.amount for exposure in exposures if exposure.touches(limit))


def count_out(
    session: Session,
    lender_id: int,
    *,
    firm_id: int | None = None,
    sector: str | None = None,
    purchaser_id: int | None = None,
) -> int:
    """Return the fen a lender has out now: promised, or drawn and not repaid.

    To everybody, or only to one firm, to one industry or on one purchaser's contracts.
    """
    query = select(func.coalesce(func.sum(OUT), 0)).where(
        Loan.lender_id == lender_id, Loan.state.in_(LIVE_LOANS)
    )
    if firm_id is not None:
        query = query.where(Loan.borrower_id == firm_id)
    if sector is not None:
        query = query.where(Loan.sector == sector)
    if purchaser_id is not None:
        query = query.where(Loan.purchaser_id == purchaser_id)
    return int(session.scalar(query) or 0)


def ask_owed(firm_ids: Collection[int], zone_id: int) -> Select[Any, Any, Any]:
    """Return the question what firms owe lenders of a zone now, promised or drawn and not repaid.

    Its rows are (firm, nothing, fen), so that it joins what else is asked of the same firms.
    """
    return (
        select(Loan.borrower_id, NO_CODE, cast(func.sum(OUT), BigInteger))
        .where(Loan.zone_id == zone_id, Loan.borrower_id.in_(firm_ids), Loan.state.in_(LIVE_LOANS))
        .group_by(Loan.borrower_id)
    )


def list_for(organisation_id: int) -> list[Limit]:
    """Return the limits of an institution: in total, then by firm, industry and purchaser, leverage last."""
    place = case({scope: number for number, scope in enumerate(LimitScope)}, value=Limit.scope)
    found = db.session.scalars(
        select(Limit).where(Limit.organisation_id == organisation_id).order_by(place, Limit.id)
    )
    return list(found)


def find_total(organisation_id: int | None) -> Limit | None:
    """Return the cap on all that an institution has out, or None where nobody set one."""
    return db.session.scalar(
        select(Limit).where(Limit.organisation_id == organisation_id, Limit.scope == LimitScope.TOTAL)
    )


def _find(session: Session, exposures: Iterable[Exposure], *, locked: bool) -> list[Limit]:
    touched = [_touched(exposure) for exposure in exposures]
    if not touched:
        return []
    query = select(Limit).where(or_(*touched)).order_by(Limit.id)
    return list(session.scalars(query.with_for_update() if locked else query))


def _touched(exposure: Exposure) -> ColumnElement[bool]:
    """Return the condition of the limits that an exposure, or the guarantee behind it, may move."""
    scopes = [Limit.scope.in_((LimitScope.TOTAL, LimitScope.LEVERAGE)), Limit.firm_id == exposure.firm_id]
    if exposure.sector is not None:
        scopes.append(Limit.sector == exposure.sector)
    if exposure.purchaser_id is not None:
        scopes.append(Limit.purchaser_id == exposure.purchaser_id)
    return and_(Limit.organisation_id == exposure.organisation_id, or_(*scopes))
