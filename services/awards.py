"""Awards: the firm accepts one bid, a second person confirms where the firm asks for that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from market.errors import Code, conflict, not_found
from market.party import Party
from market.vocabulary import (
    AwardState,
    Capability,
    NeedState,
)
from models.award import Award
from models.base import db, transaction
from models.loan import Loan
from models.need import Need
from services import acceptances, audit, needs
from services.refused_financings import telling


def accept(need_id: int, bid_id: int, shown_hash: str, *, by: Party, now: datetime) -> Award:
    """Accept one ranked bid of the firm's own need, as it was shown (its receipt hash).

    With dual control at the firm the award waits for another person's ``confirm``; without, it stands
    at once and opens the loan. Raises ``Conflict``: another state or award, bid expired, limit used up.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    with telling(by=by, now=now), transaction() as session:
        need = acceptances.lock_need(session, need_id, by=by, now=now)
        bid = acceptances.check_bid(session, need, bid_id, shown_hash, now=now)
        award = acceptances.add(session, need, bid, by=by, now=now)
        if not award.two_people:
            acceptances.settle(session, need, [award], by=by, now=now)
    return award


def confirm(award_id: int, *, by: Party, now: datetime) -> Award:
    """Confirm an acceptance as the firm's second person, of a syndicate all parts; opens the loans.

    Raises ``Forbidden`` (same_person) for whoever accepted.
    """
    by.require(Capability.ENTERPRISE_APPROVER)
    need_id = _find(award_id).need_id
    with telling(by=by, now=now), transaction() as session:
        need = needs.lock(session, need_id, by)
        award = session.get_one(Award, award_id)
        waiting = acceptances.list_waiting(session, award)
        if award.accepted_by == by.user_id:
            raise conflict(Code.SAME_PERSON)
        for one in waiting:
            acceptances.check_bid(session, need, one.bid_id, one.shown_hash, now=now, amount=one.amount)
        acceptances.settle(session, need, waiting, by=by, now=now)
    return award


def reject(award_id: int, *, by: Party, now: datetime) -> Award:
    """Turn an acceptance down, or take back one's own, of a syndicate all parts; the need stays open."""
    by.require(Capability.ENTERPRISE_APPROVER, Capability.ENTERPRISE_MAKER)
    need_id = _find(award_id).need_id
    with transaction() as session:
        needs.lock(session, need_id, by)
        award = session.get_one(Award, award_id)
        waiting = acceptances.list_waiting(session, award)
        if not by.may(Capability.ENTERPRISE_APPROVER) and award.accepted_by != by.user_id:
            by.require(Capability.ENTERPRISE_APPROVER)
        for one in waiting:
            one.state, one.confirmed_by, one.confirmed_at = AwardState.REJECTED, None, now
            audit.record(session, "award.reject", one, by=by, now=now)
    return award


def find_for_need(need_id: int) -> Award | None:
    """Return the acceptance that stands on a need, waiting or confirmed, or None (of a syndicate one)."""
    return needs.standing_award(db.session(), need_id)


def list_standing(need_id: int) -> list[Award]:
    """Return the acceptances that stand on a need: one, or the parts of a syndicate."""
    return needs.list_standing_awards(db.session(), need_id)


def _find(award_id: int) -> Award:
    award = db.session.get(Award, award_id)
    if award is None:
        raise not_found("award", award_id)
    return award


def list_deals(by: Party) -> list[Loan]:
    """Return the deals the party is part of, newest first; officers and auditors see their zone's."""
    query = (
        select(Loan)
        .where(Loan.zone_id == by.zone_id)
        .options(
            joinedload(Loan.lender),
            joinedload(Loan.borrower),
            joinedload(Loan.award),
            selectinload(Loan.instalments),
        )
        .order_by(Loan.id.desc())
    )
    if not by.may(Capability.OFFICER, Capability.AUDITOR):
        query = query.where((Loan.lender_id == by.organisation_id) | (Loan.borrower_id == by.organisation_id))
    return list(db.session.scalars(query))


def count_waiting(by: Party) -> int:
    """Return on how many needs of the party's firm an acceptance waits for a second person."""
    return len(
        list(
            db.session.scalars(
                select(Award.need_id)
                .distinct()
                .join(Need, Award.need_id == Need.id)
                .where(
                    Need.organisation_id == by.organisation_id,
                    Need.zone_id == by.zone_id,
                    Need.state == NeedState.CLOSED,
                    Award.state == AwardState.AWAITING_CONFIRMATION,
                )
            )
        )
    )
