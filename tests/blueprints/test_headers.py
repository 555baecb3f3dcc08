from __future__ import annotations

from collections.abc import Callable

from flask import Flask


def test_no_answer_allows_scripts_from_elsewhere_or_inside_the_page(site: Flask) -> None:
    client = site.test_client()
    for path in ("/sign-in", "/nowhere", "/healthz", "/api/nowhere", "/static/cuohe.css"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "script-src" not in policy
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert "frame-ancestors 'none'" in policy
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_pages_have_no_inline_script_and_ask_nothing_of_other_hosts(site: Flask) -> None:
    page = site.test_client().get("/sign-in").text
    assert "<style" not in page
    assert " onclick" not in page
    scripts = [part.split(">")[0] for part in page.split("<script")[1:]]
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_https_is_remembered_only_over_https(site: Flask) -> None:
    client = site.test_client()
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers
    secure = client.get("/sign-in", base_url="https://cuohe.test")
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]


def test_pages_are_not_kept_and_versioned_files_are(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/sign-in").headers["Cache-Control"] == "no-store"
    assert "immutable" in client.get("/static/cuohe.css?v=1").headers["Cache-Control"]
    assert "immutable" not in client.get("/static/cuohe.css").headers["Cache-Control"]


def test_health_says_whether_the_database_answers(new_site: Callable[..., Flask]) -> None:
    well = new_site().test_client().get("/healthz")
    assert (well.status_code, well.json and well.json["status"]) == (200, "ok")
    assert well.json is not None and well.json["version"]
    site = new_site(SQLALCHEMY_DATABASE_URI="sqlite:////nowhere/at/all.db")
    ill = site.test_client().get("/healthz")
    assert (ill.status_code, ill.json and ill.json["database"]) == (503, "unavailable")
