"""Lenders' monthly reports on contract loans: the draft from the book, handing in, who has and has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from market.vocabulary import Capability
from models.lender_report import LenderReport as Row
from services import lender_reports

report_routes = Blueprint("lender_reports", __name__, "Lenders' monthly reports on contract loans.")

WATCHERS = (Capability.OFFICER, Capability.AUDITOR)


class ReportRow(Answer):
    """A deal that was paid out in the month, whole or in a tranche."""

    loan_id = fields.Count()
    contract_number = fields.Said()
    supplier_name = fields.Said(allow_none=True)
    supplier_code = fields.Said(allow_none=True)
    purchaser_name = fields.Said(allow_none=True)
    financed_on = fields.Said("First paid out in the month.")
    amount = fields.Money("What the month brought.")
    ends_on = fields.Said(allow_none=True)
    rate = fields.Said("Contract rate a year.", allow_none=True)
    effective = fields.Said("All-in annual cost.", allow_none=True)
    returned = fields.Money("Principal that came back by the month's end.")
    last_paid_on = fields.Said(allow_none=True)


class ReportTotals(Answer):
    """Sums of the rows; and of all contract loans what came back in the month and is owed at its end."""

    deals = fields.Count()
    firms = fields.Count("Distinct firms.")
    amount = fields.Money()
    returned = fields.Money()
    came_back = fields.Money()
    running = fields.Count("Contract loans that owe principal.")
    outstanding = fields.Money()


class DraftAnswer(Answer):
    """A month's report as the lender's book has it now."""

    month = fields.Said(metadata={"example": "2026-10"})
    deadline = fields.Day()
    seal = fields.Said("SHA-256 of the figures; handed in with them.")
    rows = fields.Many(fields.Part(ReportRow), most=10_000)
    totals = fields.Part(ReportTotals)


class LenderReportAnswer(Answer):
    """A report as it was handed in; the one that is not superseded stands."""

    id = fields.Count()
    lender = fields.Part(OrganisationBrief)
    month = fields.Said()
    number = fields.Count("1, and 2 and more for corrections.")
    reason = fields.Said("Of a correction.", allow_none=True)
    seal = fields.Said()
    submitted_at = fields.Moment()
    superseded_at = fields.Moment(allow_none=True)
    rows = fields.Many(fields.Part(ReportRow), most=10_000)
    totals = fields.Part(ReportTotals)


class LenderReports(Answer):
    """Reports on a month, by lender and number."""

    items = fields.Many(fields.Part(LenderReportAnswer), most=10_000)


class LenderStandingAnswer(Answer):
    """Whether a lender that has to report on a month has."""

    lender = fields.Part(OrganisationBrief)
    deadline = fields.Day()
    report_id = fields.Count("None: not handed in.", allow_none=True)
    is_late = fields.Flag("Handed in after the deadline, or missing since.")


class LenderStandings(Answer):
    """Lenders that have to report on a month; those that have not first."""

    items = fields.Many(fields.Part(LenderStandingAnswer), most=10_000)


class MonthQuery(Body):
    """Of which month."""

    month = fields.Text("As `2026-10`.", most=7, required=True)


class ReportEntry(MonthQuery):
    """What is handed in."""

    seal = fields.Text("The `seal` of the draft that was checked.", most=64, required=True)
    reason = fields.Text("Why, of a correction.", most=lender_reports.REASON_MOST, load_default="")


@report_routes.route("/contract-reports/draft")
class ReportDraft(MethodView):
    """The draft."""

    @report_routes.doc(operationId="getContractReportDraft")
    @report_routes.arguments(MonthQuery, location="query")
    @report_routes.response(200, DraftAnswer)
    @allows(*lender_reports.LENDER)
    def get(self, query: dict[str, Any]) -> Any:
        """Return a month's report as the caller's book has it."""
        draft = lender_reports.prefill(query["month"], by=access.acting(), now=access.now())
        plain = {"month": draft.month, "deadline": draft.deadline, "seal": draft.seal}
        return {**plain, **_show_figures(draft.figures)}


@report_routes.route("/contract-reports")
class ContractReports(MethodView):
    """Reports on a month."""

    @report_routes.doc(operationId="listContractReports")
    @report_routes.arguments(MonthQuery, location="query")
    @report_routes.response(200, LenderReports)
    @allows(*lender_reports.LENDER, *WATCHERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List the reports on a month with corrections: the caller's own, for officers everybody's."""
        return {
            "items": [show(row) for row in lender_reports.list_reports(query["month"], by=access.acting())]
        }

    @report_routes.doc(operationId="submitContractReport")
    @report_routes.arguments(ReportEntry)
    @report_routes.response(201, LenderReportAnswer)
    @allows(*lender_reports.LENDER)
    def post(self, data: dict[str, Any]) -> Any:
        """Hand a report in as the draft has it; a second one is a correction with its reason."""
        return show(lender_reports.submit(**data, by=access.acting(), now=access.now()))


@report_routes.route("/contract-reports/standings")
class ReportStandings(MethodView):
    """Who has reported."""

    @report_routes.doc(operationId="listContractReportStandings")
    @report_routes.arguments(MonthQuery, location="query")
    @report_routes.response(200, LenderStandings)
    @allows(*WATCHERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List who had to report on a month, and whether each has."""
        found = lender_reports.list_month(query["month"], by=access.acting(), now=access.now())
        return {
            "items": [
                {
                    "lender": one.lender,
                    "deadline": one.deadline,
                    "report_id": one.report.id if one.report is not None else None,
                    "is_late": one.is_late,
                }
                for one in found
            ]
        }


def show(row: Row) -> dict[str, Any]:
    """Return a report in the shape of ``LenderReportAnswer``."""
    figures = _show_figures(row.figures)
    return {
        **{name: getattr(row, name) for name in LenderReportAnswer().fields if name not in figures},
        **figures,
    }


def _show_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {"rows": figures["rows"], "totals": figures["totals"]}
