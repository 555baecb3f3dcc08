from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import money
from market.errors import Code, Invalid
from market.money import (
    divide,
    fits,
    mean,
    parse_rate,
    parse_yuan,
    quantise,
    rate_text,
    round_half_up,
    share,
    yuan,
)


@pytest.mark.parametrize(
    ("value", "fen"),
    [
        ("1000000.00", 100_000_000),
        ("0", 0),
        ("0.01", 1),
        ("12.5", 1250),
        ("12.500", 1250),
        ("007", 700),
        (12, 1200),
        (Decimal("12.34"), 1234),
        (Decimal("1E+3"), 100_000),
        ("10000000000.00", 10**12),
    ],
)
def test_amounts_are_read_exactly(value: object, fen: int) -> None:
    assert parse_yuan(value, "amount") == fen


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", Code.NOT_A_NUMBER),
        (" 1", Code.NOT_A_NUMBER),
        ("1,000", Code.NOT_A_NUMBER),
        ("+1", Code.NOT_A_NUMBER),
        ("1.", Code.NOT_A_NUMBER),
        (".5", Code.NOT_A_NUMBER),
        ("1e3", Code.NOT_A_NUMBER),
        ("1e400", Code.NOT_A_NUMBER),
        ("0x10", Code.NOT_A_NUMBER),
        ("１２", Code.NOT_A_NUMBER),
        ("1\n", Code.NOT_A_NUMBER),
        ("1_000", Code.NOT_A_NUMBER),
        ("-0", Code.NOT_A_NUMBER),
        ("-0.00", Code.NOT_A_NUMBER),
        (Decimal("-0"), Code.NOT_A_NUMBER),
        (True, Code.NOT_A_NUMBER),
        (1.5, Code.NOT_A_NUMBER),
        (None, Code.NOT_A_NUMBER),
        ([1], Code.NOT_A_NUMBER),
        ("NaN", Code.NOT_FINITE),
        ("-Infinity", Code.NOT_FINITE),
        (Decimal("NaN"), Code.NOT_FINITE),
        (Decimal("sNaN"), Code.NOT_FINITE),
        (Decimal("Infinity"), Code.NOT_FINITE),
        (Decimal("1E+400"), Code.NOT_A_NUMBER),
        ("1" * 41, Code.TOO_LONG),
        pytest.param(10**5000, Code.TOO_LONG, id="huge integer"),
        ("0.001", Code.TOO_MANY_DECIMALS),
        ("-1", Code.TOO_SMALL),
        ("10000000000000.01", Code.TOO_LARGE),
    ],
)
def test_what_is_no_amount_is_refused_by_name(value: object, code: Code) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_yuan(value, "amount")
    assert [(fault.code, fault.field) for fault in refusal.value.faults] == [(code, "amount")]


def test_negative_amounts_are_read_where_they_have_a_meaning() -> None:
    assert parse_yuan("-12.34", least=None) == -1234


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0.123456789", Code.TOO_MANY_DECIMALS),
        ("-0.01", Code.TOO_SMALL),
        ("101", Code.TOO_LARGE),
        ("nan", Code.NOT_FINITE),
    ],
)
def test_what_is_no_rate_is_refused_by_name(value: str, code: Code) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_rate(value, "rate")
    assert refusal.value.faults[0].code is code


@given(st.integers(-(10**15), 10**15))
def test_writing_and_reading_an_amount_changes_nothing(fen: int) -> None:
    assert parse_yuan(yuan(fen), least=None) == fen


@pytest.mark.parametrize(
    ("value", "whole"),
    [("0.5", 1), ("1.5", 2), ("-0.5", -1), ("0.4999999999999999999999999999999999", 0), ("-2.4", -2)],
)
def test_halves_go_away_from_zero(value: str, whole: int) -> None:
    assert round_half_up(Decimal(value)) == whole == round_half_up(Fraction(value))


@given(st.integers(0, 10**15), st.integers(0, 10**9), st.integers(1, 10**12))
def test_a_share_is_the_exact_product_rounded_once(amount: int, numerator: int, denominator: int) -> None:
    exact = round_half_up(Fraction(amount * numerator, denominator))
    assert share(amount, numerator, denominator) == exact
    column = np.array([amount], dtype=object)
    assert share(column, np.array([numerator], dtype=object), denominator)[0] == exact
    if fits(amount, numerator, denominator):
        assert share(np.array([amount]), np.array([numerator]), denominator)[0] == exact


@given(st.integers(-(10**15), 10**15), st.integers(1, 400))
def test_means_round_alike_for_one_and_for_many(total: int, parts: int) -> None:
    assert mean(total, parts) == round_half_up(Fraction(total, parts)) == mean(np.array([total]), parts)[0]
    assert divide(abs(total), parts) == abs(mean(total, parts))


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        ("0.037116890001", "0.03711689"),
        ("0.000000005", "0.00000001"),
        ("-0.000000001", "0.00000000"),
        ("0", "0.00000000"),
        ("824.005", "824.00500000"),
        ("1E+3", "1000.00000000"),
    ],
)
def test_rates_are_shown_with_eight_places(rate: str, text: str) -> None:
    assert rate_text(Decimal(rate)) == text
    assert quantise(Decimal(rate)) == Decimal(text)


def test_the_house_counts_a_hundred_fen_to_the_yuan() -> None:
    assert money.FEN == 100
