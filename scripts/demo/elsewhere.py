"""Deals closed off the platform: a factoring that waits for its firm, and an old loan that was given up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from market.calendar import local_date
from market.lending_vocabulary import DealKind
from models.base import db
from models.organisation import Organisation
from scripts.demo.cast import Cast
from scripts.demo.timeline import Timeline, at_minute, shift
from services import direct_deals, drawdowns, loan_changes
from services.direct_deals import Draft

_LENDER, _BORROWER = "dongyu", "lantu"
_HOUR = 60


def play(cast: Cast, timeline: Timeline, day: date) -> None:
    """Plan both deals in the first of the zones: the last weeks know of the one, the year of the other."""
    zone_id = cast.zone_ids[0]
    lender, borrower = cast.members[_LENDER], cast.members[_BORROWER]
    first, second = lender.parties[zone_id], lender.second(zone_id)
    code = db.session.get_one(Organisation, borrower.organisation_id).credit_code

    def tell(terms: dict[str, Any], amount: int, evidence: str, kind: DealKind) -> Draft:
        return Draft(kind=kind, borrower_code=code, amount=amount, evidence=evidence, terms=terms)

    def close_old(now: datetime) -> None:
        terms = {"kind": "loan", "principal": "300000.00", "months": 6, "rate": "0.052"}
        terms["repayment"] = "bullet"
        loan = direct_deals.record(
            tell(terms, 30_000_000, "线下借款合同 2025-118", DealKind.LOAN), by=first, now=now
        )
        direct_deals.confirm(loan.id, by=borrower.parties[zone_id], now=now + timedelta(minutes=30))
        paid_out = shift(local_date(now), 1)

        def draw(then: datetime) -> None:
            drawdowns.ask(loan.id, paid_out, by=first, now=then, evidence="放款凭证 118")

        def give_up(then: datetime) -> None:
            loan_changes.write_off(loan.id, local_date(then), "呆账核销决议 2026-03", by=second, now=then)

        timeline.at(at_minute(paid_out, 10 * _HOUR), draw)
        timeline.at(at_minute(shift(day, -6), 15 * _HOUR), give_up)

    def close_new(now: datetime) -> None:
        terms = {"kind": "factoring", "face": "2500000.00", "advance": "0.8", "days": 90, "rate": "0.05"}
        direct_deals.record(
            tell(terms, 200_000_000, "线下保理合同 2026-071", DealKind.FACTORING), by=first, now=now
        )

    timeline.at(at_minute(shift(day - timedelta(days=300), 0), 9 * _HOUR + 30), close_old)
    timeline.at(at_minute(shift(day, -2), 16 * _HOUR), close_new)
