"""The officer's board: figures about a zone, each with the rows it was counted from one query away.

Firm-times (家次) count events, firms (家, 去重) count distinct firms: the two are never mixed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from sqlalchemy import Select, distinct, func, select
from sqlalchemy.orm import joinedload

from market.calendar import add_months, local_date, working_days_between
from market.diligence import DeclineRate
from market.reference import calendar
from market.vocabulary import (
    INSTITUTION_KINDS,
    NeedState,
    OrganisationKind,
    Security,
)
from models.alert import Alert
from models.award import Award
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from models.zone import Membership
from services import lpr, review_records
from services.loans import AGREED_LOANS


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel: firm-times, distinct firms and fen."""

    name: str
    times: int
    firms: int
    amount: int


@dataclass(frozen=True, slots=True)
class Month:
    """One month of deals: fen and the amount-weighted all-in annual cost, beside the LPR of its end."""

    month: date
    deals: int
    amount: int
    effective: Decimal | None
    lpr_1y: Decimal


@dataclass(frozen=True, slots=True)
class Response:
    """How an institution answers: needs whose bidding is over, how many it bid on, bids won, fen awarded.

    ``declines`` says how often it declined after an award; None where it reviewed nothing yet.
    """

    organisation: Organisation
    seen: int
    answered: int
    won: int
    amount: int
    declines: DeclineRate | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The key figures of a zone; amounts in fen, shares and rates as exact decimals, None where undefined."""

    institutions: int
    products: int
    firms: int
    needs: int
    needs_amount: int
    open_needs: int
    answered_share: Decimal | None
    three_bids_share: Decimal | None
    deals: int
    deal_firms: int
    awarded_amount: int
    drawn_amount: int
    outstanding: int
    average_amount: int | None
    effective: Decimal | None
    saving: Decimal | None
    unsecured_share: Decimal | None
    median_working_days: int | None
    overdue_loans: int
    overdue_share: Decimal | None
    elsewhere: int
    elsewhere_amount: int
    contracts: int
    contract_loans: int
    open_alerts: int


def read_figures(zone_id: int) -> Figures:
    """Return the key figures of a zone over all time; public, because they name nobody."""
    session = db.session()
    members = dict(
        session.execute(
            select(Organisation.kind, func.count())
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Membership.zone_id == zone_id)
            .group_by(Organisation.kind)
        ).all()
    )
    needs = list(session.scalars(select(Need).where(Need.zone_id == zone_id, Need.published_at.is_not(None))))
    answers = _count_bids(zone_id)
    closed = [need for need in needs if need.closed_at is not None]
    deals = _deals(zone_id)
    elsewhere, elsewhere_amount = _count_elsewhere(zone_id)
    drawn = [loan for loan in deals if loan.drawn_on is not None]
    awarded = sum(loan.principal for loan in deals)
    out = sum(loan.outstanding for loan in deals)
    late = [loan for loan in deals if loan.overdue_since is not None]
    days = [
        working_days_between(local_date(loan.origin.need.published_at), loan.drawn_on, calendar())
        for loan in drawn
        if loan.origin.need.published_at is not None and loan.drawn_on is not None
    ]
    unsecured = sum(
        loan.principal for loan in deals if loan.origin.bid.product.security is Security.UNSECURED
    )
    return Figures(
        institutions=sum(count for kind, count in members.items() if kind in INSTITUTION_KINDS),
        products=_count(select(func.count(Product.id)).where(Product.zone_id == zone_id, Product.listed)),
        firms=members.get(OrganisationKind.ENTERPRISE, 0),
        needs=len(needs),
        needs_amount=sum(need.amount for need in needs),
        open_needs=sum(1 for need in needs if need.state is NeedState.OPEN),
        answered_share=_share(sum(1 for need in closed if answers.get(need.id, 0) > 0), len(closed)),
        three_bids_share=_share(sum(1 for need in closed if answers.get(need.id, 0) >= 3), len(closed)),
        deals=len(deals),
        deal_firms=len({loan.borrower_id for loan in deals}),
        awarded_amount=awarded,
        drawn_amount=sum(loan.principal for loan in drawn),
        outstanding=out,
        average_amount=awarded // len(deals) if deals else None,
        effective=_weigh(deals),
        saving=_weigh_saving(zone_id, deals),
        unsecured_share=_share(unsecured, awarded),
        median_working_days=int(median(days)) if days else None,
        overdue_loans=len(late),
        overdue_share=_share(sum(loan.outstanding for loan in late), out),
        elsewhere=elsewhere,
        elsewhere_amount=elsewhere_amount,
        contracts=_count(select(func.count(Contract.id)).where(Contract.zone_id == zone_id)),
        contract_loans=sum(1 for loan in deals if loan.contract_id is not None),
        open_alerts=_count(
            select(func.count(Alert.id)).where(Alert.zone_id == zone_id, Alert.resolved_at.is_(None))
        ),
    )


def read_funnel(zone_id: int) -> list[Step]:
    """Return the way from needs to money: published, answered, three bids, awarded, drawn."""
    needs = list(
        db.session.scalars(select(Need).where(Need.zone_id == zone_id, Need.published_at.is_not(None)))
    )
    answers = _count_bids(zone_id)
    deals = _deals(zone_id)
    drawn = [loan for loan in deals if loan.drawn_on is not None]

    def step(name: str, chosen: list[Need]) -> Step:
        firms = len({need.organisation_id for need in chosen})
        return Step(name, len(chosen), firms, sum(need.amount for need in chosen))

    def step_of_loans(name: str, chosen: list[Loan]) -> Step:
        firms = len({loan.borrower_id for loan in chosen})
        return Step(name, len(chosen), firms, sum(loan.principal for loan in chosen))

    return [
        step("published", needs),
        step("answered", [need for need in needs if answers.get(need.id, 0) >= 1]),
        step("three_bids", [need for need in needs if answers.get(need.id, 0) >= 3]),
        step_of_loans("awarded", deals),
        step_of_loans("drawn", drawn),
    ]


def read_months(zone_id: int, today: date, count: int = 12) -> list[Month]:
    """Return the last ``count`` months up to ``today``'s, oldest first, those without deals too."""
    table = lpr.read_table()
    by_month: dict[date, list[Loan]] = defaultdict(list)
    for loan in _deals(zone_id):
        by_month[local_date(loan.approved_at).replace(day=1)].append(loan)
    months: list[Month] = []
    first = today.replace(day=1)
    for _ in range(count):
        loans = by_month.get(first, [])
        row = table.row(min(today, add_months(first, 1) - timedelta(days=1)))
        months.append(
            Month(first, len(loans), sum(loan.principal for loan in loans), _weigh(loans), row.one_year)
        )
        first = add_months(first, -1)
    return months[::-1]


def read_responses(zone_id: int) -> list[Response]:
    """Return how each institution that may bid answers, the most responsive first.

    Only needs whose bidding is over count: who bids on an open need is nobody's to know.
    """
    session = db.session()
    bidders = list(
        session.scalars(
            select(Organisation)
            .join(Product, Product.organisation_id == Organisation.id)
            .where(Product.zone_id == zone_id, Product.offer.is_not(None))
            .distinct()
        )
    )
    closed = _count(select(func.count(Need.id)).where(Need.zone_id == zone_id, Need.closed_at.is_not(None)))
    answered = dict(
        session.execute(
            select(Bid.organisation_id, func.count(distinct(Bid.need_id)))
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == zone_id, Bid.opened_at.is_not(None))
            .group_by(Bid.organisation_id)
        ).all()
    )
    won: dict[int, list[Loan]] = defaultdict(list)
    for loan in _deals(zone_id):
        won[loan.lender_id].append(loan)
    declines = review_records.read_decline_rates({bidder.id for bidder in bidders}, zone_id)
    rows = [
        Response(
            organisation=bidder,
            seen=closed,
            answered=answered.get(bidder.id, 0),
            won=len(won[bidder.id]),
            amount=sum(loan.principal for loan in won[bidder.id]),
            declines=declines.get(bidder.id),
        )
        for bidder in bidders
    ]
    return sorted(rows, key=lambda row: (-row.answered, -row.amount, row.organisation.id))


def _deals(zone_id: int) -> list[Loan]:
    return list(
        db.session.scalars(
            select(Loan)
            # Deals closed off the platform are counted apart.
            .where(Loan.zone_id == zone_id, Loan.state.in_(AGREED_LOANS), Loan.award_id.is_not(None))
            .options(
                joinedload(Loan.award).options(
                    joinedload(Award.need), joinedload(Award.bid).joinedload(Bid.product)
                )
            )
            .order_by(Loan.id)
        )
    )


def _count_elsewhere(zone_id: int) -> tuple[int, int]:
    """Return the deals closed off the platform that their borrowers confirmed, and their fen."""
    count, amount = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Loan.principal), 0)).where(
            Loan.zone_id == zone_id, Loan.state.in_(AGREED_LOANS), Loan.award_id.is_(None)
        )
    ).one()
    return int(count), int(amount)


def _count_bids(zone_id: int) -> dict[int, int]:
    return dict(
        db.session.execute(
            select(Bid.need_id, func.count(distinct(Bid.organisation_id)))
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == zone_id, Bid.opened_at.is_not(None))
            .group_by(Bid.need_id)
        ).all()
    )


def _weigh(loans: list[Loan]) -> Decimal | None:
    priced = [(loan.effective, loan.principal) for loan in loans if loan.effective is not None]
    amount = sum(principal for _, principal in priced)
    return sum((cost * principal for cost, principal in priced), Decimal(0)) / amount if amount else None


def _weigh_saving(zone_id: int, deals: list[Loan]) -> Decimal | None:
    """Return how far the accepted cost lies under the mean of all ranked offers, weighted by amount."""
    offered: dict[int, list[Decimal]] = defaultdict(list)
    for need_id, effective in db.session.execute(
        select(Bid.need_id, Bid.effective)
        .join(Need, Bid.need_id == Need.id)
        .where(Need.zone_id == zone_id, Bid.rank.is_not(None))
    ):
        if effective is not None:
            offered[need_id].append(effective)
    saved, amount = Decimal(0), 0
    for loan in deals:
        known = offered[loan.origin.need_id]
        if len(known) > 1 and loan.effective is not None:
            saved += (sum(known, Decimal(0)) / len(known) - loan.effective) * loan.principal
            amount += loan.principal
    return saved / amount if amount else None


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def _count(query: Select[int]) -> int:
    return db.session.scalar(query) or 0
