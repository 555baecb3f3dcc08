"""Pledges are renewed in time, warned of as they run out, and end with what they secured."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask

from market.contract_record import ContractRecord
from market.errors import Code
from market.ladder_vocabulary import PledgeEnd, SideState
from market.party import Party
from market.vocabulary import AlertKind, OrganisationKind
from models.base import db, transaction
from models.contract import Contract
from services import alerts, contract_upsert, pledges, side_states, terminations
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_officer, make_party
from tests.services.conftest import Refusing
from tests.services.test_contract_steps import credit
from tests.services.test_path import LATER, lock_and_pledge, make_contract_path

#: Of the pledge that ``lock_and_pledge`` registers.
ENDS = date(2027, 12, 31)


def at(days_left: int, now: datetime) -> datetime:
    """Return the moment of the day that so many days of the pledge are left."""
    return now + timedelta(days=(ENDS - now.date()).days - days_left)


def make_pledged(now: datetime, sealer: Sealer) -> tuple[Party, Party, Party, Contract]:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    lock_and_pledge(contract, bank, purchaser, now + LATER)
    return firm, bank, purchaser, contract


def warnings(officer: Party) -> list[int]:
    db.session.expire_all()
    found = [alert for alert in alerts.list_open(officer) if alert.kind is AlertKind.PLEDGE_EXPIRING]
    return [int(alert.details["days"]) for alert in found]


def test_the_lender_is_warned_once_at_each_threshold_until_it_renews(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, _, contract = make_pledged(now, sealer)
    officer, zone_id = make_officer(now=now), contract.zone_id
    told = []
    for days in (61, 60, 45, 30, 29):
        for pledge_id in pledges.list_expiring(zone_id, at(days, now)):
            pledges.warn(pledge_id, by=officer, now=at(days, now))
        told.append(warnings(officer))
    assert told == [[], [60], [60], [30], [30]]
    (alert,) = (row for row in alerts.list_open(bank) if row.kind is AlertKind.PLEDGE_EXPIRING)
    alerts.resolve(alert.id, "已着手展期", by=officer, now=at(28, now))
    assert pledges.list_expiring(zone_id, at(28, now)) == []
    # What was resolved comes again at the next threshold, also as a tick of the clock.
    assert run_due(zone_id, now=at(3, now), sealer=sealer)["expiring pledges"] == 1
    assert warnings(officer) == [7]
    assert side_states.read(contract, by=bank, now=at(3, now)) == [
        SideState.PURCHASER_OVERDUE,
        SideState.PLEDGE_EXPIRING,
    ]
    until = ENDS + timedelta(days=365)
    pledges.renew(contract.id, "0099 1234", at(3, now).date(), until, by=bank, now=at(3, now))
    assert warnings(officer) == []
    db.session.expire_all()
    assert db.session.get_one(Contract, contract.id).pledge_expires_on == until
    assert [row.ended_why for row in pledges.list_all(contract.id)] == [None, PledgeEnd.RENEWED]


def test_only_its_lender_renews_and_only_for_longer(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, _, contract = make_pledged(now, sealer)
    later, day = now + LATER, date(2026, 11, 23)
    rival = make_party(OrganisationKind.BANK, now=now)
    for by, number, on, until, code, field in (
        (rival, "2", day, ENDS, Code.NOT_FOUND, None),
        (firm, "2", day, ENDS, Code.NOT_ALLOWED, None),
        (bank, " ", day, ENDS, Code.REQUIRED, "pledge_number"),
        (bank, "0099 1234", day, ENDS, Code.OUT_OF_ORDER, "pledge_expires_on"),
        (bank, "2", day, day, Code.OUT_OF_ORDER, "pledge_expires_on"),
        (bank, "2", day + timedelta(days=1), ENDS, Code.TOO_LARGE, "registered_on"),
        (bank, "2", day - timedelta(days=1), ENDS, Code.OUT_OF_ORDER, "registered_on"),
    ):
        with refuses(code, field):
            pledges.renew(contract.id, number, on, until, by=by, now=later)
    # A new entry may be shorter: another number is another registration.
    pledges.renew(contract.id, "0100", day, ENDS - timedelta(days=1), by=bank, now=later)
    # Half a year from today is before the pledge ends.
    end = pledges.find_loan_end(contract.id, day)
    assert end == date(2027, 5, 23)


def test_a_terminated_contract_is_not_financed_and_its_lender_is_told(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract = make_pledged(now, sealer)
    later, day = now + LATER, date(2026, 11, 23)
    officer = make_officer(now=now)
    for by, on, reason, evidence, code in (
        (bank, day, "a", "b", Code.NOT_ALLOWED),
        (make_party(OrganisationKind.PURCHASER, now=now), day, "a", "b", Code.NOT_FOUND),
        (purchaser, day + timedelta(days=1), "a", "b", Code.TOO_LARGE),
        (purchaser, date(2026, 11, 9), "a", "b", Code.OUT_OF_ORDER),
        (purchaser, day, " ", "b", Code.REQUIRED),
        (officer, day, "a", " ", Code.REQUIRED),
    ):
        with refuses(code):
            terminations.terminate(contract.id, on, reason, evidence, by=by, now=later)
    terminations.terminate(contract.id, day, "项目取消", "终止通知书 3 号", by=purchaser, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        terminations.terminate(contract.id, day, "项目取消", "同上", by=officer, now=later)
    assert [alert.kind for alert in alerts.list_open(bank)] == [AlertKind.CONTRACT_TERMINATED]
    assert side_states.read(contract, by=firm, now=later) == [SideState.TERMINATED]
    stored = db.session.get_one(Contract, contract.id)
    assert stored.obstacles == ["terminated"] and stored.stage.value == "pledge_registered"
    # A record that has not heard of it does not bring the contract back to life.
    told = ContractRecord(
        stored.process_id, stored.contract_id, stored.number, status="active", released_at=later
    )
    with transaction() as session:
        contract_upsert.upsert(session, [told], by=officer, now=later)
    db.session.expire_all()
    assert "terminated" in db.session.get_one(Contract, contract.id).obstacles
