"""What the officer watches: contract loans on their ladder, and the alerts to act on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints import alert_words, labels
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import elements, paging
from blueprints.web.forms import Form
from market import contract_loan
from market.vocabulary import AlertKind, Capability, ContractStage
from services import alerts, board_rows, users
from services.board_rows import ContractLoanRow

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
LOAN_SORTS: dict[str, Any] = {
    "newest": lambda row: row.financing.id,
    "financed": lambda row: row.financing.financed,
    "outstanding": lambda row: row.outstanding,
    "stage": lambda row: list(ContractStage).index(row.financing.contract.stage),
}
LOAN_COLUMNS = (
    Column(lazy_gettext("Contract")),
    Column(lazy_gettext("Title")),
    Column(lazy_gettext("Supplier")),
    Column(lazy_gettext("Purchaser")),
    Column(lazy_gettext("Lender")),
    Column(lazy_gettext("Stage")),
    Column(lazy_gettext("Contract amount"), Kind.MONEY),
    Column(lazy_gettext("Financed"), Kind.MONEY),
    Column(lazy_gettext("Purchaser paid"), Kind.MONEY),
    Column(lazy_gettext("Outstanding"), Kind.MONEY),
    Column(lazy_gettext("Last payment due"), Kind.DAY),
    Column(lazy_gettext("Open alerts"), Kind.NUMBER),
)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/contract-loans", view_func=contract_loans)
    page.add_url_rule("/alerts", view_func=alert_list, endpoint="alerts")
    page.add_url_rule(
        "/alerts/<int(max=2147483647):alert_id>/resolve",
        view_func=resolve_alert,
        methods=["POST"],
        endpoint="alerts_resolve",
    )


@allows(*ROLES)
def contract_loans() -> Answer:
    """Show the financed contracts of the zone with their rung, their money and their alerts."""
    stage = paging.chosen("stage", ContractStage)
    live = {"live": True, "ended": False}.get(request.args.get("state", ""))
    search = request.args.get("q", "")[:80]
    everything = board_rows.list_contract_loans(acting())
    rows = board_rows.list_contract_loans(acting(), stage=stage, live=live, search=search)
    if request.args.get("alerts") == "1":
        rows = [row for row in rows if row.alerts]
    part = paging.asked(LOAN_SORTS, "-newest")
    rows.sort(key=LOAN_SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "contract-loans", request.args["export"], LOAN_COLUMNS, [_cells(row) for row in rows]
        )
    running = [row for row in everything if row.financing.ended_at is None]
    stages = Counter(row.financing.contract.stage for row in running)
    reached = [stage for stage in ContractStage if stages[stage]]
    return Form().page(
        "officer/contract_loans.html",
        page=paging.slice_rows(rows, part),
        total=len(everything),
        live=len(running),
        financed=sum(row.financing.financed for row in running),
        outstanding=sum(row.outstanding for row in running),
        watched=sum(1 for row in everything if row.alerts),
        stages=reached,
        stage_names=[str(labels.label(stage)) for stage in reached],
        commonest=str(labels.label(stages.most_common(1)[0][0])) if stages else "",
        stage_counts=[stages[stage] for stage in reached],
        all_stages=[
            stage for stage in ContractStage if contract_loan.has_reached(stage, ContractStage.CREDITED)
        ],
    )


@allows(*ROLES)
def alert_list() -> Answer:
    """Show what must be looked at, or what was resolved and how."""
    return _show_alerts(Form(), None)


@allows(Capability.OFFICER)
def resolve_alert(alert_id: int) -> Answer:
    """Close an alert with a word of what was done."""
    form = Form(request.form, labels={"resolution": gettext("What was done")})
    alert = form.run(
        alerts.resolve, alert_id, form.text("resolution", most=300) or "", by=acting(), now=now()
    )
    if alert is None:
        return _show_alerts(form, alert_id)
    flash(gettext("The alert is resolved, and what was done is on record."), "done")
    return redirect(url_for("officer.alerts"), 303)


def _show_alerts(form: Form, faulty: int | None) -> Answer:
    by = acting()
    resolved = request.args.get("view") == "resolved"
    kind = paging.chosen("kind", AlertKind)
    still_open = alerts.list_open(by)
    found = alerts.list_resolved(by) if resolved else still_open
    rows = [row for row in found if kind is None or row.kind is kind]
    part = paging.asked({"newest"}, "newest")
    shown = paging.slice_rows(rows, part)
    closers = {row.resolved_by for row in shown.rows if row.resolved_by is not None}
    people = {user_id: users.find(user_id) for user_id in closers}
    return form.page(
        "officer/alerts.html",
        page=shown,
        faulty=faulty,
        resolved=resolved,
        open_count=len(still_open),
        kind=kind,
        people=people,
        subjects=alerts.read_subjects(shown.rows),
        say=alert_words.alert,
    )


def _cells(row: ContractLoanRow) -> list[Any]:
    contract = row.financing.contract
    return [
        contract.number,
        contract.title,
        contract.supplier_name,
        contract.purchaser_name,
        elements.named(row.financing.lender),
        contract.stage,
        contract.amount,
        row.financing.financed,
        row.paid,
        row.outstanding,
        contract.last_due_on,
        row.alerts,
    ]
