"""Standings: what may be known of the bidding on a need while it runs, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, undefer

from market import bidding, ranking
from market.bidding_vocabulary import BidPolicy
from market.errors import MarketError
from market.party import Party
from market.vocabulary import BidState, Capability, NeedState
from models.base import db
from models.bid import Bid
from models.need import BidRound, Need
from services import bid_content, needs, opening
from services.bid_content import Content
from services.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Standing:
    """How the bidding on a need stands, as far as it is the reader's to know.

    ``best`` is the least annual cost among comparable bids, ``ranks`` the places of the reader's own bids
    by their ids (None for one on other terms); both hold as of ``as_of``, and without that there is nothing
    to know now. Bid round ``number`` of ``planned`` runs until ``closes_at``, which late bids moved
    ``extensions`` times from ``closed_at_first``. From round to round a cost falls by ``step_bps`` at least.
    """

    need_id: int
    policy: BidPolicy
    number: int
    planned: int
    closes_at: datetime | None
    closed_at_first: datetime | None
    extensions: int
    step_bps: int
    is_open: bool
    as_of: datetime | None = None
    best: Decimal | None = None
    ranks: Mapping[int, int | None] = field(default_factory=dict)


def read(need_id: int, *, by: Party, now: datetime, sealer: Sealer) -> Standing:
    """Return the standing of a published need to whoever may see it; raises ``NotFound``.

    Anonymous bidding tells everybody who may see the need its best cost, and a bidder its own rank. Sealed
    bidding tells nothing before its first close; between its rounds, those institutions alone whose bids
    stood at the last close learn how things stood then. How many bids there are is told to nobody. After the
    opening the standing is empty: the offers, and each bidder's outcome, take its place.
    """
    need = needs.find(need_id, by=by)
    session = db.session()
    rounds = needs.list_rounds(need.id)
    running = rounds[-1] if rounds else None
    frame = Standing(
        need_id=need.id,
        policy=need.bid_policy,
        number=running.number if running is not None else 1,
        planned=max(need.round_count, running.number if running is not None else 1),
        closes_at=need.closes_at,
        closed_at_first=_first_close(running),
        extensions=running.extensions if running is not None else 0,
        step_bps=need.zone.improvement_bps,
        is_open=need.state is NeedState.OPEN,
    )
    if need.state is not NeedState.OPEN:
        return frame
    if need.bid_policy is BidPolicy.ANONYMOUS:
        return _stand(frame, need, _list_posted(session, need), by, now)
    if len(rounds) < 2 or not by.may(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER):
        return frame
    closed_at = rounds[-2].closed_at
    assert closed_at is not None, "a round follows on a close"
    stood = _list_at_close(session, need, rounds[-2], closed_at)
    if not any(bid.organisation_id == by.organisation_id for bid in stood):
        return frame
    return _stand_sealed(frame, need, stood, by, closed_at, sealer)


def _first_close(held: BidRound | None) -> datetime | None:
    return None if held is None else held.closes_at - bidding.EXTENSION_BY * held.extensions


def _list_posted(session: Session, need: Need) -> list[Bid]:
    return list(
        session.scalars(
            select(Bid)
            .where(Bid.need_id == need.id, Bid.state == BidState.POSTED)
            .order_by(Bid.receipt_number)
        )
    )


def _list_at_close(session: Session, need: Need, held: BidRound, closed_at: datetime) -> list[Bid]:
    """Return the bids that stood at the close of a round; those for a need that was another since, not."""
    return list(
        session.scalars(
            select(Bid)
            .where(
                Bid.need_id == need.id,
                Bid.round_number <= held.number,
                Bid.revision == need.revision,
                Bid.state.in_((BidState.SEALED, BidState.REPLACED)),
                or_(Bid.ended_at.is_(None), Bid.ended_at >= closed_at),
            )
            .options(undefer(Bid.seal))
            .order_by(Bid.receipt_number)
        )
    )


def _stand(frame: Standing, need: Need, bids: list[Bid], by: Party, now: datetime) -> Standing:
    """Return the standing of bids in clear, by their stored costs.

    Those have eight places, where the opening ranks by exact costs: bids that differ by less than that
    stand here in the order of their total costs.
    """
    order = sorted(
        (bid for bid in bids if bid.effective is not None and _is_comparable(bid, need)),
        key=lambda bid: (bid.effective, bid.total_cost, bid.receipt_number),
    )
    places = {bid.id: place for place, bid in enumerate(order, start=1)}
    return _told(frame, bids, by, now, order[0].effective if order else None, places)


def _stand_sealed(
    frame: Standing, need: Need, bids: list[Bid], by: Party, closed_at: datetime, sealer: Sealer
) -> Standing:
    """Return the standing of sealed bids as the close found them, read in memory alone."""
    contents: dict[int, Content] = {}
    for bid in bids:
        try:
            contents[bid.id] = bid_content.read(bid, sealer)
        except MarketError:
            continue  # A seal that does not open is refused at the opening, with its reason.
    ranked = opening.rank(need, bids, contents)
    places = {row.key: row.rank for row in ranked if row.rank is not None}
    first = next((row.key for row in ranked if row.rank == 1), None)
    best = contents[first].cost.effective if first is not None else None
    return _told(frame, bids, by, closed_at, best, places)


def _is_comparable(bid: Bid, need: Need) -> bool:
    assert bid.amount is not None and bid.months is not None, "a posted bid shows its terms"
    return ranking.are_comparable(bid.amount, bid.months, need.amount, need.months)


def _told(
    frame: Standing,
    bids: list[Bid],
    by: Party,
    as_of: datetime,
    best: Decimal | None,
    places: Mapping[int, int],
) -> Standing:
    own = {bid.id: places.get(bid.id) for bid in bids if bid.organisation_id == by.organisation_id}
    return replace(frame, as_of=as_of, best=best, ranks=own)
