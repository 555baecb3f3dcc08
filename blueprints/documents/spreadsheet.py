"""Lists as files: CSV and Excel workbooks with exactly the rows and columns of the page.

Cells hold what the services hold: fen, rates per year, days, moments. Here they become yuan with two
decimals, percentages and Shanghai time, so that a spreadsheet can add them up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import xlsxwriter
from flask import Response
from flask_babel import gettext

from blueprints import formats, labels

CSV, XLSX = "csv", "xlsx"
_MEDIA = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: A text that a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 48


class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    RATE = "rate"
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and what its cells hold."""

    words: Any
    kind: Kind = Kind.TEXT

    @property
    def head(self) -> str:
        """Return the head with the unit in which the file states its figures."""
        if self.kind is Kind.MONEY:
            return gettext("%(words)s (yuan)", words=self.words)
        if self.kind is Kind.MOMENT:
            return gettext("%(time)s (Beijing time)", time=self.words)
        return str(self.words)


def respond(name: str, form: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Response:
    """Return a list as a download called ``name`` in the form ``csv`` or ``xlsx``."""
    form = XLSX if form == XLSX else CSV
    body = (write_xlsx if form == XLSX else write_csv)(columns, rows)
    response = Response(body, content_type=_MEDIA[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def write_csv(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return UTF-8 with a byte-order mark, by which Excel recognises Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.head for column in columns])
    for row in rows:
        writer.writerow([_defuse(column, value) for column, value in zip(columns, row, strict=True)])
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a workbook with one sheet: figures as numbers, the head fixed, filters set."""
    return write_sheets([("", columns, rows)])


def write_sheets(sheets: Iterable[tuple[str, Sequence[Column], Iterable[Sequence[Any]]]]) -> bytes:
    """Return a workbook with a sheet for each list: its name ("" for none of its own), columns and rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold = book.add_format({"bold": True})
    looks = {
        Kind.MONEY: book.add_format({"num_format": "#,##0.00"}),
        Kind.RATE: book.add_format({"num_format": "0.00%"}),
        Kind.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
        Kind.MOMENT: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    for name, columns, rows in sheets:
        _write_sheet(book.add_worksheet(name or None), columns, rows, bold, looks)
    book.close()
    return out.getvalue()


def _write_sheet(
    sheet: Any, columns: Sequence[Column], rows: Iterable[Sequence[Any]], bold: Any, looks: dict[Kind, Any]
) -> None:
    widths = [len(column.head.encode("gbk", "replace")) for column in columns]
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column.head, bold)
    count = 0
    for count, row in enumerate(rows, start=1):
        for position, (column, value) in enumerate(zip(columns, row, strict=True)):
            text = _say(column.kind, value)
            widths[position] = max(widths[position], len(text.encode("gbk", "replace")))
            _write(sheet, count, position, column.kind, value, text, looks.get(column.kind))
    for position, width in enumerate(widths):
        sheet.set_column(position, position, min(_WIDEST, width + 2))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, count, len(columns) - 1)


def _write(sheet: Any, line: int, position: int, kind: Kind, value: Any, text: str, look: Any) -> None:
    if value is None:
        sheet.write_blank(line, position, None)
    elif kind is Kind.MONEY:
        sheet.write_number(line, position, Decimal(value) / 100, look)
    elif kind in {Kind.RATE, Kind.NUMBER}:
        sheet.write_number(line, position, value, look)
    elif kind is Kind.DAY:
        sheet.write_datetime(line, position, datetime(value.year, value.month, value.day), look)
    elif kind is Kind.MOMENT:
        sheet.write_datetime(line, position, formats.local(value).replace(tzinfo=None), look)
    else:
        sheet.write_string(line, position, text)


def _say(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind is Kind.MONEY:
        return formats.plain(value)
    if kind is Kind.RATE:
        return f"{(Decimal(value) * 100).quantize(Decimal('0.0001')):f}%"
    if kind is Kind.MOMENT:
        return formats.moment_text(value)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, StrEnum):
        return str(labels.label(value))
    return str(value)


def _defuse(column: Column, value: Any) -> str:
    text = _say(column.kind, value)
    return f"'{text}" if column.kind is Kind.TEXT and text.startswith(_FORMULA) else text
