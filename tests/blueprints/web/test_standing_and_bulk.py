"""Pages of standing bids, of bids from a file and of outages: what they take, tell and refuse."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from blueprints import clock
from market.vocabulary import BidState, Capability, OrganisationKind
from models.base import db
from models.bid import Bid, StandingBid
from models.need import Need
from models.organisation import Organisation
from models.zone import Outage
from services import outages
from services.clock import run_due
from services.sealing import Sealer
from tests.blueprints.web.market_stall import (
    Stall,
    find_foreign,
    forget_request,
    make_stall,
    read_text,
    sign_in,
)
from tests.factories import make_need, make_party

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def at_ten(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and let forms in without a token, which has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(clock, "read", lambda zone=None: now)


@pytest.fixture
def stall(app: Flask, now: datetime) -> Stall:
    return make_stall(now)


FILLED = {"rate": "5", "floor_rate": "4", "cap": "1000", "daily_budget": "2000", "is_firm": "1"}


def post(client: FlaskClient, path: str, data: dict[str, Any], status: int = 303) -> str:
    forget_request()
    answer = client.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == status, answer.get_data(as_text=True)
    return read_text(answer.get_data(as_text=True))


def get(client: FlaskClient, path: str) -> str:
    forget_request()
    answer = client.get(path)
    assert answer.status_code == 200, path
    page = answer.get_data(as_text=True)
    assert find_foreign(page, "en") == []
    return read_text(page)


def test_an_approver_starts_changes_and_stops_and_sees_what_it_did(
    app: Flask, client: FlaskClient, stall: Stall, now: datetime, sealer: Sealer
) -> None:
    bank, product = stall.banks[0]
    path = f"/shelf/{product.id}/standing"
    sign_in(client, bank)
    assert "Answers by hand" in get(client, "/shelf/automatic")
    post(client, path, FILLED)
    need = make_need(stall.maker, now=now)
    run_due(bank.zone_id, now=now, sealer=sealer)
    text = get(client, path)
    assert "Firm" in text and f"Need {need.id}" in text and "5.00%" in text
    assert "Answers by itself" in get(client, "/shelf/automatic")
    text = post(client, path, {**FILLED, "floor_rate": "6", "daily_budget": "100"}, 422)
    assert "at most 5.00%" in text and "too small" in text
    post(client, path, {**FILLED, "floor_rate": "4.5"})
    post(client, path, {"step": "stop"})
    (row,) = db.session.scalars(select(StandingBid))
    assert (str(row.floor_rate), row.ended_at) == ("0.045", now)
    assert "Stopped before" in get(client, path)


def test_a_bidder_looks_but_starts_nothing_and_a_stranger_sees_nothing(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    (bank, product), (other, _) = stall.banks
    path = f"/shelf/{product.id}/standing"
    bidder = make_party(
        capabilities=[Capability.INSTITUTION_BIDDER],
        now=now,
        organisation=db.session.get_one(Organisation, bank.organisation_id),
    )
    sign_in(client, bidder)
    assert "by the approver of your institution" in get(client, path)
    post(client, path, FILLED, 403)
    sign_in(client, other)
    assert client.get(path).status_code == 404
    assert not list(db.session.scalars(select(StandingBid)))


def send(client: FlaskClient, text: str | bytes, status: int = 200) -> str:
    body = text if isinstance(text, bytes) else text.encode()
    return post(client, "/bids/bulk", {"file": (io.BytesIO(body), "bids.csv")}, status)


def test_the_template_filled_in_is_checked_line_by_line_and_placed_whole(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    bank, product = stall.banks[0]
    found = [make_need(stall.maker, now=now) for _ in range(2)]
    sign_in(client, bank)
    get(client, "/bids/bulk")
    forget_request()
    template = client.get("/bids/bulk/template.csv").get_data().decode("utf-8-sig")
    head, *lines = template.splitlines()
    assert len(lines) == 2 and lines[0].startswith(f"{found[0].id},{product.id},5000000.00,12,,,")
    priced = [line.replace(",12,,", ",12,4.2%,") for line in lines]
    wrong = [priced[0], priced[1].replace("4.2%", "92"), f"99,{product.id},1,x,4,,,maybe", "7,8"]
    text = send(client, "\n".join([head, *wrong]))
    assert "3 lines have faults" in text and "above the legal ceiling" in text and "“x”" in text
    assert not list(db.session.scalars(select(Bid)))
    # Excel of a Chinese Windows writes neither UTF-8 nor dashes.
    filled = "\r\n".join([head, *priced]).replace("-", "/")
    assert "All 2 lines can be placed" in send(client, filled.encode("gb18030"))
    forget_request()
    post(client, "/bids/bulk", {"step": "place", "text": filled})
    placed = list(db.session.scalars(select(Bid).order_by(Bid.need_id)))
    assert [(bid.need_id, bid.state) for bid in placed] == [(need.id, BidState.SEALED) for need in found]


def test_what_is_no_table_of_bids_is_refused(client: FlaskClient, stall: Stall) -> None:
    sign_in(client, stall.banks[0][0])
    assert "needs your attention" in post(client, "/bids/bulk", {}, 422)
    assert "nothing in it can be used" in send(client, "Need,Product\n", 422)
    assert "Unicode" in send(client, b"PK\x03\x04\x00\x00\xff", 422)
    assert "too large" in send(client, b"1," * 200_000, 422)
    assert "too large" in send(client, "\n".join(["1,1,1,1"] * 201), 422)


def test_an_officer_declares_an_outage_and_an_auditor_reads_it(
    client: FlaskClient, stall: Stall, now: datetime
) -> None:
    need = make_need(stall.maker, now=now)
    by = make_party(OrganisationKind.ZONE_AUTHORITY, now=now, name="管委会", name_en="Zone office")
    outages.beat(by.zone_id, now=now - timedelta(hours=3))
    outages.beat(by.zone_id, now=now - timedelta(hours=2))
    sign_in(client, by)
    body = {"started_at": "2026-11-20T09:30", "ended_at": "2026-11-24T10:00", "reason": "Network down"}
    text = post(client, "/outages", {**body, "reason": ""}, 422)
    assert "Network" not in text
    post(client, "/outages", body)
    (row,) = db.session.scalars(select(Outage).where(Outage.trigger == "officer"))
    forget_request()
    text = get(client, f"/outages/{row.id}")
    assert f"Need {need.id}" in text and "Network down" in text
    assert db.session.get_one(Need, need.id).closes_at == now + timedelta(days=7, minutes=30)
    text = get(client, "/outages")
    assert "the clock" in text and "an officer" in text
    assert "did not run" in get(client, "/alerts")
    sign_in(client, stall.maker)
    assert client.get("/outages").status_code == 403
