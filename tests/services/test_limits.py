"""Limits: taken whole or not at all, reserved or shared, and given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from market.bidding_vocabulary import BidPolicy, LimitMode
from market.errors import Code
from market.party import Party, clock
from market.vocabulary import (
    BidState,
    LimitScope,
    OrganisationKind,
    Purpose,
)
from models.base import db, transaction
from models.bid import Bid
from models.need import Need
from models.product import Product
from services import awards, bids, limit_settings, limits, loans, opening, organisations
from services.limit_settings import set_limit
from services.limits import Exposure
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, pay_out, place_bid
from tests.services.conftest import Refusing
from tests.services.test_path import make_contract_path

LATER = timedelta(days=3, seconds=1)
OTHERS = frozenset(LimitScope) - {LimitScope.LEVERAGE}


def own(party: Party) -> int:
    assert party.organisation_id is not None
    return party.organisation_id


def used(party: Party) -> dict[LimitScope, int]:
    db.session.rollback()
    db.session.expire_all()
    return {limit.scope: limit.used for limit in limits.list_for(own(party))}


def make_bank(now: datetime, **product: Any) -> tuple[Party, Product]:
    bank = make_party(OrganisationKind.BANK, now=now)
    return bank, make_product(bank, now=now, **product)


def win(firm: Party, bid: Bid, *, now: datetime, sealer: Sealer) -> None:
    opening.open_bids(bid.need_id, by=clock(firm.zone_id), now=now, sealer=sealer)
    awards.accept(bid.need_id, bid.id, bid.receipt_hash, by=firm, now=now)


def test_a_deal_takes_of_every_limit_in_its_way_or_of_none(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    bank, firm, other = make_party(OrganisationKind.BANK, now=now), make_party(now=now), make_party(now=now)
    lender, borrower = own(bank), own(firm)
    set_limit(lender, LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)
    set_limit(lender, LimitScope.FIRM, 4 * MILLION, by=bank, now=now, firm_id=borrower)
    to_firm, to_other = Exposure(lender, borrower, "C39", own(other)), Exposure(lender, own(other))

    def move(verb: Callable[..., None], exposure: Exposure, amount: int) -> None:
        with transaction() as session:
            verb(session, [replace(exposure, amount=amount)])

    move(limits.consume, to_firm, 4 * MILLION)
    with refuses(Code.LIMIT_EXCEEDED):
        move(limits.consume, to_firm, 1)
    move(limits.consume, to_other, 6 * MILLION)
    assert used(bank) == {LimitScope.TOTAL: 10 * MILLION, LimitScope.FIRM: 4 * MILLION}
    with refuses(Code.LIMIT_EXCEEDED):
        move(limits.consume, to_other, 1)
    move(limits.release, to_firm, 3 * MILLION)
    assert used(bank) == {LimitScope.TOTAL: 7 * MILLION, LimitScope.FIRM: MILLION}
    total = limits.find_total(lender)
    assert total is not None and total.cap == 10 * MILLION
    assert limits.find_total(borrower) is None


def test_without_a_limit_nothing_is_in_the_way(app: Flask, now: datetime) -> None:
    bank, firm = make_party(OrganisationKind.BANK, now=now), make_party(now=now)
    deal = Exposure(own(bank), own(firm), "C39", own(firm), 10**15)
    with transaction() as session:
        limits.consume(session, [deal])
        limits.release(session, [deal])


@pytest.mark.parametrize("full", sorted(OTHERS))
def test_each_scope_alone_stops_a_bid_and_an_award(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing, full: LimitScope
) -> None:
    firm, bank, product, purchaser, contract = make_contract_path(now)
    organisations.update_profile({"industry": "C39"}, by=firm, now=now)
    names: dict[LimitScope, dict[str, Any]] = {
        LimitScope.TOTAL: {},
        LimitScope.FIRM: {"firm_id": own(firm)},
        LimitScope.SECTOR: {"sector": "C39"},
        LimitScope.PURCHASER: {"purchaser_id": own(purchaser)},
    }
    for scope, named in names.items():
        set_limit(own(bank), scope, 9 * MILLION, by=bank, now=now, **named)
    # Limits for somebody else are in nobody's way.
    set_limit(own(bank), LimitScope.SECTOR, 0, by=bank, now=now, sector="F51")
    set_limit(own(bank), LimitScope.PURCHASER, 0, by=bank, now=now, purchaser_id=own(firm))
    need = make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, months=6)
    bid = place_bid(need, product, bank, now=now, sealer=sealer)
    later = now + LATER
    opening.open_bids(need.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    set_limit(own(bank), full, 5 * MILLION - 1, by=bank, now=now, **names[full])
    with refuses(Code.LIMIT_EXCEEDED):
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    again = make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, months=6)
    with refuses(Code.LIMIT_EXCEEDED, "principal"):
        place_bid(again, product, bank, now=now, sealer=sealer)
    set_limit(own(bank), full, 5 * MILLION, by=bank, now=now, **names[full])
    awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=later)
    rows = [(row.scope, row.used) for row in limits.list_for(own(bank)) if row.cap]
    assert rows == [(scope, 5 * MILLION) for scope in names]
    # The firm's industry is what it was at the award: what was taken of a limit goes back to it.
    organisations.update_profile({"industry": "F51"}, by=firm, now=later)
    (loan,) = awards.list_deals(bank)
    loans.cancel(loan.id, by=bank, now=later)
    assert set(used(bank).values()) == {0}


def test_live_bids_hold_headroom_until_they_are_replaced_withdrawn_lost_or_expired(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    rival, cheaper = make_bank(now)
    set_limit(own(bank), LimitScope.TOTAL, 10 * MILLION, by=bank, now=now)

    def ask(policy: BidPolicy = BidPolicy.SEALED, **values: Any) -> Need:
        return make_need(firm, now=now, joins_matching=False, bid_policy=policy, **values)

    first, second, third = ask(), ask(BidPolicy.ANONYMOUS), ask()
    place_bid(first, product, bank, now=now, sealer=sealer)
    held = place_bid(second, product, bank, now=now, sealer=sealer)
    assert held.holds
    with refuses(Code.LIMIT_EXCEEDED, "principal"):
        place_bid(third, product, bank, now=now, sealer=sealer, principal=MILLION)
    quote = bids.Quote(product.id, MILLION, 12, bids.earliest_validity(third), rate=Decimal("0.04"))
    seen = bids.preview(third.id, quote, by=bank, now=now, sealer=sealer)
    assert seen.headroom == 0
    assert [fault.code for fault in seen.faults] == [Code.LIMIT_EXCEEDED]
    # A bid makes room for the one that replaces it, under seal or not.
    place_bid(first, product, bank, now=now, sealer=sealer, principal=4 * MILLION)
    place_bid(third, product, bank, now=now, sealer=sealer, principal=MILLION)
    # Withdrawn it holds nothing.
    bids.withdraw(held.id, by=bank, now=now)
    place_bid(second, product, bank, now=now, sealer=sealer)
    best = place_bid(second, cheaper, rival, now=now, sealer=sealer, rate=Decimal("0.035"))
    # Opened and live it still holds; lost it does not.
    later = now + LATER
    fourth = make_need(firm, now=later, joins_matching=False)
    opening.open_bids(second.id, by=clock(firm.zone_id), now=later, sealer=sealer)
    with refuses(Code.LIMIT_EXCEEDED, "principal"):
        place_bid(fourth, product, bank, now=later, sealer=sealer)
    awards.accept(second.id, best.id, best.receipt_hash, by=firm, now=later)
    assert {bid.state for bid in bids.list_own(bank) if bid.need_id == second.id} >= {BidState.LOST}
    place_bid(fourth, product, bank, now=later, sealer=sealer)
    # What is no longer valid holds nothing, even before the clock says so.
    much_later = later + timedelta(days=50)
    fifth = make_need(firm, now=much_later, joins_matching=False, amount=10 * MILLION)
    place_bid(fifth, product, bank, now=much_later, sealer=sealer)
    # None of this was ever stored.
    assert used(bank) == {LimitScope.TOTAL: 0}


def test_shared_headroom_is_leaned_on_by_many_and_taken_by_the_first_award(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    set_limit(own(bank), LimitScope.TOTAL, 8 * MILLION, by=bank, now=now, mode=LimitMode.SHARED)
    needs = [make_need(firm, now=now, joins_matching=False) for _ in range(2)]
    placed = [place_bid(need, product, bank, now=now, sealer=sealer) for need in needs]
    large = make_need(firm, now=now, amount=9 * MILLION, joins_matching=False)
    with refuses(Code.LIMIT_EXCEEDED, "principal"):
        place_bid(large, product, bank, now=now, sealer=sealer)
    later = now + LATER
    win(firm, placed[0], now=later, sealer=sealer)
    opening.open_bids(needs[1].id, by=clock(firm.zone_id), now=later, sealer=sealer)
    with refuses(Code.LIMIT_EXCEEDED):
        awards.accept(needs[1].id, placed[1].id, placed[1].receipt_hash, by=firm, now=later)
    # A repayment gives back as much as it pays off.
    (loan,) = awards.list_deals(bank)
    pay_out(loan.id, date(2026, 11, 23), by=bank, now=later)
    after = later + timedelta(days=300)
    loans.record_repayment(loan.id, 3 * MILLION, date(2027, 9, 1), "R1", by=bank, now=after)
    (loan,) = awards.list_deals(bank)
    assert used(bank) == {LimitScope.TOTAL: loan.outstanding}
    assert loan.outstanding < 5 * MILLION


def test_needs_of_a_matching_round_reserve_nothing(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    bank, product = make_bank(now)
    set_limit(own(bank), LimitScope.TOTAL, 5 * MILLION, by=bank, now=now)
    for _ in range(2):
        bid = place_bid(make_need(firm, now=now), product, bank, now=now, sealer=sealer)
        assert not bid.holds


def test_a_new_limit_counts_what_is_out_under_it(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now, industry="C39")
    bank, product = make_bank(now)
    need = make_need(firm, now=now)
    win(firm, place_bid(need, product, bank, now=now, sealer=sealer), now=now + LATER, sealer=sealer)
    sector = set_limit(own(bank), LimitScope.SECTOR, 5 * MILLION, by=bank, now=now, sector=" C39 ")
    other = set_limit(own(bank), LimitScope.SECTOR, 0, by=bank, now=now, sector="F51")
    on_contracts = set_limit(own(bank), LimitScope.PURCHASER, 0, by=bank, now=now, purchaser_id=own(firm))
    assert (sector.used, other.used, on_contracts.used) == (5 * MILLION, 0, 0)
    again = set_limit(own(bank), LimitScope.SECTOR, 6 * MILLION, by=bank, now=now, sector="C39")
    assert (again.id, again.mode) == (sector.id, LimitMode.RESERVED)


def test_a_limit_names_what_it_caps_and_nothing_else(app: Flask, now: datetime, refuses: Refusing) -> None:
    bank, firm = make_party(OrganisationKind.BANK, now=now), make_party(now=now)
    guarantor = make_party(OrganisationKind.GUARANTOR, now=now)

    def try_out(by: Party, scope: LimitScope, cap: int | None = MILLION, **named: Any) -> None:
        set_limit(own(by), scope, cap, by=by, now=now, **named)

    with refuses(Code.REQUIRED, "sector"):
        try_out(bank, LimitScope.SECTOR, sector="  ")
    with refuses(Code.TOO_LONG, "sector"):
        try_out(bank, LimitScope.SECTOR, sector="工" * (limit_settings.LONGEST_SECTOR + 1))
    with refuses(Code.REQUIRED, "purchaser_id"):
        try_out(bank, LimitScope.PURCHASER)
    with refuses(Code.UNKNOWN_FIELD, "firm_id"):
        try_out(bank, LimitScope.SECTOR, sector="C39", firm_id=own(firm))
    with refuses(Code.NOT_FOUND):
        try_out(bank, LimitScope.PURCHASER, purchaser_id=10**6)
    with refuses(Code.REQUIRED, "cap"):
        try_out(bank, LimitScope.TOTAL, None)
    with refuses(Code.WRONG_KIND, "scope"):
        try_out(bank, LimitScope.LEVERAGE)
    with refuses(Code.REQUIRED, "net_assets"):
        try_out(guarantor, LimitScope.LEVERAGE, None)
    with refuses(Code.NOT_A_CHOICE, "mode"):
        try_out(guarantor, LimitScope.TOTAL, mode=LimitMode.RESERVED)
    # An officer may set a limit too.
    officer = make_officer(now=now)
    row = set_limit(own(guarantor), LimitScope.TOTAL, MILLION, by=officer, now=now)
    assert row.mode is LimitMode.SHARED


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_reserving_costs_a_bid_two_statements(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now, industry="C39")
    bank, product = make_bank(now)
    free, unbound = make_bank(now)
    set_limit(own(bank), LimitScope.TOTAL, 50 * MILLION, by=bank, now=now)
    set_limit(own(bank), LimitScope.FIRM, 50 * MILLION, by=bank, now=now, firm_id=own(firm))
    for _ in range(3):
        place_bid(make_need(firm, now=now, joins_matching=False), product, bank, now=now, sealer=sealer)
    need = make_need(firm, now=now, joins_matching=False)
    valid_until = bids.earliest_validity(need)

    def count(by: Party, with_product: Product) -> int:
        quote = bids.Quote(with_product.id, need.amount, need.months, valid_until, rate=Decimal("0.04"))
        statements: list[str] = []
        db.session.rollback()
        db.session.expire_all()

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            bids.place(need.id, quote, by=by, now=now, sealer=sealer)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(statements)

    # The limits are asked for either way; with some that reserve, what is reserved is asked for too.
    assert count(bank, product) == count(free, unbound) + 1
