"""One paper has one key however it is copied, and two papers have two."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from market.financing_key import make_key, normalise

SUPPLIER = "91999999MA0000001X"
#: Every dash a keyboard, a scanner or an input method makes; 一 counts as one between digits and letters.
DASHES = list("-‐‑‒–—―−－﹣─ーｰ一ㅡ~～")
SEPARATORS = [*DASHES, " ", "　", "\u00a0", ".", "．", "·", "/", "／", "\\", "_", "、", "", "--", " — "]
BRACKETS = ["〔〕", "[]", "()", "（）", "［］", "【】", "「」", "〈〉", "{}", "  "]
LABELS = [
    "",
    "合同编号：",
    "合同编号:",
    "合同号 ",
    "政府采购合同编号：",
    "采购合同编号 ： ",
    "编号：",
    "No.",
    "NO：",
    "№",
    "Contract No. ",
]
CHARACTERS = st.sampled_from("0123456789ABCXYZ济政采招")


@st.composite
def spellings(draw: st.DrawFn, parts: list[str]) -> str:
    """One number as somebody else may have copied it."""
    said = parts[0]
    for part in parts[1:]:
        # Where 汉字 stand beside it, 一 would be read as the numeral.
        plain = said[-1:].isascii() and part[:1].isascii()
        separators = [one for one in SEPARATORS if plain or one != "一"]
        said += draw(st.sampled_from(separators)) + part
    said = "".join(
        chr(ord(sign) + 0xFEE0) if sign.isascii() and sign.isalnum() and draw(st.booleans()) else sign
        for sign in said
    )
    said = said.lower() if draw(st.booleans()) else said
    return draw(st.sampled_from(["", " ", "　"])) + draw(st.sampled_from(LABELS)) + said


NUMBERS = st.lists(st.text(CHARACTERS, min_size=1, max_size=4), min_size=1, max_size=5)


@given(data=st.data(), parts=NUMBERS)
def test_a_number_has_one_key_in_every_spelling(data: st.DataObject, parts: list[str]) -> None:
    plain = "".join(parts)
    assume(plain[0] not in "采")
    copied = data.draw(spellings(parts))
    assert make_key(copied, SUPPLIER.lower()) == make_key(plain, SUPPLIER), copied
    assert make_key("X", SUPPLIER, copied) == make_key("X", SUPPLIER, plain), copied


@given(one=st.text(CHARACTERS, min_size=1, max_size=12), other=st.text(CHARACTERS, min_size=1, max_size=12))
def test_numbers_of_other_digits_letters_or_characters_have_other_keys(one: str, other: str) -> None:
    assume(one != other)
    assert normalise(one) != normalise(other)


@given(st.text(max_size=30) | st.text("第号合同编一ー-NO.:1a 々〇○№", max_size=16))
def test_what_was_evened_out_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize("brackets", BRACKETS)
@pytest.mark.parametrize("number", ["第0042号", "0042号", "0042", "第００４２号"])
def test_brackets_and_the_words_around_a_number_are_spelling(brackets: str, number: str) -> None:
    assert normalise(f"济政采{brackets[0]}2026{brackets[1]}{number}") == "济政采20260042"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("JN-2026-0042", "JN-2026-042"),  # leading zeros count
        ("JN-2026-0O42", "JN-2026-0042"),  # a letter is no digit
        ("济政采2026一号", "济政采2026号"),  # 一 is a numeral where 汉字 follow
        ("第一标段", "第标段"),
        ("A一标", "A标"),
        ("合同2026", "2026"),  # 合同 alone may be part of the number
        ("NO2026", "2026"),
        ("人々", "人"),
        ("JN-2026-0042A", "JN-2026-0042B"),
    ],
)
def test_what_may_tell_two_papers_apart_is_identity(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_a_circle_is_the_zero_of_chinese_numerals() -> None:
    assert normalise("鲁二○二六-3") == normalise("鲁二〇二六3") != normalise("鲁二二六3")


def test_the_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert make_key("A1", "1X") != make_key("A11", "X")
    assert make_key("A1", "X", "2") != make_key("A1", "X2")
    assert make_key("A1", "X") != make_key("A1", "Y")
    assert make_key("A1", "X", "INV-1") != make_key("A1", "X")


@pytest.mark.parametrize("nothing", ["", " ", "—／·", "ーー", "（）"])
def test_a_number_without_digit_or_letter_has_no_key(nothing: str) -> None:
    assert normalise(nothing) == ""
