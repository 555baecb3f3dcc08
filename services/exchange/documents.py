"""Which documents a JSON file is made of: one over many lines, one per line, or several in a row.

A fault costs as little as can be told apart: in JSON lines the line it is in, in a document over many
lines what follows it. After such a break, lines that are a release or record by themselves still count.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import ijson

from market.errors import Code, Fault
from services.exchange.pruning import MOST, Kind, Part, Pruner
from services.exchange.rejection import RejectedRow
from services.exchange.stream import Unreadable

#: So many lines in a row without one document before anything was read: this is no JSON at all.
STRANGE_LINES = 50

#: What the parser raises at text that is not JSON, and at numbers that no Decimal can hold.
_FAULTS = (ijson.JSONError, ValueError, ArithmeticError)


class _Mode(Enum):
    UNDECIDED = auto()  # the first line of a document
    LINES = auto()  # one document per line
    WHOLE = auto()  # one document over many lines
    WRECK = auto()  # after a break in such a document


class Documents:
    """Reads blocks of mended text (``Source.blocks``); ``line`` is where the reading stands.

    Whoever has read a beginning already says on which ``line`` the rest starts, and whether documents were
    ``found`` before it, one per line (``in_lines``).
    """

    def __init__(
        self, blocks: Iterator[bytes], *, line: int = 1, found: int = 0, in_lines: bool = False
    ) -> None:
        self.line = line
        self._blocks = blocks
        self._pruner = Pruner()
        self._mode = _Mode.UNDECIDED
        self._found = found
        self._strange = 0
        self._text = found > 0
        self._at_start = True
        self._skips = False  # whether the rest of a broken line is passed over
        if in_lines:
            self._mode = _Mode.LINES
        self._start()

    def parts(self) -> Iterator[Part | RejectedRow]:
        """Yield releases, records and what could not be read, in the order of the file."""
        broken: Unreadable | None = None
        try:
            for block in self._blocks:
                for piece in block.splitlines(keepends=True):
                    yield from self._read(piece)
                    if self._strange > STRANGE_LINES and not self._found:
                        yield self._reject(Code.UNREADABLE_FILE, why="not_json")
                        return
        except Unreadable as error:
            broken = error
        yield from self._finish(broken)

    def _read(self, piece: bytes) -> Iterator[Part | RejectedRow]:
        """Read a line, or a piece of one that reaches over several blocks."""
        starts, ends = self._at_start, piece.endswith(b"\n")
        self._pruner.line = self.line
        if starts and self._mode is _Mode.WRECK:
            self._skips = not piece.startswith(b"{")
        if not self._skips:
            was_whole = self._mode is _Mode.WHOLE
            self._skips = yield from self._feed(piece)
            if self._skips and was_whole and starts and piece.startswith(b"{"):
                # The line that broke the document may be one of its own, after a line that was cut short.
                self._skips = yield from self._feed(piece)
                if ends and not self._skips and self._pruner.idle:
                    self._mode = _Mode.LINES
            if ends and not self._skips:
                yield from self._end_line()
        if ends:
            self.line += 1
            self._skips = False
        self._at_start = ends

    def _start(self) -> None:
        self._events: list[tuple[str, Any]] = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events, multiple_values=True)

    def _feed(self, piece: bytes) -> Generator[Part | RejectedRow, None, bool]:
        """Parse a piece of a line; returns whether the rest of the line must be skipped."""
        if not self._text:
            self._text = not piece.isspace()
        broken = False
        try:
            self._parser.send(piece)
        except _FAULTS:
            broken = True
        yield from self._take()
        if broken:
            yield from self._break(Code.BAD_JSON)
        return broken

    def _take(self) -> Iterator[Part | RejectedRow]:
        for part in self._pruner.take(self._events):
            if part.kind is Kind.STRANGER:
                if self._mode is not _Mode.WRECK:
                    self._strange += 1
                    yield RejectedRow(Fault(Code.NOT_OCDS), part.line)
            elif part.kind is Kind.OVERFULL:
                self._found += 1
                yield RejectedRow(Fault(Code.RELEASE_TOO_LARGE, None, {"most": MOST}), part.line)
            else:
                self._found += 1
                yield part
        self._events.clear()

    def _end_line(self) -> Iterator[Part | RejectedRow]:
        if self._pruner.idle:
            if self._mode is _Mode.WHOLE:
                self._mode = _Mode.UNDECIDED
            elif self._mode is _Mode.UNDECIDED and self._text:
                self._mode = _Mode.LINES
        elif self._mode is _Mode.UNDECIDED:
            self._mode = _Mode.WHOLE
        elif self._mode in {_Mode.LINES, _Mode.WRECK}:
            yield from self._break(Code.BAD_JSON)

    def _break(self, code: Code) -> Iterator[Part | RejectedRow]:
        """Give up the open document: say so, keep what is whole in it, begin anew."""
        if self._mode is not _Mode.WRECK:
            self._strange += 1
            yield self._reject(code)
        yield from self._pruner.abandon()
        self._start()
        self._mode = {_Mode.UNDECIDED: _Mode.LINES, _Mode.WHOLE: _Mode.WRECK}.get(self._mode, self._mode)

    def _finish(self, broken: Unreadable | None) -> Iterator[Part | RejectedRow]:
        # An unfinished document is seen below; nothing but blanks is no fault.
        with suppress(*_FAULTS):
            self._parser.close()
        yield from self._take()
        if broken is not None:
            # Once something was read, the break is one fault among others and not the whole file's.
            yield (
                self._reject(Code.CUT_SHORT)
                if self._found
                else self._reject(Code.UNREADABLE_FILE, why=broken.why)
            )
        elif not self._text:
            yield self._reject(Code.UNREADABLE_FILE, why="empty")
        elif not self._pruner.idle and self._mode is not _Mode.WRECK:
            yield self._reject(Code.CUT_SHORT)
        yield from self._pruner.abandon()

    def _reject(self, code: Code, **values: Any) -> RejectedRow:
        return RejectedRow(Fault(code, None, values), self.line)
