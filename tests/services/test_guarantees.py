"""Guarantees behind bids: priced with them, held by weight with the lender's limits, ended with the loan."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market.bidding_vocabulary import LimitMode
from market.errors import Code
from market.party import Party, clock
from market.vocabulary import (
    LimitScope,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Security,
    SizeClass,
)
from models.base import db, transaction
from models.bid import Bid
from models.loan import Guarantee, Loan
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from services import awards, bid_content, bids, limits, loans, opening, quotes
from services.limit_settings import set_limit
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_party, make_product, pay_out, place_bid
from tests.services.conftest import Refusing

LATER = timedelta(days=3, seconds=1)
FEE = {"name": "担保费", "when": "yearly", "rate": "0.01", "payee": "guarantor"}


def own(party: Party) -> int:
    assert party.organisation_id is not None
    return party.organisation_id


def make_guarantor(now: datetime, *, net_assets: int = 100 * MILLION, **values: Any) -> tuple[Party, Product]:
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now, net_assets=net_assets)
    usual: dict[str, Any] = {
        "family": ProductFamily.GUARANTEE,
        "pricing": Pricing.FEE,
        "offer": None,
        "rate_from": None,
        "rate_to": None,
        "repayment": None,
        "security": Security.UNSECURED,
        "fees": [FEE],
    }
    product = make_product(guarantor, now=now, **{**usual, **values})
    set_limit(own(guarantor), LimitScope.LEVERAGE, by=guarantor, now=now)
    return guarantor, product


def make_bank(now: datetime) -> tuple[Party, Product]:
    bank = make_party(OrganisationKind.BANK, now=now)
    return bank, make_product(bank, now=now)


def win(need: Need, bid: Bid, firm: Party, *, now: datetime, sealer: Sealer) -> Loan:
    opening.open_bids(need.id, by=clock(firm.zone_id), now=now, sealer=sealer)
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=now)
    return db.session.scalars(select(Loan).order_by(Loan.id.desc())).first() or pytest.fail("no loan")


def used(party: Party, scope: LimitScope = LimitScope.LEVERAGE) -> int:
    db.session.rollback()
    db.session.expire_all()
    return next(limit.used for limit in limits.list_for(own(party)) if limit.scope is scope)


def test_a_guarantee_is_priced_with_the_bid_and_sealed_in_it(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    _, cover = make_guarantor(now)
    need = make_need(firm, now=now)
    quote = bids.Quote(product.id, need.amount, 12, bids.earliest_validity(need), rate=Decimal("0.04"))
    plain = bids.preview(need.id, quote, by=bank, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
    # In the database nothing of it stands in clear.
    assert (bid.guarantee_product_id, bid.guaranteed) == (None, None)
    _, fields, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
    assert fields["guarantee"] == {
        "guarantor": cover.organisation.credit_code,
        "product": cover.id,
        "share": "0.8",
        "guaranteed": "4000000.00",
        "charges": 1,
    }
    (fee,) = fields["offer"]["fees"]
    assert (fee["payee"], fee["rate"], fee["part"]) == ("guarantor", "0.01", "0.8")
    # What is placed once more asks for the same guarantee, and charges for it once.
    content = bid_content.read(bid, sealer)
    again = quotes.quote_again(content.fields, content.terms, valid_until=bid.valid_until)
    assert (again.guarantee_product_id, again.guarantee_share, again.fees) == (cover.id, Decimal("0.8"), ())
    loan = win(need, bid, firm, now=now + LATER, sealer=sealer)
    opened = db.session.get_one(Bid, bid.id)
    assert (opened.guarantee_product_id, opened.guaranteed) == (cover.id, 4 * MILLION)
    assert plain.cost.effective is not None and opened.effective is not None
    assert opened.effective > plain.cost.effective + Decimal("0.005")
    (row,) = db.session.scalars(select(Guarantee))
    assert (row.loan_id, row.amount, row.weighted) == (loan.id, 4 * MILLION, 4 * MILLION)


def test_a_guarantee_shrinks_with_its_loan_and_ends_with_it(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm = make_party(now=now, size_class=SizeClass.SMALL)
    bank, product = make_bank(now)
    guarantor, cover = make_guarantor(now)
    set_limit(own(bank), LimitScope.TOTAL, 20 * MILLION, by=bank, now=now)
    set_limit(own(guarantor), LimitScope.TOTAL, 20 * MILLION, by=guarantor, now=now)
    later, made = now + LATER, []
    for _ in range(2):
        need = make_need(firm, now=now)
        bid = place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
        made.append(win(need, bid, firm, now=later, sealer=sealer))
        # The first alone weighs three quarters; with the second more than five million are in force.
        assert used(guarantor) == (3 * MILLION if len(made) == 1 else 8 * MILLION)
    assert used(guarantor, LimitScope.TOTAL) == 8 * MILLION
    assert used(bank, LimitScope.TOTAL) == 10 * MILLION
    # With the second gone the first weighs less again.
    loans.cancel(made[1].id, by=bank, now=later)
    assert (used(guarantor), used(guarantor, LimitScope.TOTAL)) == (3 * MILLION, 4 * MILLION)
    pay_out(made[0].id, date(2026, 11, 23), by=bank, now=later)
    after = later + timedelta(days=300)
    loans.record_repayment(made[0].id, 2 * MILLION, date(2027, 9, 1), "R1", by=bank, now=after)
    left = db.session.get_one(Loan, made[0].id).outstanding
    assert used(guarantor, LimitScope.TOTAL) == -(-left * 8 // 10)
    assert used(guarantor) == -(-used(guarantor, LimitScope.TOTAL) * 3 // 4)
    owed = loans.read_owed(db.session.get_one(Loan, made[0].id))
    long_after = later + timedelta(days=400)
    loans.record_repayment(
        made[0].id, owed.total - owed.paid, date(2027, 12, 1), "R2", by=bank, now=long_after
    )
    assert (used(guarantor), used(guarantor, LimitScope.TOTAL), used(bank, LimitScope.TOTAL)) == (0, 0, 0)
    assert {row.ended_at is None for row in db.session.scalars(select(Guarantee))} == {False}


def test_one_firm_and_its_affiliates_weigh_a_tenth_and_three_twentieths_of_net_assets_at_most(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm, sister, stranger = (make_party(now=now) for _ in range(3))
    with transaction() as session:
        for party in (firm, sister):
            session.get_one(Organisation, party.organisation_id).controller = "王某"
    bank, product = make_bank(now)
    # A tenth of 50 million is 5 million, with affiliates 7.5 million: each loan of 5 weighs 4.
    _, cover = make_guarantor(now, net_assets=50 * MILLION)
    later = now + LATER

    def bid_for(party: Party, **values: Any) -> tuple[Need, Bid]:
        need = make_need(party, now=now, **values)
        return need, place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)

    both = [bid_for(firm), bid_for(firm), bid_for(sister), bid_for(stranger)]
    large = make_need(firm, now=now, amount=7 * MILLION)
    with refuses(Code.GUARANTOR_FULL, "guarantee_product_id"):
        place_bid(large, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
    for need, _ in both:
        opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    (first, bid), (second, too_much), (third, also), (fourth, apart) = both
    awards.accept(first.id, bid.id, bid.receipt_hash, by=firm, now=later)
    with refuses(Code.LIMIT_EXCEEDED, "guarantee_product_id"):
        awards.accept(second.id, too_much.id, too_much.receipt_hash, by=firm, now=later)
    with refuses(Code.LIMIT_EXCEEDED, "guarantee_product_id"):
        awards.accept(third.id, also.id, also.receipt_hash, by=sister, now=later)
    awards.accept(fourth.id, apart.id, apart.receipt_hash, by=stranger, now=later)


def test_leverage_is_ten_times_net_assets_unless_the_guarantor_says_less(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    guarantor, cover = make_guarantor(now, net_assets=100 * MILLION)
    row = limits.list_for(own(guarantor))[0]
    assert (row.cap, row.mode) == (1000 * MILLION, LimitMode.SHARED)
    with refuses(Code.TOO_LARGE, "cap"):
        set_limit(own(guarantor), LimitScope.LEVERAGE, 1000 * MILLION + 1, by=guarantor, now=now)
    set_limit(own(guarantor), LimitScope.LEVERAGE, 4 * MILLION, by=guarantor, now=now)
    firm = make_party(now=now, size_class=SizeClass.MICRO)
    bank, product = make_bank(now)
    need = make_need(firm, now=now)
    bid = place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
    win(need, bid, firm, now=now + LATER, sealer=sealer)
    other = make_need(make_party(now=now), now=now)
    with refuses(Code.GUARANTOR_FULL, "guarantee_product_id"):
        place_bid(other, product, bank, now=now, sealer=sealer, guarantee_product_id=cover.id)
    # Whoever serves small firms only may stand for fifteen times.
    assert set_limit(own(guarantor), LimitScope.LEVERAGE, by=guarantor, now=now).cap == 1500 * MILLION


def test_a_guarantor_answers_only_inside_its_own_conditions(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    conditions = [{"fact": "size_class", "test": "in", "value": ["micro"]}]
    _, choosy = make_guarantor(now, conditions=conditions)
    _, cover = make_guarantor(now)
    _, unpriced = make_guarantor(now, fees=[])
    nobody, without_leverage = make_guarantor(now)
    with transaction() as session:
        session.get_one(Organisation, nobody.organisation_id).net_assets = None
    need = make_need(firm, now=now)

    def try_out(guarantee: int | None, **values: Any) -> None:
        place_bid(need, product, bank, now=now, sealer=sealer, guarantee_product_id=guarantee, **values)

    with refuses(Code.NOT_ELIGIBLE, "guarantee_product_id"):
        try_out(choosy.id)
    with refuses(Code.GUARANTOR_FULL, "guarantee_product_id"):
        try_out(without_leverage.id)
    with refuses(Code.NOT_BIDDABLE, "guarantee_product_id"):
        try_out(unpriced.id)
    with refuses(Code.NOT_FOUND):
        try_out(product.id)
    with refuses(Code.TOO_LARGE, "guarantee_share"):
        try_out(cover.id, guarantee_share=Decimal("0.9"))
    with refuses(Code.TOO_SMALL, "guarantee_share"):
        try_out(cover.id, guarantee_share=Decimal(0))
    with refuses(Code.REQUIRED, "guarantee_product_id"):
        try_out(None, guarantee_share=Decimal("0.5"))
    try_out(cover.id, guarantee_share=Decimal("0.5"))
