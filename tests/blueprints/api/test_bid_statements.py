"""A bid asks little of the database: bidding at a deadline is a queue behind one lock."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from blueprints import clock
from market.vocabulary import OrganisationKind
from models.base import db
from services import bids, users
from tests.blueprints.web.market_stall import forget_request
from tests.factories import make_need, make_party, make_product

#: With the time, which PostgreSQL tells by a statement of its own.
STATEMENTS_MOST = 12


@pytest.mark.parametrize("joins_matching", [True, False])
def test_a_bid_takes_at_most_twelve_statements(
    app: Flask, client: FlaskClient, now: datetime, monkeypatch: pytest.MonkeyPatch, joins_matching: bool
) -> None:
    real = clock.read
    monkeypatch.setattr(clock, "read", lambda zone=None: real(zone) and now)
    firm, bank = make_party(now=now), make_party(OrganisationKind.BANK, now=now)
    first, second = (make_need(firm, now=now, joins_matching=joins_matching) for _ in range(2))
    product = make_product(bank, now=now)
    _, token = users.issue_token("bids", by=bank, now=now)
    body = {
        "product_id": product.id,
        "principal": "5000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": bids.earliest_validity(first).isoformat(),
    }
    paths = [f"/api/v1/needs/{need.id}/bids" for need in (first, second)]
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(" ".join(str(arguments[2]).split()))

    # The first request also notes the use of the token and reads what every process keeps.
    for path in paths:
        forget_request()
        db.session.remove()
        asked.clear()
        event.listen(db.engine, "before_cursor_execute", note)
        answer = client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        event.remove(db.engine, "before_cursor_execute", note)
        assert answer.status_code == 201
    # SQLite's transactions are begun by statements of ours; PostgreSQL's begin with the first one.
    sent = [statement for statement in asked if not statement.startswith("BEGIN")]
    assert len(sent) <= STATEMENTS_MOST, "\n".join(sent)
