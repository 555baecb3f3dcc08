"""Where money goes, and what is asked for no more: tables of figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from market.errors import Code, Conflict, Invalid
from market.ledger.book import Deal, Policy, Split
from market.ledger.replay import compute_payoff, replay
from market.lending_vocabulary import Account, AllocationOrder, Bucket, DealKind, PrepaymentEffect
from market.terms import CoverTerms, Fee
from market.vocabulary import FeeTiming, Repayment
from tests.market.ledger.cases import DRAWN, MILLION, START, K, book_of, history, loan, sums

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
EQUAL = loan(repayment=Repayment.EQUAL_PRINCIPAL)
#: Twelve equal parts of a million yuan: the last takes the fen that are left over.
PART, LAST = 8_333_333, 8_333_337
#: 8,333,333 less 1,515,151 or 1,515,152.
LOWER = (6_818_182, 6_818_182, 6_818_181)
MONTHLY_FEE = (Fee("account", FeeTiming.MONTHLY, amount=5_000),)


@pytest.mark.parametrize(
    ("effect", "principal"),
    [
        # 16,666,666 fen beyond the line that is due: the next two lines.
        (PrepaymentEffect.NEXT, [0, 0, *[PART] * 8, LAST]),
        # The last line whole, and 8,333,329 of the one before.
        (PrepaymentEffect.SHORTEN, [*[PART] * 9, 4, 0]),
        # 16,666,666 fen by eleven parts: 1,515,151.45 each, of which each gets what the sum has reached.
        (PrepaymentEffect.REDUCE, [*LOWER, *LOWER, *LOWER[1:], 6_818_182, 6_818_182, 6_818_184]),
    ],
)
def test_principal_ahead_of_its_day_pays_the_next_lines_the_last_or_all(
    effect: PrepaymentEffect, principal: list[int]
) -> None:
    deal = replace(EQUAL, policy=Policy(prepayment=effect))
    book = book_of(deal, FEBRUARY, DRAWN, (K.RECEIPT, FEBRUARY, PART + 300_000 + 2 * PART))
    left = [line.principal - line.paid_principal for line in book.lines]
    assert left[0] == 0 and sum(left) == book.outstanding == 75_000_001
    assert left[1:] == principal
    # March bears 75,000,001 × 0.003 = 225,000 whatever the effect; then the lines differ.
    assert book.lines[1].interest == 225_000
    assert (
        book.lines[2].interest
        == {
            PrepaymentEffect.NEXT: 225_000,
            PrepaymentEffect.SHORTEN: 200_000,  # 66,666,668 × 0.003
            PrepaymentEffect.REDUCE: 204_545,  # 68,181,819 × 0.003 = 204,545.457
        }[effect]
    )


def test_fees_or_principal_come_first_within_a_line_and_the_oldest_line_before_all() -> None:
    deal = loan(repayment=Repayment.EQUAL_PRINCIPAL, fees=MONTHLY_FEE)
    # February: fees 5,000, interest 300,000, principal 8,333,333; March: 5,000, 275,000 (91,666,667 × 0.003).
    happened = (DRAWN, (K.RECEIPT, APRIL.replace(month=3, day=5), 8_700_000))
    fees_first = book_of(deal, date(2026, 3, 5), *happened)
    assert fees_first.splits[2] == Split(fees=10_000, interest=300_000 + 56_667, principal=PART)
    assert fees_first.arrears.interest == 275_000 - 56_667 and fees_first.arrears.principal == PART
    principal_first = replace(deal, policy=Policy(allocation=AllocationOrder.PRINCIPAL_FIRST))
    book = book_of(principal_first, date(2026, 3, 5), *happened)
    assert book.splits[2] == Split(fees=5_000, interest=300_000, principal=PART + 61_667)


def test_a_payoff_owes_interest_to_the_day_and_all_fees_to_come() -> None:
    # 12 × 5,000 fees, 145,161 for 15 of 31 days.
    deal, on = loan(fees=MONTHLY_FEE), date(2026, 1, 16)
    payoff = compute_payoff(deal, history(DRAWN), on)
    assert payoff == MILLION + 145_161 + 60_000
    book = book_of(deal, on, DRAWN, (K.RECEIPT, on, payoff + 9, {"source": "purchaser"}))
    assert book.splits[2] == Split(fees=60_000, interest=145_161, principal=MILLION, remainder=9)
    assert book.settled_on == on and sums(book)[Account.SUPPLIER] == 0
    assert sums(book)[Account.CASH] == 205_161
    short = book_of(deal, on, DRAWN, (K.RECEIPT, on, payoff - 1))
    assert short.settled_on is None and sum(line.open for line in short.lines) == 1


def test_a_purchasers_remainder_goes_to_the_supplier_and_a_borrowers_is_its_credit() -> None:
    on = date(2026, 1, 16)
    for source, account in (("purchaser", Account.SUPPLIER), ("borrower", Account.CREDIT)):
        book = book_of(loan(), on, DRAWN, (K.RECEIPT, on, MILLION + 145_161 + 7, {"source": source}))
        assert any(entry.source is account and entry.amount == 7 for entry in book.entries)


def test_late_interest_runs_by_day_on_overdue_principal_and_is_booked_by_month() -> None:
    # 8,333,333 × 0.054 ÷ 360 a day: 28 days to 1 March are 35,000 (34,999.9986), 30 days 37,500.
    deal = replace(EQUAL, policy=Policy(penalty_rate=Decimal("0.054")))
    paid_on = date(2026, 3, 3)
    book = book_of(deal, date(2026, 4, 1), DRAWN, (K.RECEIPT, paid_on, PART + 337_500))
    assert book.splits[2] == Split(penalty=37_500, interest=300_000, principal=PART)
    booked = [(e.booked_on, e.amount) for e in book.entries if e.target is Account.PENALTY_DUE]
    # The line of 1 March is late from then on: 29 days by 30 March, 31 by 1 April: 38,750.
    assert booked == [(MARCH, 35_000), (paid_on, 2_500 + 2_500), (APRIL, 36_250)]
    assert book.lines[1].penalty == 38_750
    # Within the month it is owed by the day all the same.
    assert book_of(deal, date(2026, 2, 11), DRAWN).arrears.penalty == 12_500


def test_within_the_days_of_grace_nothing_is_late_and_after_them_all_days_are() -> None:
    deal = replace(EQUAL, policy=Policy(penalty_rate=Decimal("0.054"), grace_days=5))
    day = date(2026, 2, 6)
    within = book_of(deal, day, DRAWN)
    assert (within.days_past_due, within.bucket, within.arrears.penalty) == (0, Bucket.CURRENT, 0)
    assert within.overdue_since == FEBRUARY
    after = book_of(deal, day.replace(day=7), DRAWN)
    assert (after.days_past_due, after.bucket, after.arrears.penalty) == (6, Bucket.D1_30, 7_500)
    assert after.spans == ((START, Bucket.CURRENT), (date(2026, 2, 7), Bucket.D1_30))


def test_days_of_a_pause_are_not_late_and_bear_no_penalty() -> None:
    deal = replace(EQUAL, policy=Policy(penalty_rate=Decimal("0.054")))
    pause = (K.PAUSE, date(2026, 2, 11), None, {"until": date(2026, 2, 20)})
    # 1 to 28 February less the ten days of the pause: 17 days.
    book = book_of(deal, date(2026, 2, 28), DRAWN, pause)
    assert (book.days_past_due, book.paused_days, book.arrears.penalty) == (17, 10, 21_250)
    # Without an end only 2 to 10 February count.
    open_end = book_of(deal, date(2026, 2, 28), DRAWN, (K.PAUSE, date(2026, 2, 11)))
    assert (open_end.days_past_due, open_end.paused_days, open_end.arrears.penalty) == (9, 18, 11_250)


def test_a_waiver_takes_off_the_oldest_line_first_and_never_more_than_is_open() -> None:
    day = date(2026, 3, 15)
    waived = (K.WAIVER, day, 400_000, {"account": Account.INTEREST_DUE})
    book = book_of(loan(), day, DRAWN, waived)
    assert [line.interest for line in book.lines[:3]] == [0, 200_000, 300_000]
    assert sums(book)[Account.WAIVED] == 400_000 and book.overdue_since == MARCH
    # Open are two months and 14 of 31 days of the third: 135,483 (135,483.87 rounds to 135,484).
    most = 600_000 + 135_484
    everything = book_of(loan(), day, DRAWN, (K.WAIVER, day, most, {"account": Account.INTEREST_DUE}))
    assert everything.lines[2].interest == 300_000 - 135_484
    with pytest.raises(Invalid) as refused:
        book_of(loan(), day, DRAWN, (K.WAIVER, day, most + 1, {"account": Account.INTEREST_DUE}))
    (fault,) = refused.value.faults
    assert (fault.code, fault.field, fault.values) == (
        Code.TOO_LARGE,
        "amount",
        {"value": most + 1, "most": most},
    )


def test_late_interest_that_was_waived_does_not_come_back() -> None:
    # 1,250 a day: ten days are waived on 11 February, the ten after it are owed on 21 February.
    deal = replace(EQUAL, policy=Policy(penalty_rate=Decimal("0.054")))
    waived = (K.WAIVER, date(2026, 2, 11), 12_500, {"account": Account.PENALTY_DUE})
    book = book_of(deal, date(2026, 2, 21), DRAWN, waived)
    assert (book.lines[0].penalty, sums(book)[Account.WAIVED]) == (12_500, 12_500)


def test_what_comes_in_after_a_write_off_is_recovered() -> None:
    day = date(2026, 3, 15)
    happened = (DRAWN, (K.WRITE_OFF, day), (K.RECEIPT, APRIL, 1_000_000))
    book = book_of(loan(), date(2026, 6, 1), *happened)
    assert (book.written_off_on, book.written_off, book.recovered) == (day, MILLION + 600_000, 1_000_000)
    assert (book.outstanding, book.arrears.total, book.settled_on) == (0, 0, None)
    assert book.splits[3] == Split(recovered=1_000_000)
    assert book.spans[-1] == (date(2026, 3, 4), Bucket.D31_60) and book.bucket is Bucket.CURRENT
    found = sums(book)
    assert (found[Account.WRITTEN_OFF], found[Account.RECOVERED]) == (MILLION + 600_000, -1_000_000)
    assert compute_payoff(loan(), history(*happened), APRIL) == MILLION - 400_000
    with pytest.raises(Conflict) as refused:
        book_of(loan(), APRIL, DRAWN, (K.WRITE_OFF, day), (K.EXTENSION, APRIL, None, {"months": 1}))
    assert refused.value.faults[0].values == {"state": "written_off", "move": "extension"}


def test_a_compensation_is_a_receipt_that_passes_the_claim_on() -> None:
    day = date(2026, 2, 20)
    book = book_of(loan(), day, DRAWN, (K.COMPENSATION, day, 80_300_000, {"source": "guarantor"}))
    # 19 of 28 days: 203,571 (203,571.43).
    assert book.splits[2] == Split(interest=300_000 + 203_571, principal=80_300_000 - 503_571)
    through = [entry for entry in book.entries if entry.target is Account.COMPENSATED]
    assert sum(entry.amount for entry in through) == 80_300_000 and sums(book)[Account.COMPENSATED] == 0


def test_a_guarantee_is_paid_out_recovered_and_released_at_its_end() -> None:
    # 1 % of a million yuan at the start; nothing but the fee is owed to a guarantor.
    terms = CoverTerms(MILLION, 12, (Fee("guarantee", FeeTiming.UPFRONT, rate=Decimal("0.01")),))
    deal = Deal(DealKind.GUARANTEE, terms, MILLION)
    first = (DRAWN, (K.RECEIPT, START, 1_000_000))
    book = book_of(deal, date(2026, 6, 1), *first)
    assert (book.outstanding, book.settled_on, sums(book)[Account.GUARANTEED]) == (MILLION, None, MILLION)
    assert sums(book)[Account.CASH] == 1_000_000
    end = book_of(deal, date(2027, 1, 1), *first)
    assert (end.outstanding, end.settled_on) == (0, date(2027, 1, 1))
    called = (*first, (K.COMPENSATION, date(2026, 6, 1), 40_000_000))
    book = book_of(deal, date(2026, 6, 1), *called)
    assert (book.outstanding, sums(book)[Account.COMPENSATED]) == (60_000_000, 40_000_000)
    back = book_of(deal, date(2027, 2, 1), *called, (K.RECEIPT, date(2027, 2, 1), 40_000_001))
    assert back.splits[4] == Split(recovered=40_000_000, remainder=1)
    assert back.settled_on == date(2027, 2, 1) and sums(back)[Account.COMPENSATED] == 0


def test_a_fund_gets_its_money_back_first_and_the_rest_is_income() -> None:
    deal = Deal(DealKind.FUND, None, MILLION)
    happened = (
        (K.DRAWDOWN, START, 60_000_000),
        (K.RECEIPT, MARCH, 70_000_000),
        (K.DRAWDOWN, APRIL, 40_000_000),
        (K.RECEIPT, APRIL, 45_000_000),
    )
    book = book_of(deal, MARCH, *happened)
    assert book.splits[2] == Split(principal=60_000_000, interest=10_000_000)
    assert (book.settled_on, book.available, book.lines) == (None, 40_000_000, ())
    book = book_of(deal, APRIL, *happened)
    assert (book.settled_on, book.splits[4]) == (APRIL, Split(principal=40_000_000, interest=5_000_000))
    assert sums(book)[Account.CASH] == 15_000_000


@pytest.mark.parametrize(
    ("happened", "code", "field"),
    [
        ([(K.RECEIPT, START, 1)], Code.ILLEGAL_MOVE, "on"),
        ([DRAWN, (K.RECEIPT, date(2025, 12, 31), 1)], Code.OUT_OF_ORDER, "on"),
        ([DRAWN, (K.RECEIPT, START, 0)], Code.TOO_SMALL, "amount"),
        ([DRAWN, (K.DRAWDOWN, FEBRUARY, 1)], Code.TOO_LARGE, "amount"),
        ([(K.DRAWDOWN, START, 1), (K.DRAWDOWN, date(2027, 1, 1), 1)], Code.TOO_LATE, "on"),
        ([DRAWN, (K.WAIVER, START, 1, {"account": Account.CASH})], Code.NOT_A_CHOICE, "account"),
        ([DRAWN, (K.CHARGE, START, 1, {"account": Account.PRINCIPAL})], Code.NOT_A_CHOICE, "account"),
        ([DRAWN, (K.RATE_RESET, START)], Code.REQUIRED, "rate"),
        ([DRAWN, (K.EXTENSION, START)], Code.REQUIRED, "months"),
        ([DRAWN, (K.EXTENSION, date(2027, 1, 1), None, {"months": 1})], Code.TOO_LATE, "on"),
        ([DRAWN, (K.RESTRUCTURING, date(2027, 1, 1))], Code.REQUIRED, "months"),
        ([DRAWN, (K.UNDO, START, None, {"undoes": 7})], Code.NOT_FOUND, "undoes"),
        ([DRAWN, *[(K.UNDO, START, None, {"undoes": 1})] * 2], Code.ALREADY_EXISTS, "undoes"),
    ],
)
def test_what_is_impossible_is_refused_with_its_field(
    happened: list[tuple[object, ...]], code: Code, field: str
) -> None:
    with pytest.raises((Invalid, Conflict)) as refused:
        replay(loan(), history(*happened), date(2027, 6, 1))
    (fault,) = refused.value.faults
    assert (fault.code, fault.field) == (code, field)
