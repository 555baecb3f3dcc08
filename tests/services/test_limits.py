"""Limits: taken whole or not at all, and given back."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from market.errors import Code
from market.vocabulary import LimitScope, OrganisationKind
from models.base import db, transaction
from services import limits, organisations
from tests.factories import MILLION, make_party
from tests.services.conftest import Refusing


def test_a_deal_takes_of_every_limit_in_its_way_or_of_none(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    bank, firm, other = make_party(OrganisationKind.BANK, now=now), make_party(now=now), make_party(now=now)
    lender, borrower = bank.organisation_id or 0, firm.organisation_id or 0
    organisations.set_limit(lender, LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)
    organisations.set_limit(lender, LimitScope.FIRM, 4 * MILLION, by=bank, now=now, firm_id=borrower)

    def used() -> list[int]:
        db.session.expire_all()
        return [limit.used for limit in limits.list_for(lender)]

    with transaction() as session:
        limits.consume(session, lender, borrower, 4 * MILLION)
    with refuses(Code.LIMIT_EXCEEDED), transaction() as session:
        limits.consume(session, lender, borrower, 1)
    with transaction() as session:
        limits.consume(session, lender, other.organisation_id or 0, 6 * MILLION)
    assert used() == [10 * MILLION, 4 * MILLION]
    with refuses(Code.LIMIT_EXCEEDED), transaction() as session:
        limits.consume(session, lender, other.organisation_id or 0, 1)
    with transaction() as session:
        limits.release(session, lender, borrower, 3 * MILLION)
    assert used() == [7 * MILLION, MILLION]
    total = limits.find_total(lender)
    assert total is not None and total.cap == 10 * MILLION
    assert limits.find_total(borrower) is None


def test_without_a_limit_nothing_is_in_the_way(app: Flask, now: datetime) -> None:
    bank, firm = make_party(OrganisationKind.BANK, now=now), make_party(now=now)
    with transaction() as session:
        limits.consume(session, bank.organisation_id or 0, firm.organisation_id or 0, 10**15)
        limits.release(session, bank.organisation_id or 0, firm.organisation_id or 0, 10**15)
