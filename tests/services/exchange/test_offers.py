from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Code, Invalid
from market.reference import lpr_table
from market.terms import Fee, FlowTerms, LeaseTerms, LoanTerms, Period, Priceable, Subsidy
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Recipient, Repayment
from services.exchange.offers import (
    read_fees,
    read_file,
    read_offer,
    read_subsidies,
    read_terms,
    write_offer,
    write_terms,
)
from tests.market.strategies import everything, offers, starts
from tests.services.exchange.offer_files import FLOWS, LEASE, LOAN, faults_of, faults_of_any, read, read_any


def faults_in(text: str) -> list[tuple[str | None, Code]]:
    with pytest.raises(Invalid) as refusal:
        read_file(text.encode("utf-8", "surrogateescape"), lpr_table())
    return [(fault.field, fault.code) for fault in refusal.value.faults]


def test_a_full_loan_is_read() -> None:
    fee = {
        "name": "guarantee fee",
        "payee": "guarantor",
        "basis": "principal",
        "rate": "0.01",
        "when": "upfront",
    }
    subsidy = {"name": "fee subsidy", "recipient": "institution", "amount": "50.00", "when": "end"}
    (offer,) = read(
        {**LOAN, "day_count": "act/360", "start": "2026-01-05", "fees": [fee], "subsidies": [subsidy]}
    )
    assert offer.id == "A"
    assert offer.terms == LoanTerms(
        100_000_000,
        12,
        Decimal("0.0365"),
        Repayment.BULLET,
        DayCount.ACT_360,
        date(2026, 1, 5),
        (Fee("guarantee fee", FeeTiming.UPFRONT, "guarantor", FeeBasis.PRINCIPAL, Decimal("0.01")),),
        (Subsidy("fee subsidy", FeeTiming.END, Recipient.INSTITUTION, amount=5_000),),
    )


def test_a_floating_rate_is_frozen_on_the_day_of_the_start() -> None:
    floating = {key: value for key, value in LOAN.items() if key != "rate"}
    lpr = {"tenor": "1y", "spread_bp": 55}
    (offer,) = read({**floating, "start": "2026-01-05", "lpr": lpr})
    assert offer.terms.rate == Decimal("0.0355")
    assert faults_of({**floating, "lpr": lpr}) == [("offers[0].start", Code.REQUIRED)]
    assert faults_of({**floating, "lpr": lpr, "start": "2019-01-01"}) == [
        ("offers[0].start", Code.OUT_OF_ORDER)
    ]
    assert faults_of({**LOAN, "lpr": lpr, "start": "2026-01-05"}) == [("offers[0].lpr", Code.ONE_OF)]
    too_low = {"tenor": "1y", "spread_bp": -301}
    assert faults_of({**floating, "start": "2026-01-05", "lpr": too_low}) == [
        ("offers[0].lpr.spread_bp", Code.TOO_SMALL)
    ]


def test_flows_are_dates_or_period_numbers() -> None:
    dated, monthly = read(
        FLOWS,
        {
            "id": "E",
            "kind": "flows",
            "period": "month",
            "flows": [["0", "990000.00"], ["0.5", "-1.23456789"], ["1/3", "0"], [2, -3041.67], ["-1", "-5"]],
        },
    )
    assert dated.terms == FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(-105))))
    assert monthly.terms.period is Period.MONTH
    assert [when for when, _ in monthly.terms.flows] == [0, Fraction(1, 2), Fraction(1, 3), 2, -1]
    assert monthly.terms.flows[3][1] == Decimal("-3041.67")


@settings(max_examples=300, deadline=None)
@given(offers)
def test_what_is_written_is_read_back_the_same(terms: LoanTerms | LeaseTerms) -> None:
    assert read_offer(json.loads(json.dumps(write_offer(terms)))) == terms


@settings(max_examples=300, deadline=None)
@given(everything)
def test_terms_of_every_kind_survive_writing(terms: Priceable) -> None:
    written = json.loads(json.dumps(write_terms(terms)))
    assert read_terms(written) == terms
    assert write_terms(read_terms(written)) == written


whole_periods = st.integers(0, 100).map(Fraction)
decimals = st.decimals(-(10**9), 10**9, places=4).filter(lambda number: number or not number.is_signed())
periods = st.one_of(
    whole_periods,
    st.integers(1, 999).map(lambda n: Fraction(7, n)),
    st.integers(1, 10**9).map(lambda n: Fraction(n, 10**12)),
)


@given(
    st.one_of(
        st.builds(
            FlowTerms,
            st.lists(st.tuples(periods, decimals), min_size=1, max_size=8).map(tuple),
            st.sampled_from(Period),
        ),
        st.builds(FlowTerms, st.lists(st.tuples(starts, decimals), min_size=1, max_size=8).map(tuple)),
    )
)
def test_bare_flows_survive_writing(terms: FlowTerms) -> None:
    assert read_terms(json.loads(json.dumps(write_terms(terms)))) == terms


def test_a_draw_list_survives_writing() -> None:
    terms = LoanTerms(1000, 6, Decimal("0.05"), Repayment.REVOLVING, draws=((0, 500), (2, 500), (3, -200)))
    assert read_offer(write_offer(terms)) == terms


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"principal": "0"}, "principal", Code.TOO_SMALL),
        ({"principal": "-5"}, "principal", Code.TOO_SMALL),
        ({"principal": "1.001"}, "principal", Code.TOO_MANY_DECIMALS),
        ({"principal": ""}, "principal", Code.NOT_A_NUMBER),
        ({"principal": "NaN"}, "principal", Code.NOT_FINITE),
        ({"principal": "-0"}, "principal", Code.NOT_A_NUMBER),
        ({"principal": "1e400"}, "principal", Code.NOT_A_NUMBER),
        ({"principal": "9" * 41}, "principal", Code.TOO_LONG),
        ({"principal": None}, "principal", Code.REQUIRED),
        ({"principal": ["1"]}, "principal", Code.NOT_A_NUMBER),
        ({"months": 0}, "months", Code.TOO_SMALL),
        ({"months": -3}, "months", Code.TOO_SMALL),
        ({"months": 601}, "months", Code.TOO_LARGE),
        ({"months": 12.5}, "months", Code.NOT_A_NUMBER),
        ({"months": "12"}, "months", Code.NOT_A_NUMBER),
        ({"months": True}, "months", Code.NOT_A_NUMBER),
        ({"months": 10**30}, "months", Code.NOT_A_NUMBER),
        ({"rate": "-0.01"}, "rate", Code.TOO_SMALL),
        ({"rate": "3.65 %"}, "rate", Code.NOT_A_NUMBER),
        ({"rate": "inf"}, "rate", Code.NOT_FINITE),
        ({"repayment": "monthly"}, "repayment", Code.NOT_A_CHOICE),
        ({"day_count": "act/366"}, "day_count", Code.NOT_A_CHOICE),
        ({"day_count": "act/360"}, "start", Code.REQUIRED),
        ({"start": "2026-02-30"}, "start", Code.NOT_A_DATE),
        ({"start": "20260105"}, "start", Code.NOT_A_DATE),
        ({"start": "9999-06-01"}, "start", Code.NOT_A_DATE),
        ({"kind": "bond"}, "kind", Code.NOT_A_CHOICE),
        ({"colour": "red"}, "colour", Code.UNKNOWN_FIELD),
        ({"buyout": "0.05"}, "buyout", Code.UNKNOWN_FIELD),
        ({"id": ""}, "id", Code.REQUIRED),
        ({"id": 7}, "id", Code.NOT_TEXT),
        ({"fees": {"rate": "0.01"}}, "fees", Code.WRONG_SHAPE),
        ({"fees": "none"}, "fees", Code.WRONG_SHAPE),
        ({"fees": [7]}, "fees[0]", Code.WRONG_SHAPE),
        ({"fees": [{"name": "f", "rate": "0.01"}]}, "fees[0].when", Code.REQUIRED),
        ({"fees": [{"name": "f", "when": "end"}]}, "fees[0].rate", Code.REQUIRED),
        ({"fees": [{"name": "f", "when": "end", "rate": "1", "amount": "1"}]}, "fees[0].amount", Code.ONE_OF),
        ({"fees": [{"name": "f", "when": "end", "rate": "11"}]}, "fees[0].rate", Code.TOO_LARGE),
        (
            {"fees": [{"name": "f", "when": "end", "rate": "1", "paid": 1}]},
            "fees[0].paid",
            Code.UNKNOWN_FIELD,
        ),
        (
            {"subsidies": [{"name": "s", "when": "end", "rate": "1", "recipient": "bank"}]},
            "subsidies[0].recipient",
            Code.NOT_A_CHOICE,
        ),
        ({"draws": [[0, "1"]]}, "draws", Code.UNKNOWN_FIELD),
        ({"repayment": "revolving", "draws": [[12, "1"]]}, "draws[0][0]", Code.TOO_LARGE),
        ({"repayment": "revolving", "draws": [[0, "1000000.01"]]}, "draws", Code.TOO_LARGE),
        ({"repayment": "revolving", "draws": [[0, "5"], [1, "-6"]]}, "draws", Code.TOO_SMALL),
        ({"repayment": "revolving", "draws": [[0]]}, "draws[0]", Code.WRONG_SHAPE),
    ],
)
def test_a_fault_is_named_with_its_path(change: dict[str, Any], field: str, code: Code) -> None:
    assert faults_of({**LOAN, **change}) == [(f"offers[0].{field}", code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"deposit": "1.01"}, "deposit", Code.TOO_LARGE),
        ({"deposit": "-0.01"}, "deposit", Code.TOO_SMALL),
        ({"buyout": "-1"}, "buyout", Code.TOO_SMALL),
        ({"rent": "middle"}, "rent", Code.NOT_A_CHOICE),
        ({"repayment": "bullet"}, "repayment", Code.UNKNOWN_FIELD),
    ],
)
def test_a_fault_in_a_lease_is_named_with_its_path(change: dict[str, Any], field: str, code: Code) -> None:
    assert faults_of({**LEASE, **change}) == [(f"offers[0].{field}", code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"flows": []}, "flows", Code.REQUIRED),
        ({"flows": None}, "flows", Code.REQUIRED),
        ({"flows": [["2026-01-05"]]}, "flows[0]", Code.WRONG_SHAPE),
        ({"flows": [["2026-01-05", "1", "2"]]}, "flows[0]", Code.WRONG_SHAPE),
        ({"flows": [["2026-02-29", "1"]]}, "flows[0][0]", Code.NOT_A_DATE),
        ({"flows": [["1", "1"]]}, "flows[0][0]", Code.NOT_A_DATE),
        ({"flows": [["2026-01-05", "1e5"]]}, "flows[0][1]", Code.NOT_A_NUMBER),
        ({"flows": [["2026-01-05", "1" * 41]]}, "flows[0][1]", Code.TOO_LONG),
        ({"period": "month", "flows": [["2026-01-05", "1"]]}, "flows[0][0]", Code.NOT_A_NUMBER),
        ({"period": "month", "flows": [["1/0", "1"]]}, "flows[0][0]", Code.NOT_A_NUMBER),
        ({"period": "month", "flows": [["-0", "1"]]}, "flows[0][0]", Code.NOT_A_NUMBER),
        ({"period": "month", "flows": [["100001", "1"]]}, "flows[0][0]", Code.TOO_LARGE),
        ({"period": "week", "flows": [["2026-01-05", "1"]]}, "period", Code.NOT_A_CHOICE),
        ({"months": 12}, "months", Code.UNKNOWN_FIELD),
    ],
)
def test_a_fault_in_flows_is_named_with_its_path(change: dict[str, Any], field: str, code: Code) -> None:
    assert faults_of({**FLOWS, **change}) == [(f"offers[0].{field}", code)]


def test_a_start_of_the_year_one_is_a_day_like_any_other() -> None:
    floating = {key: value for key, value in LOAN.items() if key != "rate"}
    before_all = {**floating, "start": "0001-01-01", "lpr": {"tenor": "1y"}}
    assert faults_of(before_all) == [("offers[0].start", Code.OUT_OF_ORDER)]


def test_a_missing_start_is_named_once_whatever_needs_it() -> None:
    floating = {key: value for key, value in LOAN.items() if key != "rate"}
    needy = {**floating, "lpr": {"tenor": "1y"}, "day_count": "act/360", "rolling": "following"}
    assert faults_of(needy) == [("offers[0].start", Code.REQUIRED)]


def test_a_tenor_that_cannot_be_read_is_one_fault() -> None:
    later = {"fees": [{"when": "end", "rate": "0.01", "from_month": 6}], "rate_steps": [[6, "0.04"]]}
    assert faults_of({**LOAN, **later, "months": -3}) == [("offers[0].months", Code.TOO_SMALL)]


@pytest.mark.parametrize("kind", ["bill", "factoring", "bridge", "cover", "package", "Loan", "贷款"])
def test_a_file_names_the_kinds_it_takes(kind: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read({**LOAN, "kind": kind})
    (fault,) = refusal.value.faults
    assert (fault.field, fault.code) == ("offers[0].kind", Code.NOT_A_CHOICE)
    assert fault.values == {"value": kind, "choices": ["loan", "lease", "flows"]}


def test_only_the_api_reads_what_an_offer_declares() -> None:
    declaring = {**LOAN, "declared_rate": "0.04"}
    assert faults_of(declaring) == [("offers[0].declared_rate", Code.UNKNOWN_FIELD)]
    assert read_any(declaring)[0].declared == Decimal("0.04")
    assert faults_of_any({**LOAN, "declared_rate": "-0"}) == [("offers[0].declared_rate", Code.NOT_A_NUMBER)]


def test_period_numbers_without_a_common_unit_are_refused_before_they_are_counted() -> None:
    primes = [n for n in range(2, 999) if all(n % d for d in range(2, n))]
    flows = [[f"1/{prime}", "1"] for prime in primes]
    assert faults_of({**FLOWS, "period": "year", "flows": flows})[0][1] is Code.TOO_MANY_DECIMALS
    assert len(read({**FLOWS, "period": "year", "flows": flows[:40]})[0].terms.flows) == 40


def test_every_fault_of_a_file_is_named_at_once() -> None:
    assert faults_of({**LOAN, "months": 0, "rate": "x"}, 7, {**FLOWS, "id": "A"}, {**FLOWS, "id": "A"}) == [
        ("offers[0].months", Code.TOO_SMALL),
        ("offers[0].rate", Code.NOT_A_NUMBER),
        ("offers[1]", Code.WRONG_SHAPE),
        ("offers[2].id", Code.REPEATED),
        ("offers[3].id", Code.REPEATED),
    ]


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("", None, Code.UNREADABLE_FILE),
        ("{", None, Code.UNREADABLE_FILE),
        ('{"offers": []} x', None, Code.UNREADABLE_FILE),
        ("[" * 100_000, None, Code.UNREADABLE_FILE),
        ("\udcff", None, Code.UNREADABLE_FILE),
        ("[]", None, Code.WRONG_SHAPE),
        ("{}", "offers", Code.REQUIRED),
        ('{"offers": []}', "offers", Code.REQUIRED),
        ('{"offers": {}}', "offers", Code.WRONG_SHAPE),
        ('{"offers": [], "offers": []}', "offers", Code.REPEATED),
    ],
)
def test_a_file_that_is_no_offers_file_is_refused(text: str, field: str | None, code: Code) -> None:
    assert faults_in(text)[0] == (field, code)


def test_a_name_given_twice_is_a_fault_and_so_is_a_bare_nan() -> None:
    text = json.dumps({"offers": [LOAN]})
    assert faults_in(text.replace('"rate"', '"rate": "0.01", "rate"')) == [("offers[0].rate", Code.REPEATED)]
    assert faults_in(text.replace('"0.0365"', "NaN")) == [("offers[0].rate", Code.NOT_FINITE)]
    assert faults_in(text.replace('"0.0365"', "1e400")) == [("offers[0].rate", Code.NOT_A_NUMBER)]


def test_stored_terms_have_their_rate_fixed() -> None:
    with pytest.raises(Invalid) as refusal:
        read_offer({**LOAN, "lpr": {"tenor": "1y"}}, "terms")
    assert {fault.field for fault in refusal.value.faults} == {"terms.lpr", "terms.id"}


def test_lists_of_charges_are_read_by_themselves() -> None:
    assert read_fees([{"name": "f", "when": "end", "amount": "1"}]) == (Fee("f", FeeTiming.END, amount=100),)
    assert read_subsidies([], "subsidies") == ()
    with pytest.raises(Invalid) as refusal:
        read_fees([{"name": "f"}], "fees")
    assert [fault.field for fault in refusal.value.faults] == ["fees[0].when", "fees[0].rate"]
