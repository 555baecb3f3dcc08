"""Loans and leases: drawn, repaid, cancelled, with their schedules."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields, reviews
from blueprints.api.description import Blueprint
from blueprints.api.loan_books import (
    AccountAnswer,
    DrawdownRequestAnswer,
    EventAnswer,
    LatenessAnswer,
    LineAnswer,
    MovementAnswer,
    SpanAnswer,
    show_record,
)
from blueprints.api.paging import Page, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from blueprints.api.reviews import ReviewAnswer
from market.calendar import local_date
from market.lending_vocabulary import AllocationOrder, Bucket, DealKind, PrepaymentEffect, RiskClass
from market.vocabulary import Capability, LoanState
from models.loan import Loan as Row
from services import drawdowns, loans, portfolio, review_records
from services.portfolio import Which

loan_routes = Blueprint("loans", __name__, "Loans and leases that came of awards.")

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
PARTIES = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    *LENDER,
    Capability.OFFICER,
    Capability.AUDITOR,
)


class LoanQuery(Page):
    """Which loans."""

    kind = fields.Word(DealKind)
    state = fields.Word(LoanState)
    bucket = fields.Word(Bucket, "Loans that run and are so late.")
    risk_class = fields.Word(RiskClass, "Loans that run or were written off, of this class.")


class Drawdown(Body):
    """When the money was paid out."""

    drawn_on = fields.Day(required=True)
    amount = fields.Money("A tranche; without it all that is left.")
    evidence = fields.Text("Reference to the paper.", most=300)
    payee_account = fields.Text("Of a bridge loan: the maturing loan's account.", most=40)


class RepaymentEntry(Body):
    """Money that reached the lender."""

    amount = fields.Money(required=True)
    paid_on = fields.Day(required=True)
    reference = fields.Text("Makes the payment recordable once only.", most=80, required=True)


class NextPaymentAnswer(Answer):
    """What is owed next."""

    due_on = fields.Day()
    amount = fields.Money()
    days_late = fields.Count()


class LoanAnswer(Answer):
    """A loan or lease."""

    id = fields.Count()
    need_id = fields.Count(allow_none=True)
    award_id = fields.Count("None: closed off the platform.", allow_none=True)
    contract_id = fields.Count(allow_none=True)
    kind = fields.Word(DealKind)
    state = fields.Word(LoanState)
    lender = fields.Part(OrganisationBrief)
    borrower = fields.Part(OrganisationBrief)
    principal = fields.Money("What was approved.")
    drawn = fields.Money("What was paid out of it so far.")
    months = fields.Count()
    outstanding = fields.Money("Principal still owed.")
    effective = fields.Rate("All-in annual cost as awarded.", allow_none=True)
    approved_at = fields.Moment()
    drawn_on = fields.Day(allow_none=True)
    repaid_on = fields.Day(allow_none=True)
    overdue_since = fields.Day("Earliest due date not fully paid, by the clock's last look.", allow_none=True)
    lateness = fields.Part(LatenessAnswer, "Once it is drawn.", allow_none=True)
    next_payment = fields.Part(NextPaymentAnswer, allow_none=True)


class PolicyAnswer(Answer):
    """What the loan agrees on beside its price."""

    grace_days = fields.Count()
    penalty_rate = fields.Rate("Late interest a year on overdue principal.", allow_none=True)
    allocation = fields.Word(AllocationOrder, "In which order money fills what is due.")
    prepayment = fields.Word(PrepaymentEffect, "What principal paid ahead of its day does.")
    is_revolving = fields.Flag()


class RepaymentAnswer(Answer):
    """Money that reached the lender, and how it was split."""

    id = fields.Count()
    reference = fields.Said()
    source = fields.Said("`borrower`, `purchaser` or `guarantor`.")
    paid_on = fields.Day()
    amount = fields.Money()
    fees = fields.Money()
    penalty = fields.Money("Late interest.")
    interest = fields.Money()
    principal = fields.Money()
    recovered = fields.Money("What came in after a write-off.")
    remainder = fields.Money("What went on to the supplier.")
    recorded_at = fields.Moment()


class LoanDetail(LoanAnswer):
    """A loan with its terms, schedule, all that happened to it and, after a bid not firm, its review."""

    terms = fields.Facts()
    policy = fields.Part(PolicyAnswer)
    payoff = fields.Money("What pays everything off today; null before the drawdown.", allow_none=True)
    left = fields.Money("What can still be drawn.")
    schedule = fields.Many(fields.Part(LineAnswer), most=1000)
    repayments = fields.Many(fields.Part(RepaymentAnswer), most=10_000)
    events = fields.Many(fields.Part(EventAnswer), most=10_000)
    movements = fields.Many(fields.Part(MovementAnswer), "Not shown to the borrower.", most=100_000)
    accounts = fields.Many(fields.Part(AccountAnswer), "Not shown to the borrower.", most=20)
    spans = fields.Many(fields.Part(SpanAnswer), "The history of lateness.", most=10_000)
    drawdown = fields.Part(DrawdownRequestAnswer, "What waits for a second person.", allow_none=True)
    review = fields.Part(ReviewAnswer, allow_none=True)


@loan_routes.route("/loans")
class Loans(MethodView):
    """Loans the caller is part of."""

    @loan_routes.doc(operationId="listLoans")
    @loan_routes.arguments(LoanQuery, location="query")
    @loan_routes.response(200, page_of(LoanAnswer, "LoanPage"))
    @allows(*PARTIES)
    def get(self, query: dict[str, Any]) -> Any:
        """List the loans the caller borrows or lends; officers see all of the zone."""
        by, today, limit = access.acting(), local_date(access.now()), query.pop("limit")
        before = query.pop("after", None)
        rows = portfolio.list_deals(by, Which(**query), limit=limit + 1, before=before)
        return {
            "items": [show(row, today) for row in rows[:limit]],
            "next": rows[limit - 1].id if len(rows) > limit else None,
        }


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>")
class Loan(MethodView):
    """One loan."""

    @loan_routes.doc(operationId="getLoan")
    @loan_routes.response(200, LoanDetail)
    @allows(*PARTIES)
    def get(self, loan_id: int) -> Any:
        """Return a loan with its schedule and all that happened to it."""
        return show_whole(loans.find(loan_id, by=access.acting()))


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/drawdown")
class LoanDrawdown(MethodView):
    """Paying out."""

    @loan_routes.doc(operationId="drawLoan")
    @loan_routes.arguments(Drawdown)
    @loan_routes.response(200, LoanDetail)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Record that the lender paid the loan out; the schedule gets its dates.

        A contract loan can be drawn only after account lock and pledge, and is paid out once another person
        of the lender confirms the drawdown.
        """
        return show_whole(drawdowns.ask(loan_id, **data, by=access.acting(), now=access.now()))


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/repayments")
class LoanRepayments(MethodView):
    """Paying back."""

    @loan_routes.doc(operationId="recordRepayment")
    @loan_routes.arguments(RepaymentEntry)
    @loan_routes.response(201, RepaymentAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Record money the firm paid; it is split in the order the loan agrees on, oldest line first."""
        return loans.record_repayment(loan_id, **data, by=access.acting(), now=access.now())


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/cancel")
class LoanCancellation(MethodView):
    """Cancelling."""

    @loan_routes.doc(operationId="cancelLoan")
    @loan_routes.response(200, LoanDetail)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, loan_id: int) -> Any:
        """Cancel an approved loan that was never drawn; its limit and its claim on a contract are given back.

        One under review is approved or declined instead.
        """
        return show_whole(loans.cancel(loan_id, by=access.acting(), now=access.now()))


def show(row: Row, today: date) -> dict[str, Any]:
    """Return a loan in the shape of ``LoanAnswer``."""
    made = {
        "need_id": row.award.need_id if row.award is not None else None,
        "lateness": row if row.drawn_on is not None else None,
        "next_payment": loans.next_payment(row, today) if row.state is LoanState.DRAWN else None,
    }
    plain = {name: getattr(row, name) for name in LoanAnswer().fields if name not in made}
    return {**plain, **made}


def show_whole(row: Row) -> dict[str, Any]:
    """Return a loan with its schedule, its record, and its review where the bid was not firm."""
    review, today = review_records.find_for_loan(row.id), local_date(access.now())
    is_owed = row.state in (LoanState.DRAWN, LoanState.WRITTEN_OFF) and row.drawn_on is not None
    return {
        **show(row, today),
        **show_record(row, access.acting()),
        "terms": row.terms,
        "policy": row,
        "payoff": loans.read_payoff(row, today) if is_owed else None,
        "left": drawdowns.count_left(row),
        "schedule": row.instalments,
        "repayments": row.repayments,
        "review": None if review is None else reviews.show(review),
    }
