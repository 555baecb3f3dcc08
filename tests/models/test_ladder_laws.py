"""What several tables of the ladder must say together, the database holds too: by triggers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from tests.models.laws_ladder import NOW
from tests.models.test_laws import attempt, connection, double, find_broken

__all__ = ["connection"]

PLEDGED = "payee_account = '1', pledge_number = '1', pledge_expires_on = '2027-01-01'"


def tell(connection: sa.Connection, statement: str) -> None:
    connection.execute(sa.text(statement), {"now": NOW} if ":now" in statement else {})


def refuse(connection: sa.Connection, law: str, statement: str) -> None:
    with attempt(connection), pytest.raises(IntegrityError) as refused:
        tell(connection, statement)
    assert find_broken(refused.value, law) == law


DRAW = (
    "INSERT INTO loan_events"
    " (id, loan_id, number, kind, effective_on, amount, details, evidence,"
    " recorded_at) VALUES (9998, 1001, 7, 'drawdown', '2026-11-20', 1, '{}', '', :now)"
)


def test_nothing_is_drawn_on_a_contract_before_lock_and_pledge(connection: sa.Connection) -> None:
    tell(connection, "UPDATE loans SET contract_id = 1001 WHERE id = 1001")
    for early in ("stage = 'credited'", "stage = 'account_locked', payee_account = '1'"):
        tell(connection, f"UPDATE contracts SET {early} WHERE id = 1001")
        refuse(connection, "loan_events_after_pledge", DRAW)
    tell(connection, f"UPDATE contracts SET stage = 'pledge_registered', {PLEDGED} WHERE id = 1001")
    tell(connection, DRAW)


def test_a_locked_account_changes_only_as_both_agreed(connection: sa.Connection) -> None:
    law = "contracts_account_agreed"
    tell(connection, "UPDATE contracts SET stage = 'account_locked', payee_account = '1' WHERE id = 1001")
    for wanted in ("2", "3"):
        refuse(connection, law, f"UPDATE contracts SET payee_account = '{wanted}' WHERE id = 1001")
    tell(
        connection,
        "UPDATE account_changes SET state = 'done', lender_agreed_by = 1003, lender_agreed_at = :now,"
        " decided_at = :now, published_at = :now WHERE id = 1001",
    )
    refuse(connection, law, "UPDATE contracts SET payee_account = '3' WHERE id = 1001")
    tell(connection, "UPDATE contracts SET payee_account = '2' WHERE id = 1001")


def test_a_terminated_contract_is_not_financed_anew(connection: sa.Connection) -> None:
    # A claim that has ended holds no mode of its contract any more.
    free = {"id": 9998, "ended_at": NOW, "live_key": None, "live_mode": None}
    with attempt(connection):
        double(connection, "uq_financings_live_key", 1001, free)
    tell(connection, "UPDATE contracts SET terminated_on = '2026-11-20' WHERE id = 1001")
    with attempt(connection), pytest.raises(IntegrityError) as refused:
        double(connection, "uq_financings_live_key", 1001, free)
    assert find_broken(refused.value, "financings_not_terminated") == "financings_not_terminated"


def test_one_step_of_a_contract_waits_for_its_second_person(connection: sa.Connection) -> None:
    law, waits = "uq_contract_steps_waiting", {"confirmed_by": None, "confirmed_at": None}
    with attempt(connection):
        # Any rung could be one that asks for two people.
        double(connection, law, 1001, {**waits, "id": 9998, "stage": "unlocked"})
        with pytest.raises(IntegrityError) as refused:
            double(connection, law, 1001, {**waits, "stage": "pledge_registered"})
        assert find_broken(refused.value, law) == law
