"""Bulk bids: many needs answered in one go, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.errors import Code, Fault, Invalid, MarketError, conflict
from market.party import Party
from market.vocabulary import Capability, NeedState
from models.base import transaction
from models.bid import Bid
from models.contract import Contract
from models.need import Need
from services import audit, bids, exposures, limits, needs
from services.quotes import Quote
from services.sealing import Sealer

#: More rows than this hold the locks of too many needs for too long.
MOST = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One bid of many: the need it answers and what it says."""

    need_id: int
    quote: Quote


def check(rows: Sequence[Row], *, by: Party, now: datetime, sealer: Sealer) -> list[Fault]:
    """Return every fault of every row, as far as it can be seen without the locks; stores nothing.

    Fields are named with their row, counted from 0: ``rows.3.rate``, ``rows.3`` for the row as a whole. What
    the rows reserve of a limit together is counted under the locks alone, by ``place``.
    """
    by.require(Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
    faults = _find_faults(rows)
    for place, row in enumerate(rows):
        try:
            _require_open(row.need_id, by, now)
            seen = bids.preview(row.need_id, row.quote, by=by, now=now, sealer=sealer)
        except MarketError as error:
            faults.extend(_at(place, error.faults))
        else:
            faults.extend(_at(place, seen.faults))
    return faults


def place(rows: Sequence[Row], *, by: Party, now: datetime, sealer: Sealer) -> list[Bid]:
    """Place all bids in one transaction and return them in the order of the rows, each with its receipt.

    The needs are locked first, in the order of their ids, then limits, then the contracts behind the needs,
    so that two that share some of them wait for each other and never in a circle. Raises ``Invalid`` with
    every fault of every row, named as ``check`` names them; then nothing is stored but, as of a single bid,
    that one came too late.
    """
    by.require(Capability.INSTITUTION_BIDDER)
    faults = _find_faults(rows)
    if faults:
        raise Invalid(*faults)
    late: list[int] = []
    try:
        with transaction() as session:
            _lock(session, {row.need_id for row in rows}, by)
            return _place_in(session, rows, late, by=by, now=now, sealer=sealer)
    except Invalid:
        if late:
            with transaction() as session:
                for need_id in sorted(set(late)):
                    audit.record(session, "bid.late", session.get_one(Need, need_id), by=by, now=now)
        raise


def _place_in(
    session: Session, rows: Sequence[Row], late: list[int], *, by: Party, now: datetime, sealer: Sealer
) -> list[Bid]:
    placed: dict[int, Bid] = {}
    faults: list[tuple[int, Fault]] = []
    for number, row in sorted(enumerate(rows), key=lambda one: (one[1].need_id, one[0])):
        try:
            # What one row leaves unfinished must not stand in the way of judging the next.
            with session.begin_nested():
                placed[number] = bids.place_in(session, row.need_id, row.quote, by=by, now=now, sealer=sealer)
        except MarketError as error:
            if error.faults[0].code is Code.TOO_LATE:
                late.append(row.need_id)
            faults.extend((number, fault) for fault in _at(number, error.faults))
    if faults:
        raise Invalid(*(fault for _, fault in sorted(faults, key=lambda one: one[0])))
    return [placed[number] for number in range(len(rows))]


def _lock(session: Session, need_ids: set[int], by: Party) -> None:
    """Lock needs, limits and contracts, in the order of the house and each kind in the order of its ids."""
    found = select(Need).where(Need.id.in_(need_ids), Need.zone_id == by.zone_id).order_by(Need.id)
    locked = session.scalars(found.with_for_update()).all()
    if by.organisation_id is not None:
        limits.lock(session, [exposures.describe(need, by.organisation_id) for need in locked])
    contract_ids = {need.contract_id for need in locked if need.contract_id is not None}
    if contract_ids:
        session.scalars(
            select(Contract).where(Contract.id.in_(contract_ids)).order_by(Contract.id).with_for_update()
        ).all()


def _find_faults(rows: Sequence[Row]) -> list[Fault]:
    """Return what is wrong with the rows as a list."""
    if not rows:
        return [Fault(Code.REQUIRED, "rows")]
    if len(rows) > MOST:
        return [Fault(Code.TOO_LARGE, "rows", {"value": len(rows), "most": MOST})]
    faults = []
    seen: set[tuple[int, int]] = set()
    for place, row in enumerate(rows):
        pair = row.need_id, row.quote.product_id
        if pair in seen:
            # The second would replace the first, which nobody writes down on purpose.
            faults.append(Fault(Code.REPEATED, f"rows.{place}.need_id", {"value": str(row.need_id)}))
        seen.add(pair)
    return faults


def _require_open(need_id: int, by: Party, now: datetime) -> None:
    # Looked up as the party may see it: “too late” would tell of a need that is hidden from it.
    need = needs.find(need_id, by=by)
    closes_at = need.closes_at
    if need.state is not NeedState.OPEN or closes_at is None or now >= closes_at:
        raise conflict(Code.TOO_LATE, "need_id", deadline=closes_at.isoformat() if closes_at else "")


def _at(place: int, faults: Iterable[Fault]) -> list[Fault]:
    """Return faults of one row, each named with it."""
    return [
        replace(fault, field=f"rows.{place}" if fault.field is None else f"rows.{place}.{fault.field}")
        for fault in faults
    ]
