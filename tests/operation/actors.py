"""Actors: real processes that each do one deed and can be struck, by SIGKILL or SIGSTOP, at a marked point.

``Actors`` starts one process, which loads the house once and forks an actor for each deed. An actor opens its
own connections, hooks the mark into itself alone and begins. Run as a program, this module is that process.
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session

from models.base import db
from tests.databases import URL, follow_setting
from tests.services.racing import try_out

ROOT = Path(__file__).resolve().parents[2]

#: A deed: a verb with all its arguments, as ``functools.partial``.
Deed = Callable[[], object]

#: What the house loads when it first solves.
SOLVERS = ("ortools.sat.python.cp_model", "ortools.linear_solver.pywraplp")

KILLED, STOPPED, DONE = "killed", "stopped", "done"


class When(Enum):
    """Where at a mark the blow falls."""

    #: Just after the statement, its transaction still open.
    WRITTEN = auto()
    #: All of the statement's transaction is written, nothing of it committed.
    COMMITTING = auto()
    #: The statement's transaction is committed; nobody has been told.
    COMMITTED = auto()
    #: On the way into, or out of, the function that ``what`` names.
    CALLED = auto()
    RETURNED = auto()


@dataclass(frozen=True, slots=True)
class Mark:
    """A point in a deed: a statement that begins with ``what`` and carries ``value``, or a function."""

    name: str
    when: When
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What one actor is to do; ``skew`` shifts the clock of its host, as its Python reads it."""

    url: str
    deed: Deed
    mark: Mark | None
    blow: signal.Signals
    skew: timedelta


class Actors:
    """The process that forks actors; one at a time answers, several may be on their way."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.operation.actors"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, url: str, deed: Deed, mark: Mark | None = None, **values: Any) -> str:
        """Let an actor do a deed; return how it ended: ``done``, ``killed``, a refusal or an error."""
        return self.wait(self.start(url, deed, mark, **values))

    def start(
        self,
        url: str,
        deed: Deed,
        mark: Mark | None = None,
        *,
        blow: signal.Signals = signal.SIGKILL,
        skew: timedelta = timedelta(0),
    ) -> int:
        """Start an actor and return its process number."""
        return int(self._ask("start", Order(url, deed, mark, blow, skew)))

    def wait(self, pid: int) -> str:
        """Wait until an actor has ended, or stands still."""
        return str(self._ask("wait", pid))

    def resume(self, pid: int) -> str:
        """Let an actor that stands still go on, and wait for its end."""
        os.kill(pid, signal.SIGCONT)
        return self.wait(pid)

    def rehearse(self, url: str, deed: Deed) -> str:
        """Let the process itself do a deed, undisturbed: actors after it need not learn the same anew."""
        return str(self._ask("rehearse", Order(url, deed, None, signal.SIGKILL, timedelta(0))))

    def close(self) -> None:
        """Let the process go."""
        self._process.communicate(timeout=30)

    def _ask(self, what: str, value: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        pickle.dump((what, value), self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)


def main() -> None:
    # What a deed needs is loaded before the first fork, so that actors begin at once.
    for name in ("scripts.scheduler", *SOLVERS):
        importlib.import_module(name)
    apps: dict[str, Flask] = {}
    results: dict[int, int] = {}
    with suppress(EOFError):
        while True:
            what, value = pickle.load(sys.stdin.buffer)
            answer: object
            if what == "wait":
                answer = watch(value, results)
            else:
                app = lead(apps, value.url)
                if what == "rehearse":
                    answer = rehearse(app, value.deed)
                else:
                    answer, results = start(app, value, results)
            pickle.dump(answer, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def lead(apps: dict[str, Flask], url: str) -> Flask:
    """Return the application for a kind of database, on the one asked for."""
    kind = make_url(url).get_backend_name()
    if kind not in apps:
        apps[kind] = Flask("actors")
        apps[kind].config[URL] = url
        db.init_app(apps[kind])
        follow_setting(apps[kind])
    apps[kind].config[URL] = url
    return apps[kind]


def rehearse(app: Flask, deed: Deed) -> str:
    with app.app_context():
        outcome = try_out(deed)
        db.session.remove()
        # No connection is open at a fork.
        db.engine.dispose()
    return outcome


def start(app: Flask, order: Order, results: dict[int, int]) -> tuple[int, dict[int, int]]:
    result_out, result_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        act(app, order, result_in)
    os.close(result_in)
    return pid, {**results, pid: result_out}


def watch(pid: int, results: dict[int, int]) -> str:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return STOPPED
    with os.fdopen(results.pop(pid), "rb") as result:
        told = result.read().decode()
    if os.WIFSIGNALED(status):
        # Whoever was struck down got no further than the mark.
        return KILLED if os.WTERMSIG(status) == signal.SIGKILL and not told else f"signal {status}: {told}"
    return told


def act(app: Flask, order: Order, result: int) -> None:
    """Do a deed and write how it ended; never returns."""
    try:
        if order.mark is not None:
            install(order.mark, order.blow)
        if order.skew:
            time_machine.travel(datetime.now(UTC) + order.skew, tick=True).start()
        with app.app_context():
            os.write(result, try_out(order.deed).encode())
    finally:
        os._exit(0)


def install(mark: Mark, blow: signal.Signals) -> None:
    """Hook a mark into this process: the first time it is reached, the blow falls."""
    struck: list[Mark] = []
    met: list[str] = []

    def strike() -> None:
        if not struck:
            struck.append(mark)
            os.kill(os.getpid(), blow)

    if mark.when in (When.CALLED, When.RETURNED):
        module, _, name = mark.what.rpartition(".")
        real = getattr(importlib.import_module(module), name)

        def wrapped(*arguments: Any, **values: Any) -> Any:
            if mark.when is When.CALLED:
                strike()
            returned = real(*arguments, **values)
            if mark.when is When.RETURNED:
                strike()
            return returned

        setattr(importlib.import_module(module), name, wrapped)
        return

    @event.listens_for(Engine, "after_cursor_execute")
    def note(*arguments: Any) -> None:
        statement, values = arguments[2:4]
        if statement.startswith(mark.what) and mark.value in str(values):
            if mark.when is When.WRITTEN:
                strike()
            met.append(statement)

    @event.listens_for(Engine, "commit")
    def commit(_connection: Any) -> None:
        if met and mark.when is When.COMMITTING:
            strike()

    @event.listens_for(Session, "after_commit")
    def committed(_session: Any) -> None:
        if met and mark.when is When.COMMITTED:
            strike()


if __name__ == "__main__":
    # The module under its own name: what is sent to it was made of that one's classes.
    importlib.import_module("tests.operation.actors").main()
