"""The desk: what waits for a firm now, gathered for the first page it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from market.calendar import local_date
from market.party import Party
from market.vocabulary import AwardState, BidState, LoanState, NeedState
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.review import ReviewRequest
from services import awards, loans, needs, questions, review_records
from services.loans import NextPayment


@dataclass(frozen=True, slots=True)
class Decision:
    """A need whose offers are open: how many compete, and the best of them."""

    need: Need
    ranked: int
    best: Bid | None


@dataclass(frozen=True, slots=True)
class Payment:
    """A drawn loan and what it owes next."""

    loan: Loan
    next: NextPayment


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits for a firm: acceptances to confirm, offers to compare, questions of a reviewing institution,
    payments, running needs, drafts."""

    waiting: tuple[Award, ...]
    decisions: tuple[Decision, ...]
    payments: tuple[Payment, ...]
    open: tuple[Need, ...]
    drafts: tuple[Need, ...]
    needs: int
    loans: tuple[Loan, ...]
    requests: tuple[ReviewRequest, ...] = ()
    #: How many questions of bidders wait for an answer, per open need.
    questions: Mapping[int, int] = field(default_factory=dict)

    @property
    def outstanding(self) -> int:
        """Return the principal still owed on all loans, in fen."""
        return sum(loan.outstanding for loan in self.loans)

    @property
    def is_new(self) -> bool:
        """Say whether the firm has not posted anything yet."""
        return self.needs == 0


def read(*, by: Party, now: datetime) -> Desk:
    """Return what waits for the party's firm in its zone, the most urgent of each kind first."""
    own = needs.list_own(by)
    waiting = list(
        db.session.scalars(
            select(Award)
            .join(Need, Award.need_id == Need.id)
            .where(
                Need.organisation_id == by.organisation_id,
                Need.zone_id == by.zone_id,
                Award.state == AwardState.AWAITING_CONFIRMATION,
            )
            .order_by(Award.accepted_at, Award.id)
        )
    )
    # A syndicate is one thing to confirm.
    waiting = list({award.need_id: award for award in reversed(waiting)}.values())[::-1]
    taken = {award.need_id for award in waiting}
    closed = [need for need in own if need.state is NeedState.CLOSED and need.id not in taken]
    counts, best = _weigh_offers([need.id for need in closed])
    lent = [
        loan
        for loan in awards.list_deals(by)
        if loan.borrower_id == by.organisation_id and loan.state is not LoanState.CANCELLED
    ]
    payments = [
        Payment(loan, due)
        for loan in lent
        if loan.state is LoanState.DRAWN and (due := loans.next_payment(loan, local_date(now))) is not None
    ]
    return Desk(
        waiting=tuple(waiting),
        decisions=tuple(
            Decision(need, counts.get(need.id, 0), best.get(need.id))
            for need in sorted(closed, key=lambda need: (need.accept_until or now, need.id))
        ),
        payments=tuple(sorted(payments, key=lambda payment: (payment.next.due_on, payment.loan.id))),
        open=tuple(
            sorted(
                (need for need in own if need.state is NeedState.OPEN),
                key=lambda need: (need.closes_at or now, need.id),
            )
        ),
        drafts=tuple(need for need in own if need.state is NeedState.DRAFT),
        needs=len(own),
        loans=tuple(lent),
        questions=questions.count_waiting(by, now),
        requests=tuple(review_records.list_open_requests(by)),
    )


def _weigh_offers(need_ids: list[int]) -> tuple[dict[int, int], dict[int, Bid]]:
    """Return how many bids compete for each need, and the one ranked first among those that still stand."""
    if not need_ids:
        return {}, {}
    counts = dict(
        db.session.execute(
            select(Bid.need_id, func.count())
            .where(Bid.need_id.in_(need_ids), Bid.rank.is_not(None), Bid.state != BidState.DECLINED)
            .group_by(Bid.need_id)
        ).all()
    )
    best: dict[int, Bid] = {}
    for bid in db.session.scalars(
        select(Bid)
        .where(Bid.need_id.in_(need_ids), Bid.rank.is_not(None), Bid.state == BidState.LIVE)
        .order_by(Bid.need_id, Bid.rank)
    ):
        best.setdefault(bid.need_id, bid)
    return counts, best


def find_loan(award: Award) -> Loan | None:
    """Return the loan an award opened, or None while it waits for the second person."""
    return db.session.scalar(select(Loan).where(Loan.award_id == award.id))
