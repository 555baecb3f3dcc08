"""Deeds: what a record says was done, in one shape for all records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from market.calendar import local_date
from market.report_vocabulary import FileEntry


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happened, as its record has it.

    ``at`` is when it was written down, ``on`` the day it counts for; ``what`` says more than ``kind`` does: a
    rung, a kind of event, an outcome. ``users`` did it, in this order; an empty one is the clock's.
    ``amount`` is fen, as are the figures of ``details`` whose names are in ``AMOUNTS``.
    """

    kind: FileEntry
    at: datetime
    on: date
    what: StrEnum | None = None
    users: tuple[int, ...] = ()
    evidence: str = ""
    amount: int | None = None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


#: Figures among the details of an entry that are kept in fen.
AMOUNTS = frozenset(
    {"amount", "paid", "fees", "penalty", "interest", "principal", "recovered", "remainder", "former_amount"}
)


def make_deed(kind: FileEntry, at: datetime, on: date | None = None, **values: Any) -> Deed:
    """Return a deed; without a day it counts for the day it was written down, and nobody is left out."""
    users = tuple(user for user in values.pop("users", ()) if user is not None)
    details = {name: value for name, value in values.pop("details", {}).items() if value not in (None, "")}
    return Deed(kind, at, on or local_date(at), users=users, details=details, **values)
