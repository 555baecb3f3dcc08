"""Reservations: headroom that an institution's own live bids hold until they lose.

A bid that may be taken in part holds its smallest one. Nothing of it is stored: it is counted anew from the
bids, those under seal opened in memory. Whoever places a bid does so under the locks of its institution's
limits, so that two bids never count the same headroom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from market.bidding_vocabulary import LimitMode
from market.errors import MarketError
from market.vocabulary import BidState, NeedState
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from services import bid_content, exposures, limits
from services.limits import Exposure
from services.sealing import Sealer

#: Bids that may still win, on needs that are not decided.
_HOLDING = (BidState.SEALED, BidState.POSTED, BidState.LIVE, BidState.HELD)
_UNDECIDED = (NeedState.OPEN, NeedState.CLOSED)


def read_headroom(
    session: Session,
    need: Need,
    product: Product,
    *,
    holds: bool,
    now: datetime,
    sealer: Sealer | None,
    locked: bool,
) -> int | None:
    """Return the most, in fen, that a bid of a product for a need may ask of its institution's limits.

    None without a limit in its way. A bid that ``holds`` must fit beside what others reserve, where the limit
    reserves; the former bid of the same product makes room. With ``locked`` the limits are held until the end
    of the transaction. Without a sealer, bids under seal are not counted.
    """
    asked = exposures.describe(need, product.organisation_id)
    find = limits.lock if locked else limits.read
    touched = [limit for limit in find(session, [asked]) if asked.touches(limit)]
    if not touched:
        return None
    reserving = [limit for limit in touched if holds and limit.mode is LimitMode.RESERVED]
    former = and_(Bid.need_id == need.id, Bid.product_id == product.id)
    others = _list_held(session, product.organisation_id, reserving, ~former, now=now, sealer=sealer)
    left = []
    for limit in touched:
        reserved = sum(other.amount for other in others if limit in reserving and other.touches(limit))
        left.append(max(limit.cap - limit.used - reserved, 0))
    return min(left)


def sum_reserved(rows: Sequence[Limit], *, now: datetime, sealer: Sealer) -> dict[int, int]:
    """Return what an institution's live bids reserve of its limits now, in fen, by the limits' numbers."""
    reserving = [limit for limit in rows if limit.mode is LimitMode.RESERVED]
    own = rows[0].organisation_id if rows else 0
    held = _list_held(db.session(), own, reserving, now=now, sealer=sealer)
    return {limit.id: sum(one.amount for one in held if one.touches(limit)) for limit in reserving}


def _list_held(
    session: Session,
    organisation_id: int,
    reserving: Sequence[Limit],
    *besides: ColumnElement[bool],
    now: datetime,
    sealer: Sealer | None,
) -> list[Exposure]:
    """Return what an institution's live bids would put out, as far as that touches limits which reserve."""
    if not reserving:
        return []
    rows = session.execute(
        select(
            Bid.need_id,
            func.coalesce(Bid.least, Bid.amount),
            case((Bid.amount.is_(None), Bid.seal)),
            Need.organisation_id,
            Organisation.industry,
            Contract.purchaser_id,
        )
        .select_from(Bid)
        .join(Need, Bid.need_id == Need.id)
        .join(Organisation, Need.organisation_id == Organisation.id)
        .outerjoin(Contract, Need.contract_id == Contract.id)
        .where(
            Bid.organisation_id == organisation_id,
            Bid.holds,
            Bid.state.in_(_HOLDING),
            Bid.valid_until >= now,
            Need.state.in_(_UNDECIDED),
            *besides,
        )
    )
    found = []
    for need_id, amount, seal, firm_id, sector, purchaser_id in rows:
        held = Exposure(organisation_id, firm_id, sector, purchaser_id)
        if not any(held.touches(limit) for limit in reserving):
            continue
        if amount is None:
            amount = 0 if sealer is None else _read_sealed(need_id, seal, sealer)
        found.append(Exposure(organisation_id, firm_id, sector, purchaser_id, amount))
    return found


def _read_sealed(need_id: int, seal: bytes, sealer: Sealer) -> int:
    """Return what a bid asks for under seal; one that does not open will be refused and holds nothing."""
    try:
        return bid_content.read_asked(need_id, seal, sealer)
    except MarketError:
        return 0
