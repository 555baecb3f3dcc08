"""A locked account becomes another one only as purchaser and lender agree, and everybody can look it up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

from flask import Flask

from market.errors import Code
from market.ladder_vocabulary import AccountChangeState, AccountNoticeKind, SideState
from market.party import Party, clock
from market.vocabulary import AlertKind, Capability, OrganisationKind
from models.account_change import AccountChange
from models.base import db, transaction
from models.contract import Contract
from models.loan import Loan
from models.payment import PurchaserPayment
from services import (
    account_changes,
    account_notices,
    alerts,
    contract_loans,
    contract_steps,
    loans,
    payment_watch,
    side_states,
)
from services.contract_loans import Payment
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party, make_user
from tests.services.conftest import Refusing
from tests.services.test_contract_steps import credit, lock_account
from tests.services.test_path import ACCOUNT, LATER, make_contract_path, make_drawn_contract_loan
from tests.services.test_races import race

NEW = "6222 0200 0000 1111"


def ask(contract: Contract, by: Party, now: datetime, account: str = NEW) -> AccountChange:
    return account_changes.request(
        contract.id, account, "测试银行", "开户行撤并", "补充协议 BC-042-2", by=by, now=now
    )


def second(by: Party, now: datetime) -> Party:
    """Another approver of the same organisation."""
    return replace(by, user_id=make_user(now=now).id)


def read(contract: Contract) -> Contract:
    db.session.expire_all()
    return db.session.get_one(Contract, contract.id)


def test_purchaser_and_lender_consent_and_the_change_is_published_masked(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer)
    change = ask(contract, firm, later)
    assert SideState.ACCOUNT_CHANGE_REQUESTED in side_states.read(contract, by=purchaser, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        ask(contract, bank, later)
    account_changes.agree(change.id, by=bank, now=later)
    another = second(bank, now)
    with refuses(Code.ILLEGAL_MOVE):
        account_changes.agree(change.id, by=another, now=later)
    assert read(contract).payee_account == ACCOUNT
    changed = later + timedelta(days=1)
    account_changes.agree(change.id, by=purchaser, now=changed)
    assert (read(contract).payee_account, read(contract).payee_bank) == (NEW, "测试银行")
    assert side_states.read(contract, by=purchaser, now=changed) == []

    found = account_notices.find_page(contract.zone_id)
    assert [(row.kind, row.account) for row in found.rows] == [
        (AccountNoticeKind.CHANGED, "****1111"),
        (AccountNoticeKind.LOCKED, "****6789"),
    ]
    assert found.rows[0].published_at == changed and found.total == 2
    assert found.rows[0].contract_number == contract.number

    # Into the new account in another spelling the loan is paid; into the old one it is a wrong account.
    january = later + timedelta(days=53)
    for number, to in (("T1", "６２２２-0200-0000-1111"), ("T2", ACCOUNT)):
        contract_loans.record_payment(
            contract.id,
            Payment(number, MILLION, date(2027, 1, 15), payee_account=to),
            by=purchaser,
            now=january,
        )
    assert [row.amount for row in db.session.get_one(Loan, loan.id).repayments] == [MILLION]
    kinds = [alert.kind for alert in alerts.list_open(make_officer(now=now))]
    assert AlertKind.WRONG_ACCOUNT in kinds


def test_the_three_are_three_people_and_only_those_concerned_take_part(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    rival, officer = make_party(OrganisationKind.BANK, now=now), make_officer(now=now)
    with refuses(Code.NOT_FOUND):
        ask(contract, rival, later)
    with refuses(Code.NOT_ALLOWED):
        ask(contract, purchaser, later)
    with refuses(Code.ALREADY_EXISTS, "payee_account"):
        ask(contract, firm, later, ACCOUNT.replace(" ", "-"))
    with refuses(Code.REQUIRED, "evidence"):
        account_changes.request(contract.id, NEW, None, "x", " ", by=firm, now=later)
    change = ask(contract, bank, later)
    with refuses(Code.SAME_PERSON):
        account_changes.agree(change.id, by=bank, now=later)
    for stranger in (firm, rival, officer):
        with refuses(Code.NOT_FOUND):
            account_changes.agree(change.id, by=stranger, now=later)
    # One person with seats at both sides consents for one of them.
    both = replace(purchaser, capabilities=frozenset({Capability.PURCHASER}))
    account_changes.agree(change.id, by=both, now=later)
    with refuses(Code.SAME_PERSON):
        account_changes.agree(change.id, by=replace(bank, user_id=purchaser.user_id), now=later)
    with refuses(Code.REQUIRED, "why"):
        account_changes.refuse(change.id, " ", by=purchaser, now=later)
    account_changes.refuse(change.id, "协议未盖章", by=purchaser, now=later)
    another = second(bank, now)
    with refuses(Code.ILLEGAL_MOVE):
        account_changes.agree(change.id, by=another, now=later)
    again = ask(contract, firm, later)
    with refuses(Code.NOT_FOUND):
        account_changes.withdraw(again.id, by=bank, now=later)
    account_changes.withdraw(again.id, by=firm, now=later)
    assert account_changes.find_open(contract.id) is None
    assert read(contract).payee_account == ACCOUNT


def test_a_wish_ends_with_the_lock_it_was_about(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    loan = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    step = lock_account(contract, bank, later)
    with refuses(Code.ILLEGAL_MOVE):
        # Until the second person has confirmed it, the lender alone takes a lock back.
        ask(contract, firm, later)
    contract_steps.confirm(step.id, by=purchaser, now=later)
    change = ask(contract, firm, later)
    loans.cancel(loan.id, by=bank, now=later)
    db.session.expire_all()
    stored = db.session.get_one(AccountChange, change.id)
    assert (stored.state, stored.why) == (AccountChangeState.WITHDRAWN, "loan_cancelled")
    assert account_notices.find_page(contract.zone_id).total == 0


def test_of_many_consents_at_once_each_side_gives_one(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    change = ask(contract, firm, later)
    deeds = [partial(account_changes.agree, change.id, by=by, now=later) for by in (bank, purchaser) * 3]
    outcomes = race(app, deeds)
    assert outcomes == {"done": 2, "illegal_move": 4}
    assert read(contract).payee_account == NEW


def test_the_clock_looks_once_at_payments_that_an_import_brought(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer)
    change = ask(contract, firm, later + timedelta(days=5))
    account_changes.agree(change.id, by=bank, now=later + timedelta(days=5))
    account_changes.agree(change.id, by=purchaser, now=later + timedelta(days=5))
    brought = [
        ("right", date(2026, 12, 20), NEW),
        ("spelled otherwise", date(2026, 12, 20), NEW.replace(" ", "-")),
        ("right then", date(2026, 11, 25), ACCOUNT),
        ("before the lock", date(2026, 11, 1), "1"),
        ("names none", date(2026, 12, 20), None),
        ("wrong", date(2026, 12, 20), "6217 9900"),
        ("wrong by then", date(2026, 12, 20), ACCOUNT),
    ]
    with transaction() as session:
        for number, paid_on, account in brought:
            session.add(
                PurchaserPayment(
                    contract_id=contract.id,
                    transaction_id=number,
                    paid_on=paid_on,
                    amount=1,
                    payee_account=account,
                    recorded_at=later,
                )
            )
    tick = later + timedelta(days=30)
    officer = make_officer(now=now)
    unwatched = payment_watch.list_unwatched(contract.zone_id)
    assert len(unwatched) == len(brought)
    for payment_id in unwatched:
        payment_watch.watch(payment_id, by=clock(contract.zone_id), now=tick)
    wrong = [alert for alert in alerts.list_open(officer) if alert.kind is AlertKind.WRONG_ACCOUNT]
    names = {f"payment:{row.id}": row.transaction_id for row in db.session.query(PurchaserPayment)}
    assert sorted(names[alert.subject] for alert in wrong) == ["wrong", "wrong by then"]
    alerts.resolve(wrong[0].id, "已更正", by=officer, now=tick)
    assert payment_watch.list_unwatched(contract.zone_id) == []
    payment_watch.watch(unwatched[0], by=clock(contract.zone_id), now=tick)
