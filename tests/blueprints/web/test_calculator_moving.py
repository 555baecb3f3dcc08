"""The calculator in a real browser: it answers as one types, and sliders are moved by keyboard."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture(params=[375, 1440])
def page(request: pytest.FixtureRequest, chromium: str, database: Flask) -> Iterator[Page]:
    server = make_server("127.0.0.1", 0, database, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": request.param, "height": 800}, locale="en-GB", base_url=address
        )
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            # A form with faults answers 422, which the browser notes as an error of its own.
            lambda said: wrong.append(said.text) if said.type == "error" and "422" not in said.text else None,
        )
        yield page
        browser.close()
    server.shutdown()
    thread.join()
    assert wrong == []


def test_a_slider_moves_the_cost_and_typing_starts_it_anew(page: Page) -> None:
    page.goto("/calculator?lang=en")
    slider, moved = page.get_by_role("slider", name="Tenor"), page.locator("#moved")
    expect(page.locator(".answer .cost-rate")).to_have_text("4.24%")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    # Half a year longer, with the fee spread over more months.
    expect(page.locator("#said-months")).to_have_text("18 months")
    expect(moved).to_contain_text("−0.17 points, 18,250.02 yuan more")
    expect(slider).to_be_focused()
    expect(page.locator("#f-months")).to_have_value("12")
    assert "what.months=18" in page.url
    page.locator("#f-months").fill("24")
    expect(moved).to_contain_text("Move a slider")
    expect(page.locator("#said-months")).to_have_text("24 months")
    assert "what." not in page.url


def test_a_fault_stands_beside_its_field_and_takes_nobody_elsewhere(page: Page) -> None:
    page.goto("/calculator?lang=en")
    page.get_by_text("More terms").click()
    deposit = page.locator("#f-deposit")
    deposit.fill("500")
    expect(page.locator("#faults-deposit")).to_contain_text("too large")
    expect(page.locator("#answer")).to_contain_text("No annual cost yet")
    expect(deposit).to_be_focused()
    # What was opened stays open, and the fault goes with its cause.
    deposit.fill("5")
    expect(page.locator("#faults-deposit")).to_be_empty()
    expect(deposit).to_be_visible()
    page.locator("#f-base").select_option("1y")
    expect(page.locator("#f-spread")).to_be_visible()
    expect(page.locator("#f-rate")).to_be_hidden()


@pytest.mark.parametrize(
    "query", ["kind=loan&deposit=5&fees.1.rate=1&subsidies.0.rate=9&amount=100", "kind=cover"]
)
def test_nothing_stands_in_the_way_of_assistive_technology(page: Page, query: str) -> None:
    usual = "&months=12&rate=4&repayment=bullet&what.rate=5" if "amount" in query else ""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto(f"/calculator?lang=en&{query}{usual}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        found = Axe().run(page).response["violations"]
        assert [(item["id"], [node["target"] for node in item["nodes"]]) for item in found] == []
