"""Loans and leases: drawn, repaid and cancelled by their lender; limits follow to the fen."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from market.errors import Code
from market.party import Party
from market.vocabulary import Capability, LimitScope, LoanState, OrganisationKind
from models.base import db
from models.loan import Loan
from models.organisation import Limit, Organisation
from services import audit, awards, limit_settings, limits, loans, opening
from services.clock import run_due
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

LATER = timedelta(days=3, seconds=1)
#: The Monday on which the need's bidding is over.
MONDAY = date(2026, 11, 23)


def make_loan(now: datetime, sealer: Sealer, amount: int = 5 * MILLION) -> tuple[Party, Party, Loan]:
    """Return firm, bank and a loan approved three days after ``now``."""
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    need = make_need(firm, now=now, amount=amount)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    opening.open_bids(need.id, by=firm, now=now + LATER, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now + LATER)
    return firm, bank, awards.list_deals(bank)[0]


def read_used(bank: Party) -> list[tuple[LimitScope, int]]:
    db.session.expire_all()
    return [(limit.scope, limit.used) for limit in limits.list_for(bank.organisation_id or 0)]


def test_only_the_lender_draws_and_not_before_the_approval_nor_tomorrow(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, loan = make_loan(now, sealer)
    later = now + LATER
    for stranger, code in (
        (firm, Code.NOT_ALLOWED),
        (make_officer(now=now), Code.NOT_ALLOWED),
        (make_party(OrganisationKind.BANK, now=now), Code.NOT_FOUND),
    ):
        with refuses(code):
            pay_out(loan.id, MONDAY, by=stranger, now=later)
    with refuses(Code.OUT_OF_ORDER, "drawn_on"):
        pay_out(loan.id, MONDAY - timedelta(days=1), by=bank, now=later)
    with refuses(Code.TOO_LARGE, "drawn_on"):
        pay_out(loan.id, MONDAY + timedelta(days=1), by=bank, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        loans.record_repayment(loan.id, 1, MONDAY, "R", by=bank, now=later)
    pay_out(loan.id, MONDAY, by=bank, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        pay_out(loan.id, MONDAY, by=bank, now=later)
    with refuses(Code.ILLEGAL_MOVE):
        loans.cancel(loan.id, by=bank, now=later)


def test_today_is_the_day_in_shanghai(app: Flask, now: datetime, sealer: Sealer) -> None:
    _, bank, loan = make_loan(now, sealer)
    # Ten past midnight on Tuesday in Shanghai is still Monday in UTC.
    night = datetime.fromisoformat("2026-11-24T00:10:00+08:00")
    assert pay_out(loan.id, date(2026, 11, 24), by=bank, now=night).drawn_on == date(2026, 11, 24)


def test_a_cancelled_loan_gives_back_all_it_had_taken(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, loan = make_loan(now, sealer)
    organisation = db.session.get_one(Organisation, bank.organisation_id)
    bidder = make_party(now=now, organisation=organisation, capabilities=[Capability.INSTITUTION_BIDDER])
    for stranger, code in ((firm, Code.NOT_ALLOWED), (bidder, Code.NOT_ALLOWED)):
        with refuses(code):
            loans.cancel(loan.id, by=stranger, now=now + LATER)
    rival = make_party(OrganisationKind.BANK, now=now)
    with refuses(Code.NOT_FOUND):
        loans.cancel(loan.id, by=rival, now=now + LATER)
    limit_settings.set_limit(organisation.id, LimitScope.TOTAL, 9 * MILLION, by=bank, now=now)
    assert read_used(bank) == [(LimitScope.TOTAL, 5 * MILLION)]
    loans.cancel(loan.id, by=bank, now=now + LATER)
    assert read_used(bank) == [(LimitScope.TOTAL, 0)]
    assert db.session.get_one(Loan, loan.id).state is LoanState.CANCELLED
    assert audit.list_entries("loans", loan.id)[-1].action == "loan.cancel"
    with refuses(Code.ILLEGAL_MOVE):
        loans.cancel(loan.id, by=bank, now=now + LATER)


def test_a_limit_set_up_late_counts_what_is_out_already(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, loan = make_loan(now, sealer)
    later = now + LATER
    assert bank.organisation_id is not None and firm.organisation_id is not None
    pay_out(loan.id, MONDAY, by=bank, now=later)
    loans.record_repayment(loan.id, MILLION, MONDAY, "R1", by=bank, now=later)
    out = db.session.get_one(Loan, loan.id).outstanding
    assert 0 < out < 5 * MILLION
    with refuses(Code.TOO_SMALL, "cap"):
        limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, out - 1, by=bank, now=later)
    limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, out, by=bank, now=later)
    limit_settings.set_limit(
        bank.organisation_id, LimitScope.FIRM, out, by=bank, now=later, firm_id=firm.organisation_id
    )
    stranger = make_party(now=now)
    limit_settings.set_limit(
        bank.organisation_id, LimitScope.FIRM, 0, by=bank, now=later, firm_id=stranger.organisation_id
    )
    assert read_used(bank) == [(LimitScope.TOTAL, out), (LimitScope.FIRM, out), (LimitScope.FIRM, 0)]
    owed = loans.read_owed(db.session.get_one(Loan, loan.id))
    end = now + timedelta(days=370)
    loans.record_repayment(loan.id, owed.total - owed.paid, date(2027, 11, 23), "R2", by=bank, now=end)
    assert [used for _, used in read_used(bank)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("amount", "paid_on", "reference", "code", "field"),
    [
        (0, MONDAY, "R", Code.TOO_SMALL, "amount"),
        (-1, MONDAY, "R", Code.TOO_SMALL, "amount"),
        (1, date(2026, 11, 24), "R", Code.TOO_LARGE, "paid_on"),
        (1, date(2026, 11, 22), "R", Code.OUT_OF_ORDER, "paid_on"),
        (1, MONDAY, "  ", Code.REQUIRED, "reference"),
        (1, MONDAY, "R" * 81, Code.TOO_LONG, "reference"),
        (1, MONDAY, "R\x00", Code.NOT_TEXT, None),
        # On the day of drawdown the principal alone is owed: no interest has run.
        (5 * MILLION + 1, MONDAY, "R", Code.TOO_LARGE, "amount"),
    ],
)
def test_a_repayment_that_cannot_be_is_refused_and_leaves_nothing(
    app: Flask,
    now: datetime,
    sealer: Sealer,
    refuses: Refusing,
    amount: int,
    paid_on: date,
    reference: str,
    code: Code,
    field: str | None,
) -> None:
    _, bank, loan = make_loan(now, sealer)
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER)
    with refuses(code, field):
        loans.record_repayment(loan.id, amount, paid_on, reference, by=bank, now=now + LATER)


def test_a_repayment_is_known_by_its_reference_whatever_the_blanks_around_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    _, bank, loan = make_loan(now, sealer)
    later = now + LATER
    pay_out(loan.id, MONDAY, by=bank, now=later)
    loans.record_repayment(loan.id, MILLION, MONDAY, "流水 1", by=bank, now=later)
    with refuses(Code.ALREADY_EXISTS, "reference"):
        loans.record_repayment(loan.id, MILLION, MONDAY, " 流水 1 ", by=bank, now=later)


def test_a_loan_is_seen_by_its_two_sides_and_the_zones_officers_alone(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, bank, loan = make_loan(now, sealer)
    for party in (firm, bank, make_officer(now=now)):
        assert loans.find(loan.id, by=party).id == loan.id
        assert [deal.id for deal in awards.list_deals(party)] == [loan.id]
    for stranger in (
        make_party(now=now),
        make_party(OrganisationKind.BANK, now=now),
        make_party(OrganisationKind.PURCHASER, now=now),
        make_officer(now=now, zone_id=make_zone(now=now).id),
    ):
        with refuses(Code.NOT_FOUND):
            loans.find(loan.id, by=stranger)
        assert awards.list_deals(stranger) == []


def test_a_line_is_late_from_the_day_after_it_fell_due(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm, bank, loan = make_loan(now, sealer)
    pay_out(loan.id, MONDAY, by=bank, now=now + LATER)
    due_day = datetime.fromisoformat("2026-12-23T23:59:59+08:00")
    run_due(firm.zone_id, now=due_day, sealer=sealer)
    assert db.session.get_one(Loan, loan.id).overdue_since is None
    run_due(firm.zone_id, now=due_day + timedelta(seconds=1), sealer=sealer)
    assert db.session.get_one(Loan, loan.id).overdue_since == date(2026, 12, 23)
    first = db.session.get_one(Loan, loan.id).instalments[0]
    part = first.principal + first.interest + first.fees
    loans.record_repayment(
        loan.id, part - 1, date(2026, 12, 24), "R1", by=bank, now=due_day + timedelta(days=1)
    )
    assert db.session.get_one(Loan, loan.id).overdue_since == date(2026, 12, 23)
    loans.record_repayment(loan.id, 1, date(2026, 12, 24), "R2", by=bank, now=due_day + timedelta(days=1))
    assert db.session.get_one(Loan, loan.id).overdue_since is None
    assert db.session.query(Limit).count() == 0
