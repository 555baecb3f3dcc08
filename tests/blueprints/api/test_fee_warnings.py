"""What the law says against a fee travels with previews, receipts and offers, and refuses nothing."""

from __future__ import annotations

from typing import Any

from market.vocabulary import OrganisationKind, SizeClass
from tests.blueprints.api.conftest import NEED, PRODUCT, Market
from tests.blueprints.api.test_path import open_bidding, pass_deadline

FEES = [
    {"name": "担保费", "when": "upfront", "payee": "guarantor", "basis": "principal", "rate": "0.01"},
    {"name": "提前还款违约金", "when": "end", "basis": "principal", "rate": "0.001"},
]


LOAN = {**PRODUCT, "family": "innovation", "security": "unsecured", "contract_ratio": None}


def check(warnings: list[dict[str, Any]]) -> None:
    (warning,) = warnings
    assert (warning["field"], warning["code"]) == ("fees.1.name", "forbidden_fee")
    assert warning["values"] == {
        "value": "提前还款违约金",
        "rule": "early_repayment_penalty",
        "sizes": ["small", "micro"],
        "source": "银保监发〔2020〕18号",
    }
    assert "penalty for early repayment" in warning["detail"]


def test_a_forbidden_fee_is_named_from_the_preview_to_the_comparison(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    bank = market.admit(OrganisationKind.BANK)
    firm = market.admit(OrganisationKind.ENTERPRISE, size_class=SizeClass.MICRO)
    product = bank.post("products", LOAN)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": NEED["amount"],
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        "fees": FEES,
    }
    preview = bank.post(f"needs/{need['id']}/bids/preview", quote, 200)
    assert preview["faults"] == []
    check(preview["warnings"])
    placed = bank.post(f"needs/{need['id']}/bids", quote)
    check(placed["warnings"])
    pass_deadline(market, officer, need)
    (offer,) = firm.get(f"needs/{need['id']}/offers")["items"]
    check(offer["warnings"])


def test_without_such_a_fee_nothing_is_said(market: Market) -> None:
    bank = market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    product = bank.post("products", LOAN)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": NEED["amount"],
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        "fees": FEES[:1],
    }
    assert bank.post(f"needs/{need['id']}/bids/preview", quote, 200)["warnings"] == []
