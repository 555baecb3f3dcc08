"""Callers of the API: people with a password each, who fetch their own tokens and speak only HTTP.

Every answer a caller gets is checked on the way for the promises that hold everywhere: no JSON number with
decimals, every amount and rate a string.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints import clock
from market.calendar import local_date
from market.vocabulary import OrganisationKind
from services import zones
from services.clock import run_due
from tests import factories
from tests.databases import Databases, SQLite, fresh

AMOUNTS = re.compile(
    r"^(amount|amount_.*|principal|paid_principal|interest|paid_interest|fees|paid_fees|balance|outstanding"
    r"|total|total_cost|net_received|average_monthly_payment|average_amount|.*_amount|cap|used|room|financed"
    r"|paid|retention|remainder|headroom|buyout|annual_revenue|net_assets|left|asked|more|uses|objective"
    r"|rate|rate_from|rate_to|effective|simple|reserve_rate|declared_rate|contract_ratio|lpr_1y|one_year"
    r"|five_year|.*_share|saving|deposit|winning|effective_gap|total_gap|to_rank_higher)$"
)
#: Fields that carry such a name for something that is no figure.
LISTS = {"fees"}

_numbers = itertools.count(1)


def find_numbers(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of JSON numbers that should have been strings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if AMOUNTS.match(key) and not isinstance(inner, (str, type(None), list, dict)):
                yield f"{path}.{key}"
            yield from find_numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from find_numbers(inner, f"{path}[{place}]")
    elif isinstance(value, float):
        yield path


class Caller:
    """Somebody who calls the API; ``status`` is what they expect to be answered."""

    def __init__(self, client: FlaskClient, token: str | None = None, language: str = "en") -> None:
        self.client, self.language = client, language
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, status: int = 200, body: Any = None, **options: Any) -> Any:
        answer = self.send(method, path, body, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.get_data(as_text=True))
        return answer.get_json() if answer.data else None

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"Accept-Language": self.language, **self.headers, **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        address = path if path.startswith("/") else f"/api/v1/{path}"
        answer = self.client.open(address, method=method, headers=headers, **options)
        if answer.data and answer.mimetype.endswith("json"):
            assert list(find_numbers(json.loads(answer.data))) == []
        return answer

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return self.call("GET", path, status, query_string=query)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.call("POST", path, status, body)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PUT", path, status, body)

    def refuse(self, method: str, path: str, status: int, body: Any = None, **options: Any) -> dict[str, Any]:
        """Expect a refusal, check its shape, and return the problem document."""
        answer = self.send(method, path, body, **options)
        said = answer.get_data(as_text=True)
        assert answer.status_code == status, (method, path, answer.status_code, said)
        assert answer.mimetype == "application/problem+json", said
        problem = json.loads(answer.data)
        assert problem["status"] == status
        assert problem["type"] == f"urn:cuohe:fault:{problem['code']}"
        assert problem["detail"]
        assert all(entry["detail"] for entry in problem["errors"])
        return problem


class Market:
    """A practice zone with its people, on one database."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, app.test_client()
        self.nobody = Caller(self.client)
        with app.app_context():
            zone = zones.default()
            assert zone is not None
            zones.rename_default(zone.code, "演练区", "Practice", is_sandbox=True, matching_times="10:00")
            self.zone_id = zone.id

    def admit(self, kind: OrganisationKind, **options: Any) -> Caller:
        """Return somebody new of a new organisation, with a token got by password."""
        username = f"caller{next(_numbers)}"
        with self.app.app_context():
            now = clock.read(zones.find(self.zone_id))
            user = factories.make_user(now=now, username=username, passwords=self.app.extensions["passwords"])
            factories.make_party(kind, now=now, user=user, **options)
        return self.sign_in(username)

    def sign_in(self, username: str, password: str = factories.PASSWORD) -> Caller:
        made = self.nobody.post("tokens", {"username": username, "password": password})
        return Caller(self.client, made["token"])

    def sign_up(self) -> Caller:
        """Return the first person of a firm that signed up by itself."""
        username = f"firm{next(_numbers)}"
        self.nobody.post(
            "organisations",
            {
                "credit_code": factories.make_credit_code(),
                "name_zh": "测试科技有限公司",
                "username": username,
                "password": factories.PASSWORD,
            },
        )
        return self.sign_in(username)

    def now(self) -> datetime:
        with self.app.app_context():
            return clock.read(zones.find(self.zone_id))

    def today(self, days: int = 0) -> str:
        return self.day(days).isoformat()

    def day(self, days: int = 0) -> date:
        return local_date(self.now()) + timedelta(days=days)

    def moment(self, **ahead: float) -> str:
        return (self.now() + timedelta(**ahead)).astimezone(UTC).isoformat().replace("+00:00", "Z")

    def tick(self) -> None:
        """Do what the scheduler does every few seconds."""
        with self.app.app_context():
            run_due(self.zone_id, now=self.now(), sealer=self.app.extensions["sealer"])


@pytest.fixture
def market(database: Flask) -> Market:
    """A practice zone on a fresh database of either kind."""
    return Market(database)


@pytest.fixture
def one_market(sqlite_databases: SQLite, share_app: Callable[[str, Databases], Flask]) -> Iterator[Market]:
    """A practice zone on SQLite alone, for what the database has no part in."""
    with fresh(share_app("sqlite", sqlite_databases), sqlite_databases) as app:
        yield Market(app)


PRODUCT = {
    "name_zh": "政采贷",
    "name_en": "Contract loan",
    "family": "contract",
    "pricing": "fixed",
    "offer": "loan",
    "rate_from": "0.03",
    "rate_to": "0.06",
    "amount_min": "100000.00",
    "amount_max": "50000000.00",
    "months_min": 1,
    "months_max": 36,
    "repayment": "bullet",
    "security": "receivable_pledge",
    "contract_ratio": "0.8",
}

WORKING_CAPITAL = {
    **PRODUCT,
    "name_zh": "科创信用贷",
    "name_en": "Innovation loan",
    "family": "innovation",
    "repayment": "equal_installment",
    "security": "unsecured",
    "contract_ratio": None,
    "fees": [{"name": "评审费", "when": "upfront", "amount": "500.00"}],
    "conditions": [
        {"fact": "amount", "test": "at_most", "value": "5000000.00"},
        {"fact": "months", "test": "at_most", "value": 24},
    ],
}

NEED = {"purpose": "working_capital", "amount": "1000000.00", "months": 12, "description": "采购原材料"}
