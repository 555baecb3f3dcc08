"""The reference tables over HTTP: the LPR in force, and the days that are worked."""

from __future__ import annotations

from datetime import date

import pytest

from market import reference
from models.base import transaction
from models.reference import LprRow
from services import lpr
from tests.blueprints.api.conftest import Market


@pytest.fixture(autouse=True)
def hour(monkeypatch: pytest.MonkeyPatch, now: object) -> None:
    """Stop the clock."""
    monkeypatch.setattr("blueprints.clock.read", lambda zone=None: now)


def test_everybody_may_read_the_lpr(market: Market) -> None:
    answer = market.nobody.get("lpr")
    newest = {"published_on": "2026-08-20", "one_year": "0.03", "five_year": "0.035"}
    assert answer["items"][0] == answer["in_force"] == newest
    assert answer["items"][-1]["published_on"] == "2019-08-20" and len(answer["items"]) == 85
    assert (answer["on"], answer["is_old"]) == ("2026-11-20", True)
    assert answer["missing"] == ["2026-09-20", "2026-10-20", "2026-11-20"]


def test_the_lpr_of_a_day_is_the_newest_not_after_it(market: Market) -> None:
    answer = market.nobody.get("lpr", on="2019-09-19")
    assert answer["in_force"] == {"published_on": "2019-08-20", "one_year": "0.0425", "five_year": "0.0485"}
    assert (answer["is_old"], answer["missing"]) == (False, [])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"on": "2019-08-19"}, "out_of_order"),
        ({"on": "2026-02-30"}, "not_a_date"),
        ({"day": "2026-01-05"}, "unknown_field"),
    ],
)
def test_a_day_without_an_lpr_is_refused(one_market: Market, query: dict[str, str], code: str) -> None:
    refused = one_market.nobody.refuse("GET", "lpr", 422, query_string=query)
    assert [entry["code"] for entry in refused["errors"]] == [code]


def test_a_table_without_rows_is_refused_and_no_fault_of_ours(market: Market) -> None:
    with market.app.app_context():
        with transaction() as session:
            session.query(LprRow).delete()
        assert lpr.read_table().rows == ()
    assert market.nobody.refuse("GET", "lpr", 422)["code"] == "out_of_order"


def test_a_year_names_every_day_that_breaks_the_rule(one_market: Market) -> None:
    answer = one_market.nobody.get("calendar", year="2026")
    assert (answer["year"], answer["status"], answer["note"]) == (2026, "final", None)
    days = {date.fromisoformat(day["day"]): False for day in answer["days_off"]}
    days |= {date.fromisoformat(day["day"]): True for day in answer["days_worked"]}
    known = reference.calendar().exceptions.items()
    assert days == {day: worked for day, worked in known if day.year == 2026}
    assert {"day": "2026-09-20", "name": "worked in exchange"} in answer["days_worked"]
    assert {"day": "2026-10-01", "name": "National Day"} in answer["days_off"]
    assert one_market.nobody.get("calendar") == answer


def test_a_year_that_is_not_published_says_so_and_one_that_is_not_known_is_not_guessed(
    one_market: Market,
) -> None:
    coming = one_market.nobody.get("calendar", year="2027")
    assert (coming["status"], coming["days_worked"]) == ("provisional", [])
    assert "2027" in coming["note"]
    for year in ("2018", "2028"):
        assert one_market.nobody.refuse("GET", "calendar", 404, query_string={"year": year})["errors"]
    assert one_market.nobody.refuse("GET", "calendar", 422, query_string={"year": "0"})["code"] == "too_small"
