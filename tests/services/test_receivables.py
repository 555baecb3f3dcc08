"""Receivables: entered once, confirmed by the debtor, offered to one lender, freed in the end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from market.errors import Code, Conflict, Forbidden, Invalid, NotFound
from market.party import Party, clock
from market.receivable_vocabulary import FinancingMode, ReceivableState, ReceivableUse
from market.vocabulary import AlertKind, OrganisationKind, Purpose, Security
from models.alert import Alert
from models.base import db, transaction
from models.financing import ContractMode, Financing
from models.loan import Loan
from models.organisation import Organisation
from models.receivable import Receivable
from services import alerts, awards, loans, needs, opening, receivable_uses, receivables
from services.clock import run_due
from services.receivables import Entry
from services.sealing import Sealer
from tests.factories import (
    MILLION,
    make_need,
    make_officer,
    make_party,
    make_product,
    make_zone,
    pay_out,
    place_bid,
)
from tests.services.conftest import Refusing
from tests.services.test_path import make_contract_path

LATER = timedelta(days=3, seconds=1)
ISSUED, DUE = date(2026, 11, 2), date(2027, 6, 30)


def make_entry(debtor: Party | None = None, **values: Any) -> Entry:
    code = db.session.get_one(Organisation, debtor.organisation_id).credit_code if debtor else ""
    usual: dict[str, Any] = {
        "contract_number": "JN-2026-0042",
        "invoice_number": "26370000000001234567",
        "amount": 6 * MILLION,
        "issued_on": ISSUED,
        "due_on": DUE,
        "debtor_code": code,
    }
    return Entry(**usual | values)


def make_receivable(firm: Party, debtor: Party, *, now: datetime, **values: Any) -> Receivable:
    """Enter an invoice of six million yuan and let its debtor confirm it."""
    (row,) = receivables.enter([make_entry(debtor, **values)], by=firm, now=now)
    return receivables.confirm(row.id, by=debtor, now=now)


def make_loan(
    firm: Party, rows: list[Receivable], *, now: datetime, sealer: Sealer, amount: int = 5 * MILLION
) -> tuple[Party, Loan]:
    """Let a new bank win a need that offers receivables; return it with the loan."""
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now, months_min=1, contract_ratio=Decimal("0.9"))
    ids = [row.id for row in rows]
    need = make_need(firm, now=now, receivables=ids, months=6, amount=amount, joins_matching=False)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    return bank, awards.list_deals(bank)[0]


def read_financed() -> dict[int | None, int]:
    db.session.expire_all()
    rows = db.session.scalars(select(Financing).where(Financing.ended_at.is_(None)))
    return {row.receivable_id: row.financed for row in rows}


def test_an_invoice_is_entered_once_whatever_contract_it_is_said_to_belong_to(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    (row,) = receivables.enter([make_entry(debtor)], by=firm, now=now)
    again = make_entry(debtor, invoice_number="2637-0000 0000 0123 4567", contract_number="另一份合同")
    with refuses(Code.ALREADY_EXISTS, "1.invoice_number"):
        receivables.enter([make_entry(debtor, invoice_number="2"), again], by=firm, now=now)
    receivables.withdraw(row.id, by=firm, now=now)
    (anew,) = receivables.enter([again], by=firm, now=now)
    # Another supplier's number may be the same.
    other = make_party(now=now)
    receivables.enter([make_entry(debtor)], by=other, now=now)
    assert anew.debtor_name == db.session.get_one(Organisation, debtor.organisation_id).name_zh


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"invoice_number": "——"}, Code.REQUIRED, "0.invoice_number"),
        ({"amount": 0}, Code.TOO_SMALL, "0.amount"),
        ({"due_on": date(2026, 11, 1)}, Code.OUT_OF_ORDER, "0.due_on"),
        ({"issued_on": date(2026, 11, 21)}, Code.TOO_LARGE, "0.issued_on"),
        ({"debtor_code": ""}, Code.REQUIRED, "0.debtor_name"),
        ({"debtor_code": "91999999MA0000001A"}, Code.BAD_CREDIT_CODE, "0.debtor_code"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invoice_that_cannot_be_is_refused_by_field(
    app: Flask, now: datetime, values: dict[str, Any], code: Code, field: str, refuses: Refusing
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    with refuses(code, field):
        receivables.enter([make_entry(debtor, **values)], by=firm, now=now)


def test_only_what_its_debtor_or_an_officer_confirmed_can_be_offered(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.ENTERPRISE, now=now)
    (row,) = receivables.enter([make_entry(debtor)], by=firm, now=now)
    with refuses(Code.NOT_FINANCEABLE, "receivables"):
        make_need(firm, now=now, receivables=[row.id], closes_in=None)
    with pytest.raises(Forbidden):
        receivables.confirm(row.id, by=firm, now=now)
    with pytest.raises(NotFound):
        receivables.confirm(row.id, by=make_party(now=now), now=now)
    receivables.request_confirmation(row.id, by=firm, now=now)
    receivables.refuse(row.id, "金额不符", by=debtor, now=now)
    receivables.request_confirmation(row.id, by=firm, now=now)
    row = receivables.confirm(row.id, by=make_officer(now=now), now=now)
    assert (row.state, row.why) == (ReceivableState.CONFIRMED, None)
    need = make_need(firm, now=now, receivables=[row.id], closes_in=None)
    assert [one.id for one in need.receivables] == [row.id]
    assert Security.RECEIVABLE_PLEDGE in need.securities
    with refuses(Code.ABOVE_FINANCEABLE, "amount"):
        make_need(firm, now=now, receivables=[row.id], amount=6 * MILLION + 1, closes_in=None)
    other = make_party(now=now)
    with refuses(Code.NOT_FOUND):
        make_need(other, now=now, receivables=[row.id], closes_in=None)
    with refuses(Code.ONE_LENDER, "syndicated"):
        make_need(firm, now=now, receivables=[row.id], syndicated=True, closes_in=None)


def test_a_debtor_that_lets_its_thirty_days_pass_is_told_of_once_a_request(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    (row,) = receivables.enter([make_entry(debtor)], by=firm, now=now)
    receivables.request_confirmation(row.id, by=firm, now=now)
    late = now + timedelta(days=31)
    assert run_due(firm.zone_id, now=now + timedelta(days=30), sealer=sealer)["unconfirmed rights"] == 0
    assert run_due(firm.zone_id, now=late, sealer=sealer)["unconfirmed rights"] == 1
    assert run_due(firm.zone_id, now=late, sealer=sealer)["unconfirmed rights"] == 0
    officer = make_officer(now=now)
    (alert,) = [one for one in alerts.list_open(officer) if one.kind is AlertKind.RIGHT_UNCONFIRMED]
    assert alert.details["due_on"] == "2026-12-20"
    alerts.resolve(alert.id, "已电话催办", by=officer, now=late)
    assert receivables.list_unconfirmed(firm.zone_id, late) == []
    receivables.confirm(row.id, by=debtor, now=late)
    assert receivables.list_unconfirmed(firm.zone_id, late + timedelta(days=60)) == []


def test_each_receivable_carries_its_part_until_the_loan_is_repaid(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.ENTERPRISE, now=now)
    one = make_receivable(firm, debtor, now=now, amount=8 * MILLION, due_on=date(2027, 5, 31))
    two = make_receivable(firm, debtor, now=now, amount=4 * MILLION, invoice_number="2", contract_number="B")
    bank, loan = make_loan(firm, [one, two], now=now, sealer=sealer, amount=5 * MILLION)
    financed = read_financed()
    assert sum(financed.values()) == 5 * MILLION
    assert abs(financed[one.id] - 2 * financed[two.id]) <= 2
    assert receivable_uses.read_uses([one, two])[one.id] is ReceivableUse.PROMISED
    later = now + LATER
    # One lender an invoice: what is left of it is nobody else's, and it cannot be taken back.
    with pytest.raises(Conflict) as refused:
        make_loan(firm, [one], now=later, sealer=sealer, amount=MILLION)
    assert refused.value.faults[0].code is Code.ALREADY_FINANCED
    with refuses(Code.ALREADY_FINANCED):
        receivables.withdraw(one.id, by=firm, now=later)

    pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    assert receivable_uses.read_uses([one])[one.id] is ReceivableUse.FINANCED
    day = date(2026, 12, 23)
    after = later + timedelta(days=40)
    paid = loans.record_repayment(loan.id, MILLION, day, "R1", by=bank, now=after)
    assert sum(read_financed().values()) == 5 * MILLION - paid.principal
    # What falls due first is freed first.
    assert read_financed()[two.id] == financed[two.id]
    rest = loans.read_payoff(db.session.get_one(Loan, loan.id), day)
    loans.record_repayment(loan.id, rest, day, "R2", by=bank, now=after)
    assert read_financed() == {}
    receivables.note_paid(one.id, 8 * MILLION, by=debtor, now=after)
    one = db.session.get_one(Receivable, one.id)
    assert receivable_uses.read_uses([one])[one.id] is ReceivableUse.PAID


def test_invoices_of_one_contract_may_have_several_lenders_within_what_the_contract_carries(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, _, _, purchaser, contract = make_contract_path(now)
    spelt = "合同编号：ＪＮ－２０２６－００４２"
    rows = [
        make_receivable(firm, purchaser, now=now, contract_number=spelt, invoice_number=str(number))
        for number in (1, 2)
    ]
    assert {row.contract_id for row in rows} == {contract.id}
    make_loan(firm, [rows[0]], now=now, sealer=sealer, amount=5 * MILLION)
    # Ten million in all: five are lent, so that another lender finds room for four at nine tenths.
    with pytest.raises(Invalid) as short:
        make_loan(firm, [rows[1]], now=now, sealer=sealer, amount=4 * MILLION + 1)
    assert short.value.faults[0].values["most"] == 4 * MILLION
    bank, loan = make_loan(firm, [rows[1]], now=now, sealer=sealer, amount=4 * MILLION)
    assert read_financed() == {rows[0].id: 5 * MILLION, rows[1].id: 4 * MILLION}
    # While an invoice is financed alone, the contract is not, and its firm is not told who lends.
    with pytest.raises(Conflict) as refused:
        make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, months=6)
    assert refused.value.faults[0].code is Code.ALREADY_FINANCED
    kind = AlertKind.FINANCING_REFUSED
    (alert,) = db.session.scalars(select(Alert).where(Alert.kind == kind))
    assert alert.loan_id is not None
    told = {party: [one.kind for one in alerts.list_open(party)] for party in (firm, purchaser)}
    assert told == {firm: [], purchaser: []}
    lender = db.session.get_one(Loan, alert.loan_id).lender_id
    assert (kind in [one.kind for one in alerts.list_open(bank)]) is (bank.organisation_id == lender)
    loans.cancel(loan.id, by=bank, now=now + LATER)
    assert read_financed() == {rows[0].id: 5 * MILLION}


def test_the_database_itself_refuses_the_second_way_to_finance_a_contract(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, _, purchaser, contract = make_contract_path(now)
    row = make_receivable(firm, purchaser, now=now)
    make_loan(firm, [row], now=now, sealer=sealer)
    key = contract.financing_key
    claim = {"contract_id": contract.id, "lender_id": bank.organisation_id, "financed": 1, "started_at": now}
    whole = {"key": key, "live_key": key, "live_mode": FinancingMode.WHOLE}
    for statement in (
        insert(Financing).values(claim | whole),
        insert(ContractMode).values(contract_key=key, mode=FinancingMode.WHOLE),
        ContractMode.__table__.update().values(mode=FinancingMode.WHOLE),  # type: ignore[attr-defined]
    ):
        with pytest.raises((IntegrityError, Conflict)), transaction() as session:
            session.execute(statement)


def test_a_receivable_is_seen_by_its_two_sides_its_lender_and_who_watches(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    row = make_receivable(firm, debtor, now=now)
    stranger = make_party(OrganisationKind.BANK, now=now)
    bank, _ = make_loan(firm, [row], now=now, sealer=sealer)
    for party in (firm, debtor, bank, make_officer(now=now)):
        assert receivables.find(row.id, by=party).id == row.id
        assert [one.id for one in receivables.list_all(party)] == [row.id]
    elsewhere = make_zone(now=now).id
    for party in (stranger, make_party(now=now), make_officer(now=now, zone_id=elsewhere)):
        with pytest.raises(NotFound):
            receivables.find(row.id, by=party)
        assert receivables.list_all(party) == []


def test_a_need_is_published_only_while_its_receivables_still_carry_it(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, debtor = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    row = make_receivable(firm, debtor, now=now)
    draft = make_need(firm, now=now, receivables=[row.id], closes_in=None)
    receivables.note_paid(row.id, 2 * MILLION, by=debtor, now=now)
    with refuses(Code.ABOVE_FINANCEABLE, "amount"):
        needs.publish(draft.id, now + timedelta(days=3), by=firm, now=now)
