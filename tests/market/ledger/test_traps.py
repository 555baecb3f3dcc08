"""What users of other loan books ran into, each with its figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from market.errors import Code, Conflict
from market.ledger.book import Policy, Split
from market.ledger.events import Event
from market.ledger.replay import compute_payoff, replay
from market.lending_vocabulary import Account, Bucket, PrepaymentEffect
from market.vocabulary import Repayment
from tests.market.ledger.cases import DRAWN, MILLION, START, K, book_of, history, loan, sums

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
HALF = date(2026, 1, 16)


def test_two_prepayments_on_one_day_are_as_one_of_their_sum() -> None:
    # 15 of 31 days on the million: 300,000 × 15 / 31 = 145,161.29. The 16 days left on 50 million fen:
    # 150,000 × 16 / 31 = 77,419.35; together 222,580.65, rounded once: 222,581. Later months: 150,000.
    two = book_of(loan(), FEBRUARY, DRAWN, (K.RECEIPT, HALF, 20_145_161), (K.RECEIPT, HALF, 30_000_000))
    assert two.splits[2] == Split(interest=145_161, principal=20_000_000)
    assert two.splits[3] == Split(principal=30_000_000)
    assert [line.interest for line in two.lines[:3]] == [222_581, 150_000, 150_000]
    assert two.lines[0].paid_interest == 145_161 and two.arrears.interest == 222_581 - 145_161
    one = book_of(loan(), FEBRUARY, DRAWN, (K.RECEIPT, HALF, 50_145_161))
    assert (two.lines, two.entries) == (one.lines, one.entries)


def test_schedule_rows_on_one_date_are_owed_and_paid_both() -> None:
    # 12 lines of 8,333,333 fen. What is paid ahead on the day (10 million fen) stands on March and April;
    # laid out anew over two months, 81,666,667 fen left fall due on the same two days.
    deal = loan(repayment=Repayment.EQUAL_PRINCIPAL)
    happened = (
        DRAWN,
        (K.RECEIPT, FEBRUARY, 8_333_333 + 300_000 + 10_000_000),
        (K.RESTRUCTURING, FEBRUARY, None, {"months": 2}),
    )
    book = book_of(deal, FEBRUARY, *happened)
    assert [(line.number, line.due_on, line.principal, line.paid_principal) for line in book.lines] == [
        (1, FEBRUARY, 8_333_333, 8_333_333),
        (2, MARCH, 8_333_333, 8_333_333),
        (3, MARCH, 40_833_334, 0),
        (4, APRIL, 1_666_667, 1_666_667),
        (5, APRIL, 40_833_333, 0),
    ]
    # March: 81,666,667 × 0.003 = 245,000; April: 40,833,333 × 0.003 = 122,500 (122,499.999).
    later = book_of(deal, APRIL, *happened, (K.RECEIPT, MARCH, 41_078_334), (K.RECEIPT, APRIL, 40_955_833))
    assert later.splits[4] == Split(interest=245_000, principal=40_833_334)
    assert later.settled_on == APRIL and sums(later)[Account.CASH] == 667_500


def test_a_receipt_dated_back_reposts_the_ageing() -> None:
    late = book_of(loan(), date(2026, 3, 20), DRAWN)
    # 31 days past 1 February are 4 March.
    assert late.spans == (
        (START, Bucket.CURRENT),
        (date(2026, 2, 2), Bucket.D1_30),
        (date(2026, 3, 4), Bucket.D31_60),
    )
    assert (late.overdue_since, late.days_past_due, late.bucket) == (FEBRUARY, 47, Bucket.D31_60)
    known = book_of(loan(), date(2026, 3, 20), DRAWN, (K.RECEIPT, date(2026, 2, 10), 300_000))
    assert known.spans == (
        (START, Bucket.CURRENT),
        (date(2026, 2, 2), Bucket.D1_30),
        (date(2026, 2, 10), Bucket.CURRENT),
        (date(2026, 3, 2), Bucket.D1_30),
    )
    assert (known.overdue_since, known.days_past_due, known.bucket) == (MARCH, 19, Bucket.D1_30)


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
def test_a_restructuring_works_with_the_balance_after_a_prepayment(order: tuple[int, int]) -> None:
    # 60 million fen over 6 months at 2.4 %: 10 million each, interest 120,000 and 20,000 less each month.
    receipt = Event(order[0], K.RECEIPT, FEBRUARY, 40_300_000)
    anew = Event(
        order[1],
        K.RESTRUCTURING,
        FEBRUARY,
        rate=Decimal("0.024"),
        months=6,
        repayment=Repayment.EQUAL_PRINCIPAL,
    )
    book = replay(loan(), [*history(DRAWN), anew, receipt], FEBRUARY)
    ahead = [line for line in book.lines if line.paid_principal]
    new = [line for line in book.lines if line.open]
    assert [(line.principal, line.interest) for line in ahead] == [(40_000_000, 0)]
    assert [(line.principal, line.interest) for line in new] == [
        (10_000_000, interest) for interest in range(120_000, 0, -20_000)
    ]
    assert [line.due_on.month for line in new] == [3, 4, 5, 6, 7, 8]
    assert (book.outstanding, book.restructured_on) == (60_000_000, FEBRUARY)


def test_a_second_drawdown_on_a_due_date_leaves_that_line_alone() -> None:
    # January's interest is on 40 million fen (120,000), from 1 February it is on the whole million.
    first = (K.DRAWDOWN, START, 40_000_000)
    book = book_of(loan(), FEBRUARY, first, (K.DRAWDOWN, FEBRUARY, 60_000_000))
    assert [line.interest for line in book.lines[:3]] == [120_000, 300_000, 300_000]
    assert (book.outstanding, book.arrears.interest, book.available) == (MILLION, 120_000, 0)
    # Equal parts: what falls due on 1 February is a twelfth of the first drawdown.
    equal = loan(repayment=Repayment.EQUAL_PRINCIPAL)
    before = book_of(equal, START, first)
    after = book_of(equal, FEBRUARY, first, (K.DRAWDOWN, FEBRUARY, 60_000_000))
    assert (after.lines[0].principal, after.lines[0].interest) == (
        before.lines[0].principal,
        before.lines[0].interest,
    )
    assert after.lines[0].principal == 3_333_333  # 40 million / 12, the fen left over later
    assert sum(line.principal for line in after.lines[1:]) == 96_666_667


def test_an_undo_after_full_repayment_opens_the_loan_again() -> None:
    happened = history(DRAWN, (K.RECEIPT, FEBRUARY, 300_000))
    before = replay(loan(), happened, MARCH)
    on = date(2026, 2, 15)
    # 14 of 28 days: 150,000 fen.
    payoff = compute_payoff(loan(), happened, on)
    assert payoff == MILLION + 150_000
    paid = [*happened, Event(3, K.RECEIPT, on, payoff)]
    settled = replay(loan(), paid, MARCH)
    assert (settled.settled_on, settled.outstanding) == (on, 0)
    assert [line.interest for line in settled.lines] == [300_000, 150_000] + [0] * 10
    assert replay(loan(), [*paid, Event(4, K.UNDO, MARCH, undoes=3)], MARCH) == before
    assert before.arrears.interest == 300_000 and before.settled_on is None


def test_ageing_is_lifted_by_the_payment() -> None:
    paid_on = date(2026, 3, 10)
    happened = (DRAWN, (K.RECEIPT, paid_on, 600_000))
    book = book_of(loan(), paid_on, *happened)
    assert (book.overdue_since, book.days_past_due, book.bucket) == (None, 0, Bucket.CURRENT)
    assert book.spans[-1] == (paid_on, Bucket.CURRENT)
    # A fen short, and the March line keeps it late.
    short = book_of(loan(), paid_on, DRAWN, (K.RECEIPT, paid_on, 599_999))
    assert (short.overdue_since, short.spans[-1]) == (MARCH, (paid_on, Bucket.D1_30))


def test_a_closed_loan_is_not_touched_again() -> None:
    closed = (DRAWN, (K.RECEIPT, HALF, MILLION + 145_161))
    for kind, values in (
        (K.DRAWDOWN, {"amount": 1}),
        (K.CHARGE, {"amount": 1, "account": Account.FEES_DUE}),
        (K.WAIVER, {"amount": 1, "account": Account.PRINCIPAL}),
        (K.RATE_RESET, {"rate": Decimal("0.05")}),
        (K.EXTENSION, {"months": 3}),
        (K.RESTRUCTURING, {"months": 3}),
        (K.WRITE_OFF, {}),
    ):
        with pytest.raises(Conflict) as refused:
            replay(loan(), [*history(*closed), replace(Event(3, kind, MARCH), **values)], MARCH)
        (fault,) = refused.value.faults
        assert (fault.code, fault.values) == (Code.ILLEGAL_MOVE, {"state": "settled", "move": kind.value})
    more = book_of(loan(), APRIL, *closed, (K.RECEIPT, MARCH, 700))
    assert more.splits[3] == Split(remainder=700) and sums(more)[Account.CREDIT] == -700
    assert more.settled_on == HALF and more.spans == ((START, Bucket.CURRENT),)
    assert compute_payoff(loan(), history(*closed), APRIL) == 0


@pytest.mark.parametrize("effect", PrepaymentEffect)
def test_interest_after_an_advance_payment_is_on_what_is_left(effect: PrepaymentEffect) -> None:
    # Half is paid ahead on 1 February: every later month bears 50,000,000 × 0.003 = 150,000.
    deal = loan(Policy(prepayment=effect))
    book = book_of(deal, date(2026, 2, 15), DRAWN, (K.RECEIPT, FEBRUARY, 50_300_000))
    assert [line.interest for line in book.lines] == [300_000] + [150_000] * 11
    # 14 of 28 days.
    assert book.accrued == 75_000
    assert compute_payoff(deal, history(DRAWN, (K.RECEIPT, FEBRUARY, 50_300_000)), book.as_of) == 50_075_000
