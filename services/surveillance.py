"""Surveillance of a zone's bidding for its officers and auditors: only what is opened is looked at."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from market import surveillance
from market.errors import Code, invalid
from market.party import Party
from market.surveillance import AlwaysSecond, Answer, Identical, Move, OneController
from market.vocabulary import BidState, Capability, NeedState
from models.base import Base, db
from models.bid import Bid
from models.need import BidRound, EarlyOpening, Need
from models.organisation import Organisation
from models.user import User

DAYS_USUAL, DAYS_MOST = 90, 730

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True, slots=True)
class Report:
    """What stands out in the bidding of ``days`` days, with the rows it speaks of by their numbers.

    ``openings`` are requests of staff to open sealed bids early, agreed or not.
    """

    since: datetime
    days: int
    needs_count: int
    bids_count: int
    identical: tuple[Identical, ...]
    seconds: tuple[AlwaysSecond, ...]
    late_moves: tuple[Move, ...]
    controllers: tuple[OneController, ...]
    openings: tuple[EarlyOpening, ...]
    needs: dict[int, Need]
    bids: dict[int, Bid]
    organisations: dict[int, Organisation]
    people: dict[int, User]


def read(*, by: Party, now: datetime, days: int = DAYS_USUAL) -> Report:
    """Return the patterns in a zone's bidding of the last ``days`` days; officers and auditors only.

    Needs still in bidding are left out: a pattern in sealed bids would tell of them.
    """
    by.require(Capability.OFFICER, Capability.AUDITOR)
    if not 1 <= days <= DAYS_MOST:
        code = Code.TOO_SMALL if days < 1 else Code.TOO_LARGE
        raise invalid(code, "days", value=days, least=1, most=DAYS_MOST)
    since = now - timedelta(days=days)
    closed = (
        Need.zone_id == by.zone_id,
        Need.closed_at >= since,
        Need.state.not_in((NeedState.DRAFT, NeedState.OPEN)),
    )
    needs = {
        need.id: need
        for need in db.session.scalars(select(Need).where(*closed).options(joinedload(Need.organisation)))
    }
    bids = {
        bid.id: bid
        for bid in db.session.scalars(
            select(Bid)
            .join(Need, Bid.need_id == Need.id)
            .where(*closed)
            .options(joinedload(Bid.organisation), joinedload(Bid.product))
        )
    }
    answers = [_answer(bid) for bid in bids.values() if bid.opened_at is not None]
    bidders: dict[int, set[int]] = defaultdict(set)
    for bid in bids.values():
        bidders[bid.need_id].add(bid.organisation_id)
    firms = {need.id: need.organisation_id for need in needs.values()}
    organisations = _read(Organisation, {*firms.values(), *(bid.organisation_id for bid in bids.values())})
    controllers = {row.id: row.controller for row in organisations.values() if row.controller}
    openings = _list_openings(by.zone_id, since)
    people = {opening.asked_by for opening in openings} | {o.decided_by for o in openings if o.decided_by}
    return Report(
        since=since,
        days=days,
        needs_count=len(needs),
        bids_count=len(bids),
        identical=tuple(surveillance.find_identical(answers)),
        seconds=tuple(surveillance.find_seconds(answers)),
        late_moves=tuple(surveillance.find_late_moves(_list_moves(closed))),
        controllers=tuple(
            surveillance.find_one_controller(
                {need: sorted(ids) for need, ids in bidders.items()}, firms, controllers
            )
        ),
        openings=openings,
        needs=needs | _read(Need, {opening.need_id for opening in openings} - needs.keys()),
        bids=bids,
        organisations=organisations,
        people=_read(User, people),
    )


def _answer(bid: Bid) -> Answer:
    return Answer(
        bid=bid.id,
        need=bid.need_id,
        institution=bid.organisation_id,
        effective=bid.effective,
        total_cost=bid.total_cost or 0,
        terms=json.dumps(bid.terms, sort_keys=True),
        rank=bid.rank,
        won=bid.state is BidState.WON,
    )


def _list_moves(closed: tuple[object, ...]) -> list[Move]:
    """Return every bid that took the place of a former one, and every withdrawal, with its round's close."""
    former = aliased(Bid)
    replaced = (
        select(former.id)
        .where(
            former.need_id == Bid.need_id,
            former.product_id == Bid.product_id,
            former.state == BidState.REPLACED,
            former.receipt_number < Bid.receipt_number,
        )
        .exists()
    )
    rows = db.session.execute(
        select(Bid, BidRound, replaced)
        .join(Need, Bid.need_id == Need.id)
        .join(BidRound, (BidRound.need_id == Bid.need_id) & (BidRound.number == Bid.round_number))
        .where(*closed, BidRound.closed_at.is_not(None))  # type: ignore[arg-type]
    )
    moves = []
    for bid, held, is_new in rows:
        # The clock may have come late, and an early opening came before the deadline.
        closed_at = min(held.closes_at, held.closed_at or held.closes_at)
        common = (bid.id, bid.need_id, bid.organisation_id)
        if is_new:
            moves.append(Move(*common, at=bid.receipt_at, closed_at=closed_at, withdrawn=False))
        if bid.state is BidState.WITHDRAWN and bid.ended_at is not None:
            moves.append(Move(*common, at=bid.ended_at, closed_at=closed_at, withdrawn=True))
    return moves


def _list_openings(zone_id: int, since: datetime) -> tuple[EarlyOpening, ...]:
    return tuple(
        db.session.scalars(
            select(EarlyOpening)
            .join(Need, EarlyOpening.need_id == Need.id)
            .where(Need.zone_id == zone_id, EarlyOpening.asked_at >= since)
            .order_by(EarlyOpening.id.desc())
        )
    )


def _read(kind: type[Row], ids: Collection[int]) -> dict[int, Row]:
    rows = db.session.scalars(select(kind).where(kind.id.in_(ids)))  # type: ignore[attr-defined]
    return {row.id: row for row in rows}  # type: ignore[attr-defined]
