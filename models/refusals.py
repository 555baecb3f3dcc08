"""What the database refuses, told in the market's own words.

Services ask politely first; these are the refusals that only the database can see: a race lost on a unique
index, a lock that was not given in time, a text that one kind of database would cut off or take as it is and
the other would not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Enum, Integer, String, inspect
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapper, Session

from market.errors import Code, Fault, Invalid, MarketError, conflict, invalid

#: SQLite's primary result codes for a database or table that others hold.
_SQLITE_BUSY = frozenset({5, 6})
#: PostgreSQL: a deadlock was broken, a transaction could not be serialised, a lock was not given in time.
_POSTGRESQL_BUSY = frozenset({"40P01", "40001", "55P03"})
_UNIQUE_VIOLATION = "23505"
#: No rate or share of this trade comes near it.
_RATE_MOST = 10**6
#: The guard against double financing has words of its own; every other lost race is told to look again.
_FINANCING_KEY = ("uq_financings_live_key", "financings.key")


def translate(error: DBAPIError) -> MarketError | None:
    """Return the refusal behind a database error, or None for one that is nobody's doing but ours.

    A lost race is a ``Conflict`` (stale, or already_financed for a contract's key), a lock that was not given
    is a ``Conflict`` (busy). A broken CHECK or foreign key stays an error: no service may let it come so far.
    """
    if _is_busy(error.orig):
        return conflict(Code.BUSY)
    if isinstance(error, DataError) and "NUL" in str(error.orig):
        # A question asked with such a text fails before any row that could be checked.
        return invalid(Code.NOT_TEXT)
    lost = _find_lost_race(error.orig)
    if lost is None:
        return None
    return conflict(Code.ALREADY_FINANCED if lost in _FINANCING_KEY else Code.STALE)


def check_values(session: Session) -> None:
    """Raise ``Invalid`` for new or changed values that a column cannot hold, naming each.

    SQLite would store them as they are, PostgreSQL would fail without a word that a person could use.
    """
    faults = [fault for row in chain(session.new, session.dirty) for fault in _find_faults(row)]
    if faults:
        raise Invalid(*faults)


def _is_busy(error: Any) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # The upper bits say more about the reason.
    return (code is not None and code & 0xFF in _SQLITE_BUSY) or (
        getattr(error, "sqlstate", None) in _POSTGRESQL_BUSY
    )


def _find_lost_race(error: Any) -> str | None:
    """Return the unique constraint an insert ran into: its name, or on SQLite its first column."""
    if getattr(error, "sqlstate", None) == _UNIQUE_VIOLATION:
        return str(error.diag.constraint_name)
    found = re.fullmatch(r"UNIQUE constraint failed: ([\w.]+).*", str(error))
    return found[1] if found else None


def _find_faults(row: Any) -> Iterator[Fault]:
    state = inspect(row)
    for key, most, places in _read_bounds(state.mapper):
        value = state.dict.get(key)
        if value is None or (state.persistent and key not in state.committed_state):
            continue
        if isinstance(value, str):
            if not _is_storable(value):
                yield Fault(Code.NOT_TEXT, key, {"value": _show(value)})
            elif most is not None and len(value) > most:
                yield Fault(Code.TOO_LONG, key, {"value": value[:40], "most": most})
        elif isinstance(value, Decimal) and places is not None:
            if value.is_finite() and value != round(value, places):
                yield Fault(Code.TOO_MANY_DECIMALS, key, {"value": f"{value:f}"[:40], "most": places})
            elif not value.is_finite() or abs(value) > _RATE_MOST:
                yield Fault(Code.TOO_LARGE, key, {"value": f"{value:f}"[:40], "most": _RATE_MOST})
        elif isinstance(value, int) and most is not None and abs(value) > most:
            yield Fault(Code.TOO_LARGE, key, {"value": value, "most": most})


@cache
def _read_bounds(mapper: Mapper[DeclarativeBase]) -> tuple[tuple[str, int | None, int | None], ...]:
    """Return the texts, whole numbers and rates of a table, each with its bound, or its places."""
    bounds: list[tuple[str, int | None, int | None]] = []
    for attribute in mapper.column_attrs:
        kind = attribute.columns[0].type
        if isinstance(kind, String) and not isinstance(kind, Enum):
            bounds.append((attribute.key, kind.length, None))
        elif isinstance(kind, Integer):
            bits = 63 if kind.__visit_name__ == "big_integer" else 31
            bounds.append((attribute.key, 2**bits - 1, None))
        elif (places := getattr(kind, "places", None)) is not None:
            bounds.append((attribute.key, None, int(places)))
    return tuple(bounds)


def _is_storable(text: str) -> bool:
    # Half a surrogate pair is no character, and PostgreSQL takes no NUL.
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _show(text: str) -> str:
    return text[:40].encode(errors="replace").decode().replace("\x00", "?")
