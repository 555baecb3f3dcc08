"""The ladder of the contract loan where it is climbed by other deeds, and climbed again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask

from market.vocabulary import ContractStage, LoanState, Purpose
from models.base import db
from models.contract import Contract
from models.loan import Loan
from services import awards, contract_loans, contract_steps
from services.clock import run_due
from services.contract_loans import Payment
from tests.factories import MILLION, make_need, pay_out, place_bid
from tests.services.test_path import ACCOUNT, LATER, make_contract_path, make_drawn_contract_loan


def stages(contract_id: int) -> list[ContractStage]:
    return [step.stage for step in db.session.get_one(Contract, contract_id).steps]


def pay(contract_id: int, number: str, amount: int, on: date, **who: Any) -> None:
    contract_loans.record_payment(contract_id, Payment(number, amount, on, payee_account=ACCOUNT), **who)


def test_publishing_a_need_against_a_contract_is_the_intent_to_finance_it(app: Flask, now: Any) -> None:
    firm, _, _, _, contract = make_contract_path(now)
    make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, closes_in=None)
    assert stages(contract.id) == [ContractStage.SIGNED]
    make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id)
    make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id)
    assert stages(contract.id) == [ContractStage.SIGNED, ContractStage.INTENT]


def test_a_payment_after_the_loan_was_repaid_is_only_history(app: Flask, now: Any, sealer: Any) -> None:
    _, bank, purchaser, contract, loan, later = make_drawn_contract_loan(now, sealer, 2 * MILLION)
    pay(contract.id, "T1", 4 * MILLION, date(2027, 1, 15), by=purchaser, now=later + timedelta(days=53))
    assert db.session.get_one(Loan, loan.id).state is LoanState.REPAID
    pay(contract.id, "T2", 6 * MILLION, date(2027, 6, 15), by=purchaser, now=later + timedelta(days=204))
    assert stages(contract.id)[-1] is ContractStage.REPAID
    contract_steps.record(
        contract.id,
        ContractStage.PLEDGE_CANCELLED,
        date(2027, 6, 16),
        by=bank,
        now=later + timedelta(days=206),
    )


def test_the_same_lender_may_lend_on_a_contract_again_and_be_repaid_again(
    app: Flask, now: Any, sealer: Any
) -> None:
    firm, bank, purchaser, contract, _, later = make_drawn_contract_loan(now, sealer, 2 * MILLION)
    pay(contract.id, "T1", 4 * MILLION, date(2027, 1, 15), by=purchaser, now=later + timedelta(days=53))
    again = later + timedelta(days=60)
    need = make_need(
        firm, now=again, purpose=Purpose.CONTRACT, contract_id=contract.id, amount=2 * MILLION, months=6
    )
    product = awards.list_deals(bank)[0].award.bid.product
    bid = place_bid(need, product, bank, now=again, sealer=sealer, rate=Decimal("0.0385"))
    run_due(firm.zone_id, now=again + LATER, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=again + LATER)
    second = awards.list_deals(bank)[0]
    pay_out(second.id, date(2027, 1, 25), by=bank, now=again + LATER)
    pay(contract.id, "T2", 6 * MILLION, date(2027, 6, 15), by=purchaser, now=later + timedelta(days=204))
    assert db.session.get_one(Loan, second.id).state is LoanState.REPAID
    assert stages(contract.id).count(ContractStage.REPAID) == 2
