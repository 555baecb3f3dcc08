"""Amounts and days as people write them: recognised where they can be meant in one way only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from market.errors import Code, Invalid
from services.exchange.amounts import find_unit, read_amount, read_count
from services.exchange.dates import read_day


@pytest.mark.parametrize(
    ("said", "fen"),
    [
        ("1000.50", 100_050),
        ("1,234,567.80", 123_456_780),
        ("１，２３４．５元", 123_450),
        ("¥ 100元整", 10_000),
        ("人民币：3.5万元", 3_500_000),
        ("12万", 12_000_000),
        ("0.5亿元", 5_000_000_000),
        (1234.56, 123_456),
        (0.1 + 0.2, 30),
        (98, 9_800),
        ("", None),
        (None, None),
        ("　", None),
    ],
)
def test_amounts_are_read_to_the_fen(said: Any, fen: int | None) -> None:
    assert read_amount(said, "amount") == fen


def test_the_unit_of_the_head_holds_where_the_cell_says_none() -> None:
    unit = find_unit("合同金额（万元）")
    assert unit == 10_000
    assert read_amount("3.5", "amount", unit) == 3_500_000
    assert read_amount("100元", "amount", unit) == 10_000
    assert [find_unit(head) for head in ("金额（单位：亿元）", "Amount (yuan)", "付款期限（天）")] == [
        10**8,
        1,
        None,
    ]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("详见附件", Code.NOT_A_NUMBER),
        ("1,23,456", Code.NOT_A_NUMBER),
        ("100-200", Code.NOT_A_NUMBER),
        ("约100万", Code.NOT_A_NUMBER),
        ("12.5元/吨", Code.UNIT_PRICE_ONLY),
        ("3万元/套", Code.UNIT_PRICE_ONLY),
        ("0.001", Code.TOO_MANY_DECIMALS),
        ("0", Code.TOO_SMALL),
        ("-5", Code.TOO_SMALL),
        ("99999999999亿", Code.TOO_LARGE),
        (float("inf"), Code.NOT_A_NUMBER),
        (float("nan"), Code.NOT_A_NUMBER),
    ],
)
def test_what_can_be_meant_in_several_ways_is_refused(said: Any, code: Code) -> None:
    with pytest.raises(Invalid) as refused:
        read_amount(said, "amount")
    assert refused.value.faults[0].code is code


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-05",
        "2026/3/5",
        "2026.03.05",
        "2026年3月5日",
        "２０２６年３月５日",
        "20260305",
        "二〇二六年三月五日",
        "46086",
        46086,
        46086.5,
        date(2026, 3, 5),
        datetime(2026, 3, 5, 8),
        "2026-03-05 00:00:00",
    ],
)
def test_days_are_read_in_every_writing(said: Any) -> None:
    assert read_day(said, "signed_on") == date(2026, 3, 5)


@pytest.mark.parametrize(
    "said",
    [
        "2026年2月30日",
        "2026-13-01",
        "2026-3",
        "三月五日",
        "0001-01-01",
        12,
        "2026/3-5",
        "99999",
        "二〇二六年十十月一日",
    ],
)
def test_impossible_days_are_refused(said: Any) -> None:
    with pytest.raises(Invalid) as refused:
        read_day(said, "signed_on")
    assert refused.value.faults[0].code is Code.NOT_A_DATE


def test_a_quantity_may_have_a_unit() -> None:
    assert [str(read_count(said, "quantity")) for said in ("12台", "1,200", "3.5 吨")] == [
        "12",
        "1200",
        "3.5",
    ]
    with pytest.raises(Invalid):
        read_count("若干", "quantity")
