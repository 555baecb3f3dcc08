"""The calculator: any offer, priced for anybody, and refused by name where it cannot be."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete

from blueprints.api.examples import OFFERS, PRICED
from blueprints.api.prices import MOST_WORK, OfferEntry
from market.errors import Invalid
from market.money import rate_text
from market.reference import lpr_table
from market.vocabulary import OrganisationKind
from models.base import transaction
from models.reference import LprRow
from services.exchange.offers import read_document
from tests.blueprints.api.conftest import WORKING_CAPITAL, Caller, Market

LOAN = OFFERS["guaranteed_loan"]
PLAIN = {
    "id": "A",
    "kind": "loan",
    "principal": "1000000.00",
    "months": 12,
    "rate": "0.0365",
    "repayment": "interest_monthly",
}
FEE = {"name": "f", "when": "upfront", "rate": "0.005"}


@pytest.fixture
def caller(one_market: Market) -> Caller:
    """Somebody without an account."""
    return one_market.nobody


def price(caller: Caller, *offers: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = caller.post("prices", {"offers": list(offers)}, 200)["offers"]
    return listed


def refuse(caller: Caller, *offers: Any, **options: Any) -> list[tuple[str, str]]:
    problem = caller.refuse("POST", "prices", 422, {"offers": list(offers)}, **options)
    return [(entry["field"], entry["code"]) for entry in problem["errors"]]


def test_every_example_of_the_description_is_priced(caller: Caller) -> None:
    for name, example in PRICED.items():
        answer = caller.post("prices", example["value"], 200)
        assert len(answer["offers"]) == len(example["value"]["offers"]), name
        assert all(offer["effective"] is not None for offer in answer["offers"]), name


def test_the_description_shows_the_examples(one_market: Market) -> None:
    document = one_market.client.get("/api/openapi.json").get_json()
    operation = document["paths"]["/api/v1/prices"]["post"]
    assert operation["security"] == []
    (content,) = operation["requestBody"]["content"].values()
    assert content["examples"] == json.loads(json.dumps(PRICED))


def test_the_description_knows_every_field_that_an_offer_may_have() -> None:
    # The reader notes an unknown field by its name; whatever it does not note, it reads.
    described = set(OfferEntry().fields)
    for offer in OFFERS.values():
        with pytest.raises(Invalid) as refusal:
            read_document({"offers": [{**dict.fromkeys(described), "none": 1, **offer}]}, lpr_table())
        unknown = {str(fault.field).rpartition(".")[2] for fault in refusal.value.faults}
        assert "none" in unknown and set(offer) <= described - unknown


def test_golden_values_are_answered(caller: Caller) -> None:
    golden = [
        {**PLAIN, "id": "bare"},
        {**PLAIN, "id": "half", "fees": [FEE]},
        {
            "id": "bill",
            "kind": "bill",
            "face": "1000000.00",
            "days": 90,
            "rate": "0.06",
            "fee_rate": "0.003",
            "basis": 365,
        },
        {"id": "bridge", "kind": "bridge", "principal": "9500000.00", "days": 5, "daily_rate": "0.0002"},
    ]
    found = {offer["id"]: offer for offer in price(caller, *golden)}
    rounded = {
        id: tuple(rate_text(Decimal(offer[name]), 6) for name in ("simple", "effective"))
        for id, offer in found.items()
    }
    assert rounded["bare"] == ("0.036500", "0.037117")
    assert rounded["half"] == ("0.041613", "0.042416")
    assert rounded["bill"] == ("0.063994", "0.065554")
    assert found["bill"]["net_received"] == "984465.75"
    assert found["bridge"]["total_cost"] == "9500.00"
    assert found["bridge"]["average_monthly_payment"] is None


def test_offers_come_out_ranked_and_whole(caller: Caller) -> None:
    first, second, last = price(
        caller,
        {**PLAIN, "id": "dear", "rate": "0.06"},
        {"id": "none", "kind": "flows", "period": "month", "flows": [["0", "10"], [1, "0"]]},
        PLAIN,
    )
    assert [(offer["id"], offer["rank"]) for offer in (first, second, last)] == [
        ("A", 1),
        ("dear", 2),
        ("none", None),
    ]
    assert set(first) == {
        *("id", "rank", "effective", "simple", "total_cost", "net_received", "average_monthly_payment"),
        *("cost_per_yuan", "convention", "breakdown", "parts", "schedule", "note", "check"),
        "provisional_years",
    }
    assert first["cost_per_yuan"] == "0.03650004"
    assert first["breakdown"] == [{"payee": "lender", "amount": "36500.04"}]
    assert first["schedule"][0] == {
        **{"when": 1, "principal": "0.00", "interest": "3041.67", "fees": "0.00", "subsidy": "0.00"},
        **{"deposit": "0.00", "balance": "1000000.00"},
    }
    assert (last["effective"], last["note"], last["schedule"]) == (None, "one_sided", [])


def test_parts_name_what_is_paid_to_whom_and_sum_to_the_total(caller: Caller) -> None:
    (offer,) = price(caller, {**LOAN, "deposit": "0.1", "deposit_holder": "guarantor"})
    parts = {part["part"]: part for part in offer["parts"]}
    assert parts["fee"]["payee"] == "guarantor"
    assert (parts["fee"]["rate"], parts["fee"]["share"], parts["fee"]["total"]) == (
        "0.0125",
        "0.8",
        "10000.00",
    )
    assert (parts["subsidy"]["total"], parts["subsidy"]["lag_months"]) == ("-5000.00", 3)
    assert (parts["deposit"]["held"], parts["deposit"]["total"]) == ("100000.00", "0.00")
    fen = [int(part["total"].replace(".", "")) for part in offer["parts"]]
    assert sum(fen) == int(offer["total_cost"].replace(".", ""))


@pytest.mark.parametrize(
    ("declared", "difference", "verdict"),
    [
        ("0.03711689", "0", "ok"),
        ("0.03721688", "0.00009999", "ok"),
        ("0.0372169", "0.00010001", "flag"),
        ("0.03701688", "-0.00010001", "flag"),
        ("0.03836688", "0.00124999", "flag"),
        ("0.0383669", "0.00125001", "refuse"),
        ("0", "-0.03711689", "refuse"),
    ],
)
def test_a_declared_rate_is_checked_against_ours(
    caller: Caller, declared: str, difference: str, verdict: str
) -> None:
    (offer,) = price(caller, {**PLAIN, "declared_rate": declared})
    assert offer["effective"] == "0.03711689"
    assert offer["check"] == {"declared_rate": declared, "difference": difference, "verdict": verdict}


def test_without_a_rate_there_is_nothing_to_check_against(caller: Caller) -> None:
    flows = {"id": "x", "kind": "flows", "flows": [["2026-01-05", "1"]]}
    (silent,) = price(caller, flows)
    assert silent["check"] is None
    (offer,) = price(caller, {**flows, "declared_rate": "0.04"})
    assert offer["check"] == {"declared_rate": "0.04", "difference": None, "verdict": None}


def test_a_floating_rate_takes_the_rate_on_record(one_market: Market, caller: Caller) -> None:
    floating = {name: value for name, value in PLAIN.items() if name != "rate"}
    floating |= {"lpr": {"tenor": "1y", "spread_bp": 65}, "start": "2026-01-05"}
    (offer,) = price(caller, floating)
    # 3.00 % since 2025-05-20.
    assert offer["effective"] == price(caller, PLAIN)[0]["effective"]
    with one_market.app.app_context(), transaction() as session:
        session.execute(delete(LprRow))
    assert refuse(caller, floating) == [("offers[0].start", "out_of_order")]


def test_rolled_payments_tell_the_years_whose_calendar_is_not_final(caller: Caller) -> None:
    rolled = {**PLAIN, "start": "2026-06-05", "rolling": "modified_following", "adjusted": False}
    (offer,) = price(caller, rolled)
    assert offer["provisional_years"] == [2027]
    assert offer["schedule"][0]["when"] == "2026-07-06"
    assert offer["convention"] == "30/360; days/365"
    dated = {**PLAIN, "start": "2026-06-05", "due": ["2026-12-31", "2027-06-04"]}
    (offer,) = price(caller, {**dated, "accrual": ["2026-12-30", "2027-06-05"]})
    assert (offer["provisional_years"], len(offer["schedule"])) == ([], 2)


def test_draws_steps_and_waiting_are_priced(caller: Caller) -> None:
    revolving = {**PLAIN, "repayment": "revolving", "draws": [[0, "500000.00"], [6, "-100000.00"]]}
    stepped = {**PLAIN, "id": "B", "rate_steps": [[6, "0.05"]]}
    waiting = {
        **{"id": "C", "kind": "lease", "principal": "1000.00", "months": 12, "rate": "0.05"},
        **{"prelease_months": 3, "prelease_rate": "0.04"},
    }
    found = {offer["id"]: offer for offer in price(caller, revolving, stepped, waiting)}
    assert found["A"]["net_received"] == "500000.00"
    assert found["B"]["total_cost"] == "43250.04"
    assert [line["when"] for line in found["C"]["schedule"]] == [*range(3, 16)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"principal": 1000000}, "principal", "wrong_shape"),
        ({"principal": "-0"}, "principal", "not_a_number"),
        ({"principal": "1e400"}, "principal", "not_a_number"),
        ({"principal": "NaN"}, "principal", "not_finite"),
        ({"principal": ""}, "principal", "not_a_number"),
        ({"principal": "0"}, "principal", "too_small"),
        ({"principal": None}, "principal", "required"),
        ({"rate": 0.0365}, "rate", "wrong_shape"),
        ({"rate": "0.0000000000001"}, "rate", "too_many_decimals"),
        ({"months": -12}, "months", "too_small"),
        ({"months": 0}, "months", "too_small"),
        ({"months": 601}, "months", "too_large"),
        ({"months": "12"}, "months", "wrong_shape"),
        ({"months": 12.0}, "months", "wrong_shape"),
        ({"kind": "bond"}, "kind", "not_a_choice"),
        ({"kind": ["loan"]}, "kind", "wrong_shape"),
        ({"id": ""}, "id", "required"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"face": "1.00"}, "face", "unknown_field"),
        ({"start": "2026-02-30"}, "start", "not_a_date"),
        ({"start": "9999-06-01"}, "start", "not_a_date"),
        ({"interval": 2}, "interval", "not_a_choice"),
        ({"interval": 3.0}, "interval", "wrong_shape"),
        ({"rate_steps": [[6]]}, "rate_steps[0]", "wrong_shape"),
        ({"rate_steps": [[6, 0.05]]}, "rate_steps[0][1]", "wrong_shape"),
        ({"rate_steps": [["6", "0.05"]]}, "rate_steps[0][0]", "wrong_shape"),
        ({"rate_steps": [[12, "0.05"]]}, "rate_steps[0][0]", "too_large"),
        ({"rate_steps": [[1, "0"]] * 601}, "rate_steps", "too_large"),
        ({"due": ["2026-13-01"]}, "due[0]", "not_a_date"),
        ({"due": ["2027-01-05"]}, "start", "required"),
        ({"day_count": "act/360"}, "start", "required"),
        ({"lpr": {"tenor": "3y"}}, "lpr.tenor", "not_a_choice"),
        ({"lpr": {"tenor": "1y"}, "start": "2026-01-05"}, "lpr", "one_of"),
        ({"fees": [{**FEE, "rate": "-0"}]}, "fees[0].rate", "not_a_number"),
        ({"fees": [{**FEE, "from_month": 12}]}, "fees[0].from_month", "too_large"),
        ({"fees": [FEE] * 21}, "fees", "too_large"),
        ({"fees": [{**FEE, "name": "利息"}]}, "fees[0].name", "interest_in_advance"),
        ({"fees": [{**FEE, "basis": "interest"}]}, "fees[0].name", "interest_in_advance"),
        ({"subsidies": [{**FEE, "passed_on": "0.5"}]}, "subsidies[0].recipient", "not_a_choice"),
        ({"subsidies": [{**FEE, "lag_months": 25}]}, "subsidies[0].lag_months", "too_large"),
        ({"declared_rate": "-0.01"}, "declared_rate", "too_small"),
    ],
)
def test_a_fault_is_named_with_its_path(
    caller: Caller, change: dict[str, Any], field: str, code: str
) -> None:
    assert refuse(caller, OFFERS["bill"], {**PLAIN, **change}) == [(f"offers[1].{field}", code)]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "offers", "required"),
        ({"offers": None}, "offers", "required"),
        ({"offers": []}, "offers", "required"),
        ({"offers": {}}, "offers", "wrong_shape"),
        ({"offers": [7]}, "offers[0]", "wrong_shape"),
        ({"offers": [PLAIN, PLAIN]}, "offers[1].id", "repeated"),
        ({"offers": [PLAIN], "zone": "x"}, "zone", "unknown_field"),
        ({"offers": [{**PLAIN, "id": str(n)} for n in range(101)]}, "offers", "too_large"),
    ],
)
def test_a_body_that_holds_no_offers_is_refused(
    caller: Caller, body: dict[str, Any], field: str, code: str
) -> None:
    problem = caller.refuse("POST", "prices", 422, body)
    assert [(entry["field"], entry["code"]) for entry in problem["errors"]] == [(field, code)]


def test_every_fault_is_named_at_once_but_no_more_than_help(caller: Caller) -> None:
    bad = [{"id": str(n), "kind": "loan"} for n in range(100)]
    assert len(refuse(caller, *bad)) == 50
    assert refuse(caller, {"id": "a", "kind": "bridge"}) == [
        ("offers[0].principal", "required"),
        ("offers[0].days", "required"),
        ("offers[0].daily_rate", "required"),
    ]


def test_what_would_keep_everybody_waiting_is_refused(caller: Caller) -> None:
    fees = [{**FEE, "when": "monthly"}] * 20
    long = [{**PLAIN, "id": str(n), "months": 600, "fees": fees} for n in range(8)]
    problem = caller.refuse("POST", "prices", 422, {"offers": long})
    (entry,) = problem["errors"]
    assert (entry["field"], entry["code"]) == ("offers", "too_large")
    assert entry["values"] == {"value": 124_800, "most": MOST_WORK}
    document = caller.get("/api/openapi.json")
    assert f"{MOST_WORK:,}" in document["paths"]["/api/v1/prices"]["post"]["description"]


def test_a_hundred_usual_offers_are_priced_together(caller: Caller) -> None:
    assert len(price(caller, *({**LOAN, "id": str(n), "months": 36} for n in range(100)))) == 100


def test_a_body_beyond_the_limit_is_not_read(caller: Caller) -> None:
    huge = json.dumps({"offers": [{**PLAIN, "id": "a" * 300_000}]}).encode()
    caller.refuse("POST", "prices", 413, data=huge, content_type="application/json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_know_is_refused_whole(caller: Caller, number: str) -> None:
    text = json.dumps({"offers": [PLAIN]}).replace('"0.0365"', number).encode()
    problem = caller.refuse("POST", "prices", 400, data=text, content_type="application/json")
    assert problem["code"] == "not_finite"


def test_refusals_speak_the_language_of_the_request(caller: Caller) -> None:
    body = {"offers": [{**PLAIN, "months": -1}]}
    english = caller.refuse("POST", "prices", 422, body)["errors"][0]
    chinese = caller.refuse("POST", "prices", 422, body, headers={"Accept-Language": "zh"})["errors"][0]
    assert "at least 1" in english["detail"]
    assert any("一" <= letter <= "鿿" for letter in chinese["detail"])
    assert (english["code"], english["field"], english["values"]) == (
        chinese["code"],
        chinese["field"],
        chinese["values"],
    )


def test_the_figures_are_those_of_the_command(one_market: Market, caller: Caller) -> None:
    offers = [PLAIN, OFFERS["lease"], OFFERS["flows"]]
    result = one_market.app.test_cli_runner().invoke(
        args=["price", "-"], input=json.dumps({"offers": offers})
    )
    spoken = {offer["id"]: offer for offer in json.loads(result.stdout)["offers"]}
    for offer in price(caller, *offers):
        said = spoken[offer["id"]]
        assert (offer["rank"], offer["convention"]) == (said["rank"], said["convention"])
        assert offer["effective"] == said["effective"].rstrip("0")
        assert {row["payee"]: row["amount"] for row in offer["breakdown"]} == said["breakdown"]
        lines = [{name: line[name] for name in line if name != "deposit"} for line in offer["schedule"]]
        assert lines == said["schedule"]


def test_a_bid_takes_and_shows_the_same_terms(market: Market) -> None:
    firm, bank = market.sign_up(), market.admit(OrganisationKind.BANK)
    fee = {"name": "担保费", "payee": "guarantor", "when": "yearly", "rate": "0.01", "part": "0.8"}
    support = {"name": "贴息", "when": "end", "basis": "interest", "rate": "0.5", "cap": "20000.00"}
    support |= {"budget": "1000000.00", "lag_months": 2, "recipient": "institution", "passed_on": "0.6"}
    product = bank.post("products", {**WORKING_CAPITAL, "fees": [fee], "subsidies": [support]})
    assert {name: product["fees"][0][name] for name in fee} == fee
    assert product["fees"][0]["from_month"] == 0
    assert {name: product["subsidies"][0][name] for name in support} == support
    need = {"purpose": "working_capital", "amount": "1000000.00", "months": 12, "description": "采购原材料"}
    draft = firm.post("needs", need)
    firm.post(f"needs/{draft['id']}/publish", {"closes_at": market.moment(hours=2)}, 200)
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
        "interval": 3,
        "rate_steps": [[6, "0.045"]],
        "deposit": "0.05",
        "fees": [fee],
        "subsidies": [support],
    }
    preview = bank.post(f"needs/{draft['id']}/bids/preview", quote, 200)
    assert preview["faults"] == []
    assert (preview["terms"]["interval"], preview["terms"]["rate_steps"]) == (3, [[6, "0.045"]])
    interest = preview["cost"]["parts"][0]
    assert (interest["times"], interest["steps"]) == (4, [[6, "0.045"]])
    placed = bank.post(f"needs/{draft['id']}/bids", quote)
    assert placed["content"]["offer"]["deposit"] == "0.05"
    assert placed["content"]["offer"]["subsidies"][0]["passed_on"] == "0.6"
    for change, field, code in (
        ({"interval": 5}, "interval", "not_a_choice"),
        ({"rate_steps": [[6, "0.045"], [3, "0.04"]]}, "rate_steps[1][0]", "out_of_order"),
        ({"rate_steps": [[12, "0.045"]]}, "rate_steps.0.0", "too_large"),
        ({"prelease_months": 2}, "prelease_months", "unknown_field"),
        ({"fees": [{**fee, "payee": "lender", "name": "利息"}]}, "fees.0.name", "interest_in_advance"),
        ({"fees": [{**fee, "part": "1.5"}]}, "fees[0].part", "too_large"),
    ):
        problem = bank.refuse("POST", f"needs/{draft['id']}/bids", 422, {**quote, **change})
        assert [(entry["field"], entry["code"]) for entry in problem["errors"]] == [(field, code)]
