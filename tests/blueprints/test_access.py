from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from blueprints import access
from market.vocabulary import Capability
from tests import factories
from tests.blueprints.conftest import Person, SignIn

NEW_SITE = Callable[..., Flask]
NEW_PERSON = Callable[..., Person]


@pytest.fixture
def site(new_site: NEW_SITE) -> Flask:
    """An application of the test's own, which may add routes."""
    return new_site()


def undeclared(app: Flask) -> list[str]:
    """Return every method and endpoint of an application that declares no policy."""
    return [
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
        if method != "OPTIONS" and access.find_policy(app, rule.endpoint, method) is None
    ]


def add(
    app: Flask, path: str, policy: Callable | None = None, methods: tuple[str, ...] = ("GET", "POST")
) -> None:
    def view() -> str:
        party = access.current_party()
        return f"{party.organisation_id} {party.zone_id}" if party else "nobody"

    view.__name__ = "view" + path.replace("/", "_").replace("-", "_")
    app.add_url_rule(path, view_func=policy(view) if policy else view, methods=list(methods))


class Shop(MethodView):
    @access.public
    def get(self) -> str:
        return "shop"

    @access.allows(Capability.OFFICER)
    def post(self) -> str:
        return "sold"

    def delete(self) -> str:
        return "gone"


def test_every_route_declares_who_may_call_it(site: Flask) -> None:
    assert undeclared(site) == []


def test_the_walk_over_routes_finds_a_forgotten_one(site: Flask) -> None:
    add(site, "/forgotten")
    site.add_url_rule("/shop", view_func=Shop.as_view("shop"))
    assert undeclared(site) == [
        "GET view_forgotten",
        "HEAD view_forgotten",
        "POST view_forgotten",
        "DELETE shop",
    ]


def test_a_route_without_a_policy_is_closed(site: Flask) -> None:
    add(site, "/forgotten")
    add(site, "/api/forgotten")
    assert site.test_client().get("/forgotten").status_code == 500
    assert site.test_client().get("/api/forgotten").status_code == 500


def test_a_method_view_has_a_policy_for_each_method(site: Flask, person: NEW_PERSON) -> None:
    site.add_url_rule("/api/shop", view_func=Shop.as_view("shop"))
    officer = {"Authorization": f"Bearer {person(site, Capability.OFFICER).token}"}
    firm = {"Authorization": f"Bearer {person(site, Capability.ENTERPRISE_MAKER).token}"}
    client = site.test_client()
    assert client.get("/api/shop").text == "shop"
    assert client.head("/api/shop").status_code == 200
    assert client.options("/api/shop").status_code == 200
    assert client.post("/api/shop").status_code == 401
    assert client.post("/api/shop", headers=firm).status_code == 403
    assert client.post("/api/shop", headers=officer).text == "sold"
    assert client.delete("/api/shop", headers=officer).status_code == 500


def test_decorators_of_other_libraries_keep_the_policy(site: Flask) -> None:
    from flask_smorest import Blueprint as ApiBlueprint

    blueprint = ApiBlueprint("things", "things", url_prefix="/api/things")

    @blueprint.route("/")
    class Things(MethodView):
        @blueprint.response(200)
        @access.public
        def get(self) -> dict[str, str]:
            return {"said": "hello"}

    @blueprint.route("/one")
    @blueprint.response(200)
    @access.public
    def one() -> dict[str, str]:
        return {"said": "one"}

    Flask.register_blueprint(site, blueprint)
    assert undeclared(site) == []
    assert site.test_client().get("/api/things/").status_code == 200
    assert site.test_client().get("/api/things/one").status_code == 200


def test_a_page_asks_a_stranger_to_sign_in_and_leads_back(site: Flask) -> None:
    add(site, "/mine", access.signed_in)
    answer = site.test_client().get("/mine?tab=2")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/mine?tab%3D2"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(site: Flask) -> None:
    add(site, "/mine", access.signed_in)
    answer = site.test_client().get("/mine", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_a_page_for_a_capability_refuses_others_with_the_permission_it_takes(
    site: Flask, person: NEW_PERSON, sign_in: SignIn
) -> None:
    add(site, "/a-board", access.allows(Capability.OFFICER, Capability.AUDITOR))
    firm = sign_in(site, person(site, Capability.ENTERPRISE_MAKER))
    answer = firm.get("/a-board")
    assert answer.status_code == 403
    assert "Auditor, Zone officer" in answer.text
    officer = person(site, Capability.OFFICER)
    assert sign_in(site, officer).get("/a-board").text == f"{officer.organisation_id} {officer.zone_id}"


def test_the_api_answers_with_problem_json(site: Flask, person: NEW_PERSON) -> None:
    add(site, "/api/board", access.allows(Capability.OFFICER))
    client = site.test_client()
    stranger = client.get("/api/board", headers={"Accept-Language": "en"})
    assert stranger.status_code == 401
    assert stranger.content_type == "application/problem+json"
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
    assert stranger.json == {
        "type": "urn:cuohe:fault:not_signed_in",
        "title": "Unauthorized",
        "status": 401,
        "code": "not_signed_in",
        "detail": "Please sign in first.",
        "errors": [{"field": None, "code": "not_signed_in", "detail": "Please sign in first.", "values": {}}],
    }
    token = person(site, Capability.ENTERPRISE_MAKER).token
    refused = client.get("/api/board", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["errors"][0]["values"] == {"capability": ["officer"]}


@pytest.mark.parametrize(
    "header", ["Bearer cuo_wrong", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "cuo_wrong"]
)
def test_a_wrong_token_is_said_to_be_wrong(site: Flask, header: str) -> None:
    add(site, "/api/mine", access.signed_in)
    answer = site.test_client().get("/api/mine", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["code"] == "bad_token"


def test_the_api_never_reads_the_cookie(site: Flask, person: NEW_PERSON, sign_in: SignIn) -> None:
    add(site, "/api/mine", access.signed_in)
    assert sign_in(site, person(site, Capability.OFFICER)).get("/api/mine").status_code == 401


def test_a_page_never_reads_a_token(site: Flask, person: NEW_PERSON) -> None:
    add(site, "/mine", access.signed_in)
    token = person(site, Capability.OFFICER).token
    assert site.test_client().get("/mine", headers={"Authorization": f"Bearer {token}"}).status_code == 303


def test_the_api_needs_no_csrf_token_and_a_form_does(site: Flask, person: NEW_PERSON) -> None:
    add(site, "/api/mine", access.signed_in)
    add(site, "/open", access.public)
    client = site.test_client()
    token = person(site, Capability.OFFICER).token
    assert client.post("/api/mine", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    answer = client.post("/open", headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "This form is out of date." in answer.text
    page = client.get("/sign-in").text
    match = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert match is not None
    assert client.post("/open", data={"csrf_token": match[1]}).status_code == 200


def test_a_person_with_several_places_acts_in_the_one_they_chose(
    site: Flask, person: NEW_PERSON, sign_in: SignIn, now
) -> None:
    add(site, "/a-board", access.allows(Capability.OFFICER))
    somebody = person(site, Capability.OFFICER)
    with site.app_context():
        zone = factories.make_zone(now=now)
        user = access.users.find(somebody.user_id)
        other = factories.make_party(capabilities=[Capability.OFFICER], now=now, user=user, zone_id=zone.id)
    client = sign_in(site, somebody)
    assert client.get("/start").location == "/place"
    # Whoever has not said yet where they act is led to the choice, and back from there.
    assert client.get("/a-board?sort=cost").location == "/place?next=/a-board?sort%3Dcost"
    place = {"zone_id": other.zone_id, "organisation_id": other.organisation_id}
    assert client.post("/place", data=place).status_code == 303
    assert client.get("/a-board").text == f"{other.organisation_id} {other.zone_id}"
    foreign = {"zone_id": somebody.zone_id, "organisation_id": other.organisation_id}
    assert client.post("/place", data=foreign).status_code == 200
    assert client.get("/a-board").text == f"{other.organisation_id} {other.zone_id}"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    new_site: NEW_SITE, person: NEW_PERSON
) -> None:
    site = new_site(SESSION_COOKIE_SECURE=True)
    answer = site.test_client().get("/sign-in", base_url="https://cuohe.test")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("cuohe=")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_signing_in_starts_a_fresh_session(site: Flask, person: NEW_PERSON, sign_in: SignIn) -> None:
    somebody = person(site, Capability.OFFICER)
    site.config["WTF_CSRF_ENABLED"] = False
    client = site.test_client()
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["language"] = "en"
    client.post("/sign-in", data={"username": somebody.username, "password": factories.PASSWORD})
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["language"] == "en"
        assert session["_user_id"] == str(somebody.user_id)


def test_a_session_ends_with_the_account(site: Flask, person: NEW_PERSON, sign_in: SignIn) -> None:
    add(site, "/mine", access.signed_in)
    somebody = person(site, Capability.OFFICER)
    client = sign_in(site, somebody)
    assert client.get("/mine").status_code == 200
    with site.app_context():
        from models.base import transaction
        from models.user import User

        with transaction() as session:
            user = session.get(User, somebody.user_id)
            assert user is not None
            user.active = False
    assert client.get("/mine").status_code == 303


def test_naming_no_capability_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        access.allows()


def test_unknown_addresses_and_methods_are_said_by_the_router(site: Flask) -> None:
    site.register_blueprint(Blueprint("empty", __name__))
    client = site.test_client()
    assert client.get("/nowhere").status_code == 404
    wrong = client.delete("/sign-in")
    assert (wrong.status_code, set(wrong.headers["Allow"].split(", "))) == (
        405,
        {"GET", "HEAD", "OPTIONS", "POST"},
    )
    api = client.get("/api/nowhere")
    assert (api.status_code, api.content_type) == (404, "application/problem+json")
