"""Lenders' monthly reports: handed in as the book has them, corrected with a reason, told of when missing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask

from market.calendar import SHANGHAI
from market.errors import Code
from market.vocabulary import AlertKind, OrganisationKind
from models.base import db
from models.contract import Contract
from services import alerts, contract_loans, lender_reports, loans
from services.clock import run_due
from services.contract_loans import Payment
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party
from tests.services.conftest import Refusing
from tests.services.test_path import ACCOUNT, make_drawn_contract_loan


def at(month: int, day: int, year: int = 2026) -> datetime:
    """Return eight in the morning of a day in Shanghai."""
    return datetime(year, month, day, 8, tzinfo=SHANGHAI)


def test_a_lender_hands_in_what_its_book_says_and_corrects_it_with_a_reason(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, purchaser, contract, loan, _ = make_drawn_contract_loan(now, sealer)
    officer, stranger = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    with refuses(Code.TOO_EARLY, "month"):
        lender_reports.submit("2026-11", "0" * 64, by=bank, now=at(11, 30))
    with refuses(Code.NOT_ALLOWED):
        lender_reports.submit("2026-11", "0" * 64, by=firm, now=at(12, 1))
    pay_on = date(2026, 12, 5)
    contract_loans.record_payment(
        contract.id, Payment("T1", MILLION, pay_on, payee_account=ACCOUNT), by=purchaser, now=at(12, 5)
    )
    draft = lender_reports.prefill("2026-11", by=bank, now=at(12, 6))
    (row,) = draft.figures["rows"]
    stored = db.session.get_one(Contract, contract.id)
    assert row == {
        "loan_id": loan.id,
        "contract_number": "JN-2026-0042",
        "supplier_name": stored.supplier_name,
        "supplier_code": stored.supplier_code,
        "purchaser_name": stored.purchaser_name,
        "financed_on": "2026-11-23",
        "amount": 7 * MILLION,
        "ends_on": "2027-08-23",
        "rate": "0.0385",
        "effective": f"{loan.effective:f}",
        # What came back in December is not November's.
        "returned": 0,
        "last_paid_on": None,
    }
    assert draft.figures["totals"]["outstanding"] == 7 * MILLION
    with refuses(Code.STALE):
        lender_reports.submit("2026-11", "0" * 64, by=bank, now=at(12, 6))
    report = lender_reports.submit("2026-11", draft.seal, by=bank, now=at(12, 6))
    assert (report.number, report.row_count, report.figures) == (1, 1, draft.figures)
    with refuses(Code.REQUIRED, "reason"):
        lender_reports.submit("2026-11", draft.seal, by=bank, now=at(12, 20))
    with refuses(Code.ALREADY_EXISTS):
        lender_reports.submit("2026-11", draft.seal, reason="重报", by=bank, now=at(12, 20))
    # Money of November that became known in December makes a correction.
    loans.record_repayment(loan.id, MILLION, date(2026, 11, 30), "R1", by=bank, now=at(12, 21))
    again = lender_reports.prefill("2026-11", by=bank, now=at(12, 21))
    assert again.figures["totals"]["returned"] > 0
    lender_reports.submit("2026-11", again.seal, reason="补记11月30日回款", by=bank, now=at(12, 21))
    history = lender_reports.list_reports("2026-11", by=officer)
    assert [(one.number, one.reason, one.superseded_at is None) for one in history] == [
        (1, None, False),
        (2, "补记11月30日回款", True),
    ]
    (standing,) = lender_reports.list_month("2026-11", by=officer, now=at(12, 22))
    assert standing.report is not None
    assert (standing.report.number, standing.is_late) == (2, False)
    assert lender_reports.list_reports("2026-11", by=stranger) == []
    december = lender_reports.prefill("2026-12", by=bank, now=at(1, 2, 2027)).figures
    assert (december["rows"], december["totals"]["running"]) == ([], 1)
    assert december["totals"]["came_back"] > 0


def test_a_report_not_handed_in_by_the_tenth_is_told_of_until_it_is(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, bank, _, _, _, _ = make_drawn_contract_loan(now, sealer)
    officer, idle = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)

    def list_subjects(day: datetime) -> list[str]:
        run_due(firm.zone_id, now=day, sealer=sealer)
        found = alerts.list_open(officer)
        return [alert.subject for alert in found if alert.kind is AlertKind.REPORT_MISSING]

    eleventh = at(12, 11)
    subject = lender_reports.name_subject(firm.zone_id, bank.organisation_id or 0, "2026-11")
    assert list_subjects(eleventh - timedelta(hours=9)) == []
    assert list_subjects(eleventh) == [subject]
    assert list_subjects(eleventh + timedelta(hours=1)) == [subject]
    assert [alert.subject for alert in alerts.list_open(bank)] == [subject]
    assert alerts.list_open(idle) == [] and alerts.list_open(firm) == []
    draft = lender_reports.prefill("2026-11", by=bank, now=eleventh)
    lender_reports.submit("2026-11", draft.seal, by=bank, now=eleventh)
    assert list_subjects(eleventh + timedelta(days=1)) == []
    (standing,) = lender_reports.list_month("2026-11", by=officer, now=eleventh)
    assert standing.is_late
    # December's report is owed too: the loan was out all month.
    assert [one.month for one in lender_reports.list_own(bank, at(1, 2, 2027))] == ["2026-12", "2026-11"]
    assert len(list_subjects(at(1, 11, 2027))) == 1
