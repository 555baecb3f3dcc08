"""``flask lpr`` as a script sees it: exit code, last line, one line per fault on standard error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

import market.reference
from blueprints import clock
from models.audit import AuditEntry
from models.base import db
from models.reference import LprRow
from models.zone import Zone
from services import zones
from tests.databases import URL

GOOD = "date,lpr_1y,lpr_5y\n2026-10-20,3.00,3.50\n2026-09-20,3.00,3.50\n"


@pytest.fixture(autouse=True)
def hour(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Stop the clock; a practice zone's runs ahead of it."""

    def read(zone: Zone | None = None) -> datetime:
        return now if zone is None else datetime(2027, 6, 1, tzinfo=UTC)

    monkeypatch.setattr(clock, "read", read)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lpr.csv"
    path.write_text(GOOD)
    return path


def run(database: Flask, *args: str, content: str | None = None) -> Result:
    return database.test_cli_runner().invoke(args=["lpr", *args], input=content)


def count(database: Flask, kind: type = LprRow) -> int:
    with database.app_context():
        return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_new_months_are_counted_and_the_same_file_again_changes_nothing(database: Flask, file: Path) -> None:
    first = run(database, "load", str(file))
    assert (first.exit_code, first.stdout, first.stderr) == (0, "added 2 unchanged 0 corrected 0\n", "")
    again = run(database, "load", "-", content=GOOD)
    assert (again.exit_code, again.stdout) == (0, "added 0 unchanged 2 corrected 0\n")
    assert (count(database), count(database, AuditEntry)) == (87, 2)


def test_the_shipped_table_is_known_already(database: Flask) -> None:
    shipped = Path(market.reference.__file__).parent / "lpr.csv"
    assert run(database, "load", str(shipped)).stdout == "added 0 unchanged 85 corrected 0\n"


def test_every_fault_stands_on_a_line_of_its_own_and_nothing_is_stored(database: Flask, file: Path) -> None:
    file.write_text(
        "date,lpr_1y,lpr_5y\n"
        "2026-10-20,3.07,3.50\n"
        "2026-09-22,3.00,3.50\n"
        "2026-11-20,3.00\n"
        "2026-12-21,3.00,3.50\n"
        "2026-02-30,3.00,3.50\n"
        "2026-11-20,30,35\n"
        "2026-08-20,2.95,3.50\n"
        "2026-10-20,3.00,3.50\n"
        "2018-10-22,3.00,3.50\n"
    )
    result = run(database, "load", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    told = [line.removeprefix(f"{file}:").split(": ", 2) for line in lines]
    assert [(number, value) for number, value, _ in told] == [
        ("2", '"3.07"'),
        ("3", '"2026-09-22"'),
        ("4", '"2026-11-20,3.00"'),
        ("5", '"2026-12-21"'),
        ("6", '"2026-02-30"'),
        ("7", '"30"'),
        ("7", '"35"'),
        ("8", '"2.95"'),
        ("9", '"2026-10-20"'),
        ("10", '"2018-10-22"'),
    ]
    assert all((why.endswith(".") and why.isascii()) or "“" in why for _, _, why in told)
    assert "in that month on 2026-09-20" in lines[1]
    assert "3.00% is on record, not 2.95%" in lines[7]
    assert (count(database), count(database, AuditEntry)) == (85, 0)


def test_a_known_value_is_changed_with_correct_and_an_unusual_one_passes_with_confirm(
    database: Flask, file: Path
) -> None:
    file.write_text("date,lpr_1y,lpr_5y\n2026-08-20,2.95,3.50\n2026-09-20,4.00,4.50\n")
    assert run(database, "load", "--correct", str(file)).exit_code == 2
    assert run(database, "load", "--confirm", str(file)).exit_code == 2
    result = run(database, "load", "--correct", "--confirm", str(file))
    assert (result.exit_code, result.stdout) == (0, "added 1 unchanged 0 corrected 1\n")
    with database.app_context():
        actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["lpr.correct", "lpr.add"]


def test_a_practice_zones_clock_brings_no_publication_forward(database: Flask, file: Path) -> None:
    with database.app_context():
        zone = zones.default()
        assert zone is not None
        zones.rename_default(zone.code, "演练区", "Practice", is_sandbox=True, matching_times="10:00")
    file.write_text("date,lpr_1y,lpr_5y\n2026-12-21,3.00,3.50\n")
    result = run(database, "load", str(file))
    assert result.exit_code == 2 and "today is 2026-11-20" in result.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is empty"),
        ("date,lpr_1y,lpr_5y\n", "nothing in it can be used"),
        ("2026-09-20,3.00,3.50\n", "date, lpr_1y, lpr_5y"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_table_is_refused_with_the_reason(database: Flask, content: str, reason: str) -> None:
    result = run(database, "load", "-", content=content)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("-:1: ") and reason in line


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_cannot_be_read_is_named(database: Flask, tmp_path: Path) -> None:
    for path, why in ((tmp_path / "missing.csv", "No such file"), (tmp_path, "Is a directory")):
        result = run(database, "load", str(path))
        assert result.exit_code == 2
        assert why in result.stderr


def test_the_rate_in_force_is_said_with_its_day_and_the_newest_beside_it(database: Flask, file: Path) -> None:
    result = run(database, "show")
    assert (result.exit_code, result.stdout) == (
        0,
        "2026-11-20: 1-year 3.00 %, 5-year 3.50 %, published 2026-08-20\n"
        "newest: 1-year 3.00 %, 5-year 3.50 %, published 2026-08-20\n",
    )
    assert result.stderr == "The newest publication on record is 92 days old: later ones are missing.\n"
    asked = run(database, "show", "--on", "2019-09-19")
    assert asked.stdout.splitlines()[0] == "2019-09-19: 1-year 4.25 %, 5-year 4.85 %, published 2019-08-20"
    file.write_text("date,lpr_1y,lpr_5y\n2026-10-20,2.95,3.45\n")
    run(database, "load", str(file))
    fresh = run(database, "show")
    assert fresh.stdout.splitlines()[1] == "newest: 1-year 2.95 %, 5-year 3.45 %, published 2026-10-20"
    assert fresh.stderr == ""


@pytest.mark.parametrize("day", ["2019-08-19", "2026-02-30", "today", ""])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_day_without_a_rate_or_without_sense_is_refused(database: Flask, day: str) -> None:
    result = run(database, "show", "--on", day)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f'--on: "{day}": ' in result.stderr


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_not_set_up_is_named_as_the_reason(
    database: Flask, file: Path, tmp_path: Path
) -> None:
    database.config[URL] = f"sqlite:///{tmp_path / 'new.db'}"
    for args in (["load", str(file)], ["show"]):
        ran = run(database, *args)
        assert ran.exit_code == 1
        assert "flask db upgrade" in ran.stderr
        assert type(ran.exception) is SystemExit
