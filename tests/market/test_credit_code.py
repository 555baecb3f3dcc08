"""The unified social credit code: read in any width and spacing, refused when its check fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import credit_code
from market.errors import Code, Invalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize(
    "text", ["91110000600037341L", " 9111 0000 6000 3734 1l ", "９１１１０００0600037341Ｌ"]
)
def test_a_code_is_read_in_every_spelling(text: str) -> None:
    assert credit_code.parse(text) == "91110000600037341L"


@pytest.mark.parametrize(
    "text", ["", "91110000600037341K", "9111000060003734", "91110000600037341LL", "甲乙丙"]
)
def test_a_wrong_code_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        credit_code.parse(text, "supplier_code")
    (fault,) = caught.value.faults
    assert (fault.code, fault.field) == (Code.BAD_CREDIT_CODE, "supplier_code")


@given(st.text(ALPHABET, min_size=9, max_size=9))
def test_a_completed_code_is_valid_and_no_other_last_character_is(middle: str) -> None:
    code = credit_code.complete("91999999" + middle)
    assert credit_code.is_valid(code)
    assert sum(credit_code.is_valid(code[:-1] + last) for last in ALPHABET) == 1
