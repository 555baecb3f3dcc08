"""The description of the API: flask-smorest's OpenAPI document, with what each policy and refusal means.

Responses that every route shares (401, 403, 404 …) are derived from its policy and its path, so that no
route can forget to declare them.
"""

from __future__ import annotations

import http
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest.utils import prepare_response

from blueprints.access import Policy, Reach
from blueprints.api import fields
from blueprints.api.parsing import Answer, Parser
from blueprints.problem import MEDIA_TYPE

VERSION = "1.0"
PREFIX = "/api/v1"
INTRODUCTION = """\
Cuohe matches the financing needs of firms with the sealed bids of institutions and follows the loans that
come of it. Get a token with `POST /api/v1/tokens` and send it as `Authorization: Bearer …`; it acts for one
organisation in one zone.

* Amounts are strings in yuan with two decimals (`"1000000.00"`), rates are strings per year (`"0.0385"` is
  3.85 %): JSON numbers are refused, because a program that holds money in a float has rounded it already.
* Days are ISO dates in Shanghai; moments are ISO times, answered in UTC, accepted with any offset.
* Refusals are `application/problem+json` (RFC 9457): `code` and `values` are for programs and never change,
  `detail` is a sentence in the language of `Accept-Language` (`zh` or `en`). Unknown fields are refused.
* Lists are newest first, in pages: pass `next` as `after`.
"""


class Problem(Answer):
    """A refusal, RFC 9457."""

    class Refusal(Answer):
        """One reason for a refusal."""

        field = fields.Said("The path of the field, such as `fees.0.rate`.", allow_none=True)
        code = fields.Said("The rule that refused.")
        detail = fields.Said("The reason in the caller's language.")
        values = fields.Facts("The figures and words of the reason.")

    type = fields.Said(metadata={"example": "urn:cuohe:fault:too_late"})
    title = fields.Said(metadata={"example": "Conflict"})
    status = fields.Count(metadata={"example": 409})
    detail = fields.Said("What went wrong, for a person.")
    code = fields.Said("What went wrong, for a program.", metadata={"example": "too_late"})
    errors = fields.Many(fields.Part(Refusal))


class Api(flask_smorest.Api):
    """The API as one OpenAPI document."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Register none: flask-smorest's own would turn every HTML error page of the application into JSON.

        ``web.errors`` answers the API, too, and keeps headers such as Allow.
        """

    def _register_pagination_header(self) -> None:
        """Declare none: where a page continues stands in its body."""

    def register_blueprint(self, blp: Any, *, parameters: Any = None, **options: Any) -> None:
        """Put a subject into the application and the description, under the subject's own name."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=parameters)
        self.spec.tag({"name": blp.subject, "description": blp.description})

    def _register_responses(self) -> None:
        for status in http.HTTPStatus:
            if status < 400:
                continue
            response: dict[str, Any] = {"description": status.phrase, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, MEDIA_TYPE)
            self.spec.components.response(status.name, response, lazy=True)
        response = {"description": "Any other refusal", "schema": self.ERROR_SCHEMA}
        prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)


class Blueprint(flask_smorest.Blueprint):
    """A subject of the API: its routes, read strictly, documented with their policies."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(f"api_{name}", import_name, url_prefix=PREFIX, description=description)
        self.subject = name
        self._prepare_doc_cbks.append(self._describe_policy)

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Add a route and remember whether its path names a row."""
        known = set(self._docs)
        super().add_url_rule(rule, *args, tags=[self.subject], **options)
        for endpoint in set(self._docs) - known:
            for method, operation in self._docs[endpoint].items():
                if method != "parameters":
                    operation["names_row"] = "<" in rule

    def route(self, rule: str, **options: Any) -> Any:
        """Decorate a view class with its path."""

        def decorate(view: Any) -> Any:
            self.add_url_rule(rule, None, view, **options)
            return view

        return decorate

    def _store_endpoint_docs(self, endpoint: str, obj: Any, *args: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, obj, *args, **options)
        for method, operation in self._docs[endpoint].items():
            if method != "parameters":
                operation["policy"] = getattr(getattr(obj, method, None), "policy", None)

    def _describe_policy(
        self, doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_: Any
    ) -> dict[str, Any]:
        policy: Policy | None = doc_info.get("policy")
        # A route without a policy answers 500 to everybody, and a test fails on it.
        reach = policy.reach if policy is not None else Reach.CAPABLE
        refusals = {http.HTTPStatus.INTERNAL_SERVER_ERROR}
        if reach is Reach.PUBLIC:
            doc["security"] = []
        else:
            refusals.add(http.HTTPStatus.UNAUTHORIZED)
        if reach is Reach.CAPABLE and policy is not None:
            refusals.add(http.HTTPStatus.FORBIDDEN)
            doc["x-capabilities"] = sorted(capability.value for capability in policy.capabilities)
        # A path names a row, and a body may name others.
        has_body = "requestBody" in {**doc, **doc_info.get("manual_doc", {})}
        if doc_info.get("names_row") or has_body:
            refusals.add(http.HTTPStatus.NOT_FOUND)
        if has_body:
            refusals |= {
                http.HTTPStatus.BAD_REQUEST,
                http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                # A body that is a file names no schema that would say so.
                http.HTTPStatus.UNPROCESSABLE_ENTITY,
            }
        if method != "get":
            refusals.add(http.HTTPStatus.CONFLICT)
        responses = doc.setdefault("responses", {})
        for status in sorted(refusals):
            responses.setdefault(int(status), status.name)
        return doc


def name_schema(schema: Any) -> str:
    """Return the name of a schema in the description: what answers hold needs no ending."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Answer")


def make_api(app: Flask) -> Api:
    """Return the API of an application, ready for its blueprints."""
    settings: dict[str, Any] = {
        "API_TITLE": "Cuohe",
        "API_VERSION": VERSION,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "OPENAPI_JSON_PATH": "openapi.json",
    }
    app.config.update(settings)
    api = Api(
        app,
        spec_kwargs={
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=name_schema),
            "info": {"description": INTRODUCTION, "license": {"name": "Apache-2.0"}},
            "security": [{"bearer": []}],
        },
    )
    for field in fields.ALL:
        api.register_field(field, field.json_type, None)
    api.spec.components.security_scheme(
        "bearer",
        {"type": "http", "scheme": "bearer", "description": "A token from `POST /api/v1/tokens`."},
    )
    return api
