"""Admission and questions over the API, by HTTP alone."""

from __future__ import annotations

import json
from typing import Any

from market.vocabulary import OrganisationKind
from tests.blueprints.api.conftest import NEED, WORKING_CAPITAL, Caller, Market
from tests.factories import make_credit_code


def papers(market: Market, days: int = 400) -> dict[str, Any]:
    return {
        "licence_number": "B0001H",
        "agreement_number": "HZXY-1",
        "agreement_until": market.today(days),
    }


def open_need(market: Market, firm: Caller) -> str:
    need = firm.post("needs", NEED)
    firm.post(f"needs/{need['id']}/publish", {"closes_at": market.moment(days=2)}, 200)
    return f"needs/{need['id']}"


def test_an_institution_is_admitted_suspended_and_reinstated(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    bank = market.admit(OrganisationKind.BANK, admitted=False)
    assert bank.get("admission")["state"] == "not_admitted"
    assert bank.refuse("POST", "products", 409, WORKING_CAPITAL)["code"] == "not_admitted"
    (row,) = officer.get("admissions", state="not_admitted")["items"]
    member = f"members/{row['organisation']['id']}"
    assert bank.refuse("POST", f"{member}/admission", 403, papers(market))["code"] == "not_allowed"
    made = officer.post(f"{member}/admission", papers(market, days=30))
    assert (made["state"], made["days_left"]) == ("ending", 30)
    product = bank.post("products", WORKING_CAPITAL)
    suspended = officer.post(f"{member}/suspension", {"reason": "被监管调查"})
    assert (suspended["state"], suspended["suspended_because"]) == ("suspended", "被监管调查")
    problem = bank.refuse("PATCH", f"products/{product['id']}", 409, {"listed": True})
    assert problem["code"] == "suspended" and "被监管调查" in problem["detail"]
    assert officer.call("DELETE", f"{member}/suspension")["state"] == "ending"
    assert officer.put(f"{member}/admission", papers(market))["state"] == "admitted"
    assert bank.get("admission")["days_left"] == 400
    assert officer.refuse("POST", f"{member}/admission", 409, papers(market))["code"] == "illegal_move"


def test_an_officer_enrols_an_institution(market: Market) -> None:
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    entry = {"kind": "lessor", "credit_code": make_credit_code(), "name_zh": "新租赁", **papers(market)}
    made = officer.post("admissions", entry)
    assert (made["organisation"]["name_zh"], made["state"]) == ("新租赁", "admitted")
    assert officer.refuse("POST", "admissions", 409, entry)["code"] == "already_exists"
    wrong = {**entry, "credit_code": make_credit_code(), "kind": "enterprise"}
    assert officer.refuse("POST", "admissions", 403, wrong)["code"] == "wrong_kind"


def test_question_and_answer_reach_all_without_who_asked(market: Market) -> None:
    firm = market.admit(OrganisationKind.ENTERPRISE)
    asker, rival = (market.admit(OrganisationKind.BANK) for _ in range(2))
    officer = market.admit(OrganisationKind.ZONE_AUTHORITY)
    need = open_need(market, firm)
    made = asker.post(f"{need}/questions", {"question": "设备到货了吗？"})
    assert made == {
        "id": None,
        "question": "设备到货了吗？",
        "answer": None,
        "answered_at": None,
        "own": True,
    }
    assert rival.get(f"{need}/questions")["items"] == officer.get(f"{need}/questions")["items"] == []
    (waiting,) = firm.get(f"{need}/questions")["items"]
    assert waiting["own"] is False
    address = f"{need}/questions/{waiting['id']}/answer"
    assert rival.refuse("PUT", address, 403, {"answer": "冒名。"})["code"] == "not_allowed"
    firm.put(address, {"answer": "已到货。"})
    shown = [caller.get(f"{need}/questions")["items"] for caller in (rival, officer)]
    assert shown[0] == shown[1] and shown[0][0]["answer"] == "已到货。"
    assert not {"organisation", "asked_at", "asked_by"} & set(json.dumps(shown).split('"'))
    assert firm.refuse("PUT", address, 409, {"answer": "改口。"})["code"] == "illegal_move"
    assert asker.refuse("POST", f"{need}/questions", 422, {"question": "长" * 501})["code"] == "too_long"
