"""The book of a deal: what happened follows through to schedule, accounts, lateness and limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from market.calendar import add_months
from market.errors import Code
from market.lending_vocabulary import Account, Bucket, LoanEventKind, RiskClass
from market.party import Party, clock
from market.vocabulary import AlertKind, Capability, LimitScope, LoanState
from models.base import db
from models.loan import LateSpan, Loan, LoanEvent, Movement
from services import alerts, drawdowns, limit_settings, loan_book, loan_changes, loans, nightly
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, pay_out
from tests.services.conftest import Refusing
from tests.services.test_loans import LATER, MONDAY, make_loan, read_used

#: The first line of the loan drawn on ``MONDAY`` falls due.
FIRST_DUE = date(2026, 12, 23)


def at(day: date) -> datetime:
    """Return a moment of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def make_drawn(now: datetime, sealer: Sealer) -> tuple[Party, Party, Loan]:
    """Return firm, bank and a loan of five million over twelve months, drawn on ``MONDAY``."""
    firm, bank, loan = make_loan(now, sealer)
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER)
    return firm, bank, read(loan.id)


def read(loan_id: int) -> Loan:
    db.session.expire_all()
    return db.session.get_one(Loan, loan_id)


def repay(
    loan: Loan, amount: int, on: date, reference: str, bank: Party, recorded: date | None = None
) -> None:
    loans.record_repayment(loan.id, amount, on, reference, by=bank, now=at(recorded or on))


def describe(loan_id: int) -> dict[str, object]:
    """Return all that follows from a loan's events, without what only counts the writing."""
    loan = read(loan_id)
    spans = db.session.scalars(
        select(LateSpan)
        .where(LateSpan.loan_id == loan_id, LateSpan.superseded_at.is_(None))
        .order_by(LateSpan.from_on)
    )
    return {
        "state": (loan.state, loan.outstanding, loan.bound, loan.repaid_on, loan.overdue_since),
        "late": (loan.oldest_due_on, loan.days_past_due, loan.bucket, loan.risk_class, loan.accrued),
        "lines": [
            (line.number, line.due_on, line.principal, line.interest, line.paid_principal, line.paid_interest)
            for line in loan.instalments
        ],
        "receipts": sorted((row.reference, row.fees, row.interest, row.principal) for row in loan.repayments),
        "accounts": dict(loan_book.sum_accounts(db.session(), loan_id)),
        "spans": [(span.from_on, span.bucket) for span in spans],
    }


def check_accounts(loan_id: int) -> None:
    accounts = loan_book.sum_accounts(db.session(), loan_id)
    assert sum(accounts.values()) == 0
    assert accounts.get(Account.PRINCIPAL, 0) == read(loan_id).outstanding


def test_a_drawdown_and_a_receipt_are_booked_on_both_sides(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, bank, loan = make_drawn(now, sealer)
    assert loan_book.sum_accounts(db.session(), loan.id) == {
        Account.CASH: -5 * MILLION,
        Account.PRINCIPAL: 5 * MILLION,
    }
    first = loan.instalments[0] if loan.instalments[0].number else loan.instalments[1]
    repay(loan, first.principal + first.interest + first.fees, FIRST_DUE, "R1", bank)
    accounts = loan_book.sum_accounts(db.session(), loan.id)
    assert accounts[Account.INTEREST_INCOME] == -first.interest
    assert Account.INTEREST_DUE not in accounts
    check_accounts(loan.id)


def test_a_receipt_dated_back_leaves_the_book_as_if_it_had_been_known_in_time(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    line = loan.instalments[-1 * len([each for each in loan.instalments if each.number])]
    amount = line.principal + line.interest + line.fees
    late = FIRST_DUE + timedelta(days=40)
    nightly.look(loan.zone_id, by=clock(loan.zone_id), now=at(late))
    assert read(loan.id).bucket is Bucket.D31_60
    assert read(loan.id).risk_class is RiskClass.SPECIAL_MENTION
    officer = make_officer(now=now)
    assert AlertKind.LOAN_OVERDUE in [alert.kind for alert in alerts.list_open(officer)]
    repay(loan, amount, FIRST_DUE, "R1", bank, recorded=late)
    found = describe(loan.id)
    # Only what fell due in January is late now, for nine days.
    assert found["spans"] == [
        (MONDAY, Bucket.CURRENT),
        (add_months(MONDAY, 2) + timedelta(days=1), Bucket.D1_30),
    ]
    assert read(loan.id).days_past_due == (late - add_months(MONDAY, 2)).days
    superseded = select(LateSpan).where(LateSpan.loan_id == loan.id, LateSpan.superseded_at.is_not(None))
    assert db.session.scalars(superseded).all()
    check_accounts(loan.id)


def test_two_receipts_of_one_day_and_in_any_order_of_writing_come_to_the_same(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    books = []
    for order in ((0, 1, 2), (2, 0, 1)):
        _, bank, loan = make_drawn(now, sealer)
        receipts = [
            (MILLION, FIRST_DUE - timedelta(days=9), "A"),
            (MILLION // 2, FIRST_DUE - timedelta(days=9), "B"),
            (MILLION // 4, FIRST_DUE + timedelta(days=2), "C"),
        ]
        for place in order:
            amount, on, reference = receipts[place]
            repay(loan, amount, on, reference, bank, recorded=FIRST_DUE + timedelta(days=3))
        check_accounts(loan.id)
        books.append(describe(loan.id))
    assert {key: books[0][key] for key in books[0] if key != "receipts"} == {
        key: books[1][key] for key in books[1] if key != "receipts"
    }


def test_a_drawdown_taken_back_leaves_the_deal_to_be_drawn_anew(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    drawn = describe(loan.id)
    loan_changes.undo(loan.events[0].id, "打错", by=bank, now=now + LATER)
    undrawn = read(loan.id)
    assert (undrawn.state, undrawn.outstanding, undrawn.bound) == (LoanState.APPROVED, 0, 5 * MILLION)
    assert {line.due_on for line in undrawn.instalments} == {None}
    assert loan_book.sum_accounts(db.session(), loan.id) == {}
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER)
    assert describe(loan.id) == drawn


def test_a_receipt_taken_back_after_full_repayment_brings_everything_back(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 5 * MILLION, by=bank, now=now + LATER)
    before = describe(loan.id)
    payoff = loans.read_payoff(loan, FIRST_DUE)
    repay(loan, payoff, FIRST_DUE, "R1", bank)
    assert read(loan.id).state is LoanState.REPAID
    assert read_used(bank) == [(LimitScope.TOTAL, 0)]
    with refuses(Code.ILLEGAL_MOVE):
        repay(loan, 1, FIRST_DUE, "R2", bank)
    event = read(loan.id).repayments[0].event_id
    loan_changes.undo(event, "付款退回", by=bank, now=at(FIRST_DUE))
    assert read(loan.id).repayments == []
    assert read_used(bank) == [(LimitScope.TOTAL, 5 * MILLION)]
    with refuses(Code.ALREADY_EXISTS):
        loan_changes.undo(event, "再次", by=bank, now=at(FIRST_DUE))
    found = describe(loan.id)
    assert found["state"] == before["state"] and found["lines"] == before["lines"]
    check_accounts(loan.id)
    # What was booked stays on record beside what books it back.
    booked = db.session.scalars(select(Movement).where(Movement.loan_id == loan.id)).all()
    assert len(booked) > 3
    repay(loan, payoff, FIRST_DUE, "R1", bank)
    assert read(loan.id).state is LoanState.REPAID


def test_what_is_paid_ahead_lowers_the_interest_and_a_restructuring_starts_from_what_is_left(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    planned = sum(line.interest for line in loan.instalments)
    repay(loan, 2 * MILLION, MONDAY, "R1", bank)
    ahead = sum(line.interest for line in read(loan.id).instalments)
    assert ahead < planned
    on = FIRST_DUE - timedelta(days=3)
    loan_changes.restructure(
        loan.id, on, "补充协议 1 号", by=bank, now=at(on), months=24, rate=Decimal("0.05")
    )
    found = read(loan.id)
    assert (
        found.outstanding
        == 3 * MILLION
        == sum(line.principal - line.paid_principal for line in found.instalments)
    )
    assert found.instalments[-1].due_on == add_months(on, 24)
    assert found.risk_class is RiskClass.SPECIAL_MENTION
    check_accounts(loan.id)


def test_tranches_are_drawn_until_nothing_is_left_or_the_rest_is_given_up(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, loan = make_loan(now, sealer)
    assert bank.organisation_id is not None
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, 5 * MILLION, by=bank, now=now + LATER)
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER, amount=2 * MILLION)
    with refuses(Code.TOO_LARGE, "amount"):
        drawdowns.ask(loan.id, MONDAY, by=bank, now=now + LATER, amount=3 * MILLION + 1)
    # A second drawdown on a due date leaves the line due that day as it was.
    due = read(loan.id).instalments[0]
    was = (due.principal, due.interest)
    pay_out(loan.id, FIRST_DUE, by=bank, now=at(FIRST_DUE), amount=MILLION)
    due = next(line for line in read(loan.id).instalments if line.due_on == FIRST_DUE)
    assert (due.principal, due.interest) == was
    assert read(loan.id).outstanding == 3 * MILLION
    assert read_used(bank) == [(LimitScope.TOTAL, 5 * MILLION)]
    drawdowns.release(loan.id, by=bank, now=at(FIRST_DUE), evidence="剩余额度不再提取")
    assert read_used(bank) == [(LimitScope.TOTAL, 3 * MILLION)]
    with refuses(Code.ILLEGAL_MOVE):
        drawdowns.ask(loan.id, FIRST_DUE, by=bank, now=at(FIRST_DUE))
    check_accounts(loan.id)


def test_what_is_written_off_binds_nothing_and_may_still_come_in(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    day = FIRST_DUE + timedelta(days=200)
    loan_changes.write_off(loan.id, day, "核销决议", by=bank, now=at(day))
    found = read(loan.id)
    assert (found.state, found.outstanding, found.bound) == (LoanState.WRITTEN_OFF, 0, 0)
    assert found.risk_class is RiskClass.LOSS
    with refuses(Code.ILLEGAL_MOVE):
        later = day + timedelta(days=1)
        loan_changes.extend(loan.id, later, 3, "展期", by=bank, now=at(later))
    repay(loan, MILLION, day + timedelta(days=1), "追回", bank)
    assert read(loan.id).repayments[-1].recovered == MILLION
    check_accounts(loan.id)


def test_a_change_needs_the_lenders_approver_a_paper_and_a_day_that_has_come(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, loan = make_drawn(now, sealer)
    bidder = replace(bank, capabilities=frozenset({Capability.INSTITUTION_BIDDER}))
    for party in (firm, bidder):
        with refuses(Code.NOT_ALLOWED):
            loan_changes.extend(loan.id, MONDAY, 3, "展期协议", by=party, now=now + LATER)
    with refuses(Code.REQUIRED, "evidence"):
        loan_changes.extend(loan.id, MONDAY, 3, " ", by=bank, now=now + LATER)
    with refuses(Code.TOO_LARGE, "on"):
        loan_changes.extend(loan.id, MONDAY + timedelta(days=1), 3, "展期协议", by=bank, now=now + LATER)
    row = loan_changes.extend(loan.id, MONDAY, 3, "展期协议", by=bank, now=now + LATER)
    assert (row.kind, row.evidence, row.recorded_by) == (LoanEventKind.EXTENSION, "展期协议", bank.user_id)
    assert read(loan.id).instalments[-1].due_on == add_months(MONDAY, 15)


@pytest.mark.parametrize("missed", [False, True], ids=["every night", "after some nights without a clock"])
def test_a_nightly_pass_finds_what_the_book_itself_says(
    app: Flask, now: datetime, sealer: Sealer, missed: bool
) -> None:
    _, bank, loan = make_drawn(now, sealer)
    _, other_bank, twin = make_drawn(now, sealer)
    for each, lender in ((loan, bank), (twin, other_bank)):
        loan_changes.pause(
            each.id, MONDAY, FIRST_DUE + timedelta(days=5), "停计通知", by=lender, now=now + LATER
        )
        repay(each, MILLION, FIRST_DUE - timedelta(days=12), "R1", lender)
    days = range(1, 130, 9 if missed else 1)
    for number in days:
        moment = at(MONDAY + timedelta(days=number))
        nightly.look(loan.zone_id, by=clock(loan.zone_id), now=moment)
        assert not nightly.is_due(loan.zone_id, moment)
    last = at(MONDAY + timedelta(days=days[-1]))
    nightly_found = describe(twin.id)
    loans.look_again(twin.id, by=clock(twin.zone_id), now=last)
    assert describe(twin.id) == nightly_found
    late = [alert for alert in alerts.list_open(make_officer(now=now)) if alert.loan_id == twin.id]
    assert [alert.kind for alert in late] == [AlertKind.LOAN_OVERDUE]
    check_accounts(twin.id)


def test_events_are_numbered_and_name_their_writers(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, bank, loan = make_drawn(now, sealer)
    repay(loan, MILLION, MONDAY, "R1", bank)
    rows = db.session.scalars(select(LoanEvent).where(LoanEvent.loan_id == loan.id)).all()
    assert [(row.number, row.kind, row.recorded_by) for row in rows] == [
        (1, LoanEventKind.DRAWDOWN, bank.user_id),
        (2, LoanEventKind.RECEIPT, bank.user_id),
    ]
