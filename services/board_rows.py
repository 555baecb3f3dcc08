"""The rows behind the figures of the board: whoever doubts a figure can count them.

Each filter here is the definition of one figure in ``services.board``; a test counts both and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import joinedload, selectinload

from market.calendar import local_date
from market.party import Party
from market.vocabulary import Capability, NeedState, Purpose, Security
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from services.loans import AGREED_LOANS


class NeedFigure(StrEnum):
    """Which figure about needs the rows were counted for."""

    CLOSED = "closed_bidding"
    ANSWERED = "answered"
    THREE_BIDS = "three_bids"
    UNANSWERED = "unanswered"
    CLOSING_SOON = "closing_soon"


class LoanFigure(StrEnum):
    """Which figure about deals the rows were counted for."""

    DRAWN = "drawn"
    OUTSTANDING = "outstanding"
    UNSECURED = "unsecured"
    OVERDUE = "overdue"
    CONTRACT = "contract"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A published need with what the opening brought: institutions that answered and the best annual cost.

    Both are None before the opening, when they are nobody's to know.
    """

    need: Need
    answers: int | None
    best: Decimal | None


def list_needs(
    by: Party,
    now: datetime,
    *,
    state: NeedState | None = None,
    purpose: Purpose | None = None,
    figure: NeedFigure | None = None,
    search: str = "",
) -> list[NeedRow]:
    """Return the published needs of the party's zone, newest first; officers and auditors only."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    query = (
        select(Need)
        .where(Need.zone_id == by.zone_id, Need.published_at.is_not(None))
        .options(joinedload(Need.organisation))
        .order_by(Need.id.desc())
    )
    if state is not None:
        query = query.where(Need.state == state)
    if purpose is not None:
        query = query.where(Need.purpose == purpose)
    if figure is NeedFigure.CLOSING_SOON:
        query = query.where(Need.state == NeedState.OPEN)
    opened: dict[int, tuple[int, Decimal | None]] = {
        need_id: (count, best)
        for need_id, count, best in db.session.execute(
            select(
                Bid.need_id,
                func.count(distinct(Bid.organisation_id)),
                func.min(case((Bid.rank.is_not(None), Bid.effective))),
            )
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == by.zone_id, Bid.opened_at.is_not(None))
            .group_by(Bid.need_id)
        )
    }
    wanted = search.strip().lower()
    rows = []
    for need in db.session.scalars(query):
        if wanted and wanted not in _searchable(need):
            continue
        answers, best = opened.get(need.id, (0, None)) if need.closed_at is not None else (None, None)
        row = NeedRow(need, answers, best)
        if figure is None or _NEED_TESTS[figure](row, now):
            rows.append(row)
    return rows


def list_loans(
    by: Party, *, figure: LoanFigure | None = None, month: str = "", search: str = ""
) -> list[Loan]:
    """Return the agreed deals of the party's zone, newest first; officers and auditors only.

    One under review is not agreed yet, a cancelled one no longer. What was closed off the platform is no
    deal of the market's: it is listed by itself (``LoanFigure.ELSEWHERE``).

    ``month`` as ``2026-11`` keeps the deals approved in that month, Shanghai time.
    """
    by.require(Capability.OFFICER, Capability.AUDITOR)
    wanted = search.strip().lower()
    of_market = Loan.award_id.is_(None) if figure is LoanFigure.ELSEWHERE else Loan.award_id.is_not(None)
    query = (
        select(Loan)
        .where(Loan.zone_id == by.zone_id, Loan.state.in_(AGREED_LOANS), of_market)
        .options(
            joinedload(Loan.lender),
            joinedload(Loan.borrower),
            selectinload(Loan.award).options(
                joinedload(Award.need), joinedload(Award.bid).joinedload(Bid.product)
            ),
        )
        .order_by(Loan.id.desc())
    )
    return [
        loan
        for loan in db.session.scalars(query)
        if (figure is None or _LOAN_TESTS[figure](loan))
        and (not month or local_date(loan.approved_at).isoformat().startswith(month))
        and (not wanted or wanted in f"{loan.borrower.name_zh} {loan.lender.name_zh} {loan.id}".lower())
    ]


def _searchable(need: Need) -> str:
    firm = need.organisation
    return f"{need.id} {firm.name_zh} {firm.name_en or ''} {firm.credit_code} {need.description}".lower()


def _closes_soon(row: NeedRow, now: datetime) -> bool:
    closes_at = row.need.closes_at
    return closes_at is not None and 0 <= (closes_at - now).total_seconds() <= 24 * 3600


_NEED_TESTS: dict[NeedFigure, Callable[[NeedRow, datetime], bool]] = {
    NeedFigure.CLOSED: lambda row, now: row.need.closed_at is not None,
    NeedFigure.ANSWERED: lambda row, now: (row.answers or 0) >= 1,
    NeedFigure.THREE_BIDS: lambda row, now: (row.answers or 0) >= 3,
    NeedFigure.UNANSWERED: lambda row, now: row.answers == 0,
    NeedFigure.CLOSING_SOON: _closes_soon,
}

_LOAN_TESTS: dict[LoanFigure, Callable[[Loan], bool]] = {
    LoanFigure.DRAWN: lambda loan: loan.drawn_on is not None,
    LoanFigure.OUTSTANDING: lambda loan: loan.outstanding > 0,
    LoanFigure.UNSECURED: lambda loan: loan.origin.bid.product.security is Security.UNSECURED,
    LoanFigure.OVERDUE: lambda loan: loan.overdue_since is not None,
    LoanFigure.CONTRACT: lambda loan: loan.contract_id is not None,
    LoanFigure.ELSEWHERE: lambda loan: True,
}


@dataclass(frozen=True, slots=True)
class Total:
    """What a list of deals comes to: fen, distinct firms and the amount-weighted annual cost."""

    deals: int
    firms: int
    amount: int
    outstanding: int
    effective: Decimal | None


def sum_up(loans: Sequence[Loan]) -> Total:
    """Return what a list of deals comes to, as the board counts it."""
    amount = sum(loan.principal for loan in loans)
    priced = [(loan.effective, loan.principal) for loan in loans if loan.effective is not None]
    weighted = sum((cost * principal for cost, principal in priced), Decimal(0))
    weight = sum(principal for _, principal in priced)
    return Total(
        deals=len(loans),
        firms=len({loan.borrower_id for loan in loans}),
        amount=amount,
        outstanding=sum(loan.outstanding for loan in loans),
        effective=weighted / weight if weight else None,
    )
