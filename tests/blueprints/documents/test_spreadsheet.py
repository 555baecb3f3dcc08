"""Lists as files: figures stay figures, Chinese stays readable, and no cell is run as a formula."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

from flask import Flask
from python_calamine import CalamineWorkbook

from blueprints.documents.spreadsheet import Column, Kind, write_csv, write_xlsx
from market.vocabulary import NeedState

COLUMNS = (
    Column("Firm"),
    Column("Amount", Kind.MONEY),
    Column("Cost", Kind.RATE),
    Column("Day", Kind.DAY),
    Column("Closes", Kind.MOMENT),
    Column("State"),
    Column("Count", Kind.NUMBER),
)
ROW = [
    "=cmd()",
    123_456,
    Decimal("0.0478"),
    date(2026, 11, 20),
    datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
    NeedState.OPEN,
    None,
]


def test_a_csv_opens_as_chinese_and_holds_yuan_percent_and_beijing_time(site: Flask) -> None:
    with site.test_request_context(headers={"Accept-Language": "zh"}):
        body = write_csv(COLUMNS, [ROW])
    assert body.startswith(b"\xef\xbb\xbf")
    head, line = body.decode("utf-8-sig").splitlines()
    assert head.startswith("Firm,Amount（元）,Cost,Day,")
    assert line == "'=cmd(),1234.56,4.7800%,2026-11-20,2026-11-20 10:00,报价中,"


def test_a_workbook_holds_numbers_and_dates_and_no_formula(site: Flask) -> None:
    with site.test_request_context(headers={"Accept-Language": "en"}):
        body = write_xlsx(COLUMNS, [ROW])
    head, line = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert head[1] == "Amount (yuan)"
    assert line[:3] == ["=cmd()", 1234.56, 0.0478]
    assert line[3:] == [date(2026, 11, 20), datetime(2026, 11, 20, 10), "Open for bids", ""]


def test_an_empty_list_is_a_head_alone(site: Flask) -> None:
    with site.test_request_context():
        assert len(write_csv(COLUMNS, []).splitlines()) == 1
        assert write_xlsx(COLUMNS, [])[:2] == b"PK"
