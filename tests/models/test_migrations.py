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
from tests.models.laws import AWARD, BANK, BID, FIRM, LOAN, NEED, NOW, PRODUCT, ROWS, SEALED, ZONE, Values

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


def spell(value: object) -> str:
    """Return a detail of a table as text; the conditions of an index lie one level down."""
    return str({key: str(inner) for key, inner in value.items()} if isinstance(value, dict) else value)


def describe(url: str) -> dict[str, list[str]]:
    """Return what every table consists of: columns, keys, conditions and indexes, in an order of its own."""
    with connect(url) as connection:
        inspector = sa.inspect(connection)
        return {
            name: sorted(
                plain(", ".join(f"{key}: {spell(value)}" for key, value in sorted(part.items())))
                for part in (
                    *inspector.get_columns(name),
                    *inspector.get_foreign_keys(name),
                    *inspector.get_unique_constraints(name),
                    *inspector.get_check_constraints(name),
                    *inspector.get_indexes(name),
                )
            )
            for name in inspector.get_table_names()
        }


def test_every_single_step_can_be_undone_and_done_again(empty_database: str) -> None:
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    before: dict[str, list[str]] | None = None
    for revision in reversed(revisions):
        migrate(empty_database, revision)
        after = describe(empty_database)
        migrate(empty_database, "-1")
        if before is not None:
            assert describe(empty_database) == before
        migrate(empty_database, revision)
        assert describe(empty_database) == after
        before = after


def test_the_migrated_database_is_what_the_models_say(empty_database: str) -> None:
    migrate(empty_database)
    with connect(empty_database) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
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
            declared = {
                str(i.name): plain(str(i.dialect_kwargs[option]))
                for i in table.indexes
                if i.dialect_kwargs.get(option) is not None
            }
            found = {
                str(i["name"]): plain(str(i["dialect_options"][option]))
                for i in inspector.get_indexes(table.name)
                if option in i.get("dialect_options", {})
            }
            assert found.keys() == declared.keys(), table.name
            if connection.dialect.name == "sqlite":
                assert found == declared, table.name


def store(url: str, rows: list[tuple[str, Values]]) -> None:
    """Put rows into a database, as far as it has their tables and columns."""
    with connect(url) as connection:
        known = sa.MetaData()
        known.reflect(connection)
        for name, values in rows:
            if name in known.tables:
                columns = known.tables[name].columns.keys()
                connection.execute(
                    sa.insert(known.tables[name]).values({k: v for k, v in values.items() if k in columns})
                )
        connection.commit()


def read(url: str, table: str, key: int, *columns: str) -> tuple[object, ...]:
    """Return values of one row; flags as SQLite has them, 1 and 0."""
    with connect(url) as connection:
        names = ", ".join(f'"{column}"' for column in columns)
        return tuple(connection.execute(sa.text(f"SELECT {names} FROM {table} WHERE id = {key}")).one())


def find_orphans(url: str) -> list[object]:
    """Return the rows that point nowhere; only SQLite, migrated without its foreign keys, can have any."""
    with connect(url) as connection:
        if connection.dialect.name != "sqlite":
            return []
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))


def test_a_market_of_before_goes_on_after_bidding_in_full(empty_database: str) -> None:
    migrate(empty_database, "0002")
    product = next(values for table, values in ROWS if table == "products")
    second: Values = {"id": PRODUCT + 1, "name_zh": "另一贷"}
    rows = [row for row in ROWS if row[0] != "limits" or row[1]["scope"] in {"total", "firm"}]
    sealed = next(values for table, values in ROWS if table == "bids" and values["id"] == SEALED)
    rows[rows.index(("bids", sealed))] = "bids", {**sealed, "state": "sealed", "product_id": second["id"]}
    after_products = next(n for n, (table, _) in enumerate(rows) if table == "products") + 1
    store(empty_database, [*rows[:after_products], ("products", product | second), *rows[after_products:]])
    migrate(empty_database, "0003")
    placed = ("round_number", "revision", "posted", "syndicated", "holds", "ended_at", "is_firm")
    assert read(empty_database, "bids", BID, "state", *placed) == ("won", 1, 1, 0, 0, 0, None, 1)
    assert read(empty_database, "bids", SEALED, "state", *placed) == ("sealed", 1, 1, 0, 0, 0, None, None)
    told = ("bid_policy", "round_count", "round_hours", "few_bids", "visibility", "revision", "syndicated")
    assert read(empty_database, "needs", NEED, *told) == ("sealed", 1, 24, "offer", "all", 1, 0)
    assert read(empty_database, "bid_rounds", 1001, "extensions", "opened_early") == (0, 0)
    assert read(empty_database, "awards", AWARD, "state", "syndicated", "amount") == ("confirmed", 0, None)
    assert read(empty_database, "limits", 1001, "mode", "used") == ("reserved", 5)
    assert read(empty_database, "zones", ZONE, "review_days", "improvement_bps", "outage_minutes") == (
        5,
        5,
        15,
    )
    joined, admitted, by = read(
        empty_database, "memberships", BANK, "joined_at", "admitted_at", "admitted_by"
    )
    assert (admitted, by) == (joined, None)
    assert read(empty_database, "memberships", FIRM, "admitted_at") == (None,)
    assert find_orphans(empty_database) == []


def test_a_market_that_bids_in_full_can_go_back(empty_database: str) -> None:
    migrate(empty_database, "0003")
    bid = next(values for table, values in ROWS if table == "bids" and values["id"] == BID)
    sealed = next(values for table, values in ROWS if table == "bids" and values["id"] == SEALED)
    more: list[tuple[Values, Values]] = [
        (sealed, {"state": "posted", "posted": True, "terms": {}, "amount": 5, "product_id": PRODUCT + 1}),
        (sealed, {"state": "voided", "posted": True, "terms": {}, "amount": 5}),
        (bid, {"state": "held", "product_id": PRODUCT + 2}),
        (bid, {"state": "replaced"}),
        (bid, {"state": "won", "syndicated": True, "product_id": PRODUCT + 3}),
    ]
    product = next(values for table, values in ROWS if table == "products")
    award = next(values for table, values in ROWS if table == "awards")
    proposal = next(values for table, values in ROWS if table == "proposals")
    products = [product | {"id": PRODUCT + n, "name_zh": f"贷{n}"} for n in (1, 2, 3)]
    bids = [row | new | {"id": 2001 + n, "receipt_number": 11 + n} for n, (row, new) in enumerate(more)]
    store(
        empty_database,
        [
            *ROWS,
            *(("products", row) for row in products),
            *(("bids", row) for row in bids),
            ("awards", award | {"id": 2001, "bid_id": 2005, "syndicated": True}),
            ("proposals", proposal | {"id": 2001, "bid_id": 2005}),
        ],
    )
    with connect(empty_database) as connection:
        connection.exec_driver_sql("UPDATE loans SET state = 'under_review'")
        connection.exec_driver_sql("UPDATE alerts SET kind = 'low_bid'")
        connection.exec_driver_sql("UPDATE bid_rounds SET opened_early = TRUE, closed_at = opened_at")
        connection.commit()
    migrate(empty_database, "-1")
    states = [read(empty_database, "bids", key, "state")[0] for key in (BID, *range(2001, 2006))]
    assert states == ["won", "sealed", "withdrawn", "live", "lost", "lost"]
    assert read(empty_database, "bids", 2001, "terms", "amount") == (None, None)
    assert read(empty_database, "awards", AWARD, "state") == ("confirmed",)
    assert read(empty_database, "awards", 2001, "state") == ("rejected",)
    assert read(empty_database, "loans", LOAN, "state") == ("approved",)
    with connect(empty_database) as connection:
        counts = [
            connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for table in ("limits", "alerts", "proposals")
        ]
    assert counts == [2, 0, 1]
    assert find_orphans(empty_database) == []
    migrate(empty_database, "0003")
    assert read(empty_database, "bids", 2001, "state", "is_firm") == ("sealed", None)


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_keys_are_written_by_the_rule_of_today_and_claims_that_meet_are_told(empty_database: str) -> None:
    migrate(empty_database, "0008")
    migrate(empty_database, "-1")
    contract = next(values for table, values in ROWS if table == "contracts")
    claim = next(values for table, values in ROWS if table == "financings")
    code = contract["supplier_code"]
    numbers = {2001: "JN-2026-42", 2002: "合同编号：JN ー 2026 ー 42", 2003: "JN-7"}
    before = {2001: f"JN202642|{code}", 2002: f"合同编号JNー2026ー42|{code}", 2003: f"JN7|{code}"}
    kept = [row for row in ROWS if row[0] in {"organisations", "users", "zones", "contracts"}]
    store(
        empty_database,
        [
            *kept,
            *(
                ("contracts", contract | {"id": key, "contract_id": number, "number": number})
                for key, number in numbers.items()
            ),
            *(("financings", claim | {"id": key, "contract_id": key, "key": before[key]}) for key in numbers),
            ("financings", claim | {"id": 2004, "contract_id": 2003, "key": before[2003], "ended_at": NOW}),
        ],
    )
    with connect(empty_database) as connection:
        for key, said in before.items():
            connection.execute(
                sa.text("UPDATE contracts SET financing_key = :said WHERE id = :key"),
                {"said": said, "key": key},
            )
        connection.commit()
    migrate(empty_database, "0008")
    assert read(empty_database, "contracts", 2002, "financing_key") == (f"JN202642|{code}",)
    found = {key: read(empty_database, "financings", key, "key", "live_key") for key in (*numbers, 2004)}
    assert found == {
        2001: (f"JN202642|{code}", f"JN202642|{code}"),
        # Both live claims stay: the officers decide, and nobody else can come between.
        2002: (f"JN202642|{code}|#2002", f"JN202642|{code}"),
        2003: (f"JN7|{code}", f"JN7|{code}"),
        2004: (f"JN7|{code}", None),
    }
    with connect(empty_database) as connection:
        told = connection.exec_driver_sql("SELECT kind, contract_id FROM alerts ORDER BY contract_id").all()
        modes = connection.exec_driver_sql("SELECT count(*) FROM financing_modes").scalar()
    assert (told, modes) == ([("financing_refused", 2001), ("financing_refused", 2002)], 2)
    assert find_orphans(empty_database) == []
    migrate(empty_database, "-1")
    assert read(empty_database, "financings", 2002, "key") == (before[2002],)
    assert read(empty_database, "contracts", 2002, "financing_key") == (before[2002],)
