"""The bank–finance-bureau interface, served: what happened in procurement, day by day or one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import request
from flask.views import MethodView
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.api import bureau_views as views
from blueprints.api.bureau_views import (
    AccountQuery,
    BureauAccount,
    BureauAward,
    BureauContract,
    BureauPayment,
    ContractQuery,
    DayQuery,
    RepaymentReportAnswer,
    RepaymentReportEntry,
)
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, page_of
from blueprints.bureau_labels import FIGURES
from market.errors import Code, Invalid, invalid
from market.vocabulary import Capability
from services import bureau, repayment_reports
from services.bureau import Window

bureau_routes = Blueprint(
    "bureau",
    __name__,
    "The exchange between banks and the finance bureau: awards, contracts, account changes and payments, and "
    "the repayment report. Institutions read what the supplier gave them leave to, and the contracts whose "
    "claim they hold; purchasers what they buy; the zone everything. Lists carry an `ETag`: a caller that "
    "sends it back as `If-None-Match` is answered 304 while nothing has changed.",
)

LENDER = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
READERS = (
    *LENDER,
    Capability.PURCHASER,
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)


@bureau_routes.after_request
def mark_version(response: Response) -> Response:
    """Let callers ask again and again for a day without being sent the same twice."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    answer = response.make_conditional(request)
    # The server says what time it is; an answer of a practice zone would say another than its clock.
    answer.headers.pop("Date", None)
    return answer


@bureau_routes.route("/bureau/awards")
class Awards(MethodView):
    """Award notices."""

    @bureau_routes.doc(operationId="listBureauAwards")
    @bureau_routes.arguments(DayQuery, location="query")
    @bureau_routes.response(200, page_of(BureauAward, "BureauAwardPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the award notices of a day or of a span of days."""
        found = bureau.list_awards(_window(query), **_asked(query))
        rows, following = views.page(found, query["limit"])
        return {"items": [views.show_award(row) for row in rows], "next": following}


@bureau_routes.route("/bureau/contracts")
class Contracts(MethodView):
    """Contracts."""

    @bureau_routes.doc(operationId="listBureauContracts")
    @bureau_routes.arguments(ContractQuery, location="query")
    @bureau_routes.response(200, page_of(BureauContract, "BureauContractPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the contracts published or updated on a day, or those of a number or a supplier.

        Give either `day`, or `number`, or `supplier_code`, or the last two together.
        """
        named = {name: query[name] for name in ("number", "supplier_code") if query.get(name)}
        if bool(named) is ("day" in query):
            raise invalid(Code.ONE_OF, None, choices=["day", "number", "supplier_code"])
        found = (
            bureau.find_contracts(**named, **_asked(query))
            if named
            else bureau.list_contracts(_window(query), **_asked(query))
        )
        rows, following = views.page(found, query["limit"])
        by = access.acting()
        claimed = bureau.list_claimed(by, [row.id for row in rows])
        return {
            "items": [views.show_contract(row, by=by, claimed=claimed) for row in rows],
            "next": following,
        }


@bureau_routes.route("/bureau/account-changes")
class AccountChanges(MethodView):
    """Locked accounts and their changes."""

    @bureau_routes.doc(operationId="listBureauAccountChanges")
    @bureau_routes.arguments(AccountQuery, location="query")
    @bureau_routes.response(200, page_of(BureauAccount, "BureauAccountPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """Say for the contracts of a number where payments must go, and how far a change of that is."""
        named = {"number": query["number"], "supplier_code": query.get("supplier_code") or None}
        rows, following = views.page(bureau.find_contracts(**named, **_asked(query)), query["limit"])
        by, ids = access.acting(), [row.id for row in rows]
        claimed, changes = bureau.list_claimed(by, ids), bureau.read_account_changes(ids)
        return {
            "items": [views.show_account(row, changes[row.id], by=by, claimed=claimed) for row in rows],
            "next": following,
        }


@bureau_routes.route("/bureau/payments")
class Payments(MethodView):
    """Purchasers' payments."""

    @bureau_routes.doc(operationId="listBureauPayments")
    @bureau_routes.arguments(DayQuery, location="query")
    @bureau_routes.response(200, page_of(BureauPayment, "BureauPaymentPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the purchasers' payments of a day; one without a date counts on the day it was recorded."""
        rows, following = views.page(bureau.list_payments(_window(query), **_asked(query)), query["limit"])
        by = access.acting()
        claimed = bureau.list_claimed(by, {row.contract_id for row in rows})
        return {
            "items": [views.show_payment(row, by=by, claimed=claimed) for row in rows],
            "next": following,
        }


@bureau_routes.route("/bureau/repayment-reports")
class RepaymentReports(MethodView):
    """Repayment reports of lenders."""

    @bureau_routes.doc(operationId="listRepaymentReports")
    @bureau_routes.arguments(Page, location="query")
    @bureau_routes.response(200, page_of(RepaymentReportAnswer, "RepaymentReportPage"))
    @allows(*LENDER, Capability.OFFICER, Capability.AUDITOR)
    def get(self, query: dict[str, Any]) -> Any:
        """List the reports: a lender its own, officers and auditors all of the zone."""
        found = repayment_reports.find_page(
            access.acting(), before_id=query.get("after"), most=query["limit"] + 1
        )
        rows, following = views.page(found, query["limit"])
        return {"items": [views.show_report(row) for row in rows], "next": following}

    @bureau_routes.doc(operationId="reportRepayment")
    @bureau_routes.arguments(RepaymentReportEntry)
    @bureau_routes.response(201, RepaymentReportAnswer)
    @allows(*LENDER)
    def post(self, data: dict[str, Any]) -> Any:
        """Report how one's financing on a contract stands.

        It is kept as sent and laid beside the loan book; `differences` lists where they do not agree. The
        same report sent again is the same row.
        """
        figures: dict[str, Any] = {name: data.get(said) for name, said in FIGURES.items()}
        entry = repayment_reports.Entry(
            contract_number=data["contract_number"],
            supplier_code=data["supplier_code"],
            bank_code=data.get("bank_code"),
            **figures,
        )
        try:
            row = repayment_reports.report(entry, by=access.acting(), now=access.now())
        except Invalid as error:
            # The exchange has its own names for the figures.
            said = (
                replace(fault, field=FIGURES.get(str(fault.field), fault.field)) for fault in error.faults
            )
            raise Invalid(*said) from error
        return views.show_report(row)


def _window(query: dict[str, Any]) -> Window:
    return Window(query["day"], query.get("until") or query["day"], query["basis"])


def _asked(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "by": access.acting(),
        "now": access.now(),
        "before_id": query.get("after"),
        "most": query["limit"] + 1,
    }
