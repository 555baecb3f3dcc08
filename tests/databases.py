"""Databases for the tests, of both kinds: copies of a template that is migrated once per run."""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event
from sqlalchemy.engine import make_url

from models.base import db
from tests import postgres
from wsgi import create_app

URL = "SQLALCHEMY_DATABASE_URI"
#: Bytes that the databases of a run may take at once, with the logs of the server, before memory is chosen.
ROOM = 3 * 2**30


def make_app(url: str, **settings: Any) -> Flask:
    """Return a new application on a database, with cheap passwords and errors that surface."""
    app = create_app({"TESTING": True, "PASSWORD_PROFILE": "cheap", URL: url, **settings})
    # Templates are compiled once per run, not by every application anew.
    if folder := os.environ.get("CUOHE_TEST_FOLDER"):
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(folder)
    return app


@functools.cache
def _make_migrator(kind: str) -> Flask:
    app = make_app(f"{kind}://")
    follow_setting(app)
    return app


def migrate(url: str, revision: str = "head") -> None:
    """Bring a database to a migration; ``base`` undoes all of them, ``-1`` the last."""
    app = _make_migrator(make_url(url).drivername)
    app.config[URL] = url
    with app.app_context():
        if revision in {"base", "-1"}:
            flask_migrate.downgrade(revision=revision)
        else:
            flask_migrate.upgrade(revision=revision)
        db.engine.dispose()


def choose_place() -> str | None:
    """Return where the folder of a run is made: in memory if there is room, else where files usually go."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        # A server brought along is started from there.
        if room.f_bavail * room.f_frsize > ROOM and not room.f_flag & os.ST_NOEXEC:
            return str(memory)
    return "/tmp" if os.geteuid() == 0 else None


class SQLite:
    """SQLite files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._template = folder / "template.db"
        once(folder / "template.done", lambda: migrate(f"sqlite:///{self._template}"))

    def create(self, migrated: bool = True) -> str:
        """Return the URL of a fresh database, migrated or without a single table."""
        file = self._folder / f"{os.getpid()}-{next(self._numbers)}.db"
        if migrated:
            shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"

    def release(self, url: str) -> None:
        """Give a database back."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{make_url(url).database}{ending}").unlink(missing_ok=True)

    def close(self) -> None:
        """Forget what is left; the folder goes with the run."""


class PostgreSQL:
    """Databases on one PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        server = postgres.url(folder)
        self._server = make_url(server).set(drivername="postgresql+psycopg")
        self._admin = psycopg.connect(server, autocommit=True)
        # Copying files costs a third of writing every page to the log too, which is PostgreSQL's own choice.
        self._strategy = " STRATEGY FILE_COPY" if self._admin.info.server_version >= 150_000 else ""
        self._numbers = itertools.count(1)
        self._used: list[str] = []
        # On a server that others use too, the names of this run are its own.
        self._run = folder.name.replace("-", "_").lower()
        once(folder / "postgres-template.done", self._make_template)

    def create(self, migrated: bool = True) -> str:
        """Return the URL of a fresh database, migrated or without a single table."""
        self._drop_used()
        name = f"{self._run}_{os.getpid()}_{next(self._numbers)}"
        template = f"{self._run}_template" if migrated else "template0"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}{self._strategy}")
        return self._url(name)

    def release(self, url: str) -> None:
        """Give a database back."""
        # It is dropped when the next one is made: dropping waits a tenth of a second for connections that are
        # just going away, and by then they are gone.
        self._used.append(str(make_url(url).database))

    def close(self) -> None:
        """Drop what is left, but for the template: other workers may still need it."""
        self._drop_used()
        self._admin.close()

    def _make_template(self) -> None:
        self._admin.execute(f"CREATE DATABASE {self._run}_template TEMPLATE template0")
        migrate(self._url(f"{self._run}_template"))

    def _drop_used(self) -> None:
        while self._used:
            self._admin.execute(f"DROP DATABASE {self._used.pop()} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)


Databases = SQLite | PostgreSQL


def once(mark: Path, work: Callable[[], object]) -> None:
    """Do something once per run: the first worker does it, the others wait for it."""
    with open(mark.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            work()
            mark.touch()


def follow_setting(app: Flask) -> None:
    """Let an application connect wherever its setting says at the moment, so that tests can share it.

    Building an application takes longer than most tests; copying a database does not.
    """

    def redirect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        fresh = dialect.create_connect_args(make_url(app.config[URL]))
        arguments[:] = fresh[0]
        options.update(fresh[1])

    with app.app_context():
        event.listen(db.engine, "do_connect", redirect)


@contextmanager
def fresh(app: Flask, databases: Databases) -> Iterator[Flask]:
    """Put a shared application on a fresh database for the length of one test."""
    settings = dict(app.config)
    url = app.config[URL] = databases.create()
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        app.config.clear()
        app.config.update(settings)
        databases.release(url)
