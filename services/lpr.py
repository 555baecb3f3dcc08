"""The loan prime rate and the price ceiling as the platform knows them, and how new months come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import publication
from market.calendar import local_date
from market.ceilings import CeilingKind, ceiling_in_force
from market.errors import Fault, Invalid
from market.lpr import LprRow, LprTable
from market.money import rate_text
from market.party import Party
from market.publication import Change, Outcome
from market.reference import calendar, ceilings
from market.vocabulary import Capability
from models import reference
from models.audit import AuditEntry
from models.base import db, transaction
from models.user import User
from services import audit


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows a load added, found the same, and corrected."""

    added: int = 0
    unchanged: int = 0
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Publication:
    """A row with who put it on record or corrected it last; nobody for what the project ships.

    ``by`` is None where a command did it. ``former`` is what stood there before a correction.
    """

    row: LprRow
    loaded_at: datetime | None = None
    by: str | None = None
    former: LprRow | None = None


#: Publications come monthly: the one in force is nearly always younger than this.
RECENT = timedelta(days=100)


def read_table() -> LprTable:
    """Return the whole dated table, oldest row first."""
    return _read(db.session())


def read_ceiling(on: date) -> Decimal:
    """Return the highest annual cost that a licensed lender may ask on a day."""
    # Every bid asks this under its need's lock: the newest rows answer it, unless none came for months.
    table = _read(db.session(), since=on - RECENT)
    if not any(row.published_on <= on for row in table.rows):
        table = read_table()
    return ceiling_in_force(CeilingKind.LICENSED_LENDER, on, table, ceilings())


def load(
    rows: Sequence[LprRow], *, by: Party, now: datetime, correct: bool = False, confirmed: bool = False
) -> Loaded:
    """Put publications on record, all or none; ``by`` is an officer, or the clock's party for a command.

    ``correct`` lets a row replace what is known of its month, ``confirmed`` lets an unusual one pass.
    Raises ``Invalid`` with every fault (``market.publication.judge``). What needs have frozen stays.
    """
    if by.user_id is not None:
        by.require(Capability.OFFICER)
    with transaction() as session:
        # The oldest row stands for the table: of two loads at once the later one sees the earlier one's.
        oldest = select(reference.LprRow).order_by(reference.LprRow.published_on).limit(1)
        session.scalars(oldest.with_for_update()).all()
        changes, faults = publication.judge(
            rows, _read(session), calendar(), today=local_date(now), correct=correct, confirmed=confirmed
        )
        if faults:
            raise Invalid(*faults)
        for change in changes:
            _apply(session, change, by, now)
    counts = {outcome: sum(1 for each in changes if each.outcome is outcome) for outcome in Outcome}
    return Loaded(counts[Outcome.ADDED], counts[Outcome.UNCHANGED], counts[Outcome.CORRECTED])


def check(
    rows: Sequence[LprRow], *, now: datetime, correct: bool = False, confirmed: bool = False
) -> tuple[Fault, ...]:
    """Return everything that ``load`` would refuse, without loading."""
    _, faults = publication.judge(
        rows, read_table(), calendar(), today=local_date(now), correct=correct, confirmed=confirmed
    )
    return tuple(faults)


def list_publications() -> list[Publication]:
    """Return the table, newest first, with who put what on record and when."""
    query = (
        select(AuditEntry, User.name)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject == reference.LprRow.__tablename__)
        .order_by(AuditEntry.id)
    )
    # The last deed on a row is the one that says what stands there.
    deeds = {entry.subject_id: (entry, name) for entry, name in db.session.execute(query)}
    found = []
    for row in reversed(read_table().rows):
        entry, name = deeds.get(reference.number_of(row.published_on), (None, None))
        if entry is None:
            found.append(Publication(row))
        else:
            found.append(Publication(row, entry.at, name, _former(entry)))
    return found


def _read(session: Session, since: date = date.min) -> LprTable:
    stored = reference.LprRow
    rows = session.execute(
        select(stored.published_on, stored.one_year, stored.five_year)
        .where(stored.published_on >= since)
        .order_by(stored.published_on)
    )
    return LprTable(tuple(LprRow(*row) for row in rows))


def _apply(session: Session, change: Change, by: Party, now: datetime) -> None:
    if change.outcome is Outcome.UNCHANGED:
        return
    values = change.row
    if change.former is not None:
        session.delete(session.get_one(reference.LprRow, change.former.published_on))
        session.flush()
    row = reference.LprRow(
        published_on=values.published_on, one_year=values.one_year, five_year=values.five_year
    )
    session.add(row)
    details = {"new": _write(values)}
    if change.former is not None:
        details["old"] = _write(change.former)
    action = "lpr.add" if change.former is None else "lpr.correct"
    audit.record(session, action, row, by=by, now=now, **details)


def _write(row: LprRow) -> dict[str, str]:
    return {
        "published_on": row.published_on.isoformat(),
        "one_year": rate_text(row.one_year, 4),
        "five_year": rate_text(row.five_year, 4),
    }


def _former(entry: AuditEntry) -> LprRow | None:
    old = entry.details.get("old")
    if old is None:
        return None
    return LprRow(
        date.fromisoformat(old["published_on"]), Decimal(old["one_year"]), Decimal(old["five_year"])
    )
