"""Bid placement end to end on PostgreSQL, against a bare handler of one insert; and the deadline storm.

Both sides run under the same gunicorn settings and get requests from the same client: institutions place
one sealed bid per product on one need, over the API and with tokens.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from multiprocessing import get_context
from typing import Any

import psycopg
from flask import Flask, current_app
from sqlalchemy import event, select

from blueprints import clock
from market.vocabulary import NeedState
from models.base import db
from models.bid import Bid
from models.need import Need
from scripts.benchmarks import databases
from scripts.benchmarks.bare import TABLE
from scripts.benchmarks.load import Call, Reply, post, send_all
from scripts.benchmarks.staging import Scene, post_need, stage
from scripts.progress import ROOT
from scripts.supervision import own_session, stop_group
from services import bids, opening

#: Bids at a time, and how often both sides are measured.
CLIENTS, ROUNDS = 16, 5
#: The storm: bids per need, seconds before and after the close in which they are sent, and needs.
STORM, SPREAD, SEEDS = 200, 1.0, 50
#: How long a server may take to answer at first, and all clients to be connected.
SECONDS_TO_ANSWER, SECONDS_TO_CONNECT = 60.0, 0.6


@dataclass(frozen=True, slots=True)
class Placement:
    """What was measured: bids a second of all sides, times and statements of ours, and the storm.

    ``kept`` is the bare handler with a connection per thread, ``bare`` with one per request.
    """

    ours: list[float]
    bare: list[float]
    kept: list[float]
    times: list[float]
    statements: list[str]
    storm: Storm


@dataclass
class Storm:
    """Bids around the close of many needs: how many got in, how many came late, and what went wrong."""

    seeds: int = 0
    placed: int = 0
    late: int = 0
    times: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def most(self) -> float:
        """Return the time within which 99 of 100 bids were answered."""
        return quantile(self.times, 0.99)


def measure(seeds: int = SEEDS) -> Placement:
    """Measure both sides on a PostgreSQL of their own."""
    with ExitStack() as stack:
        server = stack.enter_context(databases.server())
        url = stack.enter_context(databases.database(server, "bids"))
        app = databases.make_app(url)
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        scene = stage(datetime.now(UTC))
        # In a thread of its own a request begins as it does on the server: nobody is known yet.
        with ThreadPoolExecutor(1) as thread:
            statements = thread.submit(count_statements, app, scene).result()
        plain = url.replace(f"{databases.DRIVER}://", "postgresql://", 1)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(TABLE)
        db.session.remove()
        handler = "scripts.benchmarks.bare:create_app()"
        own = stack.enter_context(serve("wsgi:create_app()", {"DATABASE_URL": url, **databases.SECRETS}))
        bare = stack.enter_context(serve(handler, {"BARE_DATABASE": plain}))
        kept = stack.enter_context(serve(handler, {"BARE_DATABASE": plain, "BARE_KEEPS": "1"}))
        pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))

        def send(port: int, calls: Sequence[Call]) -> tuple[list[Reply], float]:
            return pool.submit(send_all, port, calls, CLIENTS, time.time() + SECONDS_TO_CONNECT).result()

        speeds: dict[int, list[float]] = {own: [], bare: [], kept: []}
        times: list[float] = []
        for number in range(ROUNDS + 1):
            for port, found in speeds.items():
                calls = place_calls(scene) if port == own else bare_calls(scene)
                replies, seconds = send(port, calls)
                _expect(replies)
                # The first round of each warms up what comes after it.
                if number:
                    found.append(len(replies) / seconds)
                    times += [reply.seconds for reply in replies] if port == own else []
        storm = Storm()
        for seed in range(seeds):
            raise_storm(scene, own, seed, storm, pool)
        return Placement(speeds[own], speeds[bare], speeds[kept], times, statements, storm)


def place_calls(scene: Scene) -> list[Call]:
    """Return a bid with every product, on a new need that is open for long."""
    need = post_need(scene, datetime.now(UTC) + timedelta(hours=12))
    return [Call(data) for data in _bids(scene, need)]


def bare_calls(scene: Scene) -> list[Call]:
    """Return the same bids for the bare handler."""
    valid_until = datetime.now(UTC) + timedelta(days=40)
    return [
        Call(post("/bids", quote(product, valid_until)))
        for bidder in scene.bidders
        for product in bidder.products
    ]


def quote(product_id: int, valid_until: datetime) -> dict[str, Any]:
    """Return the body of a bid."""
    return {
        "product_id": product_id,
        "principal": "5000000.00",
        "months": 12,
        "rate": f"{0.04 + product_id % 100 / 10_000:.4f}",
        "valid_until": valid_until.isoformat(),
    }


def count_statements(app: Flask, scene: Scene) -> list[str]:
    """Return the statements that one bid sends to the database, in a request like any other."""
    with app.app_context():
        need = post_need(scene, datetime.now(UTC) + timedelta(hours=12))
        path, bidder = f"/api/v1/needs/{need.id}/bids", scene.bidders[0]
        valid_until, engine = bids.earliest_validity(need) + timedelta(days=30), db.engine
    said: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        said.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", listen)
    client = app.test_client()
    # As nearly always, the tables of dates and prices have been read and the token was used before.
    for product in bidder.products[:2]:
        said.clear()
        header = {"Authorization": f"Bearer {bidder.token}"}
        answer = client.post(path, json=quote(product, valid_until), headers=header)
        _expect([Reply(answer.status_code, 0.0, answer.data)])
    event.remove(engine, "before_cursor_execute", listen)
    return said


def raise_storm(scene: Scene, port: int, seed: int, storm: Storm, pool: ProcessPoolExecutor) -> None:
    """Send bids around the close of a need, open it as soon as it has closed, and see what came of each."""
    draw = random.Random(seed)
    closes_at = datetime.now(UTC) + timedelta(seconds=SPREAD + SECONDS_TO_CONNECT)
    need = post_need(scene, closes_at)
    moments = sorted(draw.uniform(0, 2 * SPREAD) for _ in range(STORM))
    data = _bids(scene, need)
    draw.shuffle(data)
    calls = [Call(*pair) for pair in zip(data, moments, strict=True)]
    sending = pool.submit(send_all, port, calls, STORM, closes_at.timestamp() - SPREAD)
    pause = (closes_at - datetime.now(UTC)).total_seconds()
    time.sleep(max(0.0, pause))
    sealer = current_app.extensions["sealer"]
    while opening.open_bids(need.id, by=scene.clock, now=clock.read(), sealer=sealer).state is NeedState.OPEN:
        time.sleep(0.001)
    replies, _ = sending.result()
    storm.seeds += 1
    storm.times += [reply.seconds for reply in replies]
    _judge(need.id, closes_at, replies, storm)
    db.session.remove()


def _judge(need_id: int, closes_at: datetime, replies: Sequence[Reply], storm: Storm) -> None:
    """Add to the storm what is wrong with the bids of a need: late ones, and receipts lost or doubled."""
    said = Counter(reply.status for reply in replies)
    placed = [reply.read() for reply in replies if reply.status == 201]
    late = [reply for reply in replies if reply.status == 409 and reply.read()["code"] == "too_late"]
    storm.placed += len(placed)
    storm.late += len(late)
    db.session.remove()
    rows = db.session.scalars(select(Bid).where(Bid.need_id == need_id)).all()
    faults = {
        "answers other than placed and too late": len(placed) + len(late) != STORM,
        "receipts that the database does not have, or has besides": Counter(
            answer["receipt_hash"] for answer in placed
        )
        != Counter(row.receipt_hash for row in rows),
        "a receipt number given twice or left out": sorted(row.receipt_number for row in rows)
        != list(range(1, len(rows) + 1)),
        "a bid after the close": any(row.receipt_at >= closes_at for row in rows),
        "a bid that was not opened": any(row.opened_at is None for row in rows),
    }
    storm.faults += [f"need {need_id}: {fault} ({dict(said)})" for fault, found in faults.items() if found]


@contextmanager
def serve(application: str, env: Mapping[str, str]) -> Iterator[int]:
    """Yield the port where gunicorn serves an application, with the settings that ours is served with."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "scripts/gunicorn_conf.py",
            "--no-control-socket",
            application,
        ],
        cwd=ROOT,
        env={**os.environ, **env, "HOST": "127.0.0.1", "PORT": str(port)},
        **own_session(),
    )
    try:
        until = time.monotonic() + SECONDS_TO_ANSWER
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{application} does not answer") from None
                time.sleep(0.05)
        yield port
    finally:
        stop_group(process)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all values do not exceed."""
    listed = sorted(values)
    return listed[max(0, ceil(len(listed) * share) - 1)]


def _bids(scene: Scene, need: Need) -> list[bytes]:
    """Return a bid with every product on a need."""
    path, valid_until = f"/api/v1/needs/{need.id}/bids", bids.earliest_validity(need) + timedelta(days=30)
    found = [
        post(path, quote(product, valid_until), bidder.token)
        for bidder in scene.bidders
        for product in bidder.products
    ]
    db.session.remove()
    return found


def _expect(replies: Sequence[Reply]) -> None:
    for reply in replies:
        if reply.status != 201:
            raise RuntimeError(f"a bid was answered with {reply.status}: {reply.body[:500]!r}")
