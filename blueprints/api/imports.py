"""Imports: procurement contracts taken over from open data (OCDS), sent as the body of a request."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView

from blueprints import access, problem
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import contract_routes
from blueprints.api.description import Problem
from blueprints.api.parsing import Answer, Body
from market.errors import Code, invalid
from market.vocabulary import Capability
from services import contract_import
from services.exchange.rejection import RejectedRow

#: The largest file a request may carry, in bytes; larger ones are for the command.
MOST_FILE = 16 * 1024 * 1024
#: How many refused rows an answer lists; all of them are counted.
MOST_LISTED = 100

KINDS = ("application/json", "application/x-ndjson", "application/gzip", "application/octet-stream")


class ImportQuery(Body):
    """Where the file comes from."""

    file_name = fields.Text("Kept with the import, to know it again.", most=300, load_default="")


class RejectionAnswer(Answer):
    """A row that could not be taken over."""

    line = fields.Count()
    path = fields.Said("Where in the line.")
    process_id = fields.Said(allow_none=True)
    contract_id = fields.Said(allow_none=True)
    fault = fields.Part(Problem.Refusal)


class ImportAnswer(Answer):
    """What came of an import."""

    job_id = fields.Count()
    imported = fields.Count("Contracts new to the platform.")
    updated = fields.Count("Contracts known before.")
    rejected = fields.Count("Rows refused.")
    rejections = fields.Many(fields.Part(RejectionAnswer), f"The first {MOST_LISTED} refused rows.")


@contract_routes.route("/contracts/import")
class ContractImport(MethodView):
    """Taking contracts over."""

    @contract_routes.doc(
        operationId="importContracts",
        requestBody={
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
        },
    )
    @contract_routes.arguments(ImportQuery, location="query")
    @contract_routes.response(200, ImportAnswer)
    @allows(Capability.OFFICER)
    def post(self, query: dict[str, Any]) -> Any:
        """Import contracts from a file of open procurement data.

        The body is the file itself: OCDS 1.0 or 1.1 release packages, record packages or JSON lines, plain or
        gzipped, up to 16 MiB; larger files are for the command `flask contracts import`. A faulty contract
        does not stop the others.
        """
        request.max_content_length = MOST_FILE
        rejections: list[dict[str, Any]] = []
        result = contract_import.import_stream(
            request.stream,
            by=access.acting(),
            now=access.now(),
            file_name=query["file_name"],
            on_reject=lambda row: rejections.append(_show(row)) if len(rejections) < MOST_LISTED else None,
        )
        if result.failure is not None:
            raise invalid(Code.UNREADABLE_FILE, "file", why=result.failure)
        if not result.is_useful:
            raise invalid(Code.NOTHING_USABLE, "file")
        return {
            "job_id": result.job_id,
            "imported": result.imported,
            "updated": result.updated,
            "rejected": result.rejected,
            "rejections": rejections,
        }


def _show(row: RejectedRow) -> dict[str, Any]:
    return {
        "line": row.line,
        "path": row.path,
        "process_id": row.process_id,
        "contract_id": row.contract_id,
        "fault": problem.list_faults([row.fault])[0],
    }
