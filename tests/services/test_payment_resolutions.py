"""A place to resolve each payment: dated, accepted, passed on, sent back, taken back; matched when known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from market.errors import Code
from market.party import Party
from market.payment_vocabulary import PaymentResolution, PaymentState
from market.vocabulary import AlertKind, OrganisationKind
from models.alert import Alert
from models.audit import AuditEntry
from models.base import db
from models.contract import Contract
from models.loan import Loan
from models.payment import PurchaserPayment, UnmatchedPayment
from services import (
    alerts,
    contracts,
    needs,
    organisations,
    payment_matching,
    payment_resolutions,
    payments,
)
from services.contract_loans import Payment
from services.contracts import Entry
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party, make_zone
from tests.services.conftest import Refusing
from tests.services.test_contract_loans import open_kinds, pay
from tests.services.test_path import ACCOUNT, make_contract_path, make_drawn_contract_loan

DAY = date(2026, 11, 23)


def read(row: PurchaserPayment) -> PurchaserPayment:
    db.session.expire_all()
    return db.session.get_one(PurchaserPayment, row.id)


def paid(contract: Contract) -> int:
    return needs.sum_paid(db.session(), contract.id)


def owed(loan: Loan) -> int:
    db.session.expire_all()
    return db.session.get_one(Loan, loan.id).outstanding


def test_an_undated_payment_settles_once_it_has_its_day(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    row = pay(contract, "T0", MILLION, None, purchaser, later)
    officer = make_officer(now=now)
    assert row.state is PaymentState.UNDATED and payments.count_waiting(officer) == {PaymentState.UNDATED: 1}
    for stranger, code in (
        (firm, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
    ):
        with refuses(code):
            payment_resolutions.put_date(row.id, DAY, by=stranger, now=later)
    with refuses(Code.TOO_LARGE, "paid_on"):
        payment_resolutions.put_date(row.id, DAY + timedelta(days=9), by=bank, now=later)
    payment_resolutions.put_date(row.id, DAY, by=purchaser, now=later)
    assert open_kinds(officer) == [] and owed(loan) < 7 * MILLION
    # A million in time, of the four that the plan asks for first.
    assert read(row).state is PaymentState.PARTIAL and read(row).settled_at is not None
    with refuses(Code.ILLEGAL_MOVE):
        payment_resolutions.put_date(row.id, DAY, by=purchaser, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        payment_resolutions.reopen(row.id, by=officer, now=later)
    # What it paid of the loan is owed again once it turns out to be none.
    payment_resolutions.correct(row.id, "记错", by=officer, now=later)
    assert (owed(loan), paid(contract), read(row).settled_at) == (7 * MILLION, 0, None)


def test_a_date_is_taken_back_while_no_money_has_moved(app: Flask, now: datetime) -> None:
    _, _, _, purchaser, contract = make_contract_path(now)
    row = pay(contract, "T0", MILLION, None, purchaser, now)
    payment_resolutions.put_date(row.id, date(2026, 11, 19), by=purchaser, now=now)
    assert paid(contract) == MILLION
    payment_resolutions.reopen(row.id, by=purchaser, now=now)
    assert read(row).state is PaymentState.UNDATED and paid(contract) == 0


def test_money_in_another_account_counts_once_the_lender_agrees_in_writing(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    row = pay(contract, "T1", MILLION, DAY, purchaser, later, "6222")
    assert row.state is PaymentState.WRONG_ACCOUNT and open_kinds(officer) == [AlertKind.WRONG_ACCOUNT]
    for person in (officer, purchaser):
        with refuses(Code.NOT_ALLOWED):
            payment_resolutions.accept_account(row.id, "同意函", by=person, now=later)
    with refuses(Code.REQUIRED, "evidence"):
        payment_resolutions.accept_account(row.id, " ", by=bank, now=later)
    payment_resolutions.accept_account(row.id, "同意函1号", by=bank, now=later)
    assert open_kinds(officer) == [] and owed(loan) < 7 * MILLION
    alert = db.session.scalars(select(Alert).where(Alert.kind == AlertKind.WRONG_ACCOUNT)).one()
    assert (alert.resolved_by, alert.resolution) == (bank.user_id, "同意函1号")
    assert db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == "payment.accept_account"))


def test_money_in_another_account_is_passed_on_as_a_payment_of_its_own(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    row = pay(contract, "T1", MILLION, DAY, purchaser, later, "6222")
    with refuses(Code.TOO_LARGE, "amount"):
        payment_resolutions.redirect(
            row.id, Payment("T2", 2 * MILLION, DAY, ACCOUNT), "转回", by=bank, now=later
        )
    fresh = payment_resolutions.redirect(
        row.id, Payment("T2", MILLION, DAY, ACCOUNT), "转回", by=bank, now=later
    )
    assert (fresh.follows_id, fresh.state) == (row.id, PaymentState.PARTIAL)
    assert read(row).state is PaymentState.REVERSED
    assert read(row).resolution is PaymentResolution.REDIRECTED
    assert paid(contract) == MILLION and owed(loan) < 7 * MILLION and open_kinds(officer) == []
    assert {each.state for each in payments.list_linked(read(row))} == {
        PaymentState.REVERSAL,
        PaymentState.PARTIAL,
    }
    for again in (payment_resolutions.send_back, payment_resolutions.correct):
        with refuses(Code.ILLEGAL_MOVE):
            again(row.id, "再来", by=bank, now=later)


def test_money_that_went_back_is_owed_again(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    row = pay(contract, "T1", MILLION, DAY, purchaser, later, "6222")
    payment_resolutions.send_back(row.id, "已退回", by=bank, now=later)
    assert (paid(contract), owed(loan), open_kinds(make_officer(now=now))) == (0, 7 * MILLION, [])


def test_an_excess_is_left_or_returned_and_its_alert_follows(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    row = pay(contract, "T1", 11 * MILLION, DAY, purchaser, later)
    assert (row.state, row.excess) == (PaymentState.OVER, MILLION)
    # Repaid loans are no reason to warn; the state is there all the same.
    payment_resolutions.leave_to_supplier(row.id, "多付部分归供应商", by=bank, now=later)
    assert payments.count_waiting(officer) == {} and AlertKind.OVERPAID not in open_kinds(officer)
    payment_resolutions.reopen(row.id, by=bank, now=later)
    assert payments.count_waiting(officer) == {PaymentState.OVER: 1}
    with refuses(Code.TOO_LARGE, "amount"):
        payment_resolutions.refund(row.id, Payment("R1", 2 * MILLION, DAY), "退款", by=bank, now=later)
    back = payment_resolutions.refund(row.id, Payment("R1", MILLION, DAY), "退款", by=bank, now=later)
    assert (back.amount, back.state, back.follows_id) == (-MILLION, PaymentState.REFUND, row.id)
    assert paid(contract) == 10 * MILLION and payments.count_waiting(officer) == {}


def test_a_wrong_record_is_taken_back_by_a_row_and_can_be_recorded_anew(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    _, _, _, purchaser, contract = make_contract_path(now)
    officer = make_officer(now=now)
    row = pay(contract, "T1", MILLION, date(2026, 11, 19), purchaser, now)
    with refuses(Code.NOT_ALLOWED):
        payment_resolutions.correct(row.id, "记错", by=purchaser, now=now)
    payment_resolutions.correct(row.id, "记错", by=officer, now=now)
    rows = payments.find_page(officer).rows
    assert [(each.amount, each.state) for each in rows] == [
        (-MILLION, PaymentState.REVERSAL),
        (MILLION, PaymentState.REVERSED),
    ]
    assert rows[0].reverses_id == row.id and paid(contract) == 0
    pay(contract, "T1b", 2 * MILLION, date(2026, 11, 19), purchaser, now)
    assert paid(contract) == 2 * MILLION


def entry(firm: Party, purchaser: Party, number: str) -> Entry:
    return Entry(
        process_id=f"P-{number}",
        number=number,
        title="路灯",
        amount=MILLION,
        purchaser_code=organisations.find(purchaser.organisation_id or 0).credit_code,
        supplier_code=organisations.find(firm.organisation_id or 0).credit_code,
        signed_on=date(2026, 6, 1),
        plan=((date(2026, 11, 1), MILLION),),
    )


def test_a_payment_waits_for_its_contract_however_the_number_is_spelt(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    stranger, officer = make_party(OrganisationKind.BANK, now=now), make_officer(now=now)
    told = Payment("T1", 400_000, date(2026, 11, 1))
    row = payment_matching.report("hs-2026／001", told, by=purchaser, now=now)
    assert isinstance(row, UnmatchedPayment) and open_kinds(officer) == [AlertKind.UNMATCHED_PAYMENT]
    with refuses(Code.ALREADY_EXISTS, "transaction_id"):
        payment_matching.report("HS2026/001", told, by=purchaser, now=now)
    # What somebody without a part in it reports is not believed by itself.
    lost = payment_matching.report("HS 2026/001", Payment("T9", 5, date(2026, 11, 1)), by=stranger, now=now)
    contract = contracts.register(entry(firm, purchaser, "HS-2026/001"), by=purchaser, now=now)
    db.session.expire_all()
    (matched,) = payments.find_page(officer).rows
    assert (matched.contract_id, matched.state) == (contract.id, PaymentState.PARTIAL)
    assert [each.id for each in payment_matching.list_unmatched(officer)] == [lost.id]
    assert payment_matching.list_unmatched(purchaser) == []
    # Known by now: recorded at once, in any spelling; for a stranger it stays unmatched and looks the same.
    again = payment_matching.report(
        "ＨＳ-2026-001", Payment("T2", 5, date(2026, 11, 2)), by=purchaser, now=now
    )
    assert isinstance(again, PurchaserPayment)
    more = payment_matching.report("HS2026001", Payment("T3", 5, date(2026, 11, 2)), by=stranger, now=now)
    assert isinstance(more, UnmatchedPayment)
    payment_matching.set_aside(more.id, "非本区合同", by=officer, now=now)
    payment_matching.bring_back(more.id, by=officer, now=now)
    payment_matching.match(lost.id, contract.id, by=officer, now=now)
    assert paid(contract) == 400_010
    with refuses(Code.ILLEGAL_MOVE):
        payment_matching.set_aside(lost.id, "不要", by=officer, now=now)
    # A match that was wrong is taken back with its payment: the report waits again.
    wrong = db.session.get_one(UnmatchedPayment, lost.id).matched_payment_id
    payment_resolutions.correct(wrong or 0, "配错合同", by=officer, now=now)
    assert {each.id for each in payment_matching.list_unmatched(officer)} == {lost.id, more.id}
    payment_matching.match(lost.id, contract.id, by=officer, now=now)
    assert paid(contract) == 400_010
    assert open_kinds(officer) == [AlertKind.UNMATCHED_PAYMENT]
    assert alerts.list_open(stranger) == []


def test_a_number_of_several_contracts_waits_for_a_person(app: Flask, now: datetime) -> None:
    purchaser, officer = make_party(OrganisationKind.PURCHASER, now=now), make_officer(now=now)
    for place in range(2):
        same = replace(entry(make_party(now=now), purchaser, "C-1"), process_id=f"Q{place}")
        row = contracts.register(same, by=purchaser, now=now)
    told = Payment("T1", 5, date(2026, 11, 1))
    waiting = payment_matching.report("C-1", told, by=officer, now=now)
    assert isinstance(waiting, UnmatchedPayment)
    assert len(payment_matching.suggest([waiting], by=officer)[waiting.id]) == 2
    known = payment_matching.report(
        "C-1", replace(told, transaction_id="T2"), by=officer, now=now, supplier_code=row.supplier_code
    )
    assert isinstance(known, PurchaserPayment) and known.contract_id == row.id
