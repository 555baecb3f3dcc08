"""Imports: a release package of a hundred megabytes into the registry, beside the least that could be done.

Bare: the same file through ``json`` and the same contracts by bulk insert into one table of an own file; both
sides run in processes of their own, on SQLite files of the same settings, and the processor's time counts.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from market import party
from scripts.benchmarks import award_package, databases
from scripts.benchmarks.measuring import apart, peak_memory, ratio, seconds, spread
from services import contract_import, zones

#: Bytes of the package; ``--size`` counts contracts, of which each takes about this many.
SIZE, EACH = 100_000_000, 4_000
TIMES = 3

_BARE = """CREATE TABLE bare (
    id INTEGER PRIMARY KEY, process_id TEXT, contract_id TEXT, award_id TEXT, title TEXT, status TEXT,
    purchaser TEXT, supplier TEXT, amount INTEGER, currency TEXT, signed_on TEXT, starts_on TEXT, ends_on TEXT
)"""


@dataclass(frozen=True)
class Import:
    """What one import took: the processor's seconds, the most memory in MB, and the contracts stored."""

    seconds: float
    peak: float
    stored: int


def main(size: int | None = None) -> int:
    """Measure imports of ``size`` contracts; return 0."""
    with tempfile.TemporaryDirectory(prefix="cuohe-bench-") as folder:
        package = Path(folder) / "package.json"
        count = award_package.write(package, SIZE if size is None else size * EACH)
        megabytes = package.stat().st_size / 1e6
        print(f"Import of {count} contracts in a release package of {megabytes:.0f} MB", flush=True)
        bare = [apart(import_bare, str(package), f"{folder}/bare{turn}.db") for turn in range(TIMES)]
        print(f"  json and one table: {spread([one.seconds for one in bare])}", flush=True)
        ours = [
            apart(import_whole, str(package), f"sqlite:///{folder}/whole{turn}.db") for turn in range(TIMES)
        ]
        print(
            f"  registry: {spread([one.seconds for one in ours])}, "
            f"{statistics.median(one.seconds for one in ours) / count * 1e6:.0f} µs per contract",
            flush=True,
        )
        assert {one.stored for one in (*bare, *ours)} == {count}, "both sides store the same contracts"
        again = apart(import_again, str(package), f"sqlite:///{folder}/whole0.db")
        print(f"  the same file once more: {again.seconds:.3f} s", flush=True)
        with databases.server() as server, databases.database(server, "imports") as url:
            beside = apart(import_whole, str(package), url)
        print(f"  PostgreSQL, without the server's own time: {beside.seconds:.3f} s", flush=True)
    part = statistics.median(one.seconds for one in bare) / statistics.median(one.seconds for one in ours)
    print(ratio("import vs bare", part, ">= 0.15"))
    print(ratio("import peak memory MB", max(one.peak for one in ours), "<= 512"), flush=True)
    return 0


def import_bare(path: str, database: str) -> Import:
    """Parse the file whole and insert its contracts into one table."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(_BARE)

    def work() -> None:
        with Path(path).open("rb") as file:
            package = json.load(file, parse_float=Decimal)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"INSERT INTO bare VALUES (NULL{', ?' * 12})",
            (
                _flatten(release, contract, {award["id"]: award for award in release["awards"]})
                for release in package["releases"]
                for contract in release["contracts"]
            ),
        )
        connection.execute("COMMIT")

    taken = seconds(work, 1)[0]
    (stored,) = connection.execute("SELECT count(*) FROM bare").fetchone()
    connection.close()
    return Import(taken, peak_megabytes(), stored)


def import_whole(path: str, url: str) -> Import:
    """Take the file over into a fresh registry, as the command does."""
    app = databases.make_app(url)
    with app.app_context():
        return _import(path)


def import_again(path: str, url: str) -> Import:
    """Take the file over into a registry that knows all of it."""
    with databases.make_app(url).app_context():
        return _import(path)


def _import(path: str) -> Import:
    zone = zones.default()
    assert zone is not None
    file = Path(path)
    found: list[Any] = []

    def work() -> None:
        with file.open("rb") as stream:
            found.append(
                contract_import.import_stream(
                    stream,
                    by=party.clock(zone.id),
                    now=datetime.now(UTC),
                    file_name=file.name,
                    size=file.stat().st_size,
                )
            )

    taken = seconds(work, 1)[0]
    (result,) = found
    assert result.rejected == result.notices_refused == 0, "a sound package is taken over whole"
    return Import(taken, peak_megabytes(), result.imported + result.updated)


def peak_megabytes() -> float:
    """Return the most memory this process has held, in MB.

    On Linux the usage of a process begins with what the one that started it had; the status does not.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return peak_memory() * 1000
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _flatten(release: dict[str, Any], contract: dict[str, Any], awards: dict[str, Any]) -> tuple[Any, ...]:
    period = contract["period"]
    return (
        release["ocid"],
        contract["id"],
        contract["awardID"],
        contract["title"],
        contract["status"],
        release["buyer"]["id"],
        awards[contract["awardID"]]["suppliers"][0]["id"],
        int(contract["value"]["amount"] * 100),
        contract["value"]["currency"],
        contract["dateSigned"][:10],
        period["startDate"],
        period["endDate"],
    )
