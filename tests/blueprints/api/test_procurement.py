"""Procurement over the API: from an intention and an award to an agreement, a guarantee and the notices."""

from __future__ import annotations

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import PRODUCT, Market


def test_what_is_told_over_the_api_is_told_to_whom_it_concerns(one_market: Market) -> None:
    market = one_market
    officer, firm = (
        market.admit(kind) for kind in (OrganisationKind.ZONE_AUTHORITY, OrganisationKind.ENTERPRISE)
    )
    purchaser = market.admit(OrganisationKind.PURCHASER)
    bank = market.admit(OrganisationKind.BANK)
    code, number = (firm.get("organisation")[name] for name in ("credit_code", "id"))
    firm.put("procurement-watch", {"industries": [], "keywords": ["离心机"]})
    bank.post("products", PRODUCT)

    intention = {"title": "高速离心机", "object": "goods", "budget": "8000000.00"}
    intention |= {"expected_month": market.today(60), "published_on": market.today()}
    made = purchaser.post("procurement-intentions", intention)
    assert (made["budget"], made["is_late"]) == ("8000000.00", False)
    purchaser.refuse("POST", "procurement-intentions", 409, intention)
    rows = {"rows": [{"采购项目名称": "显微镜", "预计采购时间": market.today(60)[:7]}, {"采购项目名称": ""}]}
    loaded = purchaser.call("POST", "procurement-intentions/import", 200, rows)
    assert (loaded["added"], loaded["known"], [row["row"] for row in loaded["refused"]]) == (1, 0, [2])
    purchaser.refuse("POST", "procurement-intentions/import", 422, {"rows": [1]})

    award = {"project_number": "P-1", "supplier_name": "某公司", "supplier_code": code}
    award |= {"price": "3000000.00", "published_on": market.today()}
    assert officer.post("award-notices", award)["supplier_id"] == number
    assert [row["project_number"] for row in firm.get("award-notices")["items"]] == ["P-1"]
    assert bank.refuse("GET", "award-notices", 403)["code"] == "not_allowed"

    told = {row["kind"]: row for row in firm.get("notices")["items"]}
    assert set(told) == {"intention", "award_notice"}
    assert told["award_notice"]["details"]["amount"] == "3000000.00"
    lender = bank.get("notices")["items"]
    assert sorted(row["kind"] for row in lender) == ["awards_of_day", "intention", "intention"]
    assert code not in str(lender) and "某公司" not in str(lender)
    first = told["intention"]["id"]
    assert firm.call("POST", f"notices/{first}/read")["read_at"] is not None
    assert bank.refuse("POST", f"notices/{first}/read", 404)["code"] == "not_found"
    assert firm.call("POST", "notices/read") == {"count": 1}
    assert firm.get("notices", unread="true")["items"] == []


def test_agreements_rules_and_deposits_over_the_api(one_market: Market) -> None:
    market = one_market
    officer, firm = (
        market.admit(kind) for kind in (OrganisationKind.ZONE_AUTHORITY, OrganisationKind.ENTERPRISE)
    )
    purchaser = market.admit(OrganisationKind.PURCHASER)
    bank = market.admit(OrganisationKind.BANK)
    assert officer.put("framework-requirement", {"required": True}) == {"required": True}
    assert bank.refuse("POST", "products", 409, PRODUCT)["code"] == "no_framework"
    number = bank.get("organisation")["id"]
    entry = {"organisation_id": number, "number": "K-1", "evidence": "档案"}
    entry |= {"valid_from": market.today(), "valid_until": market.today(300)}
    made = officer.post("framework-agreements", entry)
    assert made["in_force"] and bank.get("framework-agreements")["items"] == [made]
    bank.post("products", PRODUCT)
    ended = officer.call("POST", f"framework-agreements/{made['id']}/end", 200, {"reason": "违约"})
    assert (ended["in_force"], ended["ended_on"]) == (False, market.today())

    rules = market.nobody.get("procurement-rules", on="2022-06-30")["items"]
    deduction = next(row for row in rules if (row["kind"], row["object"]) == ("price_deduction", "goods"))
    assert (deduction["low"], deduction["high"]) == ("0.06", "0.1")
    rule = {name: deduction[name] for name in ("kind", "object", "favoured", "issuer", "document")}
    added = officer.post("procurement-rules", {**rule, "low": "0.15", "valid_from": market.today()})
    assert added["is_local"] is True

    firm_code = firm.get("organisation")["credit_code"]
    demanded = {"kind": "bid", "amount": "20000.00", "project_number": "P-7", "supplier_code": firm_code}
    deposit = purchaser.post("deposits", demanded)
    assert officer.put("bid-deposits", {"abolished": True}) == {"abolished": True}
    assert purchaser.refuse("POST", "deposits", 409, demanded)["code"] == "deposit_abolished"
    address = f"deposits/{deposit['id']}"
    firm.call("POST", f"{address}/guarantee-request", 200, {"guarantor_id": number})
    bank.call("POST", f"{address}/guarantee-refusal", 200, {"why": "资料不全"})
    firm.call("POST", f"{address}/guarantee-request", 200, {"guarantor_id": number})
    letter = {"guarantee_number": "B-1", "valid_until": market.today(90)}
    assert bank.call("POST", f"{address}/guarantee", 200, letter)["state"] == "guaranteed"
    assert purchaser.call("POST", f"{address}/release", 200, {"on": market.today()})["state"] == "released"
    refused = purchaser.refuse("POST", f"{address}/payment", 409, {"on": market.today()})
    assert refused["code"] == "illegal_move"
