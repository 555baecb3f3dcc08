"""Rivals: the other bids of a need, which lose to the award and are offered again if it comes to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from market import lifecycle
from market.lifecycle import NeedMove
from market.party import Party
from market.vocabulary import AlertKind, BidState, ProposalState
from models.bid import Bid
from models.need import Need
from models.round import Proposal
from services import admissions, alerts, audit, opening
from services.sealing import Sealer

#: Why a need ended when nothing was left to offer after a decline.
DECLINED = "declined"


def end(session: Session, need: Need, winners: Sequence[Bid], now: datetime) -> None:
    """Let the other bids of a need lose to those awarded, inside the award's transaction.

    One held back for its low price loses as well: nobody need justify it any more. Of a syndicate the losers
    are told the dearest that won: what would have had to be undercut.
    """
    dearest = max(winners, key=lambda bid: (bid.effective or 0, bid.rank or 0))
    for rival in session.scalars(
        select(Bid).where(
            Bid.need_id == need.id,
            Bid.state.in_((BidState.LIVE, BidState.HELD)),
            Bid.id.not_in([bid.id for bid in winners]),
        )
    ):
        if rival.state is BidState.HELD:
            alerts.settle(session, AlertKind.LOW_BID, f"bid:{rival.id}", "awarded", now=now)
        rival.state, rival.ended_at = BidState.LOST, now
        # Losers learn why in figures: their own rank and the winning cost, never a name.
        rival.reason = {
            **(rival.reason or {}),
            "winning": str(dearest.effective),
            "winning_rank": dearest.rank,
        }


def offer_again(session: Session, need: Need, *, by: Party, now: datetime, sealer: Sealer) -> None:
    """Give an awarded need back to those of its bids that still hold, inside the caller's transaction.

    The firm gets a whole acceptance window for them. A bid that was held back when the award came is
    held again, with a new time for its justification. Where nothing is left the need is unsuccessful.
    """
    need.state = lifecycle.move(need.state, NeedMove.DECLINE)
    need.accept_until = opening.end_of_window(need, now)
    # What a matching round proposed was the bid that is gone; the next round looks anew.
    session.execute(
        update(Proposal)
        .where(Proposal.need_id == need.id, Proposal.state == ProposalState.ACCEPTED)
        .values(state=ProposalState.LAPSED)
    )
    lost = list(
        session.scalars(
            select(Bid)
            .where(Bid.need_id == need.id, Bid.state == BidState.LOST)
            .options(joinedload(Bid.justification))
            .order_by(Bid.receipt_number)
        )
    )
    suspended = admissions.read_suspensions(session, need.zone_id, {bid.organisation_id for bid in lost})
    back = []
    for bid in lost:
        if bid.valid_until < now:
            bid.state, bid.ended_at = BidState.EXPIRED, now
        elif (refusal := suspended.get(bid.organisation_id)) is not None:
            bid.state, bid.ended_at, bid.rank = BidState.REFUSED, now, None
            bid.reason = {"code": refusal.faults[0].code.value}
        else:
            _revive(session, need, bid, now)
            back.append(bid)
    session.flush()
    opening.rerank(session, need, sealer)
    if not any(bid.state is BidState.HELD or bid.effective is not None for bid in back):
        need.state = lifecycle.move(need.state, NeedMove.FAIL)
        need.reason = DECLINED
        for bid in back:
            bid.state, bid.ended_at = BidState.LOST, now
    audit.record(session, "need.offer_again", need, by=by, now=now, bids=len(back))


def _revive(session: Session, need: Need, bid: Bid, now: datetime) -> None:
    bid.ended_at = None
    asked = bid.justification
    if asked is None or asked.decision is not None:
        bid.state = BidState.LIVE
        return
    asked.due_at = max(asked.due_at, opening.end_of_hold(now))
    opening.hold(session, need, bid, asked, now)
