"""Over the API: a deal closed elsewhere, a bridge that comes back, a claim that is shared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from market.calendar import local_date
from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import Caller, Market

BRIDGE = {"kind": "bridge", "principal": "2000000.00", "days": 7, "daily_rate": "0.0003"}
COVER = {
    "kind": "cover",
    "amount": "2000000.00",
    "months": 12,
    "fees": [{"name": "担保费", "when": "yearly", "rate": "0.01", "payee": "guarantor"}],
}


def record(lender: Caller, firm: Caller, kind: str, terms: dict[str, Any]) -> dict[str, Any]:
    deal = {
        "kind": kind,
        "borrower": firm.get("organisation")["credit_code"],
        "amount": "2000000.00",
        "evidence": "合同 17 号",
        "terms": terms,
    }
    return lender.post("direct-deals", deal)


def test_a_bridge_is_confirmed_paid_out_and_returned(market: Market) -> None:
    firm, bank = market.sign_up(), market.admit(OrganisationKind.BANK)
    fund = market.admit(OrganisationKind.BRIDGE_PLATFORM)
    refused = fund.refuse(
        "POST",
        "direct-deals",
        422,
        {"kind": "bridge", "borrower": firm.get("organisation")["credit_code"], "amount": "1.00"}
        | {"evidence": "合同", "terms": BRIDGE},
    )
    assert refused["errors"][0]["values"] == {"given": "1.00", "expected": "2000000.00"}
    deal = record(fund, firm, "bridge", BRIDGE)
    assert (deal["state"], deal["award_id"]) == ("unconfirmed", None)
    assert [row["id"] for row in firm.get("direct-deals")["items"]] == [deal["id"]]
    bank.refuse("POST", f"direct-deals/{deal['id']}/refusal", 404, {"why": "x"})
    firm.post(f"direct-deals/{deal['id']}/confirmation", None, 200)
    today = local_date(market.now()).isoformat()
    commitment = {
        "bank_code": bank.get("organisation")["credit_code"],
        "promised": "3000000.00",
        "promised_by": (local_date(market.now()) + timedelta(days=5)).isoformat(),
        "maturing_reference": "JK-9",
        "account": "6222 0001",
        "evidence": "承诺函",
    }
    assert fund.put(f"loans/{deal['id']}/renewal", commitment)["account"] == "62220001"
    wrong = {"drawn_on": today, "payee_account": "6222 0002"}
    assert fund.refuse("POST", f"loans/{deal['id']}/drawdown", 422, wrong)["code"] == "not_a_choice"
    fund.post(f"loans/{deal['id']}/drawdown", {**wrong, "payee_account": "6222-0001"}, 200)
    money = {"amount": "2000000.00", "paid_on": today, "reference": "XD-1"}
    fund.post(f"loans/{deal['id']}/renewal/return", money)
    assert fund.get(f"loans/{deal['id']}/renewal")["returned_on"] == today
    turnover = fund.get("bridges/turnover", since=today, until=today)
    assert turnover == {
        "bridges": 1,
        "amount": "2000000.00",
        "returned": 1,
        "average_days": "0.0",
        "times": None,
    }


def test_a_claim_is_opened_accepted_paid_and_recovered(market: Market) -> None:
    firm = market.sign_up()
    insurer = market.admit(OrganisationKind.INSURER)
    guarantor = market.admit(OrganisationKind.GUARANTOR, net_assets=10_000_000_000)
    # Whoever is no financing guarantor has no leverage: its cover has no guarantee to claim on.
    cover = record(insurer, firm, "guarantee", COVER)
    firm.post(f"direct-deals/{cover['id']}/confirmation", None, 200)
    guarantor.put("limits", {"scope": "leverage"})
    deal = record(guarantor, firm, "guarantee", COVER)
    firm.post(f"direct-deals/{deal['id']}/confirmation", None, 200)
    today = local_date(market.now()).isoformat()
    for lender, one in ((insurer, cover), (guarantor, deal)):
        lender.post(f"loans/{one['id']}/drawdown", {"drawn_on": today}, 200)
    claim = {
        "amount": "1000000.00",
        "basis": "逾期 90 天",
        "evidence": "通知书",
        "risk_sharing": [
            {"party": "担保公司", "role": "guarantor", "share": "0.8"},
            {"party": "外部银行", "role": "bank", "share": "0.2"},
        ],
    }
    insurer.refuse("POST", f"loans/{cover['id']}/claims", 404, claim)
    half = {**claim, "risk_sharing": claim["risk_sharing"][:1]}
    assert guarantor.refuse("POST", f"loans/{deal['id']}/claims", 422, half)["code"] == "shares_not_whole"
    opened = guarantor.post(f"loans/{deal['id']}/claims", claim)
    assert (opened["payable"], [row["amount"] for row in opened["shares"]]) == (
        "800000.00",
        ["800000.00", "200000.00"],
    )
    insurer.refuse("GET", f"claims/{opened['id']}", 404)
    path = f"claims/{opened['id']}"
    guarantor.post(f"{path}/acceptance", None, 200)
    paid = {"share_id": opened["shares"][0]["id"], "paid_on": today, "reference": "C1"}
    assert guarantor.post(f"{path}/payments", paid, 200)["state"] == "paid"
    early = {"amount": "100000.00", "recovered_on": today, "reference": "V1"}
    assert guarantor.refuse("POST", f"{path}/recoveries", 422, early)["code"] == "out_of_order"
    assert guarantor.post(f"{path}/closing", None, 200)["state"] == "closed"
    assert [row["state"] for row in guarantor.get("claims")["items"]] == ["closed"]
