from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from blueprints.web.demo_logins import LOGINS
from blueprints.web.entrance import local_address
from market.vocabulary import Capability
from tests import factories
from tests.blueprints.conftest import Person, SignIn

NEW_PERSON = Callable[..., Person]


@pytest.fixture
def open_site(site: Flask) -> Flask:
    site.config["WTF_CSRF_ENABLED"] = False
    return site


def test_signing_in_goes_on_to_where_one_was_heading(open_site: Flask, person: NEW_PERSON) -> None:
    somebody = person(open_site, Capability.OFFICER)
    data = {"username": somebody.username.upper(), "password": factories.PASSWORD, "next": "/place?x=1"}
    answer = open_site.test_client().post("/sign-in", data=data)
    assert (answer.status_code, answer.location) == (303, "/place?x=1")


@pytest.mark.parametrize("username", ["nobody", "known"])
def test_a_wrong_password_and_an_unknown_name_read_the_same(
    open_site: Flask, person: NEW_PERSON, username: str
) -> None:
    known = person(open_site, Capability.OFFICER).username
    data = {"username": known if username == "known" else username, "password": "wrong password"}
    answer = open_site.test_client().post("/sign-in", data=data, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "User name and password do not match." in answer.text
    assert f'value="{data["username"]}"' in answer.text
    assert "wrong password" not in answer.text


def test_an_empty_form_names_both_fields(open_site: Flask) -> None:
    answer = open_site.test_client().post("/sign-in", data={}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "User name: Please fill this in." in answer.text
    assert "Password: Please fill this in." in answer.text


def test_demo_logins_are_listed_only_in_the_demo(new_site: Callable[..., Flask]) -> None:
    assert LOGINS[0].password in new_site(DEMO=True).test_client().get("/sign-in").text
    assert LOGINS[0].password not in new_site(DEMO=False).test_client().get("/sign-in").text


def test_signing_out_ends_the_session(open_site: Flask, person: NEW_PERSON, sign_in: SignIn) -> None:
    client = sign_in(open_site, person(open_site, Capability.OFFICER))
    assert client.get("/place").status_code == 200
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/place").status_code == 303
    assert client.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "",
        None,
        "/a\r\nX: y",
        "javascript:1",
    ],
)
def test_no_way_leads_off_this_site(text: str | None) -> None:
    assert local_address(text) is None


@pytest.mark.parametrize("text", ["/", "/needs?state=open&page=2", "/a/b#c"])
def test_ways_on_this_site_are_kept(text: str) -> None:
    assert local_address(text) == text


def test_a_failure_is_told_calmly_and_leaks_nothing(new_site: Callable[..., Flask]) -> None:
    from blueprints.access import public

    @public
    def broken() -> str:
        raise RuntimeError("the secret detail")

    site = new_site(TESTING=False)
    site.add_url_rule("/broken", view_func=broken)
    site.add_url_rule("/api/broken", "api_broken", view_func=broken)
    client = site.test_client()
    page = client.get("/broken", headers={"Accept-Language": "en"})
    assert page.status_code == 500
    assert "Something went wrong on our side." in page.text
    assert "secret" not in page.text
    api = client.get("/api/broken")
    assert (api.status_code, api.content_type) == (500, "application/problem+json")
    assert "secret" not in api.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_error_page_stands_even_without_a_database(new_site: Callable[..., Flask], language: str) -> None:
    site = new_site(SQLALCHEMY_DATABASE_URI="sqlite:////nowhere/at/all.db", TESTING=False)
    answer = site.test_client().get("/nowhere", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert {"zh": "这个地址没有内容。", "en": "There is nothing at this address."}[language] in answer.text
