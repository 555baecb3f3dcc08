from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from flask import Flask, render_template
from flask_babel import force_locale
from jinja2 import DictLoader

import blueprints
from blueprints import access
from blueprints.web import elements
from market.vocabulary import NeedState

ROOT = Path(blueprints.__file__).parent
ASSETS = ROOT / "web" / "assets"


def used_icons() -> set[str]:
    """Return the icon names that templates and code ask for by name."""
    found = {symbol for _, symbol in elements.TONES.values()}
    calls = re.compile(r"(?:icon|ui\.action|ui\.submit|ui\.empty|ui\.stat|Login|Entry)\((.*)")
    names = {path.stem for path in (ROOT / "web" / "static" / "vendor" / "icons").glob("*.svg")}
    known = {
        name.removeprefix("icons/").removesuffix(".svg") for name in manifest() if name.startswith("icons/")
    }
    for path in [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]:
        if "node_modules" in path.parts or "vendor" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bicon\(\"([a-z0-9-]+)\"", text))
        for call in calls.findall(text):
            found |= set(re.findall(r"\"([a-z0-9-]+)\"", call)) & (names | known)
    return found


def manifest() -> dict[str, str]:
    content: dict[str, str] = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    return content


def test_every_icon_that_is_used_is_in_the_manifest() -> None:
    missing = {name for name in used_icons() if f"icons/{name}.svg" not in manifest()}
    assert missing == set()


def test_the_lock_file_names_no_host_and_pins_every_package() -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    assert "resolved" not in json.dumps(lock)
    assert all(entry.get("integrity") for name, entry in lock["packages"].items() if name)
    wanted = json.loads((ASSETS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())


def test_an_address_changes_only_what_is_asked(site: Flask) -> None:
    with site.test_request_context("/needs?state=open&tag=a&tag=b&page=3"):
        assert elements.address(page=4) == "/needs?state=open&tag=a&tag=b&page=4"
        assert elements.address(page=None, sort="-amount") == "/needs?state=open&tag=a&tag=b&sort=-amount"
        assert elements.address(q="100% 好") == "/needs?state=open&tag=a&tag=b&page=3&q=100%25+%E5%A5%BD"


def test_names_follow_the_language_and_fall_back_on_chinese(site: Flask) -> None:
    both = SimpleNamespace(name_zh="厦门", name_en="Xiamen")
    chinese = SimpleNamespace(name_zh="厦门", name_en=None)
    with site.test_request_context("/"), force_locale("en"):
        assert (elements.named(both), elements.named(chinese), elements.named(None)) == (
            "Xiamen",
            "厦门",
            "—",
        )
    with site.test_request_context("/"), force_locale("zh"):
        assert elements.named(both) == "厦门"


def test_static_addresses_change_with_their_content(site: Flask) -> None:
    with site.test_request_context("/"):
        assert re.fullmatch(r"/static/cuohe\.css\?v=[0-9a-f]{10}", elements.asset("cuohe.css"))
        assert elements.asset("no-such-file.css") == "/static/no-such-file.css"


def test_chart_figures_are_numbers_to_draw_and_exact_in_the_table(site: Flask) -> None:
    assert elements.chart_series([("a", [100_000_001, None])], "money") == [
        {"name": "a", "values": [1_000_000.01, None]}
    ]
    assert elements.chart_series([("a", [0.0365])], "rate")[0]["values"] == [3.65]
    assert elements.chart_cell(100_000_001, "money") == "1,000,000.01"
    assert elements.chart_cell(0.0365, "rate") == "3.65%"
    assert elements.chart_cell(None, "count") == "—"


def render(site: Flask, source: str, **values: object) -> str:
    with site.test_request_context("/list?sort=amount"), force_locale("en"):
        return site.jinja_env.from_string('{% import "ui.html" as ui %}' + source).render(**values)


def test_values_from_people_are_escaped_in_every_block(site: Flask) -> None:
    nasty = "<script>alert(1)</script>"
    html = render(
        site,
        "{{ ui.header(x, x, [(x, '/')]) }}{{ ui.alert('danger', x, x) }}{{ ui.facts([(x, x)]) }}"
        "{{ ui.stat(x, x, x) }}{{ ui.timeline([{'title': x, 'by': x, 'text': x}]) }}{{ ui.empty(x, x) }}"
        "{{ ui.chart(x, [x], [(x, [1])]) }}{{ ui.split([(x, 5)]) }}{{ ui.meter(x, 1, 2, x) }}"
        "{{ ui.td(x, x) }}",
        x=nasty,
    )
    assert "<script>alert" not in html
    assert "alert(1)</script>" not in html


def test_a_state_is_a_word_with_an_icon(site: Flask) -> None:
    html = render(site, "{{ ui.badge(state) }}", state=NeedState.OPEN)
    assert "mark-action" in html
    assert "Open for bids" in html


def test_a_sorted_column_turns_its_order_and_says_so(site: Flask) -> None:
    html = render(site, "{{ ui.th('Amount', sort='amount') }}{{ ui.th('Day', sort='day') }}")
    assert 'aria-sort="ascending"' in html
    assert "/list?sort=-amount" in html
    assert "/list?sort=day" in html


def test_the_annual_cost_stands_above_the_simple_form_and_the_total(site: Flask) -> None:
    from decimal import Decimal

    html = render(site, "{{ ui.annual_cost(e, s, 11400000) }}", e=Decimal("0.04777"), s=Decimal("0.046755"))
    assert html.index("4.78%") < html.index("4.68%") < html.index("114,000.00")
    assert "simple form" in html
    none = render(site, "{{ ui.annual_cost(none, none, none, why='no rate exists') }}")
    assert "no rate exists" in none


def test_a_filter_on_a_constant_speaks_the_language_of_each_request(new_site: Callable[..., Flask]) -> None:
    site = new_site()
    site.jinja_env.loader = DictLoader({"constant.html": "{{ 12|months }}"})

    @site.get("/constant")
    @access.public
    def constant() -> str:
        return render_template("constant.html")

    client = site.test_client()
    assert client.get("/constant?lang=zh", follow_redirects=True).text == "12 个月"
    assert client.get("/constant?lang=en", follow_redirects=True).text == "12 months"
