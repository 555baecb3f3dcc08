"""Refusals as problem+json (RFC 9457), for the API.

    {"type": "urn:cuohe:fault:too_late", "title": "Conflict", "status": 409, "detail": "…",
     "code": "too_late", "errors": [{"field": null, "code": "too_late", "detail": "…", "values": {…}}]}

``code`` and ``values`` are for programs and never change with the language; ``detail`` is for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from blueprints import messages, particulars
from market.errors import Fault, MarketError

MEDIA_TYPE = "application/problem+json"


def respond(
    status: int,
    detail: str,
    code: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document as a response with that status."""
    body = {
        "type": f"urn:cuohe:fault:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors),
    }
    return Response(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def list_faults(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Return faults as the ``errors`` of a problem document: for programs, and in a sentence."""
    return [
        {
            "field": fault.field,
            "code": fault.code.value,
            "detail": messages.sentence(fault),
            "values": particulars.for_programs(fault),
        }
        for fault in faults
    ]


def from_refusal(error: MarketError) -> Response:
    """Return the problem document of a refusal, one entry in ``errors`` per fault."""
    errors = list_faults(error.faults)
    detail = " ".join(str(entry["detail"]) for entry in errors[:3])
    code = error.faults[0].code.value if error.faults else "refused"
    headers = (
        {"WWW-Authenticate": 'Bearer realm="cuohe"'} if error.status == HTTPStatus.UNAUTHORIZED else None
    )
    return respond(error.status, detail, code, errors, headers)


def from_http(error: HTTPException) -> Response:
    """Return the problem document of an HTTP error, keeping its headers such as ``Allow``."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    kept = {
        key: value
        for key, value in error.get_headers()
        if key.lower() in {"allow", "retry-after", "content-range"}
    }
    return respond(status, messages.status_sentence(status), f"http_{status}", headers=kept)
