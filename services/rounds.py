"""Matching rounds: the whole market cleared at once, in three short steps; firms then decide."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market import clearing, lifecycle
from market.clearing import Clearing, Placement
from market.errors import Code, Conflict, conflict, not_found
from market.party import Party
from market.reference import calendar
from market.vocabulary import (
    AlertKind,
    BidState,
    Capability,
    NeedState,
    ProposalState,
    RoundState,
)
from models.audit import AuditEntry
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from models.round import MatchingRound, Proposal
from models.zone import Zone
from services import alerts, audit, round_inputs
from services.round_inputs import compute_hash, read_instance

#: A round that was opened and not settled for so long is taken up again by the clock.
LEFT_AFTER = timedelta(minutes=10)
#: A round that was opened so often and is not settled by then is given up, and an officer is told.
ATTEMPTS_MOST = 5
#: Why bids, or the part of one, were proposed to a need that may be shared.
SHARED = "shared"


def run_scheduled(zone_id: int, *, by: Party, now: datetime) -> MatchingRound | None:
    """Run the newest matching slot that is due and has not run; None when there is nothing to do."""
    zone = db.session.get_one(Zone, zone_id)
    slot = lifecycle.latest_slot(now, lifecycle.parse_times(zone.matching_times), calendar())
    if slot is None or slot < zone.created_at:
        return None
    key = slot.isoformat()
    seen = _find_slot(zone_id, key)
    if (seen is None and _is_over(zone_id, slot)) or (
        seen is not None and seen.state is not RoundState.OPENED
    ):
        return None
    return run(zone_id, key, slot, trigger="clock", by=by, now=now)


def run_now(zone_id: int, *, by: Party, now: datetime) -> MatchingRound:
    """Run a round because an officer asks for it: the same verb as the clock's, under a key of its own."""
    by.require(Capability.OFFICER)
    if by.zone_id != zone_id:
        raise not_found("zone", zone_id)
    key = "officer " + now.isoformat(timespec="seconds")
    return run(zone_id, key, now, trigger="officer", by=by, now=now)


def list_left(zone_id: int, now: datetime) -> list[int]:
    """Return the rounds of a zone that somebody opened, and left, some minutes ago."""
    return list(
        db.session.scalars(
            select(MatchingRound.id)
            .where(
                MatchingRound.zone_id == zone_id,
                MatchingRound.state == RoundState.OPENED,
                MatchingRound.opened_at < now - LEFT_AFTER,
            )
            .order_by(MatchingRound.id)
        )
    )


def take_up(round_id: int, *, by: Party, now: datetime) -> MatchingRound:
    """Run a round again that was opened and left, under the next fence number."""
    row = db.session.get_one(MatchingRound, round_id)
    return run(row.zone_id, row.slot, row.scheduled_at, trigger=row.trigger, by=by, now=now)


def run(
    zone_id: int, slot: str, scheduled_at: datetime, *, trigger: str, by: Party, now: datetime
) -> MatchingRound:
    """Open a round, solve it outside any transaction, and settle it; safe to repeat after a crash."""
    opened = open_round(zone_id, slot, scheduled_at, trigger=trigger, by=by, now=now)
    if opened.state is not RoundState.OPENED:
        return opened
    round_id, fence, inputs = opened.id, opened.fence, opened.inputs
    started = time.perf_counter()
    result = clearing.clear(read_instance(inputs))
    milliseconds = round(1000 * (time.perf_counter() - started))
    try:
        return settle(round_id, fence, result, by=by, now=now, milliseconds=milliseconds)
    except Conflict as lost:
        if lost.faults[0].code is not Code.STALE:
            raise
        # Another clock opened the same slot meanwhile: the round is that one's to finish, or finished.
        return db.session.get_one(MatchingRound, round_id)


def open_round(
    zone_id: int, slot: str, scheduled_at: datetime, *, trigger: str, by: Party, now: datetime
) -> MatchingRound:
    """Freeze the joined needs, their live bids and the headroom behind them under a hash and a fence number.

    A slot exists once: opening it again after a crash takes the next fence number, so that whoever
    still computes on the old inputs is refused at settlement. After some attempts it is given up.
    """
    with transaction() as session:
        # The zone's row serialises openings, so that two clocks agree on who made the slot.
        session.get_one(Zone, zone_id, with_for_update=True)
        row = _find_slot(zone_id, slot)
        if row is not None and row.state is not RoundState.OPENED:
            return row
        # Many owners at one moment are no failure; many attempts and still nothing minutes later are.
        if row is not None and row.fence >= ATTEMPTS_MOST and row.scheduled_at < now - LEFT_AFTER:
            row.state = RoundState.ABANDONED
            alerts.raise_alert(
                session,
                zone_id,
                AlertKind.WORK_MISSED,
                f"round:{row.id}",
                now=now,
                round=row.id,
                attempts=row.fence,
            )
            audit.record(session, "round.abandon", row, by=by, now=now, attempts=row.fence)
            return row
        inputs = round_inputs.freeze(session, zone_id, now)
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
        row.inputs, row.inputs_hash = inputs, compute_hash(inputs)
        row.need_count = len(inputs["needs"])
        audit.record(session, "round.open", row, by=by, now=now, inputs=row.inputs_hash, fence=row.fence)
    return row


def settle(
    round_id: int,
    fence: int,
    result: Clearing,
    *,
    by: Party,
    now: datetime,
    milliseconds: int | None = None,
) -> MatchingRound:
    """Store what a round proposes; refused (``Conflict`` stale) if the fence or the inputs' hash moved.

    A need whose bid was taken or lost meanwhile gets no proposal: proposing never overrides a deed. The
    needs are locked, in order of their numbers, so that none is awarded or withdrawn while this looks.
    """
    with transaction() as session:
        # The zone before the round, as in an opening: the audit log names the zone, and would wait in a
        # circle for a second owner that holds it and wants the round.
        zone_id = session.get_one(MatchingRound, round_id).zone_id
        session.get_one(Zone, zone_id, with_for_update={"read": True, "key_share": True})
        row = session.get_one(MatchingRound, round_id, with_for_update=True)
        if (
            row.state is not RoundState.OPENED
            or row.fence != fence
            or compute_hash(row.inputs) != row.inputs_hash
        ):
            raise conflict(Code.STALE)
        instance = read_instance(row.inputs)
        joined = sorted(need.id for need in instance.needs)
        closed = _lock_closed(session, joined)
        live = _read_live(session, [part.offer.bid for parts in result.placed.values() for part in parts])
        for cut in _cut(joined):
            session.execute(
                update(Proposal)
                .where(Proposal.need_id.in_(cut), Proposal.state == ProposalState.PROPOSED)
                .values(state=ProposalState.LAPSED)
            )
        why = clearing.explain(instance, result)
        amounts = {entry["bid"]: int(entry["amount"]) for entry in row.inputs["offers"]}
        sizes = {need.id: need.amount for need in instance.needs}
        compared = Counter(offer.need for offer in instance.offers)
        for need_id in joined:
            parts = result.placed.get(need_id, ())
            if need_id not in closed or any(part.offer.bid not in live for part in parts):
                continue
            if not parts:
                unplaced = ProposalState.UNPLACED
                session.add(Proposal(round_id=row.id, need_id=need_id, state=unplaced, why=why[need_id]))
                continue
            taken = [take_part(part, amounts[part.offer.bid]) for part in parts]
            reason = why[need_id]
            if len(parts) > 1 or parts[0].share < 1:
                # Why one bid was cheaper or dearer than another says little of several together.
                missing = max(sizes[need_id] - sum(taken), 0)
                reason = {"code": SHARED, "compared": compared[need_id], "missing": missing}
            for part, amount in zip(parts, taken, strict=True):
                proposal = Proposal(round_id=row.id, need_id=need_id, bid_id=part.offer.bid, amount=amount)
                proposal.state, proposal.why = ProposalState.PROPOSED, reason
                session.add(proposal)
                row.placed_amount += amount
            row.placed_count += 1
        row.result, row.milliseconds = describe(result), milliseconds
        row.settled_at, row.state = now, RoundState.SETTLED
        audit.record(
            session,
            "round.settle",
            row,
            by=by,
            now=now,
            placed=row.placed_count,
            inputs=row.inputs_hash,
            result=compute_hash(row.result),
        )
    return row


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored round solved again, beside what the audit log vouches for.

    ``inputs_kept`` says that the stored inputs still have the hash of the log's entry, ``same`` that solving
    them again gave a result with the hash that the log holds, byte for byte.
    """

    inputs_kept: bool
    same: bool
    result: dict[str, Any]


def replay(round_id: int, *, by: Party) -> Replay:
    """Solve a settled round again and compare it with the audit log; officers and auditors only.

    Raises ``Conflict`` (illegal_move) for a round that has not settled.
    """
    row = find(round_id, by=by)
    if row.state is not RoundState.SETTLED:
        raise conflict(Code.ILLEGAL_MOVE, state=row.state.value, move="replay")
    vouched = db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject == MatchingRound.__tablename__,
            AuditEntry.subject_id == row.id,
            AuditEntry.action == "round.settle",
        )
        .order_by(AuditEntry.id)
    ).one()
    inputs_hash = vouched.details.get("inputs", row.inputs_hash)
    result = describe(clearing.clear(read_instance(row.inputs)))
    return Replay(
        inputs_kept=compute_hash(row.inputs) == inputs_hash,
        same=compute_hash(result) == vouched.details.get("result"),
        result=result,
    )


def take_part(part: Placement, amount: int) -> int:
    """Return the whole fen that a placement takes of a bid: all of it, or its share rounded down."""
    return int(part.share * amount)


def describe(result: Clearing) -> dict[str, Any]:
    """Return a clearing as JSON values, without anything that differs between two runs.

    Where a syndicate makes costs fractions of a fen, objective and bound are rounded to the fen, the bound
    down; shares are written as fractions.
    """
    return {
        "status": result.status,
        "objective": None if result.objective is None else round(result.objective),
        "bound": None if result.bound is None else int(result.bound // 1),
        "ties_proved": result.ties_proved,
        "solver": result.solver,
        "placed": [
            {"need": need, "bid": part.offer.bid, "share": str(part.share), "cost": round(part.cost)}
            for need, parts in sorted(result.placed.items())
            for part in parts
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
    inputs = round_inputs.freeze(db.session(), by.zone_id, now)
    ids = [entry["id"] for entry in inputs["needs"]]
    joined = [
        need
        for part in _cut(ids)
        for need in db.session.scalars(select(Need).where(Need.id.in_(part)).order_by(Need.id))
    ]
    return Outlook(
        needs=joined,
        bids=len(inputs["offers"]),
        lenders=len({offer["lender"] for offer in inputs["offers"]}),
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


def _is_over(zone_id: int, slot: datetime) -> bool:
    """Say whether a later slot was run: a clock that was set back finds one that is long cleared for."""
    later = select(MatchingRound.id).where(
        MatchingRound.zone_id == zone_id,
        MatchingRound.trigger == "clock",
        MatchingRound.scheduled_at > slot,
    )
    return db.session.scalar(later.limit(1)) is not None


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
