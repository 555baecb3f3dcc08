"""The demo market for tests: loaded once per run on SQLite, and a digest of what any database holds."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping
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

#: What is drawn by chance on purpose: nonces, salts, hashes over them, passwords; and how long solving took.
SECRET = {"seal", "receipt_hash", "shown_hash", "password_hash", "token_hash", "prefix"}
SECRET |= {"inputs_hash", "milliseconds"}
SECRET_DETAILS = {"receipt", "shown", "inputs", "result"}


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
    """Return a hash of every table's rows, without what is drawn by chance or measured.

    The numbers of bids are drawn: wherever one stands, the need and the receipt of its bid stand for it.
    """
    bids = Base.metadata.tables["bids"]
    rows = connection.execute(sa.select(bids.c.id, bids.c.need_id, bids.c.receipt_number))
    names = {str(number): f"bid {need}.{receipt}" for number, need, receipt in rows}
    return {table.name: _digest(connection, table, names) for table in Base.metadata.sorted_tables}


def _digest(connection: sa.Connection, table: sa.Table, names: Mapping[str, str]) -> str:
    columns = [column for column in table.columns if column.name not in SECRET]
    lines = []
    for row in connection.execute(sa.select(*columns)).mappings():
        values: dict[str, Any] = dict(row)
        if table.name == "audit_entries":
            values["details"] = {k: v for k, v in values["details"].items() if k not in SECRET_DETAILS}
        line = json.dumps(values, default=str, sort_keys=True, ensure_ascii=False)
        lines.append(re.sub(r"\d+", lambda found: names.get(found.group(), found.group()), line))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
