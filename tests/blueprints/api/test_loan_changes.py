"""Changes of a loan over the API: looked at first, recorded, taken back; the record tells them apart."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market
from tests.blueprints.api.test_path import open_bidding, pass_deadline


def lend(market: Market, officer: Caller, bank: Caller, firm: Caller) -> dict[str, Any]:
    """Return an approved loan of a million over twelve months."""
    product = bank.post("products", WORKING_CAPITAL)
    need = open_bidding(market, firm, NEED)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
    }
    bank.post(f"needs/{need['id']}/bids", quote)
    pass_deadline(market, officer, need)
    (offer,) = firm.get(f"needs/{need['id']}/offers")["items"]
    firm.post(f"needs/{need['id']}/award", {"bid_id": offer["bid_id"], "shown_hash": offer["receipt_hash"]})
    (loan,) = bank.get("loans")["items"]
    return dict(loan)


def test_a_change_is_seen_first_recorded_and_taken_back(market: Market) -> None:
    officer, bank = market.admit(OrganisationKind.ZONE_AUTHORITY), market.admit(OrganisationKind.BANK)
    firm, rival = market.sign_up(), market.admit(OrganisationKind.BANK)
    number = lend(market, officer, bank, firm)["id"]
    path, today = f"loans/{number}", market.today()

    drawn = bank.post(f"{path}/drawdown", {"drawn_on": today, "amount": "600000.00"}, 200)
    assert (drawn["drawn"], drawn["left"], drawn["payoff"]) == ("600000.00", "400000.00", "600000.00")
    assert bank.post(f"{path}/release", {"evidence": "来函"}, 200)["left"] == "0.00"
    lines = len(drawn["schedule"])

    extension = {"kind": "extension", "on": today, "months": 6}
    seen = bank.post(f"{path}/changes/preview", extension, 200)
    assert len(seen["schedule"]) == lines + 6 and seen["outstanding"] == "600000.00"
    assert [event["kind"] for event in bank.get(path)["events"]] == ["drawdown", "release"]
    refused = bank.refuse("POST", f"{path}/changes", 422, extension)
    assert [(fault["field"], fault["code"]) for fault in refused["errors"]] == [("evidence", "required")]
    for wrong, field, code in (
        ({"kind": "receipt", "on": today, "amount": "1.00"}, "kind", "not_a_choice"),
        ({"kind": "extension", "on": today}, "months", "required"),
        ({"kind": "write_off", "on": market.today(1)}, "on", "too_large"),
        ({"kind": "waiver", "on": today, "amount": "1.00", "account": "cash"}, "account", "not_a_choice"),
    ):
        (fault,) = bank.refuse("POST", f"{path}/changes/preview", 422, wrong)["errors"]
        assert (fault["field"], fault["code"]) == (field, code)
    for stranger, status in ((firm, 403), (rival, 404)):
        stranger.refuse("POST", f"{path}/changes", status, {**extension, "evidence": "x"})

    changed = bank.post(f"{path}/changes", {**extension, "evidence": "补充协议"})
    assert changed["schedule"] == seen["schedule"]
    event = changed["events"][-1]
    assert (event["kind"], event["details"], event["evidence"]) == ("extension", {"months": 6}, "补充协议")
    undo = f"loan-events/{event['id']}/undo"
    assert bank.post(f"{undo}/preview", status=200)["schedule"] == drawn["schedule"]
    rival.refuse("POST", undo, 404, {"evidence": "误录"})
    restored = bank.post(undo, {"evidence": "误录"}, 200)
    assert restored["schedule"] == drawn["schedule"]
    told = next(one for one in restored["events"] if one["id"] == event["id"])
    assert (told["undone_why"], told["undone_by"]) == ("误录", event["recorded_by"])
    assert bank.refuse("POST", undo, 409, {"evidence": "误录"})["code"] == "already_exists"


def test_lateness_and_entries_are_told_to_those_who_may_see_them(market: Market) -> None:
    officer, bank = market.admit(OrganisationKind.ZONE_AUTHORITY), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    number = lend(market, officer, bank, firm)["id"]
    path = f"loans/{number}"
    drawn = bank.post(f"{path}/drawdown", {"drawn_on": market.today()}, 200)
    assert (drawn["lateness"]["bucket"], drawn["lateness"]["risk_class"]) == ("current", "normal")
    due = drawn["schedule"][0]["due_on"]
    while market.today() <= due:
        officer.post("clock/fast-forward", {"until": market.moment(days=25)}, 200)
    market.tick()
    late = (market.day() - market.day().fromisoformat(due)) // timedelta(days=1)
    told = firm.get(path)
    assert told["lateness"]["days_past_due"] == late
    assert [span["bucket"] for span in told["spans"]] == ["current", "d1_30"]
    # The borrower reads what happened, not the lender's accounts.
    assert told["events"] and (told["movements"], told["accounts"]) == ([], [])
    entries = bank.get(path)
    assert entries["movements"] and sum(Decimal(row["amount"]) for row in entries["accounts"]) == 0
    for which, found in ({"bucket": "d1_30"}, [number]), ({"bucket": "d31_60"}, []):
        assert [row["id"] for row in officer.get("loans", **which)["items"]] == found
    (row,) = bank.get("loans", risk_class="special_mention", kind="loan", limit=1)["items"]
    assert row["lateness"]["days_past_due"] == late
