"""The database: the one declarative base, the column types and the only commit of the house."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, Connection, DateTime, Dialect, Enum, Integer, MetaData, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, registry
from sqlalchemy.types import TypeDecorator

from models import refusals

#: Every constraint has a predictable name, so that migrations can drop what they made on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: A rate is stored in units of one hundred-millionth, so that 3.85 % or 0.06 % are exact integers.
RATE_SCALE = 10**8

#: How long a writer waits for another one before it is told that the market is busy.
LOCK_MILLISECONDS = 20_000

#: Structured facts; an absent one is SQL NULL, so that CHECK constraints see it.
Data = JSON(none_as_null=True)

#: Row numbers: 64 bits; SQLite counts by itself only on a column that is exactly INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")

#: Money in fen (1 yuan = 100 fen), 64 bits.
Fen = BigInteger


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; a naive one is refused, because it could mean any zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Rate(TypeDecorator[Decimal]):
    """An exact rate per year or share, as a Decimal with at most eight places."""

    places = 8
    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = value * RATE_SCALE
        whole = int(scaled)
        if whole != scaled:
            raise ValueError("a rate holds at most eight decimal places")
        return whole

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / RATE_SCALE


def word(kind: type[StrEnum], name: str | None = None) -> Enum:
    """Return the column type of a vocabulary word: its value as text, under a CHECK of its own."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        name=name or kind.__name__.lower(),
    )


class Base(DeclarativeBase):
    """The base of every table."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: Data, list[Any]: Data},
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a use-case and commit it at the end; roll back on any exception.

    A read transaction that the request began is ended first, and everything is read anew, so that
    checks run on what the lock protects. On SQLite the write lock is taken at once (``BEGIN
    IMMEDIATE``): a transaction that reads first and writes later would lose or refuse updates.

    Raises ``Conflict`` for a race that was lost on a unique index (stale, already_financed) and for a
    lock that others keep (busy), ``Invalid`` for a value that its column cannot hold; ``RuntimeError``
    when nested or when changes were made outside: both would blur whose commit it is.
    """
    session: Session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("one verb is one transaction: transaction() does not nest")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("rows were changed outside a transaction")
    session.rollback()
    session.expire_all()
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"write": True})
        yield session
        session.commit()
    except DBAPIError as error:
        session.rollback()
        refusal = refusals.translate(error)
        if refusal is None:
            raise
        raise refusal from error
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


@event.listens_for(Session, "before_flush")
def _check_values(session: Session, _context: Any, _instances: Any) -> None:
    refusals.check_values(session)


@event.listens_for(Session, "do_orm_execute")
def _read_anew_under_lock(state: ORMExecuteState) -> None:
    """Let a row that is locked show what is stored now, even if it was read before the lock was won.

    Without this PostgreSQL would wait for the other writer and then go on with the former values.
    """
    if getattr(state.statement, "_for_update_arg", None) is not None and not state.is_column_load:
        state.update_execution_options(populate_existing=True)


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Give up on a lock after as long as on SQLite: an answer that says so is better than none."""
    # By its name, so that whoever runs on SQLite does not load the driver of PostgreSQL.
    if type(connection).__module__.partition(".")[0] == "psycopg":
        connection.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        connection.commit()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set up each SQLite connection so that writers wait for each other and foreign keys hold."""
    if not isinstance(connection, sqlite3.Connection):
        return
    # SQLAlchemy's begin event below starts transactions; the driver must not start its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start of a write transaction; readers never wait."""
    if connection.dialect.name == "sqlite":
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
