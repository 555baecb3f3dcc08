from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from market.vocabulary import Capability, Locale
from services import users
from tests.blueprints.conftest import Person, SignIn


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("", "登录"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "登录"),
        ("zh-TW", "登录"),
        ("en-GB,en;q=0.9", "Sign in"),
        ("de-DE,en;q=0.5", "Sign in"),
        ("fr", "登录"),  # neither: Chinese first
        ("de;q=0.9,zh;q=0.5,en;q=0.4", "登录"),
    ],
)
def test_the_browser_is_asked_for_its_language(site: Flask, asked: str, title: str) -> None:
    answer = site.test_client().get("/sign-in", headers={"Accept-Language": asked} if asked else {})
    assert f"<title>{title}" in answer.text


def test_a_switch_stays_and_keeps_the_page(site: Flask) -> None:
    client = site.test_client()
    answer = client.get("/sign-in?lang=en&next=/a?b%3D1", headers={"Accept-Language": "zh"})
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=%2Fa%3Fb%3D1")
    page = client.get("/sign-in", headers={"Accept-Language": "zh"})
    assert '<html lang="en"' in page.text
    assert page.headers["Content-Language"] == "en"
    client.get("/sign-in?lang=zh")
    assert '<html lang="zh-CN"' in client.get("/sign-in", headers={"Accept-Language": "en"}).text


def test_a_switch_never_leads_to_another_host(site: Flask) -> None:
    answer = site.test_client().get("//elsewhere.example/x?lang=en")
    assert not (answer.location or "/").startswith("//")


def test_an_unknown_language_is_ignored(site: Flask) -> None:
    assert site.test_client().get("/sign-in?lang=xx").status_code == 200


def test_the_account_decides_before_the_browser(
    site: Flask, person: Callable[..., Person], sign_in: SignIn
) -> None:
    somebody = person(site, Capability.OFFICER)
    with site.app_context():
        users.set_locale(somebody.user_id, Locale.EN)
    site.config["WTF_CSRF_ENABLED"] = False
    client = site.test_client()
    client.post("/sign-in", data={"username": somebody.username, "password": "correct horse battery"})
    assert '<html lang="en"' in client.get("/place", headers={"Accept-Language": "zh"}).text


def test_the_api_speaks_the_language_of_its_caller(site: Flask) -> None:
    client = site.test_client()
    client.get("/sign-in?lang=en")
    chinese = client.get("/api/nowhere", headers={"Accept-Language": "zh"})
    english = client.get("/api/nowhere", headers={"Accept-Language": "en"})
    assert chinese.json is not None and "地址" in chinese.json["detail"]
    assert english.json is not None and "address" in english.json["detail"]


def test_the_language_a_person_switches_to_stays_theirs_at_the_next_sign_in(
    site: Flask, person: Callable[..., Person], sign_in: SignIn
) -> None:
    somebody = person(site, Capability.OFFICER)
    sign_in(site, somebody, "zh").get("/place?lang=en")
    elsewhere = site.test_client()
    elsewhere.post("/sign-in", data={"username": somebody.username, "password": "correct horse battery"})
    assert '<html lang="en"' in elsewhere.get("/place", headers={"Accept-Language": "zh"}).text
