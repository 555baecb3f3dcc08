"""The officer's list of overdue deals of the zone, whoever lent, and its file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request

from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.web import deals, paging
from market.calendar import local_date
from market.lending_vocabulary import Bucket, DealKind, RiskClass
from market.vocabulary import Capability
from models.loan import Loan
from services import loan_book, portfolio
from services.portfolio import Which

Answer = Any


def init(page: Blueprint) -> None:
    """Add the address to the officer's blueprint."""
    page.add_url_rule("/overdue", view_func=overdue)


@allows(Capability.OFFICER, Capability.AUDITOR)
def overdue() -> Answer:
    """Show the deals that owe what was due; filters and order stand in the address."""
    by, today = acting(), local_date(now())
    which = replace(deals.read_filters(), is_late=True)
    part = paging.asked(portfolio.ORDERS, "-late")
    if request.args.get("export"):
        rows = portfolio.list_deals(by, which, order=part.order)
        return spreadsheet.respond(
            "overdue", request.args["export"], deals.COLUMNS, [deals.list_cells(loan) for loan in rows]
        )
    rows = portfolio.list_deals(by, which, order=part.order, offset=part.offset, limit=part.size)
    return render_template(
        "officer/overdue.html",
        page=paging.Page(rows, portfolio.sum_up(by, which).deals, part),
        total=portfolio.sum_up(by, Which(is_late=True)),
        out=portfolio.sum_up(by, Which()).outstanding,
        open={loan.id: _sum_overdue(loan, today) for loan in rows},
        ageing=portfolio.read_ageing(by, Which(kind=which.kind, is_late=True)),
        kinds=list(DealKind),
        buckets=list(Bucket),
        classes=list(RiskClass),
    )


def _sum_overdue(loan: Loan, today: date) -> int:
    """Return what was due before today and is not paid, in fen."""
    lines = (line for line in loan.instalments if line.due_on is not None and line.due_on < today)
    return sum(loan_book.count_open(line) for line in lines)
