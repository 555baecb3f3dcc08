"""A caller of finance bureaus: pages of JSON over HTTP, from hosts that may be asked, and not without end.

Whom a bureau's address leads to is looked up once, judged, and then connected to as judged, so that a name
that changes its mind leads nowhere else. Redirections are not followed. Every wait and every size has a
bound, and whatever goes wrong is one ``BureauError`` with one reason.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from market.bureau_vocabulary import PullFailure
from market.errors import Invalid
from services.exchange import fields

_CHUNK = 64 * 1024
#: Where the credentials of machines in data centres are kept: no bureau lives there, whoever allows it.
_NEVER = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
#: Answers that another try may better.
_PASSING = frozenset({429, 500, 502, 503, 504})
_RETRIED = frozenset(
    {PullFailure.UNREACHABLE, PullFailure.TIMED_OUT, PullFailure.BROKEN, PullFailure.CUT_SHORT}
)


class BureauError(Exception):
    """Nothing usable came from a bureau: why, and what may be shown of it."""

    def __init__(self, why: PullFailure, **values: Any) -> None:
        super().__init__(f"{why.value} {values}")
        self.why, self.values = why, values


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, how often and how much: seconds per wait and in all, tries per page, bytes and pages."""

    wait: float = 5.0
    whole: float = 60.0
    tries: int = 3
    pause: float = 0.5
    page_bytes: int = 4 * 1024 * 1024
    pages: int = 1000


#: For people, and for commands.
USUAL = Patience()
#: For whoever has other things to do, such as the clock.
HURRIED = Patience(wait=3.0, whole=15.0, tries=2, pause=0.2)


@dataclass(frozen=True, slots=True)
class Bureau:
    """A peer: its base address, such as ``https://host/api/v1/bureau``, our token for it, and its network."""

    base_url: str
    token: str
    is_private: bool = False


def check_address(base_url: str, *, is_private: bool = False) -> SplitResult:
    """Return the parts of a base address; raises ``BureauError`` (bad_address) for one that cannot be one.

    Without TLS the token would be readable on its way: plain http is for private networks only.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise BureauError(PullFailure.BAD_ADDRESS, url=base_url[:80]) from error
    schemes = {"https", "http"} if is_private else {"https"}
    strange = parts.username is not None or parts.password is not None or parts.query or parts.fragment
    if parts.scheme not in schemes or not parts.hostname or strange or port == 0 or not base_url.isascii():
        raise BureauError(PullFailure.BAD_ADDRESS, url=base_url[:80])
    if any(not character.isprintable() or character.isspace() for character in base_url):
        raise BureauError(PullFailure.BAD_ADDRESS, url=base_url[:80])
    return parts


def read_pages(
    bureau: Bureau, path: str, query: Mapping[str, str], *, patience: Patience = USUAL
) -> Iterator[list[Any]]:
    """Yield the items of each page of a list, as strict JSON; numbers keep the text they were written with.

    Raises ``BureauError`` at the first page that does not come whole; what was yielded before is sound, but
    only the last page ends the list.
    """
    deadline = _Deadline(patience)
    after: str | None = None
    seen: set[str] = set()
    for _ in range(patience.pages):
        asked = dict(query) if after is None else {**query, "after": after}
        items, after = _read_page(_fetch(bureau, f"{path}?{urlencode(asked)}", deadline, patience))
        yield items
        if after is None:
            return
        if after in seen:
            raise BureauError(PullFailure.WRONG_SHAPE, where="next")
        seen.add(after)
    raise BureauError(PullFailure.TOO_LARGE, most=patience.pages)


class _Deadline:
    """The moment by which all must be done; every wait is cut to what is left."""

    def __init__(self, patience: Patience) -> None:
        self._end, self._wait = time.monotonic() + patience.whole, patience.wait

    def left(self) -> float:
        left = min(self._wait, self._end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        return left


class _Stream(io.RawIOBase):
    """The bytes of a socket, each wait bounded: a peer that drips cannot hold us beyond the deadline."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class _Socket:
    """As much of a socket as a response reads from."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._stream = _Stream(sock, deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._stream)


def _fetch(bureau: Bureau, path: str, deadline: _Deadline, patience: Patience) -> bytes:
    """Return the body of one page, tried again where that may help."""
    for attempt in range(1, patience.tries + 1):
        try:
            return _fetch_once(bureau, path, deadline, patience)
        except BureauError as error:
            if error.why not in _RETRIED or attempt == patience.tries:
                raise
            try:
                time.sleep(min(patience.pause * attempt, deadline.left()))
            except TimeoutError:
                raise error from None
    raise AssertionError("at least one try")


def _fetch_once(bureau: Bureau, path: str, deadline: _Deadline, patience: Patience) -> bytes:
    parts = check_address(bureau.base_url, is_private=bureau.is_private)
    try:
        with _connect(parts, deadline, is_private=bureau.is_private) as sock:
            response = _ask(sock, parts, path, bureau.token, deadline)
            return _read_body(response, patience.page_bytes)
    except TimeoutError as error:
        raise BureauError(PullFailure.TIMED_OUT) from error
    except (http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError) as error:
        raise BureauError(PullFailure.CUT_SHORT) from error
    except ssl.SSLError as error:
        raise BureauError(PullFailure.UNREACHABLE, reason=str(error.reason or "TLS")[:80]) from error
    except OSError as error:
        raise BureauError(PullFailure.UNREACHABLE, reason=(error.strerror or str(error))[:80]) from error
    except http.client.HTTPException as error:
        raise BureauError(PullFailure.WRONG_SHAPE, where=type(error).__name__) from error


def _connect(parts: SplitResult, deadline: _Deadline, *, is_private: bool) -> socket.socket:
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = _reach(_look_up(host, port, is_private=is_private), port, deadline)
    if parts.scheme != "https":
        return sock
    try:
        return ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def _look_up(host: str, port: int, *, is_private: bool) -> list[str]:
    """Return the addresses behind a name, if every one of them may be asked."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise BureauError(PullFailure.BAD_ADDRESS, url=host[:80]) from error
    found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        never = address.is_multicast or address.is_unspecified or any(address in net for net in _NEVER)
        if never or not (is_private or address.is_global):
            raise BureauError(PullFailure.FORBIDDEN_ADDRESS, host=host[:80])
    return found


def _reach(addresses: list[str], port: int, deadline: _Deadline) -> socket.socket:
    """Connect to the first of the addresses that answers."""
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), timeout=deadline.left())
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout=deadline.left())


def _ask(
    sock: socket.socket, parts: SplitResult, path: str, token: str, deadline: _Deadline
) -> http.client.HTTPResponse:
    """Send the question and read the head of the answer."""
    request = (
        f"GET {parts.path.rstrip('/')}/{path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nAccept: application/json\r\n"
        "User-Agent: cuohe\r\nConnection: close\r\n\r\n"
    )
    sock.settimeout(deadline.left())
    sock.sendall(request.encode("ascii"))
    response = http.client.HTTPResponse(_Socket(sock, deadline), method="GET")  # type: ignore[arg-type]
    response.begin()
    if 300 <= response.status < 400:
        target = urlsplit(response.headers.get("Location", "")).hostname or ""
        raise BureauError(PullFailure.REDIRECTED, status=response.status, host=target[:80])
    if response.status in _PASSING or response.status >= 500:
        raise BureauError(PullFailure.BROKEN, status=response.status)
    if response.status != 200:
        raise BureauError(PullFailure.REFUSED, status=response.status)
    return response


def _read_body(response: http.client.HTTPResponse, most: int) -> bytes:
    body = bytearray()
    while chunk := response.read(_CHUNK):
        body += chunk
        if len(body) > most:
            raise BureauError(PullFailure.TOO_LARGE, most=most)
    if response.length:
        raise BureauError(PullFailure.CUT_SHORT)
    return bytes(body)


def _read_page(body: bytes) -> tuple[list[Any], str | None]:
    try:
        page = fields.load(body)
    except (Invalid, ValueError) as error:
        raise BureauError(PullFailure.NOT_JSON) from error
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise BureauError(PullFailure.WRONG_SHAPE, where="items")
    after = page.get("next")
    if after is not None and (not isinstance(after, str) or not after.strip() or len(after) > 200):
        raise BureauError(PullFailure.WRONG_SHAPE, where="next")
    return page["items"], None if after is None else str(after)
