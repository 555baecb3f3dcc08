"""The demo market: what is in it, that it is true, that it is the same every time, and how it is loaded."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import func, select

from blueprints.web.demo_logins import LOGINS, PASSWORD
from config import ROOT
from market import credit_code
from market.calendar import local_date
from market.contract_loan import LADDER
from market.lending_vocabulary import DealKind
from market.vocabulary import (
    INSTITUTION_KINDS,
    LIVE_LOANS,
    AlertKind,
    AwardState,
    BidState,
    LimitScope,
    LoanState,
    NeedState,
    OfferKind,
    OrganisationKind,
    Pricing,
    ProposalState,
)
from models.alert import Alert
from models.audit import AuditEntry
from models.award import Award
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.financing import Financing
from models.loan import Guarantee, Loan
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from models.round import MatchingRound, Proposal
from models.user import User
from models.zone import Zone
from scripts.demo import command, loading
from scripts.demo.loading import State
from scripts.demo.timeline import at_minute
from services import awards, board, contracts, needs, users
from tests.databases import PostgreSQL, SQLite, make_app
from tests.scripts.demo_market import DAY, SEED, digest, load_once

PRODUCTS = ROOT.parent / "shared" / "data" / "products.csv"
END = at_minute(DAY, 0)


@pytest.fixture(scope="session")
def market_app(run_folder: Path, sqlite_databases: SQLite) -> Flask:
    return make_app(load_once(run_folder, sqlite_databases))


@pytest.fixture
def market(market_app: Flask) -> Iterator[Flask]:
    with market_app.app_context():
        yield market_app
        db.session.remove()


def organisation(name: str) -> Organisation:
    return db.session.scalars(select(Organisation).where(Organisation.name_zh == name)).one()


def login(username: str) -> users.Place:
    user = db.session.scalars(select(User).where(User.username == username)).one()
    return users.parties(user.id)[0]


def test_everybody_is_there_and_nobody_is_real(market: Flask) -> None:
    kinds = Counter(db.session.scalars(select(Organisation.kind)))
    assert set(kinds) == set(OrganisationKind)
    assert sum(kinds[kind] for kind in INSTITUTION_KINDS) >= 30
    assert kinds[OrganisationKind.ENTERPRISE] >= 60
    codes = list(db.session.scalars(select(Organisation.credit_code)))
    assert all(credit_code.is_valid(code) and code[2:8] == "999999" for code in codes)
    zones = list(db.session.scalars(select(Zone)))
    assert len(zones) == 2 and all(zone.is_sandbox for zone in zones)
    names = [*db.session.scalars(select(Organisation.name_zh)), *(zone.name_zh for zone in zones)]
    assert len(set(names)) == len(names)


def test_all_product_families_are_on_the_shelf_of_the_first_zone_in_both_languages(market: Flask) -> None:
    zone = db.session.scalars(select(Zone).where(Zone.is_default)).one()
    shelf = list(db.session.scalars(select(Product).where(Product.zone_id == zone.id)))
    assert len({product.name_zh for product in shelf}) == 26
    assert all(product.name_en and product.summary_zh and product.summary_en for product in shelf)
    if PRODUCTS.exists():
        with PRODUCTS.open(encoding="utf-8", newline="") as stream:
            rows = {row["name_zh"]: row for row in csv.DictReader(stream)}
        assert {product.name_zh for product in shelf} == set(rows)
        for product in shelf:
            row = rows[product.name_zh]
            assert (product.name_en, product.family.value) == (row["name_en"], row["family"])
            # The seed fund's price is a sentence there.
            assert product.pricing.value == row["pricing"] or product.pricing is Pricing.EQUITY
            assert product.amount_max == int(row["cap_yuan"]) * 100
            assert (product.months_min, product.months_max) == (
                int(row["min_months"]),
                int(row["max_months"]),
            )
    prices = defaultdict(set)
    for product in shelf:
        prices[product.name_zh].add((product.rate_from, product.spread_from))
    assert sum(len(variants) > 1 for variants in prices.values()) >= 8


#: A clock that stood still or left work undone is nothing to show; the demo's reviews are quick, its pledges
#: new, its contracts in order, its payments named, and nobody tries to finance a thing twice.
UNSEEN = {
    AlertKind.CLOCK_GAP,
    AlertKind.WORK_MISSED,
    AlertKind.REVIEW_OVERDUE,
    AlertKind.PLEDGE_EXPIRING,
    AlertKind.RIGHT_UNCONFIRMED,
    AlertKind.UNMATCHED_PAYMENT,
    AlertKind.CONTRACT_TERMINATED,
    AlertKind.CONTRACT_AMENDED,
    AlertKind.FINANCING_REFUSED,
    AlertKind.RENEWAL_MISSING,
}


@pytest.mark.parametrize(
    ("column", "states"),
    [
        (Need.state, set(NeedState)),
        (Bid.state, set(BidState)),
        (Award.state, set(AwardState)),
        (Loan.state, set(LoanState)),
        (Loan.kind, {DealKind.LOAN, DealKind.LEASE, DealKind.FACTORING}),
        (Proposal.state, set(ProposalState)),
        (Alert.kind, set(AlertKind) - UNSEEN),
        (Contract.stage, set(LADDER)),
    ],
    ids=["need", "bid", "award", "loan", "kind", "proposal", "alert", "contract"],
)
def test_every_state_has_something_to_show(
    market: Flask, column: sa.ColumnElement[str], states: set[str]
) -> None:
    assert set(db.session.scalars(select(column).distinct())) == states


def test_a_year_of_history_lies_behind_both_zones(market: Flask) -> None:
    published = list(db.session.scalars(select(Need.published_at).where(Need.published_at.is_not(None))))
    moments = sorted(moment for moment in published if moment is not None)
    assert len(moments) >= 150
    assert END - moments[0] > timedelta(days=330)
    for zone in db.session.scalars(select(Zone)):
        months = board.read_months(zone.id, DAY)
        assert len(months) == 12
        assert sum(month.deals > 0 for month in months) >= 11
        figures = board.read_figures(zone.id)
        assert figures.overdue_loans and figures.saving is not None and figures.median_working_days
        assert all(step.times for step in board.read_funnel(zone.id))
        kinds = set(
            db.session.scalars(select(MatchingRound.state).where(MatchingRound.zone_id == zone.id).distinct())
        )
        assert kinds == {"settled"}
    counts = Counter(
        db.session.scalars(select(func.count(Bid.id)).where(Bid.opened_at.is_not(None)).group_by(Bid.need_id))
    )
    assert set(range(1, 8)) <= set(counts)


def test_prices_are_sensible(market: Flask) -> None:
    for bid in db.session.scalars(select(Bid).where(Bid.effective.is_not(None))):
        assert bid.effective is not None
        # The subsidised start-up loan is the cheapest; a lease-back with its deposit the dearest.
        assert 0.01 < bid.effective < 0.13, (bid.product.name_zh, bid.effective)
    won = [bid for bid in db.session.scalars(select(Bid).where(Bid.state == BidState.WON)) if bid.effective]
    assert 0.03 < sum(float(bid.effective or 0) for bid in won) / len(won) < 0.06


def test_the_books_balance(market: Flask) -> None:
    out: Counter[tuple[int, int]] = Counter()
    financed: Counter[int] = Counter()
    for loan in db.session.scalars(select(Loan)):
        if loan.state is LoanState.WRITTEN_OFF:
            # Nobody asks for it any more, and it binds nothing.
            assert (loan.outstanding, loan.bound) == (0, 0)
            continue
        if loan.kind is not DealKind.FACTORING:
            assert sum(line.principal for line in loan.instalments) == loan.principal
        repaid = sum(repayment.principal for repayment in loan.repayments)
        if loan.state is LoanState.DRAWN:
            assert repaid == loan.principal - loan.outstanding > -1
        if loan.state is LoanState.REPAID:
            assert repaid == loan.principal
        promised = loan.state in {LoanState.APPROVED, LoanState.UNDER_REVIEW}
        committed = loan.principal if promised else loan.outstanding
        out[loan.lender_id, loan.borrower_id] += committed
        if loan.contract_id is not None:
            financed[loan.contract_id] += committed
    weighted: Counter[int] = Counter()
    for guarantee in db.session.scalars(select(Guarantee)):
        assert (guarantee.ended_at is None) == (guarantee.loan.state in LIVE_LOANS)
        weighted[guarantee.guarantor_id] += guarantee.weighted
    assert weighted.total() > 0
    for limit in db.session.scalars(select(Limit)):
        if limit.scope is LimitScope.LEVERAGE:
            assert limit.used == weighted[limit.organisation_id] <= limit.cap
            continue
        used = sum(
            amount
            for (lender, firm), amount in out.items()
            if lender == limit.organisation_id and limit.firm_id in (None, firm)
        )
        assert limit.used == used <= limit.cap
    live = list(db.session.scalars(select(Financing).where(Financing.ended_at.is_(None))))
    assert len({financing.key for financing in live}) == len(live) > 0
    for financing in live:
        assert financing.financed == financed[financing.contract_id]


def test_nothing_is_dated_after_the_morning_it_opens(market: Flask) -> None:
    latest = db.session.scalar(select(func.max(AuditEntry.at)))
    assert latest is not None and latest <= END
    for bid in db.session.scalars(select(Bid)):
        need = bid.need
        assert need.published_at is not None and need.closes_at is not None
        assert need.published_at < bid.receipt_at < need.closes_at
        assert bid.receipt_at < END


def test_there_is_something_to_do_for_everybody(market: Flask) -> None:
    firm, second, startup, officer = login("firm"), login("firm2"), login("startup"), login("officer")
    states = Counter(db.session.scalars(select(Need.state)))
    assert states[NeedState.OPEN] >= 12
    assert states[NeedState.CLOSED] >= 6
    offers = [
        list(db.session.scalars(select(Bid).where(Bid.need_id == need.id, Bid.state == BidState.LIVE)))
        for need in needs.list_own(firm.party, [NeedState.CLOSED])
    ]
    assert any(len(bids) >= 3 and {bid.offer for bid in bids} == set(OfferKind) for bids in offers)
    assert needs.list_own(startup.party, [NeedState.CLOSED])
    assert needs.list_own(firm.party, [NeedState.DRAFT])
    assert awards.count_waiting(second.party) == 1
    assert contracts.list_financeable(firm.party)
    (pending,) = contracts.list_pending_steps(officer.party)
    assert pending.contract.purchaser_id == login("purchaser").organisation.id
    for username in ("bank", "bank2", "lessor"):
        place = login(username)
        open_needs = {need.id for need in needs.list_open(place.party, END)}
        bid_on = set(
            db.session.scalars(
                select(Bid.need_id).where(
                    Bid.organisation_id == place.organisation.id, Bid.state == BidState.SEALED
                )
            )
        )
        assert bid_on and open_needs - bid_on
        assert len(awards.list_deals(place.party)) >= 3
    assert awards.list_deals(firm.party) and awards.list_deals(startup.party)
    open_alerts = set(db.session.scalars(select(Alert.kind).where(Alert.resolved_at.is_(None))))
    assert {AlertKind.LOAN_OVERDUE, AlertKind.WRONG_ACCOUNT, AlertKind.PURCHASER_OVERDUE} <= open_alerts
    refused = [contract for contract in db.session.scalars(select(Contract)) if contract.obstacles]
    assert len({tuple(contract.obstacles) for contract in refused}) >= 5


def test_only_the_listed_people_sign_in_and_all_with_the_one_password(market: Flask) -> None:
    passwords = market.extensions["passwords"]
    with_password = set(db.session.scalars(select(User.username).where(User.password_hash.is_not(None))))
    assert with_password == {entry.username for entry in LOGINS}
    for entry in LOGINS:
        user = users.authenticate(entry.username, PASSWORD, passwords=passwords, now=END)
        assert users.parties(user.id)
    table = command.list_logins().splitlines()
    assert len(table) == len(LOGINS) + 1
    assert all(PASSWORD in line for line in table[1:])


def test_the_command_loads_the_same_market_into_postgresql(
    market_app: Flask, postgresql_databases: PostgreSQL
) -> None:
    url = postgresql_databases.create()
    said = run_command(url, f"--seed={SEED}", f"--date={DAY}", "--if-empty", salt="1")
    assert "needs" in said.stdout, said.stderr
    kept = run_command(url, "--if-empty", salt="2")
    assert kept.stdout.strip() == "Demo market: the market in the database is kept"
    assert run_command(url, salt="2").returncode == 1
    assert run_command(url, "--logins", salt="2").stdout.strip() == command.list_logins()
    engine = sa.create_engine(url)
    with engine.connect() as there, market_app.app_context(), db.engine.connect() as here:
        assert digest(there) == digest(here)
    engine.dispose()
    postgresql_databases.release(url)


def run_command(url: str, *arguments: str, salt: str) -> subprocess.CompletedProcess[str]:
    # Another process with another hash seed: an order that hangs on sets or ids would show.
    env = {**os.environ, "DATABASE_URL": url, "PYTHONHASHSEED": salt}
    return subprocess.run(
        [sys.executable, "-m", "scripts.demo", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


class Killed(Exception):
    """Stands for a process that is gone."""


def load_half(app: Flask) -> None:
    def die(text: str) -> None:
        if text.endswith("products"):
            raise Killed

    with pytest.raises(Killed):
        loading.load(app, seed=SEED, day=DAY, say=die)


def test_a_load_that_was_cut_short_is_cleared_and_started_again(app: Flask) -> None:
    assert loading.find_state() is State.EMPTY
    load_half(app)
    assert loading.find_state() is State.UNFINISHED
    loading.clear()
    assert loading.find_state() is State.EMPTY
    assert db.session.scalars(select(Zone.code)).all() == ["default"]
    load_half(app)
    # Numbers start at one again, as they must for the same market.
    assert db.session.scalar(select(func.min(Organisation.id))) == 1


def test_a_half_market_that_somebody_uses_is_left_alone(app: Flask, now: datetime) -> None:
    load_half(app)
    assert local_date(now) == DAY
    users.create("somebody", "某人", now=now)
    assert loading.find_state() is State.FOREIGN


def test_a_database_of_others_is_not_touched(app: Flask, now: datetime) -> None:
    users.create("somebody", "某人", now=now)
    assert loading.find_state() is State.FOREIGN


@pytest.mark.parametrize("wrong", ["2026-13-01", "yesterday", "2019-09-01"])
def test_a_day_that_cannot_be_is_refused_by_name(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(["--date", wrong])
    assert refused.value.code == 2
    assert "--date" in capsys.readouterr().err
