"""What the tests of a firm's and the public pages share: a small market, a signed-in party, plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import select

from market.party import Party, clock
from market.terms import Fee
from market.vocabulary import (
    Capability,
    FeeBasis,
    FeeTiming,
    OfferKind,
    OrganisationKind,
    Repayment,
    Security,
)
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.product import Product
from models.zone import Zone
from services import awards, bids, opening, zones
from services.sealing import Sealer
from tests.factories import (
    MILLION,
    make_need,
    make_organisation,
    make_party,
    make_product,
    pay_out,
    place_bid,
)

CLOSES_IN = timedelta(days=3)
#: Words of one language on a page of the other: two or more Latin words in a row, or any Chinese character.
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,}){1,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
#: What stands on pages of both languages as it is.
_KEPT = ("中文", "English", "先生", "测试融资需求", "guarantee fee")


@dataclass(frozen=True)
class Stall:
    """A firm with two people, two banks and a lessor with a product each."""

    zone: Zone
    maker: Party
    approver: Party
    banks: list[tuple[Party, Product]]
    lessor: tuple[Party, Product]


def make_stall(now: datetime, **firm: Any) -> Stall:
    """Set the market up; every name has an English form, so that an English page can be wholly English."""
    zone = zones.default()
    assert zone is not None
    zone = zones.rename_default(
        zone.code, "测试高新区", "Test zone", is_sandbox=False, matching_times="10:00"
    )
    organisation = make_organisation(now=now, name="测试企业", name_en="Test firm", dual_control=True, **firm)
    maker = make_party(capabilities=[Capability.ENTERPRISE_MAKER], now=now, organisation=organisation)
    both = [Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER]
    approver = make_party(capabilities=both, now=now, organisation=organisation)
    banks = []
    for name, english in (("第一银行", "First bank"), ("第二银行", "Second bank")):
        bank = make_party(
            OrganisationKind.BANK,
            now=now,
            organisation=make_organisation(OrganisationKind.BANK, now=now, name=name, name_en=english),
        )
        product = make_product(bank, now=now, name_zh=f"{name}贷", repayment=Repayment.INTEREST_MONTHLY)
        banks.append((bank, product))
    lessor = make_party(
        OrganisationKind.LESSOR,
        now=now,
        organisation=make_organisation(OrganisationKind.LESSOR, now=now, name="租赁公司", name_en="A lessor"),
    )
    lease = make_product(
        lessor,
        now=now,
        name_zh="设备租赁",
        offer=OfferKind.LEASE,
        repayment=None,
        security=Security.EQUIPMENT,
        lease={"rent": "arrears", "deposit": "0.05", "buyout": "100.00"},
    )
    return Stall(zone, maker, approver, banks, (lessor, lease))


def make_compared(stall: Stall, now: datetime, sealer: Sealer) -> tuple[Need, list[Bid], datetime]:
    """Take a need to its offers: 4 %, then 3.65 % with a 1 % guarantee fee, then a lease of 24 months."""
    need = make_need(
        stall.maker,
        now=now,
        closes_in=CLOSES_IN,
        amount=MILLION,
        securities=(Security.UNSECURED, Security.EQUIPMENT),
        accepts=(OfferKind.LOAN, OfferKind.LEASE),
    )
    fee = Fee("guarantee fee", FeeTiming.UPFRONT, "guarantor", FeeBasis.PRINCIPAL, rate=Decimal("0.01"))
    (first, plain), (second, with_fee), (lessor, lease) = *stall.banks, stall.lessor
    place_bid(need, plain, first, now=now, sealer=sealer)
    place_bid(need, with_fee, second, now=now, sealer=sealer, rate=Decimal("0.0365"), fees=(fee,))
    place_bid(need, lease, lessor, now=now, sealer=sealer, rate=Decimal("0.05"), months=24)
    later = now + CLOSES_IN + timedelta(minutes=1)
    opening.open_bids(need.id, by=clock(need.zone_id), now=later, sealer=sealer)
    return need, bids.list_offers(need.id, by=stall.maker), later


def make_deal(stall: Stall, now: datetime, sealer: Sealer) -> tuple[Need, Loan, datetime]:
    """Take a need to a loan that two people accepted and the bank paid out."""
    need, offers, later = make_compared(stall, now, sealer)
    award = awards.accept(need.id, offers[0].id, offers[0].receipt_hash, by=stall.maker, now=later)
    awards.confirm(award.id, by=stall.approver, now=later)
    loan = db.session.scalars(select(Loan).where(Loan.award_id == award.id)).one()
    lender = next(bank for bank, _ in stall.banks if bank.organisation_id == loan.lender_id)
    pay_out(loan.id, later.date(), by=lender, now=later)
    return need, loan, later


def forget_request() -> None:
    """Forget who acted and when: requests of a test share its application context and would remember."""
    if has_app_context():
        for name in list(g):
            g.pop(name)


@contextmanager
def separate_requests(app: Flask) -> Iterator[None]:
    """Let every request begin with nothing in ``g``: inside a test they share its application context."""

    def forget() -> None:
        for name in list(g):
            g.pop(name)

    hooks = app.before_request_funcs.setdefault(None, [])
    hooks.insert(0, forget)
    yield
    hooks.remove(forget)


def sign_in(client: FlaskClient, party: Party, language: str = "en") -> None:
    """Open a session as the party without a password."""
    forget_request()
    with client.session_transaction() as session:
        session.clear()
        session["_user_id"] = str(party.user_id)
        session["_fresh"] = True
        session["zone_id"], session["organisation_id"] = party.zone_id, party.organisation_id
        session["language"] = language


def read_text(page: str) -> str:
    """Return what a person reads on a page: no tags, scripts or attributes."""
    body = re.sub(r"(?s)<(script|head).*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " · ", body)).split())


def find_foreign(page: str, language: str) -> list[str]:
    """Return the words on a page that are not of its language."""
    text = read_text(page)
    for kept in _KEPT:
        text = text.replace(kept, "")
    return (_CHINESE if language == "en" else _ENGLISH).findall(text)
