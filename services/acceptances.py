"""Acceptances: what is asked of each, and what makes it stand; one bid and a syndicate alike.

All run inside the caller's transaction, under the need's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from market import lifecycle
from market.calendar import local_date
from market.errors import Code, conflict, invalid, not_found
from market.lifecycle import NeedMove
from market.party import Party
from market.vocabulary import AwardState, BidState, LoanState, ProposalState
from models.award import Award
from models.bid import Bid
from models.need import Need
from models.round import Proposal
from services import (
    admissions,
    audit,
    bid_content,
    claims,
    exposures,
    loan_openings,
    lpr,
    needs,
    reviews,
    rivals,
)


def lock_need(session: Session, need_id: int, *, by: Party, now: datetime) -> Need:
    """Return a need of the party's firm, locked, on which an acceptance may stand now.

    Raises ``Conflict``: another state (illegal_move), the window is over (too_late), another acceptance
    stands (already_exists).
    """
    need = needs.lock(session, need_id, by)
    if not lifecycle.may(need.state, NeedMove.AWARD):
        raise conflict(Code.ILLEGAL_MOVE, state=need.state.value, move=NeedMove.AWARD.value)
    if need.accept_until is not None and now > need.accept_until:
        raise conflict(Code.TOO_LATE, deadline=need.accept_until.isoformat())
    if needs.standing_award(session, need.id) is not None:
        raise conflict(Code.ALREADY_EXISTS, what="award", value=str(need.id))
    return need


def check_bid(
    session: Session, need: Need, bid_id: int, shown_hash: str, *, now: datetime, amount: int | None = None
) -> Bid:
    """Return a bid that may be accepted as it was shown, whole or for ``amount`` fen.

    Raises ``NotFound``, ``Conflict`` (stale, illegal_move, bid_expired, offer_suspended) and ``Invalid``: a
    part costs more a year than the whole where a fee is a flat sum, so it must have an annual cost under the
    ceiling of its own.
    """
    bid = session.get(Bid, bid_id)
    if bid is None or bid.need_id != need.id:
        raise not_found("bid", bid_id)
    if bid.receipt_hash != shown_hash:
        raise conflict(Code.STALE, "shown_hash")
    if bid.state is not BidState.LIVE:
        raise conflict(Code.ILLEGAL_MOVE, "bid_id", state=bid.state.value, move="accept")
    admissions.require_acceptable(session, need.zone_id, bid.organisation_id)
    if bid.valid_until < now:
        raise conflict(Code.BID_EXPIRED, "bid_id", valid_until=bid.valid_until.isoformat())
    if bid.effective is None:
        raise invalid(Code.NO_RATE, "bid_id", note=(bid.cost or {}).get("note"))
    if amount is not None:
        _, priced = bid_content.price_part(bid, amount)
        if priced.effective is None:
            raise invalid(Code.NO_RATE, "bid_id", note=priced.note)
        ceiling = lpr.read_ceiling(local_date(now))
        if priced.effective > ceiling:
            value = str(round(priced.effective, 8))
            raise invalid(Code.ABOVE_CEILING, "bid_id", value=value, most=str(ceiling))
    return bid


def add(
    session: Session, need: Need, bid: Bid, *, by: Party, now: datetime, amount: int | None = None
) -> Award:
    """Put down that a bid was accepted, whole or as the part of a syndicate; ``settle`` makes it stand."""
    assert by.user_id is not None, "only a person holds an enterprise capability"
    award = Award(
        need=need,
        bid=bid,
        state=AwardState.AWAITING_CONFIRMATION,
        two_people=need.organisation.dual_control,
        syndicated=amount is not None,
        amount=amount,
        shown_hash=bid.receipt_hash,
        accepted_by=by.user_id,
        accepted_at=now,
    )
    session.add(award)
    audit.record(session, "award.accept", award, by=by, now=now, bid=bid.id, shown=bid.receipt_hash)
    return award


def list_waiting(session: Session, award: Award) -> list[Award]:
    """Return the acceptances that are decided with this one: the whole syndicate, or it alone.

    Raises ``Conflict`` (illegal_move) for one that does not wait for its second person.
    """
    if award.state is not AwardState.AWAITING_CONFIRMATION:
        raise conflict(Code.ILLEGAL_MOVE, state=award.state.value, move="confirm")
    if not award.syndicated:
        return [award]
    found = select(Award).where(
        Award.need_id == award.need_id, Award.syndicated, Award.state == AwardState.AWAITING_CONFIRMATION
    )
    return list(session.scalars(found.order_by(Award.id)))


def settle(session: Session, need: Need, standing: Sequence[Award], *, by: Party, now: datetime) -> None:
    """Make acceptances stand: limits consumed, bids won, rivals told, loans opened, contract claimed.

    A bid that was subject to approval binds its institution to a review; a firm one to the loan. The limits
    of all lenders and guarantors are taken at once, before anything else.
    """
    exposures.take(session, need, [(award.bid, award.taken) for award in standing])
    need.state = lifecycle.move(need.state, NeedMove.AWARD)
    for award in standing:
        award.state = AwardState.CONFIRMED
        award.confirmed_by = by.user_id if award.two_people else None
        award.confirmed_at = now
        award.bid.state = BidState.WON
        session.execute(
            update(Proposal)
            .where(
                Proposal.need_id == need.id,
                Proposal.state == ProposalState.PROPOSED,
                Proposal.bid_id == award.bid_id,
                # A bid taken whole is not what a syndicate of it and others proposed.
                or_(Proposal.amount.is_(None), Proposal.amount == award.taken),
            )
            .values(state=ProposalState.ACCEPTED)
        )
    rivals.end(session, need, [award.bid for award in standing], now)
    needs.lapse_proposals(session, need.id)
    for award in standing:
        loan = loan_openings.open_loan(session, award, need, award.bid, now)
        claims.take(session, need, award.bid, loan, by=by, now=now)
        if loan.state is LoanState.UNDER_REVIEW:
            reviews.open_review(session, loan, need, now)
        audit.record(session, "award.settle", award, by=by, now=now, loan=loan.id)
