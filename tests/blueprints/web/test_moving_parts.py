"""What moves on a page, in a real browser: theme, countdowns, questions and charts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, render_template_string, request
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from blueprints import access
from blueprints.access import public
from blueprints.web.forms import Form

pytestmark = pytest.mark.browser

PAGE = """{% extends "layout.html" %}{% import "ui.html" as ui %}
{% block title %}Parts{% endblock %}
{% block header %}{{ ui.header("Parts") }}{% endblock %}
{% block content %}
<p id="deadline">{{ until|countdown }}</p>
<form method="post">{{ ui.csrf() }}{{ ui.submit("Sell", ask="Really sell?", ask_text="For good.") }}</form>
{% call ui.card("Figures") %}
{{ ui.chart("Deals rose", ["9", "10"], [("Loans", [1, 2]), ("Leases", [3, none])], kind="stack") }}
{% endcall %}
{% call ui.table([ui.th("Need"), ui.th("Amount", number=true)], "Needs") %}
<tr>{{ ui.td("Need", "Machine", head=true) }}{{ ui.td("Amount", 240000000|money, number=true) }}</tr>
{% endcall %}
{% endblock %}"""


@pytest.fixture
def address(new_site: Callable[..., Flask]) -> Iterator[str]:
    site = new_site(DEMO=True)
    sold: list[str] = []

    @site.route("/parts", methods=["GET", "POST"])
    @public
    def parts() -> str:
        if request.method == "POST":
            sold.append("sold")
            return f"sold {len(sold)}"
        return render_template_string(PAGE, until=access.now() + timedelta(seconds=65), form=Form())

    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(params=[375, 1440])
def page(request: pytest.FixtureRequest, chromium: str, address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": request.param, "height": 800}, locale="en-GB", base_url=address
        )
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda sent: None if sent.url.startswith((address, "data:")) else wrong.append(sent.url),
        )
        yield page
        browser.close()
        assert wrong == []


def test_a_page_moves_as_it_should_and_asks_nothing_of_other_hosts(page: Page) -> None:
    page.goto("/parts")
    # The countdown runs on the server's time.
    left = page.locator("#deadline .countdown-left")
    first = left.inner_text()
    page.wait_for_function(
        "first => document.querySelector('.countdown-left').textContent !== first", arg=first
    )
    assert left.inner_text().endswith("left")
    # The chart is drawn, and its table holds the same figures.
    expect(page.locator(".chart-canvas svg")).to_be_visible()
    page.locator(".chart-rows summary").click()
    expect(page.locator(".chart-rows td").nth(1)).to_have_text("3")
    # The theme stays when the page is loaded again.
    before = page.locator("html").get_attribute("data-bs-theme")
    page.locator("[data-theme-toggle]").click()
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") != before
    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_question_stands_before_what_cannot_be_undone(page: Page) -> None:
    page.goto("/parts")
    page.get_by_role("button", name="Sell").click()
    expect(page.locator("#ask")).to_contain_text("Really sell?")
    page.locator("#ask").get_by_role("button", name="Cancel").click()
    expect(page.locator("#ask")).not_to_be_visible()
    assert page.url.endswith("/parts")
    page.get_by_role("button", name="Sell").click()
    page.locator("#ask").get_by_role("button", name="Sell").click()
    expect(page.locator("body")).to_have_text("sold 1")


@pytest.mark.parametrize("path", ["/sign-in", "/parts"])
def test_nothing_stands_in_the_way_of_assistive_technology(page: Page, path: str) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(item["id"], [node["target"] for node in item["nodes"]]) for item in found] == []
