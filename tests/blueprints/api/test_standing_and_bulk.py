"""Standing bids, bulk bids and outages over the API, as strict and as plain as the rest of it."""

from __future__ import annotations

from typing import Any

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market

STANDING = {
    "rate": "0.05",
    "floor_rate": "0.04",
    "cap": "2000000.00",
    "daily_budget": "5000000.00",
    "is_firm": True,
}


def make_needs(market: Market, count: int) -> list[dict[str, Any]]:
    firm = market.admit(OrganisationKind.ENTERPRISE)
    made = [firm.post("needs", NEED) for _ in range(count)]
    closing = {"closes_at": market.moment(days=3)}
    return [firm.post(f"needs/{need['id']}/publish", closing, 200) for need in made]


def make_bank(market: Market) -> tuple[Caller, int]:
    bank = market.admit(OrganisationKind.BANK)
    return bank, bank.post("products", WORKING_CAPITAL)["id"]


def test_a_standing_bid_is_started_answers_changes_and_stops(one_market: Market) -> None:
    bank, product = make_bank(one_market)
    started = bank.post("standing-bids", {**STANDING, "product_id": product})
    assert {name: started[name] for name in STANDING} == STANDING
    (need,) = make_needs(one_market, 1)
    one_market.tick()
    path = f"standing-bids/{started['id']}"
    assert bank.get(path)["spent_today"] == "1000000.00"
    (bid,) = bank.get(f"{path}/bids")["items"]
    assert (bid["need_id"], bid["product_id"], bid["state"]) == (need["id"], product, "sealed")
    changed = bank.put(path, {**STANDING, "floor_rate": "0.045"})
    assert changed["floor_rate"] == "0.045"
    stopped = bank.call("DELETE", path)
    assert stopped["ended_at"] is not None
    problem = bank.refuse("DELETE", path, 409)
    assert problem["code"] == "illegal_move"
    one_market.admit(OrganisationKind.BANK).refuse("GET", path, 404)


def test_a_standing_bid_is_refused_with_every_fault(one_market: Market) -> None:
    bank, product = make_bank(one_market)
    wrong = {**STANDING, "product_id": product, "rate": "0.9", "cap": "100.00", "daily_budget": "50.00"}
    problem = bank.refuse("POST", "standing-bids", 422, wrong)
    faults = {(error["field"], error["code"]) for error in problem["errors"]}
    assert faults == {("rate", "above_ceiling"), ("cap", "too_small"), ("daily_budget", "too_small")}


def test_bulk_bids_are_checked_refused_by_row_and_placed_with_receipts(one_market: Market) -> None:
    bank, product = make_bank(one_market)
    found = make_needs(one_market, 3)
    row = {
        "product_id": product,
        "principal": "1000000.00",
        "months": 12,
        "valid_until": one_market.moment(days=40),
        "rate": "0.04",
    }
    rows = [{**row, "need_id": need["id"]} for need in found]
    wrong = [rows[0], {**rows[1], "rate": "0.9"}, {**rows[2], "need_id": 10**9}]
    expected = {("rows.1.rate", "above_ceiling"), ("rows.2", "not_found")}
    seen = bank.post("bids/bulk/check", {"rows": wrong}, 200)["faults"]
    assert {(fault["field"], fault["code"]) for fault in seen} == expected
    problem = bank.refuse("POST", "bids/bulk", 422, {"rows": wrong})
    assert {(error["field"], error["code"]) for error in problem["errors"]} == expected
    assert bank.get("bids")["items"] == []
    placed = bank.post("bids/bulk", {"rows": rows})["items"]
    assert [bid["need_id"] for bid in placed] == [need["id"] for need in found]
    assert all(len(bid["receipt_hash"]) == 64 and bid["salt"] for bid in placed)


def test_what_is_no_bid_at_all_is_named_by_its_row_too(one_market: Market) -> None:
    bank, product = make_bank(one_market)
    rows = [{"product_id": product, "months": 12.5, "fees": [{"name": "x"}]}, 7]
    problem = bank.refuse("POST", "bids/bulk", 422, {"rows": rows})
    named = {error["field"] for error in problem["errors"]}
    assert {"rows.0.months", "rows.0.need_id", "rows.0.valid_until", "rows.1"} <= named
    assert bank.refuse("POST", "bids/bulk", 422, {"rows": []})["errors"][0]["field"] == "rows"
    assert bank.refuse("POST", "bids/bulk", 422, {"rows": [7] * 201})["errors"][0]["code"] == "too_large"


def test_an_officer_declares_an_outage_and_sees_what_it_moved(one_market: Market) -> None:
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    (need,) = make_needs(one_market, 1)
    body = {
        "started_at": one_market.moment(minutes=-5),
        "ended_at": one_market.moment(days=4),
        "reason": "网络中断",
    }
    made = officer.post("outages", body)
    assert made["trigger"] == "officer"
    ((moved),) = made["moved"]
    assert (moved["subject"], moved["id"], moved["field"]) == ("needs", need["id"], "closes_at")
    assert officer.get("outages")["items"] == [made]
    assert officer.get(f"needs/{need['id']}")["closes_at"] == moved["after"]
    assert officer.refuse("POST", "outages", 409, body)["code"] == "already_exists"
    make_bank(one_market)[0].refuse("GET", "outages", 403)
