"""Runs migrations on the application's own database, in one transaction each."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from models.base import Base, Rate, UTCDateTime


def render(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """Write our own column types as the plain ones below them, so that a migration stands alone."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Rate):
        return "sa.BigInteger()"
    if isinstance(item, sa.BigInteger) and getattr(item, "_variant_mapping", None):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    return False


def keep_foreign_keys(connection: sa.Connection, kept: bool) -> None:
    """Let SQLite watch foreign keys or not; PostgreSQL needs no leave to change a table.

    Inside a transaction SQLite ignores this, so that it goes past SQLAlchemy, which would begin one.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute(f"PRAGMA foreign_keys = {'ON' if kept else 'OFF'}")


def run() -> None:
    """Run what was asked for on a connection of its own."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect().execution_options(write=True) as connection:
        # Batch operations rebuild tables, which foreign keys would refuse half-way.
        keep_foreign_keys(connection, False)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        keep_foreign_keys(connection, True)


run()
