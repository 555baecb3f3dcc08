from __future__ import annotations

from dataclasses import replace
from datetime import date

from market.repayment_report import Difference, Figures, compare

BOOKED = Figures(date(2026, 3, 1), date(2026, 12, 1), 500, 200, date(2026, 9, 1))


def test_a_report_that_agrees_has_no_difference() -> None:
    assert compare(BOOKED, [BOOKED]) == ()


def test_every_figure_that_departs_is_named_with_both_sides() -> None:
    said = replace(BOOKED, ends_on=date(2027, 1, 1), returned=300, last_paid_on=None)
    assert compare(said, [BOOKED]) == (
        Difference("ends_on", date(2027, 1, 1), date(2026, 12, 1)),
        Difference("returned", 300, 200),
        Difference("last_paid_on", None, date(2026, 9, 1)),
    )


def test_a_loan_that_the_book_does_not_have_is_the_difference() -> None:
    assert compare(BOOKED, []) == (Difference(None),)


def test_of_several_loans_the_one_paid_out_that_day_is_meant_then_the_one_of_that_amount() -> None:
    other = Figures(date(2026, 4, 1), date(2027, 4, 1), 900, 0)
    assert compare(BOOKED, [other, BOOKED]) == ()
    misdated = replace(other, financed_on=date(2026, 4, 2))
    assert [found.field for found in compare(misdated, [BOOKED, other])] == ["financed_on"]
