from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from market import bulk, cost
from market.book import Book, fits_columns
from market.cost import Verdict, check_declared, price, price_flows, price_many
from market.money import rate_text, yuan
from market.terms import BillTerms, BridgeTerms, Fee, FlowTerms, LeaseTerms, LoanTerms, Period, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, RentTiming, Repayment
from tests.market import reference_pricing
from tests.market.strategies import leases, loans, offers, plain_offers

MILLION = 100_000_000


def upfront(rate: str, payee: str = "lender") -> Fee:
    return Fee("fee", FeeTiming.UPFRONT, payee, rate=Decimal(rate))


def loan(**changes: object) -> LoanTerms:
    values = {
        "principal": MILLION,
        "months": 12,
        "rate": Decimal("0.0365"),
        "repayment": Repayment.INTEREST_MONTHLY,
    }
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


def lease(rent: RentTiming) -> LeaseTerms:
    return LeaseTerms(
        MILLION, 36, Decimal("0.055"), rent, deposit=Decimal("0.05"), buyout=10_000, fees=(upfront("0.015"),)
    )


FLAT = FlowTerms(
    ((Fraction(0), Decimal(120_000)), *((Fraction(k), Decimal(-10_720)) for k in range(1, 13))), Period.MONTH
)


@pytest.mark.parametrize(
    ("terms", "simple", "effective"),
    [
        (loan(), "0.0365", "0.037117"),
        (loan(fees=(upfront("0.005"),)), "0.041613", "0.042416"),
        (loan(fees=(upfront("0.01", "guarantor"),)), "0.046755", "0.047770"),
        # Twelve instalments at 0.6 % per month flat.
        (FLAT, "0.130342", "0.138418"),
        (lease(RentTiming.ARREARS), "0.071861", "0.074276"),
        (lease(RentTiming.ADVANCE), "0.072959", "0.075449"),
        (BillTerms(MILLION, 90, Decimal("0.06"), Decimal("0.003"), 365), "0.063994", "0.065554"),
    ],
)
def test_golden_values(terms: cost.Priceable, simple: str, effective: str) -> None:
    priced = price(terms)
    assert priced.simple is not None and priced.effective is not None
    assert rate_text(priced.simple, 6) == f"{Decimal(simple):.6f}"
    assert rate_text(priced.effective, 6) == f"{Decimal(effective):.6f}"


def test_golden_amounts() -> None:
    bill = price(BillTerms(MILLION, 90, Decimal("0.06"), Decimal("0.003"), 365))
    assert yuan(bill.net_received) == "984465.75"
    bridge = price(BridgeTerms(950_000_000, 5, Decimal("0.0002")))
    assert yuan(bridge.total_cost) == "9500.00"


def test_the_cost_splits_by_payee() -> None:
    subsidy = Subsidy("s", FeeTiming.END, rate=Decimal("0.005"))
    terms = loan(fees=(upfront("0.01", "guarantor"), upfront("0.002")), subsidies=(subsidy,))
    assert dict(price(terms).breakdown) == {
        "lender": 3_650_004 + 200_000,
        "guarantor": 1_000_000,
        "subsidy": -500_000,
    }


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # One repayment within a year is pro rata: by months, by days, over a leap year.
        (loan(repayment=Repayment.BULLET), "0.03650000"),
        (loan(repayment=Repayment.BULLET, months=6), "0.03650000"),
        (FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(-105)))), "0.05000000"),
        (FlowTerms(((date(2027, 3, 1), Decimal(100)), (date(2028, 3, 1), Decimal(-105)))), "0.04986339"),
        # More than a year, or more than one repayment: twelve times the monthly equivalent.
        (FlowTerms(((date(2027, 3, 1), Decimal(100)), (date(2028, 3, 2), Decimal(-105)))), "0.04862252"),
        (loan(repayment=Repayment.BULLET, months=24), "0.03528099"),
    ],
)
def test_the_simple_form_of_a_single_repayment(terms: cost.Priceable, expected: str) -> None:
    simple = price(terms).simple
    assert simple is not None and abs(simple - Decimal(expected)) < Decimal("2e-8")


def test_an_interest_free_loan_costs_zero() -> None:
    priced = price(loan(rate=Decimal(0)))
    assert (priced.effective, priced.simple, priced.total_cost) == (0, 0, 0)


def test_bare_flows_may_come_in_any_order_and_repeat() -> None:
    flows = [
        (date(2027, 1, 5), Decimal("-1000000.005")),
        (date(2026, 1, 5), Decimal("900000.000000001")),
        (date(2026, 6, 1), Decimal(0)),
        (date(2027, 1, 5), Decimal("-49999.995")),
        (date(2026, 1, 5), Decimal("99999.999999999")),
    ]
    priced = price_flows(flows)
    assert priced.effective is not None and rate_text(priced.effective) == "0.05000000"
    assert (priced.total_cost, priced.net_received) == (5_000_000, 100_000_000)
    assert priced.average_monthly_payment is None


def test_flows_without_a_rate_are_priced_without_one() -> None:
    priced = price_flows([(date(2026, 1, 5), Decimal(0)), (date(2026, 2, 5), Decimal(0))])
    assert (priced.effective, priced.simple, priced.note) == (None, None, "all_zero")
    assert price_flows([(date(2026, 1, 5), Decimal(1))]).note == "one_sided"


def test_a_rate_without_limit_is_still_a_figure() -> None:
    priced = price_flows([(date(2026, 1, 1), Decimal("0.01")), (date(2026, 1, 2), Decimal("-1000000000"))])
    assert priced.effective is not None and priced.effective.adjusted() == 4015
    beyond = price_flows([(Fraction(0), Decimal(1)), (Fraction(1, 10**9), Decimal(-2))], Period.YEAR)
    assert beyond.note == "beyond"


def test_a_bid_without_a_start_takes_the_day_it_is_priced_on() -> None:
    terms = loan(day_count=DayCount.ACT_360)
    assert price(terms, as_of=date(2026, 1, 5)) == price(replace(terms, start=date(2026, 1, 5)))


@settings(max_examples=100, deadline=None)
@given(offers)
def test_the_flows_sum_to_zero_at_the_effective_rate(terms: LoanTerms | LeaseTerms) -> None:
    priced = price(terms)
    assume(priced.effective is not None and Decimal("-0.9") < priced.effective < 100)
    assert priced.effective is not None
    expected = reference_pricing.price(terms)
    residue, size = reference_pricing.present_value(expected, priced.effective)
    assert abs(residue) <= size * Decimal("1e-15")
    assert sum(amount for _, amount in priced.breakdown) == priced.total_cost
    named = {payee: int(amount) for payee, amount in expected.payees.items() if amount or payee == "lender"}
    assert {payee: amount for payee, amount in priced.breakdown if amount or payee == "lender"} == named


@settings(max_examples=40, deadline=None)
@given(st.lists(offers, min_size=1, max_size=25))
def test_many_offers_cost_what_each_costs(listed: list[LoanTerms | LeaseTerms]) -> None:
    one_by_one = [price(terms) for terms in listed]
    assert price_many(listed) == one_by_one
    fitting = [place for place, terms in enumerate(listed) if fits_columns(terms)]
    columns = bulk.price(Book.of([listed[place] for place in fitting]))
    for row, place in enumerate(fitting):
        priced = one_by_one[place]
        assert columns.total_cost[row] == priced.total_cost
        assert columns.net_received[row] == priced.net_received
        assert columns.average_monthly_payment[row] == priced.average_monthly_payment
        note = bulk.NOTES[columns.note[row]]
        assert (note and note.value) == priced.note
        if priced.effective is not None and priced.simple is not None:
            assert columns.effective[row] == pytest.approx(float(priced.effective), rel=1e-9, abs=1e-12)
            assert columns.simple[row] == pytest.approx(float(priced.simple), rel=1e-9, abs=1e-12)


def test_offers_that_do_not_fit_in_columns_are_priced_among_the_others() -> None:
    listed = [
        loan(),
        loan(repayment=Repayment.REVOLVING, draws=((0, 50_000_000), (6, 20_000_000))),
        loan(rate=Decimal("0.0365000001")),
        BridgeTerms(MILLION, 5, Decimal("0.0002")),
        FLAT,
    ]
    assert price_many(listed) == [price(terms) for terms in listed]


#: Money that comes first and goes back later: only there does "dearer" have one meaning.
plainly_borrowed = st.one_of(loans, leases).map(
    lambda terms: replace(
        terms, principal=terms.principal + 10**8, fees=(), subsidies=(), deposit=Decimal(0), **_undrawn(terms)
    )
)


def _undrawn(terms: LoanTerms | LeaseTerms) -> dict[str, object]:
    return {"draws": ()} if isinstance(terms, LoanTerms) else {}


charged = st.builds(
    Fee,
    name=st.just("f"),
    when=st.sampled_from(FeeTiming),
    basis=st.sampled_from(FeeBasis),
    rate=st.integers(1, 30).map(lambda n: Decimal(n) / 10**5),
)


@settings(max_examples=150, deadline=None)
@given(plainly_borrowed, charged, st.integers(2, 5))
def test_the_higher_a_fee_the_dearer_the_offer(terms: LoanTerms | LeaseTerms, fee: Fee, times: int) -> None:
    assert fee.rate is not None
    dearer = replace(fee, rate=fee.rate * times)
    free, less, more = (price(replace(terms, fees=own)).effective for own in ((), (fee,), (dearer,)))
    # One rent in advance is no financing: it goes back the day it comes.
    assume(free is not None)
    assert free is not None and less is not None and more is not None
    paid = [price(replace(terms, fees=own)).total_cost for own in ((), (fee,), (dearer,))]
    # A share of nothing (interest at a rate of zero, say) is no cost.
    assert free <= less <= more
    assert (free < less) is (paid[0] < paid[1]) and (less < more) is (paid[1] < paid[2])


@settings(max_examples=150, deadline=None)
@given(plainly_borrowed, charged, st.integers(0, 12), st.integers(1, 10**6))
def test_the_more_the_firm_is_given_the_cheaper_the_offer(
    terms: LoanTerms | LeaseTerms, like: Fee, lag: int, cap: int
) -> None:
    help_ = Subsidy("s", like.when, basis=like.basis, rate=like.rate, cap=cap, lag_months=lag)
    wider = replace(help_, cap=2 * cap)
    kept = replace(help_, recipient=Recipient.INSTITUTION)
    base, capped, more, none, shared = (
        price(replace(terms, subsidies=own)).effective
        for own in ((), (help_,), (wider,), (kept,), (replace(kept, passed_on=Decimal(1)),))
    )
    assume(base is not None)
    assert base is not None and capped is not None and more is not None
    assert more <= capped <= base and none == base and shared == capped


@settings(max_examples=60, deadline=None)
@given(offers, st.randoms(use_true_random=False))
def test_the_order_in_which_charges_are_listed_changes_nothing(
    terms: LoanTerms | LeaseTerms, random: Random
) -> None:
    fees, subsidies = list(terms.fees), list(terms.subsidies)
    random.shuffle(fees)
    random.shuffle(subsidies)
    shuffled = price(replace(terms, fees=tuple(fees), subsidies=tuple(subsidies)))
    listed = price(terms)
    assert (shuffled.effective, shuffled.simple) == (listed.effective, listed.simple)
    assert dict(shuffled.breakdown) == dict(listed.breakdown)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(-(10**6), 10**6)), min_size=2, max_size=12),
    st.integers(1, 10**9),
    st.randoms(use_true_random=False),
)
def test_neither_order_nor_scale_of_flows_changes_their_rate(
    flows: list[tuple[int, int]], scale: int, random: Random
) -> None:
    given_ = [(Fraction(month), Decimal(amount)) for month, amount in flows]
    scaled = [(when, amount * scale / 1000) for when, amount in given_]
    random.shuffle(scaled)
    one, other = price_flows(given_, Period.MONTH), price_flows(scaled, Period.MONTH)
    assert (one.effective, one.simple, one.note) == (other.effective, other.simple, other.note)


def ordinary(terms: LoanTerms | LeaseTerms) -> LoanTerms | LeaseTerms:
    """Return the offer as one that receives once and pays from then on, at a rate that is not nearly zero."""
    terms = replace(terms, principal=terms.principal + 10**8, fees=terms.fees[:1], subsidies=())
    terms = replace(terms, rate=terms.rate + Decimal("0.01"))
    return replace(terms, deposit=Decimal(0)) if isinstance(terms, LeaseTerms) else terms


@settings(max_examples=60, deadline=None)
@given(plain_offers.map(ordinary))
def test_pyxirr_finds_the_same_rate_for_ordinary_offers(terms: LoanTerms | LeaseTerms) -> None:
    priced = price(terms)
    expected = reference_pricing.price(terms)
    assume(priced.effective is not None and priced.effective < 1 and expected.net[0] > 0)
    assert priced.effective is not None
    # The oracle's tolerance is absolute: it gives up on billions.
    amounts = [float(amount / terms.principal * 1000) for amount in expected.net]
    if terms.day_count is DayCount.THIRTY_360:
        monthly = pyxirr.irr(amounts)
        assert monthly is not None
        found = (1 + monthly) ** 12 - 1
    else:
        dates = [reference_pricing._later(terms.start, k) for k in range(terms.months + 1)]  # type: ignore[arg-type]
        found = pyxirr.xirr(dates, amounts)
    assert found == pytest.approx(float(priced.effective), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        ("0.0371", Verdict.OK),
        ("0.0372", Verdict.OK),
        ("0.03720001", Verdict.FLAG),
        ("0.03699999", Verdict.FLAG),
        ("0.03835", Verdict.FLAG),
        ("0.03835001", Verdict.REFUSE),
        ("0.0300", Verdict.REFUSE),
    ],
)
def test_a_declared_rate_is_checked_not_trusted(declared: str, verdict: Verdict) -> None:
    assert check_declared(Decimal(declared), Decimal("0.0371")) is verdict
