"""What standing bids answer: which needs are due, for how much, at which price; the clock's part of them.

All follows from what is stored, so that a late tick or a second clock changes nothing but the delay. What
was refused (a limit that is full, a contract that is taken) is asked again after ``RETRY_AFTER`` or once
the standing bid was changed: the audit log keeps when, so that a refused pair costs one attempt in that
time however often the clock ticks. A sealed bid is looked at once in each further round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from market.bidding_vocabulary import Visibility
from market.calendar import local_date
from market.eligibility_match import count_failures
from market.eligibility_table import Table
from market.errors import Code, MarketError
from market.layouts import Flags
from market.party import Party
from market.vocabulary import BidState, NeedState
from models.audit import AuditEntry
from models.base import db, transaction
from models.bid import Bid, StandingBid
from models.contract import Contract
from models.need import BidRound, Need
from models.product import Product
from models.zone import Membership
from services import (
    admissions,
    audit,
    bids,
    fitting,
    needs,
    opening,
    standing_bids,
    standing_quotes,
    visibility,
)
from services.sealing import Sealer

#: How long a refused pair is left alone.
RETRY_AFTER = timedelta(hours=6)
#: No bid round of a need is longer than this: older notes are about rounds that are over.
_OLDEST_NOTE = timedelta(days=31)

_REFUSED, _KEPT, _CHANGED = "standing_bid.refuse", "standing_bid.keep", "standing_bid.change"
#: Refusals that say only that somebody was faster: the next tick sees how things stand now.
_PASSING = frozenset({Code.BUSY, Code.TOO_LATE})


@dataclass(frozen=True, slots=True)
class Due:
    """A standing bid and a need that it answers now, or on which it improves what it bid."""

    standing_bid_id: int
    need_id: int


def list_due(zone_id: int, now: datetime, sealer: Sealer) -> list[Due]:
    """Return what the standing bids of a zone have to do by now, the need that closes first on top.

    First answers are those to open needs that the institution may see, whose conditions the product meets
    (all pairs at once), within cap and what is left of today's budget, and on which the product has not bid
    in this revision: a bid that was withdrawn is not placed again. Improvements are of bids that the
    standing bid placed itself and that are not the best any more.
    """
    session, today = db.session(), local_date(now)
    standing = _list_running(session, zone_id, today)
    if not standing:
        return []
    open_needs = list(
        session.scalars(
            select(Need)
            .where(Need.zone_id == zone_id, Need.state == NeedState.OPEN, Need.closes_at > now)
            .options(
                selectinload(Need.organisation), selectinload(Need.contract).joinedload(Contract.purchaser)
            )
            .order_by(Need.closes_at, Need.id)
        )
    )
    if not open_needs:
        return []
    noted = _read_notes(session, standing, now)
    running = _read_rounds(session, zone_id)

    def is_free(row: StandingBid, need: Need) -> bool:
        return (row.id, need.id, need.revision, running.get(need.id, 1)) not in noted

    wanted = _find_unanswered(session, zone_id, standing, open_needs, today)
    found = [
        Due(row.id, need.id) for row, need in _within_budgets(standing, open_needs, wanted, is_free, today)
    ]
    outbid = _list_outbid(session, standing, open_needs, running)
    for row, need in outbid:
        if not is_free(row, need):
            continue
        if _is_sealed_again(session, row, need) or _would_improve(session, row, need, now, sealer):
            found.append(Due(row.id, need.id))
    return found


def answer(due: Due, *, by: Party, now: datetime, sealer: Sealer) -> Bid | None:
    """Let a standing bid answer a need, or improve its answer; None where there is nothing to do any more.

    One transaction: the need's lock first, then the standing bid's, then whatever placing a bid locks; so
    the budget is consumed with the bid or not at all. Its price is the one asked at first; where it may know
    the best cost and is not it, a price lower by the zone's step, down to its floor. The bid is its creator's
    deed on paper; that it was automatic stands in the bid and in the audit log, in the clock's name. A
    refusal is noted there too and raises nothing.
    """
    try:
        with transaction() as session:
            return _answer_in(session, due, by=by, now=now, sealer=sealer)
    except MarketError as refusal:
        code = refusal.faults[0].code
        # A note that gets no lock is written by the next attempt: no refusal may fail the tick.
        with suppress(MarketError):
            if code not in _PASSING:
                _note_refusal(due, code, by=by, now=now)
        return None


def _answer_in(session: Session, due: Due, *, by: Party, now: datetime, sealer: Sealer) -> Bid | None:
    need = needs.lock(session, due.need_id)
    row = session.get(StandingBid, due.standing_bid_id, with_for_update=True)
    if row is None or row.ended_at is not None or {row.zone_id, need.zone_id} != {by.zone_id}:
        return None
    if need.state is not NeedState.OPEN or need.closes_at is None or now >= need.closes_at:
        return None
    former = _find_latest(session, row, need)
    today = local_date(now)
    standing_bids.roll(row, today)
    party = standing_quotes.act_for(session, row)
    if former is None:
        if need.amount > row.cap or row.spent + need.amount > row.daily_budget:
            return None
        quote = standing_quotes.quote_first(row, need, party, now, sealer)
        row.spent += need.amount
    else:
        improved = standing_quotes.quote_better(session, row, need, former, party, now, sealer)
        if improved is None:
            if former.state is BidState.SEALED and former.standing_bid_id == row.id:
                _note(session, _KEPT, row, need, by=by, now=now)
            return None
        quote = improved
    bid = bids.place_in(session, need.id, quote, by=party, now=now, sealer=sealer, standing_bid_id=row.id)
    audit.record(
        session,
        "standing_bid.answer" if former is None else "standing_bid.improve",
        row,
        by=by,
        now=now,
        need=need.id,
        bid=bid.id,
        receipt=bid.receipt_hash,
    )
    return bid


def _list_running(session: Session, zone_id: int, today: date) -> list[StandingBid]:
    """Return the standing bids of a zone whose product is on the shelf and whose institution may bid."""
    found = session.execute(
        select(StandingBid, Membership)
        .join(Product, StandingBid.product_id == Product.id)
        .join(
            Membership,
            and_(
                Membership.zone_id == StandingBid.zone_id,
                Membership.organisation_id == StandingBid.organisation_id,
            ),
        )
        .where(
            StandingBid.zone_id == zone_id,
            StandingBid.ended_at.is_(None),
            Product.listed,
            Product.offer.is_not(None),
        )
        .options(joinedload(StandingBid.product))
        .order_by(StandingBid.id)
    )
    return [row for row, seat in found if admissions.find_fault(seat, today) is None]


def _find_unanswered(
    session: Session,
    zone_id: int,
    standing: Sequence[StandingBid],
    open_needs: Sequence[Need],
    today: date,
) -> Flags:
    """Return which standing bids may answer which needs for the first time: a row per need."""
    amounts = np.array([need.amount for need in open_needs], np.int64)
    wanted = amounts[:, None] <= np.array([row.cap for row in standing], np.int64)
    places = {need.id: place for place, need in enumerate(open_needs)}
    columns = {row.product_id: place for place, row in enumerate(standing)}
    answered = session.execute(
        select(Bid.need_id, Bid.product_id)
        .join(Need, and_(Bid.need_id == Need.id, Bid.revision == Need.revision))
        .where(Need.zone_id == zone_id, Need.state == NeedState.OPEN, Bid.product_id.in_(list(columns)))
    )
    for need_id, product_id in answered:
        if need_id in places:
            wanted[places[need_id], columns[product_id]] = False
    veiled = session.execute(
        select(Need.id, StandingBid.product_id)
        .join(StandingBid, StandingBid.zone_id == Need.zone_id)
        .where(
            Need.zone_id == zone_id,
            Need.state == NeedState.OPEN,
            Need.visibility != Visibility.ALL,
            StandingBid.ended_at.is_(None),
            ~visibility.is_shown_to(StandingBid.organisation_id),
        )
    )
    for need_id, product_id in veiled:
        if need_id in places and product_id in columns:
            wanted[places[need_id], columns[product_id]] = False
    asking = np.flatnonzero(wanted.any(axis=1))
    if not len(asking):
        return wanted
    facts = fitting.describe_all([open_needs[place] for place in asking.tolist()], today)
    requirements = [fitting.read_requirement(row.product) for row in standing]
    wanted[asking] &= count_failures(Table.of(facts), requirements) == 0
    return wanted


def _within_budgets(
    standing: Sequence[StandingBid],
    open_needs: Sequence[Need],
    wanted: Flags,
    is_free: Callable[[StandingBid, Need], bool],
    today: date,
) -> Iterator[tuple[StandingBid, Need]]:
    """Yield the wanted pairs that today's budgets still allow, need by need in their order."""
    least = min(need.amount for need in open_needs)
    picked: list[tuple[int, int]] = []
    for column, row in enumerate(standing):
        left = row.daily_budget - standing_bids.count_spent(row, today)
        for place in np.flatnonzero(wanted[:, column]).tolist() if left >= least else ():
            need = open_needs[place]
            if need.amount <= left and is_free(row, need):
                picked.append((place, column))
                left -= need.amount
                if left < least:
                    break
    for place, column in sorted(picked):
        yield standing[column], open_needs[place]


def _list_outbid(
    session: Session, standing: Sequence[StandingBid], open_needs: Sequence[Need], running: dict[int, int]
) -> Iterator[tuple[StandingBid, Need]]:
    """Yield the standing bids beside needs on which what they bid may not be the best any more.

    In anonymous bidding another house's bid costs no more, by the stored costs; in sealed bidding a round
    has closed since.
    """
    rows = {row.id: row for row in standing}
    by_id = {need.id: need for need in open_needs}
    rival = aliased(Bid)
    dearer = (
        select(rival.id)
        .where(
            rival.need_id == Bid.need_id,
            rival.state == BidState.POSTED,
            rival.organisation_id != Bid.organisation_id,
            rival.effective <= Bid.effective,
        )
        .exists()
    )
    found = session.execute(
        select(Bid.standing_bid_id, Bid.need_id, Bid.state, Bid.round_number)
        .where(
            Bid.standing_bid_id.in_(list(rows)),
            or_(Bid.state == BidState.SEALED, and_(Bid.state == BidState.POSTED, dearer)),
        )
        .order_by(Bid.need_id, Bid.receipt_number)
    )
    for standing_bid_id, need_id, state, number in found:
        need = by_id.get(need_id)
        if need is None or standing_bid_id is None:
            continue
        if state is BidState.POSTED or number < running.get(need_id, 1):
            yield rows[standing_bid_id], need


def _is_sealed_again(session: Session, row: StandingBid, need: Need) -> bool:
    """Say whether seals of a former round have to be read for this: that is done once, under the lock."""
    former = _find_latest(session, row, need)
    return former is not None and former.state is BidState.SEALED


def _would_improve(session: Session, row: StandingBid, need: Need, now: datetime, sealer: Sealer) -> bool:
    former = _find_latest(session, row, need)
    if former is None:
        return False
    try:
        party = standing_quotes.act_for(session, row)
        return standing_quotes.quote_better(session, row, need, former, party, now, sealer) is not None
    except MarketError:
        # What it cannot price it does not improve: the bid stands as it is.
        return False


def _find_latest(session: Session, row: StandingBid, need: Need) -> Bid | None:
    """Return the last bid of the product on the need as it is now, whatever became of it."""
    return session.scalar(
        select(Bid)
        .where(Bid.need_id == need.id, Bid.product_id == row.product_id, Bid.revision == need.revision)
        .order_by(Bid.receipt_number.desc())
        .limit(1)
    )


def _read_rounds(session: Session, zone_id: int) -> dict[int, int]:
    """Return the number of the bid round that runs, by open need."""
    query = (
        select(BidRound.need_id, func.max(BidRound.number))
        .join(Need, BidRound.need_id == Need.id)
        .where(Need.zone_id == zone_id, Need.state == NeedState.OPEN)
        .group_by(BidRound.need_id)
    )
    return {need_id: number for need_id, number in session.execute(query)}


def _note_refusal(due: Due, code: Code, *, by: Party, now: datetime) -> None:
    with transaction() as session:
        row, need = session.get_one(StandingBid, due.standing_bid_id), session.get_one(Need, due.need_id)
        _note(session, _REFUSED, row, need, by=by, now=now, why=code.value)


def _note(
    session: Session, action: str, row: StandingBid, need: Need, *, by: Party, now: datetime, **details: str
) -> None:
    number = opening.find_round(session, need.id).number
    audit.record(
        session,
        action,
        row,
        by=by,
        now=now,
        need=need.id,
        revision=need.revision,
        round=number,
        **details,
    )


def _read_notes(
    session: Session, standing: Collection[StandingBid], now: datetime
) -> set[tuple[int, int, int, int]]:
    """Return the pairs to be left alone for now, as (standing bid, need, revision, bid round)."""
    noted: set[tuple[int, int, int, int]] = set()
    for entry in session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject == StandingBid.__tablename__,
            AuditEntry.subject_id.in_([row.id for row in standing]),
            AuditEntry.action.in_((_REFUSED, _KEPT, _CHANGED)),
            AuditEntry.at > now - _OLDEST_NOTE,
        )
        .order_by(AuditEntry.id)
    ):
        if entry.action == _CHANGED:
            noted = {one for one in noted if one[0] != entry.subject_id}
        elif entry.action == _KEPT or entry.at > now - RETRY_AFTER:
            told = entry.details
            noted.add((entry.subject_id, told["need"], told["revision"], told["round"]))
    return noted
