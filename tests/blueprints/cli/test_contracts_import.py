"""``flask contracts import`` as a script sees it: exit code, last line, reasons on standard error."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from models.base import db
from models.contract import Contract
from models.import_job import ImportJob
from models.payment import PurchaserPayment
from models.zone import Zone
from tests.databases import URL
from tests.factories import make_zone
from tests.procurement import lines, make_contract, make_release, make_transaction
from tests.shared import shared_data

ROOT = Path(__file__).resolve().parents[3]


def run(database: Flask, *args: str, content: bytes | None = None) -> Result:
    return database.test_cli_runner().invoke(args=["contracts", "import", *args], input=content)


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def count(database: Flask) -> int:
    with database.app_context():
        return db.session.scalar(select(func.count(Contract.id))) or 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "contracts.jsonl"
    path.write_bytes(lines([make_release("o-1"), make_release("o-2")]))
    return path


#: New contracts and further tellings of them in each shared file.
SHARED = {
    "ca_buyandsell_compiled_2200.jsonl": (2592, 0),
    "example_record_package_jalisco.json": (2, 0),
    "mx_cdmx_releases.jsonl": (8, 12),
    "mx_jalisco_record_packages.jsonl": (20, 0),
    "fictional/ocds-213czf-000-00001-withversions.json": (1, 0),
    "fictional/ocds-213czf-000-00001.json": (1, 0),
    "fictional/release_package.json": (1, 1),
}


@pytest.mark.parametrize("name", SHARED)
def test_shared_records_come_in_once_and_are_updated_the_second_time(database: Flask, name: str) -> None:
    path = shared_data(f"ocds/{name}")
    imported, updated = SHARED[name]
    first = run(database, str(path))
    assert (first.exit_code, last_line(first)) == (0, f"imported {imported} updated {updated} rejected 0")
    second = run(database, str(path))
    assert (second.exit_code, last_line(second)) == (0, f"imported 0 updated {imported + updated} rejected 0")
    assert count(database) == imported
    with database.app_context():
        assert all("foreign_currency" in row.obstacles for row in db.session.scalars(select(Contract)))


def test_output_is_for_scripts_and_progress_for_people(database: Flask, file: Path) -> None:
    result = run(database, str(file))
    assert (result.exit_code, result.stdout) == (0, "imported 2 updated 0 rejected 0\n")
    assert "imported 2" in result.stderr


def test_standard_input_and_gzip_are_read_alike(database: Flask, file: Path) -> None:
    assert last_line(run(database, "-", content=gzip.compress(file.read_bytes()))).startswith("imported 2 ")
    packed = file.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert last_line(run(database, str(packed))).startswith("imported 0 updated 2 ")


def test_contracts_go_into_the_zone_that_was_named_else_into_the_default_one(
    database: Flask, file: Path, now: object
) -> None:
    with database.app_context():
        zone_id = make_zone(now=now, code="north").id  # type: ignore[arg-type]
    assert run(database, str(file), "--zone", "north").exit_code == 0
    with database.app_context():
        assert set(db.session.scalars(select(Contract.zone_id))) == {zone_id}
    file.write_bytes(lines([make_release("o-3")]))
    assert run(database, str(file)).exit_code == 0
    with database.app_context():
        row = db.session.scalars(select(Contract).where(Contract.process_id == "o-3")).one()
        assert db.session.get_one(Zone, row.zone_id).is_default


def test_an_unknown_zone_is_refused_and_the_known_ones_named(database: Flask, file: Path) -> None:
    result = run(database, str(file), "--zone", "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    assert "Known zones:" in result.stderr
    assert count(database) == 0


def test_one_reason_per_rejected_row_and_the_rest_is_stored(database: Flask, file: Path) -> None:
    bad = make_release("o-9", make_contract("a"), make_contract("b", value={"amount": "abc"}))
    content = lines([bad]) + b"{broken\n" + lines([make_release("o-1")]) + b'{"ocid": "x", "contracts": ['
    file.write_bytes(content)
    result = run(database, str(file))
    assert (result.exit_code, last_line(result)) == (0, "imported 2 updated 0 rejected 3")
    reasons = [line for line in result.stderr.splitlines() if line.startswith("line ")]
    assert [line.split(":")[0].split(" (")[0] for line in reasons] == ["line 1", "line 2", "line 4"]
    assert "o-9 b" in reasons[0]
    assert "“abc” is not a number" in reasons[0]
    assert all(line.rstrip().endswith(".") for line in reasons)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"not json at all", "not valid JSON"),
        (b'{"some": "thing"}', "no OCDS release"),
        (b"[]", "nothing in it can be used"),
        (b'{"releases": []}', "nothing in it can be used"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 99, "not valid JSON"),
        (gzip.compress(lines([make_release()]), mtime=0)[:20], "it ends too early"),
        (b"\x1f\x8b\x08garbage", "compressed data is damaged"),
        (json.dumps(make_release("o", make_contract(id=None))).encode(), "fill this in"),
        ("测试".encode("gbk"), "not valid JSON"),
        (
            json.dumps({"records": [{"ocid": "o", "releases": [{"url": "https://x/y"}]}]}).encode(),
            "https://x/y",
        ),
    ],
)
def test_a_file_of_which_nothing_is_usable_exits_2_and_says_why(
    database: Flask, file: Path, content: bytes, reason: str
) -> None:
    file.write_bytes(content)
    result = run(database, str(file))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert last_line(result).startswith("imported 0 updated 0 rejected ")
    assert count(database) == 0


def test_a_file_that_cannot_be_opened_exits_2_and_says_why(database: Flask, tmp_path: Path) -> None:
    for path, why in ((tmp_path / "missing.json", "No such file"), (tmp_path, "Is a directory")):
        result = run(database, str(path))
        assert (result.exit_code, last_line(result)) == (2, "imported 0 updated 0 rejected 0")
        assert why in result.stderr


def test_a_file_name_that_is_no_text_is_no_fault(database: Flask, file: Path) -> None:
    odd = file.rename(os.fsdecode(os.fsencode(file.parent) + b"/\xff\xb2.json"))
    assert run(database, str(odd)).exit_code == 0


def test_releases_without_a_contract_yet_are_no_fault(database: Flask, file: Path) -> None:
    file.write_bytes(lines([{"ocid": "o", "tag": ["planning"]}]))
    result = run(database, str(file))
    assert (result.exit_code, last_line(result)) == (0, "imported 0 updated 0 rejected 0")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_not_set_up_is_named_as_the_reason(
    database: Flask, file: Path, tmp_path: Path
) -> None:
    database.config[URL] = f"sqlite:///{tmp_path / 'new.db'}"
    ran = run(database, str(file))
    assert ran.exit_code == 1
    assert "flask db upgrade" in ran.stderr
    assert type(ran.exception) is SystemExit


def test_killed_half_way_it_leaves_whole_contracts_and_finishes_when_run_again(
    database: Flask, tmp_path: Path
) -> None:
    total = 1600
    path = tmp_path / "many.jsonl"
    paid = {"transactions": [make_transaction("T1", 1), make_transaction("T2", 2)]}
    path.write_bytes(lines(make_release(f"o-{n}", make_contract(implementation=paid)) for n in range(total)))
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "contracts", "import", str(path)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database.config["SQLALCHEMY_DATABASE_URI"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while count(database) < 200 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    stored = count(database)
    assert 200 <= stored < total
    with database.app_context():
        assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 2 * stored
        assert db.session.scalars(select(ImportJob)).one().finished_at is None
    again = run(database, str(path))
    assert (again.exit_code, last_line(again)) == (
        0,
        f"imported {total - stored} updated {stored} rejected 0",
    )
    with database.app_context():
        assert db.session.scalar(select(func.count(PurchaserPayment.id))) == 2 * total


def test_ctrl_c_stops_after_the_running_batch_and_resume_goes_on(database: Flask, tmp_path: Path) -> None:
    total = 6000
    path = tmp_path / "many.jsonl"
    path.write_bytes(lines(make_release(f"o-{n}") for n in range(total)))
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "contracts", "import", str(path)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database.config["SQLALCHEMY_DATABASE_URI"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # The first line is the progress of the first batch.
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    stored = count(database)
    assert (process.returncode, out) == (130, f"imported {stored} updated 0 rejected 0\n")
    assert 200 <= stored < total
    with database.app_context():
        job = db.session.scalars(select(ImportJob)).one()
        assert (job.state.value, job.parts + job.findings > 0) == ("cancelled", True)
    assert f"--resume {job.id}" in err
    other = tmp_path / "other.jsonl"
    other.write_bytes(lines([make_release("o-1")]))
    refused = run(database, str(other), "--resume", str(job.id))
    assert (refused.exit_code, "not the file" in refused.stderr) == (2, True)
    again = run(database, str(path), "--resume", str(job.id))
    assert (again.exit_code, last_line(again)) == (0, f"imported {total} updated 0 rejected 0")


def test_the_template_is_written_and_imports(database: Flask, tmp_path: Path) -> None:
    for name in ("contracts.xlsx", "contracts.csv"):
        path = tmp_path / name
        written = database.test_cli_runner().invoke(args=["contracts", "template", str(path)])
        assert written.exit_code == 0
        imported = run(database, str(path))
        assert imported.exit_code == 0
        assert last_line(imported) in {"imported 1 updated 0 rejected 0", "imported 0 updated 1 rejected 0"}
    failed = database.test_cli_runner().invoke(
        args=["contracts", "template", str(tmp_path / "no" / "a.xlsx")]
    )
    assert failed.exit_code == 2
