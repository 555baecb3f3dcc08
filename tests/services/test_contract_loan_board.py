"""The contract-loan board: firms, projects and amount as reported, and each figure from the rows it finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

from market.errors import Forbidden
from market.ladder_vocabulary import PledgeEnd, SideState
from market.lending_vocabulary import Bucket, DealKind
from market.party import Party
from market.receivable_vocabulary import FinancingMode
from market.report_vocabulary import LoanMark
from market.vocabulary import AlertKind, ContractStage, LoanState, OrganisationKind
from models.alert import Alert
from models.base import db, transaction
from models.contract import Contract
from models.financing import ContractMode, Financing
from models.loan import Loan
from models.organisation import Organisation
from models.pledge import Pledge
from services import contract_loan_board, contract_loan_figures
from services.contract_loan_board import Which
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_organisation, make_party
from tests.services.test_path import make_drawn_contract_loan

#: Yuan in ten thousands, as the zone's bulletin counts.
WAN = 1_000_000


def finance(
    firm: Organisation,
    lender: Party,
    number: int,
    amount: int,
    drawn_on: date,
    now: datetime,
    **late: object,
) -> Contract:
    """Store a contract that a lender paid a loan on, as it stands some time after."""
    with transaction() as session:
        contract = Contract(
            zone_id=lender.zone_id,
            process_id=f"ZC-{number}",
            contract_id=f"C-{number}",
            number=f"JN-{number:04d}",
            title=f"项目{number}",
            purchaser_name=f"采购人{number % 3}",
            purchaser_code=f"P{number % 3}",
            supplier_name=firm.name_zh,
            supplier_code=firm.credit_code,
            supplier_id=firm.id,
            amount=2 * amount,
            stage=ContractStage.DRAWN,
            payee_account="1",
            pledge_number="2",
            pledge_expires_on=date(2027, 12, 31),
            created_at=now,
            updated_at=now,
        )
        session.add(contract)
        session.flush()
        key = f"JN{number}|{firm.credit_code}"
        session.add(ContractMode(contract_key=key, mode=FinancingMode.WHOLE))
        session.flush()
        session.add_all(
            [
                Financing(
                    key=key,
                    live_key=key,
                    live_mode=FinancingMode.WHOLE,
                    contract_id=contract.id,
                    lender_id=lender.organisation_id,
                    financed=amount,
                    started_at=now,
                ),
                Loan(
                    zone_id=lender.zone_id,
                    lender_id=lender.organisation_id,
                    borrower_id=firm.id,
                    contract_id=contract.id,
                    kind=DealKind.LOAN,
                    state=LoanState.DRAWN,
                    principal=amount,
                    months=6,
                    effective=Decimal("0.0385"),
                    terms={},
                    evidence="借款合同",
                    approved_at=now,
                    drawn=amount,
                    drawn_on=drawn_on,
                    outstanding=amount,
                    **late,
                ),
            ]
        )
    return contract


@contextmanager
def count_questions() -> Iterator[list[str]]:
    """Collect what is asked of the database inside."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_the_bulletins_figures_come_out_of_the_rows_with_a_fixed_number_of_questions(
    app: Flask, now: datetime
) -> None:
    """11 firms, 28 projects, 3760万, as a zone reported; one contract of a second zone counts nowhere."""
    officer = make_officer(now=now)
    banks = [make_party(OrganisationKind.BANK, now=now) for _ in range(2)]
    firms = [make_organisation(now=now) for _ in range(11)]
    finance(firms[0], banks[0], 1, 100 * WAN, date(2026, 9, 30), now)
    with count_questions() as few:
        contract_loan_board.list_rows(officer, now)
    for number in range(2, 29):
        amount = 215 * WAN if number == 28 else (60 + number * 5) * WAN
        month = 10 if number < 15 else 11
        late = {"overdue_since": date(2026, 11, 1), "bucket": Bucket.D1_30} if number in (5, 8) else {}
        finance(firms[number % 11], banks[number % 2], number, amount, date(2026, month, 5), now, **late)
    db.session.expunge_all()
    with count_questions() as many:
        rows = contract_loan_board.list_rows(officer, now)
        figures = contract_loan_figures.sum_up(rows)
    assert len(many) == len(few) <= 9
    # 100 + 215, and 60 + 5n for each n from 2 to 27.
    assert (figures.financed.firms, figures.financed.projects, figures.financed.amount) == (
        11,
        28,
        3_760 * WAN,
    )
    # What a figure says is what its filter finds.
    for mark in LoanMark:
        assert figures.marks[mark] == len(contract_loan_board.list_rows(officer, now, Which(mark=mark)))
    for month in figures.months:
        found = contract_loan_board.list_rows(officer, now, Which(period=month.period))
        again = contract_loan_figures.sum_up(found).financed
        assert (again.firms, again.projects, again.amount) == (month.firms, month.projects, month.amount)
    assert [month.period for month in figures.months] == ["2026-09", "2026-10", "2026-11"]
    assert len(contract_loan_board.list_rows(officer, now, Which(period="2026"))) == 28
    assert [(late.key, late.rows) for late in figures.late_purchasers] == [("P2", 2)]
    assert {line.key: line.rows for line in figures.buckets} == {"current": 26, "d1_30": 2}
    for part in figures.purchasers.parts:
        found = contract_loan_board.list_rows(officer, now, Which(purchaser=part.key))
        assert sum(row.outstanding for row in found) == part.amount
    assert sum(part.share for part in figures.lenders.parts) == 1
    assert figures.room == figures.financed.amount  # each contract is worth twice its first loan
    bank = contract_loan_board.list_rows(officer, now, Which(lender_id=banks[0].organisation_id))
    assert {row.lender.id for row in bank} == {banks[0].organisation_id}
    with pytest.raises(Forbidden):
        contract_loan_board.list_rows(banks[0], now)


def test_a_contract_loan_comes_with_what_was_paid_owed_and_holds_beside_it(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, _, contract, loan, later = make_drawn_contract_loan(now, sealer)
    officer = make_officer(now=now, zone_id=bank.zone_id)
    (row,) = contract_loan_board.list_rows(officer, later)
    assert (row.contract.id, row.drawn, row.outstanding) == (contract.id, loan.principal, loan.principal)
    assert (row.paid, row.alerts, row.states, row.room) == (0, 0, (), 3 * MILLION)
    with transaction() as session:
        pledge = session.query(Pledge).filter_by(contract_id=contract.id, ended_at=None).one()
        pledge.expires_on = date(2026, 11, 25)
        session.add(
            Alert(
                zone_id=bank.zone_id,
                kind=AlertKind.PURCHASER_OVERDUE,
                subject=f"contract:{contract.id}",
                contract_id=contract.id,
                raised_at=later,
            )
        )
    (row,) = contract_loan_board.list_rows(officer, later, Which(mark=LoanMark.PLEDGE_EXPIRING))
    assert row.states == (SideState.PURCHASER_OVERDUE, SideState.PLEDGE_EXPIRING)
    assert (row.alerts, LoanMark.PURCHASER_OVERDUE in row.marks) == (1, True)
    with transaction() as session:
        ended = session.get_one(Pledge, pledge.id)
        ended.ended_at, ended.ended_why = later, PledgeEnd.CANCELLED
    (row,) = contract_loan_board.list_rows(officer, later)
    assert row.states == (SideState.PURCHASER_OVERDUE,)
