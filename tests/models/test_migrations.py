"""The migrations make exactly the tables that the models describe, and can be undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import models  # noqa: F401  (importing the package knows every table)
from models.base import Base
from tests.databases import migrate

MIGRATIONS = Path(__file__).resolve().parents[2] / "models" / "migrations"


@contextmanager
def connect(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> set[str]:
    with connect(url) as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def words(check: sa.CheckConstraint, dialect: sa.Dialect) -> str:
    """Return a condition as it is written into the table."""
    kwargs = {"literal_binds": True, "include_table": False}
    return plain(str(check.sqltext.compile(dialect=dialect, compile_kwargs=kwargs)))


def plain(condition: str) -> str:
    """Return a condition without the white space that means nothing."""
    return re.sub(r"\s+", " ", condition).strip()


def test_migrations_go_up_and_down_and_up_again(empty_database: str) -> None:
    expected = {table.name for table in Base.metadata.tables.values()}
    migrate(empty_database)
    assert tables(empty_database) == expected
    migrate(empty_database, "base")
    assert tables(empty_database) == set()
    migrate(empty_database)
    assert tables(empty_database) == expected


def test_every_single_step_can_be_undone_and_done_again(empty_database: str) -> None:
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    for revision in reversed(revisions):
        migrate(empty_database, revision)
        with connect(empty_database) as connection:
            before = sorted(sa.inspect(connection).get_table_names())
        migrate(empty_database, "-1")
        migrate(empty_database, revision)
        with connect(empty_database) as connection:
            assert sorted(sa.inspect(connection).get_table_names()) == before


def test_the_migrated_database_is_what_the_models_say(empty_database: str) -> None:
    migrate(empty_database)
    with connect(empty_database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrated_database_has_every_check_of_the_models(empty_database: str) -> None:
    # Alembic does not compare CHECK constraints, so that one forgotten in a migration would go unnoticed.
    migrate(empty_database)
    with connect(empty_database) as connection:
        inspector = sa.inspect(connection)
        name_of = connection.dialect.identifier_preparer.format_constraint
        for table in Base.metadata.tables.values():
            declared = {
                str(name_of(check)): words(check, connection.dialect)
                for check in table.constraints
                if isinstance(check, sa.CheckConstraint)
            }
            found = {
                str(check["name"]): plain(check["sqltext"])
                for check in inspector.get_check_constraints(table.name)
            }
            assert found.keys() == declared.keys(), table.name
            if connection.dialect.name == "sqlite":
                # PostgreSQL rewrites conditions in words of its own; SQLite keeps ours.
                assert found == declared, table.name


def test_the_migrated_database_has_every_partial_index_of_the_models(empty_database: str) -> None:
    # Alembic compares the columns of an index, not its condition.
    migrate(empty_database)
    with connect(empty_database) as connection:
        inspector, option = sa.inspect(connection), f"{connection.dialect.name}_where"
        for table in Base.metadata.tables.values():
            declared = {i.name for i in table.indexes if i.dialect_kwargs.get(option) is not None}
            found = {
                i["name"] for i in inspector.get_indexes(table.name) if option in i.get("dialect_options", {})
            }
            assert found == declared, table.name


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1
