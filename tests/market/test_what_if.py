"""What if: without a charge never dearer, whatever their order, and what is varied stays an offer."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from market import cost, what_if
from market.errors import Code, Invalid
from market.schedule import SUBSIDY, Part
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Priceable,
    Subsidy,
)
from market.vocabulary import FeeBasis, FeeTiming, Interval, Recipient, RentTiming, Repayment
from tests.market.strategies import everything, leases, loans, months, principals

MILLION = 10**8
GUARANTEE = Fee("guarantee", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01"))
HANDLING = Fee("handling", FeeTiming.UPFRONT, rate=Decimal("0.015"))
APPRAISAL = Fee("appraisal", FeeTiming.UPFRONT, "agency", amount=500_000)
HELP = Subsidy("fee subsidy", FeeTiming.END, rate=Decimal("0.005"))
LOAN = LoanTerms(
    MILLION, 12, Decimal("0.0365"), Repayment.INTEREST_MONTHLY, fees=(GUARANTEE, APPRAISAL), subsidies=(HELP,)
)
LEASE = LeaseTerms(
    MILLION,
    36,
    Decimal("0.055"),
    deposit=Decimal("0.05"),
    buyout=10_000,
    fees=(replace(GUARANTEE, payee="lender"),),
)
BILL = BillTerms(MILLION, 90, Decimal("0.06"), Decimal("0.003"), basis=365)

#: Charges a person meets: together they never reach the money that is handed out.
usual_fees = st.builds(
    Fee,
    name=st.sampled_from(["guarantee", "appraisal"]),
    when=st.sampled_from(FeeTiming),
    payee=st.sampled_from(["lender", "guarantor"]),
    basis=st.sampled_from([FeeBasis.PRINCIPAL, FeeBasis.OUTSTANDING]),
    rate=st.integers(0, 20).map(lambda n: Decimal(n) / 1000),
)
usual_loans = st.builds(
    LoanTerms,
    principal=st.integers(10**6, 10**12),
    months=st.integers(1, 60),
    rate=st.integers(0, 2400).map(lambda n: Decimal(n) / 10_000),
    repayment=st.sampled_from(Repayment),
    fees=st.lists(usual_fees, max_size=3).map(tuple),
    deposit=st.integers(0, 20).map(lambda n: Decimal(n) / 100),
    interval=st.sampled_from(Interval),
)


def test_each_charge_says_what_it_adds() -> None:
    fee, appraisal, help_ = what_if.marginals(LOAN)
    plain = replace(LOAN, fees=(), subsidies=())
    only = cost.price(replace(plain, fees=(GUARANTEE,)))
    # Golden values: 3.7117 % by itself, 4.7770 % with a guarantee fee of 1 % at the start.
    (alone,) = what_if.marginals(replace(plain, fees=(GUARANTEE,)))
    assert alone.adds.points is not None and round(alone.adds.points, 6) == Decimal("0.010653")
    assert alone.adds.total == 1_000_000 and only.total_cost == 4_650_004
    assert [(one.part, one.place, one.name, one.payee) for one in (fee, appraisal, help_)] == [
        (Part.FEE, 0, "guarantee", "guarantor"),
        (Part.FEE, 1, "appraisal", "agency"),
        (Part.SUBSIDY, 0, "fee subsidy", SUBSIDY),
    ]
    assert [one.adds.total for one in (fee, appraisal, help_)] == [1_000_000, 500_000, -500_000]
    assert help_.adds.points is not None and help_.adds.points < 0


def test_a_deposit_and_a_buy_out_are_weighed_as_charges_are() -> None:
    found = {one.part: one for one in what_if.marginals(LEASE)}
    assert list(found) == [Part.FEE, Part.BUYOUT, Part.DEPOSIT]
    # A deposit costs no yuan, yet it is the dearest of the three: the money is not in the firm's hands.
    assert found[Part.DEPOSIT].adds.total == 0 and found[Part.BUYOUT].adds.total == 10_000
    assert found[Part.DEPOSIT].adds.points > Decimal("0.003") > found[Part.BUYOUT].adds.points > 0  # type: ignore[operator]
    held = replace(LOAN, deposit=Decimal("0.1"), deposit_holder="guarantor")
    assert what_if.marginals(held)[2].payee == "guarantor"


def test_the_yearly_fee_of_a_bill_and_the_price_of_a_cover_are_charges_too() -> None:
    (fee,) = what_if.marginals(BILL)
    assert (fee.part, fee.adds.total) == (Part.FEE, 73_973)
    cover = CoverTerms(MILLION, 12, (GUARANTEE,), deposit=Decimal("0.1"))
    study = what_if.explore(cover)
    assert [(one.part, one.payee) for one in study.marginals] == [
        (Part.FEE, "guarantor"),
        (Part.DEPOSIT, "guarantor"),
    ]
    assert study.bare.effective == 0
    assert what_if.marginals(BridgeTerms(MILLION, 5, Decimal("0.0002"))) == ()
    assert (
        what_if.explore(
            FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(-105))))
        ).styles
        == ()
    )


def test_what_charges_add_together_is_measured_against_interest_alone() -> None:
    study = what_if.explore(LOAN)
    assert study.charges.total == 1_000_000
    assert study.bare.effective is not None and round(study.bare.effective, 6) == Decimal("0.037117")
    assert what_if.explore(replace(LOAN, fees=(), subsidies=())).charges == what_if.Difference(Decimal(0), 0)


@given(usual_loans)
def test_without_a_fee_an_offer_is_never_dearer(terms: LoanTerms) -> None:
    study = what_if.explore(terms)
    assume(study.cost.effective is not None)
    for one in study.marginals:
        assert one.adds.points is not None and one.adds.points >= 0, one
        assert one.adds.total >= 0
    assert study.charges.points is not None and study.charges.points >= 0


@given(usual_loans, st.sampled_from(Recipient))
def test_without_a_subsidy_an_offer_is_never_cheaper(terms: LoanTerms, recipient: Recipient) -> None:
    helped = replace(terms, subsidies=(Subsidy("help", FeeTiming.END, recipient, rate=Decimal("0.002")),))
    one = what_if.marginals(helped)[-1]
    assume(one.adds.points is not None)
    if recipient is Recipient.INSTITUTION:
        assert one.adds == what_if.Difference(Decimal(0), 0)
    else:
        assert one.adds.points <= 0 and one.adds.total <= 0  # type: ignore[operator]


@given(usual_loans, st.randoms(use_true_random=False))
def test_the_order_of_fees_changes_nothing(terms: LoanTerms, chance: random.Random) -> None:
    places = list(range(len(terms.fees)))
    chance.shuffle(places)
    moved = what_if.marginals(replace(terms, fees=tuple(terms.fees[place] for place in places)))
    listed = what_if.marginals(terms)
    for place, former in enumerate(places):
        assert moved[place].adds == listed[former].adds


@given(everything)
def test_the_batch_says_what_each_variant_costs_by_itself(terms: Priceable) -> None:
    study = what_if.explore(terms, terms)
    assert study.changed is not None
    priced = cost.price(terms)
    for same in (study.cost, study.changed):
        assert (same.effective, same.total_cost) == (priced.effective, priced.total_cost)
    for styled in study.styles:
        alone = cost.price(what_if.vary(terms, style=styled.style))
        assert (styled.cost.effective, styled.cost.total_cost) == (alone.effective, alone.total_cost)
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        own = terms.repayment if isinstance(terms, LoanTerms) else terms.rent
        (same_style,) = [styled for styled in study.styles if styled.style is own]
        assert same_style.cost.effective == priced.effective


@given(everything, st.integers(100, 10**12))
def test_another_amount_keeps_rates_and_shares(terms: Priceable, amount: int) -> None:
    assume(not (isinstance(terms, LoanTerms) and terms.draws))
    varied = what_if.vary(terms, amount=amount)
    names = {name: getattr(varied, name) for name in ("principal", "face", "amount") if hasattr(varied, name)}
    assert list(names.values()) == [amount]
    assert replace(varied, **{name: getattr(terms, name) for name in names}) == terms
    cost.price(varied)


@given(st.one_of(loans, leases), months)
def test_another_tenor_is_priced_and_lasts_as_long_as_it_says(
    terms: LoanTerms | LeaseTerms, term: int
) -> None:
    assume(not terms.due)
    try:
        varied = what_if.vary(terms, term=term)
    except Invalid as refusal:
        # Nothing of a revolving line would be drawn within the shorter term.
        assert isinstance(terms, LoanTerms) and term <= terms.draws[0][0]
        assert [fault.code for fault in refusal.faults] == [Code.REQUIRED]
        return
    assert isinstance(varied, (LoanTerms, LeaseTerms)) and varied.months == term
    schedule = cost.price(varied).schedule
    assert schedule.lines[-1].balance == 0


@st.composite
def lines_of_credit(draw: st.DrawFn) -> LoanTerms:
    """Draw a revolving loan that is drawn and repaid within its limit."""
    limit = draw(principals)
    balances = draw(st.lists(st.integers(0, limit), min_size=1, max_size=6))
    changes = enumerate(later - before for before, later in zip([0, *balances], balances, strict=False))
    draws = tuple((month, change) for month, change in changes if change)
    assume(draws)
    return replace(LOAN, principal=limit, repayment=Repayment.REVOLVING, draws=draws)


@given(lines_of_credit(), principals)
def test_draws_keep_their_pattern_within_another_limit(terms: LoanTerms, amount: int) -> None:
    most = max_balance(terms)
    assert what_if.vary(terms, amount=terms.principal) == terms
    try:
        varied = what_if.vary(terms, amount=amount)
    except Invalid as refusal:
        # Less than half a fen would be drawn: nothing, and not the whole of it.
        assert 2 * most * amount < terms.principal
        assert [fault.code for fault in refusal.faults] == [Code.REQUIRED]
        return
    assert isinstance(varied, LoanTerms)
    assert max_balance(varied) <= amount
    # Half a fen is what rounding may do to a balance.
    assert abs(max_balance(varied) * terms.principal - most * amount) * 2 <= terms.principal
    cost.price(varied)


def max_balance(terms: LoanTerms) -> int:
    """Return the most that a revolving line has out at any time."""
    balance = most = 0
    for _, change in terms.draws:
        balance += change
        most = max(most, balance)
    return most


def test_a_rate_and_a_style_are_varied_where_there_are_any() -> None:
    assert what_if.vary(LOAN, rate=Decimal("0.04"), style=Repayment.BULLET) == replace(
        LOAN, rate=Decimal("0.04"), repayment=Repayment.BULLET
    )
    assert what_if.vary(LEASE, style=RentTiming.ADVANCE) == replace(LEASE, rent=RentTiming.ADVANCE)
    bridge = BridgeTerms(MILLION, 5, Decimal("0.0002"))
    assert what_if.vary(bridge, rate=Decimal("0.0003"), term=7) == BridgeTerms(MILLION, 7, Decimal("0.0003"))
    assert what_if.vary(BILL, term=30) == replace(BILL, days=30)
    assert (
        what_if.vary(FactoringTerms(MILLION, 90, Decimal("0.06")), amount=MILLION // 2).face == MILLION // 2
    )  # type: ignore[union-attr]
    assert what_if.vary(LOAN) is LOAN


def test_a_later_rate_that_would_begin_after_the_end_is_left_out() -> None:
    stepped = replace(LOAN, rate_steps=((6, Decimal("0.04")), (9, Decimal("0.05"))))
    assert what_if.vary(stepped, term=9).rate_steps == ((6, Decimal("0.04")),)  # type: ignore[union-attr]
    waiting = replace(LEASE, months=12, prelease_months=3, rate_steps=((13, Decimal("0.06")),))
    assert what_if.vary(waiting, term=11).rate_steps == waiting.rate_steps  # type: ignore[union-attr]
    assert what_if.vary(waiting, term=10).rate_steps == ()  # type: ignore[union-attr]


LATE_DRAW = replace(LOAN, repayment=Repayment.REVOLVING, draws=((6, MILLION),))
DATED = replace(LOAN, months=2, start=date(2026, 1, 5), due=(date(2026, 2, 5), date(2026, 3, 5)))


@pytest.mark.parametrize(
    ("terms", "change", "code", "field"),
    [
        (LOAN, {"amount": 0}, Code.TOO_SMALL, "amount"),
        (LOAN, {"term": 0}, Code.TOO_SMALL, "term"),
        (DATED, {"term": 3}, Code.ONE_OF, "term"),
        (BILL, {"style": Repayment.BULLET}, Code.NOT_A_CHOICE, "style"),
        (LEASE, {"style": Repayment.BULLET}, Code.NOT_A_CHOICE, "style"),
        (LOAN, {"style": RentTiming.ADVANCE}, Code.NOT_A_CHOICE, "style"),
        (CoverTerms(MILLION, 12, (GUARANTEE,)), {"rate": Decimal(0)}, Code.UNKNOWN_FIELD, "rate"),
        (FlowTerms(()), {"amount": 1}, Code.UNKNOWN_FIELD, "amount"),
        (FlowTerms(()), {"term": 1}, Code.UNKNOWN_FIELD, "term"),
        (
            replace(LOAN, repayment=Repayment.REVOLVING, draws=((6, MILLION),)),
            {"term": 6},
            Code.REQUIRED,
            "term",
        ),
    ],
)
def test_what_the_terms_do_not_have_is_refused_by_name(
    terms: Priceable, change: dict[str, object], code: Code, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        what_if.vary(terms, **change)  # type: ignore[arg-type]
    assert [(fault.code, fault.field) for fault in refusal.value.faults] == [(code, field)]


def test_styles_are_those_one_could_choose_and_the_one_there_is() -> None:
    assert [one.style for one in what_if.styles(LOAN)] == [
        style for style in Repayment if style is not Repayment.REVOLVING
    ]
    assert what_if.list_styles(replace(LOAN, repayment=Repayment.REVOLVING)) == tuple(Repayment)
    assert [one.style for one in what_if.styles(LEASE)] == [RentTiming.ARREARS, RentTiming.ADVANCE]
    assert what_if.styles(BILL) == ()


def test_payments_tell_a_level_schedule_from_one_with_everything_at_the_end() -> None:
    plain = replace(LOAN, fees=(), subsidies=())
    found = {one.style: one.payments for one in what_if.styles(plain)}
    assert found[Repayment.INTEREST_MONTHLY] == what_if.Payments(0, 304_167, 304_167, MILLION + 304_167, 12)
    bullet = found[Repayment.BULLET]
    assert (bullet.first, bullet.usual, bullet.last, bullet.count) == (0, 0, 103_650_000, 1)
    level = found[Repayment.EQUAL_INSTALLMENT]
    assert level.first == level.usual and abs(level.last - level.usual) < 100
    falling = found[Repayment.EQUAL_PRINCIPAL]
    assert falling.first > falling.usual > falling.last


def test_payments_of_quarters_and_of_what_falls_due_between_them() -> None:
    monthly_fee = Fee("account", FeeTiming.MONTHLY, amount=1_000)
    quarterly = replace(LOAN, interval=Interval.QUARTERLY, fees=(monthly_fee,), subsidies=())
    paid = what_if.find_payments(cost.price(quarterly).schedule)
    assert (paid.first, paid.usual, paid.count) == (912_500 + 1_000, 912_500 + 1_000, 4)
    bullet = replace(quarterly, repayment=Repayment.BULLET)
    paid = what_if.find_payments(cost.price(bullet).schedule)
    assert (paid.first, paid.usual, paid.last) == (1_000, 1_000, 103_650_000 + 1_000)


def test_payments_of_a_lease_in_advance_end_with_what_is_given_back() -> None:
    advance = replace(LEASE, rent=RentTiming.ADVANCE)
    paid = what_if.find_payments(cost.price(advance).schedule)
    assert paid.upfront > 0 and paid.first == paid.usual == 3_005_814
    assert paid.last == 10_000 - 5_000_000
