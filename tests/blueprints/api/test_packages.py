"""Packages over HTTP: the offers of a need with a guarantee of the shelf beside them."""

from __future__ import annotations

from typing import Any

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market

LOAN = {
    **WORKING_CAPITAL,
    "name_zh": "担保贷",
    "name_en": "Guaranteed loan",
    "repayment": "interest_monthly",
    "security": "guarantee",
    "fees": [],
    "conditions": [],
}
GUARANTEE = {
    **LOAN,
    "name_zh": "批量担保",
    "name_en": "Batch guarantee",
    "family": "guarantee",
    "pricing": "fee",
    "offer": None,
    "repayment": None,
    "rate_from": "0.01",
    "rate_to": "0.01",
    "fees": [{"name": "担保费", "when": "yearly", "payee": "guarantor", "rate": "0.01"}],
    "subsidies": [{"name": "担保费补贴", "when": "end", "recipient": "firm", "rate": "0.005"}],
}


def make_offer(market: Market) -> tuple[Caller, Caller, str]:
    """Return a firm, an officer and the address of the packages of the firm's only offer."""
    officer, bank = market.admit(OrganisationKind.ZONE_AUTHORITY), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    product = bank.post("products", LOAN)
    draft = {**NEED, "securities": ["guarantee"], "accepts": ["loan"], "minimum_bids": 1}
    need = firm.post("needs", draft)
    need = firm.post(f"needs/{need['id']}/publish", {"closes_at": market.moment(hours=2)}, 200)
    quote = {
        "product_id": product["id"],
        "principal": NEED["amount"],
        "months": 12,
        "rate": "0.0365",
        "valid_until": market.moment(days=60),
    }
    bid = bank.post(f"needs/{need['id']}/bids", quote)
    path = f"needs/{need['id']}/offers/{bid['id']}/packages"
    # Before the opening there is no offer, for nobody.
    assert firm.refuse("GET", path, 404)["code"] == "not_found"
    officer.post("clock/fast-forward", {"until": need["closes_at"]}, 200)
    market.tick()
    bank.refuse("GET", path, 403)
    return firm, officer, path


def test_the_firm_reads_what_its_offer_costs_with_a_guarantee(market: Market) -> None:
    guarantor = market.admit(OrganisationKind.GUARANTOR)
    product = guarantor.post("products", GUARANTEE)
    small = {"fact": "size_class", "test": "in", "value": ["small", "micro"]}
    narrow = guarantor.post("products", {**GUARANTEE, "name_zh": "小微担保", "conditions": [small]})
    firm, officer, path = make_offer(market)
    found: dict[str, Any] = firm.get(path)
    assert found["standing"] == "sought"
    assert (found["bare"]["effective"], found["bare"]["total_cost"]) == ("0.03711689", "36500.04")
    (package,) = found["items"]
    assert (package["product"]["id"], package["kind"]) == (product["id"], "guarantee")
    assert (package["share"], package["share_assumed"]) == ("0.8", True)
    assert [(step["kind"], step["party"], step["amount"]) for step in package["steps"]] == [
        ("guarantee", "guarantor", "8000.00"),
        ("subsidy", "担保费补贴", "-4000.00"),
    ]
    assert package["steps"][0]["points"] == "0.0085052" and package["steps"][1]["points"].startswith(
        "-0.0041"
    )
    assert package["cost"]["total_cost"] == "40500.04" and package["cost"]["effective"] == "0.04152174"
    assert package["payees"] == [
        {"payee": "lender", "amount": "36500.04"},
        {"payee": "guarantor", "amount": "8000.00"},
        {"payee": "subsidy", "amount": "-4000.00"},
    ]
    assert package["risk_sharing"] == [
        {"party": "lender", "role": "bank", "share": "0.2"},
        {"party": "guarantor", "role": "guarantor", "share": "0.8"},
    ]
    assert package["notes"] == []
    (unfit,) = found["unfit"]
    assert (unfit["product"]["id"], unfit["failures"][0]["fact"]) == (narrow["id"], "size_class")
    assert officer.get(path) == found


def test_without_a_guarantee_on_the_shelf_the_list_is_empty(market: Market) -> None:
    firm, _, path = make_offer(market)
    assert firm.get(path) == {"standing": "sought", "bare": None, "items": [], "unfit": []}
    market.sign_up().refuse("GET", path, 404)
    market.nobody.refuse("GET", path, 401)
