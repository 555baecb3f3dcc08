"""What the API refuses, with which status and code, and in whose language."""

from __future__ import annotations

from typing import Any

import pytest

from market.vocabulary import Capability, OrganisationKind
from services import organisations, users
from tests import factories
from tests.blueprints.api.conftest import NEED, PRODUCT, WORKING_CAPITAL, Caller, Market

HUGE = 10**30


@pytest.fixture
def firm(one_market: Market) -> Caller:
    """Somebody of a firm, on SQLite alone: nothing is stored here."""
    return one_market.sign_up()


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic dXNlcjpwYXNz", "Bearer cuo_x y", "cuo_"])
def test_a_wrong_token_is_refused_even_where_none_is_needed(one_market: Market, header: str) -> None:
    caller = one_market.nobody
    answer = caller.send("GET", "me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.get_json(force=True)["code"] == "bad_token"
    assert caller.send("GET", "products", headers={"Authorization": header}).status_code == 401


def test_without_a_token_nothing_private_is_answered(one_market: Market) -> None:
    assert one_market.nobody.refuse("GET", "me", 401)["code"] == "not_signed_in"
    assert one_market.nobody.refuse("POST", "needs", 401, NEED)["code"] == "not_signed_in"


def test_a_session_cookie_opens_no_door_of_the_api(one_market: Market, firm: Caller) -> None:
    with one_market.client.session_transaction() as session:
        session["_user_id"] = "1"
    one_market.nobody.refuse("GET", "me", 401)


def test_a_revoked_token_is_dead_at_once_and_only_its_owner_revokes_it(one_market: Market) -> None:
    made = one_market.sign_up()
    other = one_market.sign_up()
    (token,) = made.get("tokens")["items"]
    assert "token" not in token
    other.refuse("DELETE", f"tokens/{token['id']}", 404)
    made.call("DELETE", f"tokens/{token['id']}", 204)
    made.refuse("GET", "me", 401)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"username": "nobody", "password": "wrong password"}, 401, "bad_credentials", None),
        ({"username": "nobody"}, 422, "required", "password"),
        ({"username": None, "password": "x"}, 422, "required", "username"),
        ({"username": 7, "password": "x"}, 422, "wrong_shape", "username"),
        ({"username": "a" * 81, "password": "x"}, 422, "too_long", "username"),
        ({"username": "a\x00b", "password": "x"}, 422, "not_text", "username"),
    ],
)
def test_a_token_request_is_checked_field_by_field(
    one_market: Market, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    problem = one_market.nobody.refuse("POST", "tokens", status, body)
    assert (problem["errors"][0]["code"], problem["errors"][0]["field"]) == (code, field)


def test_who_may_act_in_several_places_says_where(one_market: Market) -> None:
    firm = one_market.sign_up()
    with one_market.app.app_context():
        now = one_market.now()
        zone = factories.make_zone(now=now, code="second")
        me = firm.get("organisation")
        organisations.join(me["id"], zone.id, now=now)
        (user_id,) = {place.party.user_id for place in users.parties(1)}
        assert user_id is not None
        users.grant(user_id, zone.id, me["id"], [Capability.ENTERPRISE_MAKER], now=now)
    wanted = {"username": firm.get("me")["username"], "password": factories.PASSWORD}
    problem = one_market.nobody.refuse("POST", "tokens", 422, wanted)
    assert problem["errors"][0]["field"] == "zone"
    assert "second" in problem["errors"][0]["values"]["choices"]
    made = one_market.nobody.post("tokens", {**wanted, "zone": "second"})
    assert made["acts_as"]["zone"]["code"] == "second"
    assert made["acts_as"]["capabilities"] == ["enterprise_maker"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amount": 1000000}, "wrong_shape", "amount"),
        ({"amount": 1000000.0}, "wrong_shape", "amount"),
        ({"amount": "1e6"}, "not_a_number", "amount"),
        ({"amount": "1,000,000"}, "not_a_number", "amount"),
        ({"amount": "NaN"}, "not_finite", "amount"),
        ({"amount": "-1"}, "too_small", "amount"),
        ({"amount": "0"}, "too_small", "amount"),
        ({"amount": "1.005"}, "too_many_decimals", "amount"),
        ({"amount": "9" * 30}, "too_large", "amount"),
        ({"amount": None}, "required", "amount"),
        ({"months": "12"}, "wrong_shape", "months"),
        ({"months": 12.0}, "wrong_shape", "months"),
        ({"months": True}, "wrong_shape", "months"),
        ({"months": 0}, "too_small", "months"),
        ({"months": HUGE}, "too_large", "months"),
        ({"purpose": "holiday"}, "not_a_choice", "purpose"),
        ({"securities": "unsecured"}, "wrong_shape", "securities"),
        ({"securities": ["gold"]}, "not_a_choice", "securities[0]"),
        ({"securities": []}, "required", "securities"),
        ({"reserve_rate": "4%"}, "not_a_number", "reserve_rate"),
        ({"reserve_rate": "4.5"}, "too_large", "reserve_rate"),
        ({"description": "长" * 501}, "too_long", "description"),
        ({"shows_name": "yes"}, "wrong_shape", "shows_name"),
        ({"contract_id": HUGE}, "too_large", "contract_id"),
        ({"colour": "red"}, "unknown_field", "colour"),
        ({"purpose": "contract"}, "required", "contract_id"),
    ],
)
def test_a_need_is_checked_field_by_field(
    firm: Caller, change: dict[str, Any], code: str, field: str
) -> None:
    problem = firm.refuse("POST", "needs", 422, {**NEED, **change})
    assert [(entry["code"], entry["field"]) for entry in problem["errors"]] == [(code, field)]
    assert firm.get("needs")["items"] == []


def test_every_fault_of_a_body_is_named_at_once(firm: Caller) -> None:
    problem = firm.refuse("POST", "needs", 422, {"amount": "x", "months": "y", "colour": "red"})
    assert {entry["field"] for entry in problem["errors"]} == {"amount", "months", "colour", "purpose"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", "not_json"),
        (b"{'a': 1}", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"username": "\\ud800"}', "not_json"),
        (b'{"amount": NaN}', "not_finite"),
        (b'{"amount": -Infinity}', "not_finite"),
        (b"[" * 100_000, "not_json"),
        (b'{"months": ' + b"9" * 5000 + b"}", "not_json"),
    ],
)
def test_what_is_not_json_is_refused_whole(one_market: Market, text: bytes, code: str) -> None:
    problem = one_market.nobody.refuse("POST", "tokens", 400, data=text, content_type="application/json")
    assert problem["code"] == code


@pytest.mark.parametrize("text", [b"[]", b'"text"', b"null", b"7"])
def test_a_body_is_an_object(one_market: Market, text: bytes) -> None:
    problem = one_market.nobody.refuse("POST", "tokens", 422, data=text, content_type="application/json")
    assert problem["code"] == "wrong_shape"


def test_another_format_or_a_huge_body_is_refused(one_market: Market) -> None:
    caller = one_market.nobody
    caller.refuse("POST", "tokens", 415, data="username=x", content_type="application/x-www-form-urlencoded")
    huge = b'{"username": "' + b"a" * 300_000 + b'"}'
    caller.refuse("POST", "tokens", 413, data=huge, content_type="application/json")


def test_a_method_that_is_not_taken_says_which_are(one_market: Market) -> None:
    answer = one_market.nobody.send("DELETE", "zones")
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "OPTIONS"}
    assert one_market.nobody.send("PUT", "needs", {}).headers["Allow"]


def test_the_pages_keep_their_own_errors(one_market: Market) -> None:
    page = one_market.client.get("/no-such-page")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    one_market.nobody.refuse("GET", "no-such-thing", 404)
    one_market.nobody.refuse("GET", "/api/nothing", 404)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "after=0", "after=-1", "after=9e9", "page=2"]
)
def test_a_page_is_asked_for_within_bounds(firm: Caller, query: str) -> None:
    firm.refuse("GET", "needs", 422, query_string=query)


@pytest.mark.parametrize("id", ["0", "99999999", "9223372036854775807", "9223372036854775808", "x", "-1"])
def test_a_row_that_does_not_exist_is_not_found(market: Market, id: str) -> None:
    firm = market.sign_up()
    for path in ("needs/{}", "loans/{}", "contracts/{}", "needs/{}/offers", "needs/{}/award", "products/{}"):
        firm.refuse("GET", path.format(id), 404)
    firm.refuse("POST", f"awards/{id}/confirm", 404)
    firm.refuse("POST", f"needs/{id}/withdraw", 404)


def test_sentences_follow_the_language_of_the_caller(one_market: Market) -> None:
    caller = one_market.nobody
    body = {"username": "a", "password": "wrong password"}
    english = caller.send("POST", "tokens", body)
    chinese = caller.send("POST", "tokens", body, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert english.headers["Content-Language"] == "en"
    assert english.get_json(force=True)["detail"].startswith("User name")
    said = chinese.get_json(force=True)
    assert chinese.headers["Content-Language"] == "zh-CN"
    assert said["code"] == "bad_credentials" and any("一" <= c <= "鿿" for c in said["detail"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "products"),
        ("GET", "bids"),
        ("POST", "clock/fast-forward"),
        ("POST", "rounds/run"),
        ("GET", "members"),
        ("GET", "board/funnel"),
        ("PUT", "limits"),
    ],
)
def test_a_firm_may_do_what_firms_may(firm: Caller, method: str, path: str) -> None:
    problem = firm.refuse(method, path, 403, {})
    assert problem["code"] == "not_allowed"
    assert problem["errors"][0]["values"]["capability"]


def test_another_firms_things_do_not_exist(market: Market) -> None:
    owner, stranger = market.sign_up(), market.sign_up()
    bank, rival = market.admit(OrganisationKind.BANK), market.admit(OrganisationKind.BANK)
    draft = owner.post("needs", NEED)
    product = bank.post("products", WORKING_CAPITAL)
    stranger.refuse("GET", f"needs/{draft['id']}", 404)
    stranger.refuse("PUT", f"needs/{draft['id']}", 404, NEED)
    bank.refuse("GET", f"needs/{draft['id']}", 404)
    closes = {"closes_at": market.moment(hours=2)}
    owner.post(f"needs/{draft['id']}/publish", closes, 200)
    assert owner.refuse("POST", f"needs/{draft['id']}/publish", 409, closes)["code"] == "illegal_move"
    stranger.refuse("GET", f"needs/{draft['id']}", 404)
    stranger.refuse("GET", f"needs/{draft['id']}/offers", 404)
    bank.refuse("GET", f"needs/{draft['id']}/offers", 403)
    rival.refuse("PATCH", f"products/{product['id']}", 404, {"listed": False})
    quote = {
        "product_id": product["id"],
        "principal": "1000000.00",
        "months": 12,
        "rate": "0.04",
        "valid_until": market.moment(days=60),
    }
    rival.refuse("POST", f"needs/{draft['id']}/bids", 404, quote)
    refused = bank.refuse("POST", f"needs/{draft['id']}/bids", 422, {**quote, "principal": "60000000.00"})
    bounds = next(entry for entry in refused["errors"] if entry["field"] == "principal")["values"]
    assert (bounds["value"], bounds["most"]) == ("60000000.00", "50000000.00")
    late = {**quote, "valid_until": market.moment(hours=3)}
    assert bank.refuse("POST", f"needs/{draft['id']}/bids", 422, late)["errors"][0]["field"] == "valid_until"


@pytest.mark.parametrize(
    "closes", ["2026-11-20", "2026-11-20T10:00:00", "tomorrow", "2026-13-01T00:00:00Z", 7]
)
def test_a_deadline_is_a_moment_with_its_offset(one_market: Market, firm: Caller, closes: Any) -> None:
    draft = firm.post("needs", NEED)
    problem = firm.refuse("POST", f"needs/{draft['id']}/publish", 422, {"closes_at": closes})
    assert problem["errors"][0]["field"] == "closes_at"
    assert problem["code"] == ("wrong_shape" if closes == 7 else "not_a_moment")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fees": [{"when": "upfront"}]}, "fees[0].rate"),
        ({"fees": [{"when": "upfront", "rate": 0.01}]}, "fees[0].rate"),
        ({"fees": [{"when": "upfront", "rate": "0.01", "amount": "5"}]}, "fees[0].amount"),
        ({"fees": [{"when": "upfront", "amount": "5", "colour": "red"}]}, "fees[0].colour"),
        ({"fees": {"when": "upfront"}}, "fees"),
        ({"fees": ["upfront"]}, "fees[0]"),
        ({"conditions": [{"fact": "amount", "test": "at_most", "value": 5}]}, "conditions[0].value"),
        ({"conditions": [{"fact": "tags", "test": "has", "value": ["x"]}]}, "conditions.0.value"),
        ({"conditions": [{"fact": "tags", "test": "has_any", "value": [{}]}]}, "conditions[0].value"),
        ({"conditions": [{"fact": "colour", "test": "is", "value": "red"}]}, "conditions.0.fact"),
        ({"amount_max": "1.00"}, "amount_max"),
        ({"contract_ratio": None}, "contract_ratio"),
    ],
)
def test_a_product_is_checked_down_to_its_fees_and_conditions(
    one_market: Market, change: dict[str, Any], field: str
) -> None:
    bank = one_market.admit(OrganisationKind.BANK)
    problem = bank.refuse("POST", "products", 422, {**PRODUCT, **change})
    assert field in {entry["field"] for entry in problem["errors"]}


def test_a_firm_signs_up_whole_or_not_at_all(one_market: Market) -> None:
    body = {"credit_code": "123", "name_zh": "x", "username": "new-firm", "password": "short"}
    problem = one_market.nobody.refuse("POST", "organisations", 422, body)
    assert {entry["field"] for entry in problem["errors"]} == {"credit_code", "password"}
    one_market.nobody.refuse("POST", "tokens", 401, {"username": "new-firm", "password": "short"})
    one_market.nobody.refuse("POST", "organisations", 404, {**body, "zone": "nowhere"})
