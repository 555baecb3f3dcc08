"""The ladder's steps: who may record, confirm and turn them down, and what is left when a loan goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from market.calendar import local_date
from market.errors import Code
from market.party import Party
from market.vocabulary import Capability, ContractStage, OrganisationKind, ProductFamily, Purpose
from models.base import db
from models.contract import Contract, ContractStep
from models.financing import Financing
from models.loan import Loan
from models.organisation import Organisation
from models.product import Product
from services import audit, awards, bids, contract_steps, contracts, loans, opening, side_states
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
from tests.services.test_path import ACCOUNT, LATER, make_contract_path

TODAY = date(2026, 11, 23)
S = ContractStage


def credit(
    firm: Party,
    bank: Party,
    product: Product,
    contract: Contract,
    now: datetime,
    sealer: Sealer,
    amount: int = MILLION,
) -> Loan:
    """Post a need against the contract, bid, open and accept: the bank is its lender three days later."""
    need = make_need(
        firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=amount, months=6
    )
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    opening.open_bids(need.id, by=firm, now=later, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    return awards.list_deals(bank)[0]


def lock_account(contract: Contract, by: Party, now: datetime, account: str = ACCOUNT) -> ContractStep:
    return contract_steps.record(
        contract.id,
        S.ACCOUNT_LOCKED,
        local_date(now),
        by=by,
        now=now,
        evidence="补充协议 BC-042",
        payee_account=account,
    )


def pledge(contract: Contract, by: Party, now: datetime) -> ContractStep:
    return contract_steps.record(
        contract.id,
        S.PLEDGE_REGISTERED,
        local_date(now),
        by=by,
        now=now,
        pledge_number="0099",
        pledge_expires_on=date(2028, 1, 1),
    )


def read(contract: Contract) -> Contract:
    db.session.expire_all()
    return db.session.get_one(Contract, contract.id)


def test_a_lock_with_a_mistyped_account_is_turned_down_and_recorded_anew(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    wrong = lock_account(contract, bank, later, "3700 0001 2345 6798")
    with refuses(Code.REQUIRED, "why"):
        contract_steps.reject(wrong.id, "  ", by=purchaser, now=later)
    contract_steps.reject(wrong.id, "账号末两位颠倒", by=purchaser, now=later)
    assert read(contract).stage is S.CREDITED
    assert contract_steps.find_pending(contract.id) is None
    assert wrong.id not in {step.id for step in read(contract).steps}
    assert [(step.id, step.undone_why) for step in contract_steps.list_undone(contract.id)] == [
        (wrong.id, "账号末两位颠倒")
    ]
    for verb in (contract_steps.confirm, contract_steps.reject):
        with refuses(Code.ILLEGAL_MOVE):
            args = (wrong.id, "x") if verb is contract_steps.reject else (wrong.id,)
            verb(*args, by=purchaser, now=later)
    right = lock_account(contract, bank, later)
    contract_steps.confirm(right.id, by=purchaser, now=later)
    assert (read(contract).stage, read(contract).payee_account) == (S.ACCOUNT_LOCKED, ACCOUNT)
    actions = [entry.action for entry in audit.list_entries("contracts", contract.id)]
    assert actions[-4:] == [
        "contract.account_locked",
        "contract.account_locked.reject",
        "contract.account_locked",
        "contract.account_locked.confirm",
    ]


def test_whoever_recorded_a_step_may_take_it_back_and_strangers_may_not(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    step = lock_account(contract, bank, later)
    rival = make_party(OrganisationKind.BANK, now=now)
    elsewhere = make_officer(now=now, zone_id=make_zone(now=now).id)
    for stranger, code in (
        (rival, Code.NOT_ALLOWED),
        (firm, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.PURCHASER, now=now), Code.NOT_ALLOWED),
        (elsewhere, Code.NOT_FOUND),
    ):
        for deed in (
            lambda by: contract_steps.confirm(step.id, by=by, now=later),
            lambda by: contract_steps.reject(step.id, "有误", by=by, now=later),
        ):
            with refuses(code):
                deed(stranger)
    with refuses(Code.SAME_PERSON):
        contract_steps.confirm(step.id, by=bank, now=later)
    contract_steps.reject(step.id, "录入有误", by=bank, now=later)
    lock_account(contract, bank, later)


@pytest.mark.parametrize(
    ("stage", "values", "code", "field"),
    [
        (S.ACCOUNT_LOCKED, {}, Code.REQUIRED, "payee_account"),
        (S.ACCOUNT_LOCKED, {"payee_account": "1", "evidence": "  "}, Code.REQUIRED, "evidence"),
        (S.ACCOUNT_LOCKED, {"payee_account": "1" * 41}, Code.TOO_LONG, "payee_account"),
        (S.ACCOUNT_LOCKED, {"payee_account": "1", "payee_bank": "行" * 121}, Code.TOO_LONG, "payee_bank"),
        (S.ACCOUNT_LOCKED, {"payee_account": "1", "evidence": "证" * 301}, Code.TOO_LONG, "evidence"),
        (S.ACCOUNT_LOCKED, {"payee_account": "1", "happened_on": date(2026, 11, 24)}, Code.TOO_LARGE, None),
        (S.PLEDGE_REGISTERED, {"pledge_number": "1"}, Code.REQUIRED, "pledge_expires_on"),
        # A pledge that ends today protects nothing.
        (S.PLEDGE_REGISTERED, {"pledge_number": "1", "pledge_expires_on": TODAY}, Code.OUT_OF_ORDER, None),
        (S.DRAWN, {}, Code.NOT_A_CHOICE, "stage"),
        (S.REPAID, {}, Code.NOT_A_CHOICE, "stage"),
        # Rungs are climbed one by one.
        (
            S.PLEDGE_REGISTERED,
            {"pledge_number": "1", "pledge_expires_on": date(2028, 1, 1)},
            Code.ILLEGAL_MOVE,
            "stage",
        ),
        (S.UNLOCKED, {}, Code.ILLEGAL_MOVE, "stage"),
    ],
)
def test_a_step_that_cannot_be_is_refused_and_leaves_nothing(
    app: Flask,
    now: datetime,
    sealer: Sealer,
    refuses: Refusing,
    stage: ContractStage,
    values: dict[str, Any],
    code: Code,
    field: str | None,
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    given = dict(values)
    on = given.pop("happened_on", TODAY)
    with refuses(code, field):
        contract_steps.record(contract.id, stage, on, by=bank, now=now + LATER, **given)


def test_only_the_lender_locks_and_pledges_and_only_after_the_credit(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    with refuses(Code.NOT_FOUND):
        lock_account(contract, bank, now + LATER)
    credit(firm, bank, product, contract, now, sealer)
    rival = make_party(OrganisationKind.BANK, now=now)
    for stranger, code in (
        (rival, Code.NOT_FOUND),
        (firm, Code.NOT_ALLOWED),
        (purchaser, Code.NOT_ALLOWED),
        (make_officer(now=now), Code.NOT_ALLOWED),
    ):
        with refuses(code):
            lock_account(contract, stranger, now + LATER)


def test_a_cancelled_loan_takes_its_lock_and_pledge_along_for_the_next_lender(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    loan = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    contract_steps.confirm(lock_account(contract, bank, later).id, by=purchaser, now=later)
    pledge(contract, bank, later)
    loans.cancel(loan.id, by=bank, now=later)
    stored = read(contract)
    assert (stored.stage, stored.payee_account, stored.pledge_number) == (S.INTENT, None, None)
    assert [step.stage for step in stored.steps] == [S.SIGNED, S.INTENT]
    assert {step.undone_why for step in contract_steps.list_undone(contract.id)} == {"loan_cancelled"}
    assert [row.ended_at for row in db.session.query(Financing)] == [later]

    other = make_party(OrganisationKind.BANK, now=now)
    own = make_product(
        other, now=now, family=ProductFamily.CONTRACT, contract_ratio=product.contract_ratio, months_min=1
    )
    second = credit(firm, other, own, contract, later, sealer)
    again = later + LATER
    # The former lender's account and pledge do not serve the new one.
    with refuses(Code.NO_PLEDGE):
        pay_out(second.id, date(2026, 11, 26), by=other, now=again)
    with refuses(Code.NOT_FOUND):
        lock_account(contract, bank, again)
    contract_steps.confirm(lock_account(contract, other, again).id, by=purchaser, now=again)
    pledge(contract, other, again)
    pay_out(second.id, date(2026, 11, 26), by=other, now=again)
    assert read(contract).stage is S.DRAWN


def test_a_lock_that_waits_when_the_loan_is_cancelled_can_no_longer_be_confirmed(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    loan = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    step = lock_account(contract, bank, later)
    loans.cancel(loan.id, by=bank, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        contract_steps.confirm(step.id, by=purchaser, now=later)
    assert contracts.list_pending_steps(make_officer(now=now)) == []


def test_cancelling_one_of_two_loans_leaves_the_ladder_to_the_other(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    first = credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    contract_steps.confirm(lock_account(contract, bank, later).id, by=purchaser, now=later)
    pledge(contract, bank, later)
    second = credit(firm, bank, product, contract, later, sealer)
    again = later + LATER
    loans.cancel(second.id, by=bank, now=again)
    assert read(contract).stage is S.PLEDGE_REGISTERED
    pay_out(first.id, date(2026, 11, 26), by=bank, now=again)
    third = credit(firm, bank, product, contract, again, sealer)
    end = again + timedelta(days=30)
    owed = loans.read_owed(db.session.get_one(Loan, first.id)).total
    loans.record_repayment(first.id, owed, date(2027, 5, 26), "R", by=bank, now=now + timedelta(days=200))
    # One loan is repaid, the other waits to be drawn: its cancellation ends the ladder, not the claim.
    assert read(contract).stage is S.DRAWN
    loans.cancel(third.id, by=bank, now=now + timedelta(days=201))
    assert read(contract).stage is S.REPAID
    assert end < now + timedelta(days=200)
    contract_steps.record(
        contract.id, S.PLEDGE_CANCELLED, date(2027, 6, 9), by=bank, now=now + timedelta(days=201)
    )
    # From here on nobody lends on this contract any more.
    with pytest.raises(Exception, match="illegal_move"):
        credit(firm, bank, product, contract, now + timedelta(days=201), sealer)
    contract_steps.record(contract.id, S.UNLOCKED, date(2027, 6, 9), by=bank, now=now + timedelta(days=201))
    assert [row.ended_at is not None for row in db.session.query(Financing)] == [True]


def test_the_supplier_files_its_contract_and_a_bidder_does_not(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, bank, _, _, contract = make_contract_path(now)
    with refuses(Code.NOT_ALLOWED):
        contract_steps.record(contract.id, S.FILED, date(2026, 11, 11), by=bank, now=now, evidence="备案号 1")
    supplier = db.session.get_one(Organisation, firm.organisation_id)
    reader = make_party(now=now, organisation=supplier, capabilities=[Capability.AUDITOR])
    with refuses(Code.NOT_ALLOWED):
        contract_steps.record(
            contract.id, S.FILED, date(2026, 11, 11), by=reader, now=now, evidence="备案号 1"
        )
    contract_steps.record(contract.id, S.FILED, date(2026, 11, 11), by=firm, now=now, evidence="备案号 1")
    assert read(contract).stage is S.FILED
    assert bids.list_own(bank) == []


def test_no_step_is_dated_before_those_under_it_and_a_filing_is_caught_up_on(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, product, _, contract = make_contract_path(now)
    credit(firm, bank, product, contract, now, sealer)
    later = now + LATER
    with refuses(Code.OUT_OF_ORDER, "happened_on"):
        # Credited on the 23rd.
        contract_steps.record(
            contract.id,
            S.ACCOUNT_LOCKED,
            date(2026, 11, 22),
            by=bank,
            now=later,
            evidence="协议",
            payee_account="1",
        )
    lock_account(contract, bank, later)
    assert contract_steps.list_possible(read(contract), firm) == [S.FILED]
    with refuses(Code.OUT_OF_ORDER, "happened_on"):
        contract_steps.record(contract.id, S.FILED, date(2026, 11, 9), by=firm, now=later, evidence="备案 1")
    with refuses(Code.OUT_OF_ORDER, "published_on"):
        contract_steps.record(
            contract.id,
            S.FILED,
            TODAY,
            by=firm,
            now=later,
            evidence="备案 1",
            published_on=date(2026, 11, 9),
        )
    contract_steps.record(
        contract.id, S.FILED, TODAY, by=firm, now=later, evidence="备案 1", published_on=date(2026, 11, 12)
    )
    stored = read(contract)
    assert (stored.stage, stored.published_on) == (S.CREDITED, date(2026, 11, 12))
    filing, publication = side_states.list_deadlines(stored)
    # Signed on the 10th: filed within seven working days, published within two.
    assert (filing.due_on, filing.is_late) == (date(2026, 11, 19), True)
    assert (publication.due_on, publication.is_late) == (date(2026, 11, 12), False)
    with refuses(Code.ILLEGAL_MOVE):
        contract_steps.record(contract.id, S.FILED, TODAY, by=firm, now=later, evidence="备案 2")
