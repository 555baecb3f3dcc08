"""The contract registry: what may be entered by whom, and who reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask

from market.errors import Code
from market.vocabulary import ContractStage, OrganisationKind, Purpose
from models.base import db
from models.contract import Contract
from models.organisation import Organisation
from services import contracts
from services.contracts import Entry
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_zone
from tests.services.conftest import Refusing
from tests.services.test_contract_steps import credit
from tests.services.test_path import make_contract_path


def make_entry(supplier_id: int | None, purchaser_id: int | None) -> Entry:
    supplier = db.session.get_one(Organisation, supplier_id)
    purchaser = db.session.get_one(Organisation, purchaser_id)
    return Entry(
        process_id="P1",
        number="C-1",
        title="合同",
        amount=MILLION,
        purchaser_code=purchaser.credit_code,
        supplier_code=supplier.credit_code,
        signed_on=date(2026, 11, 20),
    )


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"process_id": " "}, Code.REQUIRED, "process_id"),
        ({"number": "——"}, Code.REQUIRED, "number"),
        ({"number": "1" * 161}, Code.TOO_LONG, "number"),
        ({"title": "长" * 401}, Code.TOO_LONG, "title"),
        ({"amount": 0}, Code.TOO_SMALL, "amount"),
        ({"amount": 2**63}, Code.TOO_LARGE, "amount"),
        ({"retention": -1}, Code.TOO_SMALL, "retention"),
        ({"retention": MILLION}, Code.TOO_LARGE, "retention"),
        ({"payment_days": 61}, Code.TOO_LARGE, "payment_days"),
        ({"payment_days": -1}, Code.TOO_SMALL, "payment_days"),
        ({"signed_on": date(2026, 11, 21)}, Code.TOO_LARGE, "signed_on"),
        ({"ends_on": date(2026, 11, 19)}, Code.OUT_OF_ORDER, "ends_on"),
        ({"supplier_code": "9199"}, Code.BAD_CREDIT_CODE, "supplier_code"),
        ({"plan": ((date(2027, 1, 1), MILLION - 1),)}, Code.AMOUNT_MISMATCH, "plan"),
        ({"plan": ((date(2027, 1, 1), MILLION), (date(2027, 2, 1), 0))}, Code.TOO_SMALL, "plan"),
        (
            {"plan": ((date(2027, 2, 1), 1), (date(2027, 1, 1), MILLION - 1))},
            Code.OUT_OF_ORDER,
            "plan",
        ),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_name_and_leaves_nothing(
    app: Flask, now: datetime, refuses: Refusing, values: dict[str, Any], code: Code, field: str
) -> None:
    purchaser = make_party(OrganisationKind.PURCHASER, now=now)
    entry = make_entry(make_party(now=now).organisation_id, purchaser.organisation_id)
    with refuses(code, field):
        contracts.register(replace(entry, **values), by=purchaser, now=now)


def test_a_contract_is_entered_by_one_of_its_sides_or_an_officer_and_once(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    entry = make_entry(firm.organisation_id, purchaser.organisation_id)
    for stranger, code in (
        (make_party(now=now), Code.WRONG_SUPPLIER),
        (make_party(OrganisationKind.PURCHASER, now=now), Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_ALLOWED),
    ):
        with refuses(code):
            contracts.register(entry, by=stranger, now=now)
    contract = contracts.register(entry, by=firm, now=now)
    assert contract.stage is ContractStage.SIGNED
    for again in (entry, replace(entry, process_id=" P1 ", number=" C-1")):
        with refuses(Code.ALREADY_EXISTS, "number"):
            contracts.register(again, by=purchaser, now=now)


def test_what_a_supplier_enters_carries_no_loan_until_its_purchaser_or_an_officer_confirms_it(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    entry = make_entry(firm.organisation_id, purchaser.organisation_id)
    contract = contracts.register(entry, by=firm, now=now)
    assert contract.obstacles == ["unconfirmed"]
    draft = {"purpose": Purpose.CONTRACT, "contract_id": contract.id, "amount": MILLION, "months": 3}
    with refuses(Code.NOT_FINANCEABLE, "contract_id"):
        make_need(firm, now=now, **draft)
    away = make_zone(now=now).id
    officer = make_officer(now=now)
    for stranger, code in (
        (firm, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.PURCHASER, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=away), Code.NOT_FOUND),
    ):
        with refuses(code):
            contracts.confirm(contract.id, by=stranger, now=now)
    contracts.confirm(contract.id, by=purchaser, now=now)
    assert make_need(firm, now=now, **draft).contract_id == contract.id
    with refuses(Code.ILLEGAL_MOVE):
        contracts.confirm(contract.id, by=officer, now=now)
    by_purchaser = replace(entry, process_id="P2", number="C-2")
    assert contracts.register(by_purchaser, by=purchaser, now=now).obstacles == []


def test_each_reads_a_contract_as_far_as_it_is_concerned(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    rival = make_party(OrganisationKind.BANK, now=now)
    away = make_zone(now=now).id
    for party in (firm, purchaser, make_officer(now=now), make_party(OrganisationKind.AGENCY, now=now)):
        assert contracts.find(contract.id, by=party).id == contract.id
        assert contracts.find_page(party).total == 1
    for party in (bank, make_party(now=now), make_officer(now=now, zone_id=away)):
        with refuses(Code.NOT_FOUND):
            contracts.find(contract.id, by=party)
        assert contracts.find_page(party).total == 0
    draft = {"purpose": Purpose.CONTRACT, "contract_id": contract.id, "amount": MILLION, "months": 6}
    make_need(firm, now=now, closes_in=None, **draft)
    with refuses(Code.NOT_FOUND):
        contracts.find(contract.id, by=bank)
    credit(firm, bank, product, contract, now, sealer)
    # Whoever was asked to lend may read the contract; only the lender is a party to it.
    assert contracts.find(contract.id, by=rival).id == contract.id
    stored = db.session.get_one(Contract, contract.id)
    assert (contracts.is_party(stored, by=bank), contracts.is_party(stored, by=rival)) == (True, False)
    assert (contracts.find_page(bank).total, contracts.find_page(rival).total) == (1, 0)


def test_an_acceptance_starts_the_statutory_term(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    entry = make_entry(firm.organisation_id, purchaser.organisation_id)
    contract = contracts.register(entry, by=firm, now=now)
    other = make_party(OrganisationKind.PURCHASER, now=now)
    for party, on, code in (
        (firm, date(2026, 11, 20), Code.NOT_ALLOWED),
        (other, date(2026, 11, 20), Code.NOT_FOUND),
        (purchaser, date(2026, 11, 21), Code.TOO_LARGE),
    ):
        with refuses(code):
            contracts.note_acceptance(contract.id, on, by=party, now=now)
    # Thirty days, where the contract names no term (SME payment regulation, 2025-06-01).
    noted = contracts.note_acceptance(contract.id, date(2026, 11, 20), by=purchaser, now=now)
    assert noted.last_due_on == date(2026, 12, 20)
