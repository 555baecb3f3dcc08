"""./scripts/test: prepare what tests need, then lint, types and every test; the last line is pytest's own.

Arguments go to pytest, and then only the tests are run. Standard library only, like the launcher.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO

from scripts.installation import (
    PYTHON,
    alone,
    can_install_packages,
    install_system_packages,
    prepare,
)
from scripts.progress import ROOT, Step, StepFailed, run, step, tail
from scripts.supervision import own_session, stop_group

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MACOS_BROWSER = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
#: Debian's browser, and a font without which every Chinese character is an empty box.
DEBIAN_PACKAGES = ("chromium", "fonts-noto-cjk")

LINT = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
}
#: Two at a time, each with the half of the tests that follow each other: what a file sets up is set up once.
#: Who is done first takes over what the other has not begun.
TESTS = ["-n", "2", "--dist", "worksteal"]


def main(arguments: Sequence[str] = ()) -> int:
    """Return 0 if everything passed, 1 if anything did not, 130 if stopped."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with alone():
            prepare(ROOT / "tests" / "requirements.txt", of=5)
            with step("[5/5] Browser") as current:
                prepare_browser(current)
        if arguments:
            outcomes: dict[str, str] = {}
            started = time.monotonic()
            code, closing = run_tests(arguments)
            took = time.monotonic() - started
        else:
            # Types are checked beside the tests, which wait a part of their time for processes and databases.
            with beside([PYTHON, "-m", "mypy"]) as types:
                outcomes = check_sources()
                started = time.monotonic()
                code, closing = run_tests(TESTS)
                took = time.monotonic() - started
                print()
                outcomes["mypy"] = check("mypy", types)
    except StepFailed as failure:
        print(f"\n{tail(failure.output)}\n\n{failure}".strip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    outcomes["tests"] = "passed" if code == 0 else f"FAILED (exit code {code})"
    print(f"\n{summary(outcomes)} · tests took {took:.0f} s")
    print(closing, flush=True)
    return 0 if all(outcome == "passed" for outcome in outcomes.values()) else 1


def prepare_browser(current: Step) -> None:
    """See to a Chromium and a Chinese font; without them the browser tests skip themselves by name."""
    if find_browser() and has_chinese_font():
        current.done("up to date")
        return
    if not can_install_packages():
        current.done(
            "no Chromium or no Chinese font: browser tests will be SKIPPED (Debian: run once as root)"
        )
        return
    try:
        install_system_packages(current, DEBIAN_PACKAGES)
        current.done(f"installed {' and '.join(DEBIAN_PACKAGES)}")
    except StepFailed as failure:
        print(f"\n{tail(failure.output, 8)}", file=sys.stderr)
        current.done(f"browser tests will be SKIPPED: {failure}")


def find_browser() -> str | None:
    """Return the path of a Chromium: the one named in ``CHROMIUM``, else one on the path, else None."""
    candidates = [os.environ.get("CHROMIUM") or "", *BROWSERS, MACOS_BROWSER]
    return next((found for name in candidates if name and (found := shutil.which(name))), None)


def has_chinese_font() -> bool:
    """Say whether pages can show Chinese; where nothing can tell, assume it (macOS brings such fonts)."""
    if shutil.which("fc-list") is None:
        return not can_install_packages()
    found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False)
    return bool(found.stdout.strip())


def check_sources() -> dict[str, str]:
    """Run lint; return what each part of it said in one word."""

    def work(current: Step) -> object:
        return run([PYTHON, "-m", *LINT[current.title]], why="It found faults.", watch=current)

    return {name: check(name, work) for name in LINT}


def check(name: str, work: Callable[[Step], object]) -> str:
    """Show a check as a step; return what it said in one word, its findings printed where there are any."""
    try:
        with step(name) as current:
            work(current)
            current.done("passed")
    except StepFailed as failure:
        print(tail(failure.output, 200))
        return "FAILED"
    return "passed"


@contextmanager
def beside(command: Sequence[str | Path]) -> Iterator[Callable[[Step], object]]:
    """Run a command meanwhile; yield what waits for its end. It does not outlive the block.

    The wait raises ``StepFailed`` with the output if the command found faults.
    """
    with TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **own_session(),
        )

        def finish(current: Step) -> None:
            if process.wait():
                output.seek(0)
                raise StepFailed("It found faults.", output.read().decode(errors="replace"))

        try:
            yield finish
        finally:
            stop_group(process)


def run_tests(arguments: Sequence[str]) -> tuple[int, str]:
    """Run pytest, passing its output on as it comes; return its exit code and its closing line, kept back."""
    colour = ["--color=yes"] if sys.stdout.isatty() and os.environ.get("CI") != "true" else []
    process = subprocess.Popen(
        [PYTHON, "-m", "pytest", *colour, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        **own_session(),
    )
    try:
        pipe = process.stdout
        assert pipe is not None
        sys.stdout.flush()
        closing = pass_on(lambda: os.read(pipe.fileno(), 65536), sys.stdout.buffer)
        return process.wait(), closing
    except BaseException:
        stop_group(process)
        raise


def pass_on(read: Callable[[], bytes], target: IO[bytes]) -> str:
    """Copy what is read, as it comes, except for its last line, which is returned.

    A line that begins like pytest's closing line is held until the next one shows that it was not the last;
    dots are passed on one by one.
    """
    held = b""
    while chunk := read():
        held += chunk
        *complete, rest = held.split(b"\n")
        if complete and not rest:
            rest = complete.pop() + b"\n"
        text = b"".join(line + b"\n" for line in complete)
        if rest[:1] in b"=\x1b0123456789" or rest.endswith(b"\n"):
            held = rest
        else:
            text, held = text + rest, b""
        target.write(text)
        target.flush()
    return held.decode(errors="replace").strip("\n")


def summary(outcomes: dict[str, str]) -> str:
    """Return one line that says how each check went."""
    return " · ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
