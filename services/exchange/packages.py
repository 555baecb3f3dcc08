"""The quick way through sound files: releases and records cut out of their package and decoded one by one.

``documents`` follows every event of a parser, and can tell what is wrong, where, and what is whole around it;
that care costs many times as much as decoding. Here a package is decoded release by release. Where anything
is out of the ordinary (broken text, another shape, a huge release) ``documents`` takes over from that place
to the end of the file.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from services.exchange.documents import Documents
from services.exchange.pruning import DOCUMENT, RECORD, RELEASE, Kind, Part, Shape, prune
from services.exchange.rejection import RejectedRow
from services.exchange.stream import BLOCK, Source, Unreadable

#: Characters read at a time, and the longest release that is decoded at once.
CHUNK = 1 << 20
LONGEST = 1 << 19

_SPACE = re.compile(r"[ \t\n\r]*")
_FAULTS = (ValueError, ArithmeticError, RecursionError)
_LISTS: dict[str, tuple[Kind, Shape]] = {
    "releases": (Kind.RELEASE, RELEASE),
    "records": (Kind.RECORD, RECORD),
}


class _Unsure(Exception):
    """Something the quick way does not judge; ``documents`` reads on from where the text stands."""


class Packages:
    """Reads a source like ``Documents``, quickly where it can; ``line`` is where the reading stands."""

    def __init__(self, source: Source) -> None:
        self._blocks = source.blocks()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0
        self._line = 1
        self._found = 0
        self._is_over = self._is_known = self._in_lines = False
        self._broken: Unreadable | None = None
        #: What must stand before the rest of the text to make it whole for the careful way.
        self._prefix = ""
        self._careful: Documents | None = None
        self._decode = json.JSONDecoder(parse_float=Decimal).raw_decode

    @property
    def line(self) -> int:
        """Return the line the reading stands in, from 1."""
        return self._careful.line if self._careful is not None else self._line

    def parts(self) -> Iterator[Part | RejectedRow]:
        """Yield releases, records and what could not be read, in the order of the file."""
        try:
            while self._skip_space():
                yield from self._read_document()
                self._is_known = True
            if self._is_known and self._broken is None:
                return
        except _Unsure:
            pass
        line = self._line
        if self._prefix and not self._in_lines:
            # A line of its own, so that what follows is known to be inside a document of many lines.
            self._prefix, line = f"{self._prefix}\n", line - 1
        self._careful = Documents(self._rest(), line=line, found=self._found, in_lines=self._in_lines)
        yield from self._careful.parts()

    def _read_document(self) -> Iterator[Part]:
        self._prefix = ""
        while (end := self._text.find("\n", self._at)) < 0 and len(self._text) - self._at < CHUNK:
            if not self._fill():
                break
        if self._text[self._at] != "{":
            raise _Unsure
        try:
            whole, end = self._decode(self._text, self._at)
        except _FAULTS:
            # It is long, or broken, which the next step tells; a broken line in JSON lines is one of many.
            if self._in_lines and end >= 0:
                raise _Unsure from None
            yield from self._read_members()
            return
        self._in_lines = self._text.find("\n", self._at, end) < 0
        if _is_package(whole) or end - self._at > LONGEST:
            yield from self._read_members()
            return
        part = self._close(whole, self._text[self._at : end])
        self._move(end - self._at)
        if part is not None:
            yield part

    def _read_members(self) -> Iterator[Part]:
        """Read an object member by member, and what it lists release by release."""
        members: dict[str, Any] = {}
        is_listing = False
        offset = self._need(1)
        while self._text[self._at + offset] != "}":
            if members:
                self._expect(",", offset)
                offset = self._need(offset + 1)
            self._expect('"', offset)
            name, offset = self._take(offset)
            offset = self._need(offset)
            self._expect(":", offset)
            offset = self._need(offset + 1)
            if _is_listing(name, members) and self._text[self._at + offset] == "[":
                self._move(offset + 1)
                is_listing = True
                yield from self._read_list(name)
                members[name], offset = [], 0
            else:
                members[name], offset = self._take(offset)
            offset = self._need(offset)
        offset += 1
        part = self._close(members, None if is_listing else self._text[self._at : self._at + offset])
        self._move(offset)
        if part is not None:
            yield part

    def _read_list(self, name: str) -> Iterator[Part]:
        """Read releases or records, from behind the opening bracket to behind the closing one."""
        kind, shape = _LISTS[name]
        opening = f'{{"{name}":['
        self._prefix = opening
        offset = self._need(0)
        while self._text[self._at + offset] != "]":
            self._move(offset)
            self._prefix = opening
            self._expect("{", 0)
            value, offset = self._take(0)
            text, line = self._text[self._at : self._at + offset], self._line
            self._move(offset)
            self._found += 1
            # A null in a list is nothing, and makes a list of what follows the comma.
            self._prefix = f"{opening}null"
            yield Part(kind, line, prune(value, shape), f"{opening}{text}]}}")
            offset = self._need(0)
            if self._text[self._at + offset] != "]":
                self._expect(",", offset)
                offset = self._need(offset + 1)
                self._expect("{", offset)
        self._move(offset + 1)
        self._prefix = f"{opening}]"

    def _close(self, members: dict[str, Any], text: str | None) -> Part | None:
        """Return what the object itself is, beside what it listed, in the way of ``Pruner``."""
        value = prune(members, DOCUMENT)
        if isinstance(value.get("compiledRelease"), dict) or value.get("releases"):
            kind = Kind.RECORD
        elif "ocid" in value or "contracts" in value:
            kind = Kind.RELEASE
        elif "releases" in value or "records" in value:
            return None
        else:
            raise _Unsure
        self._found += 1
        return Part(kind, self._line, value, text)

    def _take(self, offset: int) -> tuple[Any, int]:
        """Decode a value at an offset from where the text stands; return it and the offset behind it."""
        while True:
            try:
                value, end = self._decode(self._text, self._at + offset)
            except _FAULTS:
                self._grow()
                continue
            if end - self._at > LONGEST:
                raise _Unsure
            if end < len(self._text):
                return value, end - self._at
            # A number may go on where the text at hand ends.
            if self._is_over or not self._fill():
                return value, len(self._text) - self._at

    def _need(self, offset: int) -> int:
        """Return the offset of the next character that is not blank."""
        while True:
            match = _SPACE.match(self._text, self._at + offset)
            assert match is not None
            offset = match.end() - self._at
            if match.end() < len(self._text):
                return offset
            self._grow()

    def _expect(self, character: str, offset: int) -> None:
        if self._text[self._at + offset] != character:
            raise _Unsure

    def _grow(self) -> None:
        """Read twice as much as there is, up to ``LONGEST``: so decoding anew costs little altogether."""
        wanted = 2 * (len(self._text) - self._at)
        if wanted > 2 * LONGEST or not self._fill():
            raise _Unsure
        while len(self._text) < wanted and self._fill():
            pass

    def _skip_space(self) -> bool:
        """Move to the next character that is not blank; say whether there is one."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._move(match.end() - self._at)
            if self._at < len(self._text):
                return True
            if not self._fill():
                return False

    def _move(self, offset: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + offset)
        self._at += offset

    def _fill(self) -> bool:
        """Drop what was read and append the next chunk; say whether there was one."""
        gathered: list[str] = [self._text[self._at :]]
        wanted = CHUNK
        while wanted > 0 and not self._is_over:
            try:
                block = next(self._blocks, None)
            except Unreadable as error:
                self._broken, block = error, None
            if block is None:
                self._is_over = True
            else:
                gathered.append(self._decoder.decode(block))
                wanted -= len(block)
        if wanted == CHUNK:
            return False
        self._text, self._at = "".join(gathered), 0
        return True

    def _rest(self) -> Iterator[bytes]:
        """Yield what was not read yet, in blocks."""
        data = f"{self._prefix}{self._text[self._at :]}".encode() + self._decoder.getstate()[0]
        self._text = ""
        for start in range(0, len(data), BLOCK):
            yield data[start : start + BLOCK]
        if not self._is_over:
            yield from self._blocks
        if self._broken is not None:
            raise self._broken


def _is_listing(name: str, before: Mapping[str, Any]) -> bool:
    """Say whether a member lists what a package holds, by those before it; else it may be a record's own."""
    is_record = "ocid" in before or isinstance(before.get("compiledRelease"), dict)
    return name == "records" or (name == "releases" and not is_record)


def _is_package(whole: Mapping[str, Any]) -> bool:
    """Say whether an object lists releases or records that are to be told apart from each other."""
    before: dict[str, Any] = {}
    for name, value in whole.items():
        if isinstance(value, list) and _is_listing(name, before):
            return True
        before[name] = value
    return False
