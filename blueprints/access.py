"""Who may call what: every view declares a policy, and one hook before each request enforces it.

A page's visitor is known by the session cookie, an API caller by a bearer token and by nothing else:
the API never reads the cookie, so it needs no CSRF token, and a page never reads a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, has_request_context, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from blueprints import clock
from market.errors import Code, Fault, Forbidden, Unauthenticated
from market.party import Party
from market.vocabulary import Capability
from models.user import User
from models.zone import Zone
from services import users, zones

View = TypeVar("View", bound=Callable[..., Any])

API_PREFIX = "/api/"
ZONE_KEY, ORGANISATION_KEY = "zone_id", "organisation_id"


class Reach(Enum):
    """How far a view is open."""

    PUBLIC = auto()
    SIGNED_IN = auto()
    CAPABLE = auto()


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call a view; ``capabilities`` count for ``CAPABLE``, any one of them is enough."""

    reach: Reach
    capabilities: frozenset[Capability] = frozenset()


PUBLIC = Policy(Reach.PUBLIC)
SIGNED_IN = Policy(Reach.SIGNED_IN)


def public(view: View) -> View:
    """Open a view to everybody."""
    view.policy = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Open a view to everybody who is signed in, whatever they may do."""
    view.policy = SIGNED_IN  # type: ignore[attr-defined]
    return view


def allows(*capabilities: Capability) -> Callable[[View], View]:
    """Open a view to parties that hold at least one of the capabilities in the active zone."""
    if not capabilities:
        raise ValueError("name at least one capability, or use signed_in")

    def declare_view(view: View) -> View:
        view.policy = Policy(Reach.CAPABLE, frozenset(capabilities))  # type: ignore[attr-defined]
        return view

    return declare_view


def declare(app: Flask, endpoint: str, policy: Policy) -> None:
    """Declare the policy of an endpoint whose view is not ours to decorate, such as static files."""
    app.extensions.setdefault("policies", {})[endpoint] = policy


def find_policy(app: Flask, endpoint: str, method: str) -> Policy | None:
    """Return the policy of an endpoint and method, or None where nobody declared one."""
    declared: dict[str, Policy] = app.extensions.get("policies", {})
    if endpoint in declared:
        return declared[endpoint]
    view = app.view_functions[endpoint]
    kind = getattr(view, "view_class", None)
    if kind is not None:
        verb = getattr(kind, method.lower(), None) or (kind.get if method == "HEAD" else None)
        return getattr(verb, "policy", None)
    return getattr(view, "policy", None)


class Visitor(UserMixin):
    """The signed-in person as the session knows them."""

    def __init__(self, user: User) -> None:
        self.id = user.id
        self.username = user.username
        self.name = user.name
        self.locale = user.locale


login_manager = LoginManager()
csrf = CSRFProtect()


def init(app: Flask) -> None:
    """Set up the session cookie, sign-in, CSRF and the enforcement of policies."""
    app.config["SESSION_COOKIE_NAME"] = "cuohe"
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    # A form that lay open over lunch must still be accepted: the token lives as long as the session.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    # The check runs in ``enforce``, which knows that the API has no cookie to forge with.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.extensions.setdefault("policies", {})
    login_manager.init_app(app)
    csrf.init_app(app)
    app.before_request(enforce)


@login_manager.user_loader
def load_visitor(user_id: str) -> Visitor | None:
    """Return the visitor of a session, or None if the account is gone or switched off."""
    user = users.find(int(user_id))
    return Visitor(user) if user is not None and user.active else None


def is_api() -> bool:
    """Say whether the request speaks to the API: JSON answers, bearer tokens, no session."""
    return request.path.startswith(API_PREFIX)


def enforce() -> Response | None:
    """Refuse the request unless the policy of its view lets it in; None lets it pass.

    Raises ``Unauthenticated`` or ``Forbidden``; answers 500 to a view without a policy, because a
    forgotten declaration must never be an open door.
    """
    rule = request.url_rule
    if rule is None:
        return None  # 404 and 405 are said by the router.
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return None
    policy = find_policy(current_app, rule.endpoint, request.method)
    if policy is None:
        current_app.logger.error("no policy declared for %s %s", request.method, rule.endpoint)
        abort(500)
    if policy.reach is not Reach.PUBLIC and not _is_known():
        raise Unauthenticated(Fault(Code.NOT_SIGNED_IN))
    if not is_api() and current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    if policy.reach is Reach.CAPABLE:
        party = current_party()
        if party is None and not is_api() and places():
            # A person with several places first says where they act; then they are led back here.
            onward = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("web.choose_place", next=onward), 303)
        if party is None or not party.may(*policy.capabilities):
            wanted = sorted(capability.value for capability in policy.capabilities)
            raise Forbidden(Fault(Code.NOT_ALLOWED, None, {"capability": wanted}))
    return None


def _is_known() -> bool:
    return current_party() is not None if is_api() else bool(current_user.is_authenticated)


def current_party() -> Party | None:
    """Return who acts in this request, or None: by token in the API, by session on pages.

    Raises ``Unauthenticated`` for a token that is wrong, so that a typo is not taken for no token.
    """
    if not has_request_context():
        return None
    if "party" not in g:
        g.party = _party_of_token() if is_api() else _party_of_session()
    party: Party | None = g.party
    return party


def acting() -> Party:
    """Return who acts in this request, for views whose policy lets nobody in without a party."""
    party = current_party()
    if party is None:
        raise Unauthenticated(Fault(Code.NOT_SIGNED_IN))
    return party


def _party_of_token() -> Party | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(Fault(Code.BAD_TOKEN))
    real = clock.read()
    place = users.authenticate_token(token.strip(), now=real)
    # Read once and kept for the request: its zone, and with it the time there.
    g.zone, g.now = place.zone, clock.in_zone(real, place.zone)
    return place.party


def _party_of_session() -> Party | None:
    place = current_place()
    return place.party if place is not None else None


def places() -> list[users.Place]:
    """Return where the signed-in person may act: one entry per zone and organisation."""
    if not current_user.is_authenticated:
        return []
    if "places" not in g:
        g.places = users.parties(current_user.id)
    found: list[users.Place] = g.places
    return found


def current_place() -> users.Place | None:
    """Return the place the person chose, or the only one; None when there are several and none is chosen."""
    found = places()
    chosen = (session.get(ZONE_KEY), session.get(ORGANISATION_KEY))
    for place in found:
        if (place.party.zone_id, place.party.organisation_id) == chosen:
            return place
    return found[0] if len(found) == 1 else None


def current_zone() -> Zone | None:
    """Return the zone of the party, else the one the visitor looks at, else the default zone."""
    if "zone" not in g:
        party = current_party()
        zone_id = party.zone_id if party is not None else None if is_api() else session.get(ZONE_KEY)
        g.zone = (zones.find(zone_id) if zone_id is not None else None) or zones.default()
    zone: Zone | None = g.zone
    return zone


def now() -> datetime:
    """Return the time of this request in the zone it concerns; the same value throughout the request."""
    if "now" not in g:
        g.now = clock.read(current_zone())
    moment: datetime = g.now
    return moment


def preferred_language() -> str | None:
    """Return the language the signed-in person's account prefers, if they have one."""
    locale = getattr(current_user, "locale", None)
    return locale.value if locale is not None else None


def open_session(user: User) -> None:
    """Sign a person in on a fresh session, so that a planted session cookie gains nothing.

    The language is kept: it was chosen on the sign-in page.
    """
    language = session.get("language")
    session.clear()
    if language is not None:
        session["language"] = language
    login_user(Visitor(user))
    _forget_request()


def close_session() -> None:
    """Sign the person out and forget where they acted."""
    language = session.get("language")
    logout_user()
    session.clear()
    if language is not None:
        session["language"] = language
    _forget_request()


def choose_place(zone_id: int, organisation_id: int) -> bool:
    """Act for this organisation in this zone from now on; False if the person may not."""
    for place in places():
        if (place.party.zone_id, place.party.organisation_id) == (zone_id, organisation_id):
            session[ZONE_KEY], session[ORGANISATION_KEY] = zone_id, organisation_id
            _forget_request()
            return True
    return False


def _forget_request() -> None:
    for name in ("party", "places", "zone", "now"):
        g.pop(name, None)
