"""Zip packages of open data: their members one after the other, each as an open stream.

A small archive can unpack into a disk full: members, sizes and the ratio between them are bounded, by what
the directory of the archive says and by what really comes out.
"""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from services.exchange.stream import Unreadable

SIGNATURE = b"PK\x03\x04"
MOST_MEMBERS = 10_000
#: Bytes of all members together, unpacked.
MOST_BYTES = 4 << 30
#: JSON of the most repetitive kind packs a hundredfold; what unpacks into more is made to do harm.
MOST_RATIO = 200
#: Below this size nothing is harmful.
_HARMLESS = 1 << 20
_LOOK = 4096
_BOMB = "zip_bomb"
_DAMAGED = "bad_zip"
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its name, its content, and whether that begins like JSON (or gzip)."""

    name: str
    stream: IO[bytes]
    is_json: bool


def read_members(stream: IO[bytes]) -> Iterator[Member]:
    """Yield the files of an archive in its order, each open until the next is asked for.

    Raises ``Unreadable`` with ``bad_zip`` or ``zip_bomb``, before any member where the directory tells it.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir()]
            check(listed)
            for info in listed:
                with archive.open(info) as opened:
                    guarded = _Guarded(opened, info.file_size)
                    yield Member(info.filename, guarded, _is_json(guarded))  # type: ignore[arg-type]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        # RuntimeError: a member under a password.
        raise Unreadable(_DAMAGED) from error


def check(listed: list[zipfile.ZipInfo]) -> None:
    """Raise ``Unreadable`` (zip_bomb) for an archive that unpacks into more than anybody means."""
    size = sum(info.file_size for info in listed)
    packed = max(1, sum(info.compress_size for info in listed))
    if (
        len(listed) > MOST_MEMBERS
        or size > MOST_BYTES
        or (size > _HARMLESS and size > MOST_RATIO * packed)
        or any(
            info.file_size > _HARMLESS and info.file_size > MOST_RATIO * max(1, info.compress_size)
            for info in listed
        )
    ):
        raise Unreadable(_BOMB)


class _Guarded:
    """A member that gives back what was looked at, and is ``Unreadable`` where it is larger than told."""

    def __init__(self, opened: IO[bytes], size: int) -> None:
        self._opened = opened
        self._left = size
        self._seen = b""

    def peek(self, size: int) -> bytes:
        self._seen += self.read(size - len(self._seen))
        return self._seen

    def read(self, size: int = -1) -> bytes:
        if self._seen:
            seen, self._seen = self._seen, b""
            return seen
        try:
            data = self._opened.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Unreadable(_DAMAGED) from error
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(_BOMB)
        return data


def _is_json(member: Any) -> bool:
    """Say whether a file begins with an object or an array, in any Unicode encoding, or is gzipped."""
    head: bytes = member.peek(_LOOK)
    for mark in _MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip()[:1] in (b"{", b"[") or head[:2] == b"\x1f\x8b"
