"""What contracts said of their pledge becomes rows of its own, and comes back when that is undone."""

from __future__ import annotations

from datetime import date

from alembic.script import ScriptDirectory

from tests.databases import migrate
from tests.models.laws import CONTRACT, ROWS, USER, Values
from tests.models.laws_ladder import NOW
from tests.models.test_migrations import MIGRATIONS, connect, find_orphans, read, store

OURS = "0010"


def test_a_pledge_of_before_goes_on_as_a_row_of_its_own(empty_database: str) -> None:
    before = ScriptDirectory(str(MIGRATIONS)).get_revision(OURS).down_revision
    assert isinstance(before, str)
    migrate(empty_database, before)
    pledged: Values = {
        "id": 2001,
        "contract_id": CONTRACT,
        "stage": "pledge_registered",
        "happened_on": date(2026, 11, 20),
        "evidence": "登记证明",
        "details": {},
        "needs_confirmation": False,
        "recorded_by": USER,
        "recorded_at": NOW,
    }
    store(empty_database, [*ROWS, ("contract_steps", pledged)])
    with connect(empty_database) as connection:
        connection.exec_driver_sql("UPDATE contract_steps SET evidence = '' WHERE id = 1001")
        connection.exec_driver_sql(
            "UPDATE contracts SET stage = 'pledge_registered', payee_account = '1', pledge_number = '0099',"
            f" pledge_expires_on = '2028-01-01' WHERE id = {CONTRACT}"
        )
        connection.commit()
    migrate(empty_database, OURS)
    number, evidence, ended_at = read(empty_database, "pledges", 1, "number", "evidence", "ended_at")
    assert (number, evidence, ended_at) == ("0099", "登记证明", None)
    # Nothing is made up for a lock that was recorded without its paper.
    assert read(empty_database, "contract_steps", 1001, "evidence") == ("未存档",)
    with connect(empty_database) as connection:
        connection.exec_driver_sql(f"UPDATE contracts SET terminated_on = '2026-11-20' WHERE id = {CONTRACT}")
        connection.commit()
    migrate(empty_database, "-1")
    told = read(empty_database, "contracts", CONTRACT, "pledge_number", "status", "payee_account")
    assert told == ("0099", "terminated", "1")
    assert find_orphans(empty_database) == []
