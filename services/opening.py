"""The opening: a bid round closes; after the last one seals are broken, bids are priced and ranked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from market import bidding, lifecycle, money, ranking
from market.bidding import AfterClose
from market.calendar import add_working_days, local_date
from market.errors import MarketError
from market.lifecycle import NeedMove
from market.party import Party
from market.ranking import Ranked
from market.reference import calendar
from market.vocabulary import AlertKind, BidState, NeedState
from models.base import db, transaction
from models.bid import Bid, Justification
from models.need import BidRound, Need
from services import admissions, alerts, audit, bid_content, needs
from services.bid_content import Content
from services.sealing import Sealer


def list_due(zone_id: int, now: datetime) -> list[int]:
    """Return the needs of a zone whose bid round is over by now, oldest deadline first."""
    return list(
        db.session.scalars(
            select(Need.id)
            .where(Need.zone_id == zone_id, Need.state == NeedState.OPEN, Need.closes_at <= now)
            .order_by(Need.closes_at, Need.id)
        )
    )


def open_bids(need_id: int, *, by: Party, now: datetime, sealer: Sealer) -> Need:
    """Close the bid round of a need; after its last one open the bids.

    Does nothing before the deadline or a second time. Takes the same lock as ``bids.place``: a bid is
    either in before the close or refused as late. Between two rounds nothing is put in clear.
    """
    with transaction() as session:
        need = needs.lock(session, need_id)
        if need.state is NeedState.OPEN and need.closes_at is not None and now >= need.closes_at:
            close(session, need, by=by, now=now, sealer=sealer)
    return need


def close(
    session: Session, need: Need, *, by: Party, now: datetime, sealer: Sealer, early: bool = False
) -> None:
    """Close the bid round that runs, inside the caller's transaction and under the need's lock.

    Another round follows where one is planned or too few bid; else the bids are opened, those unusually
    low held back, and without any that can be ranked (or with too few, if the firm wants it so) the need
    is unsuccessful. A bid whose seal does not open, or whose institution is suspended, is refused with the
    reason and does not stop the others; one that no longer holds leaves unopened. ``early`` ends all
    bidding at once.
    """
    standing = _let_go_expired(session, list_standing(session, need), by=by, now=now)
    suspended = admissions.read_suspensions(session, need.zone_id, {bid.organisation_id for bid in standing})
    contents = {bid.id: suspended.get(bid.organisation_id) or _read(bid, sealer) for bid in standing}
    readable = {bid_id: content for bid_id, content in contents.items() if isinstance(content, Content)}
    ranked = rank(need, standing, readable)
    count = sum(1 for place in ranked if place.rank is not None)
    held = find_round(session, need.id)
    after = bidding.decide_after_close(
        ranked=count,
        minimum=need.minimum_bids,
        number=bidding.ROUNDS_MOST if early else held.number,
        planned=need.round_count,
        few_bids=need.few_bids,
    )
    held.closed_at, held.opened_early = now, early
    if after is AfterClose.ANOTHER_ROUND:
        need.closes_at = now + timedelta(hours=need.round_hours)
        session.add(
            BidRound(need_id=need.id, number=held.number + 1, opened_at=now, closes_at=need.closes_at)
        )
        audit.record(session, "need.close_round", need, by=by, now=now, round=held.number)
        return
    # What a round brought is written down only now: until the opening it would tell of sealed bids.
    held.bid_count, held.ranked_count = len(standing), count
    for bid in standing:
        _open(bid, contents[bid.id], now)
    _write_ranks(standing, ranked)
    need.state = lifecycle.move(need.state, NeedMove.CLOSE)
    need.closed_at = now
    if early and need.published_at is not None and now > need.published_at:
        # Whoever comes now is told the moment that counted; the round keeps the one that was planned.
        need.closes_at = now
    need.accept_until = end_of_window(need, now)
    if after is AfterClose.FAILURE:
        reason = "no_bids" if not standing else "no_ranked_bid" if count == 0 else "too_few_bids"
        fail(session, need, reason, by=by, now=now)
    else:
        _hold_low_prices(session, need, standing, readable, now)
    audit.record(
        session, "need.open_bids", need, by=by, now=now, bids=len(standing), ranked=count, early=early
    )


def rank(need: Need, bids: Iterable[Bid], contents: dict[int, Content]) -> list[Ranked]:
    """Return the ranking of those bids that have a content, by exact costs."""
    return ranking.rank(
        [
            ranking.Entry(
                key=bid.id,
                cost=contents[bid.id].cost,
                amount=contents[bid.id].terms.principal,
                months=contents[bid.id].terms.months,
                receipt_number=bid.receipt_number,
            )
            for bid in bids
            if bid.id in contents
        ],
        amount=need.amount,
        months=need.months,
    )


def rerank(session: Session, need: Need, sealer: Sealer) -> int:
    """Rank the opened bids of a need anew, after one of them left; return how many are ranked."""
    bids = list(
        session.scalars(
            select(Bid)
            .where(Bid.need_id == need.id, Bid.state.in_((BidState.LIVE, BidState.HELD)))
            .options(undefer(Bid.seal))
        )
    )
    contents = {bid.id: content for bid in bids if isinstance(content := _read(bid, sealer), Content)}
    ranked = rank(need, bids, contents)
    _write_ranks(bids, ranked)
    return sum(1 for place in ranked if place.rank is not None)


def fail(session: Session, need: Need, reason: str, *, by: Party, now: datetime) -> None:
    """End a need whose bidding is over without an award, inside the caller's transaction."""
    need.state, need.reason = lifecycle.move(need.state, NeedMove.FAIL), reason
    for bid in session.scalars(
        select(Bid).where(Bid.need_id == need.id, Bid.state.in_((BidState.LIVE, BidState.HELD)))
    ):
        _end_hold(session, bid, now=now)
        bid.state, bid.ended_at = BidState.LOST, now
    needs.lapse_proposals(session, need.id)
    audit.record(session, "need.fail", need, by=by, now=now, reason=reason)


def list_standing(session: Session, need: Need) -> list[Bid]:
    """Return the bids of a need that still wait for the opening, with their seals, by receipt."""
    return list(
        session.scalars(
            select(Bid)
            .where(Bid.need_id == need.id, Bid.state.in_((BidState.SEALED, BidState.POSTED)))
            .options(undefer(Bid.seal))
            .order_by(Bid.receipt_number)
        )
    )


def find_round(session: Session, need_id: int) -> BidRound:
    """Return the bid round that runs on a need, or its last one."""
    return session.scalars(
        select(BidRound).where(BidRound.need_id == need_id).order_by(BidRound.number.desc()).limit(1)
    ).one()


def hold(session: Session, need: Need, bid: Bid, asked: Justification, now: datetime) -> None:
    """Hold a bid back until what its bidder says is decided, and tell the officers of it."""
    bid.state = BidState.HELD
    alerts.raise_alert(
        session,
        need.zone_id,
        AlertKind.LOW_BID,
        f"bid:{bid.id}",
        now=now,
        need=need.id,
        rule=asked.grounds["rule"],
        below=asked.grounds["below"],
    )


def end_of_hold(now: datetime) -> datetime:
    """Return until when the bidder of a bid that is held back now may say why it is so low."""
    return lifecycle.end_of_day(add_working_days(local_date(now), bidding.JUSTIFICATION_DAYS, calendar()))


def end_of_window(need: Need, now: datetime) -> datetime:
    """Return until when the firm may accept what is opened to it now."""
    return lifecycle.end_of_day(add_working_days(local_date(now), need.zone.acceptance_days, calendar()))


def lapse(need_id: int, *, by: Party, now: datetime) -> Need:
    """End a need whose acceptance window passed without an acceptance; its bids expire."""
    with transaction() as session:
        need = needs.lock(session, need_id)
        times = lifecycle.NeedTimes(
            need.state,
            need.closes_at,
            need.accept_until,
            awaits_confirmation=needs.standing_award(session, need.id) is not None,
        )
        if not any(move is NeedMove.FAIL and when < now for when, move in lifecycle.due(times)):
            return need
        need.state = lifecycle.move(need.state, NeedMove.FAIL)
        need.reason = "not_accepted_in_time"
        for bid in session.scalars(
            select(Bid).where(Bid.need_id == need.id, Bid.state.in_((BidState.LIVE, BidState.HELD)))
        ):
            _end_hold(session, bid, now=now)
            bid.state, bid.ended_at = BidState.EXPIRED, now
        needs.lapse_proposals(session, need.id)
        audit.record(session, "need.lapse", need, by=by, now=now)
    return need


def list_lapsed(zone_id: int, now: datetime) -> list[int]:
    """Return the needs of a zone whose acceptance window is over by now without an acceptance."""
    return list(
        db.session.scalars(
            select(Need.id)
            .where(
                Need.zone_id == zone_id,
                Need.state == NeedState.CLOSED,
                Need.accept_until < now,
                ~needs.has_standing_award(),
            )
            .order_by(Need.accept_until, Need.id)
        )
    )


def list_expired(zone_id: int, now: datetime) -> list[int]:
    """Return the needs of a zone with an opened bid whose validity is over by now."""
    return list(
        db.session.scalars(
            select(Need.id)
            .join(Bid, Bid.need_id == Need.id)
            .where(
                Need.zone_id == zone_id,
                Need.state == NeedState.CLOSED,
                Bid.state.in_((BidState.LIVE, BidState.HELD)),
                Bid.valid_until < now,
                ~needs.has_standing_award(),
            )
            .distinct()
            .order_by(Need.id)
        )
    )


def expire(need_id: int, *, by: Party, now: datetime) -> None:
    """Let the opened bids of a need leave whose validity is over; what an acceptance stands on stays."""
    with transaction() as session:
        need = needs.lock(session, need_id)
        if need.state is not NeedState.CLOSED or needs.standing_award(session, need.id) is not None:
            return
        for bid in session.scalars(
            select(Bid).where(
                Bid.need_id == need.id,
                Bid.state.in_((BidState.LIVE, BidState.HELD)),
                Bid.valid_until < now,
            )
        ):
            _end_hold(session, bid, now=now)
            bid.state, bid.ended_at = BidState.EXPIRED, now
            audit.record(session, "bid.expire", bid, by=by, now=now)


def next_deadline(zone_id: int, now: datetime) -> datetime | None:
    """Return when the next bidding of a zone closes, or None when nothing is open."""
    return db.session.scalar(
        select(func.min(Need.closes_at)).where(
            Need.zone_id == zone_id, Need.state == NeedState.OPEN, Need.closes_at > now - timedelta(seconds=1)
        )
    )


def _let_go_expired(session: Session, bids: Sequence[Bid], *, by: Party, now: datetime) -> list[Bid]:
    """Return the bids that still hold; after more rounds than were planned some may not any more."""
    for bid in bids:
        if bid.valid_until < now:
            bid.state, bid.ended_at = BidState.EXPIRED, now
            audit.record(session, "bid.expire", bid, by=by, now=now)
    return [bid for bid in bids if bid.state is not BidState.EXPIRED]


def _end_hold(session: Session, bid: Bid, *, now: datetime) -> None:
    """Take what an officer has to decide about a held bid off the list: the bid ends undecided."""
    if bid.state is BidState.HELD:
        alerts.settle(session, AlertKind.LOW_BID, f"bid:{bid.id}", "bid_ended", now=now)


def _read(bid: Bid, sealer: Sealer) -> Content | MarketError:
    """Return what a bid says, or why it cannot be read."""
    try:
        return bid_content.read(bid, sealer)
    except MarketError as error:
        return error


def _open(bid: Bid, content: Content | MarketError, now: datetime) -> None:
    """Put a bid in clear; one that cannot be read or may not compete is refused, with the reason."""
    bid.opened_at = now
    if isinstance(content, MarketError):
        bid.state, bid.ended_at = BidState.REFUSED, now
        bid.reason = {"code": content.faults[0].code.value}
        return
    bid.state = BidState.LIVE
    bid_content.put_in_clear(bid, content)


def _write_ranks(bids: Sequence[Bid], ranked: Iterable[Ranked]) -> None:
    by_id = {bid.id: bid for bid in bids}
    for place in ranked:
        by_id[place.key].rank = place.rank
        by_id[place.key].reason = place.describe()


def _hold_low_prices(
    session: Session, need: Need, bids: Sequence[Bid], contents: dict[int, Content], now: datetime
) -> None:
    """Hold back bids that look too low until an officer has decided on what their bidders say."""
    costs = {
        bid.id: effective
        for bid in bids
        if bid.rank is not None and (effective := contents[bid.id].cost.effective) is not None
    }
    due = end_of_hold(now)
    low = bidding.find_low_prices(costs)
    for bid in bids:
        if (found := low.get(bid.id)) is None:
            continue
        grounds = {
            "rule": found.rule,
            "cost": money.rate_text(costs[bid.id]),
            "against": money.rate_text(found.against),
            "below": money.rate_text(found.below),
        }
        asked = Justification(bid_id=bid.id, grounds=grounds, asked_at=now, due_at=due)
        session.add(asked)
        hold(session, need, bid, asked, now)
