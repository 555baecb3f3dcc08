"""Deposits: demanded within the law, replaced by a guarantee, released or expired, each by whom it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask

from market.calendar import local_date
from market.deposits import DepositMove
from market.errors import Code
from market.party import Party
from market.procurement_vocabulary import DepositKind, DepositState, NoticeKind
from market.vocabulary import OrganisationKind
from models.base import db
from models.contract import Contract
from models.organisation import Organisation
from services import contracts, deposit_demands, deposits, notices
from services.clock import run_due
from services.deposit_demands import Entry
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party
from tests.services.conftest import Refusing

DAY = timedelta(days=1)


@dataclass
class Stage:
    """A contract of ten million yuan and everybody around it."""

    firm: Party
    purchaser: Party
    guarantor: Party
    officer: Party
    contract: Contract


def code(party: Party) -> str:
    return db.session.get_one(Organisation, party.organisation_id).credit_code


@pytest.fixture
def stage(app: Flask, now: datetime) -> Stage:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    entry = contracts.Entry("P", "C-1", "合同", 10 * MILLION, code(purchaser), code(firm), local_date(now))
    contract = contracts.register(entry, by=purchaser, now=now)
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=900 * MILLION)
    return Stage(firm, purchaser, guarantor, make_officer(now=now), contract)


def test_a_guarantee_replaces_the_cash_of_a_performance_deposit(
    stage: Stage, now: datetime, refuses: Refusing
) -> None:
    today = local_date(now)
    entry = Entry(DepositKind.PERFORMANCE, MILLION, contract_id=stage.contract.id)
    with refuses(Code.TOO_LARGE, "amount"):
        above = Entry(DepositKind.PERFORMANCE, MILLION + 1, contract_id=stage.contract.id)
        deposit_demands.demand(above, by=stage.purchaser, now=now)
    stranger = make_party(OrganisationKind.PURCHASER, now=now)
    other = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=MILLION)
    with refuses(Code.NOT_FOUND):
        deposit_demands.demand(entry, by=stranger, now=now)
    row = deposit_demands.demand(entry, by=stage.purchaser, now=now)
    deposits.record_cash(row.id, today, by=stage.purchaser, now=now)
    with refuses(Code.WRONG_KIND, "guarantor_id"):
        deposits.ask(row.id, stage.officer.organisation_id or 0, by=stage.firm, now=now)
    guarantor = stage.guarantor.organisation_id or 0
    deposits.ask(row.id, guarantor, by=stage.firm, now=now)
    deposits.decline(row.id, "资料不全", by=stage.guarantor, now=now)
    assert deposits.find(row.id, by=stage.firm).state is DepositState.PAID
    deposits.ask(row.id, guarantor, by=stage.firm, now=now + DAY)
    with refuses(Code.NOT_FOUND):
        deposits.issue(row.id, "BH-9", today, by=other, now=now)
    deposits.issue(row.id, " BH-1 ", today + 90 * DAY, by=stage.guarantor, now=now + DAY)
    moves = deposits.list_moves(deposits.find(row.id, by=stage.purchaser), by=stage.purchaser)
    assert moves == [DepositMove.RETURN, DepositMove.RELEASE]
    deposits.return_cash(row.id, today + DAY, by=stage.purchaser, now=now + DAY)
    with refuses(Code.ILLEGAL_MOVE):
        deposits.return_cash(row.id, today + DAY, by=stage.purchaser, now=now + DAY)
    done = deposits.release(row.id, today + 2 * DAY, by=stage.officer, now=now + 2 * DAY)
    assert (done.state, done.guarantee_number) == (DepositState.RELEASED, "BH-1")
    heard = {
        party.organisation_id: [notice.kind for notice in reversed(notices.list_for(party))]
        for party in (stage.firm, stage.purchaser, stage.guarantor)
    }
    assert list(heard.values()) == [
        [
            NoticeKind.DEPOSIT_DEMANDED,
            NoticeKind.GUARANTEE_DECLINED,
            NoticeKind.GUARANTEE_ISSUED,
            NoticeKind.DEPOSIT_RELEASED,
        ],
        [NoticeKind.GUARANTEE_ISSUED],
        [NoticeKind.GUARANTEE_ASKED, NoticeKind.GUARANTEE_ASKED, NoticeKind.DEPOSIT_RELEASED],
    ]


def test_a_zone_can_do_without_deposits_of_bidders(stage: Stage, now: datetime, refuses: Refusing) -> None:
    entry = Entry(DepositKind.BID, MILLION, project_number="P-7", supplier_code=code(stage.firm))
    row = deposit_demands.demand(entry, by=stage.purchaser, now=now)
    assert (row.supplier_id, row.purchaser_id) == (
        stage.firm.organisation_id,
        stage.purchaser.organisation_id,
    )
    deposit_demands.abolish_bid_deposits(True, by=stage.officer, now=now)
    with refuses(Code.DEPOSIT_ABOLISHED, "kind"):
        deposit_demands.demand(entry, by=stage.officer, now=now)
    with refuses(Code.ONE_OF):
        both = Entry(DepositKind.ADVANCE, 1, contract_id=stage.contract.id, project_number="P-7")
        deposit_demands.demand(both, by=stage.purchaser, now=now)


def test_a_guarantee_that_is_over_expires_once_and_can_be_replaced(
    stage: Stage, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    today, guarantor = local_date(now), stage.guarantor.organisation_id or 0
    entry = Entry(DepositKind.ADVANCE, MILLION, contract_id=stage.contract.id)
    rows = [deposit_demands.demand(entry, by=stage.purchaser, now=now) for _ in range(2)]
    for row in rows:
        deposits.ask(row.id, guarantor, by=stage.firm, now=now)
    deposits.issue(rows[0].id, "BH-1", today, by=stage.guarantor, now=now)
    with refuses(Code.ALREADY_EXISTS, "guarantee_number"):
        deposits.issue(rows[1].id, "BH-1", today, by=stage.guarantor, now=now)
    zone = stage.firm.zone_id
    done = [run_due(zone, now=now + days * DAY, sealer=sealer)["expired guarantees"] for days in (0, 1, 2)]
    assert done == [0, 1, 0]
    row = deposits.find(rows[0].id, by=stage.guarantor)
    assert row.state is DepositState.EXPIRED
    assert notices.list_for(stage.purchaser)[0].kind is NoticeKind.GUARANTEE_EXPIRED
    deposits.ask(row.id, guarantor, by=stage.firm, now=now + 2 * DAY)
    deposits.issue(row.id, "BH-2", today + 9 * DAY, by=stage.guarantor, now=now + 2 * DAY)
    assert deposits.list_for(make_party(now=now)) == []
