"""What only the database can refuse is told in the market's words, on both kinds alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from market.errors import Code, Conflict, Invalid
from market.vocabulary import LimitScope, OrganisationKind
from models.base import db, transaction
from models.need import Need
from models.organisation import Limit, Organisation
from models.zone import Zone


def make_bank(now: datetime) -> Organisation:
    with transaction() as session:
        bank = Organisation(
            kind=OrganisationKind.BANK, credit_code="91000000MA00000000", name_zh="银行", created_at=now
        )
        bank.limits = [Limit(scope=LimitScope.TOTAL, cap=10, used=0)]
        session.add(bank)
    return bank


def elsewhere(app: Flask, deed: Callable[[], object]) -> None:
    """Do something on another connection, to its end."""

    def act() -> None:
        with app.app_context():
            deed()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name_zh", "长" * 121, Code.TOO_LONG),
        ("name_zh", "a\x00b", Code.NOT_TEXT),
        ("name_zh", "a\ud800b", Code.NOT_TEXT),
        ("staff_count", 2**31, Code.TOO_LARGE),
        ("annual_revenue", 2**63, Code.TOO_LARGE),
        ("name_zh", "长" * 120, None),
        ("staff_count", 2**31 - 1, None),
        ("annual_revenue", 2**63 - 1, None),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_refused_by_name(
    app: Flask, now: datetime, field: str, value: Any, code: Code | None
) -> None:
    bank = make_bank(now)
    if code is None:
        with transaction() as session:
            setattr(session.get_one(Organisation, bank.id), field, value)
        db.session.expire_all()
        assert getattr(db.session.get_one(Organisation, bank.id), field) == value
        return
    with pytest.raises(Invalid) as refused, transaction() as session:
        setattr(session.get_one(Organisation, bank.id), field, value)
    assert [(fault.code, fault.field) for fault in refused.value.faults] == [(code, field)]
    db.session.expire_all()
    assert getattr(db.session.get_one(Organisation, bank.id), field) != value


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        (Decimal("0.123456789"), Code.TOO_MANY_DECIMALS),
        (Decimal("NaN"), Code.TOO_LARGE),
        (Decimal("1e7"), Code.TOO_LARGE),
    ],
)
def test_a_rate_that_cannot_be_stored_is_refused_by_name(
    app: Flask, now: datetime, rate: Decimal, code: Code
) -> None:
    with pytest.raises(Invalid) as refused, transaction() as session:
        session.add(Need(amount=1, months=1, reserve_rate=rate, created_at=now))
    assert (code, "reserve_rate") in [(fault.code, fault.field) for fault in refused.value.faults]


def test_a_broken_check_or_foreign_key_stays_the_programs_own_fault(app: Flask, now: datetime) -> None:
    bank = make_bank(now)
    with pytest.raises(IntegrityError), transaction() as session:
        session.get_one(Limit, bank.limits[0].id).used = 11
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(Limit(organisation_id=10**6, scope=LimitScope.TOTAL, cap=1, used=0))


def test_a_lock_that_others_keep_is_a_busy_market_and_not_an_error(app: Flask, now: datetime) -> None:
    bank = make_bank(now)
    limit = bank.limits[0].id
    db.session.remove()
    with db.engine.connect().execution_options(write=True) as holder:
        holder.execute(sa.update(Limit).where(Limit.id == limit).values(cap=20))
        with pytest.raises(Conflict) as refused:
            with db.engine.connect() as hasty:
                # This one connection waits a tenth of a second, not twenty.
                sqlite = db.engine.dialect.name == "sqlite"
                hasty.exec_driver_sql("PRAGMA busy_timeout = 100" if sqlite else "SET lock_timeout = '100ms'")
                hasty.commit()
            with transaction() as session:
                session.get_one(Limit, limit, with_for_update=True).used = 1
        assert [fault.code for fault in refused.value.faults] == [Code.BUSY]
        holder.rollback()
    db.engine.dispose()
    with transaction() as session:
        session.get_one(Limit, limit, with_for_update=True).used = 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ask", ["get", "select"])
def test_a_row_read_before_its_lock_shows_under_the_lock_what_is_stored_now(
    app: Flask, now: datetime, ask: str
) -> None:
    # On SQLite nobody else can write between the two.
    def change() -> None:
        with transaction() as session:
            session.execute(sa.update(Zone).values(minimum_bids=7))

    with transaction() as session:
        zone = session.scalars(sa.select(Zone)).one()
        assert zone.minimum_bids == 3
        zone.name_en = "mine"
        session.flush()
        session.commit()
        assert session.get_one(Zone, zone.id).minimum_bids == 3
        elsewhere(app, change)
        locked = (
            session.get_one(Zone, zone.id, with_for_update=True)
            if ask == "get"
            else session.scalars(sa.select(Zone).with_for_update()).one()
        )
        assert (locked.minimum_bids, locked.name_en) == (7, "mine")


def test_a_change_that_is_not_stored_yet_survives_the_lock(app: Flask, now: datetime) -> None:
    with transaction() as session:
        zone = session.scalars(sa.select(Zone)).one()
        zone.name_en = "pending"
        assert session.get_one(Zone, zone.id, with_for_update=True).name_en == "pending"
        zone.minimum_bids = 5
        assert session.scalars(sa.select(Zone).with_for_update()).one().minimum_bids == 5
