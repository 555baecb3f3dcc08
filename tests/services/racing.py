"""Races between real processes: each does its deed at the same moment as the others.

``run`` starts one process, which loads the house once and then forks a runner per deed; a runner connects to
the database, waits for the word and begins. Run as a program, this module is that process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60

#: A deed: a verb with all its arguments, as ``functools.partial``.
Deed = Callable[[], object]


def run(url: str, deeds: Sequence[Deed]) -> list[str]:
    """Do all deeds at once; return, in their order, ``done``, the code of a refusal, or an error's text."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.services.racing"],
        cwd=ROOT,
        input=pickle.dumps((url, list(deeds))),
        stdout=subprocess.PIPE,
        timeout=SECONDS,
        check=True,
    )
    outcomes: list[str] = pickle.loads(finished.stdout)
    return outcomes


def main() -> None:
    from flask import Flask

    from models.base import db

    url, deeds = pickle.load(sys.stdin.buffer)
    app = Flask("race")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    word_out, word_in = os.pipe()
    ready_out, ready_in = os.pipe()
    results: list[int] = []
    for deed in deeds:
        result_out, result_in = os.pipe()
        if os.fork() == 0:
            os.close(word_in)
            with app.app_context():
                db.session.connection()
                db.session.rollback()
                os.write(ready_in, b".")
                # The word is given by closing the pipe: that wakes all at once.
                os.read(word_out, 1)
                os.write(result_in, try_out(deed).encode())
            os._exit(0)
        os.close(result_in)
        results.append(result_out)
    for _ in deeds:
        os.read(ready_out, 1)
    os.close(word_in)
    outcomes = [read_all(result) for result in results]
    sys.stdout.buffer.write(pickle.dumps(outcomes))


def try_out(deed: Deed) -> str:
    from market.errors import MarketError

    try:
        deed()
    except MarketError as refusal:
        return refusal.faults[0].code.value
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def read_all(pipe: int) -> str:
    parts: list[bytes] = []
    while part := os.read(pipe, 65536):
        parts.append(part)
    return b"".join(parts).decode()


def do_all(deeds: Sequence[Deed]) -> Any:
    """One runner's deed that is several in a row; a refusal does not hold up the next."""
    for deed in deeds:
        outcome = try_out(deed)
        if outcome not in {"done", "too_late"}:
            raise RuntimeError(outcome)


if __name__ == "__main__":
    main()
