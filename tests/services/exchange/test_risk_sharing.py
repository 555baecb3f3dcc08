from __future__ import annotations

from typing import Any

import pytest

from market.errors import Code, Invalid
from market.risk_sharing import Role
from services.exchange.fields import load
from services.exchange.risk_sharing import read_sharing, write_sharing

WHOLE = [
    {"party": "国家融资担保基金", "role": "national_fund", "share": "0.2"},
    {"party": "省再担保", "role": "re_guarantor", "share": "0.2"},
    {"party": "测试担保", "role": "guarantor", "share": "0.4"},
    {"party": "测试银行", "role": "bank", "share": "0.2"},
]


def test_a_list_is_read_and_written_back_the_same() -> None:
    sharing = read_sharing(WHOLE)
    assert next(sharer.role for sharer in sharing) is Role.NATIONAL_FUND
    assert write_sharing(sharing) == WHOLE


def test_a_number_is_read_as_it_was_written() -> None:
    text = b'[{"party": "a", "role": "bank", "share": 0.20}, {"party": "b", "role": "insurer", "share": 0.8}]'
    assert [row["share"] for row in write_sharing(read_sharing(load(text)))] == ["0.20", "0.8"]


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ([], Code.REQUIRED, "risk_sharing"),
        (None, Code.REQUIRED, "risk_sharing"),
        ("20/80", Code.WRONG_SHAPE, "risk_sharing"),
        ([7], Code.WRONG_SHAPE, "risk_sharing[0]"),
        (WHOLE[:3], Code.SHARES_NOT_WHOLE, "risk_sharing"),
        ([*WHOLE[:3], {**WHOLE[3], "share": "20%"}], Code.NOT_A_NUMBER, "risk_sharing[3].share"),
        ([*WHOLE[:3], {**WHOLE[3], "share": "-0.2"}], Code.TOO_SMALL, "risk_sharing[3].share"),
        ([*WHOLE[:3], {**WHOLE[3], "share": "NaN"}], Code.NOT_FINITE, "risk_sharing[3].share"),
        ([*WHOLE[:3], {**WHOLE[3], "share": "-0"}], Code.NOT_A_NUMBER, "risk_sharing[3].share"),
        ([*WHOLE[:3], {**WHOLE[3], "role": "uncle"}], Code.NOT_A_CHOICE, "risk_sharing[3].role"),
        ([*WHOLE[:3], {**WHOLE[3], "extra": 1}], Code.UNKNOWN_FIELD, "risk_sharing[3].extra"),
        ([*WHOLE[:3], {**WHOLE[3], "party": "省再担保"}], Code.REPEATED, "risk_sharing[3].party"),
        ([{"role": "bank", "share": "1"}], Code.REQUIRED, "risk_sharing[0].party"),
    ],
)
def test_what_is_no_list_is_refused_with_its_place(data: Any, code: Code, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_sharing(data)
    assert (code, field) in {(fault.code, fault.field) for fault in refused.value.faults}
