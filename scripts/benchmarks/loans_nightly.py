"""The nightly pass over a book of loans, beside one UPDATE that touches the same rows.

The book is drawn from a seed: monthly loans of which one in thirty has an instalment due each day, some late,
a few newly late every night. Both sides work on SQLite files of the same content, in one process each, and
on PostgreSQL, printed beside.
"""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from market import party
from market.calendar import add_months
from market.vocabulary import LoanState, OrganisationKind
from models.base import db, transaction
from models.loan import Instalment, Loan, LoanEvent
from models.organisation import Organisation
from models.zone import Zone
from scripts.benchmarks import databases
from scripts.benchmarks.measuring import apart, ratio, spread
from services import nightly

#: Loans in the book.
SIZE = 200_000
SEED = 20261120
#: The day on which every loan of the book was looked at last; the nights measured follow it.
FIRST = date(2026, 11, 20)
NIGHTS = 3
LINES = 12
#: Of a thousand loans: how many were late already, and how many do not pay what falls due.
LATE, STOPS = 20, 60
PART = 5000
PRINCIPAL, INTEREST = 100_000, 5_000


@dataclass(frozen=True, slots=True)
class Night:
    """What nights over a book took, in seconds each; ``late`` deals were found newly late in all."""

    loans: int
    seconds: list[float]
    late: int = 0

    @property
    def each(self) -> float:
        """Return the median time for one loan, in seconds."""
        return statistics.median(self.seconds) / self.loans


def main(size: int | None = None) -> int:
    """Measure a book of ``size`` loans and one of a twentieth of it; return 0."""
    many = SIZE if size is None else size
    few = max(many // 20, 1)
    print(f"Nightly pass over {many:,} and {few:,} loans of {LINES} instalments", flush=True)
    small, _ = compare(few)
    show("pass", small)
    ours, bare = compare(many)
    show("pass", ours)
    show("one UPDATE", bare)
    print(f"  {ours.late} deals newly late in {NIGHTS} nights", flush=True)
    served, plain = compare_on_server(many)
    show("pass on PostgreSQL", served)
    show("one UPDATE on PostgreSQL", plain)
    print(ratio("nightly vs update", ours.each / bare.each, "<= 4"))
    print(ratio("nightly vs update on PostgreSQL", served.each / plain.each, "<= 4"))
    print(ratio("growth per loan", ours.each / small.each, "<= 1.3"), flush=True)
    return 0


def compare(size: int) -> tuple[Night, Night]:
    """Return what nightly passes and single UPDATEs took on a book of ``size`` loans, on SQLite."""
    folder = Path(tempfile.mkdtemp(prefix="cuohe-bench-"))
    try:
        book = folder / "book.db"
        apart(fill, f"sqlite:///{book}", size)
        twin = folder / "twin.db"
        shutil.copyfile(book, twin)
        ours = apart(pass_nights, f"sqlite:///{book}", size)
        bare = apart(update_nights, f"sqlite:///{twin}", size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ours, bare


def compare_on_server(size: int) -> tuple[Night, Night]:
    """Return the same on PostgreSQL, where each side gets a database of its own."""
    with databases.server() as server:
        with databases.database(server, "book") as url:
            apart(fill, url, size)
            ours = apart(pass_nights, url, size)
        with databases.database(server, "twin") as url:
            apart(fill, url, size)
            bare = apart(update_nights, url, size)
    return ours, bare


def show(name: str, night: Night) -> None:
    """Print what the nights of one side took."""
    print(f"  {name}: {night.loans:,} loans, {spread(night.seconds)} a night", flush=True)


def pass_nights(url: str, size: int) -> Night:
    """Let the clock look at a book on several nights."""
    app = databases.make_app(url)
    taken, late = [], 0
    with app.app_context():
        zone_id = db.session.scalars(select(Zone.id).order_by(Zone.id).limit(1)).one()
        db.session.remove()
        for night in range(1, NIGHTS + 1):
            now = _moment(FIRST + timedelta(days=night))
            started = time.perf_counter()
            found = nightly.look(zone_id, by=party.clock(zone_id), now=now)
            taken.append(time.perf_counter() - started)
            db.session.remove()
            late += found.newly_late
            if found.looked != size:
                raise AssertionError(f"looked at {found.looked} loans of {size}")
    return Night(size, taken, late)


def update_nights(url: str, size: int) -> Night:
    """Touch the same rows with one UPDATE a night."""
    app = databases.make_app(url)
    taken = []
    with app.app_context():
        db.session.remove()
        for night in range(1, NIGHTS + 1):
            day = FIRST + timedelta(days=night)
            started = time.perf_counter()
            with transaction() as session:
                session.execute(
                    text("UPDATE loans SET looked_on = :day, accrued = accrued + 1 WHERE state = 'drawn'"),
                    {"day": day if db.engine.dialect.name == "postgresql" else day.isoformat()},
                )
            taken.append(time.perf_counter() - started)
            db.session.remove()
    return Night(size, taken)


def fill(url: str, size: int) -> None:
    """Write a book of ``size`` loans as it stands after the look of ``FIRST``."""
    app = databases.make_app(url)
    with app.app_context():
        now = _moment(FIRST)
        with transaction() as session:
            zone_id = session.scalars(select(Zone.id).order_by(Zone.id).limit(1)).one()
            ids = []
            for place, kind in enumerate((OrganisationKind.BANK, OrganisationKind.ENTERPRISE)):
                organisation = Organisation(
                    kind=kind,
                    credit_code=f"91990000MA000000{place}X",
                    name_zh=kind.value,
                    created_at=now,
                )
                session.add(organisation)
                session.flush()
                ids.append(organisation.id)
        rows = _draw(size, zone_id, ids[0], ids[1], now)
        while part := list(islice(rows, PART)):
            with transaction() as session:
                session.execute(insert(Loan), [loan for loan, _ in part])
                session.execute(insert(Instalment), [line for _, lines in part for line in lines])
                session.execute(insert(LoanEvent), [_event(loan) for loan, _ in part])
        with transaction() as session:
            session.execute(text("ANALYZE"))
        db.session.remove()


def _draw(
    size: int, zone_id: int, lender_id: int, borrower_id: int, now: datetime
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    rng = random.Random(SEED)
    for loan_id in range(1, size + 1):
        drawn_on = FIRST - timedelta(days=rng.randrange(1, 300))
        dues = [add_months(drawn_on, number) for number in range(1, LINES + 1)]
        past = [day for day in dues if day <= FIRST]
        late = rng.randrange(1000) < LATE and bool(past) and past[-1] < FIRST
        stops = rng.randrange(1000) < STOPS
        lines: list[dict[str, Any]] = []
        for number, due_on in enumerate(dues, start=1):
            # Who pays has paid the lines that fall due in the nights measured ahead of their day.
            ahead = not stops and due_on <= FIRST + timedelta(days=NIGHTS)
            paid = due_on <= FIRST or ahead
            if late and due_on == past[-1]:
                paid = False
            lines.append(
                {"loan_id": loan_id, "number": number, "due_on": due_on, "principal": PRINCIPAL}
                | {"interest": INTEREST, "fees": 0, "penalty": 0, "balance": PRINCIPAL * (LINES - number)}
                | {"paid_principal": PRINCIPAL * paid, "paid_interest": INTEREST * paid}
                | {"paid_fees": 0, "paid_penalty": 0}
            )
        unpaid = [line for line in lines if not line["paid_principal"]]
        oldest = next((day for day, line in zip(dues, lines, strict=True) if line in unpaid), None)
        days = (FIRST - oldest).days if oldest is not None and oldest < FIRST else 0
        upcoming = next((day for day in dues if day > FIRST), None)
        loan = {
            "id": loan_id,
            "zone_id": zone_id,
            "lender_id": lender_id,
            "borrower_id": borrower_id,
            "kind": "loan",
            "state": LoanState.DRAWN,
            "principal": PRINCIPAL * LINES,
            "months": LINES,
            "terms": {},
            "evidence": "drawn from a seed",
            "approved_at": now,
            "bound": PRINCIPAL * len(unpaid),
            "drawn": PRINCIPAL * LINES,
            "drawn_on": drawn_on,
            "outstanding": PRINCIPAL * len(unpaid),
            "overdue_since": oldest if days else None,
            "oldest_due_on": oldest,
            "days_past_due": days,
            "bucket": "d1_30" if 0 < days <= 30 else "current" if days == 0 else "d31_60",
            "risk_class": "special_mention" if days else "normal",
            "accrual_from": past[-1] if past else drawn_on,
            "accrual_to": upcoming,
            "accrual_days": (upcoming - (past[-1] if past else drawn_on)).days if upcoming else 0,
            "accrual_interest": INTEREST if upcoming is not None else 0,
            "accrued": 0,
            "looked_on": FIRST,
        }
        yield loan, lines


def _event(loan: dict[str, Any]) -> dict[str, Any]:
    return {
        "loan_id": loan["id"],
        "number": 1,
        "kind": "drawdown",
        "effective_on": loan["drawn_on"],
        "amount": loan["principal"],
        "details": {},
        "evidence": "",
        "recorded_at": loan["approved_at"],
    }


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
