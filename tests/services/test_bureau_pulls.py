"""Two markets over the loopback: one serves its bureau's desk, the other calls it, whatever it answers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from blueprints import clock as hours
from market.bureau_vocabulary import BureauKind
from market.errors import Code, Forbidden, Invalid
from market.party import Party, clock
from models.base import Base, db, transaction
from models.bureau import BureauLink, BureauPull
from models.contract import Contract, ContractRevision
from models.payment import PurchaserPayment
from models.procurement import AwardNotice
from services import bureau_links, bureau_pulls, contract_loans, contracts, users
from services.bureau_pulls import pull, pull_day
from services.clock import run_due
from services.contract_loans import Payment
from services.contracts import Entry
from services.exchange import bureau_client
from services.exchange.bureau_client import Patience
from services.sealing import Sealer
from tests.databases import SQLite, make_app
from tests.factories import MILLION, default_zone_id, make_credit_code, make_officer
from tests.services.conftest import Refusing
from tests.services.peers import answer, misbehaving, serving

IMPATIENT = Patience(wait=0.2, whole=2.0, tries=2, pause=0.0)
DAY = date(2026, 11, 20)
TOMORROW = timedelta(days=1)
SUPPLIER, PURCHASER = make_credit_code(), make_credit_code()


@pytest.fixture(scope="module")
def peer(sqlite_databases: SQLite) -> Iterator[tuple[str, str, Flask]]:
    """A market with three contracts, their payments and two award notices: its address, a token, itself."""
    url = sqlite_databases.create()
    app = make_app(url)
    now = datetime.fromisoformat("2026-11-20T02:00:00+00:00")
    with app.app_context():
        officer = make_officer(now=now)
        for number in ("JN-2026-001", "JN-2026-002", "JN-2026-003"):
            row = contracts.register(make_entry(number), by=officer, now=now)
            payment = Payment(f"T-{number}", MILLION, paid_on=DAY, payee_account="370001")
            contract_loans.record_payment(row.id, payment, by=officer, now=now)
        with transaction() as session:
            for package in ("1", "2"):
                session.add(make_notice(package, officer.zone_id, now))
        _, token = users.issue_token("peer", by=officer, now=now)
        db.session.remove()
    with serving(app) as address:
        yield address, token, app
    with app.app_context():
        db.engine.dispose()
    sqlite_databases.release(url)


def make_entry(number: str, **values: Any) -> Entry:
    """Return a contract of five million with a plan of two payments."""
    said: dict[str, Any] = {
        **{"process_id": "JN-2026", "number": number, "title": "智慧园区", "amount": 5 * MILLION},
        **{"purchaser_code": PURCHASER, "supplier_code": SUPPLIER, "signed_on": date(2026, 11, 2)},
        **{"retention": MILLION // 10, "plan": [(DAY, 2 * MILLION), (date(2027, 5, 20), 3 * MILLION)]},
        **{"project_number": "XM-7", "plan_number": "JH-7", "package_number": "1", "agency": "招标公司"},
        **{"budget_unit_code": "101001", "funding_source": "财政性资金", "delivered_on": DAY},
        "prepayment_ratio": Decimal("0.3"),
    }
    return Entry(**{**said, **values})


def make_notice(package: str, zone_id: int, now: datetime) -> AwardNotice:
    """Return an award notice."""
    return AwardNotice(
        **{"zone_id": zone_id, "project_number": "XM-7", "package_number": package, "title": "智慧园区"},
        **{"supplier_name": "测试科技", "supplier_code": SUPPLIER, "price": 5 * MILLION, "currency": "CNY"},
        **{"plan_number": "JH-7", "agency": "招标公司", "published_on": DAY, "recorded_at": now},
    )


def link_to(address: str, token: str, now: datetime, sealer: Sealer) -> BureauLink:
    by = clock(default_zone_id())
    return bureau_links.save_private("财政局", address, token, by=by, now=now, sealer=sealer)


def count(*tables: type[Base]) -> list[int]:
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def total(pulls: Sequence[BureauPull]) -> list[tuple[int, int, int]]:
    assert [row.failure for row in pulls] == [None, None, None]
    return [(row.imported, row.updated, row.rejected) for row in pulls]


def test_a_day_arrives_whole_and_a_second_time_changes_nothing(
    app: Flask, peer: tuple[str, str, Flask], now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bureau_pulls, "PAGE", "2")
    address, token, _ = peer
    link = link_to(address, token, now, sealer)
    by, later = clock(link.zone_id), now + TOMORROW
    fetch = bureau_client.read_pages

    def watched(*arguments: Any, **options: Any) -> Iterator[list[Any]]:
        # Nobody waits for a bureau inside a transaction.
        assert not db.session().in_transaction()
        yield from fetch(*arguments, **options)

    monkeypatch.setattr(bureau_client, "read_pages", watched)
    assert run_due(link.zone_id, now=later, sealer=sealer)["bureaus asked"] == 1
    db.session.rollback()
    first = db.session.scalars(select(BureauPull).order_by(BureauPull.id)).all()
    assert total(first) == [(2, 0, 0), (3, 0, 0), (3, 0, 0)]
    assert count(AwardNotice, Contract, PurchaserPayment) == [2, 3, 3]
    row = db.session.scalars(select(Contract).where(Contract.number == "JN-2026-001")).one()
    assert (row.source, row.amount, row.retention, row.supplier_code) == (
        "bureau",
        5 * MILLION,
        MILLION // 10,
        SUPPLIER,
    )
    assert (row.prepayment_ratio, row.delivered_on, row.budget_unit_code, row.funding_source) == (
        Decimal("0.3"),
        DAY,
        "101001",
        "财政性资金",
    )
    assert (row.project_number, row.plan_number, row.package_number, row.agency) == (
        "XM-7",
        "JH-7",
        "1",
        "招标公司",
    )
    assert [(line.due_on, line.amount) for line in row.plan] == [
        (DAY, 2 * MILLION),
        (date(2027, 5, 20), 3 * MILLION),
    ]
    (payment,) = row.payments
    assert (payment.paid_on, payment.amount, payment.payee_account) == (DAY, MILLION, "370001")
    assert bureau_pulls.list_due(link.zone_id, later) == []
    assert bureau_links.read_last_days(link.id) == dict.fromkeys(BureauKind, DAY)
    # Nothing of the token can be read in the database.
    assert token.encode() not in link.token

    def shuffled(*arguments: Any, **options: Any) -> Iterator[list[Any]]:
        items = [item for page in fetch(*arguments, **options) for item in page]
        random.Random(7).shuffle(items)
        yield items

    stamps = db.session.scalars(select(Contract.updated_at).order_by(Contract.id)).all()
    for read in (fetch, shuffled):
        monkeypatch.setattr(bureau_client, "read_pages", read)
        again = pull_day(link.id, DAY, by=by, now=later + TOMORROW, sealer=sealer)
        assert total(again) == [(0, 0, 0)] * 3
    assert count(AwardNotice, Contract, PurchaserPayment, ContractRevision) == [2, 3, 3, 0]
    assert db.session.scalars(select(Contract.updated_at).order_by(Contract.id)).all() == stamps


def page(*items: Any, following: Any = None) -> bytes:
    return json.dumps({"items": list(items), "next": following}).encode()


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Say that a page comes, and let it come for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    handler.wfile.flush()
    handler.connection.settimeout(1)
    with suppress(OSError):
        handler.connection.recv(1)


FAULTS = {
    "broken": (answer(500, b"oops"), 2),
    "timed_out": (hang, 2),
    "cut_short": (answer(200, page()[:9], Content_Length="900"), 2),
    "not_json": (answer(200, page({"a": 1})[:-4]), 1),
    "wrong_shape": (answer(200, b'{"rows": []}'), 1),
    "redirected": (answer(302, Location="http://169.254.169.254/latest"), 1),
    "refused": (answer(403), 1),
    "too_large": (answer(200, page("x" * 5000)), 1),
}


def test_whatever_a_peer_does_is_one_failure_and_the_last_good_day_stays(
    app: Flask, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = clock(default_zone_id())
    good = answer(200, page())
    doing = good
    with misbehaving(lambda handler: doing(handler)) as (address, asked):
        link = link_to(address, "geheim", now, sealer)
        patience = Patience(wait=0.15, whole=1.0, tries=2, pause=0.0, page_bytes=4096)
        assert pull(link.id, BureauKind.AWARDS, DAY, by=by, now=now + TOMORROW, sealer=sealer).failure is None
        for why, (misdeed, tries) in FAULTS.items():
            doing = misdeed
            asked.clear()
            row = pull(
                link.id,
                BureauKind.AWARDS,
                DAY + TOMORROW,
                by=by,
                now=now + 2 * TOMORROW,
                sealer=sealer,
                patience=patience,
            )
            assert (row.failure or {}).get("why") == why
            assert len(asked) == tries, why
        assert bureau_links.read_last_days(link.id)[BureauKind.AWARDS] == DAY
        assert count(AwardNotice) == [0]
        # After a failure the clock leaves the bureau alone for a while, then tries the day again.
        soon, late = now + 2 * TOMORROW + timedelta(minutes=5), now + 2 * TOMORROW + timedelta(hours=1)
        assert bureau_pulls.list_due(link.zone_id, soon) == []
        assert bureau_pulls.list_due(link.zone_id, late) == [link.id]


def test_a_day_that_stops_half_way_is_not_stored(app: Flask, now: datetime, sealer: Sealer) -> None:
    notice = {
        **{"project_number": "XM-9", "package_number": "1", "supplier_name": "测试科技"},
        **{"notice_date": "2026-11-20", "award_price": "1000000.00", "currency": "CNY"},
    }

    def half(handler: BaseHTTPRequestHandler) -> None:
        first = "after=" not in handler.path
        (answer(200, page(notice, following=5)) if first else answer(500))(handler)

    by = clock(default_zone_id())
    with misbehaving(half) as (address, _):
        link = link_to(address, "geheim", now, sealer)
        row = pull(link.id, BureauKind.AWARDS, DAY, by=by, now=now, sealer=sealer, patience=IMPATIENT)
    assert (row.failure, count(AwardNotice)) == ({"why": "broken", "values": {"status": 500}}, [0])


def test_rows_that_cannot_be_used_are_listed_and_the_others_stored(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    good = {"process_id": "P", "contract_number": "HT-1", "amount": "10.00", "currency": "人民币"}
    rows = [
        good,
        {**good, "contract_number": None},
        {**good, "contract_number": "HT-2", "amount": "zehn"},
        {**good, "contract_number": "HT-3", "signed_on": "2026-02-30"},
        7,
    ]
    payment = {**good, "transaction_id": "T", "paid_on": "2026-11-20", "payee_account": "****1234"}
    by = clock(default_zone_id())

    def speak(handler: BaseHTTPRequestHandler) -> None:
        items = rows if "/contracts" in handler.path else [payment, {**payment, "contract_number": "HT-9"}]
        answer(200, page(*items))(handler)

    with misbehaving(speak) as (address, _):
        link = link_to(address, "geheim", now, sealer)
        done = pull(link.id, BureauKind.CONTRACTS, DAY, by=by, now=now, sealer=sealer)
        assert (done.failure, done.imported, done.rejected) == (None, 1, 4)
        assert [(said["place"], said["code"]) for said in done.rejections] == [
            ("2", "required"),
            ("3", "not_a_number"),
            ("4", "not_a_date"),
            ("5", "wrong_shape"),
        ]
        paid = pull(link.id, BureauKind.PAYMENTS, DAY, by=by, now=now, sealer=sealer)
        assert (paid.imported, paid.rejected) == (1, 1)
        # A masked account says nothing about where the money went.
        assert db.session.scalars(select(PurchaserPayment.payee_account)).all() == [None]


@pytest.fixture
def officer(app: Flask, now: datetime) -> Party:
    """An officer of the zone."""
    return make_officer(now=now)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1:1/api", "http://finanzen.example/api", "ftp://finanzen.example"),
        *("https://user:word@finanzen.example", "https://", "https://a.example/x?y=1", "https://a b.example"),
    ],
)
def test_an_officer_links_to_the_open_net_and_over_tls_only(
    officer: Party, now: datetime, sealer: Sealer, refuses: Refusing, address: str
) -> None:
    with refuses(Code.NOT_A_CHOICE, "base_url"):
        bureau_links.save("局", address, "geheim", by=officer, now=now, sealer=sealer)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_name_that_leads_into_the_house_is_not_asked(officer: Party, now: datetime, sealer: Sealer) -> None:
    link = bureau_links.save("局", "https://localhost:1/api", "geheim", by=officer, now=now, sealer=sealer)
    row = pull(link.id, BureauKind.AWARDS, DAY, by=officer, now=now, sealer=sealer, patience=IMPATIENT)
    assert row.failure == {"why": "forbidden_address", "values": {"host": "localhost"}}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_stays_with_the_address_it_was_given_for(
    officer: Party, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    link = link_to("http://127.0.0.1:1/api", "geheim", now, sealer)
    with refuses(Code.REQUIRED, "token"):
        bureau_links.save(
            "局", "https://a.example", None, link_id=link.id, by=officer, now=now, sealer=sealer
        )
    renamed = bureau_links.save(
        "局", link.base_url, None, link_id=link.id, by=officer, now=now, sealer=sealer
    )
    assert (renamed.name, renamed.is_private, bureau_links.open_up(renamed, sealer).token) == (
        "局",
        True,
        "geheim",
    )
    moved = bureau_links.save(
        "局", "https://a.example", "neu", link_id=link.id, by=officer, now=now, sealer=sealer
    )
    assert moved.is_private is False
    with transaction() as session:
        session.get_one(BureauLink, link.id).base_url = "https://b.example"
    row = pull(link.id, BureauKind.AWARDS, DAY, by=officer, now=now, sealer=sealer)
    assert row.failure == {"why": "token_unreadable", "values": {}}
    with pytest.raises(Forbidden):
        bureau_links.save_private("局", "http://127.0.0.1", "x", by=officer, now=now, sealer=sealer)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_day_that_is_not_over_is_asked_for_again(app: Flask, now: datetime, sealer: Sealer) -> None:
    by = clock(default_zone_id())
    with misbehaving(answer(200, page())) as (address, _):
        link = link_to(address, "geheim", now, sealer)
        pull(link.id, BureauKind.AWARDS, DAY, by=by, now=now, sealer=sealer)
        assert bureau_links.read_last_days(link.id)[BureauKind.AWARDS] is None
        with pytest.raises(Invalid):
            pull(link.id, BureauKind.AWARDS, DAY + TOMORROW, by=by, now=now, sealer=sealer)
        # Before six in the morning nothing is due.
        assert bureau_pulls.list_due(link.zone_id, now - timedelta(hours=4, minutes=1)) == []
        assert bureau_pulls.list_due(link.zone_id, now - timedelta(hours=4)) == [link.id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command_links_a_bureau_next_door_and_fetches_a_day(
    app: Flask, peer: tuple[str, str, Flask], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, token, _ = peer
    monkeypatch.setattr(hours, "read", lambda zone=None: now + TOMORROW)
    monkeypatch.setenv("BUREAU_TOKEN", token)
    runner = app.test_cli_runner()
    linked = runner.invoke(
        args=["bureau", "link", "--name", "JN", "--url", address, "--token-from", "BUREAU_TOKEN"]
    )
    assert (linked.exit_code, linked.output) == (0, f"linked 1 {address}\n")
    pulled = runner.invoke(args=["bureau", "pull", "--day", "2026-11-20"])
    assert pulled.exit_code == 0
    assert pulled.output.splitlines() == [
        "JN awards imported 2 updated 0 rejected 0",
        "JN contracts imported 3 updated 0 rejected 0",
        "JN payments imported 3 updated 0 rejected 0",
    ]
    monkeypatch.setenv("BUREAU_TOKEN", "cuo_wrong")
    runner.invoke(args=["bureau", "link", "--name", "JN", "--url", address, "--token-from", "BUREAU_TOKEN"])
    refused = runner.invoke(args=["bureau", "pull", "--day", "2026-11-20"])
    assert (refused.exit_code, refused.output) == (
        1,
        "JN: awards: The bureau refused us. Check the token.\n",
    )
