"""The table to fill in: contracts and award notices, in both languages at once.

A workbook has a sheet for each, with units in the heads, an example, drop-downs and notes; a CSV holds one of
them. ``services.exchange.table`` reads either back.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any

import xlsxwriter

from services.exchange.template import CONTRACTS, SHEETS, Cell, Column, Sheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
#: Rows that have drop-downs and formats ready.
_READY = 2000
#: Both languages, whatever the reader's: the file goes from hand to hand.
_NOTES = (
    ("必填列以 * 开头。", "Columns that must be filled in begin with *."),
    (
        "删除示例行后再上传：示例行照常读取。",
        "Delete the example row before sending the file: it is read like any other.",
    ),
    (
        "金额默认单位为元；单元格中可写“100万元”“0.5亿元”，也可把表头的（元）改为（万元）。",
        "Amounts are in yuan; a cell may say 100万元 or 0.5亿元, or the head （万元） instead of （元）.",
    ),
    (
        "总价必须等于单价×数量；只有单价而无数量的行会被退回。",
        "The total must equal unit price × quantity; a unit price without a quantity is refused.",
    ),
    (
        "一行一包。多包同行须写明各包金额：包1：100万元；包2：50万元。",
        "One package in a row. Several in one row need an amount each: 包1：100万元；包2：50万元.",
    ),
    (
        "日期可写 2026-03-05、2026/3/5 或 2026年3月5日；不存在的日期会被退回。",
        "Days may be written 2026-03-05, 2026/3/5 or 2026年3月5日; a day that does not exist is refused.",
    ),
    (
        "同一项目编号和合同编号再次上传即为变更，原内容保留在历史中。",
        "The same project and contract number again amends the contract; its history is kept.",
    ),
)


def write_workbook(*, with_example: bool = True) -> bytes:
    """Return the workbook: contracts, award notices, notes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E7EEF7"})
    looks = {
        Cell.MONEY: book.add_format({"num_format": "#,##0.00"}),
        Cell.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
        Cell.TEXT: book.add_format({"num_format": "@"}),
        Cell.CODE: book.add_format({"num_format": "@"}),
        Cell.CHOICE: book.add_format({"num_format": "@"}),
        Cell.COUNT: None,
    }
    for sheet in SHEETS:
        page = book.add_worksheet(sheet.name)
        page.freeze_panes(1, 0)
        page.set_row(0, 48)
        for place, column in enumerate(sheet.columns):
            page.write_string(0, place, column.head, head)
            page.set_column(
                place, place, 24 if column.most > 200 or column.cell is Cell.CODE else 18, looks[column.cell]
            )
            if column.choices:
                page.data_validation(
                    1,
                    place,
                    _READY,
                    place,
                    {"validate": "list", "source": list(column.choices), "error_type": "warning"},
                )
            if with_example and column.example:
                _write(page, place, column, looks[column.cell])
    notes = book.add_worksheet("说明 Notes")
    notes.set_column(0, 1, 80, book.add_format({"text_wrap": True, "valign": "top"}))
    notes.write_row(0, 0, ["说明", "Notes"], head)
    for line, pair in enumerate(_NOTES, 1):
        notes.write_row(line, 0, pair)
    book.close()
    return out.getvalue()


def write_csv(sheet: Sheet = CONTRACTS, *, with_example: bool = True) -> bytes:
    """Return the same columns as UTF-8 with a byte-order mark, by which Excel recognises Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.head for column in sheet.columns])
    if with_example:
        writer.writerow([column.example for column in sheet.columns])
    return out.getvalue().encode("utf-8-sig")


def _write(page: Any, place: int, column: Column, look: Any) -> None:
    if column.cell is Cell.DAY:
        day = date.fromisoformat(column.example)
        page.write_datetime(1, place, datetime(day.year, day.month, day.day), look)
    elif column.cell in {Cell.MONEY, Cell.COUNT}:
        page.write_number(1, place, float(column.example), look)
    else:
        page.write_string(1, place, column.example, look)
