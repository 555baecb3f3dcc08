"""The officer's board of contract loans: firms, projects, amount; what is late, and who weighs how much."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext

from blueprints import labels
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import elements, paging
from market import contract_loan
from market.lending_vocabulary import Bucket
from market.report_vocabulary import LoanMark
from market.vocabulary import Capability, ContractStage
from services import contract_loan_board, contract_loan_figures
from services.contract_loan_board import ContractLoanRow, Which

ROLES = (Capability.OFFICER, Capability.AUDITOR)
SORTS: dict[str, Any] = {
    "newest": lambda row: row.contract.id,
    "financed": lambda row: row.drawn,
    "outstanding": lambda row: row.outstanding,
    "stage": lambda row: list(ContractStage).index(row.contract.stage),
}
COLUMNS = (
    Column(lazy_gettext("Contract")),
    Column(lazy_gettext("Title")),
    Column(lazy_gettext("Supplier")),
    Column(lazy_gettext("Supplier's credit code")),
    Column(lazy_gettext("Purchaser")),
    Column(lazy_gettext("Lender")),
    Column(lazy_gettext("Stage")),
    Column(lazy_gettext("First drawn"), Kind.DAY),
    Column(lazy_gettext("Contract amount"), Kind.MONEY),
    Column(lazy_gettext("Approved"), Kind.MONEY),
    Column(lazy_gettext("Financed"), Kind.MONEY),
    Column(lazy_gettext("Principal repaid"), Kind.MONEY),
    Column(lazy_gettext("Outstanding"), Kind.MONEY),
    Column(lazy_gettext("Owed by late loans"), Kind.MONEY),
    Column(lazy_gettext("Lateness")),
    Column(lazy_gettext("Room"), Kind.MONEY),
    Column(lazy_gettext("Purchaser paid"), Kind.MONEY),
    Column(lazy_gettext("Last payment due"), Kind.DAY),
    Column(lazy_gettext("Open alerts"), Kind.NUMBER),
    Column(lazy_gettext("What is particular")),
)
#: How many of the largest purchasers, lenders and firms are shown.
TOP = 5
_PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule("/contract-loans", view_func=contract_loans)


@allows(*ROLES)
def contract_loans() -> Any:
    """Show what the zone's contract loans come to, and the rows that any figure was counted from."""
    by, at = acting(), now()
    everything = contract_loan_board.list_rows(by, at)
    which = _read_which()
    rows = everything if which == Which() else contract_loan_board.list_rows(by, at, which)
    part = paging.asked(SORTS, "-newest")
    rows.sort(key=SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "contract-loans", request.args["export"], COLUMNS, [_cells(row) for row in rows]
        )
    whole = contract_loan_figures.sum_up(everything)
    running = [row for row in rows if row.is_live]
    stages = Counter(row.contract.stage for row in running)
    reached = [stage for stage in ContractStage if stages[stage]]
    return render_template(
        "officer/contract_loans.html",
        page=paging.slice_rows(rows, part),
        total=len(everything),
        figures=contract_loan_figures.sum_up(rows),
        whole=whole,
        top=TOP,
        marks=LoanMark,
        bucket_of=Bucket,
        running=len(running),
        stages=reached,
        stage_names=[str(labels.label(stage)) for stage in reached],
        commonest=str(labels.label(stages.most_common(1)[0][0])) if stages else "",
        stage_counts=[stages[stage] for stage in reached],
        all_stages=[
            stage for stage in ContractStage if contract_loan.has_reached(stage, ContractStage.CREDITED)
        ],
        periods=_list_periods(whole),
        lenders=[(str(row.lender.id), elements.named(row.lender)) for row in _list_lenders(everything)],
        purchasers=sorted(
            {(row.purchaser, row.contract.purchaser_name or row.purchaser) for row in everything}
        ),
    )


def _read_which() -> Which:
    asked = request.args
    period = asked.get("period", "")
    lender = asked.get("lender", "")
    return Which(
        period=period if _PERIOD.fullmatch(period) else "",
        lender_id=int(lender) if lender.isascii() and lender.isdigit() and len(lender) < 16 else None,
        purchaser=asked.get("purchaser", ""),
        firm=asked.get("firm", ""),
        stage=paging.chosen("stage", ContractStage),
        bucket=paging.chosen("bucket", Bucket),
        mark=paging.chosen("mark", LoanMark),
        search=asked.get("q", "")[:80],
    )


def _list_periods(whole: contract_loan_figures.Summary) -> list[tuple[str, str]]:
    """Return the years and the months in which something was drawn, the newest first."""
    months = [month.period for month in whole.months][::-1]
    years = sorted({month[:4] for month in months}, reverse=True)
    return [(one, one) for year in years for one in (year, *(m for m in months if m.startswith(year)))]


def _list_lenders(rows: list[ContractLoanRow]) -> list[ContractLoanRow]:
    found = {row.lender.id: row for row in rows}
    return sorted(found.values(), key=lambda row: row.lender.name_zh)


def _cells(row: ContractLoanRow) -> list[Any]:
    contract = row.contract
    return [
        contract.number,
        contract.title,
        contract.supplier_name,
        contract.supplier_code,
        contract.purchaser_name,
        elements.named(row.lender),
        contract.stage,
        row.financed_on,
        contract.amount,
        row.approved,
        row.drawn,
        row.repaid,
        row.outstanding,
        row.overdue,
        row.bucket,
        row.room,
        row.paid,
        contract.last_due_on,
        row.alerts,
        "; ".join(str(labels.label(state)) for state in row.states),
    ]
