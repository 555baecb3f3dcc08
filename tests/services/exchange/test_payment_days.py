from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import is_working_day, payment_days
from market.errors import Code
from market.reference import calendar
from market.terms import LeaseTerms, LoanTerms
from market.vocabulary import Interval, Rolling
from services.exchange.offers import read_terms, write_terms
from tests.services.exchange.offer_files import LEASE, LOAN, faults_of, read

DATED = {**LOAN, "start": "2026-01-05"}
DUE = ["2026-02-20", "2026-06-20", "2027-01-05"]


def loan(**change: Any) -> LoanTerms:
    terms = read({**DATED, **change})[0].terms
    assert isinstance(terms, LoanTerms)
    return terms


def test_a_loan_is_paid_every_month_unless_it_says_otherwise() -> None:
    terms = loan()
    assert (terms.interval, terms.due, terms.accrual) == (Interval.MONTHLY, (), ())
    assert loan(interval=3).interval is Interval.QUARTERLY
    assert loan(interval=3).due == ()


def test_days_are_taken_as_they_are_given() -> None:
    terms = loan(due=DUE)
    assert terms.due == (date(2026, 2, 20), date(2026, 6, 20), date(2027, 1, 5))
    accrual = ["2026-02-19", "2026-06-19", "2027-01-04"]
    assert loan(due=DUE, accrual=accrual).accrual == (date(2026, 2, 19), date(2026, 6, 19), date(2027, 1, 4))


def test_a_first_day_and_the_interval_make_the_days() -> None:
    terms = loan(interval=6, first_due="2026-03-20")
    assert terms.due == (date(2026, 3, 20), date(2026, 9, 20), date(2027, 1, 5))
    # The days say it all: the interval would say something else about them.
    assert (terms.interval, terms.accrual) == (Interval.MONTHLY, ())


def test_rolled_days_bear_interest_to_the_day_of_payment_unless_they_say_otherwise() -> None:
    # 2026-02-15 … 02-23 is the Spring Festival, 02-14 is worked in exchange.
    rolled = {"start": "2026-01-15", "months": 2, "rolling": "following"}
    adjusted, plain = loan(**rolled), loan(**rolled, adjusted=False)
    assert adjusted.due == plain.due == (date(2026, 2, 24), date(2026, 3, 16))
    assert adjusted.accrual == ()
    assert plain.accrual == (date(2026, 2, 15), date(2026, 3, 15))
    assert loan(**rolled, adjusted=True) == adjusted


def test_a_schedule_that_nobody_rolls_stays_regular() -> None:
    assert loan(rolling="none").due == ()
    # It asked for working days, so it is dated even where every day happened to be one.
    assert len(loan(start="2026-03-09", months=2, rolling="following").due) == 2


def test_years_without_a_final_calendar_are_told() -> None:
    (long,) = read({**DATED, "months": 24, "rolling": "following"})
    assert long.provisional_years == (2027, 2028)
    (short,) = read({**DATED, "months": 6, "rolling": "following"})
    assert short.provisional_years == ()
    (given,) = read({**DATED, "months": 24, "due": ["2028-01-05"]})
    assert given.provisional_years == ()


def test_a_lease_is_dated_alike() -> None:
    (offer,) = read({**LEASE, "months": 12, "start": "2026-01-05", "rent": "advance", "due": DUE})
    assert isinstance(offer.terms, LeaseTerms) and len(offer.terms.due) == 3
    (offer,) = read({**LEASE, "start": "2026-01-05", "interval": 3, "rolling": "preceding"})
    assert isinstance(offer.terms, LeaseTerms) and len(offer.terms.due) == 12


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"interval": 2}, "interval", Code.NOT_A_CHOICE),
        ({"interval": 0}, "interval", Code.NOT_A_CHOICE),
        ({"interval": -3}, "interval", Code.NOT_A_CHOICE),
        ({"interval": "3"}, "interval", Code.NOT_A_NUMBER),
        ({"interval": 3.0}, "interval", Code.NOT_A_NUMBER),
        ({"interval": True}, "interval", Code.NOT_A_NUMBER),
        ({"due": []}, "due", Code.REQUIRED),
        ({"due": "2026-02-20"}, "due", Code.WRONG_SHAPE),
        ({"due": ["2026-02-30"]}, "due[0]", Code.NOT_A_DATE),
        ({"due": [20260220]}, "due[0]", Code.NOT_A_DATE),
        ({"due": ["2026-01-05", "2027-01-05"]}, "due[0]", Code.OUT_OF_ORDER),
        ({"due": ["2026-06-20", "2026-06-20", "2027-01-05"]}, "due[1]", Code.OUT_OF_ORDER),
        ({"due": ["2026-12-05"]}, "due", Code.OUT_OF_ORDER),
        ({"due": ["2027-02-05"]}, "due", Code.TOO_LARGE),
        ({"due": DUE, "start": None}, "start", Code.REQUIRED),
        ({"due": DUE, "interval": 3}, "interval", Code.ONE_OF),
        ({"due": DUE, "first_due": "2026-02-20"}, "due", Code.ONE_OF),
        ({"due": DUE, "rolling": "following"}, "due", Code.ONE_OF),
        ({"due": DUE, "repayment": "revolving", "draws": [[0, "5"]]}, "draws", Code.ONE_OF),
        ({"accrual": DUE}, "due", Code.REQUIRED),
        ({"due": DUE, "accrual": DUE[:2]}, "accrual", Code.TOO_SMALL),
        ({"due": DUE, "accrual": [*DUE, "2027-02-05"]}, "accrual", Code.TOO_LARGE),
        ({"due": DUE, "accrual": []}, "accrual", Code.REQUIRED),
        ({"due": DUE, "accrual": [DUE[0], DUE[0], DUE[2]]}, "accrual[1]", Code.OUT_OF_ORDER),
        ({"due": DUE, "accrual": ["2026-01-05", *DUE[1:]]}, "accrual[0]", Code.OUT_OF_ORDER),
        ({"first_due": "2026-02-31"}, "first_due", Code.NOT_A_DATE),
        ({"first_due": "2026-01-05"}, "first_due", Code.OUT_OF_ORDER),
        ({"first_due": "2027-01-06"}, "first_due", Code.TOO_LARGE),
        ({"first_due": "2026-02-20", "start": None}, "start", Code.REQUIRED),
        ({"first_due": "2026-02-20", "repayment": "revolving", "draws": [[0, "5"]]}, "draws", Code.ONE_OF),
        ({"rolling": "following", "start": None}, "start", Code.REQUIRED),
        ({"rolling": "next"}, "rolling", Code.NOT_A_CHOICE),
        ({"rolling": "following", "adjusted": "no"}, "adjusted", Code.WRONG_SHAPE),
        ({"adjusted": False}, "rolling", Code.REQUIRED),
        # The term fits, but money that may come later has no room before the year 10000.
        ({"rolling": "following", "start": "9998-12-31"}, "start", Code.NOT_A_DATE),
    ],
)
def test_a_fault_in_payment_days_is_named_with_its_path(
    change: dict[str, Any], field: str, code: Code
) -> None:
    assert faults_of({**DATED, **change}) == [(f"offers[0].{field}", code)]


@pytest.mark.parametrize("days", [{"due": DUE}, {"first_due": "2026-02-20"}, {"rolling": "following"}])
def test_the_time_before_a_lease_counts_in_months_alone(days: dict[str, Any]) -> None:
    waiting = {**LEASE, "months": 12, "start": "2026-01-05", "prelease_months": 2, **days}
    assert faults_of(waiting) == [("offers[0].prelease_months", Code.ONE_OF)]


def test_a_schedule_of_more_payments_than_months_in_fifty_years_is_refused() -> None:
    days = [date.fromordinal(date(2026, 1, 6).toordinal() + n).isoformat() for n in range(601)]
    assert faults_of({**DATED, "months": 20, "due": days})[0] == ("offers[0].due", Code.TOO_LARGE)


@settings(max_examples=100, deadline=None)
@given(
    st.dates(date(2019, 1, 1), date(2028, 12, 31)),
    st.integers(1, 60),
    st.sampled_from(Interval),
    st.sampled_from([rolling for rolling in Rolling if rolling is not Rolling.NONE]),
    st.booleans(),
)
def test_rolled_days_survive_writing_and_are_worked(
    start: date, months: int, interval: Interval, rolling: Rolling, adjusted: bool
) -> None:
    entry = {**LOAN, "start": start.isoformat(), "months": months, "interval": int(interval)}
    (offer,) = read({**entry, "rolling": rolling.value, "adjusted": adjusted})
    assert isinstance(offer.terms, LoanTerms)
    assert all(is_working_day(day, calendar()) for day in offer.terms.due)
    days = payment_days(start, months, interval=interval, rolling=rolling, calendar=calendar())
    nominal, paid = zip(*days, strict=True)
    assert offer.terms.due == paid
    assert offer.terms.accrual == (() if adjusted or nominal == paid else nominal)
    assert read_terms(write_terms(offer.terms), stored=False) == offer.terms


def test_months_before_a_lease_are_read() -> None:
    (offer,) = read({**LEASE, "prelease_months": 3, "prelease_rate": "0.04", "rate_steps": [[38, "0.06"]]})
    assert isinstance(offer.terms, LeaseTerms)
    assert (offer.terms.prelease_months, offer.terms.prelease_rate) == (3, Decimal("0.04"))
    assert offer.terms.rate_steps == ((38, Decimal("0.06")),)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"prelease_months": -1}, "prelease_months", Code.TOO_SMALL),
        ({"prelease_months": 121}, "prelease_months", Code.TOO_LARGE),
        ({"prelease_months": "2"}, "prelease_months", Code.NOT_A_NUMBER),
        ({"prelease_rate": "0.04"}, "prelease_months", Code.REQUIRED),
        ({"prelease_months": 2, "prelease_rate": "-0"}, "prelease_rate", Code.NOT_A_NUMBER),
        ({"rate_steps": [[36, "0.06"]]}, "rate_steps[0][0]", Code.TOO_LARGE),
        ({"draws": [[0, "1"]]}, "draws", Code.UNKNOWN_FIELD),
    ],
)
def test_a_fault_before_a_lease_is_named(change: dict[str, Any], field: str, code: Code) -> None:
    assert faults_of({**LEASE, **change}) == [(f"offers[0].{field}", code)]


def test_a_loan_waits_for_nothing() -> None:
    assert faults_of({**LOAN, "prelease_months": 2}) == [("offers[0].prelease_months", Code.UNKNOWN_FIELD)]


def test_rates_step_and_a_deposit_is_held() -> None:
    (offer,) = read(
        {**LOAN, "rate_steps": [[3, "0.04"], [6, "0.05"]], "deposit": "0.1", "deposit_holder": "g"}
    )
    assert isinstance(offer.terms, LoanTerms)
    assert offer.terms.rate_steps == ((3, Decimal("0.04")), (6, Decimal("0.05")))
    assert (offer.terms.deposit, offer.terms.deposit_holder) == (Decimal("0.1"), "g")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"rate_steps": [[0, "0.04"]]}, "rate_steps[0][0]", Code.TOO_SMALL),
        ({"rate_steps": [[-1, "0.04"]]}, "rate_steps[0][0]", Code.TOO_SMALL),
        ({"rate_steps": [[12, "0.04"]]}, "rate_steps[0][0]", Code.TOO_LARGE),
        ({"rate_steps": [["3", "0.04"]]}, "rate_steps[0][0]", Code.NOT_A_NUMBER),
        ({"rate_steps": [[3, "NaN"]]}, "rate_steps[0][1]", Code.NOT_FINITE),
        ({"rate_steps": [[3, "1e400"]]}, "rate_steps[0][1]", Code.NOT_A_NUMBER),
        ({"rate_steps": [[3, "-0"]]}, "rate_steps[0][1]", Code.NOT_A_NUMBER),
        ({"rate_steps": [[3, "-0.01"]]}, "rate_steps[0][1]", Code.TOO_SMALL),
        ({"rate_steps": [[3, ""]]}, "rate_steps[0][1]", Code.NOT_A_NUMBER),
        ({"rate_steps": [[6, "0.04"], [3, "0.05"]]}, "rate_steps[1][0]", Code.OUT_OF_ORDER),
        ({"rate_steps": [[3, "0.04"], [3, "0.05"]]}, "rate_steps[1][0]", Code.OUT_OF_ORDER),
        ({"rate_steps": [[3]]}, "rate_steps[0]", Code.WRONG_SHAPE),
        ({"rate_steps": [3, "0.04"]}, "rate_steps[0]", Code.WRONG_SHAPE),
        ({"rate_steps": {"3": "0.04"}}, "rate_steps", Code.WRONG_SHAPE),
        ({"deposit": "1.01"}, "deposit", Code.TOO_LARGE),
        ({"deposit": "-0"}, "deposit", Code.NOT_A_NUMBER),
        ({"deposit_holder": ""}, "deposit_holder", Code.REQUIRED),
    ],
)
def test_a_fault_in_steps_or_deposit_is_named(change: dict[str, Any], field: str, code: Code) -> None:
    found = faults_of({**LOAN, **change})
    assert found[0] == (f"offers[0].{field}", code)
    assert {code for _, code in found} == {code}
