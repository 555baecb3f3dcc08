"""A site with people on it: one application on a fresh SQLite database, and clients that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from market.vocabulary import Capability, OrganisationKind
from models.base import db
from services import users
from tests import factories
from tests.databases import Databases, SQLite, fresh, make_app

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, with a token that acts for the same organisation."""

    username: str
    user_id: int
    zone_id: int
    organisation_id: int
    token: str


@pytest.fixture
def new_site(sqlite_databases: SQLite) -> Iterator[Callable[..., Flask]]:
    """Make an application of the test's own on a fresh database: it may add routes and settings."""
    made: list[tuple[str, Flask]] = []

    def make(**settings: Any) -> Flask:
        url = sqlite_databases.create()
        app = make_app(url, **settings)
        made.append((url, app))
        return app

    yield make
    for url, app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        sqlite_databases.release(url)


@pytest.fixture
def site(sqlite_databases: SQLite, share_app: Callable[[str, Databases], Flask]) -> Iterator[Flask]:
    """The application that the tests of this worker share, on a fresh database: it gets no new routes."""
    with fresh(share_app("sqlite", sqlite_databases), sqlite_databases) as app:
        yield app


@pytest.fixture
def person(now: datetime) -> Callable[..., Person]:
    """Make a person of an organisation who may do what is asked, on a site."""

    def make(
        site: Flask,
        *capabilities: Capability,
        kind: OrganisationKind = OrganisationKind.ENTERPRISE,
        zone_id: int | None = None,
    ) -> Person:
        with site.app_context():
            user = factories.make_user(now=now, passwords=site.extensions["passwords"])
            party = factories.make_party(kind, capabilities, now=now, user=user, zone_id=zone_id)
            _, token = users.issue_token("test", by=party, now=now)
            assert party.organisation_id is not None
            return Person(user.username, user.id, party.zone_id, party.organisation_id, token)

    return make


@pytest.fixture
def sign_in() -> SignIn:
    """Return a client of a site on which the person has signed in through the form."""

    def make(site: Flask, person: Person, language: str = "en") -> FlaskClient:
        site.config["WTF_CSRF_ENABLED"] = False
        client = site.test_client()
        client.get(f"/sign-in?lang={language}")
        answer = client.post("/sign-in", data={"username": person.username, "password": factories.PASSWORD})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client

    return make
