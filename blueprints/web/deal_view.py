"""The page of a deal: what was agreed, how it stands, what happened, and what whoever looks may do."""

from __future__ import annotations

from typing import Any

from blueprints import access, endings
from blueprints.web import deal_story
from blueprints.web.forms import Form
from market import cost
from market.calendar import local_date
from market.cost import Cost
from market.lending_vocabulary import DealKind
from market.party import Party
from market.vocabulary import Capability, LoanState
from models.base import db
from models.loan import Loan
from services import (
    contract_loans,
    drawdowns,
    loan_book,
    loan_changes,
    loan_records,
    loans,
    review_records,
    reviews,
)
from services.exchange.offers import read_terms

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: Deals out of which money went, whatever became of it.
PAID_OUT = (LoanState.DRAWN, LoanState.REPAID, LoanState.WRITTEN_OFF)


def show(loan_id: int, form: Form) -> tuple[str, int]:
    """Return the page of a deal with what was typed on it and what is wrong with that."""
    party = access.acting()
    loan = loans.find(loan_id, by=party)
    today = local_date(access.now())
    review = review_records.find_for_loan(loan_id)
    for name in ("drawn_on", "paid_on"):
        form.values.setdefault(name, today.isoformat())
    return form.page(
        "deals/show.html",
        loan=loan,
        bid=loan.award.bid if loan.award is not None else None,
        priced=_price(loan),
        need=loan.award.need if loan.award is not None else None,
        today=today,
        upcoming=loans.next_payment(loan, today) if loan.state is LoanState.DRAWN else None,
        payoff=loans.read_payoff(loan, today) if _is_owed(loan) else None,
        owed=loans.read_owed(loan),
        standing=contract_loans.read_standing(loan.contract) if loan.contract is not None else None,
        **_read_record(loan, party),
        **_list_moves(loan, party),
        **_read_review(review, loan, party),
    )


def _price(loan: Loan) -> Cost | None:
    """Return what the deal was priced at; an investment has no schedule to price."""
    return None if loan.kind is DealKind.FUND else cost.price(read_terms(loan.terms, "terms"))


def _is_owed(loan: Loan) -> bool:
    return loan.state in (LoanState.DRAWN, LoanState.WRITTEN_OFF) and loan.drawn_on is not None


def _read_record(loan: Loan, party: Party) -> dict[str, Any]:
    """Return what happened, and for everybody but the borrower the double entries."""
    spans = loan_records.list_spans(loan)
    sees_entries = loan.borrower_id != party.organisation_id
    return {
        "story": deal_story.tell(loan),
        "vouchers": deal_story.list_vouchers(loan),
        "is_out": loan.state in PAID_OUT,
        "spans": [span for span in spans if span.superseded_at is None],
        "superseded": [span for span in spans if span.superseded_at is not None],
        "entries": loan_records.list_movements(loan) if sees_entries else (),
        "accounts": loan_book.sum_accounts(db.session(), loan.id) if sees_entries else {},
    }


def _list_moves(loan: Loan, party: Party) -> dict[str, Any]:
    """Return what the party may do with the deal's money."""
    is_lender, approves = loan.lender_id == party.organisation_id, party.may(Capability.INSTITUTION_APPROVER)
    left, waiting = drawdowns.count_left(loan), drawdowns.find_waiting(loan.id)
    may_change = loan_changes.may_change(loan, party)
    return {
        "left": left,
        "waiting": waiting,
        "waiting_by": loan_records.name_person(waiting.requested_by) if waiting is not None else None,
        "may_draw": is_lender and left > 0 and waiting is None and party.may(*LENDER),
        "may_confirm": waiting is not None and drawdowns.may_confirm(waiting, party),
        "may_wait": is_lender,
        "may_refuse": waiting is not None
        and (drawdowns.may_confirm(waiting, party) or waiting.requested_by == party.user_id),
        "may_release": is_lender
        and approves
        and left > 0
        and waiting is None
        and loan.state is LoanState.DRAWN,
        "may_cancel": is_lender and approves and loan.state is LoanState.APPROVED,
        "may_repay": is_lender
        and loan.state in (LoanState.DRAWN, LoanState.WRITTEN_OFF)
        and party.may(*LENDER),
        "may_undo": may_change,
        "changes": deal_story.CHANGES if may_change and loan.state is LoanState.DRAWN else {},
    }


def _read_review(review: Any, loan: Loan, party: Party) -> dict[str, Any]:
    is_waiting = review is not None and review.outcome is None
    asks = loan.lender_id == party.organisation_id and is_waiting and party.may(*LENDER)
    answers = loan.borrower_id == party.organisation_id and is_waiting
    return {
        "review": review,
        "stands_still": review is not None and review_records.is_standing_still(review),
        "endings": endings,
        "reasons": reviews.REASONS,
        "may_ask": asks,
        "may_decide": review is not None and review_records.may_decide(review, party),
        "may_answer": answers and party.may(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER),
        "may_give_up": answers and party.may(Capability.ENTERPRISE_APPROVER),
    }
