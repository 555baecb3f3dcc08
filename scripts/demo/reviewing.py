"""Reviewing: awards whose bid was subject to approval are asked about, answered, approved or declined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from market.bidding_vocabulary import DeclineReason
from market.calendar import local_date
from market.party import Party
from market.vocabulary import LoanState
from models.base import db
from models.loan import Loan
from models.review import Review, ReviewRequest
from scripts.demo.demand import Plan
from scripts.demo.lending import Lending
from scripts.demo.timeline import Timeline, office_moment, shift
from services import review_records, reviews
from services.sealing import Sealer

#: One award in so many that wait for approval is declined, one in two comes with a question.
DECLINED, ASKED = 0.2, 0.5

_QUESTIONS = (
    ("近三年经审计的财务报告", "已提交客户经理，2023 至 2025 年度齐全。"),
    ("最近一年的纳税申报表与完税证明", "电子税务局导出件已发送。"),
    ("主要客户的购销合同", "前五大客户合同复印件已送达。"),
    ("实际控制人征信授权书", "授权书已签字盖章寄出。"),
)
_NOTES = {
    DeclineReason.REPAYMENT_ABILITY: "经营现金流不足以覆盖本息。",
    DeclineReason.CREDIT_HISTORY: "近一年存在逾期记录。",
    DeclineReason.POLICY: "所属行业不在本年度投放范围。",
}


class Reviewing:
    """What an institution and its firm do between the award and the approval."""

    def __init__(self, lending: Lending, timeline: Timeline, sealer: Sealer) -> None:
        self._lending, self._timeline, self._sealer = lending, timeline, sealer

    def follow(self, loan: Loan, plan: Plan, now: datetime, again: Callable[[datetime], None]) -> None:
        """Plan the review of an awarded loan; ``again`` lets the firm choose anew after a decline."""
        rng = Random(f"{self._lending.seed} review {loan.id}")
        review = review_records.find_for_loan(loan.id)
        assert review is not None, "a loan under review has one"
        review_id, loan_id, day = review.id, loan.id, shift(local_date(now), 1)
        if rng.random() < ASKED:
            what, said = rng.choice(_QUESTIONS)
            asked_at = office_moment(day, rng, 9, 11)
            self._timeline.at(asked_at, lambda now: self._ask(review_id, what, said, plan, rng, now))
            day = shift(day, 3)
        when = office_moment(shift(day, rng.choice((0, 1, 2))), rng, 14, 16)
        self._timeline.at(when, lambda now: self._decide(review_id, loan_id, plan, rng, now, again))

    def _ask(self, review_id: int, what: str, said: str, plan: Plan, rng: Random, now: datetime) -> None:
        lender = self._lending.lender(db.session.get_one(Review, review_id).loan)
        request = reviews.ask(review_id, what, by=lender.parties[plan.zone_id], now=now)
        request_id, firm = request.id, plan.firm.parties[plan.zone_id]
        when = office_moment(shift(local_date(now), rng.choice((1, 2))), rng, 10, 13)
        self._timeline.at(when, lambda now: _answer(request_id, said, firm, now))

    def _decide(
        self,
        review_id: int,
        loan_id: int,
        plan: Plan,
        rng: Random,
        now: datetime,
        again: Callable[[datetime], None],
    ) -> None:
        loan = db.session.get_one(Loan, loan_id)
        second = self._lending.lender(loan).second(plan.zone_id)
        if loan.state is not LoanState.UNDER_REVIEW:
            return
        if rng.random() >= DECLINED:
            reviews.approve(review_id, by=second, now=now)
            self._lending.follow(db.session.get_one(Loan, loan_id), plan, now)
            return
        reason = rng.choice(sorted(_NOTES))
        reviews.decline(review_id, reason, _NOTES[reason], by=second, now=now, sealer=self._sealer)
        when = office_moment(shift(local_date(now), 1), rng, 10, 16)
        self._timeline.at(max(when, now + timedelta(hours=1)), again)


def _answer(request_id: int, said: str, firm: Party, now: datetime) -> None:
    request = db.session.get_one(ReviewRequest, request_id)
    if request.review.outcome is None:
        reviews.answer(request_id, said, by=firm, now=now)
