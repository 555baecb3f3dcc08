"""Bridge loans: paid out against a commitment only, to one account, and back with the renewal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import select

from market.errors import Code
from market.lending_vocabulary import DealKind
from market.party import Party
from market.vocabulary import AlertKind, LimitScope, LoanState, OrganisationKind
from models.alert import Alert
from models.base import db
from models.loan import Loan
from services import bridge_rules, direct_deals, drawdowns, limit_settings, loan_changes, loans, renewals
from services.clock import run_due
from services.renewals import Commitment
from services.sealing import Sealer
from tests.factories import MILLION, make_officer, make_party
from tests.services.conftest import Refusing
from tests.services.test_direct_deals import code_of, draft_for
from tests.services.test_guarantees import own

TODAY = date(2026, 11, 20)
ACCOUNT = "6222 0000 0001"


def make_bridge(now: datetime, *, days: int = 7) -> tuple[Party, Party, Loan]:
    """Return bank, fund and a confirmed bridge of two million yuan at 0.03 % a day."""
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    fund = make_party(OrganisationKind.BRIDGE_PLATFORM, now=now)
    limit_settings.set_limit(own(fund), LimitScope.TOTAL, 4 * MILLION, by=fund, now=now)
    terms = {"kind": "bridge", "principal": "2000000.00", "days": days, "daily_rate": "0.0003"}
    loan = direct_deals.record(draft_for(firm, DealKind.BRIDGE, terms), by=fund, now=now)
    direct_deals.confirm(loan.id, by=firm, now=now)
    return bank, fund, loan


def promise(bank: Party, **values: Any) -> Commitment:
    usual = Commitment(
        code_of(bank), 3 * MILLION, date(2026, 11, 25), "JK-2025-9", ACCOUNT, "续贷承诺函 3 号"
    )
    return replace(usual, **values)


def count_alerts(*, resolved: bool) -> int:
    db.session.rollback()
    rows = db.session.scalars(select(Alert).where(Alert.kind == AlertKind.RENEWAL_MISSING)).all()
    return sum((row.resolved_at is not None) is resolved for row in rows)


def test_a_bridge_is_paid_only_against_a_commitment_and_to_the_maturing_loan(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    bank, fund, loan = make_bridge(now)

    def draw(account: str = ACCOUNT) -> None:
        drawdowns.ask(loan.id, TODAY, by=fund, now=now, payee_account=account)

    with refuses(Code.REQUIRED, "renewal"):
        draw()
    # 95 % of 2,105,263.15 yuan are a fen too little for two million.
    renewals.record_promise(loan.id, promise(bank, promised=210_526_315), by=fund, now=now)
    with refuses(Code.TOO_LARGE, "amount"):
        draw()
    renewals.record_promise(loan.id, promise(bank, promised=210_526_316), by=fund, now=now)
    with refuses(Code.REQUIRED, "payee_account"):
        draw("")
    with refuses(Code.NOT_A_CHOICE, "payee_account"):
        draw("6222 0000 0002")
    officer = make_officer(now=now)
    bridge_rules.set_rule(TODAY, Decimal("0.95"), 4, "本园区转贷办法", by=officer, now=now)
    with refuses(Code.TOO_LARGE, "days"):
        draw()
    bridge_rules.set_rule(TODAY, Decimal("1"), 5, "本园区转贷办法", by=officer, now=now)
    with refuses(Code.NOT_FOUND, "bank"):
        renewals.record_promise(loan.id, promise(fund), by=fund, now=now)
    draw()
    found = renewals.find(loan.id)
    assert found is not None and found.paid_account == found.account == "622200000001"
    with refuses(Code.ILLEGAL_MOVE):
        renewals.record_promise(loan.id, promise(bank), by=fund, now=now)


def test_the_renewal_closes_the_loop_and_is_missed_when_it_does_not_come(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    bank, fund, loan = make_bridge(now)
    renewals.record_promise(loan.id, promise(bank), by=fund, now=now)
    drawdowns.ask(loan.id, TODAY, by=fund, now=now, payee_account=ACCOUNT)
    run_due(loan.zone_id, now=datetime(2026, 11, 25, 10, tzinfo=UTC), sealer=sealer)
    assert count_alerts(resolved=False) == 0
    late = datetime(2026, 11, 26, 2, tzinfo=UTC)
    for _ in range(2):
        run_due(loan.zone_id, now=late, sealer=sealer)
    assert count_alerts(resolved=False) == 1
    # Six days at 0.03 % a day: 3,600 yuan.
    owed = 2 * MILLION + 360_000
    with refuses(Code.TOO_SMALL, "amount"):
        renewals.record_return(loan.id, owed - 1, late.date(), "XD-1", by=fund, now=late)
    with refuses(Code.NOT_FOUND):
        renewals.record_return(loan.id, owed, late.date(), "XD-1", by=bank, now=late)
    renewals.record_return(loan.id, owed, late.date(), "XD-1", by=fund, now=late)
    assert (count_alerts(resolved=False), count_alerts(resolved=True)) == (0, 1)
    found = renewals.find(loan.id)
    assert found is not None and found.returned_on == late.date()
    assert found.loan.state is LoanState.REPAID
    turnover = renewals.measure(own(fund), loan.zone_id, TODAY, late.date())
    assert (turnover.bridges, turnover.times, turnover.average_days) == (1, Decimal("0.5"), Decimal(6))
    # Taken back, the loop is open again, and the clock says so.
    event_id = found.event_id
    assert event_id is not None
    loan_changes.undo(event_id, "退票", by=fund, now=late)
    found = renewals.find(loan.id)
    assert found is not None and found.returned_on is None
    run_due(loan.zone_id, now=late, sealer=sealer)
    assert count_alerts(resolved=False) == 1
    # Repaid by the firm itself nothing is missing any more.
    loans.record_repayment(loan.id, owed, late.date(), "R1", by=fund, now=late)
    run_due(loan.zone_id, now=late, sealer=sealer)
    assert count_alerts(resolved=False) == 0
