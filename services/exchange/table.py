"""Contracts and award notices out of a table: the house's template as workbook (xlsx) or CSV.

Every cell is recognised or refused with its row, column and value; all faults of a row are told, and a row
with a fault is not taken over. Sheets with other heads, such as notes, are passed over.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from python_calamine import CalamineError, CalamineWorkbook

from market.award_notice import NoticeRecord
from market.contract_record import ContractRecord
from market.errors import Code, Fault
from services.exchange import archive, template
from services.exchange.amounts import clean
from services.exchange.rejection import RejectedRow
from services.exchange.stream import Unreadable
from services.exchange.table_rows import RowReader

Finding = ContractRecord | NoticeRecord | RejectedRow

_WORKBOOK = (b"[Content_Types].xml", b"xl/")
_ENCODINGS = ("utf-8-sig", "gb18030")
#: More rows than anybody keeps in one table.
MOST_ROWS = 200_000
#: The head stands in one of the first rows; a title may stand above it.
_HEAD_WITHIN = 10


def is_table(first: bytes) -> bool:
    """Say whether a file that begins like this is a workbook, or a CSV with the head of the template."""
    if first.startswith(archive.SIGNATURE):
        return any(sign in first for sign in _WORKBOOK)
    if b"\0" in first[:4096] or first[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b""):
        return False
    rows = list(_split(_decode(first[:65536], lenient=True)))[:_HEAD_WITHIN]
    return any(template.find_sheet([clean(cell) for cell in row]) is not None for row in rows)


class Reading:
    """An iterator over the records of a table and its faults, as ``ocds.Reading`` is over open data."""

    def __init__(self, stream: IO[bytes], *, now: datetime, after: tuple[int, int] = (0, 0)) -> None:
        self.releases = self.skipped = self.bytes_read = 0
        self.line = 1
        self.position = (0, 0)
        self._stream = stream
        self._now = now
        self._after = after
        self._findings = self._find()

    def __iter__(self) -> Iterator[Finding]:
        return self

    def __next__(self) -> Finding:
        return next(self._findings)

    def _find(self) -> Iterator[Finding]:
        content = self._stream.read()
        sheets = _open(content)
        if isinstance(sheets, Fault):
            yield RejectedRow(sheets, 1)
            return
        known = False
        size = max(1, sum(len(rows) for _, rows in sheets))
        read = done = 0
        for name, rows in sheets:
            reader: RowReader | None = None
            for line, row in enumerate(rows, 1):
                self.line = line
                read += 1
                self.bytes_read = len(content) * read // size
                if reader is None:
                    if line <= _HEAD_WITHIN and (head := template.find_sheet([clean(c) for c in row])):
                        reader, known = RowReader(name, *head, [clean(c) for c in row], self._now), True
                        missing = reader.list_missing(line)
                        yield from missing
                        if missing:
                            break
                    continue
                if not any(clean(cell) for cell in row):
                    continue
                self.releases += 1
                skip = self._after[1] if done == self._after[0] else 0
                if done >= self._after[0]:
                    for number, finding in enumerate(reader.read(line, row), 1):
                        if number > skip:
                            self.position = (done, number)
                            yield finding
                done += 1
                self.position = (done, 0)
        if not known:
            yield RejectedRow(_wrong_columns(sheets), 1)


def read(stream: IO[bytes], *, now: datetime, after: tuple[int, int] = (0, 0)) -> Reading:
    """Return the reading of an open workbook or CSV; nothing is read before it is iterated."""
    return Reading(stream, now=now, after=after)


def _open(content: bytes) -> list[tuple[str, Sequence[Sequence[Any]]]] | Fault:
    """Return the sheets with their rows, or why there are none."""
    if not content.startswith(archive.SIGNATURE):
        try:
            text = _decode(content)
        except UnicodeDecodeError:
            return Fault(Code.UNREADABLE_FILE, None, {"why": "not_utf8"})
        return [("", list(_split(text))[: MOST_ROWS + 1])]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            archive.check(packed.infolist())
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            return [
                (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS))
                for name in book.sheet_names
            ]
    except Unreadable as error:
        return Fault(Code.UNREADABLE_FILE, None, {"why": error.why})
    except (CalamineError, zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return Fault(Code.UNREADABLE_FILE, None, {"why": "bad_workbook"})


def _decode(content: bytes, *, lenient: bool = False) -> str:
    """Return the text of a CSV: UTF-8, else the encoding that Chinese spreadsheets write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode(_ENCODINGS[0])
    except UnicodeDecodeError:
        pass
    return content.decode(_ENCODINGS[1], errors="replace" if lenient else "strict")


def _split(text: str) -> Iterator[list[str]]:
    head = text.partition("\n")[0]
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except csv.Error:
            # A cell of megabytes: nothing of such a row is meant.
            continue
        except StopIteration:
            return


def _wrong_columns(sheets: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> Fault:
    heads = next((row for _, rows in sheets for row in rows if any(clean(cell) for cell in row)), [])
    shown = ", ".join(text for cell in heads if (text := clean(cell)))[:120]
    expected = ", ".join(column.zh for column in template.CONTRACTS.columns if column.is_required)
    return Fault(Code.WRONG_COLUMNS, None, {"value": shown, "expected": expected})
