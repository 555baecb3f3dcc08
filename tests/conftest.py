"""What tests may ask for: a database of either kind, the application on it, a client, and the hour.

A test that asks for ``database`` or anything built on it runs twice, on SQLite and on PostgreSQL; where one
is enough, ``@pytest.mark.parametrize("database", ["sqlite"], indirect=True)`` says so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scripts.checks import find_browser
from tests import postgres
from tests.databases import Databases, PostgreSQL, SQLite, choose_place, follow_setting, fresh, make_app

# Whatever the developer's own market is, no test may touch it or its secrets.
os.environ.pop("DATABASE_URL", None)
os.environ["SECRET_KEY"] = "not a secret: tests only"
os.environ["SEALING_SECRET"] = "5e" * 32

KINDS = ["sqlite", "postgresql"]
NO_BROWSER = "no Chromium was found on this machine"


def pytest_configure(config: pytest.Config) -> None:
    # The workers of one run share the folder, and with it the server and the migrated templates.
    if not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="cuohe-tests-", dir=choose_place())
        # The server's account passes through to its own folder inside.
        os.chmod(folder, 0o711)
        os.environ["CUOHE_TEST_FOLDER"] = folder
        os.environ["CUOHE_TEST_OWNER"] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ["CUOHE_TEST_FOLDER"])
        postgres.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_browser() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    names = [report.nodeid for report in skipped if "browser" in report.keywords]
    if names:
        terminalreporter.section(f"BROWSER TESTS SKIPPED: {NO_BROWSER}", sep="!", red=True)
        for name in names:
            terminalreporter.line(name)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """The folder that all workers of this run share."""
    return Path(os.environ["CUOHE_TEST_FOLDER"])


@pytest.fixture(scope="session")
def sqlite_databases(run_folder: Path) -> SQLite:
    """Databases as SQLite files."""
    return SQLite(run_folder)


@pytest.fixture(scope="session")
def postgresql_databases(run_folder: Path) -> Iterator[PostgreSQL]:
    """Databases on a real PostgreSQL; without one the tests are skipped here and fail where CI=true."""
    try:
        databases = PostgreSQL(run_folder)
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL cannot run on this machine: {error}")
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def share_app() -> Callable[[str, Databases], Flask]:
    """Return the application of this worker for a kind of database, made when first asked for."""
    made: dict[str, Flask] = {}

    def share(kind: str, databases: Databases) -> Flask:
        if kind not in made:
            placeholder = databases.create(migrated=False)
            made[kind] = make_app(placeholder)
            follow_setting(made[kind])
            databases.release(placeholder)
        return made[kind]

    return share


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, share_app: Callable[[str, Databases], Flask]) -> Iterator[Flask]:
    """The application on a fresh database of either kind: migrated, empty but for what migrations seed."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with fresh(share_app(request.param, databases), databases) as application:
        yield application


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of either kind without a single table."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.create(migrated=False)
    yield url
    databases.release(url)


@pytest.fixture
def app(database: Flask) -> Iterator[Flask]:
    """The application inside its context, so that services can be called at once."""
    with database.app_context():
        yield database


@pytest.fixture
def client(database: Flask) -> FlaskClient:
    """A client of the application: nobody is signed in."""
    return database.test_client()


@pytest.fixture
def sealer(database: Flask) -> Any:
    """What seals and opens bids."""
    return database.extensions["sealer"]


@pytest.fixture
def passwords(database: Flask) -> Any:
    """What hashes passwords, cheaply."""
    return database.extensions["passwords"]


@pytest.fixture
def now() -> datetime:
    """Friday, 20 November 2026, ten in the morning in Shanghai: a working day."""
    return datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, for tests marked ``browser``."""
    path = find_browser()
    if path is None:
        pytest.skip(NO_BROWSER)
    return path
