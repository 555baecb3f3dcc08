"""Lists whose state is in their address: page, size and sort, so that a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request

Row = TypeVar("Row")

SIZES = (20, 50, 100)
#: Deeper than anybody turns pages, and far below what a database offset can hold.
LAST_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of a list the address asks for; ``sort`` is one of the allowed names."""

    number: int
    size: int
    sort: str
    descending: bool

    @property
    def order(self) -> str:
        """Return the sort as the address writes it: with a leading minus for descending."""
        return f"-{self.sort}" if self.descending else self.sort

    @property
    def offset(self) -> int:
        """Return how many rows come before this page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list: its rows, and how many there are in all."""

    rows: Sequence[Row]
    total: int
    asked: Asked

    @property
    def last(self) -> int:
        """Return the number of the last page, at least 1."""
        return max(1, -(-self.total // self.asked.size))

    @property
    def first_row(self) -> int:
        """Return the position of the first row shown, 0 if none."""
        return self.asked.offset + 1 if self.rows else 0

    @property
    def last_row(self) -> int:
        """Return the position of the last row shown."""
        return self.asked.offset + len(self.rows)

    @property
    def near(self) -> list[int | None]:
        """Return the page numbers to link to, None where some are left out."""
        here = self.asked.number
        wanted = sorted({1, self.last, *range(max(1, here - 1), min(self.last, here + 1) + 1)})
        shown: list[int | None] = []
        for number in wanted:
            if shown and shown[-1] is not None and number - shown[-1] > 1:
                shown.append(None)
            shown.append(number)
        return shown


def asked(sorts: Collection[str], default: str) -> Asked:
    """Read page, size and sort from the address; anything unknown falls back to the default.

    ``default`` is a sort name, with a leading minus for descending, as in the address itself.
    """
    number = min(LAST_PAGE, max(1, request.args.get("page", 1, type=int) or 1))
    size = request.args.get("size", SIZES[0], type=int)
    wanted = request.args.get("sort", default)
    if wanted.removeprefix("-") not in sorts:
        wanted = default
    return Asked(
        number, size if size in SIZES else SIZES[0], wanted.removeprefix("-"), wanted.startswith("-")
    )


def slice_rows(rows: Sequence[Row], part: Asked) -> Page[Row]:
    """Return one page of a list that is in memory already."""
    return Page(rows[part.offset : part.offset + part.size], len(rows), part)


def chosen(name: str, kind: Any) -> Any:
    """Return the filter ``name`` of the address as a member of the enumeration ``kind``, or None."""
    value = request.args.get(name, "")
    return kind(value) if value in {member.value for member in kind} else None
