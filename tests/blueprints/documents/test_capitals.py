"""Capital numerals: the central bank's own examples, and no two amounts that read the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.documents.capitals import DIGITS, write

_UNITS = {"仟": 1000, "佰": 100, "拾": 10}


def read(text: str) -> int:
    """Return the fen of an amount in capital numerals, as a person reads them."""
    whole, cents = re.fullmatch(r"(?:(.+)元)?(.*?)整?", text).groups()  # type: ignore[union-attr]
    fen = sum(
        DIGITS.index(digit) * (10 if unit == "角" else 1) for digit, unit in re.findall(r"(.)([角分])", cents)
    )
    return _read_number(whole or "") * 100 + fen


def _read_number(text: str) -> int:
    for name, unit in (("亿", 10**8), ("万", 10**4)):
        high, found, low = text.rpartition(name)
        if found:
            return _read_number(high) * unit + _read_number(low)
    value = digit = 0
    for character in text:
        if character in _UNITS:
            value, digit = value + digit * _UNITS[character], 0
        else:
            digit = DIGITS.index(character)
    return value + digit


@pytest.mark.parametrize(
    ("yuan", "text"),
    [
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("1000000.00", "壹佰万元整"),
        ("100005000.10", "壹亿零伍仟元壹角"),
        ("10000000000.00", "壹佰亿元整"),
        ("10000000000000.00", "壹拾万亿元整"),
        ("0.05", "伍分"),
        ("0.00", "零元整"),
    ],
)
def test_amounts_are_written_as_the_rule_has_them(yuan: str, text: str) -> None:
    assert write(int(yuan.replace(".", ""))) == text


@given(
    st.one_of(st.integers(0, 10**15), st.integers(0, 10**7), st.integers(0, 10**13).map(lambda n: n * 100))
)
def test_what_is_written_reads_back_to_the_same_amount(fen: int) -> None:
    text = write(fen)
    assert read(text) == fen
    assert "零零" not in text
    assert text.endswith(("整", "角", "分"))
