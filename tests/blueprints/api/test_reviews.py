"""Bids subject to approval over the API: asked, answered, declined, and the next offer taken."""

from __future__ import annotations

from typing import Any

from market.vocabulary import OrganisationKind
from models.base import db
from models.organisation import Organisation
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market
from tests.blueprints.api.test_path import open_bidding, pass_deadline


def bid(market: Market, bank: Caller, need: dict[str, Any], rate: str, **values: Any) -> dict[str, Any]:
    product = bank.post("products", WORKING_CAPITAL)
    quote = {
        "product_id": product["id"],
        "principal": need["amount"],
        "months": need["months"],
        "rate": rate,
        "valid_until": market.moment(days=60),
        **values,
    }
    return bank.post(f"needs/{need['id']}/bids", quote)


def test_a_declined_award_leads_to_the_next_offer(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    first, second = market.admit(OrganisationKind.BANK), market.admit(OrganisationKind.BANK)
    with market.app.app_context():
        own = db.session.get_one(Organisation, first.get("organisation")["id"])
    approver = market.admit(OrganisationKind.BANK, organisation=own)
    firm = market.sign_up()
    need = open_bidding(market, firm, NEED)
    cheap = bid(market, first, need, "0.04", is_firm=False)
    assert cheap["is_firm"] is None and cheap["content"]["firm"] is False and cheap["why"] is None
    dear = bid(market, second, need, "0.05")
    pass_deadline(market, officer, need)
    offers = firm.get(f"needs/{need['id']}/offers")["items"]
    assert [(offer["is_firm"], offer["decline_rate"]) for offer in offers] == [(False, None), (True, None)]
    accepted = {"bid_id": cheap["id"], "shown_hash": offers[0]["receipt_hash"]}
    firm.post(f"needs/{need['id']}/award", accepted)
    (loan,) = first.get("loans")["items"]
    assert loan["state"] == "under_review"
    (review,) = first.get("reviews", waiting="true")["items"]
    assert (review["loan_id"], review["need_id"], review["outcome"]) == (loan["id"], need["id"], None)
    second.refuse("GET", f"reviews/{review['id']}", 404)

    first.refuse("POST", f"reviews/{review['id']}/requests", 422, {"what": ""})
    asked = first.post(f"reviews/{review['id']}/requests", {"what": "Accounts of 2025"})
    assert firm.get(f"reviews/{review['id']}")["stands_still"] is True
    firm.post(f"review-requests/{asked['id']}/answer", {"answer": "Sent by courier"}, 200)
    # Whoever placed the bid does not decide on it.
    refused = first.refuse("POST", f"reviews/{review['id']}/approve", 409)
    assert refused["code"] == "same_person"
    reason = {"reason": "security_short", "note": "No second guarantor"}
    ended = approver.post(f"reviews/{review['id']}/decline", reason, 200)
    assert (ended["outcome"], ended["reason"]) == ("declined", "security_short")
    assert ended["requests"][0]["answer"] == "Sent by courier"
    assert firm.get(f"loans/{loan['id']}")["review"]["note"] == "No second guarantor"
    assert firm.get(f"needs/{need['id']}")["state"] == "closed"
    assert first.get(f"bids/{cheap['id']}")["why"] == {"code": "declined", "reason": "security_short"}

    (offer,) = [one for one in firm.get(f"needs/{need['id']}/offers")["items"] if one["state"] == "live"]
    assert (offer["bid_id"], offer["rank"]) == (dear["id"], 1)
    taken = {"bid_id": offer["bid_id"], "shown_hash": offer["receipt_hash"]}
    firm.post(f"needs/{need['id']}/award", taken)
    (loan,) = second.get("loans")["items"]
    assert loan["state"] == "approved"
    told = first.get(f"bids/{cheap['id']}")
    assert told["winning"] == offer["effective"]
