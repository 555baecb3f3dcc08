"""What a lender does with a loan that runs: drawdowns of two people, changes, previews, taking back."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.loan_books import BookAnswer, DrawdownRequestAnswer, show_book, show_drawdown
from blueprints.api.loans import LENDER, LoanDetail, loan_routes, show_whole
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Body
from market.ledger.events import Event
from market.lending_vocabulary import Account, LoanEventKind
from market.vocabulary import Capability, Repayment
from models.base import db
from models.loan import Loan as Row
from services import drawdowns, loan_changes, loans


class DrawdownRefusal(Body):
    """Why a drawdown is not paid out."""

    why = fields.Text(most=300, required=True)


class Release(Body):
    """On what the undrawn rest is given up."""

    evidence = fields.Text("Reference to the paper.", most=300, load_default="")


class LoanChangePlan(Body):
    """One change of a loan. What a kind needs beside its day:

    - `rate_reset`: `rate`;
    - `extension`: `months` that are added;
    - `restructuring`: any of `rate`, `months` (from the day on), `repayment`; with `capitalise` what is
      overdue becomes principal;
    - `waiver`: `amount`, `account` (`fees_due`, `penalty_due`, `interest_due` or `principal`);
    - `charge`: `amount`, `account` (`fees_due`, the usual, or `penalty_due`);
    - `pause`: `until`, the last day that does not count as late, or nothing: until further notice;
    - `write_off`: nothing.
    """

    kind = fields.Word(LoanEventKind, "One of the kinds above.", required=True)
    on = fields.Day("The day it counts from: today or earlier.", required=True)
    rate = fields.Rate("Per year.")
    months = fields.Whole(least=1, most=360)
    repayment = fields.Word(Repayment)
    capitalise = fields.Flag()
    account = fields.Word(Account)
    amount = fields.Money()
    until = fields.Day()


class LoanChange(LoanChangePlan):
    """A change of a loan, and what it rests on."""

    evidence = fields.Text("The agreement or decision.", most=loan_changes.MOST_EVIDENCE, required=True)


class Undoing(Body):
    """Why an event is taken back."""

    evidence = fields.Text("The reason.", most=loan_changes.MOST_EVIDENCE, required=True)


@loan_routes.route("/drawdowns")
class Drawdowns(MethodView):
    """Drawdowns that wait."""

    @loan_routes.doc(operationId="listWaitingDrawdowns")
    @loan_routes.arguments(Page, location="query")
    @loan_routes.response(200, page_of(DrawdownRequestAnswer, "DrawdownPage"))
    @allows(*LENDER)
    def get(self, query: dict[str, Any]) -> Any:
        """List the drawdowns of the caller's institution that wait for a second person."""
        page = cut(drawdowns.list_waiting(access.acting()), query)
        return {**page, "items": [show_drawdown(row) for row in page["items"]]}


@loan_routes.route(f"/drawdowns/<{fields.ID}:drawdown_id>/confirm")
class DrawdownConfirmation(MethodView):
    """The second person's yes."""

    @loan_routes.doc(operationId="confirmDrawdown")
    @loan_routes.response(200, LoanDetail)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, drawdown_id: int) -> Any:
        """Confirm, as another person than the one who asked, that a drawdown is paid out."""
        return show_whole(drawdowns.confirm(drawdown_id, by=access.acting(), now=access.now()))


@loan_routes.route(f"/drawdowns/<{fields.ID}:drawdown_id>/refuse")
class DrawdownTurnedDown(MethodView):
    """The second person's no."""

    @loan_routes.doc(operationId="refuseDrawdown")
    @loan_routes.arguments(DrawdownRefusal)
    @loan_routes.response(200, DrawdownRequestAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any], drawdown_id: int) -> Any:
        """Turn a waiting drawdown down, or take one's own back; it can be asked for anew."""
        by = access.acting()
        return show_drawdown(drawdowns.refuse(drawdown_id, data["why"], by=by, now=access.now()))


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/release")
class LoanRelease(MethodView):
    """Giving up the rest."""

    @loan_routes.doc(operationId="releaseLoan")
    @loan_routes.arguments(Release)
    @loan_routes.response(200, LoanDetail)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Give up what was approved and will not be drawn any more; limits get their room back."""
        return show_whole(drawdowns.release(loan_id, **data, by=access.acting(), now=access.now()))


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/changes")
class LoanChanges(MethodView):
    """Changing."""

    @loan_routes.doc(operationId="changeLoan")
    @loan_routes.arguments(LoanChange)
    @loan_routes.response(201, LoanDetail)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Record one change of a loan: rate, end, terms, waiver, fee, pause or write-off.

        Whatever came after its day is worked out anew.
        """
        evidence = data.pop("evidence")
        loan_changes.record(loan_id, _read(data), evidence, by=access.acting(), now=access.now())
        return show_whole(db.session.get_one(Row, loan_id))


@loan_routes.route(f"/loans/<{fields.ID}:loan_id>/changes/preview")
class LoanChangePreview(MethodView):
    """Looking ahead."""

    @loan_routes.doc(operationId="previewLoanChange")
    @loan_routes.arguments(LoanChangePlan)
    @loan_routes.response(200, BookAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], loan_id: int) -> Any:
        """Return the book as it would be with a change; nothing is stored."""
        return show_book(loan_changes.preview(loan_id, _read(data), by=access.acting(), now=access.now()))


@loan_routes.route(f"/loan-events/<{fields.ID}:event_id>/undo")
class EventUndoing(MethodView):
    """Taking back."""

    @loan_routes.doc(operationId="undoLoanEvent")
    @loan_routes.arguments(Undoing)
    @loan_routes.response(200, LoanDetail)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, data: dict[str, Any], event_id: int) -> Any:
        """Take an event of a loan back, whenever it was: it stays on record, the book is as if without it.

        A purchaser's payment is resolved where it was recorded, and a release stays.
        """
        undone = loan_changes.undo(event_id, data["evidence"], by=access.acting(), now=access.now())
        return show_whole(loans.find(undone.loan_id, by=access.acting()))


@loan_routes.route(f"/loan-events/<{fields.ID}:event_id>/undo/preview")
class EventUndoPreview(MethodView):
    """Looking at the book without an event."""

    @loan_routes.doc(operationId="previewLoanEventUndo")
    @loan_routes.response(200, BookAnswer)
    @allows(Capability.INSTITUTION_APPROVER)
    def post(self, event_id: int) -> Any:
        """Return the book as it would be without an event; nothing is stored."""
        return show_book(loan_changes.preview_undo(event_id, by=access.acting(), now=access.now()))


def _read(data: dict[str, Any]) -> Event:
    """Return the change that a body describes; a fee is meant where a charge does not say of what."""
    if data["kind"] is LoanEventKind.CHARGE:
        data.setdefault("account", Account.FEES_DUE)
    return Event(number=0, **data)
