"""Purchasers' payments: who may record them, what they settle, and what is watched over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import event

from market.errors import Code
from market.party import Party
from market.vocabulary import AlertKind, OrganisationKind
from models.alert import Alert
from models.base import db
from models.contract import Contract
from models.loan import Loan
from models.payment import PurchaserPayment
from services import alerts, awards, contract_loans, contract_steps, late_purchasers
from services.clock import run_due
from services.contract_loans import Payment
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party, make_zone, pay_out
from tests.services.conftest import Refusing
from tests.services.test_contract_steps import credit, lock_account, pledge
from tests.services.test_path import ACCOUNT, LATER, make_contract_path, make_drawn_contract_loan

#: The plan of ``make_contract_path``: four million by 15 January, six by 15 June.
JANUARY = date(2027, 1, 15)


def pay(
    contract: Contract, number: str, amount: int, on: date | None, by: Party, now: datetime, to: str = ACCOUNT
) -> PurchaserPayment:
    return contract_loans.record_payment(
        contract.id, Payment(number, amount, on, payee_account=to), by=by, now=now
    )


def open_kinds(officer: Party) -> list[AlertKind]:
    db.session.expire_all()
    kinds = [alert.kind for alert in alerts.list_open(officer)]
    # Lenders' monthly reports are due by themselves.
    return [kind for kind in kinds if kind is not AlertKind.REPORT_MISSING]


def test_only_those_concerned_record_a_payment_and_once(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    on = date(2026, 11, 23)
    for stranger, code in (
        (firm, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_FOUND),
        (make_party(OrganisationKind.PURCHASER, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
    ):
        with refuses(code):
            pay(contract, "T1", MILLION, on, stranger, later)
    pay(contract, "T1", MILLION, on, bank, later)
    for number in ("T1", " T1 "):
        with refuses(Code.ALREADY_EXISTS, "transaction_id"):
            pay(contract, number, MILLION, on, purchaser, later)
    for amount, day, number, code in (
        (0, on, "T2", Code.TOO_SMALL),
        (1, date(2026, 11, 24), "T2", Code.TOO_LARGE),
        (1, on, " ", Code.REQUIRED),
        (1, on, "T" * 201, Code.TOO_LONG),
    ):
        with refuses(code):
            pay(contract, number, amount, day, purchaser, later)


def test_every_fen_of_a_payment_is_somewhere(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    for month, amount in ((1, 1_234_567_89), (2, 3), (3, 765_432_11), (4, 5 * MILLION)):
        now_then = later + timedelta(days=40 * month)
        pay(contract, f"T{month}", amount, (now_then - timedelta(days=1)).date(), purchaser, now_then)
    stored = db.session.get_one(Loan, loan.id)
    for row in stored.repayments:
        assert row.amount == row.fees + row.interest + row.principal + row.remainder
    assert sum(row.amount for row in stored.repayments) == 7 * MILLION + 3
    assert stored.outstanding == 7 * MILLION - sum(row.principal for row in stored.repayments)
    assert stored.outstanding == sum(line.principal - line.paid_principal for line in stored.instalments)
    assert contract_loans.read_standing(stored.contract).financed == stored.outstanding  # type: ignore[arg-type]
    assert awards.list_deals(bank)[0].id == loan.id


def test_a_late_purchaser_is_told_of_once_per_due_date(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, _, purchaser, contract, _, _ = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    day_due, day_after = (
        datetime(2027, 1, 15, 15, 59, tzinfo=now.tzinfo),
        datetime(2027, 1, 15, 16, 1, tzinfo=now.tzinfo),
    )
    # The day ends in Shanghai, at four in the afternoon UTC.
    assert late_purchasers.list_overdue(firm.zone_id, day_due) == []
    assert late_purchasers.list_overdue(firm.zone_id, day_after) == [contract.id]
    run_due(firm.zone_id, now=day_after, sealer=sealer)
    assert open_kinds(officer) == [AlertKind.PURCHASER_OVERDUE]
    assert run_due(firm.zone_id, now=day_after, sealer=sealer)["late purchasers"] == 0
    # Part of what is due does not make the purchaser punctual.
    pay(contract, "T1", MILLION, date(2027, 1, 16), purchaser, day_after)
    assert open_kinds(officer) == [AlertKind.PURCHASER_OVERDUE]
    (late,) = [row for row in alerts.list_open(officer) if row.kind is AlertKind.PURCHASER_OVERDUE]
    alerts.resolve(late.id, "已电话催收", by=officer, now=day_after)
    # What an officer has settled does not come back with the next tick.
    assert run_due(firm.zone_id, now=day_after + timedelta(days=1), sealer=sealer)["late purchasers"] == 0
    assert open_kinds(officer) == []
    run_due(firm.zone_id, now=day_after + timedelta(days=160), sealer=sealer)
    assert AlertKind.PURCHASER_OVERDUE not in open_kinds(officer)
    pay(contract, "T2", 3 * MILLION, date(2027, 6, 20), purchaser, day_after + timedelta(days=160))
    run_due(firm.zone_id, now=day_after + timedelta(days=160), sealer=sealer)
    assert AlertKind.PURCHASER_OVERDUE in open_kinds(officer)
    pay(contract, "T3", 6 * MILLION, date(2027, 6, 20), purchaser, day_after + timedelta(days=160))
    assert AlertKind.PURCHASER_OVERDUE not in open_kinds(officer)


def test_a_purchaser_that_catches_up_before_the_drawdown_is_late_no_more(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    officer, late = make_officer(now=now), now + timedelta(days=70)
    run_due(firm.zone_id, now=late, sealer=sealer)
    assert open_kinds(officer) == [AlertKind.PURCHASER_OVERDUE]
    pay(contract, "T1", 4 * MILLION, date(2027, 1, 20), purchaser, late)
    assert open_kinds(officer) == []
    (alert,) = alerts.list_resolved(officer)
    assert (alert.resolution, alert.resolved_by) == ("paid", None)


def test_a_payment_without_a_date_or_beyond_the_contract_is_watched(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, _, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now)
    pay(contract, "T0", MILLION, None, purchaser, later)
    assert open_kinds(officer) == [AlertKind.UNDATED_PAYMENT]
    assert db.session.get_one(Loan, loan.id).repayments == []
    pay(contract, "T1", 11 * MILLION, date(2026, 11, 23), purchaser, later, "6222")
    assert set(open_kinds(officer)) == {
        AlertKind.UNDATED_PAYMENT,
        AlertKind.OVERPAID,
        AlertKind.WRONG_ACCOUNT,
    }
    assert db.session.get_one(Loan, loan.id).outstanding == 7 * MILLION


def test_the_locked_account_is_known_in_every_spelling(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, _, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    pay(contract, "T1", MILLION, date(2026, 11, 23), purchaser, later, "３７００-0001 23456789")
    assert open_kinds(make_officer(now=now)) == []
    assert db.session.get_one(Loan, loan.id).outstanding < 7 * MILLION


def test_two_loans_on_a_contract_are_settled_oldest_first(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    first = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    contract_steps.confirm(lock_account(contract, bank, later).id, by=purchaser, now=later)
    pledge(contract, bank, later)
    pay_out(first.id, date(2026, 11, 23), by=bank, now=later)
    second = credit(firm, bank, product, contract, later, sealer)
    again = later + LATER
    pay_out(second.id, date(2026, 11, 26), by=bank, now=again)
    payment = pay(contract, "T1", 4 * MILLION, date(2026, 11, 26), purchaser, again)
    one, two = db.session.get_one(Loan, first.id), db.session.get_one(Loan, second.id)
    assert (one.outstanding, two.outstanding) == (0, 0)
    (to_one,), (to_two,) = one.repayments, two.repayments
    # The first takes what it is owed; the second the rest, of which it passes on what it is not owed.
    assert (to_one.principal, to_one.remainder) == (to_one.amount - to_one.interest, 0)
    assert to_one.amount + to_two.amount == payment.amount == 4 * MILLION
    interest = to_one.interest + to_two.interest
    assert to_two.remainder == 4 * MILLION - one.principal - two.principal - interest > 0
    assert two.contract is not None and two.contract.stage.value == "repaid"


def test_looking_for_late_purchasers_asks_as_often_for_many_contracts_as_for_one(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        late_purchasers.list_overdue(firm.zone_id, now + timedelta(days=70))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(asked) <= 5
    assert db.session.query(Alert).count() == 0


def test_a_payment_told_before_the_drawdown_it_follows_settles_with_it(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    loan = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    contract_steps.confirm(lock_account(contract, bank, later).id, by=purchaser, now=later)
    pledge(contract, bank, later)
    told = later + timedelta(days=4)
    row = pay(contract, "T1", MILLION // 2, date(2026, 11, 26), purchaser, told)
    assert row.settled_at is None
    pay_out(loan.id, date(2026, 11, 24), by=bank, now=told)
    db.session.expire_all()
    (receipt,) = db.session.get_one(Loan, loan.id).repayments
    assert (receipt.paid_on, receipt.amount, receipt.source) == (
        date(2026, 11, 26),
        MILLION // 2,
        "purchaser",
    )
    drawn = next(step for step in db.session.get_one(Contract, contract.id).steps if step.stage == "drawn")
    assert drawn.happened_on == date(2026, 11, 24)
