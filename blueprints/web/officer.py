"""The officer's board: figures that are true, each with the rows behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.wrappers import Response

from blueprints import alert_words, labels
from blueprints.access import acting, allows, current_zone, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import (
    elements,
    need_words,
    officer_admissions,
    officer_bureau,
    officer_contract_loans,
    officer_early_openings,
    officer_frameworks,
    officer_imports,
    officer_justifications,
    officer_members,
    officer_outages,
    officer_overdue,
    officer_reference,
    officer_rounds,
    officer_surveillance,
    officer_watch,
    paging,
)
from market.calendar import local_date
from market.errors import not_found
from market.vocabulary import AwardState, Capability, NeedState, OfferKind, Purpose, Security
from models.loan import Loan
from models.need import Need
from models.zone import Zone
from services import (
    admissions,
    alerts,
    board,
    board_rows,
    comparisons,
    contracts,
    desk,
    lpr,
    needs,
    questions,
)
from services.board_rows import LoanFigure, NeedFigure, NeedRow
from services.comparisons import Comparison

Answer = str | Response | tuple[str, int]

ROLES = (Capability.OFFICER, Capability.AUDITOR)
MONTHS_SHOWN = 12
ALERTS_SHOWN = 5

NEED_SORTS: dict[str, Callable[[NeedRow], Any]] = {
    "number": lambda row: row.need.id,
    "amount": lambda row: row.need.amount,
    "closes": lambda row: row.need.closes_at,
    "answers": lambda row: -1 if row.answers is None else row.answers,
    "cost": lambda row: (row.best is None, row.best or 0),
}
LOAN_SORTS: dict[str, Callable[[Loan], Any]] = {
    "number": lambda loan: loan.id,
    "amount": lambda loan: loan.principal,
    "cost": lambda loan: loan.effective,
    "outstanding": lambda loan: loan.outstanding,
}
NEED_COLUMNS = (
    Column(lazy_gettext("Need"), Kind.NUMBER),
    Column(lazy_gettext("Firm")),
    Column(lazy_gettext("Credit code")),
    Column(lazy_gettext("Purpose")),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Institutions that answered"), Kind.NUMBER),
    Column(lazy_gettext("Best annual cost"), Kind.RATE),
    Column(lazy_gettext("Published"), Kind.MOMENT),
    Column(lazy_gettext("Closes at"), Kind.MOMENT),
)
LOAN_COLUMNS = (
    Column(lazy_gettext("Deal"), Kind.NUMBER),
    Column(lazy_gettext("Firm")),
    Column(lazy_gettext("Institution")),
    Column(lazy_gettext("Product")),
    Column(lazy_gettext("Security")),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("All-in annual cost"), Kind.RATE),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Outstanding"), Kind.MONEY),
    Column(lazy_gettext("Approved"), Kind.MOMENT),
    Column(lazy_gettext("Drawn on"), Kind.DAY),
    Column(lazy_gettext("Overdue since"), Kind.DAY),
)
NEED_FIGURES = {
    NeedFigure.CLOSED: lazy_gettext("Bidding is over"),
    NeedFigure.ANSWERED: lazy_gettext("Answered at least once"),
    NeedFigure.THREE_BIDS: lazy_gettext("Three institutions or more"),
    NeedFigure.UNANSWERED: lazy_gettext("Nobody answered"),
    NeedFigure.CLOSING_SOON: lazy_gettext("Closing within 24 hours"),
}
LOAN_FIGURES = {
    LoanFigure.DRAWN: lazy_gettext("Drawn"),
    LoanFigure.OUTSTANDING: lazy_gettext("Still owed"),
    LoanFigure.UNSECURED: lazy_gettext("Unsecured"),
    LoanFigure.OVERDUE: lazy_gettext("Overdue"),
    LoanFigure.CONTRACT: lazy_gettext("Contract loans"),
    LoanFigure.ELSEWHERE: lazy_gettext("Closed off the platform"),
}
#: The funnel's steps, short enough for the axis of a chart.
STEPS = {
    "published": lazy_gettext("Published"),
    "answered": lazy_gettext("Answered"),
    "three_bids": lazy_gettext("Three or more"),
    "awarded": lazy_gettext("Deals"),
    "drawn": lazy_gettext("Drawn"),
}

page = Blueprint("officer", __name__)
officer_rounds.init(page)
officer_watch.init(page)
officer_contract_loans.init(page)
officer_early_openings.init(page)
officer_justifications.init(page)
officer_members.init(page)
officer_admissions.init(page)
officer_frameworks.init(page)
officer_reference.init(page)
officer_outages.init(page)
officer_imports.init(page)
officer_overdue.init(page)
officer_surveillance.init(page)
officer_bureau.init(page)


@page.get("/board", endpoint="board")
@allows(*ROLES)
def show_board() -> Answer:
    """Show the zone on one page: what waits, the key figures, the funnel, the price and who answers."""
    by, zone = acting(), zone_of_party()
    today = local_date(now())
    figures, funnel = board.read_figures(zone.id), board.read_funnel(zone.id)
    months = board.read_months(zone.id, today, MONTHS_SHOWN)
    base = lpr.read_table().row(today)
    open_alerts = alerts.list_open(by)
    priced = [month for month in months if month.effective is not None]
    return render_template(
        "officer/board.html",
        say=alert_words.alert,
        zone=zone,
        figures=figures,
        base=base,
        over_lpr=None if figures.effective is None else figures.effective - base.one_year,
        funnel=funnel,
        step_names=[str(STEPS[step.name]) for step in funnel],
        months=months,
        month_names=[f"{month.month:%Y-%m}" for month in months],
        latest=priced[-1] if priced else None,
        responses=board.read_responses(zone.id),
        alerts=open_alerts[:ALERTS_SHOWN],
        subjects=alerts.read_subjects(open_alerts[:ALERTS_SHOWN]),
        alert_count=len(open_alerts),
        pending=contracts.list_pending_steps(by),
        ending=admissions.list_ending(by=by, now=now()),
        closing=board_rows.list_needs(by, now(), figure=NeedFigure.CLOSING_SOON),
        need_figures=NeedFigure,
        loan_figures=LoanFigure,
        **officer_rounds.clock_choices(zone),
    )


@page.get("/board/needs", endpoint="board_needs")
@allows(*ROLES)
def list_needs() -> Answer:
    """Show the needs behind the figures; filters and order stand in the address."""
    state, purpose = paging.chosen("state", NeedState), paging.chosen("purpose", Purpose)
    figure = paging.chosen("figure", NeedFigure)
    rows = board_rows.list_needs(
        acting(), now(), state=state, purpose=purpose, figure=figure, search=request.args.get("q", "")[:80]
    )
    part = paging.asked(NEED_SORTS, "-number")
    rows.sort(key=NEED_SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "needs", request.args["export"], NEED_COLUMNS, [_need_cells(row) for row in rows]
        )
    return render_template(
        "officer/needs.html",
        page=paging.slice_rows(rows, part),
        amount=sum(row.need.amount for row in rows),
        firms=len({row.need.organisation_id for row in rows}),
        states=[state for state in NeedState if state is not NeedState.DRAFT],
        figures=[(figure.value, words) for figure, words in NEED_FIGURES.items()],
    )


@page.get("/board/needs/<int(max=2147483647):need_id>", endpoint="board_need")
@allows(*ROLES)
def show_need(need_id: int) -> Answer:
    """Show one need from posting to money; offers only after the opening."""
    by = acting()
    need = needs.find(need_id, by=by)
    comparison = comparisons.compare(need_id, by=by)
    loan = desk.find_loan(comparison.award) if comparison.award is not None else None
    return render_template(
        "officer/need.html",
        need=need,
        comparison=comparison,
        loan=loan,
        bidding=need_words.describe_bidding(need),
        changes=need_words.describe_changes(need.id),
        story=_tell(need, comparison, loan),
        questions=questions.list_for(need_id, by=by),
        securities=labels.label_all(Security, need.securities),
        accepts=labels.label_all(OfferKind, need.accepts),
    )


@page.get("/board/deals", endpoint="board_deals")
@allows(*ROLES)
def list_deals() -> Answer:
    """Show the deals behind the figures; filters and order stand in the address."""
    figure = paging.chosen("figure", LoanFigure)
    month = request.args.get("month", "")[:7]
    rows = board_rows.list_loans(acting(), figure=figure, month=month, search=request.args.get("q", "")[:80])
    part = paging.asked(LOAN_SORTS, "-number")
    rows.sort(key=LOAN_SORTS[part.sort], reverse=part.descending)
    if request.args.get("export"):
        return spreadsheet.respond(
            "deals", request.args["export"], LOAN_COLUMNS, [_loan_cells(loan) for loan in rows]
        )
    return render_template(
        "officer/deals.html",
        page=paging.slice_rows(rows, part),
        total=board_rows.sum_up(rows),
        figures=[(figure.value, words) for figure, words in LOAN_FIGURES.items()],
        months=[
            (f"{month.month:%Y-%m}", f"{month.month:%Y-%m}")
            for month in reversed(board.read_months(acting().zone_id, local_date(now()), MONTHS_SHOWN))
        ],
    )


def zone_of_party() -> Zone:
    """Return the zone the officer acts in."""
    zone = current_zone()
    if zone is None:
        raise not_found("zone", acting().zone_id)
    return zone


def _tell(need: Need, comparison: Comparison, loan: Loan | None) -> list[dict[str, Any]]:
    """Return what happened to a need and what comes, for its timeline."""
    award = comparison.award
    story: list[dict[str, Any]] = [{"title": gettext("Published"), "when": need.published_at}]
    if need.state is NeedState.OPEN:
        story.append({"title": gettext("Bidding closes"), "when": need.closes_at, "state": "now"})
        return story
    if need.closed_at is not None:
        count = len(comparison.ranked) + len(comparison.apart)
        opened = ngettext("%(num)s bid opened", "%(num)s bids opened", count)
        story.append({"title": opened, "when": need.closed_at})
    if award is not None:
        story.append({"title": gettext("Accepted by the firm"), "when": award.accepted_at})
        if award.state is AwardState.AWAITING_CONFIRMATION:
            story.append({"title": gettext("A second person of the firm must confirm"), "state": "now"})
    elif need.state is NeedState.CLOSED:
        story.append({"title": gettext("The firm decides until"), "when": need.accept_until, "state": "now"})
    if need.state in {NeedState.UNSUCCESSFUL, NeedState.WITHDRAWN}:
        story.append({"title": str(labels.label(need.state)), "state": "done"})
    if loan is not None:
        story.append({"title": gettext("Deal approved"), "when": loan.approved_at})
        drawn = {"title": gettext("Money drawn"), "when": loan.drawn_on}
        story.append(drawn if loan.drawn_on is not None else {**drawn, "state": "next"})
        if loan.overdue_since is not None:
            story.append({"title": gettext("Overdue"), "when": loan.overdue_since, "state": "danger"})
        if loan.repaid_on is not None:
            story.append({"title": gettext("Repaid"), "when": loan.repaid_on})
    return story


def _need_cells(row: NeedRow) -> list[Any]:
    need = row.need
    return [
        need.id,
        elements.named(need.organisation),
        need.organisation.credit_code,
        need.purpose,
        need.amount,
        need.months,
        need.state,
        row.answers,
        row.best,
        need.published_at,
        need.closes_at,
    ]


def _loan_cells(loan: Loan) -> list[Any]:
    product = loan.award.bid.product if loan.award is not None else None
    return [
        loan.id,
        elements.named(loan.borrower),
        elements.named(loan.lender),
        elements.named(product) if product is not None else None,
        product.security if product is not None else None,
        loan.principal,
        loan.months,
        loan.effective,
        loan.state,
        loan.outstanding,
        loan.approved_at,
        loan.drawn_on,
        loan.overdue_since,
    ]
