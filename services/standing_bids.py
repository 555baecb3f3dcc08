"""Standing bids: a product answers needs by itself, within floor, cap and daily budget.

An institution starts, changes and stops them; the clock answers (``standing_answers``). The budget is that
of a day in Shanghai. It counts each need once, when it is first answered: an improvement bids the same
money again. What was counted is not given back, whatever becomes of the bid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from market.calendar import local_date
from market.errors import Code, Fault, Invalid, conflict, invalid, not_found
from market.party import Party
from market.vocabulary import FLOATING, Capability
from models.base import db, transaction
from models.bid import Bid, StandingBid
from models.need import Need
from models.product import Product
from services import admissions, audit, lpr

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: Below 0.1 % a year a rate was probably typed as 0.0435 where percent were asked for.
_LEAST_LIKELY = Decimal("0.001")
_SPREAD_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What a standing bid may do: its price and floor, as rates per year or as points over the LPR.

    ``cap`` is the most for one need and ``daily_budget`` for one day, in fen.
    """

    cap: int
    daily_budget: int
    rate: Decimal | None = None
    floor_rate: Decimal | None = None
    spread: int | None = None
    floor_spread: int | None = None
    is_firm: bool = True


def start(product_id: int, draft: Draft, *, by: Party, now: datetime) -> StandingBid:
    """Let a product of the party's institution answer needs by itself from now on.

    Raises ``Invalid`` with every fault of the draft, ``Conflict`` for a product that does so already.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        product = session.get(Product, product_id, with_for_update={"key_share": True})
        if product is None or (product.organisation_id, product.zone_id) != (by.organisation_id, by.zone_id):
            raise not_found("product", product_id)
        admissions.require(session, by.zone_id, by.organisation_id, local_date(now))
        _check(draft, product, local_date(now))
        if find_active(session, product_id) is not None:
            raise conflict(Code.ALREADY_EXISTS, "product_id", what="standing_bid", value=product.name_zh)
        row = StandingBid(
            zone_id=by.zone_id,
            organisation_id=by.organisation_id,
            product_id=product_id,
            created_by=by.user_id,
            created_at=now,
            spent=0,
        )
        _apply(row, draft)
        session.add(row)
        audit.record(session, "standing_bid.start", row, by=by, now=now, **_tell(draft))
    return row


def change(standing_bid_id: int, draft: Draft, *, by: Party, now: datetime) -> StandingBid:
    """Change what a standing bid may do from its next answer on; bids it placed stand.

    Raises as ``start``; the daily budget may not fall below what is spent today.
    """
    by.require(Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        row = _lock_own(session, standing_bid_id, by)
        if row.ended_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="stopped", move="change")
        today = local_date(now)
        _check(draft, row.product, today)
        roll(row, today)
        if draft.daily_budget < row.spent:
            raise invalid(Code.TOO_SMALL, "daily_budget", value=draft.daily_budget, least=row.spent)
        _apply(row, draft)
        audit.record(session, "standing_bid.change", row, by=by, now=now, **_tell(draft))
    return row


def stop(standing_bid_id: int, *, by: Party, now: datetime) -> StandingBid:
    """Let a product answer nothing more by itself; bids it placed stand, and are improved no more."""
    by.require(Capability.INSTITUTION_APPROVER)
    with transaction() as session:
        row = _lock_own(session, standing_bid_id, by)
        if row.ended_at is not None:
            raise conflict(Code.ILLEGAL_MOVE, state="stopped", move="stop")
        row.ended_at = now
        audit.record(session, "standing_bid.stop", row, by=by, now=now)
    return row


def list_own(by: Party) -> list[StandingBid]:
    """Return the standing bids of the party's institution in its zone, running ones first, then newest."""
    by.require(*ROLES)
    return list(
        db.session.scalars(
            select(StandingBid)
            .where(StandingBid.zone_id == by.zone_id, StandingBid.organisation_id == by.organisation_id)
            .options(joinedload(StandingBid.product))
            .order_by(StandingBid.ended_at.is_not(None), StandingBid.id.desc())
        )
    )


def find(standing_bid_id: int, *, by: Party) -> StandingBid:
    """Return a standing bid of the party's institution; raises ``NotFound``."""
    by.require(*ROLES)
    return _own(db.session.get(StandingBid, standing_bid_id), standing_bid_id, by)


def find_active(session: Session, product_id: int) -> StandingBid | None:
    """Return the standing bid that runs on a product, or None."""
    return session.scalar(
        select(StandingBid).where(StandingBid.product_id == product_id, StandingBid.ended_at.is_(None))
    )


def list_bids(standing_bid_id: int, *, by: Party) -> list[Bid]:
    """Return the bids that a standing bid of the party's institution placed, newest first."""
    row = find(standing_bid_id, by=by)
    return list(
        db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(Bid.standing_bid_id == row.id, Need.zone_id == by.zone_id)
            .options(joinedload(Bid.need), joinedload(Bid.product))
            .order_by(Bid.receipt_at.desc(), Bid.need_id.desc(), Bid.receipt_number.desc())
        )
    )


def count_spent(row: StandingBid, on: date) -> int:
    """Return the fen that a standing bid has bid for on a day, as far as that is its last one."""
    return row.spent if row.spent_on == on else 0


def roll(row: StandingBid, today: date) -> None:
    """Begin the budget of a new day, inside the caller's transaction and under the row's lock."""
    if row.spent_on is None or row.spent_on < today:
        row.spent_on, row.spent = today, 0


def _own(row: StandingBid | None, standing_bid_id: int, by: Party) -> StandingBid:
    if row is None or (row.organisation_id, row.zone_id) != (by.organisation_id, by.zone_id):
        raise not_found("standing_bid", standing_bid_id)
    return row


def _lock_own(session: Session, standing_bid_id: int, by: Party) -> StandingBid:
    return _own(session.get(StandingBid, standing_bid_id, with_for_update=True), standing_bid_id, by)


def _apply(row: StandingBid, draft: Draft) -> None:
    row.rate, row.floor_rate = draft.rate, draft.floor_rate
    row.spread, row.floor_spread = draft.spread, draft.floor_spread
    row.cap, row.daily_budget, row.is_firm = draft.cap, draft.daily_budget, draft.is_firm


def _tell(draft: Draft) -> dict[str, object]:
    return {
        "rate": None if draft.rate is None else str(draft.rate),
        "floor_rate": None if draft.floor_rate is None else str(draft.floor_rate),
        "spread": draft.spread,
        "floor_spread": draft.floor_spread,
        "cap": draft.cap,
        "daily_budget": draft.daily_budget,
        "is_firm": draft.is_firm,
    }


def _check(draft: Draft, product: Product, today: date) -> None:
    """Raise ``Invalid`` with every fault of a draft for a product."""
    faults = _find_price_faults(draft, product, today)
    if draft.cap < product.amount_min:
        # With less than the product's own smallest amount it could never answer anything.
        faults.append(Fault(Code.TOO_SMALL, "cap", {"value": draft.cap, "least": product.amount_min}))
    if draft.daily_budget < draft.cap:
        values = {"value": draft.daily_budget, "least": draft.cap}
        faults.append(Fault(Code.TOO_SMALL, "daily_budget", values))
    if faults:
        raise Invalid(*faults)


def _find_price_faults(draft: Draft, product: Product, today: date) -> list[Fault]:
    if product.offer is None:
        return [Fault(Code.NOT_BIDDABLE, "product_id")]
    if product.pricing in FLOATING:
        return _find_spread_faults(draft)
    faults = [
        Fault(Code.UNKNOWN_FIELD, name, {"value": name})
        for name, value in (("spread", draft.spread), ("floor_spread", draft.floor_spread))
        if value is not None
    ]
    rate, floor = draft.rate, draft.floor_rate
    ceiling = lpr.read_ceiling(today)
    if rate is None:
        faults.append(Fault(Code.REQUIRED, "rate"))
    elif rate > ceiling:
        faults.append(Fault(Code.ABOVE_CEILING, "rate", {"value": str(rate), "most": str(ceiling)}))
    if floor is None:
        faults.append(Fault(Code.REQUIRED, "floor_rate"))
    elif floor < _LEAST_LIKELY:
        # Nobody is there to confirm that so low a price is meant.
        faults.append(Fault(Code.TOO_SMALL, "floor_rate", {"value": str(floor), "least": str(_LEAST_LIKELY)}))
    elif rate is not None and floor > rate:
        faults.append(Fault(Code.TOO_LARGE, "floor_rate", {"value": str(floor), "most": str(rate)}))
    return faults


def _find_spread_faults(draft: Draft) -> list[Fault]:
    faults = [
        Fault(Code.UNKNOWN_FIELD, name, {"value": name})
        for name, value in (("rate", draft.rate), ("floor_rate", draft.floor_rate))
        if value is not None
    ]
    for name, points in (("spread", draft.spread), ("floor_spread", draft.floor_spread)):
        if points is None:
            faults.append(Fault(Code.REQUIRED, name))
        elif abs(points) > _SPREAD_MOST:
            code = Code.TOO_LARGE if points > 0 else Code.TOO_SMALL
            bounds = {"least": -_SPREAD_MOST, "most": _SPREAD_MOST}
            faults.append(Fault(code, name, {"value": points, **bounds}))
    if draft.spread is not None and draft.floor_spread is not None and draft.floor_spread > draft.spread:
        values = {"value": draft.floor_spread, "most": draft.spread}
        faults.append(Fault(Code.TOO_LARGE, "floor_spread", values))
    return faults
