"""The market as it runs: web server and clock as real processes on a database, spoken to over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def find_port() -> int:
    """Return a port on which nobody listens at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass
class Site:
    """The two processes of a running market, on one database and one port."""

    url: str
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        command = {
            "web": ["-m", "gunicorn", "-c", "scripts/gunicorn_conf.py", "wsgi:create_app()"],
            "clock": ["-m", "scripts.scheduler"],
        }[name]
        self.running[name] = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": self.url,
                "PORT": str(self.port),
                "WEB_CONCURRENCY": "2",
                "CUOHE_TICK_SECONDS": "0.2",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """kill -9 the process and all it started, whatever they were doing."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def call(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        """Return status and JSON of one request; raises ``OSError`` if no answer comes, or half of one."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
        except (HTTPException, ValueError) as error:
            raise ConnectionError(f"the answer broke off: {error}") from error

    def insist(self, method: str, path: str, token: str, body: Any = None) -> Any:
        """Call until somebody answers, as a person who reloads the page, and expect success."""
        for _ in range(200):
            try:
                status, answer = self.call(method, path, token, body)
            except OSError:
                time.sleep(0.1)
                continue
            assert status < 400, (method, path, status, answer)
            return answer
        raise AssertionError(f"nobody answers on {path}")

    def stop(self) -> None:
        """Kill whatever still runs."""
        for name in list(self.running):
            self.kill(name)
