"""The last steps before opening: a database that is up to date, and the demo market in an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ROOT
from scripts import preparation
from scripts.preparation import describe
from tests.databases import SQLite


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A stand-in for the demo market: what it was asked."""
    asked: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        asked.append(arguments)
        print("Demo market: 1 zone" if arguments == ["--if-empty"] else "firm  secret")
        return 0

    monkeypatch.setattr(preparation.demo, "main", main)
    return asked


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_empty_database_is_migrated_and_filled_and_the_logins_noted(
    kind: str,
    request: pytest.FixtureRequest,
    demo: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    databases = request.getfixturevalue(f"{kind}_databases")
    url = databases.create(migrated=False)
    monkeypatch.setenv("DATABASE_URL", url)
    for _ in range(2):
        assert preparation.main(tmp_path / "logins") == 0
    databases.release(url)
    assert demo == [["--if-empty"], ["--logins"]] * 2
    assert (tmp_path / "logins").read_text() == "firm  secret\n"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[5/6] Database ... ")
    assert lines[1] == "[6/6] Demo market: 1 zone"


def test_an_unreachable_database_is_named_without_its_password(
    demo: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://cuohe:hush@127.0.0.1:1/market")
    assert preparation.main(tmp_path / "logins") == 1
    shown = capsys.readouterr()
    assert (
        "The database postgresql+psycopg://cuohe:***@127.0.0.1:1/market could not be prepared." in shown.err
    )
    assert "refused" in shown.err
    assert "hush" not in shown.out + shown.err
    assert "Traceback" not in shown.err
    assert demo == []


def test_a_database_file_of_ours_is_shown_as_seen_from_the_project(sqlite_databases: SQLite) -> None:
    assert describe(f"sqlite:///{ROOT / 'instance' / 'cuohe.db'}") == "instance/cuohe.db"
    assert describe("sqlite:////elsewhere/market.db") == "/elsewhere/market.db"


@pytest.mark.parametrize("url", ["nonsense", "mysql://hush@host/market", "http://hush@host/"])
def test_an_address_of_no_database_of_ours_is_refused_by_name(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert preparation.main(tmp_path / "logins") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("DATABASE_URL ")
    assert "hush" not in shown
