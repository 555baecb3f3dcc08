"""Steps a person can watch, one line each, and quiet commands that speak only when they fail."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from scripts.supervision import own_session, stop_group

ROOT = Path(__file__).resolve().parent.parent

#: Without a terminal a note is printed at most this often, so that a log stays readable.
SECONDS_BETWEEN_NOTES = 10.0


class StepFailed(Exception):
    """A step that cannot go on; the message says what to do, ``output`` is what the failed command said."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class Step:
    """One line of progress: ``note`` while it works, ``done`` with what came of it."""

    def __init__(self, title: str, stream: IO[str]) -> None:
        self.title = title
        self.stream = stream
        self.live = stream.isatty() and os.environ.get("CI") != "true"
        self.started = self.spoke = time.monotonic()
        self.text = ""
        self.outcome = "done"
        self.break_before = ""
        self._print(f"{title} ... ")

    def note(self, text: str | None = None) -> None:
        """Say what is happening now; without a text only the seconds are refreshed."""
        self.text = text if text is not None else self.text
        now = time.monotonic()
        if self.live:
            self._print(f"\r\x1b[K{self.title} ... {self.text} ({now - self.started:.0f} s)")
        elif self.text and now - self.spoke >= SECONDS_BETWEEN_NOTES:
            self.spoke, self.break_before = now, "\n      "
            self._print(f"{self.break_before}{self.text} ({now - self.started:.0f} s)")

    def done(self, outcome: str) -> None:
        """Set what the closing line of the step says."""
        self.outcome = outcome

    def close(self, outcome: str) -> None:
        seconds = time.monotonic() - self.started
        start = f"\r\x1b[K{self.title}: " if self.live else self.break_before
        self._print(f"{start}{outcome} ({seconds:.1f} s)\n")

    def _print(self, text: str) -> None:
        # A closed terminal must not stop the work.
        with suppress(OSError):
            self.stream.write(text)
            self.stream.flush()


@contextmanager
def step(title: str, stream: IO[str] | None = None) -> Iterator[Step]:
    """Show one step of work; the closing line says how it ended and how long it took."""
    current = Step(title, stream or sys.stdout)
    try:
        yield current
    except BaseException as error:
        current.close("stopped" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED")
        raise
    current.close(current.outcome)


def run(
    command: Sequence[str | Path],
    *,
    why: str,
    watch: Step | None = None,
    line: Callable[[str], None] | None = None,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command with its output kept back, and return that output.

    ``line`` sees every line as it comes; ``watch`` keeps its seconds moving meanwhile. The command gets a
    process group of its own, which is stopped if we are interrupted. Raises ``StepFailed`` with ``why`` and
    the output if the command fails or cannot be started.
    """
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **own_session(),
        )
    except OSError as error:
        raise StepFailed(f"{why} ({error})") from error
    try:
        output = _read(process, watch, line)
        code = process.wait()
    except BaseException:
        stop_group(process, patience=5.0)
        raise
    if code != 0:
        raise StepFailed(why, output)
    return output


def _read(process: subprocess.Popen[bytes], watch: Step | None, line: Callable[[str], None] | None) -> str:
    pipe = process.stdout
    assert pipe is not None
    chunks: list[bytes] = []
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            ready = selector.select(timeout=1.0)
            if ready:
                chunk = os.read(pipe.fileno(), 65536)
                if not chunk:
                    break
                chunks.append(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                if line is not None:
                    for each in lines:
                        line(each.decode(errors="replace"))
            if watch is not None:
                watch.note()
    pipe.close()
    return b"".join(chunks).decode(errors="replace")


def tail(output: str, lines: int = 25) -> str:
    """Return the last lines of an output, where a failure says why; of a traceback, what it ends in."""
    last = output.rstrip().splitlines()[-200:]
    for number in range(len(last) - 1, -1, -1):
        if last[number].startswith("Traceback (most recent call last)"):
            ends = [each for each in range(number + 1, len(last)) if not last[each].startswith(" ")]
            last = last[ends[0] :] if ends else last
            break
    return "\n".join(last[-lines:])
