"""The account page: a token is shown once, works, and stops working when revoked."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from market.errors import Unauthenticated
from services import users
from tests.blueprints.web.market_stall import sign_in
from tests.factories import make_party


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_is_shown_once_and_dies_when_revoked(app: Flask, client: FlaskClient, now: datetime) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    party = make_party(now=now)
    sign_in(client, party)
    answer = client.post("/account/tokens", data={"name": "ERP"})
    found = re.search(r"cuo_[\w-]{43}", answer.text)
    assert found is not None
    assert users.authenticate_token(found.group(), now=now).party == party
    page = client.get("/account").text
    assert "ERP" in page and found.group() not in page
    (row,) = users.list_tokens(party.user_id or 0)
    assert client.post(f"/account/tokens/{row.id}/revoke").status_code == 303
    with pytest.raises(Unauthenticated):
        users.authenticate_token(found.group(), now=now)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_without_a_name_is_not_made(app: Flask, client: FlaskClient, now: datetime) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    party = make_party(now=now)
    sign_in(client, party, "zh")
    assert client.post("/account/tokens", data={"name": " "}).status_code == 422
    assert users.list_tokens(party.user_id or 0) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_persons_token_cannot_be_revoked(app: Flask, client: FlaskClient, now: datetime) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    owner = make_party(now=now)
    row, _ = users.issue_token("ERP", by=owner, now=now)
    sign_in(client, make_party(now=now))
    assert client.post(f"/account/tokens/{row.id}/revoke").status_code == 404
