"""./scripts/run: says clearly why it cannot start, and stops what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.launcher import check_free, read_address
from scripts.progress import StepFailed, run, step, tail

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "80a", "8000 ", "٨٠٠٠", "1e3"])
def test_a_port_that_is_none_is_named(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(StepFailed, match="PORT must be a whole number from 1 to 65535") as failure:
        read_address()
    assert repr(port) in str(failure.value)


def test_the_port_is_8000_unless_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("PORT", "")
    assert read_address() == ("127.0.0.1", 8000)
    monkeypatch.setenv("PORT", "8123")
    assert read_address() == ("127.0.0.1", 8123)


def test_a_taken_port_is_named_and_another_one_proposed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StepFailed, match=rf"Port {port} on 127\.0\.0\.1 cannot be used.*PORT={port + 1}"):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)


def test_a_taken_port_ends_the_launcher_at_once_with_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "scripts.launcher"],
            cwd=ROOT,
            env={**os.environ, "PORT": port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_launcher_and_its_children_even_in_the_background(
    number: signal.Signals, tmp_path: Path
) -> None:
    # The children are stand-ins; the loop and the signals are the real ones. A background shell starts
    # it with Ctrl-C ignored, which is what the second line does.
    fake = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from scripts import launcher, supervision
launcher.prepare = lambda *a, **k: None
launcher.prepare_market = lambda: "demo / demo"
launcher.answers = lambda host, port: True
real = supervision.Child.start
def start(self):
    sleep = "import os, sys, time; open(sys.argv[1] + str(os.getpid()), 'w').close(); time.sleep(60)"
    self.command = [sys.executable, "-c", sleep, {str(tmp_path) + "/"!r}]
    real(self)
supervision.Child.start = start
sys.exit(launcher.main())
"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-c", fake],
        cwd=ROOT,
        env={**os.environ, "PORT": port},
        stdout=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    children = [int(path.name) for path in tmp_path.iterdir()]
    assert len(children) == 2
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/" in output
    assert "demo / demo" in output
    assert output.endswith("Stopped.\n")
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_quiet_command_speaks_only_when_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with step("Packages") as current:
        run([sys.executable, "-c", "print('chatter')"], why="never", watch=current)
        current.done("3 installed")
    assert capsys.readouterr().out.startswith("Packages ... 3 installed (")
    with pytest.raises(StepFailed, match="it broke") as failure, step("Packages"):
        run([sys.executable, "-c", "print('the reason'); raise SystemExit(1)"], why="it broke")
    assert failure.value.output == "the reason\n"
    assert "Packages ... FAILED (" in capsys.readouterr().out


def test_of_a_traceback_the_reason_is_shown() -> None:
    output = (
        "INFO starting\nTraceback (most recent call last):\n  File 'a', line 1\nKeyError: 1\n\n"
        "During handling\n\nTraceback (most recent call last):\n  File 'b', line 2\n    connect()\n"
        "OperationalError: connection refused\n\tIs the server running?\n"
    )
    assert tail(output) == "OperationalError: connection refused\n\tIs the server running?"
    assert tail("one\ntwo\nthree\n", lines=2) == "two\nthree"
