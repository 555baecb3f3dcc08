"""Tokens: got with a password, listed and revoked by their owner; and who a token acts as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access, clock
from blueprints.access import public, signed_in
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief, ZoneAnswer
from market.errors import Code, forbidden, invalid
from market.vocabulary import Capability
from services import users
from services.users import Place

tokens = Blueprint("tokens", __name__, "API tokens, and who they act as.")


class TokenRequest(Body):
    """Who asks for a token, and for whom it shall act."""

    username = fields.Text(most=80, required=True, metadata={"example": "bank"})
    password = fields.Text(most=200, required=True, load_only=True)
    name = fields.Text("What the token is for, to know it again.", most=80, load_default="API")
    zone = fields.Text("Code of the zone to act in; needed by who may act in several.", most=32)
    organisation = fields.Text("Credit code to act for; needed by who may act for several.", most=18)


class TokenAnswer(Answer):
    """A token, without the token itself."""

    id = fields.Count()
    name = fields.Said()
    prefix = fields.Said("How the token starts.")
    created_at = fields.Moment()
    last_used_at = fields.Moment(allow_none=True)
    revoked_at = fields.Moment(allow_none=True)


class PlaceAnswer(Answer):
    """For whom, where, and what."""

    organisation = fields.Part(OrganisationBrief)
    zone = fields.Part(ZoneAnswer)
    capabilities = fields.Many(fields.Word(Capability), "What may be done there.")


class NewTokenAnswer(TokenAnswer):
    """A new token: the only answer that ever holds it."""

    token = fields.Said("Send it as `Authorization: Bearer …`.", metadata={"example": "cuo_…"})
    acts_as = fields.Part(PlaceAnswer)


class MeAnswer(PlaceAnswer):
    """Who the token acts as."""

    username = fields.Said()
    name = fields.Said()


@tokens.route("/tokens")
class Tokens(MethodView):
    """The caller's tokens."""

    @tokens.doc(operationId="createToken")
    @tokens.arguments(TokenRequest)
    @tokens.response(201, NewTokenAnswer)
    @tokens.alt_response(401, "UNAUTHORIZED")
    @tokens.alt_response(403, "FORBIDDEN")
    @public
    def post(self, data: dict[str, Any]) -> Any:
        """Get a token with user name and password.

        The token is shown this once. It acts for one organisation in one zone, with the capabilities its
        owner holds there at the moment of each request.
        """
        now = clock.read()
        user = users.authenticate(
            data["username"], data["password"], passwords=current_app.extensions["passwords"], now=now
        )
        place = choose_place(users.parties(user.id), data.get("zone"), data.get("organisation"))
        row, token = users.issue_token(data["name"], by=place.party, now=now)
        return {**_show(row), "token": token, "acts_as": show_place(place)}

    @tokens.doc(operationId="listTokens")
    @tokens.arguments(Page, location="query")
    @tokens.response(200, page_of(TokenAnswer, "TokenPage"))
    @signed_in
    def get(self, page: dict[str, Any]) -> Any:
        """List one's tokens, revoked ones too."""
        return cut(users.list_tokens(access.acting().user_id or 0), page)


@tokens.route(f"/tokens/<{fields.ID}:token_id>")
class Token(MethodView):
    """One token."""

    @tokens.doc(operationId="revokeToken")
    @tokens.response(204)
    @signed_in
    def delete(self, token_id: int) -> None:
        """Revoke one of one's tokens, at once and for good."""
        users.revoke_token(token_id, by=access.acting(), now=clock.read())


@tokens.route("/me")
class Me(MethodView):
    """The caller."""

    @tokens.doc(operationId="getMe")
    @tokens.response(200, MeAnswer)
    @signed_in
    def get(self) -> Any:
        """Say who the token acts as, where, and with which capabilities."""
        by = access.acting()
        user = users.find(by.user_id or 0)
        assert user is not None, "a token that was let in has an owner"
        place = next(place for place in users.parties(user.id) if place.party == by)
        return {**show_place(place), "username": user.username, "name": user.name}


def choose_place(places: Sequence[Place], zone: str | None, organisation: str | None) -> Place:
    """Return the one place that the two codes leave; raises ``Invalid`` naming the choices otherwise."""
    if not places:
        raise forbidden(Code.NOT_ALLOWED, capability=[])
    found = list(places)
    for field, wanted, read in (
        ("zone", zone, lambda place: place.zone.code),
        ("organisation", organisation, lambda place: place.organisation.credit_code),
    ):
        choices = sorted({read(place) for place in found})
        if wanted is not None:
            found = [place for place in found if read(place) == wanted]
            if not found:
                raise invalid(Code.NOT_A_CHOICE, field, value=wanted, choices=choices)
        elif len(choices) > 1:
            raise invalid(Code.REQUIRED, field, choices=choices)
    return found[0]


def show_place(place: Place) -> dict[str, Any]:
    """Return a place in the shape of ``PlaceAnswer``."""
    return {
        "organisation": place.organisation,
        "zone": place.zone,
        "capabilities": sorted(place.party.capabilities),
    }


def _show(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TokenAnswer().fields}
