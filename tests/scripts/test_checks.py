"""./scripts/test: passes pytest's words on and keeps its closing line for last."""

from __future__ import annotations

import io
import sys
import time

import pytest

from scripts.checks import beside, check, pass_on, summary
from scripts.progress import StepFailed, step


@pytest.mark.parametrize(
    ("output", "passed_on", "closing"),
    [
        (b"one\n=== 3 passed ===\n", b"one\n", "=== 3 passed ==="),
        ("撮合\n...\n3 passed in 1s\n".encode(), "撮合\n...\n".encode(), "3 passed in 1s"),
        (b"\n", b"", ""),
        (b"", b"", ""),
        (b"a\n\n\x1b[32m== 1 passed ==\x1b[0m", b"a\n\n", "\x1b[32m== 1 passed ==\x1b[0m"),
    ],
)
def test_everything_but_the_closing_line_is_passed_on(output: bytes, passed_on: bytes, closing: str) -> None:
    # However the output is cut into pieces, the result is the same.
    for size in (1, 7, 65536):
        pieces = [output[start : start + size] for start in range(0, len(output), size)]
        target = io.BytesIO()
        assert pass_on(iter([*pieces, b""]).__next__, target) == closing
        assert target.getvalue() == passed_on


def test_the_summary_names_every_check() -> None:
    assert summary({"mypy": "FAILED", "tests": "passed"}) == "mypy: FAILED · tests: passed"


def test_what_runs_beside_the_tests_is_heard_and_does_not_outlive_them() -> None:
    with beside([sys.executable, "-c", "pass"]) as quiet:
        assert check("quiet", quiet) == "passed"
    with beside([sys.executable, "-c", "print('a fault'); raise SystemExit(1)"]) as loud:
        with pytest.raises(StepFailed) as failure, step("loud") as current:
            loud(current)
        assert failure.value.output == "a fault\n"
        assert check("loud", loud) == "FAILED"
    started = time.monotonic()
    with beside([sys.executable, "-c", "import time; time.sleep(60)"]):
        pass
    assert time.monotonic() - started < 30
