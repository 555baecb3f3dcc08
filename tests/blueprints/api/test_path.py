"""The whole path through the API as three people: from signing up to a contract loan that is paid off."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from market.vocabulary import OrganisationKind
from services import organisations
from tests import factories
from tests.blueprints.api.conftest import NEED, PRODUCT, WORKING_CAPITAL, Caller, Market

ACCOUNT = "3700000123456789"


def open_bidding(market: Market, firm: Caller, need: dict[str, Any]) -> dict[str, Any]:
    """Draft and publish a need for two hours of bidding."""
    drafted = firm.post("needs", need)
    return firm.post(f"needs/{drafted['id']}/publish", {"closes_at": market.moment(hours=2)}, 200)


def pass_deadline(market: Market, officer: Caller, need: dict[str, Any]) -> None:
    """Move the practice zone's clock past the close of a need, as an officer, and let the clock tick."""
    moved = officer.post("clock/fast-forward", {"until": need["closes_at"]}, 200)
    assert moved["now"] >= need["closes_at"]
    market.tick()


def test_three_people_take_a_contract_need_to_a_repaid_loan(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    bank = market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    assert firm.get("me")["capabilities"] == ["enterprise_approver", "enterprise_maker"]
    product = bank.post("products", PRODUCT)
    assert (product["contract_ratio"], product["rate_from"]) == ("0.8", "0.03")
    assert [row["id"] for row in market.nobody.get("products")["items"]] == [product["id"]]

    contract = firm.post(
        "contracts",
        {
            "process_id": "ZC-1",
            "number": "HT-1",
            "title": "服务器采购",
            "amount": "1000000.00",
            "purchaser_code": factories.make_credit_code(),
            "supplier_code": firm.get("organisation")["credit_code"],
            "signed_on": market.today(-10),
            "plan": [{"due_on": market.today(180), "amount": "1000000.00"}],
        },
    )
    # What only its supplier says of a contract carries nothing yet.
    assert contract["obstacles"] == ["unconfirmed"]
    wanted = {**NEED, "purpose": "contract", "contract_id": contract["id"], "months": 6}
    refused = firm.refuse("POST", "needs", 422, {**wanted, "amount": "900000.00"})
    assert [entry["code"] for entry in refused["errors"]] == ["not_financeable"]
    confirmed = officer.post(f"contracts/{contract['id']}/confirmation", status=200)
    assert confirmed["obstacles"] == []
    need = firm.post("needs", {**wanted, "amount": "900000.00"})
    firm.put(f"needs/{need['id']}", {**wanted, "amount": "800000.00", "reserve_rate": "0.06"})
    fitting = firm.get(f"needs/{need['id']}/products")
    assert [(fit["product"]["id"], fit["fits"]) for fit in fitting["items"]] == [(product["id"], True)]
    need = firm.post(f"needs/{need['id']}/publish", {"closes_at": market.moment(hours=2)}, 200)
    assert need["state"] == "open" and need["reserve_rate"] == "0.06"

    # The bank sees the need without its firm, and the contract without its supplier.
    (seen,) = bank.get("needs")["items"]
    assert seen["organisation"] is None and seen["reserve_rate"] is None
    considered = bank.get(f"contracts/{seen['contract']['id']}")
    assert considered["supplier_name"] is None and considered["number"] is None
    assert considered["amount"] == "1000000.00" and considered["payments"] == []

    quote = {
        "product_id": product["id"],
        "principal": "800000.00",
        "months": 6,
        "rate": "0.0385",
        "valid_until": market.moment(days=60),
    }
    preview = bank.post(f"needs/{need['id']}/bids/preview", quote, 200)
    assert preview["faults"] == [] and preview["failures"] == []
    assert preview["cost"]["total_cost"] == "15400.00"
    bid = bank.post(f"needs/{need['id']}/bids", quote)
    sealed = bid["salt"].encode() + b"\n" + rfc8785.dumps(bid["content"])
    assert hashlib.sha256(sealed).hexdigest() == bid["receipt_hash"]
    assert bid["effective"] is None and bid["rank"] is None and bid["receipt_number"] is None
    assert bid["content"]["offer"]["principal"] == "800000.00" and "receipt" not in bid["content"]
    # Before the opening nobody learns of bids, not even how many there are.
    assert firm.get(f"needs/{need['id']}/offers")["items"] == []
    assert officer.get(f"needs/{need['id']}")["rounds"][0]["bid_count"] is None

    pass_deadline(market, officer, need)
    (offer,) = firm.get(f"needs/{need['id']}/offers")["items"]
    assert offer["rank"] == 1 and offer["cost"]["parts"][0]["total"] == "15400.00"
    proposed = officer.post("rounds/run")
    assert [proposal["bid_id"] for proposal in proposed["proposals"]] == [bid["id"]]
    assert firm.get(f"needs/{need['id']}")["proposal"]["state"] == "proposed"
    award = firm.post(
        f"needs/{need['id']}/award", {"bid_id": offer["bid_id"], "shown_hash": offer["receipt_hash"]}
    )
    assert award["state"] == "confirmed"
    (loan,) = bank.get("loans")["items"]
    assert (loan["state"], loan["principal"]) == ("approved", "800000.00")
    assert loan["effective"] == offer["effective"]

    today = market.today()
    drawdown = f"loans/{loan['id']}/drawdown"
    refused = bank.refuse("POST", drawdown, 422, {"drawn_on": today})
    assert [entry["code"] for entry in refused["errors"]] == ["not_locked", "no_pledge"]
    steps = f"contracts/{contract['id']}/steps"
    locked = {"stage": "account_locked", "happened_on": today, "payee_account": ACCOUNT}
    assert bank.refuse("POST", steps, 422, locked)["errors"][0]["field"] == "evidence"
    lock = bank.post(steps, {**locked, "evidence": "补充协议 1"})
    bank.refuse("POST", f"steps/{lock['id']}/confirm", 403)
    officer.post(f"steps/{lock['id']}/confirm", status=200)
    pledge = {"pledge_number": "P1", "pledge_expires_on": market.today(400)}
    bank.post(steps, {"stage": "pledge_registered", "happened_on": today, **pledge})
    asked = {"payee_account": "6222 0000 1234", "reason": "撤并", "evidence": "补充协议 2"}
    change = bank.post(f"contracts/{contract['id']}/account-changes", asked)
    assert (change["state"], change["new_account"]) == ("requested", "6222 0000 1234")
    whole = bank.get(f"contracts/{contract['id']}")
    assert whole["side_states"] == ["account_change_requested"]
    assert [mark["deadline"] for mark in whole["deadlines"]] == ["filing", "publication"]
    bank.post(f"account-changes/{change['id']}/withdraw", {}, 200)
    listed = bank.get(f"contracts/{contract['id']}/account-changes")["items"]
    assert [row["state"] for row in listed] == ["withdrawn"]
    registered = bank.get(f"contracts/{contract['id']}/pledges")
    assert [(row["number"], row["ended_at"]) for row in registered["items"]] == [("P1", None)]
    asked = bank.post(drawdown, {"drawn_on": today, "evidence": "PO 1"}, 200)["drawdown"]
    assert (asked["amount"], asked["state"], asked["evidence"]) == ("800000.00", "requested", "PO 1")
    confirmation = f"drawdowns/{asked['id']}/confirm"
    assert bank.refuse("POST", confirmation, 403)["code"] == "same_person"
    with market.app.app_context():
        own = organisations.find(bank.get("organisation")["id"])
    second = market.admit(OrganisationKind.BANK, organisation=own)
    refused = second.post(f"drawdowns/{asked['id']}/refuse", {"why": "付款单号有误"}, 200)
    assert (refused["state"], refused["why"]) == ("refused", "付款单号有误")
    assert bank.refuse("POST", confirmation, 409)["code"] == "illegal_move"
    bank.post(drawdown, {"drawn_on": today}, 200)
    (asked,) = second.get("drawdowns")["items"]
    drawn = second.post(f"drawdowns/{asked['id']}/confirm", status=200)
    assert drawn["drawdown"] is None and drawn["events"][0]["confirmed_by"]
    assert drawn["schedule"][-1]["due_on"] > today and drawn["outstanding"] == "800000.00"

    payments = f"contracts/{contract['id']}/payments"
    part = {"transaction_id": "T1", "amount": "300000.00", "paid_on": today, "payee_account": ACCOUNT}
    assert officer.post(payments, part)["settled_at"] is not None
    assert officer.refuse("POST", payments, 409, part)["code"] == "already_exists"
    strayed = {**part, "transaction_id": "T2", "payee_account": "6222"}
    assert officer.post(payments, strayed)["settled_at"] is None
    (alert,) = bank.get("alerts")["items"]
    assert (alert["kind"], alert["details"]["amount"]) == ("wrong_account", "300000.00")
    bank.post(f"alerts/{alert['id']}/resolve", {"resolution": "已联系采购人"}, 200)
    owed = bank.get(f"loans/{loan['id']}")
    assert owed["repayments"][0]["source"] == "purchaser"
    # Paid back on the day it was drawn, it owes no interest.
    rest = owed["payoff"]
    repayments = f"loans/{loan['id']}/repayments"
    repaid = {"amount": rest, "paid_on": today, "reference": "R1"}
    too_much = bank.refuse("POST", repayments, 422, {**repaid, "amount": "600000.00"})
    assert too_much["errors"][0]["values"]["most"] == rest
    bank.post(repayments, repaid)
    assert bank.get(f"loans/{loan['id']}")["state"] == "repaid"
    for stage in ("pledge_cancelled", "unlocked"):
        bank.post(steps, {"stage": stage, "happened_on": today})
    whole = firm.get(f"contracts/{contract['id']}")
    assert whole["stage"] == "unlocked" and whole["standing"]["outstanding"] == "0.00"
    figures = market.nobody.get("board/figures")
    assert (figures["deals"], figures["contract_loans"], figures["drawn_amount"]) == (1, 1, "800000.00")
    assert [step["name"] for step in officer.get("board/funnel")["items"]][-1] == "drawn"
    assert officer.get("board/months", count=1)["items"][0]["amount"] == "800000.00"


def test_a_second_person_confirms_or_rejects_where_the_firm_asks_for_it(market: Market) -> None:
    officer, bank = market.admit(OrganisationKind.ZONE_AUTHORITY), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    firm.call("PATCH", "organisation", body={"dual_control": True})
    product = bank.post("products", WORKING_CAPITAL)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        "fees": [{"name": "评审费", "when": "upfront", "amount": "500.00"}],
    }
    bank.post(f"needs/{need['id']}/bids", quote)
    pass_deadline(market, officer, need)
    (offer,) = firm.get(f"needs/{need['id']}/offers")["items"]
    chosen = {"bid_id": offer["bid_id"], "shown_hash": offer["receipt_hash"]}
    stale = {**chosen, "shown_hash": "0" * 64}
    assert firm.refuse("POST", f"needs/{need['id']}/award", 409, stale)["code"] == "stale"
    award = firm.post(f"needs/{need['id']}/award", chosen)
    assert award["state"] == "awaiting_confirmation"
    assert firm.refuse("POST", f"awards/{award['id']}/confirm", 409)["code"] == "same_person"
    assert firm.post(f"awards/{award['id']}/reject", status=200)["state"] == "rejected"
    award = firm.post(f"needs/{need['id']}/award", chosen)
    with market.app.app_context():
        me = firm.get("organisation")
        second = factories.make_user(now=market.now(), passwords=market.app.extensions["passwords"])
        factories.make_party(now=market.now(), organisation=organisations.find(me["id"]), user=second)
        username = second.username
    colleague = market.sign_in(username)
    assert colleague.post(f"awards/{award['id']}/confirm", status=200)["state"] == "confirmed"
    (loan,) = firm.get("loans", state="approved")["items"]
    assert bank.post(f"loans/{loan['id']}/cancel", status=200)["state"] == "cancelled"


def test_a_bid_can_be_replaced_and_withdrawn_while_it_is_sealed(market: Market) -> None:
    bank, firm = market.admit(OrganisationKind.BANK), market.sign_up()
    product = bank.post("products", WORKING_CAPITAL)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
    }
    first = bank.post(f"needs/{need['id']}/bids", quote)
    second = bank.post(f"needs/{need['id']}/bids", {**quote, "rate": "0.039"})
    states = {bid["id"]: bid["state"] for bid in bank.get("bids")["items"]}
    assert states == {first["id"]: "replaced", second["id"]: "sealed"}
    assert bank.get(f"bids/{second['id']}")["content"]["offer"]["rate"] == "0.039"
    assert bank.call("DELETE", f"bids/{second['id']}")["state"] == "withdrawn"
    rival = market.admit(OrganisationKind.BANK)
    rival.refuse("GET", f"bids/{second['id']}", 404)
    assert firm.post(f"needs/{need['id']}/withdraw", status=200)["state"] == "withdrawn"
