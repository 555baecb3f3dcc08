"""A need that several institutions share, over the API: bid for, proposed by a round, accepted."""

from __future__ import annotations

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, Market
from tests.blueprints.api.test_path import open_bidding, pass_deadline
from tests.blueprints.api.test_reviews import bid


def test_a_round_splits_a_need_and_the_firm_takes_all_parts(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    first, second = market.admit(OrganisationKind.BANK), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    whole = open_bidding(market, firm, NEED)
    need = open_bidding(market, firm, {**NEED, "syndicated": True})
    first.put("limits", {"scope": "total", "cap": "600000.00"})
    least = {"least": "200000.00"}
    placed = bid(market, first, need, "0.04", **least)
    assert (placed["least"], placed["content"]["least"]) == (None, "200000.00")
    bid(market, second, need, "0.042", **least)
    refused = first.refuse(
        "POST",
        f"needs/{whole['id']}/bids",
        422,
        {
            "product_id": placed["product_id"],
            "principal": "500000.00",
            "months": 12,
            "rate": "0.04",
            "valid_until": market.moment(days=60),
            **least,
        },
    )
    assert ("unknown_field", "least") in [(fault["code"], fault["field"]) for fault in refused["errors"]]
    path = f"needs/{need['id']}/syndicate"
    firm.refuse("GET", path, 404)
    pass_deadline(market, officer, need)
    whole_need = firm.get(f"needs/{need['id']}")
    assert [part["amount"] for part in whole_need["proposals"]] == ["600000.00", "400000.00"]
    assert whole_need["proposals"][0]["why"] == {"code": "shared", "compared": 2, "missing": "0.00"}
    second.refuse("GET", path, 403)
    shown = firm.get(path)
    assert (shown["amount"], shown["missing_amount"]) == ("1000000.00", "0.00")
    assert [(part["amount"], part["share"], part["state"]) for part in shown["parts"]] == [
        ("600000.00", "0.6", None),
        ("400000.00", "0.4", None),
    ]
    parts = [
        {"bid_id": part["bid_id"], "shown_hash": part["receipt_hash"], "amount": part["amount"]}
        for part in shown["parts"]
    ]
    other = [parts[0], {**parts[1], "amount": "399999.99"}]
    assert firm.refuse("POST", path, 409, {"parts": other})["code"] == "stale"
    made = firm.post(path, {"parts": parts})["items"]
    assert [(award["state"], award["syndicated"], award["amount"]) for award in made] == [
        ("confirmed", True, "600000.00"),
        ("confirmed", True, "400000.00"),
    ]
    assert [part["state"] for part in officer.get(path)["parts"]] == ["confirmed", "confirmed"]
    (loan,) = first.get("loans")["items"]
    assert loan["principal"] == "600000.00"
