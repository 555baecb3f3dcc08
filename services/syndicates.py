"""Syndicates: several bids that share one need, as a matching round proposed them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from market.cost import Cost
from market.errors import Code, conflict, invalid, not_found
from market.money import RATE_PLACES
from market.party import Party
from market.terms import Terms
from market.vocabulary import AwardState, Capability, ProposalState
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from models.round import Proposal
from services import acceptances, bid_content, needs

#: What the parts of one acceptance may be: those that wait, stand, or came to nothing in a review.
_TOGETHER = (AwardState.AWAITING_CONFIRMATION, AwardState.CONFIRMED, AwardState.DECLINED)


class Shown(NamedTuple):
    """A part as it was shown: the receipt hash of its bid, and the fen taken of it."""

    bid_id: int
    shown_hash: str
    amount: int


@dataclass(frozen=True, slots=True)
class Part:
    """``amount`` fen of a bid with what that part costs by itself; ``award`` once it was accepted."""

    bid: Bid
    amount: int
    terms: Terms
    cost: Cost
    award: Award | None = None

    @property
    def ended(self) -> bool:
        """Say whether its institution declined it after the award, or the firm gave it up."""
        return self.award is not None and self.award.state is AwardState.DECLINED


@dataclass(frozen=True, slots=True)
class Syndicate:
    """The parts that share a need, the largest first."""

    need: Need
    parts: tuple[Part, ...]

    @property
    def standing(self) -> tuple[Part, ...]:
        """Return the parts that did not come to nothing."""
        return tuple(part for part in self.parts if not part.ended)

    @property
    def amount(self) -> int:
        """Return the fen that the standing parts make together."""
        return sum(part.amount for part in self.standing)

    @property
    def missing(self) -> int:
        """Return the fen of the need that nobody lends."""
        return max(self.need.amount - self.amount, 0)

    @property
    def total_cost(self) -> int:
        """Return what the standing parts cost over their whole terms, in fen."""
        return sum(part.cost.total_cost for part in self.standing)

    @property
    def effective(self) -> Decimal | None:
        """Return the annual cost of all standing parts, weighted by amount; None where one has none."""
        weighted = Decimal(0)
        for part in self.standing:
            if part.cost.effective is None:
                return None
            weighted += part.amount * part.cost.effective
        return round(weighted / self.amount, RATE_PLACES) if self.amount else None

    def share(self, part: Part) -> Decimal:
        """Return the share of the need that a part takes."""
        return round(Decimal(part.amount) / self.need.amount, RATE_PLACES)


def find(need_id: int) -> list[Proposal]:
    """Return the parts of the syndicate that a round proposes to a need; none where none stands.

    One bid taken whole is a syndicate of one.
    """
    return _find(db.session(), need_id)


def price(need: Need, proposals: Iterable[Proposal]) -> Syndicate:
    """Return proposed parts as a syndicate, each priced by itself."""
    return _gather(need, [(row.bid, row.amount or row.bid.amount or 0, None) for row in proposals if row.bid])


def find_accepted(award: Award) -> Syndicate | None:
    """Return the syndicate that was accepted with an award, declined parts too; None for a single bid."""
    if not award.syndicated:
        return None
    found = db.session.scalars(
        select(Award)
        .where(
            Award.need_id == award.need_id,
            Award.syndicated,
            Award.accepted_at == award.accepted_at,
            Award.state.in_(_TOGETHER),
        )
        .options(joinedload(Award.bid))
    )
    return _gather(award.need, [(row.bid, row.taken, row) for row in found])


def accept(need_id: int, parts: Sequence[Shown], *, by: Party, now: datetime) -> list[Award]:
    """Accept the proposed syndicate of the firm's own need, all parts as they were shown or none.

    With dual control at the firm all of it waits for another person's ``awards.confirm``. Raises ``Conflict``
    (stale) where another syndicate is proposed, or none, and what ``awards.accept`` raises, for any part.
    """
    by.require(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    if not parts:
        raise invalid(Code.REQUIRED, "parts")
    with transaction() as session:
        need = acceptances.lock_need(session, need_id, by=by, now=now)
        proposed = [row for row in _find(session, need.id) if row.state is ProposalState.PROPOSED]
        shown = sorted((part.bid_id, part.amount) for part in parts)
        if sorted((row.bid_id, row.amount) for row in proposed) != shown:
            raise conflict(Code.STALE, "parts")
        made = []
        order = [row.bid_id for row in proposed]
        for part in sorted(parts, key=lambda part: order.index(part.bid_id)):
            bid = acceptances.check_bid(
                session, need, part.bid_id, part.shown_hash, now=now, amount=part.amount
            )
            made.append(acceptances.add(session, need, bid, by=by, now=now, amount=part.amount))
        if not need.organisation.dual_control:
            acceptances.settle(session, need, made, by=by, now=now)
    return made


def read(need_id: int, *, by: Party) -> Syndicate:
    """Return what was accepted of a syndicate, else what is proposed, to the firm, officers and auditors.

    Raises ``NotFound`` where neither stands.
    """
    need = needs.find(need_id, by=by)
    if need.organisation_id != by.organisation_id:
        by.require(Capability.OFFICER, Capability.AUDITOR)
    award = needs.standing_award(db.session(), need.id)
    accepted = None if award is None else find_accepted(award)
    if accepted is not None:
        return accepted
    proposals = [] if award is not None else find(need.id)
    if not proposals:
        raise not_found("proposal", need_id)
    return price(need, proposals)


def find_taken(bid: Bid) -> int | None:
    """Return the fen that an acceptance took of a bid in part; None where it was taken whole, or not."""
    return db.session.scalar(
        select(Award.amount).where(Award.bid_id == bid.id, Award.state == AwardState.CONFIRMED)
    )


def _find(session: Session, need_id: int) -> list[Proposal]:
    standing = (
        Proposal.need_id == need_id,
        Proposal.state.in_((ProposalState.PROPOSED, ProposalState.ACCEPTED)),
    )
    newest = select(func.max(Proposal.round_id)).where(*standing).scalar_subquery()
    return list(
        session.scalars(
            select(Proposal)
            .join(Proposal.need)
            .where(*standing, Proposal.round_id == newest, Need.syndicated)
            .options(joinedload(Proposal.bid).joinedload(Bid.organisation))
            .order_by(Proposal.id)
        )
    )


def _gather(need: Need, rows: Iterable[tuple[Bid, int, Award | None]]) -> Syndicate:
    parts = [Part(bid, amount, *bid_content.price_part(bid, amount), award) for bid, amount, award in rows]
    return Syndicate(need, tuple(sorted(parts, key=lambda part: (-part.amount, part.bid.receipt_number))))
