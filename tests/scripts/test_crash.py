"""Killed outright in mid-path, started again: the web server and the clock finish what was begun.

Real processes on a real port, spoken to over HTTP only; both databases.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market.calendar import local_date
from market.vocabulary import BidState, NeedState, OrganisationKind
from models.award import Award
from models.base import db, transaction
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.zone import Zone
from services import users
from tests import factories
from tests.databases import URL
from tests.processes import Site, find_port

BANKS = 6


@pytest.fixture
def running(app: Flask) -> Iterator[Site]:
    site = Site(app.config[URL], find_port())
    yield site
    site.stop()


def wait_for(what: Any, seconds: float = 30.0) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        db.session.rollback()
        db.session.expire_all()
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it never came to pass")


def test_a_market_killed_in_mid_path_finishes_it_after_a_restart(app: Flask, running: Site) -> None:
    now = datetime.now(UTC)
    with transaction() as session:
        zone = session.get_one(Zone, factories.default_zone_id())
        zone.is_sandbox = True
        zone_id = zone.id
    firm = factories.make_party(now=now)
    officer = factories.make_officer(now=now)
    tokens = {}
    products = {}
    for number in range(BANKS):
        bank = factories.make_party(OrganisationKind.BANK, now=now)
        _, tokens[number] = users.issue_token("crash", by=bank, now=now)
        products[number] = factories.make_product(bank, now=now).id
    _, firm_token = users.issue_token("crash", by=firm, now=now)
    _, officer_token = users.issue_token("crash", by=officer, now=now)

    running.start("web")
    drafted = running.insist(
        "POST",
        "needs",
        firm_token,
        {
            "purpose": "working_capital",
            "amount": "5000000.00",
            "months": 12,
            "securities": ["unsecured"],
            "accepts": ["loan"],
        },
    )
    closes = (now + timedelta(hours=2)).isoformat()
    running.insist("POST", f"needs/{drafted['id']}/publish", firm_token, {"closes_at": closes})

    # Banks bid all at once while the web server is killed under them, and bid on when it is back.
    receipts: dict[int, set[str]] = {number: set() for number in range(BANKS)}
    enough = threading.Event()

    def bid(number: int) -> None:
        terms = {
            "product_id": products[number],
            "principal": "5000000.00",
            "months": 12,
            "rate": f"0.0{36 + number}",
            "valid_until": (now + timedelta(days=60)).isoformat(),
        }
        # Bidders that knock without a pause would take the time in which the server comes back.
        while not enough.wait(0.05):
            with suppress(OSError):
                status, answer = running.call("POST", f"needs/{drafted['id']}/bids", tokens[number], terms)
                assert status == 201, answer
                receipts[number].add(answer["receipt_hash"])

    bidders = [threading.Thread(target=bid, args=(number,)) for number in range(BANKS)]
    for bidder in bidders:
        bidder.start()
    wait_for(lambda: sum(map(len, receipts.values())) >= BANKS)
    running.kill("web")
    before = sum(map(len, receipts.values()))
    running.start("web")
    wait_for(lambda: sum(map(len, receipts.values())) >= before + BANKS and all(receipts.values()))
    enough.set()
    for bidder in bidders:
        bidder.join()

    need = db.session.get_one(Need, drafted["id"])
    stored = db.session.scalars(select(Bid).where(Bid.need_id == need.id).order_by(Bid.receipt_number)).all()
    # Whatever was answered is stored, numbers have no gap, and one bid of each product stands.
    assert {receipt for own in receipts.values() for receipt in own} <= {row.receipt_hash for row in stored}
    assert [row.receipt_number for row in stored] == list(range(1, need.last_receipt + 1))
    assert sorted(row.product_id for row in stored if row.state is BidState.SEALED) == sorted(
        products.values()
    )

    # The clock dies again and again while bids are due to be opened; the last one finishes.
    running.insist("POST", "clock/fast-forward", officer_token, {"until": closes})
    for moment in (0.5, 1.2, 1.8):
        running.start("clock")
        time.sleep(moment)
        running.kill("clock")
    running.start("clock")
    wait_for(lambda: db.session.get_one(Need, need.id).state is NeedState.CLOSED)
    offers = running.insist("GET", f"needs/{need.id}/offers", firm_token)["items"]
    assert [offer["rank"] for offer in offers] == list(range(1, BANKS + 1))

    # The firm accepts, and the web server dies under it: the award stands once, or not at all.
    choice = {"bid_id": offers[0]["bid_id"], "shown_hash": offers[0]["receipt_hash"]}

    def accept() -> None:
        with suppress(OSError):
            running.call("POST", f"needs/{need.id}/award", firm_token, choice)

    accepting = threading.Thread(target=accept)
    accepting.start()
    time.sleep(0.02)
    running.kill("web")
    accepting.join()
    running.start("web")
    wait_for(lambda: answers(running, firm_token))
    db.session.rollback()
    if db.session.scalar(select(func.count(Award.id))) == 0:
        running.insist("POST", f"needs/{need.id}/award", firm_token, choice)
    db.session.rollback()
    assert db.session.scalar(select(func.count(Award.id))) == 1
    (loan,) = db.session.scalars(select(Loan)).all()
    assert sum(line.principal for line in loan.instalments) == loan.principal == 500_000_000

    lender = next(n for n in range(BANKS) if products[n] == loan.award.bid.product_id)
    today = local_date(datetime.now(UTC) + timedelta(hours=2)).isoformat()
    drawn = running.insist("POST", f"loans/{loan.id}/drawdown", tokens[lender], {"drawn_on": today})
    owed = drawn["outstanding"]
    running.insist(
        "POST",
        f"loans/{loan.id}/repayments",
        tokens[lender],
        {"amount": owed, "paid_on": today, "reference": "R1"},
    )
    assert running.insist("GET", f"loans/{loan.id}", tokens[lender])["state"] == "repaid"
    assert zone_id == loan.zone_id


def answers(site: Site, token: str) -> bool:
    try:
        return site.call("GET", "me", token)[0] == 200
    except OSError:
        return False
