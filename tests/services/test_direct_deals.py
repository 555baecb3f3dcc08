"""Deals closed off the platform: nothing counts before the borrower's word, everything after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from market.errors import Code
from market.ledger.book import Policy
from market.lending_vocabulary import Account, DealKind
from market.party import Party
from market.risk_sharing import RiskSharing, Role, Sharer
from market.vocabulary import LimitScope, LoanState, OrganisationKind, SizeClass
from models.base import db
from models.loan import Loan
from models.organisation import Organisation
from services import (
    board,
    board_rows,
    compensation_claims,
    direct_deals,
    drawdowns,
    limit_settings,
    loan_book,
    loans,
)
from services.board_rows import LoanFigure
from services.direct_deals import Draft
from tests.factories import MILLION, make_officer, make_party
from tests.services.conftest import Refusing
from tests.services.test_guarantees import own, used

TODAY = date(2026, 11, 20)
LOAN = {
    "kind": "loan",
    "principal": "2000000.00",
    "months": 12,
    "rate": "0.04",
    "repayment": "interest_monthly",
}
COVER = {
    "kind": "cover",
    "amount": "2000000.00",
    "months": 12,
    "fees": [{"name": "担保费", "when": "yearly", "rate": "0.01", "payee": "guarantor"}],
}
FACTORING = {"kind": "factoring", "face": "2500000.00", "advance": "0.8", "days": 90, "rate": "0.05"}


def code_of(firm: Party) -> str:
    return db.session.get_one(Organisation, firm.organisation_id).credit_code


def draft_for(firm: Party, kind: DealKind = DealKind.LOAN, terms: Any = LOAN, **values: Any) -> Draft:
    return Draft(
        kind, code_of(firm), 2 * MILLION, values.pop("evidence", "借款合同 2026-17"), terms, **values
    )


def read(loan_id: int) -> Loan:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Loan, loan_id)


def test_a_deal_counts_from_the_word_of_its_borrower_on(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm, bank, stranger = (
        make_party(now=now),
        make_party(OrganisationKind.BANK, now=now),
        make_party(now=now),
    )
    limit_settings.set_limit(own(bank), LimitScope.TOTAL, 3 * MILLION, by=bank, now=now)
    first = direct_deals.record(draft_for(firm), by=bank, now=now)
    second = direct_deals.record(draft_for(firm, evidence="借款合同 2026-18"), by=bank, now=now)
    assert (first.state, first.bound, used(bank, LimitScope.TOTAL)) == (LoanState.UNCONFIRMED, 0, 0)
    with refuses(Code.ILLEGAL_MOVE):
        drawdowns.ask(first.id, TODAY, by=bank, now=now)
    with refuses(Code.NOT_ALLOWED):
        direct_deals.confirm(first.id, by=bank, now=now)
    with refuses(Code.NOT_FOUND):
        direct_deals.confirm(first.id, by=stranger, now=now)
    direct_deals.confirm(first.id, by=firm, now=now)
    assert used(bank, LimitScope.TOTAL) == 2 * MILLION
    with refuses(Code.LIMIT_EXCEEDED):
        direct_deals.confirm(second.id, by=firm, now=now)
    direct_deals.refuse(second.id, "没有这笔借款", by=firm, now=now)
    assert read(second.id).state is LoanState.CANCELLED
    with refuses(Code.ILLEGAL_MOVE):
        direct_deals.confirm(second.id, by=firm, now=now)
    drawdowns.ask(first.id, TODAY, by=bank, now=now)
    loans.record_repayment(first.id, 2 * MILLION, TODAY, "R1", by=bank, now=now)
    assert (read(first.id).state, used(bank, LimitScope.TOTAL)) == (LoanState.REPAID, 0)
    # It is no deal of the market's.
    officer = make_officer(now=now)
    figures = board.read_figures(officer.zone_id)
    assert (figures.deals, figures.elsewhere, figures.elsewhere_amount) == (0, 1, 2 * MILLION)
    assert board_rows.list_loans(officer) == []
    assert [row.id for row in board_rows.list_loans(officer, figure=LoanFigure.ELSEWHERE)] == [first.id]


def test_what_does_not_fit_together_is_refused(app: Flask, now: datetime, refuses: Refusing) -> None:
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    usual = draft_for(firm)
    for change, code, field in (
        ({"evidence": " "}, Code.REQUIRED, "evidence"),
        ({"kind": DealKind.LEASE}, Code.NOT_A_CHOICE, "kind"),
        ({"terms": None}, Code.REQUIRED, "terms"),
        ({"terms": COVER}, Code.NOT_A_CHOICE, "terms.kind"),
        ({"amount": MILLION}, Code.AMOUNT_MISMATCH, "amount"),
        ({"borrower_code": "91990000MA0000000X"}, Code.BAD_CREDIT_CODE, "borrower"),
        ({"borrower_code": code_of(bank)}, Code.NOT_FOUND, "borrower"),
        # 银发〔2003〕251号: at most half as much again as 4 %.
        ({"policy": Policy(penalty_rate=Decimal("0.0600001"))}, Code.TOO_LARGE, "penalty_rate"),
        ({"policy": Policy(grace_days=31)}, Code.TOO_LARGE, "grace_days"),
        ({"policy": Policy(is_revolving=True)}, Code.NOT_A_CHOICE, "repayment"),
    ):
        with refuses(code, field):
            direct_deals.record(replace(usual, **change), by=bank, now=now)  # type: ignore[arg-type]
    kept = direct_deals.record(replace(usual, policy=Policy(3, Decimal("0.06"))), by=bank, now=now)
    assert (kept.penalty_rate, kept.grace_days) == (Decimal("0.06"), 3)
    # (1 + 0.04 / 12) ** 12 - 1, but for the rounding of each month's interest to the fen.
    assert kept.effective is not None and round(kept.effective, 6) == Decimal("0.040742")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_kind_of_institution_records_what_it_does(app: Flask, now: datetime) -> None:
    firm = make_party(now=now)
    bridge = {"kind": "bridge", "principal": "2000000.00", "days": 7, "daily_rate": "0.0003"}
    lease = {"kind": "lease", "principal": "2000000.00", "months": 24, "rate": "0.05"}
    for lender, kind, terms, months in (
        (OrganisationKind.BANK, DealKind.FACTORING, FACTORING, 3),
        (OrganisationKind.LESSOR, DealKind.LEASE, lease, 24),
        (OrganisationKind.BRIDGE_PLATFORM, DealKind.BRIDGE, bridge, 1),
        (OrganisationKind.FUND, DealKind.FUND, None, 36),
    ):
        party = make_party(lender, now=now)
        draft = draft_for(firm, kind, terms, months=36 if terms is None else None)
        loan = direct_deals.record(draft, by=party, now=now)
        direct_deals.confirm(loan.id, by=firm, now=now)
        assert (read(loan.id).months, read(loan.id).bound) == (months, 2 * MILLION)
        if kind is not DealKind.BRIDGE:
            drawdowns.ask(loan.id, TODAY, by=party, now=now)
            assert read(loan.id).outstanding == 2 * MILLION


def test_a_guarantee_of_its_own_counts_by_weight_and_ends_with_its_compensation(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm = make_party(now=now, size_class=SizeClass.SMALL)
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=20 * MILLION)
    loan = direct_deals.record(draft_for(firm, DealKind.GUARANTEE, COVER), by=guarantor, now=now)
    with refuses(Code.GUARANTOR_FULL):
        direct_deals.confirm(loan.id, by=firm, now=now)
    limit_settings.set_limit(own(guarantor), LimitScope.LEVERAGE, by=guarantor, now=now)
    limit_settings.set_limit(own(guarantor), LimitScope.TOTAL, 5 * MILLION, by=guarantor, now=now)
    direct_deals.confirm(loan.id, by=firm, now=now)
    # A small firm with at most 5 million in force weighs three quarters; one firm at most a tenth of 20.
    assert (used(guarantor), used(guarantor, LimitScope.TOTAL)) == (2 * MILLION * 3 // 4, 2 * MILLION)
    limit_settings.set_limit(own(guarantor), LimitScope.TOTAL, 4 * MILLION, by=guarantor, now=now)
    another = draft_for(firm, DealKind.GUARANTEE, COVER, evidence="保函 2")
    second = direct_deals.record(another, by=guarantor, now=now)
    with refuses(Code.LIMIT_EXCEEDED):
        direct_deals.confirm(second.id, by=firm, now=now)
    drawdowns.ask(loan.id, TODAY, by=guarantor, now=now)
    later = datetime(2027, 3, 1, 4, tzinfo=UTC)
    sharing = RiskSharing(
        (Sharer("担保公司", Role.GUARANTOR, Decimal("0.8")), Sharer("外部银行", Role.BANK, Decimal("0.2")))
    )
    claim = compensation_claims.open_claim(
        loan.id, 2 * MILLION, "逾期", "代偿通知", by=guarantor, now=later, sharing=sharing
    )
    compensation_claims.accept(claim.id, by=guarantor, now=later)
    share = next(row.id for row in claim.shares if row.role is Role.GUARANTOR)
    compensation_claims.record_payment(claim.id, share, later.date(), "C1", by=guarantor, now=later)
    assert read(loan.id).outstanding == 2 * MILLION // 5
    assert used(guarantor, LimitScope.TOTAL) == 2 * MILLION // 5
    next_day = later + timedelta(days=1)
    compensation_claims.record_recovery(claim.id, MILLION, next_day.date(), "V1", by=guarantor, now=next_day)
    # The fee of the first day was never paid: what comes in fills it first.
    accounts = loan_book.sum_accounts(db.session(), loan.id)
    assert accounts[Account.COMPENSATED] == 2 * MILLION * 4 // 5 - (MILLION * 4 // 5 - 2_000_000)
