"""Limits and guarantees over the API: set, listed with what bids reserve, and leaned on by a bid."""

from __future__ import annotations

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, Market
from tests.blueprints.api.test_path import open_bidding
from tests.blueprints.api.test_reviews import bid

GUARANTEE = {
    "name_zh": "批量担保",
    "name_en": "Batch guarantee",
    "family": "guarantee",
    "pricing": "fee",
    "amount_min": "10000.00",
    "amount_max": "50000000.00",
    "months_min": 1,
    "months_max": 60,
    "security": "unsecured",
    "fees": [{"name": "担保费", "rate": "0.01", "when": "yearly", "payee": "guarantor"}],
}


def test_limits_are_set_and_listed_with_what_live_bids_reserve(market: Market) -> None:
    bank, firm = market.admit(OrganisationKind.BANK), market.sign_up()
    need = open_bidding(market, firm, {**NEED, "joins_matching": False})
    made = bank.put("limits", {"scope": "total", "cap": "9000000.00"})
    assert (made["mode"], made["used"], made["reserved"]) == ("reserved", "0.00", "0.00")
    shared = bank.put("limits", {"scope": "sector", "sector": "C39", "cap": "1.00", "mode": "shared"})
    assert (shared["sector"], shared["mode"]) == ("C39", "shared")
    placed = bid(market, bank, need, "0.04")
    items = bank.get("limits")["items"]
    assert [(row["scope"], row["reserved"]) for row in items] == [
        ("total", placed["content"]["offer"]["principal"]),
        ("sector", "0.00"),
    ]
    bank.refuse("PUT", "limits", 422, {"scope": "purchaser", "cap": "1.00"})
    bank.refuse("PUT", "limits", 409, {"scope": "leverage"})


def test_a_bid_names_the_guarantee_that_stands_behind_it(market: Market) -> None:
    bank, firm = market.admit(OrganisationKind.BANK), market.sign_up()
    guarantor = market.admit(OrganisationKind.GUARANTOR)
    product = guarantor.post("products", GUARANTEE)
    guarantor.call("PATCH", "organisation", 200, {"net_assets": "1000000000.00"})
    need = open_bidding(market, firm, NEED)
    without = {"guarantee_product_id": product["id"]}
    assert bid(market, bank, need, "0.045")["content"].get("guarantee") is None
    quote = {
        "product_id": bank.get("products")["items"][0]["id"],
        "principal": need["amount"],
        "months": need["months"],
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        **without,
    }
    refused = bank.refuse("POST", f"needs/{need['id']}/bids", 422, quote)
    assert refused["errors"][0]["code"] == "guarantor_full"
    leverage = guarantor.put("limits", {"scope": "leverage"})
    assert (leverage["cap"], leverage["mode"]) == ("10000000000.00", "shared")
    placed = bank.post(f"needs/{need['id']}/bids", quote)
    assert placed["content"]["guarantee"]["share"] == "0.8"
    assert (placed["guarantee_product_id"], placed["guaranteed"]) == (None, None)
