"""Alerts are shown to those whose business they are, and to nobody else."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask

from market.errors import Code
from market.vocabulary import AlertKind, Capability, OrganisationKind, ProductFamily
from models.base import db
from models.contract import Contract
from services import alerts, contract_steps, loans
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_officer, make_party, make_product, make_zone, pay_out
from tests.services.conftest import Refusing
from tests.services.test_contract_steps import credit, lock_account, pledge
from tests.services.test_path import LATER, make_contract_path, make_drawn_contract_loan


def test_that_a_firm_is_late_is_its_lenders_business_and_not_its_customers(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, _, _, later = make_drawn_contract_loan(now, sealer)
    late = later + timedelta(days=300)
    run_due(firm.zone_id, now=late, sealer=sealer)
    both = {AlertKind.LOAN_OVERDUE, AlertKind.PURCHASER_OVERDUE}
    officer, auditor = make_officer(now=now), make_party(OrganisationKind.AGENCY, now=now)
    report = AlertKind.REPORT_MISSING
    for party, seen in (
        (firm, both),
        (bank, both | {report}),
        (officer, both | {report}),
        (auditor, both | {report}),
        (purchaser, {AlertKind.PURCHASER_OVERDUE}),
        (make_party(now=now), set()),
        (make_party(OrganisationKind.BANK, now=now), set()),
        (make_officer(now=now, zone_id=make_zone(now=now).id), set()),
    ):
        assert {alert.kind for alert in alerts.list_open(party)} == seen
    (overdue,) = [a for a in alerts.list_open(officer) if a.kind is AlertKind.LOAN_OVERDUE]
    for party, code in (
        (firm, Code.NOT_ALLOWED),
        (auditor, Code.NOT_ALLOWED),
        (purchaser, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
        (
            make_party(OrganisationKind.BANK, [Capability.INSTITUTION_BIDDER], now=now),
            Code.NOT_ALLOWED,
        ),
    ):
        with refuses(code):
            alerts.resolve(overdue.id, "看到了", by=party, now=late)
    with refuses(Code.REQUIRED, "resolution"):
        alerts.resolve(overdue.id, " ", by=bank, now=late)
    with refuses(Code.TOO_LONG, "resolution"):
        alerts.resolve(overdue.id, "长" * 301, by=bank, now=late)
    alerts.resolve(overdue.id, "已协商展期", by=bank, now=late)
    with refuses(Code.ILLEGAL_MOVE):
        alerts.resolve(overdue.id, "再次", by=officer, now=late)
    # The clock does not raise again what a person has settled.
    run_due(firm.zone_id, now=late + timedelta(days=1), sealer=sealer)
    assert {alert.kind for alert in alerts.list_open(bank)} == {AlertKind.PURCHASER_OVERDUE, report}


def test_a_former_lender_hears_no_more_of_a_contract(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, former, product, purchaser, contract = make_contract_path(now)
    loan = credit(firm, former, product, contract, now, sealer)
    loans.cancel(loan.id, by=former, now=now + LATER)
    bank = make_party(OrganisationKind.BANK, now=now)
    own = make_product(
        bank, now=now, family=ProductFamily.CONTRACT, contract_ratio=product.contract_ratio, months_min=1
    )
    later = now + LATER
    second = credit(firm, bank, own, contract, later, sealer)
    again = later + LATER
    contract_steps.confirm(lock_account(contract, bank, again).id, by=purchaser, now=again)
    pledge(contract, bank, again)
    pay_out(second.id, date(2026, 11, 26), by=bank, now=again)
    run_due(firm.zone_id, now=again + timedelta(days=250), sealer=sealer)
    assert {alert.kind for alert in alerts.list_open(bank)} == {
        AlertKind.LOAN_OVERDUE,
        AlertKind.PURCHASER_OVERDUE,
        AlertKind.REPORT_MISSING,
    }
    assert alerts.list_open(former) == []
    assert db.session.get_one(Contract, contract.id).stage.value == "drawn"
