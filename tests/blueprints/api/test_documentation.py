"""The documentation page in a real browser: every operation, offline, within the security policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

import blueprints.web
from tests.blueprints.api.conftest import Market

BUNDLE = Path(blueprints.web.__file__).parent / "static" / "vendor" / "swagger-ui" / "swagger-ui-bundle.js"


@pytest.fixture
def address(one_market: Market) -> Iterator[str]:
    """The address of a running server."""
    server = make_server("127.0.0.1", 0, one_market.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def scroll_through(page: Page) -> set[str]:
    """Return the operations met on the way down; a long list is drawn where it is looked at."""
    met: set[str] = set()
    while True:
        page.evaluate("new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))")
        met |= set(page.locator(".opblock").evaluate_all("found => found.map(one => one.id)"))
        if page.evaluate("innerHeight + scrollY + 1 >= document.documentElement.scrollHeight"):
            return met
        page.evaluate("scrollBy(0, innerHeight / 2)")


@pytest.mark.browser
@pytest.mark.skipif(not BUNDLE.exists(), reason="the page assets are not installed: ./scripts/run does")
def test_the_page_shows_every_operation_and_calls_nobody_else(
    address: str, chromium: str, one_market: Market
) -> None:
    document = one_market.client.get("/api/openapi.json").get_json()
    operations = sum(1 for item in document["paths"].values() for key in item if key != "parameters")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        hosts: set[str] = set()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url))
        page.goto(f"{address}/api/docs")
        page.wait_for_selector(".opblock")
        assert len(scroll_through(page)) == operations
        page.evaluate("scrollTo(0, 0)")
        page.locator("#operations-zones-listZones").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        page.wait_for_selector(".live-responses-table .response-col_status")
        assert "200" in page.locator(".live-responses-table .response-col_status").all_inner_texts()[-1]
        browser.close()
    assert said == []
    assert all(url.startswith((address, "data:", "blob:")) for url in hosts)
