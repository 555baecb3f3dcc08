"""Children are revived, given up when they are broken, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import supervision
from scripts.supervision import Child, own_session, stop_group, supervise

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0


def alive(pid: int) -> bool:
    """Say whether a process exists and is more than a record of its death."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not state.stdout.strip().startswith("Z")


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


SLEEP = python("import time; time.sleep(60)")


def test_a_killed_child_is_started_again_with_a_message() -> None:
    child = Child("web server", SLEEP)
    said: list[str] = []
    pids: list[int] = []

    def beat() -> None:
        assert child.process is not None
        if child.process.pid not in pids:
            pids.append(child.process.pid)
            if len(pids) == 1:
                os.kill(child.process.pid, signal.SIGKILL)

    assert supervise([child], stopping=lambda: len(pids) == 2, say=said.append, beat=beat, pause=0.05)
    assert said == ["The web server stopped by itself (signal SIGKILL); starting it again."]
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_keeps_dying_is_given_up_and_the_others_are_stopped() -> None:
    broken, healthy = Child("clock", python("raise SystemExit(3)")), Child("web server", SLEEP)
    said: list[str] = []
    assert not supervise([broken, healthy], stopping=lambda: False, say=said.append, pause=0.05)
    assert len(said) == supervision.MOST_QUICK_DEATHS
    assert said[-1] == "The clock stopped 5 times soon after its start (exit code 3); giving up."
    assert healthy.process is not None
    assert not alive(healthy.process.pid)


def test_a_death_after_a_long_life_is_not_held_against_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "QUICK_SECONDS", 0.0)
    child = Child("clock", python("pass"))
    said: list[str] = []
    assert supervise([child], stopping=lambda: len(said) > 7, say=said.append, pause=0.02)


def test_stopping_reaches_the_children_of_a_child(tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    code = (
        "import subprocess, sys, time; child = subprocess.Popen(['sleep', '60']);"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(60)"
    )
    process = subprocess.Popen([*python(code), str(note)], **own_session())
    assert until(lambda: note.exists() and note.read_text() != "")
    stop_group(process)
    assert until(lambda: not alive(int(note.read_text())))


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(python(code), stdout=subprocess.PIPE, **own_session())
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    stop_group(process, patience=0.2)
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_child_does_not_outlive_a_killed_parent() -> None:
    code = (
        "import subprocess, time; from scripts.supervision import own_session;"
        "print(subprocess.Popen(['sleep', '60'], **own_session()).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(python(code), cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until(lambda: not alive(child))
