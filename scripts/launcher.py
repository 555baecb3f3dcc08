"""./scripts/run: prepare what is missing, then keep the web server and the clock alive until Ctrl-C.

``PORT`` (8000) and ``HOST`` (127.0.0.1) say where to listen, ``DATABASE_URL`` where the data is. Standard
library only: the launcher itself runs on the Python that was found, its children on the one in ``.venv``.
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from scripts.installation import PYTHON, alone, prepare
from scripts.progress import ROOT, StepFailed, tail
from scripts.supervision import Child, own_session, stop_group, supervise

STEPS = 6
#: A first page may take long on a slow machine; no answer after this is a fault.
SECONDS_TO_ANSWER = 90.0


def main() -> int:
    """Run until told to stop; return 0, or 1 if it could not go on, or 130 if stopped while preparing."""
    started = time.monotonic()
    # A background shell starts us with Ctrl-C ignored, and our children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        host, port = read_address()
        check_free(host, port)
        with alone():
            prepare(ROOT / "requirements.txt", of=STEPS)
            logins = prepare_market()
        check_free(host, port)
        return serve(host, port, logins, started)
    except StepFailed as failure:
        if failure.output:
            print(f"\n{tail(failure.output)}\n", file=sys.stderr)
        print(f"{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped while preparing; the next start goes on from here.", file=sys.stderr)
        return 130


def read_address() -> tuple[str, int]:
    """Return the host and port to listen on; raises ``StepFailed`` naming a ``PORT`` that is none."""
    host = os.environ.get("HOST") or "127.0.0.1"
    text = os.environ.get("PORT") or "8000"
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise StepFailed(f"PORT must be a whole number from 1 to 65535, not {text!r}.")
    return host, int(text)


def check_free(host: str, port: int) -> None:
    """Raise ``StepFailed`` naming the port if we could not listen there."""
    try:
        with socket.create_server((host, port)):
            pass
    except PermissionError as error:
        raise StepFailed(
            f"This user may not listen on port {port}. Choose one above 1023: PORT=8000 ./scripts/run"
        ) from error
    except OSError as error:
        other = port + 1 if port < 65535 else 8000
        reason = (
            "something else listens there" if error.errno == errno.EADDRINUSE else error.strerror or error
        )
        raise StepFailed(
            f"Port {port} on {host} cannot be used: {reason}. "
            f"Stop what is running there, or choose another: PORT={other} ./scripts/run"
        ) from error


def prepare_market() -> str:
    """Bring the database up to date and fill an empty one; return the logins if it is the demo market."""
    # Steps 5 and 6 print their own lines: the database is known to the Python of .venv only.
    with tempfile.TemporaryDirectory() as folder:
        logins = Path(folder) / "logins"
        process = subprocess.Popen(
            [PYTHON, "-m", "scripts.preparation", logins], cwd=ROOT, stdin=subprocess.DEVNULL, **own_session()
        )
        try:
            code = process.wait()
        except BaseException:
            stop_group(process, patience=5.0)
            raise
        if code != 0:
            raise StepFailed("The market could not be prepared; the reason stands above.")
        return logins.read_text(encoding="utf-8").strip()


def serve(host: str, port: int, logins: str, started: float) -> int:
    """Keep both processes alive until a signal; return the exit code."""
    stopping = False
    ready = False
    begun = time.monotonic()

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def welcome() -> None:
        nonlocal ready
        if ready:
            return
        if answers(host, port):
            ready = True
            shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
            seconds = time.monotonic() - started
            print(f"\nCuohe is open at http://{shown}:{port}/  (ready after {seconds:.0f} s)\n")
            print(f"{logins}\n\nCtrl-C stops it." if logins else "Ctrl-C stops it.", flush=True)
        elif time.monotonic() - begun > SECONDS_TO_ANSWER:
            raise StepFailed(f"The web server gave no answer on port {port} in {SECONDS_TO_ANSWER:.0f} s.")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    address = {"HOST": host, "PORT": str(port)}
    # The sign-in page may show the demo's passwords only where the market is the demo.
    demo = {"CUOHE_DEMO": "1"} if logins and "CUOHE_DEMO" not in os.environ else {}
    gunicorn = [str(PYTHON), "-m", "gunicorn", "-c", "scripts/gunicorn_conf.py", "--no-control-socket"]
    children = [
        Child("web server", [*gunicorn, "wsgi:create_app()"], env={**address, **demo}, cwd=ROOT),
        Child("clock", [str(PYTHON), "-m", "scripts.scheduler"], cwd=ROOT),
    ]
    if not supervise(children, stopping=lambda: stopping, say=say, beat=welcome):
        return 1
    print("Stopped.", flush=True)
    return 0


def answers(host: str, port: int) -> bool:
    """Say whether the web server answers its health check."""
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=2.0)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
