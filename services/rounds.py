"""Matching rounds: the whole market cleared at once, in three short steps; firms then decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market import clearing, lifecycle
from market.calendar import local_date
from market.clearing import Clearing, Instance
from market.errors import Code, Conflict, conflict, not_found
from market.money import round_half_up
from market.party import Party
from market.reference import calendar
from market.vocabulary import (
    BidState,
    Capability,
    LimitScope,
    NeedState,
    ProposalState,
    RoundState,
)
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from models.organisation import Limit
from models.round import MatchingRound, Proposal
from models.zone import Zone
from services import audit, lpr, needs


def run_scheduled(zone_id: int, *, by: Party, now: datetime) -> MatchingRound | None:
    """Run the newest matching slot that is due and has not run; None when there is nothing to do."""
    zone = db.session.get_one(Zone, zone_id)
    slot = lifecycle.latest_slot(now, lifecycle.parse_times(zone.matching_times), calendar())
    if slot is None or slot < zone.created_at:
        return None
    key = slot.isoformat()
    seen = _find_slot(zone_id, key)
    if seen is not None and seen.state is not RoundState.OPENED:
        return None
    return run(zone_id, key, slot, trigger="clock", by=by, now=now)


def run_now(zone_id: int, *, by: Party, now: datetime) -> MatchingRound:
    """Run a round because an officer asks for it: the same verb as the clock's, under a key of its own."""
    by.require(Capability.OFFICER)
    if by.zone_id != zone_id:
        raise not_found("zone", zone_id)
    key = "officer " + now.isoformat(timespec="seconds")
    return run(zone_id, key, now, trigger="officer", by=by, now=now)


def run(
    zone_id: int, slot: str, scheduled_at: datetime, *, trigger: str, by: Party, now: datetime
) -> MatchingRound:
    """Open a round, solve it outside any transaction, and settle it; safe to repeat after a crash."""
    opened = open_round(zone_id, slot, scheduled_at, trigger=trigger, by=by, now=now)
    if opened.state is RoundState.SETTLED:
        return opened
    round_id, fence, inputs = opened.id, opened.fence, opened.inputs
    result = clearing.clear(read_instance(inputs))
    try:
        return settle(round_id, fence, result, by=by, now=now)
    except Conflict as lost:
        if lost.faults[0].code is not Code.STALE:
            raise
        # Another clock opened the same slot meanwhile: the round is that one's to finish, or finished.
        return db.session.get_one(MatchingRound, round_id)


def open_round(
    zone_id: int, slot: str, scheduled_at: datetime, *, trigger: str, by: Party, now: datetime
) -> MatchingRound:
    """Freeze the joined needs, their live bids and the lenders' headroom under a hash and a fence number.

    A slot exists once: opening it again after a crash takes the next fence number, so that whoever
    still computes on the old inputs is refused at settlement.
    """
    with transaction() as session:
        # The zone's row serialises openings, so that two clocks agree on who made the slot.
        session.get_one(Zone, zone_id, with_for_update=True)
        row = _find_slot(zone_id, slot)
        if row is not None and row.state is RoundState.SETTLED:
            return row
        inputs = _freeze(session, zone_id, now)
        if row is None:
            row = MatchingRound(
                zone_id=zone_id,
                slot=slot,
                trigger=trigger,
                asked_by=by.user_id,
                scheduled_at=scheduled_at,
                opened_at=now,
                fence=0,
            )
            session.add(row)
        row.state, row.fence, row.opened_at = RoundState.OPENED, row.fence + 1, now
        row.inputs, row.inputs_hash = inputs, _hash(inputs)
        row.need_count = len(inputs["needs"])
        audit.record(session, "round.open", row, by=by, now=now, inputs=row.inputs_hash)
    return row


def settle(round_id: int, fence: int, result: Clearing, *, by: Party, now: datetime) -> MatchingRound:
    """Store what a round proposes; refused (``Conflict`` stale) if the fence moved.

    A need whose bid was taken or lost meanwhile gets no proposal: proposing never overrides a deed. The
    needs are locked, in order of their numbers, so that none is awarded or withdrawn while this looks.
    """
    with transaction() as session:
        row = session.get_one(MatchingRound, round_id, with_for_update=True)
        if row.state is RoundState.SETTLED or row.fence != fence:
            raise conflict(Code.STALE)
        instance = read_instance(row.inputs)
        joined = sorted(need.id for need in instance.needs)
        taken = {need: own[0].offer for need, own in result.placed.items()}
        closed = _lock_closed(session, joined)
        live = _read_live(session, [offer.bid for offer in taken.values()])
        for part in _cut(joined):
            session.execute(
                update(Proposal)
                .where(Proposal.need_id.in_(part), Proposal.state == ProposalState.PROPOSED)
                .values(state=ProposalState.LAPSED)
            )
        why = clearing.explain(instance, result)
        placed = 0
        for need_id in joined:
            offer = taken.get(need_id)
            if need_id not in closed or (offer is not None and offer.bid not in live):
                continue
            session.add(
                Proposal(
                    round_id=row.id,
                    need_id=need_id,
                    bid_id=offer.bid if offer is not None else None,
                    state=ProposalState.PROPOSED if offer is not None else ProposalState.UNPLACED,
                    why=why[need_id],
                )
            )
            if offer is not None:
                placed += 1
                row.placed_amount += offer.uses[0][1]
        row.result = describe(result)
        row.placed_count, row.settled_at, row.state = placed, now, RoundState.SETTLED
        audit.record(session, "round.settle", row, by=by, now=now, placed=placed)
    return row


def read_instance(inputs: dict[str, Any]) -> Instance:
    """Return the market of a stored round, so that it can be solved again to the same result."""
    return Instance(
        needs=tuple(
            clearing.Need(id=int(need["id"]), unplaced_cost=int(need["unplaced_cost"]))
            for need in inputs["needs"]
        ),
        capacity={int(lender["id"]): int(lender["capacity"]) for lender in inputs["lenders"]},
        offers=tuple(
            clearing.Offer(
                need=offer["need"],
                bid=offer["bid"],
                receipt=offer["receipt"],
                cost=offer["cost"],
                uses=((offer["lender"], offer["uses"]),),
            )
            for offer in inputs["offers"]
        ),
    )


def describe(result: Clearing) -> dict[str, Any]:
    """Return a clearing as JSON values, without anything that differs between two runs."""
    return {
        "status": result.status,
        "objective": result.objective,
        "bound": result.bound,
        "ties_proved": result.ties_proved,
        "solver": result.solver,
        "placed": [
            {
                "need": need,
                "bid": own[0].offer.bid,
                "uses": own[0].offer.uses[0][1],
                "cost": own[0].offer.cost,
            }
            for need, own in sorted(result.placed.items())
        ],
    }


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a round would clear if it ran now: needs that join, their live bids, the lenders behind these."""

    needs: list[Need]
    bids: int
    lenders: int
    amount: int


def foresee(*, by: Party, now: datetime) -> Outlook:
    """Return what an officer's round would take in right now, without running it."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    inputs = _freeze(db.session(), by.zone_id, now)
    ids = [entry["id"] for entry in inputs["needs"]]
    joined = [
        need
        for part in _cut(ids)
        for need in db.session.scalars(select(Need).where(Need.id.in_(part)).order_by(Need.id))
    ]
    return Outlook(
        needs=joined,
        bids=len(inputs["offers"]),
        lenders=len(inputs["lenders"]),
        amount=sum(need.amount for need in joined),
    )


def find_next_slot(zone: Zone, now: datetime) -> datetime | None:
    """Return when the clock runs the zone's next matching round; None if it has no timetable."""
    return lifecycle.next_slot(now, lifecycle.parse_times(zone.matching_times), calendar())


def list_rounds(zone_id: int, most: int = 50) -> list[MatchingRound]:
    """Return the newest matching rounds of a zone."""
    return list(
        db.session.scalars(
            select(MatchingRound)
            .where(MatchingRound.zone_id == zone_id)
            .order_by(MatchingRound.opened_at.desc(), MatchingRound.id.desc())
            .limit(most)
        )
    )


def find(round_id: int, *, by: Party) -> MatchingRound:
    """Return a round of the party's zone to an officer or auditor."""
    by.require(Capability.OFFICER, Capability.AUDITOR)
    row = db.session.get(MatchingRound, round_id)
    if row is None or row.zone_id != by.zone_id:
        raise not_found("round", round_id)
    return row


def find_proposal(need_id: int) -> Proposal | None:
    """Return the newest proposal a matching round made to a need, or None."""
    return db.session.scalar(
        select(Proposal).where(Proposal.need_id == need_id).order_by(Proposal.id.desc()).limit(1)
    )


def _find_slot(zone_id: int, slot: str) -> MatchingRound | None:
    return db.session.scalar(
        select(MatchingRound).where(MatchingRound.zone_id == zone_id, MatchingRound.slot == slot)
    )


def _freeze(session: Session, zone_id: int, now: datetime) -> dict[str, Any]:
    joins = (
        Need.zone_id == zone_id,
        Need.state == NeedState.CLOSED,
        Need.joins_matching,
        Need.accept_until >= now,
        ~needs.has_standing_award(),
    )
    joined = session.scalars(select(Need).where(*joins).order_by(Need.id)).all()
    bids = session.scalars(
        select(Bid)
        .join(Need, Bid.need_id == Need.id)
        .where(*joins, Bid.state == BidState.LIVE, Bid.rank.is_not(None), Bid.valid_until >= now)
        .order_by(Bid.need_id, Bid.receipt_number)
    ).all()
    bids = _leave_out_full(session, joined, bids)
    capacity = _read_capacity(session, bids)
    # A need whose firm named no price costs the ceiling unplaced, so that placing comes first.
    ceiling = lpr.read_ceiling(local_date(now))
    return {
        "needs": [
            {
                "id": need.id,
                "unplaced_cost": round_half_up(need.amount * (need.reserve_rate or ceiling)),
            }
            for need in joined
        ],
        "lenders": [{"id": lender, "capacity": capacity[lender]} for lender in sorted(capacity)],
        "offers": [
            {
                "need": bid.need_id,
                "lender": bid.organisation_id,
                "bid": bid.id,
                "receipt": bid.receipt_number,
                "uses": bid.amount,
                "cost": round_half_up((bid.amount or 0) * (bid.effective or 0)),
            }
            for bid in bids
        ],
    }


def _leave_out_full(session: Session, joined: Sequence[Need], bids: Sequence[Bid]) -> list[Bid]:
    """Return the bids that fit what their institution may still lend to that one firm."""
    firm_of = {need.id: need.organisation_id for need in joined}
    lenders = {bid.organisation_id for bid in bids}
    room = {
        (limit.organisation_id, limit.firm_id): limit.cap - limit.used
        for limit in session.scalars(
            select(Limit).where(Limit.organisation_id.in_(lenders), Limit.scope == LimitScope.FIRM)
        )
    }
    return [
        bid
        for bid in bids
        if (bid.amount or 0) <= room.get((bid.organisation_id, firm_of[bid.need_id]), bid.amount or 0)
    ]


def _read_capacity(session: Session, bids: Sequence[Bid]) -> dict[int, int]:
    """Return each lender's headroom in fen; one without a limit can take all its own bids."""
    capacity: dict[int, int] = {}
    for bid in bids:
        capacity[bid.organisation_id] = capacity.get(bid.organisation_id, 0) + (bid.amount or 0)
    for limit in session.scalars(
        select(Limit).where(Limit.organisation_id.in_(capacity), Limit.scope == LimitScope.TOTAL)
    ):
        capacity[limit.organisation_id] = limit.cap - limit.used
    return capacity


def _lock_closed(session: Session, need_ids: Sequence[int]) -> set[int]:
    """Return which of the needs still wait for a decision, all of them locked until the end."""
    closed: set[int] = set()
    for part in _cut(need_ids):
        for need in session.scalars(
            select(Need).where(Need.id.in_(part)).order_by(Need.id).with_for_update()
        ):
            if need.state is NeedState.CLOSED:
                closed.add(need.id)
    return closed


def _read_live(session: Session, bid_ids: Sequence[int]) -> set[int]:
    live: set[int] = set()
    for part in _cut(bid_ids):
        live.update(session.scalars(select(Bid.id).where(Bid.id.in_(part), Bid.state == BidState.LIVE)))
    return live


def _cut(numbers: Sequence[int], most: int = 5000) -> Iterator[Sequence[int]]:
    """Yield the numbers in parts, because both databases bound how many values one question may carry."""
    for start in range(0, len(numbers), most):
        yield numbers[start : start + most]


def _hash(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(inputs)).hexdigest()
