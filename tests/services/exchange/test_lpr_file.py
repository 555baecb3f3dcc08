"""A table of loan prime rates as a file: every row with its line, every fault with its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import market.reference
from market.errors import Code, Invalid
from market.lpr import LprRow
from services.exchange import lpr_file

HEADING = b"date,lpr_1y,lpr_5y\n"


def refused(content: bytes) -> list[tuple[int, Code]]:
    _, rejected = lpr_file.read(content)
    return [(row.line, row.fault.code) for row in rejected]


def test_the_shipped_table_reads_as_itself() -> None:
    content = (Path(market.reference.__file__).parent / "lpr.csv").read_bytes()
    lines, rejected = lpr_file.read(content)
    assert rejected == []
    assert tuple(line.row for line in lines) == market.reference.lpr_table().rows
    assert [line.number for line in lines] == list(range(2, len(lines) + 2))


@pytest.mark.parametrize(
    "content",
    [
        HEADING + b"2026-09-20,3.00,3.50\n",
        # As a spreadsheet writes it: a byte-order mark, other line ends, quotes, blank lines.
        b'\xef\xbb\xbf"date","lpr_1y","lpr_5y"\r\n\r\n"2026-09-20","3.00"," 3.5 "\r\n\r\n',
    ],
)
def test_what_a_person_or_a_spreadsheet_writes_is_read(content: bytes) -> None:
    lines, rejected = lpr_file.read(content)
    assert rejected == []
    assert [line.row for line in lines] == [LprRow(date(2026, 9, 20), Decimal("0.03"), Decimal("0.035"))]


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (b"2026-09-20,3.00", [Code.WRONG_COLUMNS]),
        (b"2026-09-20,3.00,3.50,x", [Code.WRONG_COLUMNS]),
        (b"2026-02-30,3.00,3.50", [Code.NOT_A_DATE]),
        (b"2026-W38-7,3.00,3.50", [Code.NOT_A_DATE]),
        (b"20.9.2026,3.00,3.50", [Code.NOT_A_DATE]),
        (b",3.00,3.50", [Code.NOT_A_DATE]),
        (b"2026-09-20,NaN,inf", [Code.NOT_FINITE, Code.NOT_FINITE]),
        (b"2026-09-20,-0,3e1", [Code.NOT_A_NUMBER, Code.NOT_A_NUMBER]),
        (b"2026-09-20,,3.0%", [Code.NOT_A_NUMBER, Code.NOT_A_NUMBER]),
        (b"2026-09-20," + b"9" * 50 + b",3.50", [Code.TOO_LONG]),
        (b"2026-09-20,3.0000001,3.50", [Code.TOO_MANY_DECIMALS]),
        (b"day,one,five", [Code.NOT_A_DATE, Code.NOT_A_NUMBER, Code.NOT_A_NUMBER]),
        (b'"2026-09-20,3.00,3.50', [Code.WRONG_COLUMNS]),
    ],
)
def test_a_row_that_is_none_is_named_with_its_line(row: bytes, codes: list[Code]) -> None:
    assert refused(HEADING + b"2026-10-20,3.00,3.50\n\n" + row) == [(4, code) for code in codes]


def test_a_file_without_its_heading_is_refused_in_one_line() -> None:
    assert refused(b"2026-09-20,3.00,3.50\n2026-10-20,3.00,3.50\n") == [(1, Code.WRONG_COLUMNS)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.UNREADABLE_FILE),
        (b" \n\n", Code.UNREADABLE_FILE),
        (HEADING, Code.NOTHING_USABLE),
        ("date,利率\n".encode("gbk"), Code.BAD_ENCODING),
    ],
)
def test_what_is_no_such_file_is_refused_whole(content: bytes, code: Code) -> None:
    with pytest.raises(Invalid) as refusal:
        lpr_file.read(content)
    assert [fault.code for fault in refusal.value.faults] == [code]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_content_is_too_odd_to_be_refused(content: bytes) -> None:
    for whole in (content, HEADING + content):
        try:
            lines, rejected = lpr_file.read(whole)
        except Invalid:
            continue
        assert lines or rejected
