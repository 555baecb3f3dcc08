"""How migrations change tables that hold rows, on both databases: said as data, done and undone here.

SQLite rebuilds a table to change it, which drops its triggers: ``guard`` is called again for a table of events
or movements that a later migration alters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


@dataclass(frozen=True)
class Change:
    """What changes in one table.

    ``filled``: new columns that must have a value (name, type, value of the rows that are there); ``empty``:
    new ones that may be empty (name, type); ``checks``: new conditions (name, condition); ``changed``:
    conditions that say something else (name, before, after), a renamed one as a dropped and a new one;
    ``dropped``: conditions that go (name, condition); ``pointing``: foreign keys (name, column, table);
    ``loosened``: columns that may be empty from now on (name, type); ``unique``: (name, columns).
    """

    table: str
    filled: Sequence[tuple[str, Any, Any]] = ()
    empty: Sequence[tuple[str, Any]] = ()
    checks: Sequence[tuple[str, str]] = ()
    changed: Sequence[tuple[str, str, str]] = ()
    dropped: Sequence[tuple[str, str]] = ()
    pointing: Sequence[tuple[str, str, str]] = ()
    loosened: Sequence[tuple[str, Any]] = ()
    unique: Sequence[tuple[str, Sequence[str]]] = field(default=())


def extend(change: Change) -> None:
    """Make the change; rows that are there get the values of ``filled``."""
    with op.batch_alter_table(change.table) as batch:
        for name, *_ in (*change.changed, *change.dropped):
            batch.drop_constraint(op.f(name), type_="check")
        for column, kind, value in change.filled:
            batch.add_column(sa.Column(column, kind, nullable=False, server_default=value))
        for column, kind in change.empty:
            batch.add_column(sa.Column(column, kind, nullable=True))
        for column, kind in change.loosened:
            batch.alter_column(column, existing_type=kind, nullable=True)
        for name, column, target in change.pointing:
            batch.create_foreign_key(op.f(name), target, [column], ["id"])
        for name, _, condition in change.changed:
            batch.create_check_constraint(op.f(name), sa.text(condition))
        for name, condition in change.checks:
            batch.create_check_constraint(op.f(name), sa.text(condition))
        for name, columns in change.unique:
            batch.create_unique_constraint(op.f(name), list(columns))
    if change.filled:
        # The values were for the rows that are there; new ones get theirs from the application.
        with op.batch_alter_table(change.table) as batch:
            for column, kind, _ in change.filled:
                batch.alter_column(column, existing_type=kind, server_default=None)


def loosen(change: Change) -> None:
    """First half of undoing: drop the conditions that rows would break on their way back."""
    with op.batch_alter_table(change.table) as batch:
        for name, *_ in (*change.changed, *change.checks):
            batch.drop_constraint(op.f(name), type_="check")
        for name, *_ in change.pointing:
            batch.drop_constraint(op.f(name), type_="foreignkey")
        for name, *_ in change.unique:
            batch.drop_constraint(op.f(name), type_="unique")


def restore(change: Change) -> None:
    """Second half of undoing, once the rows are said in the former words."""
    with op.batch_alter_table(change.table) as batch:
        for column, *_ in (*change.filled, *change.empty):
            batch.drop_column(column)
        for column, kind in change.loosened:
            batch.alter_column(column, existing_type=kind, nullable=False)
        for name, condition, *_ in (*change.changed, *change.dropped):
            batch.create_check_constraint(op.f(name), sa.text(condition))


def index(table: str, name: str, columns: Sequence[str], *, unique: bool = False, where: str = "") -> None:
    """Create an index, over the rows of a condition if one is given."""
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def guard(table: str) -> None:
    """Let the database refuse to change or delete a row of a table that is only ever added to."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = '23514',"
            " CONSTRAINT = 'append_only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        )


def unguard(table: str) -> None:
    """Lift ``guard``: only ever to undo a migration."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        return
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER {table}_no_{verb}")
