"""Deals: what came of awards and what was closed elsewhere, for their borrower, their lender and the zone."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import allows
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import deal_changes, deal_money, elements, paging
from blueprints.web.deal_money import NUMBER
from blueprints.web.deal_view import LENDER, PAID_OUT, show
from blueprints.web.forms import Form
from market.calendar import local_date
from market.lending_vocabulary import Bucket, DealKind, RiskClass
from market.vocabulary import Capability, LoanState
from models.loan import Loan
from services import drawdowns, loan_records, loans, portfolio
from services.portfolio import Which

Answer = str | Response | tuple[str, int]
COLUMNS = (
    Column(lazy_gettext("Deal"), Kind.NUMBER),
    Column(lazy_gettext("Type")),
    Column(lazy_gettext("Firm")),
    Column(lazy_gettext("Credit code")),
    Column(lazy_gettext("Institution")),
    Column(lazy_gettext("Contract")),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("All-in annual cost"), Kind.RATE),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Outstanding"), Kind.MONEY),
    Column(lazy_gettext("Next payment"), Kind.DAY),
    Column(lazy_gettext("Next amount"), Kind.MONEY),
    Column(lazy_gettext("Overdue since"), Kind.DAY),
    Column(lazy_gettext("Days past due"), Kind.NUMBER),
    Column(lazy_gettext("Bucket")),
    Column(lazy_gettext("Class")),
    Column(lazy_gettext("Drawn on"), Kind.DAY),
)

page = Blueprint("deals", __name__)
deal_money.init(page)
deal_changes.init(page)


@page.get("/deals")
@allows(*Capability)
def deals() -> Answer:
    """List the deals the party is part of; filters, order and page stand in the address."""
    party = access.acting()
    today = local_date(access.now())
    which = read_filters()
    part = paging.asked(portfolio.ORDERS, "-newest")
    if request.args.get("export"):
        rows = portfolio.list_deals(party, which, order=part.order)
        return spreadsheet.respond(
            "deals", request.args["export"], COLUMNS, [list_cells(loan) for loan in rows]
        )
    rows = portfolio.list_deals(party, which, order=part.order, offset=part.offset, limit=part.size)
    found, all_of_it = portfolio.sum_up(party, which), portfolio.sum_up(party, Which())
    is_lender = party.may(*LENDER)
    keeps_book = is_lender or party.may(Capability.OFFICER, Capability.AUDITOR)
    waiting = drawdowns.list_waiting(party) if is_lender else []
    return render_template(
        "deals/list.html",
        page=paging.Page(rows, found.deals, part),
        total=all_of_it,
        upcoming={loan.id: loans.next_payment(loan, today) for loan in rows if loan.state in PAID_OUT},
        counts=portfolio.count_states(party),
        keeps_book=keeps_book,
        ageing=portfolio.read_ageing(party, Which(kind=which.kind)) if keeps_book else (),
        kinds=list(DealKind),
        buckets=list(Bucket),
        classes=list(RiskClass),
        is_out=PAID_OUT,
        waiting=[(row, loan_records.name_person(row.requested_by)) for row in waiting],
        may_confirm=drawdowns.may_confirm,
    )


@page.get(f"/deals/{NUMBER}")
@allows(*Capability)
def deals_show(loan_id: int) -> Answer:
    """Show one deal: what was agreed, the schedule as it stands, what happened, and what comes next."""
    return show(loan_id, Form())


def read_filters() -> Which:
    """Return which deals the address asks for."""
    return Which(
        kind=paging.chosen("kind", DealKind),
        state=paging.chosen("state", LoanState),
        bucket=paging.chosen("bucket", Bucket),
        risk_class=paging.chosen("class", RiskClass),
        is_late=request.args.get("late") == "1",
        search=request.args.get("q", "")[:80],
    )


def list_cells(loan: Loan) -> list[Any]:
    """Return a deal as a row of the file."""
    is_out = loan.state in PAID_OUT
    due = loans.next_payment(loan, date.min) if is_out else None
    return [
        loan.id,
        loan.kind,
        elements.named(loan.borrower),
        loan.borrower.credit_code,
        elements.named(loan.lender),
        loan.contract.number if loan.contract is not None else None,
        loan.principal,
        loan.months,
        loan.effective,
        loan.state,
        loan.outstanding,
        due.due_on if due is not None else None,
        due.amount if due is not None else None,
        loan.overdue_since,
        loan.days_past_due if is_out else None,
        loan.bucket if is_out else None,
        loan.risk_class if is_out else None,
        loan.drawn_on,
    ]
