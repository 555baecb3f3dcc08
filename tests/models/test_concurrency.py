"""No update is lost, however many processes write at once."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from flask import Flask

from market.vocabulary import LimitScope, OrganisationKind
from models.base import db, transaction
from models.organisation import Limit, Organisation
from tests.databases import URL
from tests.services import racing

PROCESSES, TIMES = 4, 100


def add(limit_id: int) -> None:
    """Read, add and write, again and again."""
    for _ in range(TIMES):
        with transaction() as session:
            session.get_one(Limit, limit_id, with_for_update=True).used += 1


def test_four_processes_adding_a_hundred_times_add_up_to_four_hundred(app: Flask, now: datetime) -> None:
    with transaction() as session:
        bank = Organisation(
            kind=OrganisationKind.BANK, credit_code="91000000MA00000000", name_zh="并发银行", created_at=now
        )
        bank.limits = [Limit(scope=LimitScope.TOTAL, cap=10**6, used=0)]
        session.add(bank)
    limit = bank.limits[0].id
    assert racing.run(app.config[URL], [partial(add, limit)] * PROCESSES) == ["done"] * PROCESSES
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Limit, limit).used == PROCESSES * TIMES
