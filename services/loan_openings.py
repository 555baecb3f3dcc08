"""Loans opened by awards, with the schedule that their terms promise."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from market import money
from market.lending_vocabulary import DealKind
from market.vocabulary import LoanState, OfferKind
from models.award import Award
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from services import bid_content, guarantees, loan_book
from services.exchange.offers import write_offer


def open_loan(session: Session, award: Award, need: Need, bid: Bid, now: datetime) -> Loan:
    """Open the loan of an award with its repayment schedule, inside the award's transaction.

    A firm bid is approved by the award; another waits for its institution's review (``reviews``), and
    ``approved_at`` is the award's moment until then. The part of a bid has terms and a cost of its own.
    """
    assert bid.months is not None and bid.effective is not None
    terms, effective = dict(bid.terms or {}), bid.effective
    if award.amount is not None:
        varied, priced = bid_content.price_part(bid, award.amount)
        assert priced.effective is not None, "a part without an annual cost is not accepted"
        terms, effective = write_offer(varied), Decimal(money.rate_text(priced.effective))
    loan = Loan(
        zone_id=need.zone_id,
        award=award,
        lender_id=bid.organisation_id,
        borrower_id=need.organisation_id,
        sector=need.organisation.industry,
        purchaser_id=need.contract.purchaser_id if need.contract is not None else None,
        kind=DealKind(bid.offer or OfferKind.LOAN),
        state=LoanState.UNDER_REVIEW if bid.is_firm is False else LoanState.APPROVED,
        principal=award.taken,
        months=bid.months,
        bound=award.taken,
        effective=effective,
        terms=terms,
        approved_at=now,
    )
    session.add(loan)
    loan_book.promise(loan)
    session.flush()
    guarantees.give(session, loan, bid, now=now)
    return loan
