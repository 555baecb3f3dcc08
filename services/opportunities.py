"""Opportunities: the open needs of a zone that an institution is shown, each beside its own products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from market.calendar import local_date
from market.eligibility import Failure
from market.party import Party
from market.vocabulary import BidState, Capability, NeedState, Purpose
from models.award import Award
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.loan import Loan
from models.need import Need
from models.product import Product
from services import fitting, needs, visibility
from services.fitting import Fit
from services.loans import AGREED_LOANS

#: How far back accepted costs still say something about the next one.
GOING_RATE_SPAN = timedelta(days=365)
#: Fewer deals than this would tell whose they were.
GOING_RATE_LEAST = 3
#: More near misses than this are nobody's morning.
NEAR_MOST = 10


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An open need with the institution's own products, best fit first, and its own sealed bids."""

    need: Need
    fits: tuple[Fit, ...]
    own_bids: tuple[Bid, ...]

    def is_open(self, now: datetime) -> bool:
        """Say whether bids are still taken."""
        closes_at = self.need.closes_at
        return self.need.state is NeedState.OPEN and closes_at is not None and now < closes_at

    @property
    def fitting(self) -> int:
        """Return how many of the institution's products fit."""
        return sum(1 for fit in self.fits if fit.fits)


@dataclass(frozen=True, slots=True)
class NearOpportunity:
    """An open need that fits none of the institution's products, and the one condition in the way of one."""

    need: Need
    product: Product
    failure: Failure


@dataclass(frozen=True, slots=True)
class GoingRate:
    """What firms of a zone accepted for one purpose: rates per year over ``deals`` deals."""

    deals: int
    lowest: Decimal
    middle: Decimal
    highest: Decimal


def list_open(by: Party, now: datetime) -> list[Opportunity]:
    """Return what the party's institution may bid on now, the need closing first on top."""
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    open_needs = list(
        db.session.scalars(
            select(Need)
            .where(Need.zone_id == by.zone_id, Need.state == NeedState.OPEN, Need.closes_at > now)
            .where(visibility.is_shown_to(by.organisation_id))
            .options(
                selectinload(Need.organisation),
                selectinload(Need.contract).joinedload(Contract.purchaser),
            )
            .order_by(Need.closes_at, Need.id)
        )
    )
    rows = fitting.fit_needs(open_needs, list_biddable(by), local_date(now))
    own = _own_bids(by, [need.id for need in open_needs])
    return [
        Opportunity(need, tuple(fits), tuple(own[need.id]))
        for need, fits in zip(open_needs, rows, strict=True)
    ]


def list_near(rows: Sequence[Opportunity], most: int = NEAR_MOST) -> list[NearOpportunity]:
    """Return which of an institution's opportunities one condition keeps from its products, nearest first.

    A need comes once; one that fits a product already does not come. See ``fitting.list_near``.
    """
    return [
        NearOpportunity(rows[near.place].need, near.product, near.failure)
        for near in fitting.list_near([row.fits for row in rows], most)
    ]


def find(need_id: int, *, by: Party, now: datetime) -> Opportunity:
    """Return one published need beside the institution's products, open or not; raises ``NotFound``."""
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    need = needs.find(need_id, by=by)
    fits = fitting.fit_need(need, list_biddable(by), local_date(now))
    return Opportunity(need, tuple(fits), tuple(_own_bids(by, [need.id])[need.id]))


def list_biddable(by: Party) -> list[Product]:
    """Return the listed products of the party's institution that priced bids come from."""
    return list(
        db.session.scalars(
            select(Product)
            .where(
                Product.zone_id == by.zone_id,
                Product.organisation_id == by.organisation_id,
                Product.listed,
                Product.offer.is_not(None),
            )
            .order_by(Product.id)
        )
    )


def read_going_rate(zone_id: int, purpose: Purpose, now: datetime) -> GoingRate | None:
    """Return what firms accepted for a purpose within a year; None where so few deals would tell whose."""
    costs = [
        effective
        for effective in db.session.scalars(
            select(Loan.effective)
            .join(Award, Loan.award_id == Award.id)
            .join(Need, Award.need_id == Need.id)
            .where(
                Loan.zone_id == zone_id,
                Loan.state.in_(AGREED_LOANS),
                Loan.approved_at > now - GOING_RATE_SPAN,
                Need.purpose == purpose,
            )
        )
        if effective is not None
    ]
    if len(costs) < GOING_RATE_LEAST:
        return None
    return GoingRate(len(costs), min(costs), median(costs), max(costs))


def _own_bids(by: Party, need_ids: Sequence[int]) -> dict[int, list[Bid]]:
    found: dict[int, list[Bid]] = defaultdict(list)
    for bid in db.session.scalars(
        select(Bid)
        .where(
            Bid.need_id.in_(need_ids),
            Bid.organisation_id == by.organisation_id,
            Bid.state != BidState.WITHDRAWN,
        )
        .options(selectinload(Bid.product))
        .order_by(Bid.receipt_at.desc(), Bid.need_id.desc(), Bid.receipt_number.desc())
    ):
        found[bid.need_id].append(bid)
    return found
