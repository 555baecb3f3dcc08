"""A need's bidding, audience and changes over the API; what institutions are not told."""

from __future__ import annotations

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import Market
from tests.blueprints.api.test_path import NEED, WORKING_CAPITAL, open_bidding


def test_a_change_voids_a_bid_and_its_bidder_confirms_it_again(market: Market) -> None:
    bank, firm = market.admit(OrganisationKind.BANK), market.sign_up()
    product = bank.post("products", WORKING_CAPITAL)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        "revision": 1,
    }
    bid = bank.post(f"needs/{need['id']}/bids", quote)
    wanted = {**NEED, "amount": "1050000.00", "revision": 1}
    told = [{"field": "amount", "before": "1000000.00", "after": "1050000.00"}]
    planned = firm.post(f"needs/{need['id']}/changes/preview", {**NEED, "amount": "1050000.00"}, status=200)
    assert planned["differences"] == told and not planned["shuts_out"]
    assert firm.post(f"needs/{need['id']}/changes", wanted, status=200)["revision"] == 2
    assert firm.refuse("POST", f"needs/{need['id']}/changes", 409, wanted)["code"] == "stale"
    (change,) = bank.get(f"needs/{need['id']}/changes")["items"]
    assert change["differences"] == told and set(change) == {"revision", "changed_at", "differences"}
    void = bank.get(f"bids/{bid['id']}")
    assert (void["state"], void["reason"]) == ("voided", {"code": "need_changed", "revision": 2})
    assert bank.refuse("POST", f"needs/{need['id']}/bids", 409, quote)["code"] == "stale"
    again = bank.post(f"bids/{bid['id']}/reconfirm", {"revision": 2})
    assert again["content"]["offer"] == void["content"]["offer"] and again["state"] == "sealed"
    code = bank.refuse("POST", f"bids/{bid['id']}/reconfirm", 409, {"revision": 2})["code"]
    assert code == "already_exists"


def test_who_is_named_is_the_firms_to_know(market: Market) -> None:
    seeing, blind = market.admit(OrganisationKind.BANK), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    named = [seeing.get("organisation")["id"]]
    bidding = {"bid_policy": "anonymous", "round_count": 2, "round_hours": 12, "few_bids": "fail"}
    audience = {"visibility": "chosen", "audience": named, "syndicated": True}
    need = open_bidding(market, firm, {**NEED, **bidding, **audience})
    own = firm.get(f"needs/{need['id']}")
    assert {name: own[name] for name in (*bidding, *audience)} == {**bidding, **audience}
    shown = seeing.get(f"needs/{need['id']}")
    assert (shown["visibility"], shown["audience"], shown["organisation"]) == (None, None, None)
    assert {name: shown[name] for name in bidding} == bidding
    assert [one["id"] for one in seeing.get("needs")["items"]] == [need["id"]]
    assert blind.get("needs")["items"] == []
    product = blind.post("products", WORKING_CAPITAL)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
    }
    for way, body in (("", None), ("/changes", None), ("/products", None), ("/bids", quote)):
        method = "POST" if body else "GET"
        hidden, absent = (
            blind.refuse(method, f"needs/{number}{way}", 404, body) for number in (need["id"], 10**6)
        )
        assert str(hidden).replace(str(need["id"]), "N") == str(absent).replace(str(10**6), "N")
    refusal = firm.refuse("POST", "needs", 422, {**NEED, "audience": named})
    assert [fault["field"] for fault in refusal["errors"]] == ["visibility"]
