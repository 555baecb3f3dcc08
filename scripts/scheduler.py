"""The one clock of the market: a process of its own that asks, every few seconds, for the work that is due.

It holds no rule and no memory: what is due follows from the stored state, so that the next tick repairs a
missed one. Several may be started on one database; one leads and the others stand by until it is gone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

import services.clock
import services.outages
from blueprints import clock
from models.base import db
from models.zone import Zone
from wsgi import create_app

DEFAULT_SECONDS = 5.0
#: The PostgreSQL advisory lock of the leading clock: any number that nothing else in this database uses.
LOCK_NUMBER = 0x43554F4845

log = structlog.get_logger("cuohe.clock")


def main() -> int:
    """Tick until SIGTERM or Ctrl-C; a tick in work is finished first. Returns the exit code."""
    configure_log()
    try:
        seconds = read_seconds(os.environ.get("CUOHE_TICK_SECONDS", ""))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    app = create_app()
    leadership = Leadership(app.config["SQLALCHEMY_DATABASE_URI"])
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        # Only noted: raising here could cut the start or a running tick short.
        stopping.set()

    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        lambda: tick(app, leadership.held),
        "interval",
        seconds=seconds,
        # The first tick comes at once: it repairs what a stopped clock left behind.
        next_run_time=datetime.now(UTC),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("clock started", seconds=seconds)
    try:
        scheduler.start()
        stopping.wait()
        scheduler.shutdown(wait=True)
    finally:
        leadership.release()
    log.info("clock stopped")
    return 0


def tick(app: Flask, leading: Callable[[], bool] = lambda: True) -> None:
    """Do what is due in every zone; a fault in one is logged and stops neither the others nor the clock."""
    try:
        if not leading():
            return
        with app.app_context():
            zone_ids = list(db.session.scalars(select(Zone.id).order_by(Zone.id)))
    except Exception:
        log.exception("tick failed")
        return
    for zone_id in zone_ids:
        try:
            # A context of its own gives each zone a session of its own, thrown away with its faults.
            with app.app_context():
                zone = db.session.get_one(Zone, zone_id)
                now = clock.read(zone)
                # First of all: what fell due while the clock stood still is not due before it was moved.
                services.outages.beat(zone_id, now=now)
                services.clock.run_due(zone_id, now=now, sealer=app.extensions["sealer"])
        except Exception:
            log.exception("tick failed", zone_id=zone_id)


def read_seconds(value: str) -> float:
    """Return the seconds between two ticks; raises ``ValueError`` naming a setting that is no such number."""
    try:
        seconds = float(value or DEFAULT_SECONDS)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise ValueError(f"CUOHE_TICK_SECONDS must be a number of seconds from 0.1 to 3600, not {value!r}.")
    return seconds


class Leadership:
    """The right to be the clock of one database: a lock file for SQLite, an advisory lock in PostgreSQL.

    Both vanish with the process that holds them, even if it is killed, so that another may take over at its
    next tick. A database in memory has nobody to share it with.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._file: IO[str] | None = None
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Take the lead if it is free; say whether it is ours."""
        if self._url.get_backend_name() == "sqlite":
            return self._lock_file()
        return self._lock_database()

    def release(self) -> None:
        """Give the lead back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lock_file(self) -> bool:
        if self._file is not None or self._url.database in (None, "", ":memory:"):
            return True
        path = Path(f"{self._url.database}.clock")
        file = path.open("w", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _lock_database(self) -> bool:
        try:
            if self._connection is not None:
                # The lock lasts as long as the connection it was taken on: ask whether that still lives.
                self._connection.execute(text("SELECT 1"))
                return True
            engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            connection = engine.connect()
            if connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": LOCK_NUMBER}).scalar_one():
                self._connection = connection
                return True
            connection.close()
            return False
        except SQLAlchemyError:
            if self._connection is not None:
                self._connection.invalidate()
                self._connection.close()
                self._connection = None
            raise


def configure_log() -> None:
    """Write one JSON object per line to stderr, Chinese as Chinese."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper(), logging.WARNING)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The library's own remarks (a tick skipped while the last one still works) are no concern of an operator.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main())
