"""Payments over the API: reported by number, resolved, with late interest and the purchaser's record."""

from __future__ import annotations

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import Market


def test_a_payment_is_reported_watched_and_resolved(one_market: Market) -> None:
    market = one_market
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    purchaser, stranger = market.admit(OrganisationKind.PURCHASER), market.admit(OrganisationKind.BANK)
    firm = market.sign_up()
    told = {"number": "hs 2026／7", "transaction_id": "T1", "amount": "300.00", "paid_on": market.today()}
    lost = purchaser.post("payments", told)
    assert lost["payment"] is None and lost["unmatched"]["number"] == "hs 2026／7"
    assert purchaser.refuse("POST", "payments", 409, told)["code"] == "already_exists"
    assert stranger.get("unmatched-payments")["items"] == []
    buyer = purchaser.get("organisation")["credit_code"]
    contract = purchaser.post(
        "contracts",
        {
            "process_id": "P",
            "number": "HS-2026/7",
            "title": "路灯",
            "amount": "1000.00",
            "purchaser_code": buyer,
            "supplier_code": firm.get("organisation")["credit_code"],
            "signed_on": market.today(-90),
            "plan": [{"due_on": market.today(-10), "amount": "1000.00"}],
        },
    )
    assert contract["purchaser_record"] is None and contract["pay_when_paid"] is False
    (row,) = officer.get("payments")["items"]
    assert (row["state"], row["lag_days"], row["contract_number"]) == ("late", 10, "HS-2026/7")
    assert firm.get("unmatched-payments", 403)["code"] == "not_allowed"
    at = f"payments/{row['id']}"
    stranger.refuse("GET", at, 404)

    interest = firm.get(f"contracts/{contract['id']}/late-interest")
    # 1,000 yuan for ten days at 0.05 % a day; what came today is late by those ten days as well.
    assert (interest["total"], interest["open"], interest["rate"]) == ("5.00", "700.00", "0.0005")
    assert [part["days"] for part in interest["segments"]] == [10]
    terms = f"contracts/{contract['id']}/payment-terms"
    refused = purchaser.refuse("PUT", terms, 422, {"late_rate": "0.02"})
    assert refused["errors"][0]["code"] == "below_lpr"
    assert refused["errors"][0]["values"]["published_on"]
    assert purchaser.put(terms, {"late_rate": "0.036", "pay_when_paid": True})["late_rate"] == "0.036"
    assert firm.get(f"contracts/{contract['id']}/late-interest")["total"] == "1.00"

    market.tick()
    record = officer.get("purchaser-record", code=buyer)
    assert record["record"]["payments"] == 1 and record["record"]["on_time_share"] is None
    assert [part["lag_days"] for part in record["rows"]] == [10]
    assert purchaser.get("purchaser-record", code=buyer) == record
    assert purchaser.get("purchaser-record", 404, code="X")["code"] == "not_found"
    assert firm.get(f"contracts/{contract['id']}")["purchaser_record"]["unpaid"] == 1

    wrong = {"move": "correct", "why": "记错"}
    assert purchaser.refuse("POST", f"{at}/resolution", 403, wrong)["code"] == "not_allowed"
    assert officer.post(f"{at}/resolution", wrong, 200)["state"] == "reversed"
    linked = officer.get(at)["linked"]
    assert [(each["amount"], each["reverses_id"]) for each in linked] == [("-300.00", row["id"])]
    (waiting,) = officer.get("unmatched-payments", waiting="true")["items"]
    aside = f"unmatched-payments/{waiting['id']}/aside"
    assert officer.post(aside, {"why": "重复"}, 200)["resolution"] == "重复"
    assert officer.call("DELETE", aside)["resolved_at"] is None
    again = officer.post(f"unmatched-payments/{waiting['id']}/match", {"contract_id": contract["id"]})
    assert again["amount"] == "300.00"

    undated = officer.post("payments", {"number": "HS2026/7", "transaction_id": "T2", "amount": "900.00"})
    dated = officer.post(f"payments/{undated['payment']['id']}/date", {"paid_on": market.today()}, 200)
    assert (dated["state"], dated["excess"]) == ("over", "200.00")
    assert [one["id"] for one in officer.get("payments", to_resolve="true")["items"]] == [dated["id"]]
    over = f"payments/{dated['id']}/resolution"
    officer.post(over, {"move": "leave_to_supplier", "why": "归供应商"}, 200)
    assert officer.call("DELETE", over)["resolution"] is None
    back = {"transaction_id": "R1", "amount": "200.00", "paid_on": market.today(), "why": "退回"}
    refund = officer.post(f"payments/{dated['id']}/refund", back)
    assert (refund["amount"], refund["state"]) == ("-200.00", "refund")
    assert officer.get("payments", to_resolve="true")["items"] == []
