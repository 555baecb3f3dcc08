"""The portfolio: the deals of a lender, a borrower or a zone, found by kind, state, lateness and class.

Lists are cut and sums are made by the database: a zone may have many thousands of deals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.sql.elements import ColumnElement

from market.lending_vocabulary import Bucket, DealKind, RiskClass
from market.party import Party
from market.vocabulary import Capability, LoanState
from models.base import db
from models.loan import Loan
from models.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Which:
    """Which deals: None and "" leave a filter out. ``search`` finds names, credit codes and numbers."""

    kind: DealKind | None = None
    state: LoanState | None = None
    bucket: Bucket | None = None
    risk_class: RiskClass | None = None
    is_late: bool = False
    search: str = ""


#: By what a list of deals can be put in order.
ORDERS: dict[str, Any] = {
    "newest": Loan.id,
    "amount": Loan.principal,
    "cost": Loan.effective,
    "outstanding": Loan.outstanding,
    "next": Loan.oldest_due_on,
    "late": Loan.days_past_due,
}


@dataclass(frozen=True, slots=True)
class Sums:
    """What a list of deals comes to, in fen: how many, their principal, what is owed; how many are late."""

    deals: int
    principal: int
    outstanding: int
    late: int


@dataclass(frozen=True, slots=True)
class Ageing:
    """The deals that stand in one bucket of lateness, and the principal they owe in fen."""

    bucket: Bucket
    deals: int
    outstanding: int


def list_deals(
    by: Party,
    which: Which,
    *,
    order: str = "-newest",
    offset: int = 0,
    limit: int | None = None,
    before: int | None = None,
) -> Sequence[Loan]:
    """Return deals the party is part of (officers and auditors: of their zone), put in one of ``ORDERS``,
    a minus before it for descending.

    ``before`` continues a list that begins with the newest below a deal's number. A deal without a value
    to order by comes last.
    """
    column, descending = ORDERS[order.removeprefix("-")], order.startswith("-")
    query = _select(by, which).options(
        joinedload(Loan.lender),
        joinedload(Loan.borrower),
        joinedload(Loan.award),
        joinedload(Loan.contract),
        selectinload(Loan.instalments),
    )
    if before is not None:
        query = query.where(Loan.id < before)
    if column.expression.nullable:
        query = query.order_by(column.is_(None))
    turned = (column.desc(), Loan.id.desc()) if descending else (column.asc(), Loan.id.asc())
    query = query.order_by(*turned).offset(offset)
    return list(db.session.scalars(query if limit is None else query.limit(limit)))


def sum_up(by: Party, which: Which) -> Sums:
    """Return what the deals of a list come to."""
    late = func.count(Loan.overdue_since)
    figures = (func.count(Loan.id), func.sum(Loan.principal), func.sum(Loan.outstanding), late)
    deals, principal, outstanding, late_count = db.session.execute(
        _select(by, which, Loan.id).with_only_columns(*figures).order_by(None)
    ).one()
    return Sums(int(deals), int(principal or 0), int(outstanding or 0), int(late_count))


def count_states(by: Party) -> dict[LoanState, int]:
    """Return how many deals the party is part of stand in each state."""
    rows = db.session.execute(
        _select(by, Which()).with_only_columns(Loan.state, func.count(Loan.id)).group_by(Loan.state)
    )
    found = {state: int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in LoanState}


def read_ageing(by: Party, which: Which) -> list[Ageing]:
    """Return every bucket of lateness with the running deals that stand in it."""
    rows = db.session.execute(
        _select(by, which)
        .where(Loan.state == LoanState.DRAWN)
        .with_only_columns(Loan.bucket, func.count(Loan.id), func.sum(Loan.outstanding))
        .group_by(Loan.bucket)
    )
    found = {bucket: (int(count), int(owed or 0)) for bucket, count, owed in rows}
    return [Ageing(bucket, *found.get(bucket, (0, 0))) for bucket in Bucket]


def _select(by: Party, which: Which, *columns: Any) -> Select[Any]:
    query = select(*columns or (Loan,)).where(Loan.zone_id == by.zone_id, *_filter(which))
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        own = by.organisation_id
        query = query.where(or_(Loan.lender_id == own, Loan.borrower_id == own))
    return query


def _filter(which: Which) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if which.kind is not None:
        wanted.append(Loan.kind == which.kind)
    if which.state is not None:
        wanted.append(Loan.state == which.state)
    if which.bucket is not None:
        wanted += [Loan.bucket == which.bucket, Loan.state == LoanState.DRAWN]
    if which.risk_class is not None:
        wanted += [
            Loan.risk_class == which.risk_class,
            Loan.state.in_((LoanState.DRAWN, LoanState.WRITTEN_OFF)),
        ]
    if which.is_late:
        wanted.append(Loan.overdue_since.is_not(None))
    if text := which.search.strip().lower():
        party = aliased(Organisation)
        named = select(party.id).where(
            party.id.in_((Loan.borrower_id, Loan.lender_id)),
            or_(
                func.lower(party.name_zh).contains(text, autoescape=True),
                func.lower(party.name_en).contains(text, autoescape=True),
                func.lower(party.credit_code) == text,
            ),
        )
        found: ColumnElement[bool] = named.exists()
        if text.isascii() and text.isdigit() and len(text) < 10:
            found = or_(found, Loan.id == int(text))
        wanted.append(found)
    return wanted
