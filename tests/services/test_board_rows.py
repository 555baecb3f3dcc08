"""Rows behind figures: whoever counts them comes to the same figure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from flask import Flask

from market.vocabulary import NeedState
from services import board, board_rows
from services.board_rows import LoanFigure, NeedFigure
from services.sealing import Sealer
from tests.blueprints.web.market_stall import make_deal, make_stall
from tests.factories import make_need, make_officer, place_bid


def test_each_figure_counts_the_rows_it_leads_to(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    officer = make_officer(now=now)
    _, _, later = make_deal(stall, now, sealer)
    make_need(stall.maker, now=later)
    figures = board.read_figures(officer.zone_id)

    def count(figure: NeedFigure | None = None, **filters: NeedState) -> int:
        return len(board_rows.list_needs(officer, later, figure=figure, **filters))

    deals = board_rows.sum_up(board_rows.list_loans(officer))
    assert (figures.needs, figures.open_needs) == (count(), count(state=NeedState.OPEN))
    assert figures.answered_share == Decimal(count(NeedFigure.ANSWERED)) / count(NeedFigure.CLOSED)
    assert figures.three_bids_share == Decimal(count(NeedFigure.THREE_BIDS)) / count(NeedFigure.CLOSED)
    assert (figures.deals, figures.deal_firms, figures.awarded_amount, figures.outstanding) == (
        deals.deals,
        deals.firms,
        deals.amount,
        deals.outstanding,
    )
    assert figures.effective == deals.effective
    drawn = board_rows.sum_up(board_rows.list_loans(officer, figure=LoanFigure.DRAWN))
    assert figures.drawn_amount == drawn.amount
    unsecured = board_rows.sum_up(board_rows.list_loans(officer, figure=LoanFigure.UNSECURED))
    assert figures.unsecured_share == Decimal(unsecured.amount) / deals.amount
    assert figures.overdue_loans == len(board_rows.list_loans(officer, figure=LoanFigure.OVERDUE))
    assert [step.times for step in board.read_funnel(officer.zone_id)][1:] == [
        count(NeedFigure.ANSWERED),
        count(NeedFigure.THREE_BIDS),
        len(board_rows.list_loans(officer)),
        drawn.deals,
    ]


def test_who_answers_an_open_need_is_not_counted(app: Flask, now: datetime, sealer: Sealer) -> None:
    stall = make_stall(now)
    need = make_need(stall.maker, now=now)
    bank, product = stall.banks[0]
    before = board.read_responses(need.zone_id)
    place_bid(need, product, bank, now=now, sealer=sealer)
    assert board.read_responses(need.zone_id) == before
    row = board_rows.list_needs(make_officer(now=now), now)[0]
    assert (row.answers, row.best) == (None, None)
