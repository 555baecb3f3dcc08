"""Lenders' monthly reports on contract loans: checked and handed in by the lender, watched by the officer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import elements
from blueprints.web.forms import Form
from market import reporting
from market.calendar import local_date
from market.vocabulary import Capability
from models.lender_report import LenderReport
from services import lender_reports

Answer = str | Response | tuple[str, int]
LENDER = lender_reports.LENDER
WATCHERS = (Capability.OFFICER, Capability.AUDITOR)
MONTH = "<month>"

#: The columns of a report, as the interface between banks and finance bureaus names them.
COLUMNS = (
    Column(lazy_gettext("Contract number")),
    Column(lazy_gettext("Supplier")),
    Column(lazy_gettext("Supplier's credit code")),
    Column(lazy_gettext("Purchaser")),
    Column(lazy_gettext("Financed on"), Kind.DAY),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Ends on"), Kind.DAY),
    Column(lazy_gettext("Annual rate"), Kind.RATE),
    Column(lazy_gettext("All-in annual cost"), Kind.RATE),
    Column(lazy_gettext("Returned"), Kind.MONEY),
    Column(lazy_gettext("Last paid on"), Kind.DAY),
)
#: What stands before them where the reports of all lenders are in one list.
WHOSE = (
    Column(lazy_gettext("Month")),
    Column(lazy_gettext("Lender")),
    Column(lazy_gettext("Lender's credit code")),
    Column(lazy_gettext("Handed in"), Kind.MOMENT),
    Column(lazy_gettext("Corrections"), Kind.NUMBER),
)

page = Blueprint("lender_reports", __name__)


@page.get("/contract-reports", endpoint="reports")
@allows(*LENDER)
def list_own() -> Answer:
    """List the months an institution has to report on, with what it handed in."""
    return render_template(
        "reports/list.html", standings=lender_reports.list_own(acting(), now()), today=local_date(now())
    )


@page.get(f"/contract-reports/{MONTH}", endpoint="reports_show")
@allows(*LENDER)
def show(month: str) -> Answer:
    """Show a month's report as the book has it, and what was handed in before; or hand it out as a file."""
    return _show(month, Form())


@page.post(f"/contract-reports/{MONTH}", endpoint="reports_submit")
@allows(*LENDER)
def submit(month: str) -> Answer:
    """Hand the report in as it was shown, or a correction of it with its reason."""
    form = Form(request.form)
    report = form.run(
        lender_reports.submit,
        month,
        form.text("seal", most=64),
        reason=form.text("reason", required=False, most=lender_reports.REASON_MOST) or "",
        by=acting(),
        now=now(),
    )
    if report is None:
        return _show(month, form)
    flash(gettext("The report for %(month)s is handed in.", month=month), "done")
    return redirect(url_for("lender_reports.reports"), 303)


@page.get("/contract-reports/received", endpoint="received")
@allows(*WATCHERS)
def list_received() -> Answer:
    """Show who has reported on a month and who has not; all rows of all lenders as a file."""
    by, today = acting(), local_date(now())
    months = reporting.list_months(today, lender_reports.MONTHS_SHOWN)
    asked = request.args.get("month", "")
    month = asked if asked in months else months[0]
    standings = lender_reports.list_month(month, by=by, now=now())
    if request.args.get("export"):
        rows = [
            [
                month,
                elements.named(one.lender),
                one.lender.credit_code,
                one.report.submitted_at,
                one.report.number - 1,
                *cells(row),
            ]
            for one in standings
            if one.report is not None
            for row in one.report.figures["rows"]
        ]
        return spreadsheet.respond(
            f"contract-reports-{month}", request.args["export"], (*WHOSE, *COLUMNS), rows
        )
    return render_template(
        "reports/received.html",
        standings=standings,
        month=month,
        months=[(one, one) for one in months],
        deadline=reporting.find_deadline(month),
        today=today,
    )


def cells(row: Mapping[str, Any]) -> list[Any]:
    """Return a row of a report as the cells of ``COLUMNS``."""
    return [
        row["contract_number"],
        row["supplier_name"],
        row["supplier_code"],
        row["purchaser_name"],
        date.fromisoformat(row["financed_on"]),
        row["amount"],
        _day(row["ends_on"]),
        _rate(row["rate"]),
        _rate(row["effective"]),
        row["returned"],
        _day(row["last_paid_on"]),
    ]


def _show(month: str, form: Form) -> Answer:
    by = acting()
    draft = lender_reports.prefill(month, by=by, now=now())
    reports: list[LenderReport] = lender_reports.list_reports(month, by=by)
    if request.args.get("export"):
        rows = [cells(row) for row in draft.figures["rows"]]
        return spreadsheet.respond(f"contract-report-{month}", request.args["export"], COLUMNS, rows)
    return form.page(
        "reports/show.html",
        draft=draft,
        rows=[cells(row) for row in draft.figures["rows"]],
        reports=reports,
        is_changed=bool(reports) and reports[-1].seal != draft.seal,
        today=local_date(now()),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _rate(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
