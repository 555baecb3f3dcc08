"""Children: started in sessions of their own, watched, revived, and stopped with all they started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: A child that dies this soon after its start is broken rather than unlucky.
QUICK_SECONDS = 10.0
#: So many quick deaths in a row, and starting again is no help.
MOST_QUICK_DEATHS = 5
#: How long the children may take to finish what they are doing when all is to stop.
PATIENCE_SECONDS = 15.0

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def own_session() -> dict[str, Any]:
    """Return the ``Popen`` arguments that give a child a session of its own and tie its life to ours.

    A session of its own keeps the terminal's Ctrl-C away from it, so that we alone decide the order of
    stopping, and lets us stop everything it starts. If we are killed outright, Linux sends it SIGTERM; other
    systems offer nothing of the kind, so there it stays until it is stopped by hand.
    """
    if _LIBC is None:
        return {"start_new_session": True}
    libc, parent = _LIBC, os.getpid()

    def tie_to_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # We may have died between the fork and the line above.
        if os.getppid() != parent:
            os._exit(1)

    return {"start_new_session": True, "preexec_fn": tie_to_parent}


def stop_group(process: subprocess.Popen[Any], patience: float = PATIENCE_SECONDS) -> None:
    """Stop a child and all of its group: SIGTERM first, SIGKILL for what outlasts ``patience`` seconds."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    # The leader may be gone while its children are not; the group keeps its number while one of them lives.
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@dataclass
class Child:
    """A process to keep alive: its name for the messages, its command, and how it has fared."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            list(self.command),
            cwd=self.cwd,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            **own_session(),
        )
        self.started = time.monotonic()

    def death(self) -> str | None:
        """Say how the child died, or return None while it lives."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        if code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
        return f"signal {-code}"


def supervise(
    children: Sequence[Child],
    *,
    stopping: Callable[[], bool],
    say: Callable[[str], None],
    beat: Callable[[], None] = lambda: None,
    pause: float = 0.2,
) -> bool:
    """Keep the children alive until ``stopping()``; return False if one could not be kept alive.

    A child that dies is started again, with a message, after a pause that grows with each quick death; after
    ``MOST_QUICK_DEATHS`` quick deaths in a row all is given up. ``beat`` is called on every turn. Whatever
    happens, no child is left when this returns.
    """
    try:
        for child in children:
            child.start()
        while not stopping():
            beat()
            for child in children:
                if (death := child.death()) is not None and not _revive(child, death, stopping, say):
                    return stopping()
            time.sleep(pause)
        return True
    finally:
        _stop_all(children)


def _revive(child: Child, death: str, stopping: Callable[[], bool], say: Callable[[str], None]) -> bool:
    assert child.process is not None
    # What the dead child started may still hold its port or its locks.
    stop_group(child.process, patience=0.0)
    quick = time.monotonic() - child.started < QUICK_SECONDS
    child.quick_deaths = child.quick_deaths + 1 if quick else 0
    if child.quick_deaths >= MOST_QUICK_DEATHS:
        say(f"The {child.name} stopped {child.quick_deaths} times soon after its start ({death}); giving up.")
        return False
    say(f"The {child.name} stopped by itself ({death}); starting it again.")
    until = time.monotonic() + 0.5 * child.quick_deaths
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)
    if stopping():
        return False
    child.start()
    return True


def _stop_all(children: Sequence[Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    # All are told before any is waited for, so that they finish side by side.
    for process in running:
        if process.poll() is None:
            _signal_group(process, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_SECONDS
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, until - time.monotonic()))
        stop_group(process, patience=0.0)
