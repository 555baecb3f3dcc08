"""Bidding over the API: standings while it runs, early openings by two officers, low bids justified."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from market.bidding_vocabulary import BidPolicy
from market.vocabulary import OrganisationKind
from models.base import db
from models.need import Need
from services.clock import run_due
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market


@pytest.fixture
def firm(one_market: Market) -> Caller:
    return one_market.sign_up()


def publish(market: Market, firm: Caller, policy: str) -> int:
    """Return an open need; its policy is set in the row, whatever the entry form offers."""
    made = firm.post("needs", {**NEED, "minimum_bids": 1})
    firm.post(f"needs/{made['id']}/publish", {"closes_at": market.moment(hours=2)}, status=200)
    with market.app.app_context():
        db.session.get_one(Need, made["id"]).bid_policy = BidPolicy(policy)
        db.session.commit()
    number: int = made["id"]
    return number


def bid(market: Market, need_id: int, rate: str, status: int = 201, **terms: Any) -> tuple[Caller, Any]:
    """Let a new bank bid; return the bank and its bid."""
    bank = market.admit(OrganisationKind.BANK)
    product = bank.post("products", {**WORKING_CAPITAL, "fees": []})
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": rate,
        "valid_until": market.moment(days=60),
        **terms,
    }
    return bank, bank.post(f"needs/{need_id}/bids", quote, status=status)


def close(market: Market, need_id: int, **later: float) -> None:
    with market.app.app_context():
        need = db.session.get_one(Need, need_id)
        assert need.closes_at is not None
        at = need.closes_at + timedelta(seconds=1) + timedelta(**later)
        run_due(market.zone_id, now=at, sealer=market.app.extensions["sealer"])


def test_an_anonymous_standing_tells_best_and_own_rank(one_market: Market, firm: Caller) -> None:
    need_id = publish(one_market, firm, "anonymous")
    first, own = bid(one_market, need_id, "0.042")
    second, other = bid(one_market, need_id, "0.04")
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    seen = first.get(f"needs/{need_id}/standing")
    assert seen["own"] == [{"bid_id": own["id"], "rank": 2}]
    assert second.get(f"needs/{need_id}/standing")["own"] == [{"bid_id": other["id"], "rank": 1}]
    for caller in (first, second, firm, officer):
        answer = caller.get(f"needs/{need_id}/standing")
        assert (answer["best"], answer["policy"], answer["number"]) == ("0.04074152", "anonymous", 1)
        assert other["receipt_hash"] not in str(answer)
    assert firm.get(f"needs/{need_id}/standing")["own"] == []
    assert firm.get(f"needs/{need_id}/offers")["items"] == []
    purchaser = one_market.admit(OrganisationKind.PURCHASER)
    purchaser.refuse("GET", f"needs/{need_id}/standing", 403)


def test_a_sealed_standing_tells_nothing(one_market: Market, firm: Caller) -> None:
    need_id = publish(one_market, firm, "sealed")
    empty = firm.get(f"needs/{need_id}/standing")
    bank, _ = bid(one_market, need_id, "0.042")
    seen = bank.get(f"needs/{need_id}/standing")
    assert (seen["best"], seen["own"], seen["as_of"]) == (None, [], None)
    assert firm.get(f"needs/{need_id}/standing") == empty


def test_two_officers_open_early_and_everybody_reads_why(one_market: Market, firm: Caller) -> None:
    need_id = publish(one_market, firm, "sealed")
    bank, _ = bid(one_market, need_id, "0.042")
    asking = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    agreeing = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    path = f"needs/{need_id}/early-openings"
    asking.refuse("POST", path, 422, {"reason": ""})
    firm.refuse("POST", path, 403, {"reason": "现在就要"})
    asked = asking.post(path, {"reason": "企业急需用款"})
    assert (asked["agreed"], asked["decided_by"], asked["decided_at"]) == (None, None, None)
    assert firm.get(path)["items"] == bank.get(path)["items"] == []
    decision = f"early-openings/{asked['id']}/decision"
    assert asking.refuse("POST", decision, 409, {"agreed": True})["code"] == "same_person"
    agreeing.refuse("POST", decision, 422, {})
    agreeing.post(decision, {"agreed": True}, status=200)
    for caller in (firm, bank, agreeing):
        (told,) = caller.get(path)["items"]
        assert told["agreed"] is True and told["reason"] == "企业急需用款"
        assert told["asked_by"] and told["decided_by"] and told["asked_by"] != told["decided_by"]
    assert len(firm.get(f"needs/{need_id}/offers")["items"]) == 1
    agreeing.refuse("POST", "early-openings/999/decision", 404, {"agreed": True})


def test_a_low_bid_is_explained_by_its_bank_and_decided_by_an_officer(
    one_market: Market, firm: Caller
) -> None:
    need_id = publish(one_market, firm, "sealed")
    bank, low = bid(one_market, need_id, "0.019")
    rival, _ = bid(one_market, need_id, "0.04")
    officer = one_market.admit(OrganisationKind.ZONE_AUTHORITY)
    close(one_market, need_id)
    path = f"bids/{low['id']}/justification"
    held = bank.get(path)
    assert (held["state"], held["text"], held["grounds"]["rule"]) == ("held", None, "mean")
    assert held["grounds"]["against"] == "0.04074152"
    offers = firm.get(f"needs/{need_id}/offers")["items"]
    assert [offer["state"] for offer in offers] == ["held", "live"]
    shown = {"bid_id": low["id"], "shown_hash": low["receipt_hash"]}
    firm.refuse("POST", f"needs/{need_id}/award", 409, shown)
    rival.refuse("GET", path, 404)
    rival.refuse("PUT", path, 404, {"text": "不是我的"})
    bank.refuse("PUT", path, 422, {"text": "价" * 1001})
    verdict = {"decision": "accepted", "note": "成本可信"}
    assert officer.refuse("POST", f"{path}/decision", 409, verdict)["code"] == "too_early"
    assert bank.put(path, {"text": "贴息资金成本"})["text"] == "贴息资金成本"
    assert [row["bid_id"] for row in officer.get("justifications")["items"]] == [low["id"]]
    officer.refuse("POST", f"{path}/decision", 422, {"decision": "perhaps", "note": "?"})
    bank.refuse("POST", f"{path}/decision", 403, verdict)
    done = officer.post(f"{path}/decision", verdict, status=200)
    assert (done["state"], done["decision"], done["note"]) == ("live", "accepted", "成本可信")
    assert officer.get("justifications")["items"] == []
    assert len(officer.get("justifications", decided="true")["items"]) == 1
    officer.refuse("POST", f"{path}/decision", 409, verdict)
    assert officer.get("alerts")["items"] == []
