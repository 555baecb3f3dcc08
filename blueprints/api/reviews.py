"""Reviews: an institution's diligence on an award whose bid was subject to its approval."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.bidding_vocabulary import DeclineReason, ReviewOutcome
from market.vocabulary import Capability
from models.review import Review as Row
from services import review_records, reviews

review_routes = Blueprint("reviews", __name__, "An institution's review of an award, before it approves.")

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
PARTIES = (*FIRM, *LENDER, Capability.OFFICER, Capability.AUDITOR)


class ReviewQuery(Page):
    """Which reviews."""

    waiting = fields.FlagNumber("Only those not decided yet, or only the decided.")


class RequestEntry(Body):
    """What the institution asks the firm for."""

    what = fields.Text("A document or a statement.", most=reviews.WHAT_MOST, required=True)


class RequestReply(Body):
    """What the firm says to it."""

    answer = fields.Text("The answer, or where the document is.", most=reviews.ANSWER_MOST, required=True)


class DeclineEntry(Body):
    """Why the institution declines; the firm is told both."""

    reason = fields.Word(DeclineReason, required=True)
    note = fields.Text("In the institution's own words.", most=reviews.NOTE_MOST)


class RequestAnswer(Answer):
    """Something asked for in a review, and what was answered."""

    id = fields.Count()
    what = fields.Said()
    asked_at = fields.Moment()
    answer = fields.Said(allow_none=True)
    answered_at = fields.Moment(allow_none=True)


class ReviewAnswer(Answer):
    """A review of one awarded loan."""

    id = fields.Count()
    loan_id = fields.Count()
    need_id = fields.Count()
    lender = fields.Part(OrganisationBrief)
    borrower = fields.Part(OrganisationBrief)
    opened_at = fields.Moment()
    due_at = fields.Moment("Moves by the working days the firm takes to answer.")
    stands_still = fields.Flag("Whether the clock stands because something is not answered yet.")
    outcome = fields.Word(ReviewOutcome, allow_none=True)
    reason = fields.Word(DeclineReason, allow_none=True)
    note = fields.Said(allow_none=True)
    decided_at = fields.Moment(allow_none=True)
    requests = fields.Many(fields.Part(RequestAnswer), most=1000)


@review_routes.route("/reviews")
class Reviews(MethodView):
    """Reviews the caller is part of."""

    @review_routes.doc(operationId="listReviews")
    @review_routes.arguments(ReviewQuery, location="query")
    @review_routes.response(200, page_of(ReviewAnswer, "ReviewPage"))
    @allows(*PARTIES)
    def get(self, query: dict[str, Any]) -> Any:
        """List reviews, newest first; officers see all of the zone."""
        page = cut(review_records.list_for(access.acting(), waiting=query.get("waiting")), query)
        return {**page, "items": [show(row) for row in page["items"]]}


@review_routes.route(f"/reviews/<{fields.ID}:review_id>")
class Review(MethodView):
    """One review."""

    @review_routes.doc(operationId="getReview")
    @review_routes.response(200, ReviewAnswer)
    @allows(*PARTIES)
    def get(self, review_id: int) -> Any:
        """Return a review with everything asked and answered."""
        return show(review_records.find(review_id, by=access.acting()))


@review_routes.route(f"/reviews/<{fields.ID}:review_id>/requests")
class ReviewRequests(MethodView):
    """Asking."""

    @review_routes.doc(operationId="askInReview")
    @review_routes.arguments(RequestEntry)
    @review_routes.response(201, RequestAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], review_id: int) -> Any:
        """Ask the firm for a document or statement; the review's clock stands until it answers."""
        return reviews.ask(review_id, data["what"], by=access.acting(), now=access.now())


@review_routes.route(f"/review-requests/<{fields.ID}:request_id>/answer")
class RequestAnswering(MethodView):
    """Answering."""

    @review_routes.doc(operationId="answerInReview")
    @review_routes.arguments(RequestReply)
    @review_routes.response(200, RequestAnswer)
    @allows(*FIRM)
    def post(self, data: dict[str, Any], request_id: int) -> Any:
        """Answer what the institution asked; with the last open answer its clock goes on."""
        return reviews.answer(request_id, data["answer"], by=access.acting(), now=access.now())


@review_routes.route(f"/reviews/<{fields.ID}:review_id>/approve")
class ReviewApproval(MethodView):
    """Saying yes."""

    @review_routes.doc(operationId="approveReview")
    @review_routes.response(200, ReviewAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, review_id: int) -> Any:
        """Approve the loan, as another person than the one who placed the bid."""
        by = access.acting()
        return show(reviews.approve(review_id, by=by, now=access.now()))


@review_routes.route(f"/reviews/<{fields.ID}:review_id>/decline")
class ReviewDecline(MethodView):
    """Saying no."""

    @review_routes.doc(operationId="declineReview")
    @review_routes.arguments(DeclineEntry)
    @review_routes.response(200, ReviewAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], review_id: int) -> Any:
        """Decline the loan with a reason; the need goes back to its other valid offers."""
        by, sealer = access.acting(), current_app.extensions["sealer"]
        return show(reviews.decline(review_id, **data, by=by, now=access.now(), sealer=sealer))


@review_routes.route(f"/reviews/<{fields.ID}:review_id>/give-up")
class ReviewGivingUp(MethodView):
    """The firm's way out."""

    @review_routes.doc(operationId="giveUpAward")
    @review_routes.response(200, ReviewAnswer)
    @allows(Capability.ENTERPRISE_APPROVER)
    def post(self, review_id: int) -> Any:
        """Give up an award that is still under review; the need goes back to its other valid offers."""
        by, sealer = access.acting(), current_app.extensions["sealer"]
        return show(reviews.give_up(review_id, by=by, now=access.now(), sealer=sealer))


def show(row: Row) -> dict[str, Any]:
    """Return a review in the shape of ``ReviewAnswer``."""
    loan = row.loan
    made = {
        "need_id": loan.origin.need_id,
        "lender": loan.lender,
        "borrower": loan.borrower,
        "stands_still": review_records.is_standing_still(row),
    }
    plain = {name: getattr(row, name) for name in ReviewAnswer().fields if name not in made}
    return {**plain, **made}
