"""Proofs over the API: the same document for both sides of an offer, and for nobody else."""

from __future__ import annotations

import json

from market.vocabulary import OrganisationKind
from services import proofs
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Market
from tests.blueprints.api.test_path import open_bidding, pass_deadline
from tests.services.verifying import find_faults


def test_both_sides_fetch_one_proof_that_a_stranger_can_check(one_market: Market) -> None:
    firm, bank = one_market.sign_up(), one_market.admit(OrganisationKind.BANK)
    rival, officer = (
        one_market.admit(OrganisationKind.BANK),
        one_market.admit(OrganisationKind.ZONE_AUTHORITY),
    )
    need = open_bidding(one_market, firm, NEED)
    product = bank.post("products", WORKING_CAPITAL)
    quote = {
        "product_id": product["id"],
        "principal": NEED["amount"],
        "months": NEED["months"],
        "rate": "0.0385",
        "valid_until": one_market.moment(days=60),
        "fees": [{"name": "guarantee fee", "payee": "guarantor", "rate": "0.01", "when": "upfront"}],
    }
    bid = bank.post(f"needs/{need['id']}/bids", quote)
    sealed = bank.get(f"bids/{bid['id']}/proof")
    assert find_faults(sealed) == []
    assert proofs.read(json.dumps(sealed).encode())[1] == []
    assert sealed["proof"]["about"]["receipt"] == bid["receipt_hash"]
    assert set(sealed["words"]["how"]) == {"en", "zh"}

    offer = f"needs/{need['id']}/offers/{bid['id']}/proof"
    firm.refuse("GET", offer, 404)
    rival.refuse("GET", f"bids/{bid['id']}/proof", 404)
    firm.refuse("GET", f"bids/{bid['id']}/proof", 403)
    bank.refuse("GET", offer, 403)
    one_market.nobody.refuse("GET", offer, 401)

    pass_deadline(one_market, officer, need)
    assert firm.get(offer) == officer.get(offer) == sealed
    one_market.sign_up().refuse("GET", offer, 404)
