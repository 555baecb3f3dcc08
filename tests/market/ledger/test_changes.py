"""What changes a schedule on its way: tranches, other rates, longer terms, deals of other kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from market import cashflow
from market.errors import Code, Conflict, Invalid
from market.ledger.book import Deal, Policy, Split
from market.ledger.replay import compute_payoff, replay
from market.lending_vocabulary import Account, DealKind
from market.terms import BridgeTerms, FactoringTerms, LeaseTerms, LoanTerms
from market.vocabulary import DayCount, FeeTiming, RentTiming, Repayment
from tests.market.ledger.cases import DRAWN, MILLION, START, K, book_of, history, loan, sums

FEBRUARY, MARCH, APRIL, END = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1), date(2027, 1, 1)


def test_a_drawdown_and_a_prepayment_on_one_day_round_once() -> None:
    # 40 million for 15 of 31 days: 58,064.516; then 40 + 60 - 30 = 70 million for 16 days: 108,387.097;
    # together 166,451.61, of which 58,065 are paid.
    day = date(2026, 1, 16)
    happened = ((K.DRAWDOWN, START, 40_000_000), (K.RECEIPT, day, 30_058_065), (K.DRAWDOWN, day, 60_000_000))
    book = book_of(loan(), FEBRUARY, *happened)
    assert book.splits[2] == Split(interest=58_065, principal=30_000_000)
    assert (book.lines[0].interest, book.arrears.interest) == (166_452, 166_452 - 58_065)
    assert (book.drawn, book.outstanding) == (MILLION, 70_000_000)


def test_a_tranche_is_spread_by_the_planned_weights_of_what_is_not_due() -> None:
    # 40 million by twelve parts of 8,333,333 (the last 8,333,337): 3,333,333.2; 60 million by the eleven that
    # are left: 5,454,545.4; together 8,787,878.6, the last 3,333,334.8 + 5,454,548.1 = 8,787,882.9.
    deal = loan(repayment=Repayment.EQUAL_PRINCIPAL)
    book = book_of(deal, FEBRUARY, (K.DRAWDOWN, START, 40_000_000), (K.DRAWDOWN, FEBRUARY, 60_000_000))
    assert book.lines[0].principal == 3_333_333
    assert {line.principal for line in book.lines[1:]} <= {8_787_878, 8_787_879, 8_787_883}
    assert sum(line.principal for line in book.lines) == MILLION


def test_what_was_repaid_of_a_revolving_line_can_be_drawn_again_until_the_end() -> None:
    deal = loan(Policy(is_revolving=True), repayment=Repayment.REVOLVING)
    half = date(2026, 1, 16)
    # 60 million for 15 of 31 days: 180,000 × 15 / 31 = 87,096.77.
    happened = ((K.DRAWDOWN, START, 60_000_000), (K.RECEIPT, half, 60_087_097))
    book = book_of(deal, MARCH, *happened)
    assert (book.available, book.outstanding, book.settled_on) == (MILLION, 0, None)
    again = (*happened, (K.DRAWDOWN, MARCH, MILLION))
    book = book_of(deal, APRIL, *again)
    assert (book.available, book.drawn, book.arrears.interest) == (0, 160_000_000, 300_000)
    with pytest.raises(Invalid) as refused:
        book_of(deal, APRIL, *again, (K.DRAWDOWN, APRIL, 1))
    assert refused.value.faults[0].values == {"value": 1, "most": 0}
    assert book_of(deal, END, *happened).settled_on == END


def test_a_rate_reset_splits_the_running_period_by_days() -> None:
    # 300,000 × 15 / 31 + 400,000 × 16 / 31 = 351,612.90.
    book = book_of(loan(), START, DRAWN)
    assert book.lines[0].interest == 300_000
    reset = (K.RATE_RESET, date(2026, 1, 16), None, {"rate": Decimal("0.048")})
    book = book_of(loan(), FEBRUARY, DRAWN, reset)
    assert [line.interest for line in book.lines[:3]] == [351_613, 400_000, 400_000]
    assert book.lines[-1].principal == MILLION


@pytest.mark.parametrize("day_count", DayCount)
def test_after_a_rate_reset_instalments_are_the_engines_on_what_is_left(day_count: DayCount) -> None:
    deal = loan(repayment=Repayment.EQUAL_INSTALLMENT, day_count=day_count)
    reset = (K.RATE_RESET, FEBRUARY, None, {"rate": Decimal("0.048")})
    book = book_of(deal, FEBRUARY, DRAWN, reset)
    left = LoanTerms(
        book.lines[0].balance,
        11,
        Decimal("0.048"),
        Repayment.EQUAL_INSTALLMENT,
        day_count=day_count,
        start=FEBRUARY,
    )
    assert [(line.due_on, line.principal, line.interest) for line in book.lines[1:]] == [
        (line.due, line.principal, line.interest) for line in cashflow.build(left).lines
    ]


def test_an_extension_lays_what_is_not_due_out_to_the_new_end() -> None:
    day = date(2026, 12, 15)
    paid = [(K.RECEIPT, date(2026, month, 1), 300_000) for month in range(2, 13)]
    book = book_of(loan(), day, DRAWN, *paid, (K.EXTENSION, day, None, {"months": 3}))
    assert [(line.due_on, line.principal, line.interest) for line in book.lines[-4:]] == [
        (END, 0, 300_000),
        (date(2027, 2, 1), 0, 300_000),
        (date(2027, 3, 1), 0, 300_000),
        (date(2027, 4, 1), MILLION, 300_000),
    ]
    # A single repayment moves: 15 months of 300,000.
    bullet = loan(repayment=Repayment.BULLET)
    book = book_of(bullet, day, DRAWN, (K.EXTENSION, day, None, {"months": 3}))
    assert [(line.due_on, line.principal, line.interest) for line in book.lines] == [
        (date(2027, 4, 1), MILLION, 4_500_000)
    ]


def test_the_end_of_a_month_stays_the_end_of_the_month_when_a_loan_is_extended() -> None:
    start = date(2026, 1, 31)
    deal = loan(months=1)
    events = history((K.DRAWDOWN, start, MILLION), (K.EXTENSION, start, None, {"months": 2}))
    book = replay(deal, events, start)
    assert [line.due_on for line in book.lines] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


@pytest.mark.parametrize("capitalise", [True, False])
def test_a_restructuring_takes_what_is_overdue_along_or_leaves_it_due(capitalise: bool) -> None:
    # Two months overdue (600,000), 14 of 31 days of March: 135,483.87 come with the first new line.
    day = date(2026, 3, 15)
    anew = (K.RESTRUCTURING, day, None, {"months": 2, "capitalise": capitalise})
    book = book_of(loan(), day, DRAWN, anew)
    principal = MILLION + 600_000 * capitalise
    new = [line for line in book.lines if line.due_on > day]
    # 301,800 a month on 100,600,000, else 300,000.
    month = 300_000 + 1_800 * capitalise
    assert [(line.due_on, line.principal, line.interest) for line in new] == [
        (date(2026, 4, 15), 0, month + 135_484),
        (date(2026, 5, 15), principal, month),
    ]
    assert book.outstanding == sums(book)[Account.PRINCIPAL] == principal
    assert book.arrears.interest == (0 if capitalise else 600_000)
    assert book.overdue_since == (None if capitalise else FEBRUARY)


def test_a_matured_loan_is_restructured_whole_when_its_arrears_are_capitalised() -> None:
    day = date(2027, 2, 1)
    deal = loan(repayment=Repayment.BULLET)
    values = {"months": 6, "repayment": Repayment.BULLET, "rate": Decimal("0.03")}
    book = book_of(deal, day, DRAWN, (K.RESTRUCTURING, day, None, {**values, "capitalise": True}))
    # A year at 3.6 % is due: 3,600,000. Half a year at 3 % on 103,600,000 is 1,554,000.
    assert [(line.due_on, line.principal, line.interest) for line in book.lines if line.open] == [
        (date(2027, 8, 1), 103_600_000, 1_554_000)
    ]
    with pytest.raises(Conflict) as refused:
        book_of(deal, day, DRAWN, (K.RESTRUCTURING, day, None, values))
    assert refused.value.faults[0].code is Code.ILLEGAL_MOVE


def test_a_charge_is_owed_with_the_next_line_and_after_the_last_at_once() -> None:
    fee = {"account": Account.FEES_DUE}
    book = book_of(loan(), FEBRUARY, DRAWN, (K.CHARGE, date(2026, 1, 10), 700, fee))
    assert (book.lines[0].fees, book.arrears.fees) == (700, 700)
    day = date(2027, 3, 1)
    book = book_of(loan(), day, DRAWN, (K.CHARGE, day, 700, {"account": Account.PENALTY_DUE}))
    assert (book.lines[-1].number, book.lines[-1].due_on, book.lines[-1].penalty) == (13, day, 700)
    assert sums(book)[Account.PENALTY_DUE] == book.arrears.penalty == 700


def test_a_bridge_loan_bears_each_day_at_its_own_rate() -> None:
    # 0.02 % for five days, then 0.05 %: 100,000 + 250,000. Half back on day 7: 7 days cost 200,000, the
    # last three 75,000 on what is left.
    deal = Deal(
        DealKind.BRIDGE, BridgeTerms(MILLION, 10, Decimal("0.0002"), steps=((6, Decimal("0.0005")),)), MILLION
    )
    day, end = date(2026, 1, 8), date(2026, 1, 11)
    assert [(line.due_on, line.interest) for line in book_of(deal, START, DRAWN).lines] == [(end, 350_000)]
    assert compute_payoff(deal, history(DRAWN), day) == MILLION + 200_000
    book = book_of(deal, end, DRAWN, (K.RECEIPT, day, 50_200_000), (K.RECEIPT, end, 50_075_000))
    assert (book.lines[0].interest, book.settled_on) == (275_000, end)


def test_a_factored_receivable_keeps_its_interest_back_at_the_start() -> None:
    # 80 % of a million yuan for 90 days at 3.6 %: 80,000,000 × 0.036 × 90 / 360 = 720,000.
    terms = FactoringTerms(MILLION, 90, Decimal("0.036"), Decimal("0.8"), FeeTiming.UPFRONT)
    deal = Deal(DealKind.FACTORING, terms, 80_000_000)
    drawn = (K.DRAWDOWN, START, 80_000_000)
    book = book_of(deal, START, drawn)
    assert [(line.number, line.principal, line.interest, line.paid_interest) for line in book.lines] == [
        (0, 0, 720_000, 720_000),
        (90, 80_000_000, 0, 0),
    ]
    assert (sums(book)[Account.CASH], book.arrears.total) == (720_000 - 80_000_000, 0)
    due = date(2026, 4, 1)
    paid = book_of(deal, due, drawn, (K.RECEIPT, due, MILLION, {"source": "purchaser"}))
    assert (paid.settled_on, paid.splits[2]) == (due, Split(principal=80_000_000, remainder=20_000_000))
    at_end = Deal(DealKind.FACTORING, replace(terms, interest_when=FeeTiming.END), 80_000_000)
    assert compute_payoff(at_end, history(drawn), date(2026, 1, 31)) == 80_000_000 + 240_000


def test_a_lease_in_advance_owes_its_first_rent_on_the_day_it_begins() -> None:
    terms = LeaseTerms(MILLION, 12, Decimal("0.036"), RentTiming.ADVANCE, buyout=10_000)
    deal = Deal(DealKind.LEASE, terms, MILLION)
    planned = cashflow.build(replace(terms, start=START)).lines
    book = book_of(deal, START, DRAWN)
    assert (book.lines[0].number, book.arrears.principal) == (0, planned[0].principal)
    reset = (K.RATE_RESET, FEBRUARY, None, {"rate": Decimal("0.036")})
    same = book_of(deal, FEBRUARY, DRAWN, reset)
    # Laid out anew at its own rate it stays what it was, but for the roundings of the level rent.
    for line, before in zip(same.lines, planned, strict=True):
        assert abs(line.principal - before.principal) <= 12 and line.due_on == before.due
    assert same.lines[-1].fees == 10_000


def test_a_loan_drawn_later_than_planned_keeps_the_payment_dates_that_are_left() -> None:
    dates = tuple(date(2026, month, 20) for month in (3, 6, 9, 12))
    deal = loan(
        months=12,
        start=date(2026, 1, 1),
        due=dates,
        repayment=Repayment.EQUAL_PRINCIPAL,
        day_count=DayCount.ACT_360,
    )
    book = replay(deal, history((K.DRAWDOWN, date(2026, 4, 1), MILLION)), date(2026, 4, 1))
    assert [line.due_on for line in book.lines] == list(dates[1:])
    # 80 days to 20 June: 100,000,000 × 0.036 × 80 / 360.
    assert book.lines[0].interest == 800_000
    with pytest.raises(Invalid) as refused:
        replay(deal, history((K.DRAWDOWN, date(2027, 1, 1), MILLION)), END)
    assert (refused.value.faults[0].code, refused.value.faults[0].field) == (Code.OUT_OF_ORDER, "on")
