"""The least that a bid can cost over HTTP: Flask and psycopg, and one row inserted.

Each request has a connection of its own; with ``BARE_KEEPS`` in the environment each thread keeps one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from flask import Flask, Response, jsonify, request

TABLE = """CREATE TABLE bare_bid (
    id bigserial PRIMARY KEY, product_id bigint NOT NULL, principal text NOT NULL, months int NOT NULL,
    rate text NOT NULL, valid_until timestamptz NOT NULL, received_at timestamptz NOT NULL
)"""
INSERT = """INSERT INTO bare_bid (product_id, principal, months, rate, valid_until, received_at)
    VALUES (%s, %s, %s, %s, %s, clock_timestamp()) RETURNING id, received_at"""


def create_app() -> Flask:
    """Return the application; it inserts into the database that ``BARE_DATABASE`` names."""
    app = Flask("bare", static_folder=None)
    url, own = os.environ["BARE_DATABASE"], threading.local()
    keeps = "BARE_KEEPS" in os.environ

    @contextmanager
    def connect() -> Iterator[psycopg.Connection]:
        if not keeps:
            with psycopg.connect(url) as connection:
                yield connection
            return
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(url, autocommit=True)
        yield own.connection

    @app.get("/healthz")
    def answer() -> str:
        return "ok"

    @app.post("/bids")
    def place() -> tuple[Response, int]:
        data = request.get_json()
        values = [data[name] for name in ("product_id", "principal", "months", "rate", "valid_until")]
        with connect() as connection:
            row = connection.execute(INSERT, values).fetchone()
        assert row is not None, "an insert returns its row"
        number, received_at = row
        return jsonify(id=number, receipt_at=received_at.isoformat()), 201

    return app
