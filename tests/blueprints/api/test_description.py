"""The OpenAPI document: complete, consistent, and true of what the API answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from blueprints.api import fields
from tests.blueprints.api.conftest import Market

METHODS = {"get", "post", "put", "patch", "delete"}
#: Operations that take a file, which follows a standard or a table of its own.
FILES = {"importContracts", "importReceivables"}


@pytest.fixture
def document(one_market: Market) -> dict[str, Any]:
    """The document as a caller gets it."""
    answer = one_market.client.get("/api/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (path, method, operation)."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def references(value: Any) -> Iterator[str]:
    """Yield every ``$ref``."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {"title", "version", "description", "license"} <= set(document["info"])
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["security"] == [{"bearer": []}]


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    used = set(references(document))
    for reference in used:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]
    declared = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert declared <= used


def test_every_route_of_the_api_is_described(document: dict[str, Any], one_market: Market) -> None:
    described = {(path, method.upper()) for path, method, _ in operations(document)}
    served = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method)
        for rule in one_market.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert described == served and len(served) > 50


def test_every_operation_says_what_it_does_and_how_it_refuses(document: dict[str, Any]) -> None:
    names = []
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation["summary"].endswith((".", ";")), where
        assert len(operation["tags"]) == 1 and set(operation["tags"]) <= tags, where
        responses = set(operation["responses"])
        assert responses & {"200", "201", "204"}, where
        assert {"500", "default"} <= responses, where
        if operation.get("security") != []:
            assert "401" in responses, where
        if "x-capabilities" in operation:
            assert "403" in responses, where
        if "{" in path:
            assert "404" in responses, where
        if "requestBody" in operation:
            assert {"400", "404", "413", "415", "422"} <= responses, where
    assert len(names) == len(set(names))


def test_refusals_are_problem_documents(document: dict[str, Any]) -> None:
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_numbers_of_rows_are_capped_and_bodies_closed(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for parameter in [*operation.get("parameters", []), *document["paths"][path].get("parameters", [])]:
            if parameter["in"] == "path":
                assert parameter["schema"]["maximum"] == fields.MOST_ID, path
        body = operation.get("requestBody")
        if body is None:
            continue
        if operation["operationId"] in FILES:
            assert all(content["schema"]["format"] == "binary" for content in body["content"].values()), path
        else:
            (content,) = body["content"].values()
            schema = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
            assert schema["additionalProperties"] is False, path


def test_no_value_of_the_description_is_a_float(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema["properties"].items():
            assert "number" not in str(value.get("type")), f"{name}.{field}"


def test_answers_keep_to_the_description(document: dict[str, Any], market: Market) -> None:
    firm = market.sign_up()
    for path, query in (
        ("me", {}),
        ("zones", {}),
        ("clock", {}),
        ("organisation", {}),
        ("needs", {"limit": 1}),
    ):
        answer = firm.get(path, **query)
        content = document["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]
        schema = document["components"]["schemas"][
            content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        ]
        assert set(answer) == set(schema["properties"]) == set(schema["required"])


def test_the_documentation_page_is_our_own_and_loads_nothing_from_elsewhere(one_market: Market) -> None:
    page = one_market.client.get("/api/docs")
    html = page.get_data(as_text=True)
    assert page.status_code == 200 and page.mimetype == "text/html"
    assert "<script>" not in html and " onload=" not in html and "style=" not in html
    addresses = re.findall(r'(?:src|href|data-document)="([^"]+)"', html)
    assert addresses and all(
        address.startswith("/") and not address.startswith("//") for address in addresses
    )
    for address in addresses:
        if "/vendor/" not in address:
            assert one_market.client.get(address).status_code == 200, address
    assert "'unsafe-eval'" not in page.headers["Content-Security-Policy"]
