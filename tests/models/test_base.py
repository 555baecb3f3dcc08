"""One transaction per use-case: whole or not at all, never nested, never on stale rows; values stay exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite

from market.errors import Code, Conflict
from models.base import Rate, UTCDateTime, db, transaction
from models.zone import Zone

DIALECTS = [sqlite.dialect(), postgresql.dialect()]


def zone(code: str, now: datetime) -> Zone:
    return Zone(code=code, name_zh="高新区", name_en="Zone", created_at=now)


def codes() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(Zone.code).where(~Zone.is_default)))


def test_a_transaction_is_kept_at_its_end(app: Flask, now: datetime) -> None:
    with transaction() as session:
        session.add(zone("kept", now))
    assert codes() == {"kept"}


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(app: Flask, now: datetime) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        session.add(zone("half", now))
        session.flush()
        raise ZeroDivisionError
    with transaction() as session:
        session.add(zone("whole", now))
    assert codes() == {"whole"}


def test_a_refusal_of_the_database_leaves_nothing_and_the_next_one_works(app: Flask, now: datetime) -> None:
    with transaction() as session:
        session.add(zone("twin", now))
    with pytest.raises(Conflict) as refused, transaction() as session:
        session.add(zone("other", now))
        session.add(zone("twin", now))
    # A polite check would have found it: whoever comes here lost a race.
    assert [fault.code for fault in refused.value.faults] == [Code.STALE]
    with transaction() as session:
        session.add(zone("third", now))
    assert codes() == {"twin", "third"}


def test_transactions_do_not_nest(app: Flask, now: datetime) -> None:
    with pytest.raises(RuntimeError, match="does not nest"), transaction() as session:
        session.add(zone("outer", now))
        with transaction():
            pass
    assert codes() == set()


def test_rows_changed_outside_a_transaction_are_refused(app: Flask, now: datetime) -> None:
    db.session.add(zone("stray", now))
    with pytest.raises(RuntimeError, match="outside a transaction"), transaction():
        pass
    db.session.rollback()
    assert codes() == set()


def test_a_transaction_sees_what_others_stored_since_the_row_was_read(app: Flask, now: datetime) -> None:
    with transaction() as session:
        session.add(zone("old", now))
    row = db.session.scalars(sa.select(Zone).where(Zone.code == "old")).one()
    with db.engine.begin() as elsewhere:
        elsewhere.execute(sa.update(Zone).values(name_en="changed").where(Zone.id == row.id))
    with transaction() as session:
        assert session.get_one(Zone, row.id).name_en == "changed"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_comes_back_in_utc_and_a_naive_one_is_refused(dialect: sa.Dialect) -> None:
    kind = UTCDateTime()
    shanghai = datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=8)))
    stored = kind.process_bind_param(shanghai, dialect)
    assert kind.process_result_value(stored, dialect) == datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        kind.process_bind_param(datetime(2026, 11, 20, 10, 0), dialect)


@pytest.mark.parametrize("text", ["0", "0.0385", "0.00000001", "-0.5", "12.34567891"])
def test_a_rate_comes_back_exactly(text: str) -> None:
    dialect = sqlite.dialect()
    stored = Rate().process_bind_param(Decimal(text), dialect)
    assert isinstance(stored, int)
    assert Rate().process_result_value(stored, dialect) == Decimal(text)


def test_a_rate_with_more_places_than_can_be_stored_is_refused() -> None:
    with pytest.raises(ValueError, match="eight decimal places"):
        Rate().process_bind_param(Decimal("0.000000001"), sqlite.dialect())
