"""A market in which one bank's bids may tell nobody anything: its people, its needs, and its four worlds.

The worlds are the same but for what one bank, the canary, bids. All else that is drawn by chance (numbers of
bids, salts) is the same in all of them, so that their answers can be compared byte by byte.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import make_url

from market.bidding_vocabulary import BidPolicy
from market.calendar import local_date
from market.party import Party, clock
from market.procurement_vocabulary import DepositKind
from market.vocabulary import (
    AlertKind,
    Capability,
    LimitScope,
    OrganisationKind,
    Pricing,
    ProductFamily,
    Purpose,
    Security,
)
from models import bid as bid_model
from models.alert import Alert
from models.base import db, transaction
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from models.review import Review
from services import (
    alerts,
    awards,
    bids,
    contracts,
    deposit_demands,
    deposits,
    early_openings,
    frameworks,
    need_changes,
    needs,
    notices,
    opening,
    organisations,
    outages,
    questions,
    reviews,
    rounds,
    sealing,
    standing_bids,
    users,
)
from services.limit_settings import set_limit
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import (
    MILLION,
    make_need,
    make_officer,
    make_organisation,
    make_party,
    make_product,
    make_zone,
    pay_out,
    place_bid,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: What the canary bids in the second world: no other figure of the market has these digits.
AMOUNT, RATE, MONTHS = 314_159_265, Decimal("0.052739"), 11
LEAST = 271_828_182
LEADING = Decimal("0.038717")
#: Where the numbers of bids begin: of deals done before, of the canary's, of its rivals'.
EARLIER, CANARY, RIVAL = 5_000_000_000, 7_000_000_000, 9_000_000_000


@dataclass
class Chance:
    """What is drawn by chance, made repeatable: numbers of bids from a start, bytes from a counter."""

    start: int = EARLIER
    drawn: int = 0
    bytes_drawn: int = 0

    def begin(self, start: int) -> None:
        self.start, self.drawn, self.bytes_drawn = start, 0, 0

    def draw(self, most: int) -> int:
        assert most > RIVAL, "numbers of bids are drawn from a range too wide to count in"
        self.drawn += 1
        return self.start + self.drawn - 1

    def draw_bytes(self, count: int) -> bytes:
        self.bytes_drawn += 1
        return hashlib.sha256(f"{self.start} {self.bytes_drawn}".encode()).digest()[:count]


def tame(monkeypatch: pytest.MonkeyPatch) -> Chance:
    """Make what bids draw by chance repeatable."""
    chance = Chance()
    monkeypatch.setattr(bid_model, "secrets", SimpleNamespace(randbelow=chance.draw))
    monkeypatch.setattr(sealing, "os", SimpleNamespace(urandom=chance.draw_bytes))
    return chance


@dataclass
class Cast:
    """Everybody, with the numbers of everything that an address can name."""

    parties: dict[str, Party] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    needs: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    closes_at: datetime | None = None


def found(now: datetime, sealer: Sealer, chance: Chance) -> Cast:
    """Return a market with deals behind it and needs that are open for bids, without one bid on these."""
    chance.begin(EARLIER)
    cast = Cast()
    firm = make_organisation(now=now, name="求贷企业", dual_control=True, industry="C39")
    for name, capability in (
        ("firm", Capability.ENTERPRISE_MAKER),
        ("approver", Capability.ENTERPRISE_APPROVER),
    ):
        cast.parties[name] = make_party(capabilities=[capability], now=now, organisation=firm)
    cast.parties["neighbour"] = make_party(now=now)
    for name in ("canary", "rival", "watcher"):
        bank = make_organisation(OrganisationKind.BANK, now=now, name=f"{name}银行")
        cast.parties[name] = make_party(OrganisationKind.BANK, now=now, organisation=bank)
        cast.products[name] = make_product(cast.parties[name], now=now).id
        set_limit(bank.id, LimitScope.TOTAL, 900 * MILLION, by=cast.parties[name], now=now)
    for name in ("second", "third"):
        cast.products[name] = make_product(cast.parties["canary"], now=now).id
    guarantor = cast.parties["guarantor"] = make_party(
        OrganisationKind.GUARANTOR, now=now, net_assets=900 * MILLION
    )
    fee = {"name": "担保费", "when": "yearly", "rate": "0.01", "payee": "guarantor"}
    cast.products["guarantor"] = make_product(
        guarantor,
        now=now,
        family=ProductFamily.GUARANTEE,
        pricing=Pricing.FEE,
        offer=None,
        rate_from=None,
        rate_to=None,
        repayment=None,
        security=Security.UNSECURED,
        fees=[fee],
    ).id
    set_limit(_own(guarantor), LimitScope.LEVERAGE, by=guarantor, now=now)
    cast.parties["officer"], cast.parties["colleague"] = make_officer(now=now), make_officer(now=now)
    cast.parties["auditor"] = make_party(OrganisationKind.AGENCY, now=now)
    purchaser = cast.parties["purchaser"] = make_party(OrganisationKind.PURCHASER, now=now)
    cast.parties["far officer"] = make_officer(now=now, zone_id=make_zone(now=now).id)
    for name, party in cast.parties.items():
        cast.tokens[name] = users.issue_token("walk", by=party, now=now)[1]
    contract = contracts.register(
        contracts.Entry(
            process_id="P1",
            number="C-1",
            title="合同",
            amount=MILLION,
            purchaser_code=db.session.get_one(Organisation, purchaser.organisation_id).credit_code,
            supplier_code=firm.credit_code,
            signed_on=date(2026, 11, 20),
        ),
        by=purchaser,
        now=now,
    )
    tag = organisations.tag(
        firm.id, "HIGH_TECH", "科技局", date(2026, 1, 1), None, by=cast.parties["officer"], now=now
    )
    cast.numbers |= {"contract_id": [contract.id], "tag_id": [tag.id]}
    _procure(cast, contract.id, now)
    _deal(cast, now, sealer)
    _open_needs(cast, now)
    return cast


def _own(party: Party) -> int:
    assert party.organisation_id is not None
    return party.organisation_id


def _product(cast: Cast, name: str) -> Product:
    return db.session.get_one(Product, cast.products[name])


def _deal(cast: Cast, now: datetime, sealer: Sealer) -> None:
    """Take one need to a loan paid out, one to a bank's review, and one to a matching round."""
    firm, approver, rival = (cast.parties[name] for name in ("firm", "approver", "rival"))
    earlier = now - 20 * DAY
    done = [make_need(firm, now=earlier, minimum_bids=1) for _ in range(3)]
    made = [
        place_bid(need, _product(cast, "rival"), rival, now=earlier, sealer=sealer, is_firm=is_firm)
        for need, is_firm in zip(done, (True, False, True), strict=True)
    ]
    closed = earlier + 4 * DAY
    for need in done:
        opening.open_bids(need.id, by=clock(need.zone_id), now=closed, sealer=sealer)
    given = [
        awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=closed)
        for need, bid in zip(done[:2], made, strict=False)
    ]
    for award in given:
        awards.confirm(award.id, by=approver, now=closed)
    taken = list(db.session.scalars(select(Loan).order_by(Loan.id)))
    pay_out(taken[0].id, closed.date(), by=rival, now=closed)
    review = db.session.scalars(select(Review)).one()
    asked = reviews.ask(review.id, "审计报告", by=rival, now=closed)
    matched = rounds.run_now(firm.zone_id, by=cast.parties["officer"], now=closed)
    with transaction() as session:
        alerts.raise_alert(session, firm.zone_id, AlertKind.CLOCK_GAP, "outage:0", now=closed)
    alert = db.session.scalars(select(Alert).order_by(Alert.id.desc())).first()
    assert alert is not None
    outage = outages.declare(
        now - 3 * HOUR, now - 2 * HOUR, "停电", by=cast.parties["officer"], now=now - HOUR
    )
    standing = standing_bids.start(
        cast.products["watcher"],
        standing_bids.Draft(
            cap=10 * MILLION, daily_budget=20 * MILLION, rate=Decimal("0.05"), floor_rate=Decimal("0.04")
        ),
        by=cast.parties["watcher"],
        now=now,
    )
    cast.needs["done"] = done[0].id
    cast.numbers |= {
        "loan_id": [loan.id for loan in taken],
        "review_id": [review.id],
        "request_id": [asked.id],
        "award_id": [award.id for award in given],
        "round_id": [matched.id],
        "alert_id": [alert.id],
        "outage_id": [outage.id],
        "standing_bid_id": [standing.id],
    }


def _open_needs(cast: Cast, now: datetime) -> None:
    """Post the needs that the canary bids on; all those that stay open close at one moment."""
    firm = cast.parties["firm"]
    cast.closes_at = now + 3 * DAY
    posted: dict[str, dict[str, Any]] = {
        "sealed": {},
        "anonymous": {"bid_policy": BidPolicy.ANONYMOUS},
        "between": {
            "syndicated": True,
            "joins_matching": True,
            "round_count": 2,
            "round_hours": 48,
            "closes_in": DAY,
        },
        "withdrawn": {},
        "changed": {},
    }
    for name, values in posted.items():
        usual = {"closes_in": 3 * DAY, "joins_matching": False, **values}
        cast.needs[name] = make_need(firm, now=now, **usual).id
    asked = early_openings.ask(cast.needs["sealed"], "查案", by=cast.parties["colleague"], now=now)
    cast.numbers["request_id"].append(asked.id)
    questions.ask(cast.needs["sealed"], "何时用款？", by=cast.parties["watcher"], now=now)


def _procure(cast: Cast, contract_id: int, now: datetime) -> None:
    """Add an agreement, a deposit that a guarantor is asked about, and the notices that come of it."""
    officer, firm, guarantor = (cast.parties[name] for name in ("officer", "firm", "guarantor"))
    today = local_date(now)
    entry = frameworks.Entry("KJ-1", today, today + 20 * DAY, "档案")
    agreement = frameworks.sign(_own(cast.parties["canary"]), entry, by=officer, now=now)
    demanded = deposit_demands.Entry(DepositKind.ADVANCE, MILLION // 10, contract_id=contract_id)
    deposit = deposit_demands.demand(demanded, by=cast.parties["purchaser"], now=now)
    deposits.ask(deposit.id, _own(guarantor), by=firm, now=now)
    told = [notices.list_for(party)[0].id for party in (firm, guarantor)]
    cast.numbers |= {"agreement_id": [agreement.id], "deposit_id": [deposit.id], "notice_id": told}


#: What the canary bids on every need, by world: its products with their quotes, one after the other.
Quotes = tuple[tuple[str, dict[str, Any]], ...]
_OTHER = {"rate": RATE, "principal": AMOUNT, "months": MONTHS, "is_firm": False}
WORLDS: dict[str, Quotes] = {
    "none": (),
    "plain": (("canary", {"rate": Decimal("0.0411")}),),
    "other": (("canary", _OTHER),),
    # One replaced, one of another product, and one that was taken back.
    "busy": (("canary", {"rate": RATE}), ("canary", {}), ("second", _OTHER), ("third", {})),
    # Better than the rival's: of anonymous bidding the best cost is known to all, and nothing else.
    "leading": (("canary", {"rate": LEADING}),),
}


def bid(cast: Cast, quotes: Quotes, now: datetime, sealer: Sealer, chance: Chance) -> None:
    """Let the canary bid as its world says, then the rival as everywhere; then pass on to the second day."""
    at = now + HOUR
    running = [name for name in cast.needs if name != "done"]
    chance.begin(CANARY)
    for name in running:
        for product, quote in quotes:
            placed = _place(cast, name, product, "canary", at, sealer, **quote)
            if product == "third":
                bids.withdraw(placed.id, by=cast.parties["canary"], now=at)
    chance.begin(RIVAL)
    for name in running:
        _place(cast, name, "rival", "rival", at, sealer, rate=Decimal("0.0395"))
    firm = cast.parties["firm"]
    needs.withdraw(cast.needs["withdrawn"], by=firm, now=at + HOUR)
    draft = needs.Draft(purpose=Purpose.WORKING_CAPITAL, amount=6 * MILLION, months=12, joins_matching=False)
    need_changes.change(cast.needs["changed"], draft, by=firm, now=at + HOUR)
    opening.open_bids(cast.needs["between"], by=clock(firm.zone_id), now=now + DAY, sealer=sealer)


def _place(cast: Cast, need: str, product: str, by: str, at: datetime, sealer: Sealer, **quote: Any) -> Bid:
    """Bid for no longer than has to be: what holds on is in the way of nothing."""
    row = db.session.get_one(Need, cast.needs[need])
    until = bids.earliest_validity(row)
    if row.syndicated and "principal" in quote:
        # There a bid is for the whole, and says what part of it would do.
        quote = {**quote, "principal": row.amount, "least": LEAST}
    listed, party = _product(cast, product), cast.parties[by]
    return place_bid(row, listed, party, now=at, sealer=sealer, **{"valid_until": until, **quote})


def forget() -> None:
    """Close every connection, so that the file holds all and may be copied or replaced."""
    db.session.remove()
    db.engine.dispose()


def keep(app: Flask, copy: Path) -> None:
    """Copy the database of the application, which is an SQLite file."""
    with app.app_context():
        forget()
    shutil.copyfile(str(make_url(app.config[URL]).database), copy)


def restore(app: Flask, copy: Path) -> None:
    """Put a copy in the place of the application's database."""
    with app.app_context():
        forget()
    file = str(make_url(app.config[URL]).database)
    for ending in ("-wal", "-shm"):
        Path(file + ending).unlink(missing_ok=True)
    shutil.copyfile(copy, file)


def spell(amount: int, rates: Iterable[Decimal]) -> list[str]:
    """Return an amount in fen and rates as texts may spell them: fen, yuan, 万元, percent, stored units."""
    yuan = Decimal(amount) / 100
    said = [str(amount), f"{amount:,}", f"{yuan:f}", f"{yuan:,}", f"{yuan / 10_000:.2f}"]
    for rate in rates:
        said += [f"{rate:f}", f"{rate * 100:f}".rstrip("0"), str(int(rate * 10**8))]
    return said
