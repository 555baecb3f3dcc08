"""From an open binary stream to clean UTF-8 JSON text in blocks: unpacked, decoded and mended.

Mending keeps one bad spot from costing a whole file: bytes that are no text become ``DAMAGE`` and lone
halves of surrogate pairs too, control characters become spaces, what JSON has no number for (NaN, infinities,
numbers of hundreds of digits) becomes ``BEYOND``, which no amount can be, and texts longer than a block
lose their middle.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, cast

BLOCK = 1 << 16
PIECE = 1 << 15
#: A stream that cannot be read at any place is kept in memory up to this size, and beyond it in a file.
_IN_MEMORY = 1 << 24
#: A code point that is never a character: what could not be decoded. Real text cannot contain it.
DAMAGE = "\ufdd0"
#: A number far beyond every amount; harmless where the same letters stand inside a text.
BEYOND = b"1e999999"

#: How far the patterns below look around themselves, and more.
_LOOK = 32

_CONTROLS = bytes(32 if byte < 32 and byte != 10 else byte for byte in range(256))
_LONG_NUMBER = re.compile(rb"[0-9]{300,}")
_STRIDE = 100
_DIGITS = re.compile(rb"[0-9]{2}")
_SIGNS = (b"NaN", b"Infinity", b"\\ud", b"\\uD")
_ANY_FAULT = re.compile(
    rb"(?<=[\s:,\[])(?:NaN|[+-]?Infinity)(?=[\s,\]}])"
    rb"|(?P<half>\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|[0-9]{300,}"
)
_HALF = b"\\ufdd0"
#: Inside a text: before a backslash that begins an escape, or before a character with no escape near by.
_CUT = re.compile(rb"(?<=[^\\])(?=\\)|(?<=[^\\]{6})(?=[^\x80-\xbf])")


class Unreadable(Exception):
    """Compressed data ends early (``why`` is ``cut_short``) or is damaged (``bad_gzip``)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Counted:
    """An open binary stream: its bytes are counted as they are read, its beginning can be looked at."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.bytes_read = 0
        self._stream = stream
        self._seen = b""
        self._error: OSError | None = None

    def starts_with(self, signature: bytes) -> bool:
        """Say whether the stream begins with some bytes; they are still read afterwards."""
        while len(self._seen) < len(signature) and self._error is None:
            try:
                block = self._stream.read(len(signature) - len(self._seen))
            except OSError as error:
                # It is told to whoever reads on.
                self._error = error
                break
            if not block:
                break
            self._seen += block
        return self._seen.startswith(signature)

    def read(self, size: int = -1) -> bytes:
        """Return what was looked at, then what follows it."""
        if self._error is not None and not self._seen:
            raise self._error
        data, self._seen = (self._seen, b"") if self._seen else (self._stream.read(size), b"")
        self.bytes_read += len(data)
        return data

    def unpackable(self) -> IO[bytes]:
        """Return the stream from its beginning in a form that can be read at any place."""
        if self._stream.seekable():
            self._stream.seek(0)
            return self._stream
        kept = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (its reader is done when it is)
        while block := self.read(BLOCK):
            kept.write(block)
        kept.seek(0)
        return cast(IO[bytes], kept)


class Source:
    """An open binary stream (plain or gzip, UTF-8, UTF-16 or UTF-32) read as clean UTF-8 blocks.

    ``bytes_read`` counts what was taken from the stream itself, for a progress display.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.bytes_read = 0
        self.failure: OSError | None = None
        self._stream = stream

    def blocks(self) -> Iterator[bytes]:
        """Yield mended text; raises ``Unreadable`` after everything before the break was yielded.

        If the stream itself fails, the text ends there and ``failure`` says why.
        """
        return _shorten(_mend(_decode(self._unpack())))

    def _raw(self) -> Iterator[bytes]:
        while self.failure is None:
            try:
                block = self._stream.read(BLOCK)
            except OSError as error:
                self.failure = error
                return
            if not block:
                return
            self.bytes_read += len(block)
            yield block

    def _unpack(self) -> Iterator[bytes]:
        raw = self._raw()
        first = b""
        for block in raw:
            first += block
            if len(first) >= 2:
                break
        if first[:2] != b"\x1f\x8b":
            if first:
                yield first
            yield from raw
            return
        yield from _gunzip(first, raw)


def _gunzip(first: bytes, raw: Iterator[bytes]) -> Iterator[bytes]:
    # Not the gzip module: it loses what it has unpacked so far when the file is cut short.
    unpacker = zlib.decompressobj(wbits=31)
    waiting = first
    try:
        while True:
            while waiting:
                if unpacker.eof:
                    # Another member may follow; padding of zeros may too.
                    waiting = waiting.lstrip(b"\0")
                    if not waiting:
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                # At most one block at a time: a small file may unpack into a huge one.
                out = unpacker.decompress(waiting, BLOCK)
                waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if out:
                    yield out
            block = next(raw, b"")
            if not block:
                break
            waiting = block
        while not unpacker.eof and (out := unpacker.decompress(b"", BLOCK)):
            yield out
    except zlib.error as error:
        raise Unreadable("bad_gzip") from error
    if not unpacker.eof:
        raise Unreadable("cut_short")


def _decode(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text as UTF-8, whichever Unicode encoding it came in, without a byte-order mark."""
    start = b""
    for block in blocks:
        start += block
        if len(start) >= 4:
            break
    encoding = json.detect_encoding(start)
    rest = _chain(start, blocks)
    if encoding in ("utf-8", "utf-8-sig"):
        yield from _check_utf8(rest, skip=3 if encoding == "utf-8-sig" else 0)
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors=_ERRORS)
    for block in rest:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def _check_utf8(blocks: Iterator[bytes], *, skip: int) -> Iterator[bytes]:
    carried = b""
    for block in blocks:
        data = carried + block
        if skip:
            data, skip = data[skip:], 0
        # A character cut by the block's border waits for its other bytes.
        carried = data[_whole(data) :]
        data = data[: len(data) - len(carried)]
        yield _repair(data)
    yield _repair(carried)


def _whole(data: bytes) -> int:
    """Return how many bytes of ``data`` do not belong to a character that still lacks bytes."""
    for back in range(1, min(4, len(data) + 1)):
        lead = data[-back]
        if lead >= 0xC0:
            needs = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return len(data) - back if needs > back else len(data)
        if lead < 0x80:
            break
    return len(data)


def _repair(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors=_ERRORS).encode()
    return data


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return DAMAGE, error.end


_ERRORS = "cuohe.damage"
codecs.register_error(_ERRORS, _mark)


def _mend(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text mended, in large pieces: thousands of digits must not slip through in crumbs."""
    before, waiting = b"", bytearray()
    for block in blocks:
        waiting += block.translate(_CONTROLS)
        if len(waiting) >= PIECE:
            data = before + bytes(waiting)
            # What lies close to the end is decided when it is known what follows.
            piece, end = _clean(data, len(before), len(data) - _LOOK)
            yield piece
            before, waiting = data[max(0, end - _LOOK) : end], bytearray(data[end:])
    if waiting:
        data = before + bytes(waiting)
        yield _clean(data, len(before), len(data))[0]


def _clean(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """Return ``data[start:end]`` mended, and where it really ended: no fault is cut in two."""
    is_suspect = any(sign in data for sign in _SIGNS)
    # So many digits in a row have two of every hundredth byte next to each other.
    if not is_suspect and _DIGITS.search(data[::_STRIDE]) is None:
        return data[start:end], end
    parts: list[bytes] = []
    for match in (_ANY_FAULT if is_suspect else _LONG_NUMBER).finditer(data, start):
        if match.start() >= end:
            break
        parts += (data[start : match.start()], BEYOND if match.lastgroup != "half" else _HALF)
        start = match.end()
    end = max(start, end)
    parts.append(data[start:end])
    return b"".join(parts), end


def _shorten(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Take the middle out of texts that fill whole blocks: the parser's time grows with their square."""
    inside, escaped = False, False
    for block in blocks:
        # No text reaches over a line end, so only what follows the last one matters.
        line = block.rfind(b"\n") + 1
        if line:
            inside = escaped = False
        bare = (block[line + 1 :] if escaped else block[line:]).replace(b"\\\\", b"")
        escaped = bare.endswith(b"\\")
        quotes = bare.replace(b'\\"', b"").count(b'"')
        if inside and not quotes and not line:
            block = _hollow(block)
        inside ^= quotes % 2 == 1
        yield block


def _hollow(text: bytes) -> bytes:
    """Return the beginning and end of a piece of a text, cut where no character or escape is split."""
    first = _CUT.search(text)
    last = max((match.start() for match in _CUT.finditer(text, max(0, len(text) - 8 * _LOOK))), default=0)
    return text if first is None or last <= first.start() else text[: first.start()] + text[last:]


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
