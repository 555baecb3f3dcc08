"""Load over HTTP/1.1: prepared requests over connections that stay open, with as little work as possible.

Whatever the client does takes the processor from the server that is measured, so that requests are bytes
made beforehand, and of an answer only its status and length are read until it is there.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Call(NamedTuple):
    """A request: its bytes, and how many seconds after the start it is sent (0: as soon as possible)."""

    data: bytes
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call: status, body, and the seconds it took."""

    status: int
    seconds: float
    body: bytes = field(repr=False)

    def read(self) -> dict[str, Any]:
        """Return the body's JSON object."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def post(path: str, body: Mapping[str, Any], token: str = "") -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    content = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join(lines).encode() + _END + content


def send_all(port: int, calls: Sequence[Call], clients: int, begin: float) -> tuple[list[Reply], float]:
    """Send all calls from so many clients at a time, from the time ``begin`` on; return replies and seconds.

    Replies are in the order of the calls.
    """
    replies: list[Reply | None] = [None] * len(calls)
    queue = iter(range(len(calls)))
    lock = threading.Lock()
    failures: list[BaseException] = []
    ready = threading.Barrier(clients + 1)

    def work() -> None:
        try:
            with Line(port) as line:
                ready.wait()
                while True:
                    with lock:
                        place = next(queue, None)
                    if place is None:
                        return
                    pause = begin + calls[place].after - time.time()
                    if pause > 0:
                        time.sleep(pause)
                    replies[place] = line.call(calls[place].data)
        except BaseException as error:
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):
        ready.wait()
    started = max(time.perf_counter(), time.perf_counter() + begin - time.time())
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    if failures:
        raise failures[0]
    return [reply for reply in replies if reply is not None], taken


class Line:
    """One connection that stays open, and is opened again where the server says that it closes it."""

    def __init__(self, port: int) -> None:
        """Connect to a port of this machine."""
        self._port = port
        self._connect()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, data: bytes) -> Reply:
        """Send a request and return the reply."""
        started = time.perf_counter()
        self._socket.sendall(data)
        status, body = self._receive()
        return Reply(status, time.perf_counter() - started, body)

    def _receive(self) -> tuple[int, bytes]:
        buffer = b""
        while _END not in buffer:
            buffer += self._more()
        head, _, body = buffer.partition(_END)
        low = head.lower()
        at = low.index(_LENGTH) + len(_LENGTH)
        length = int(low[at:].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._more()
        if b"connection: close" in low:
            self._socket.close()
            self._connect()
        return int(head[9:12]), body

    def _more(self) -> bytes:
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionResetError
        return part

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
