"""The demo market for tests: loaded once per run on SQLite, and a digest of what any database holds."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from models.base import Base, db
from scripts.demo import loading
from tests.databases import SQLite, make_app, once

SEED = loading.SEED
#: A Friday that is worked, as the tests' own hour.
DAY = date(2026, 11, 20)

#: What is drawn by chance on purpose: nonces, salts, hashes over them, passwords.
SECRET = {"seal", "receipt_hash", "shown_hash", "password_hash", "token_hash", "prefix"}
SECRET_DETAILS = {"receipt", "shown"}


def load_once(folder: Path, databases: SQLite) -> str:
    """Return the URL of a SQLite file with the demo market; the first worker of a run loads it."""
    file = folder / "demo-market.db"

    def load() -> None:
        url = databases.create()
        app = make_app(url)
        with app.app_context():
            loading.load(app, seed=SEED, day=DAY)
            db.session.remove()
            db.engine.dispose()
        # One file without a log beside it; the application's own connections are always in a transaction.
        with closing(sqlite3.connect(str(make_url(url).database))) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
        databases.release(url)

    once(folder / "demo-market.done", load)
    return f"sqlite:///{file}"


def digest(connection: sa.Connection) -> dict[str, str]:
    """Return a hash of every table's rows, in order of their keys, without what is drawn by chance."""
    return {table.name: _digest(connection, table) for table in Base.metadata.sorted_tables}


def _digest(connection: sa.Connection, table: sa.Table) -> str:
    columns = [column for column in table.columns if column.name not in SECRET]
    content = hashlib.sha256()
    for row in connection.execute(sa.select(*columns).order_by(*table.primary_key.columns)).mappings():
        values: dict[str, Any] = dict(row)
        if table.name == "audit_entries":
            values["details"] = {k: v for k, v in values["details"].items() if k not in SECRET_DETAILS}
        content.update(json.dumps(values, default=str, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return content.hexdigest()
