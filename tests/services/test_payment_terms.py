"""Terms of payment, the late interest that follows, and how purchasers pay, as products ask for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import event, select

from market.errors import Code
from market.party import Party
from market.payment_vocabulary import PaymentState
from market.vocabulary import OrganisationKind, Purpose
from models.base import db
from models.contract import Contract
from models.payment import PurchaserScore
from models.zone import Zone
from services import contract_loans, contracts, fitting, payment_states, payment_terms, payments, purchasers
from services.clock import run_due
from services.contract_loans import Payment
from services.payment_terms import Terms
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, make_zone
from tests.services.conftest import Refusing
from tests.services.test_payment_resolutions import entry

TODAY = date(2026, 11, 20)


def register(now: datetime, number: str, purchaser: Party, firm: Party, **values: Any) -> Contract:
    return contracts.register(replace(entry(firm, purchaser, number), **values), by=purchaser, now=now)


def test_what_is_not_inspected_in_time_is_due_and_costs_interest(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    officer = make_officer(now=now)
    contract = register(now, "C-1", purchaser, firm, plan=(), amount=1_000_000, retention=200_000)
    for stranger, code in (
        (firm, Code.NOT_ALLOWED),
        (make_party(OrganisationKind.PURCHASER, now=now), Code.NOT_FOUND),
        (make_officer(now=now, zone_id=make_zone(now=now).id), Code.NOT_FOUND),
    ):
        with refuses(code):
            payment_terms.agree(contract.id, Terms(), by=stranger, now=now)
    with refuses(Code.BELOW_LPR, "late_rate"):
        payment_terms.agree(contract.id, Terms(late_rate=Decimal("0.029")), by=officer, now=now)
    with refuses(Code.TOO_LARGE, "delivered_on"):
        payment_terms.agree(contract.id, Terms(delivered_on=date(2026, 11, 21)), by=officer, now=now)
    # Delivered on 1 September, ten days to inspect: accepted on the 11th, due 30 days later.
    terms = Terms(delivered_on=date(2026, 9, 1), inspection_days=10, pay_when_paid=True)
    row = payment_terms.agree(contract.id, terms, by=purchaser, now=now)
    assert payment_terms.find_deemed(row, TODAY) == date(2026, 9, 11)
    assert row.last_due_on == date(2026, 10, 11) and row.pay_when_paid
    told = Payment("T1", 300_000, date(2026, 10, 21))
    assert contract_loans.record_payment(row.id, told, by=officer, now=now).state is PaymentState.LATE
    # 8,000 yuan for 10 days, 5,000 for 30 more, at 0.05 % a day: 40 and 75 yuan.
    interest = payment_states.read_late_interest(row, TODAY)
    assert [(s.amount, s.days, s.interest) for s in interest.segments] == [
        (800_000, 10, 4_000),
        (500_000, 30, 7_500),
    ]
    assert (interest.open, interest.total) == (500_000, 11_500)
    payment_terms.agree(row.id, Terms(Decimal("0.036"), date(2026, 9, 1), 10), by=purchaser, now=now)
    assert payment_states.read_late_interest(row, TODAY).total == 800 + 1_500
    for party in (firm, purchaser, officer):
        (late,) = payments.list_late(party, now)
        assert (late.contract.id, late.late_since) == (row.id, date(2026, 10, 11))
    assert payments.list_late(make_party(now=now), now) == []


def test_how_a_purchaser_pays_is_counted_daily_over_the_platform_and_asked_for_by_products(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    bank, officer = make_party(OrganisationKind.BANK, now=now), make_officer(now=now)
    asked = [{"fact": "purchaser_on_time_share", "test": "at_least", "value": 80}]
    product = make_product(bank, now=now, conditions=asked)
    rows = [
        register(now, f"C-{n}", purchaser, firm, plan=((date(2026, 11, n), MILLION),)) for n in range(1, 5)
    ]
    whole = {"amount": MILLION, "contract_id": rows[0].id}
    need = make_need(firm, now=now, purpose=Purpose.CONTRACT, **whole)
    assert "purchaser_on_time_share" not in fitting.describe(need, TODAY)
    for row, day in zip(rows[:3], (1, 2, 9), strict=True):
        contract_loans.record_payment(
            row.id, Payment("T", MILLION, date(2026, 11, day)), by=purchaser, now=now
        )
    assert run_due(firm.zone_id, now=now, sealer=sealer)["purchaser records"] == 1
    assert run_due(firm.zone_id, now=now, sealer=sealer)["purchaser records"] == 0
    code = rows[0].purchaser_code or ""
    stored = purchasers.read_scores(firm.zone_id, [code])[code]
    # On the day, on the day, six days late, and open for sixteen.
    assert (stored.payments, stored.on_time, stored.unpaid, stored.contracts) == (4, 2, 1, 4)
    assert (stored.median_lag, stored.p90_lag, purchasers.say(stored).on_time_share) == (0, 16, 50)
    facts = fitting.describe(need, TODAY)
    assert (facts["purchaser_on_time_share"], facts["purchaser_p90_lag_days"]) == (50, 16)
    failures = next(fit for fit in fitting.fit_products(facts, firm.zone_id) if fit.product.id == product.id)
    assert [(f.condition.fact, f.found, f.distance) for f in failures.failures] == [
        ("purchaser_on_time_share", 50, 30)
    ]
    found = purchasers.list_rows(code, by=officer, now=now)
    assert [(row.contract.number, row.lag) for row in found] == [
        ("C-4", 16),
        ("C-3", 6),
        ("C-2", 0),
        ("C-1", 0),
    ]
    # Another zone counts the same contracts, but not those of a zone that only tries things out.
    elsewhere = make_zone(now=now)
    purchasers.refresh(elsewhere.id, now=now)
    assert purchasers.read_scores(elsewhere.id, [code])[code].payments == 4
    own = db.session.get_one(Zone, firm.zone_id)
    own.is_sandbox = True
    db.session.commit()
    purchasers.refresh(elsewhere.id, now=now)
    assert purchasers.read_scores(elsewhere.id, [code]) == {}
    assert db.session.scalars(select(PurchaserScore)).one().zone_id == firm.zone_id


def test_counting_asks_as_often_for_many_contracts_as_for_few(app: Flask, now: datetime) -> None:
    firm, purchaser = make_party(now=now), make_party(OrganisationKind.PURCHASER, now=now)
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    def count(number: int) -> int:
        register(now, f"C-{number}", purchaser, firm)
        db.session.expunge_all()
        asked.clear()
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            purchasers.refresh(firm.zone_id, now=now + timedelta(days=number))
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(asked)

    # The first time its row is new.
    count(1)
    assert count(2) == count(3) <= 12
