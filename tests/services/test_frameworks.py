"""Framework agreements: without one in force nobody offers contract loans where the zone asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy import select

from market.calendar import local_date
from market.errors import Code
from market.party import Party, clock
from market.procurement_vocabulary import NoticeKind
from market.vocabulary import AlertKind, BidState, OrganisationKind, ProductFamily, Purpose
from models.alert import Alert
from models.base import db
from models.bid import Bid
from models.organisation import Organisation
from models.product import Product
from services import alerts, bids, contracts, frameworks, notices, products
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services.conftest import Refusing

DAY = timedelta(days=1)


def framework(now: datetime, days: int = 100, number: str = "K-1", start: int = 0) -> frameworks.Entry:
    today = local_date(now)
    return frameworks.Entry(number, today + start * DAY, today + days * DAY, "档案室A-3")


def offer(bank: Party, now: datetime) -> int:
    ratio = Decimal("0.7")
    return make_product(bank, now=now, family=ProductFamily.CONTRACT, contract_ratio=ratio).id


def test_a_contract_loan_needs_an_agreement_in_force_where_the_zone_asks_for_it(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    officer, firm = make_officer(now=now), make_party(now=now)
    bank, other = (make_party(OrganisationKind.BANK, now=now) for _ in range(2))
    number = bank.organisation_id or 0
    purchaser = make_party(OrganisationKind.PURCHASER, now=now)

    def code(party: Party) -> str:
        return db.session.get_one(Organisation, party.organisation_id).credit_code

    entry = contracts.Entry("P", "C-1", "合同", 20 * MILLION, code(purchaser), code(firm), local_date(now))
    contract = contracts.register(entry, by=purchaser, now=now)
    need = make_need(firm, now=now, purpose=Purpose.CONTRACT, contract_id=contract.id, closes_in=20 * DAY)
    plain = make_need(firm, now=now, closes_in=20 * DAY)
    listed, others = offer(bank, now), offer(other, now)
    first = place_bid(need, db.session.get_one(Product, others), other, now=now, sealer=sealer)
    frameworks.require_frameworks(True, by=officer, now=now)
    product = products.find(listed, bank.zone_id)
    with refuses(Code.NO_FRAMEWORK, "product_id"):
        place_bid(need, product, bank, now=now, sealer=sealer)
    quote = bids.Quote(listed, 5 * MILLION, 12, bids.earliest_validity(need), rate=Decimal("0.04"))
    seen = bids.preview(need.id, quote, by=bank, now=now)
    assert [fault.code for fault in seen.faults] == [Code.NO_FRAMEWORK]
    place_bid(plain, make_product(bank, now=now), bank, now=now, sealer=sealer)
    with refuses(Code.NO_FRAMEWORK, "family"):
        offer(bank, now)
    products.set_listed(listed, False, by=bank, now=now)
    with refuses(Code.NO_FRAMEWORK, "family"):
        products.set_listed(listed, True, by=bank, now=now)

    row = frameworks.sign(number, framework(now, days=10), by=officer, now=now)
    products.set_listed(listed, True, by=bank, now=now)
    product = products.find(listed, bank.zone_id)
    kept = place_bid(need, product, bank, now=now + 10 * DAY, sealer=sealer)
    with refuses(Code.NO_FRAMEWORK, "product_id"):
        place_bid(need, product, bank, now=now + 11 * DAY, sealer=sealer)
    frameworks.end(row.id, "违反约定", by=officer, now=now + 10 * DAY)
    with refuses(Code.NO_FRAMEWORK, "product_id"):
        place_bid(need, product, bank, now=now + 10 * DAY, sealer=sealer)
    # What was bid before stands, with and without an agreement.
    states = {db.session.get_one(Bid, bid.id).state for bid in (first, kept)}
    assert states == {BidState.SEALED}
    assert [notice.kind for notice in notices.list_for(bank)] == [NoticeKind.FRAMEWORK_ENDED]
    with refuses(Code.ILLEGAL_MOVE):
        frameworks.end(row.id, "再次", by=officer, now=now + 10 * DAY)


def test_agreements_of_one_institution_do_not_overlap(app: Flask, now: datetime, refuses: Refusing) -> None:
    officer, bank = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    number = bank.organisation_id or 0
    row = frameworks.sign(number, framework(now), by=officer, now=now)
    with refuses(Code.ALREADY_EXISTS, "valid_from"):
        frameworks.sign(number, framework(now, 200, "K-2", start=100), by=officer, now=now)
    with refuses(Code.ALREADY_EXISTS, "number"):
        frameworks.sign(number, framework(now, 200, "K-1", start=101), by=officer, now=now)
    with refuses(Code.OUT_OF_ORDER, "valid_until"):
        frameworks.sign(number, framework(now, -1, "K-3"), by=officer, now=now)
    firm = make_party(now=now).organisation_id or 0
    with refuses(Code.WRONG_KIND):
        frameworks.sign(firm, framework(now), by=officer, now=now)
    far = make_officer(now=now, zone_id=make_zone(now=now).id)
    with refuses(Code.NOT_FOUND):
        frameworks.sign(number, framework(now, 300, "K-4"), by=far, now=now)
    with refuses(Code.NOT_FOUND):
        frameworks.end(row.id, "无关", by=far, now=now)
    frameworks.end(row.id, "改签", by=officer, now=now)
    frameworks.sign(number, framework(now, 200, "K-2"), by=officer, now=now)
    assert len(frameworks.list_for(bank)) == 2
    assert frameworks.list_for(make_party(OrganisationKind.BANK, now=now)) == []


def test_an_end_that_nears_is_told_once_at_sixty_thirty_and_seven_days(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    officer, bank = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    number = bank.organisation_id or 0
    row = frameworks.sign(number, framework(now), by=officer, now=now)
    followed = frameworks.sign(
        make_party(OrganisationKind.BANK, now=now).organisation_id or 0,
        framework(now, number="F-1"),
        by=officer,
        now=now,
    )
    frameworks.sign(followed.organisation_id, framework(now, 900, "F-2", start=101), by=officer, now=now)
    days: list[list[int]] = []
    for passed in (39, 40, 69, 70, 93, 94):
        for _ in range(2):
            run_due(bank.zone_id, now=now + passed * DAY, sealer=sealer)
        days.append([notice.details["days"] for notice in notices.list_for(bank)])
    assert days == [[], [60], [60], [30, 60], [7, 30, 60], [7, 30, 60]]
    kind, subject = AlertKind.FRAMEWORK_ENDING, f"framework:{row.id}"
    raised = db.session.scalars(select(Alert).where(Alert.kind == kind)).all()
    assert [alert.subject for alert in raised] == [subject]
    frameworks.sign(number, framework(now, 900, "K-2", start=101), by=officer, now=now + 94 * DAY)
    assert not alerts.is_open(kind, subject)
    assert frameworks.list_ending(bank.zone_id, now + 95 * DAY) == []


def test_the_clock_does_not_speak_of_what_was_ended_meanwhile(app: Flask, now: datetime) -> None:
    officer, bank = make_officer(now=now), make_party(OrganisationKind.BANK, now=now)
    row = frameworks.sign(bank.organisation_id or 0, framework(now, 20), by=officer, now=now)
    (ending,) = frameworks.list_ending(bank.zone_id, now)
    frameworks.end(row.id, "终止", by=officer, now=now)
    frameworks.tell_ending(ending, by=clock(bank.zone_id), now=now)
    assert [notice.kind for notice in notices.list_for(bank)] == [NoticeKind.FRAMEWORK_ENDED]
