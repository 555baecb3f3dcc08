"""What the tests of the firm's and the public pages share: a small market, somebody at its counter, plain text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flask.testing import FlaskClient

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
from models.bid import Bid
from models.need import Need
from models.product import Product
from models.zone import Zone
from services import bids, opening, zones
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_organisation, make_party, make_product, place_bid

CLOSES_IN = timedelta(days=3)
#: Words of one language on a page of the other: two or more Latin words in a row, or any Chinese character.
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,}){1,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
#: What stands on pages of both languages as it is.
_KEPT = ("中文", "English", "先生", "测试融资需求")


@dataclass(frozen=True)
class Stall:
    """A firm with two people, two banks and a lessor with a product each."""

    zone: Zone
    maker: Party
    approver: Party
    banks: list[tuple[Party, Product]]
    lessor: tuple[Party, Product]


def make_stall(now: datetime, **firm: object) -> Stall:
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
    """Take a need to its opened offers: 4 %, then 3.65 % with a 1 % guarantee fee, then a lease of 24 months."""
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


def sign_in(client: FlaskClient, party: Party, language: str = "en") -> None:
    """Open a session as the party without a password."""
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
