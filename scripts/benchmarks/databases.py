"""Databases for measurements: migrated SQLite files, and a PostgreSQL that lives as long as the measurement.

The server is the one in ``TEST_DATABASE_URL``, else the one that the tests start: nothing of it is durable,
which makes whoever inserts a bare row faster still.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
from flask import Flask
from sqlalchemy.engine import make_url

from models.base import db
from scripts.progress import ROOT
from scripts.supervision import own_session, stop_group
from wsgi import create_app

SECONDS_TO_START = 60.0
DRIVER = "postgresql+psycopg"


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL for new databases; stop it at the end if it was started here."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given.replace("postgres://", "postgresql://", 1)
        return
    # The server runs under another account where we are root; it passes through to its own folder inside.
    folder = Path(tempfile.mkdtemp(prefix="cuohe-bench-", dir="/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o711)
    home = folder / "postgres"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.postgres", str(home), str(os.getpid())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **own_session(),
    )
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not (home / "ready").exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        yield f"postgresql://cuohe@/postgres?host={home}"
    finally:
        stop_group(process)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """Yield the URL of a fresh database without a table, and drop it at the end."""
    name = f"cuohe_bench_{name}_{os.getpid()}"
    url = make_url(server_url).set(drivername=DRIVER, database=name)
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield url.render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def make_app(url: str) -> Flask:
    """Return the application on a database that is migrated first."""
    secrets: dict[str, Any] = {"SECRET_KEY": SECRETS["SECRET_KEY"]}
    secrets["SEALING_SECRET"] = bytes.fromhex(SECRETS["SEALING_SECRET"])
    app = create_app({"SQLALCHEMY_DATABASE_URI": url, **secrets})
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    return app


#: What whoever works on a measurement's database is given; it seals nothing that lasts.
SECRETS = {"SECRET_KEY": "measurements only", "SEALING_SECRET": "b1" * 32}
