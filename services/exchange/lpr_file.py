"""Loan prime rates from a CSV file, as the shipped table is written: date, both tenors in percent."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from market.errors import Code, Fault, Invalid, invalid
from market.lpr import LprRow
from market.money import parse_decimal
from services.exchange.rejection import RejectedRow

COLUMNS = ("date", "lpr_1y", "lpr_5y")
#: Published with two decimals; with more a row can still be read and told what is wrong with it.
_PLACES = 6
_SHOWN = 60
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A row that could be read, where it stands (from 1), and what was written there, by field of the row."""

    number: int
    row: LprRow
    written: dict[str, str]


def read(content: bytes) -> tuple[list[Line], list[RejectedRow]]:
    """Return the rows of a file and what could not be read as one; raises ``Invalid`` for no such file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid(Code.BAD_ENCODING, value=f"byte {error.start + 1}") from error
    if not text.strip():
        raise invalid(Code.UNREADABLE_FILE, why="empty")
    lines: list[Line] = []
    rejected: list[RejectedRow] = []
    for number, cells in _list_rows(text, rejected):
        try:
            lines.append(_read_line(number, cells))
        except Invalid as error:
            rejected.extend(RejectedRow(fault, number) for fault in error.faults)
    if not lines and not rejected:
        raise invalid(Code.NOTHING_USABLE)
    return lines, rejected


def _list_rows(text: str, rejected: list[RejectedRow]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows below the heading, blank ones left out; a faulty heading ends the file."""
    written = text.split("\n")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading = True
    while True:
        try:
            cells = next(rows, None)
        except csv.Error:
            rejected.append(_refuse(rows.line_num, written[rows.line_num - 1]))
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if not heading:
            yield rows.line_num, [cell.strip() for cell in cells]
        elif tuple(cell.strip() for cell in cells) != COLUMNS:
            rejected.append(_refuse(rows.line_num, ",".join(cells)))
            return
        heading = False


def _read_line(number: int, cells: list[str]) -> Line:
    if len(cells) != len(COLUMNS):
        raise Invalid(_refuse(number, ",".join(cells)).fault)
    faults: list[Fault] = []
    day, rates = _read_day(cells[0]), []
    if day is None:
        faults.append(Fault(Code.NOT_A_DATE, None, {"value": cells[0][:_SHOWN]}))
    for cell in cells[1:]:
        try:
            rates.append(parse_decimal(cell, None, places=_PLACES).scaleb(-2))
        except Invalid as error:
            faults.extend(error.faults)
    if faults or day is None:
        raise Invalid(*faults)
    written = dict(zip(("published_on", "one_year", "five_year"), cells, strict=True))
    return Line(number, LprRow(day, rates[0], rates[1]), written)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _refuse(number: int, found: str) -> RejectedRow:
    values = {"value": found[:_SHOWN], "expected": ", ".join(COLUMNS)}
    return RejectedRow(Fault(Code.WRONG_COLUMNS, None, values), number)
