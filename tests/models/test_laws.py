"""The database itself refuses what must not be, whichever program writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

import models  # noqa: F401  (importing the package knows every table)
from models.base import Base, db
from tests.models import laws, laws_bureau
from tests.models.laws import DAY
from tests.models.laws_lending import GUARDED

_BOOKS = (laws, laws_bureau)
ROWS = [row for book in _BOOKS for row in book.ROWS]
CHECKS = [law for book in _BOOKS for law in book.CHECKS]
UNIQUE = [law for book in _BOOKS for law in book.UNIQUE]
FREE = [law for book in _BOOKS for law in book.FREE]

TABLES = Base.metadata.tables


def list_laws() -> Iterator[tuple[str, sa.Table, tuple[str, ...]]]:
    """Yield every law but the vocabularies: its name, its table and, for a unique one, its columns."""
    for table in TABLES.values():
        words = {column.type.name for column in table.columns if isinstance(column.type, sa.Enum)}
        for law in table.constraints:
            name = str(law.name)
            if isinstance(law, sa.CheckConstraint) and name.removeprefix(f"ck_{table.name}_") not in words:
                yield name, table, ()
            elif isinstance(law, sa.UniqueConstraint):
                yield name, table, tuple(column.name for column in law.columns)
        for index in table.indexes:
            if index.unique:
                yield str(index.name), table, tuple(column.name for column in index.columns)


LAWS = {name: (table, columns) for name, table, columns in list_laws()}


@pytest.fixture
def connection(app: Flask) -> Iterator[sa.Connection]:
    """A connection to a database that holds one valid row of each table."""
    with db.engine.connect().execution_options(write=True) as connection:
        for name, values in ROWS:
            # Rates are given as they are stored.
            connection.execute(sa.insert(plain(TABLES[name])).values(values))
        yield connection
        connection.rollback()


def plain(table: sa.Table) -> sa.TableClause:
    """Return the table with rates as the whole numbers they are stored as."""
    return sa.table(
        table.name,
        *(
            sa.column(c.name, sa.BigInteger() if getattr(c.type, "places", None) else c.type)
            for c in table.columns
        ),
    )


def find_broken(error: IntegrityError, expected: str) -> str:
    """Return the law that an error names.

    SQLite names a unique one by its columns, so that two on the same columns are told apart by what
    was expected.
    """
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name)
    kind, _, named = str(error.orig).partition(" constraint failed: ")
    if kind == "CHECK":
        return named
    columns = tuple(part.partition(".")[2] for part in named.split(", "))
    table = named.partition(".")[0]
    named_so = [name for name, law in LAWS.items() if (law[0].name, law[1]) == (table, columns)]
    return expected if expected in named_so else named_so[0]


@contextmanager
def attempt(connection: sa.Connection) -> Iterator[None]:
    """Undo whatever is tried inside."""
    point = connection.begin_nested()
    try:
        yield
    finally:
        point.rollback()


def change(connection: sa.Connection, law: str, key: Any, values: dict[str, Any]) -> None:
    table = plain(LAWS[law][0])
    identity = next(iter(LAWS[law][0].primary_key.columns)).name
    connection.execute(sa.update(table).where(table.c[identity] == key).values(values))


def double(connection: sa.Connection, law: str, key: Any, values: dict[str, Any]) -> None:
    table = plain(LAWS[law][0])
    row = connection.execute(sa.select(table).where(table.c.id == key)).mappings().one()
    connection.execute(sa.insert(table).values({**row, "id": 9999, **values}))


def test_every_law_is_tried() -> None:
    tried = {law for law, _, _ in (*CHECKS, *UNIQUE)}
    # Tried by themselves below; and a negative amount of an instalment is refused by what was paid on it.
    assert set(LAWS) - tried == {
        "uq_bids_won",
        "uq_proposals_unplaced",
        "ck_instalments_amounts_sign",
        "uq_contract_steps_waiting",
        # A second mode of a contract is refused by the key of its table (``test_receivables``).
        "uq_financing_modes_contract_key_mode",
    }
    assert tried - set(LAWS) == set()


def test_a_row_that_breaks_a_law_is_refused_by_that_law(connection: sa.Connection) -> None:
    outcomes = []
    for law, key, values in CHECKS:
        with attempt(connection):
            try:
                # What is only ever added to breaks a law with a row that is added.
                (double if LAWS[law][0].name in GUARDED else change)(connection, law, key, values)
                outcomes.append((law, values, "stored"))
            except IntegrityError as error:
                if (broken := find_broken(error, law)) != law:
                    outcomes.append((law, values, broken))
    assert outcomes == []


def test_a_second_row_where_only_one_may_be_is_refused(connection: sa.Connection) -> None:
    outcomes = []
    for law, key, values in UNIQUE:
        with attempt(connection):
            try:
                double(connection, law, key, values)
                outcomes.append((law, values, "stored"))
            except IntegrityError as error:
                if (broken := find_broken(error, law)) != law:
                    outcomes.append((law, values, broken))
    assert outcomes == []


def test_what_is_over_makes_room_for_another(connection: sa.Connection) -> None:
    for law, key, values in FREE:
        with attempt(connection):
            double(connection, law, key, values)


def test_a_need_has_one_winner_whatever_the_product(connection: sa.Connection) -> None:
    with attempt(connection):
        for key in (9998, 9999):
            double(connection, "ck_products_amount_order", 1001, {"name_zh": f"另一贷{key}", "id": key})
        # A syndicate has several.
        syndicated = {"id": 9998, "product_id": 9998, "receipt_number": 3, "syndicated": True}
        double(connection, "uq_bids_won", 1001, syndicated)
        with pytest.raises(IntegrityError) as refused:
            double(connection, "uq_bids_won", 1001, {"product_id": 9999, "receipt_number": 4})
        assert find_broken(refused.value, "uq_bids_won") == "uq_bids_won"


def test_a_round_leaves_a_need_out_once(connection: sa.Connection) -> None:
    law, unplaced = "uq_proposals_unplaced", {"bid_id": None, "state": "unplaced"}
    with attempt(connection):
        double(connection, law, 1001, {**unplaced, "id": 9998})
        with pytest.raises(IntegrityError) as refused:
            double(connection, law, 1001, unplaced)
        assert find_broken(refused.value, law) == law


@pytest.mark.parametrize(
    ("table", "column", "word"),
    [
        ("bids", "state", "peeked"),
        ("needs", "state", "sold"),
        ("needs", "bid_policy", "open"),
        ("limits", "scope", "country"),
        ("limits", "mode", "lent"),
    ],
)
def test_a_word_outside_the_vocabulary_is_refused(
    connection: sa.Connection, table: str, column: str, word: str
) -> None:
    with attempt(connection), pytest.raises(IntegrityError):
        connection.execute(
            sa.text(f"UPDATE {table} SET {column} = :word WHERE id = 1001"),  # names of this file
            {"word": word},
        )


def test_a_role_needs_a_seat(connection: sa.Connection) -> None:
    law = "uq_roles_user_id_zone_id_organisation_id_capability"
    connection.execute(sa.text("DELETE FROM api_tokens"))
    with attempt(connection), pytest.raises(IntegrityError):
        double(connection, law, 1001, {"zone_id": 1, "capability": "officer"})


@pytest.mark.parametrize("table", sorted(GUARDED))
@pytest.mark.parametrize("verb", ["UPDATE {} SET loan_id = loan_id", "DELETE FROM {}"])
def test_what_is_booked_is_never_changed(connection: sa.Connection, table: str, verb: str) -> None:
    with attempt(connection), pytest.raises(IntegrityError, match="only ever added"):
        connection.execute(sa.text(verb.format(table)))  # names of this file


def test_framework_agreements_of_one_institution_do_not_overlap(connection: sa.Connection) -> None:
    law = "uq_framework_agreements_zone_id_number"
    later = {"number": "K-2", "valid_from": DAY + timedelta(1), "valid_until": DAY + timedelta(9)}
    with attempt(connection):
        with attempt(connection), pytest.raises(IntegrityError, match="do not overlap"):
            double(connection, law, 1001, {**later, "valid_from": DAY})
        double(connection, law, 1001, later)
        with pytest.raises(IntegrityError, match="do not overlap"):
            change(connection, law, 1001, {"valid_until": DAY + timedelta(1)})
