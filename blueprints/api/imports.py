"""Imports: contracts and award notices taken over from a file, sent as the body of a request; their jobs."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView

from blueprints import access, problem
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.contracts import contract_routes
from blueprints.api.description import Problem
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.documents import contract_template
from market.errors import Code, invalid
from market.vocabulary import Capability
from models.import_job import ImportJob
from services import contract_import, import_jobs
from services.contract_import import ImportResult
from services.exchange.rejection import RejectedRow

#: The largest file a request may carry, in bytes; larger ones are for the command.
MOST_FILE = import_jobs.MOST_FILE
#: How many refused rows an answer lists; all of them are counted.
MOST_LISTED = 100

KINDS = (
    "application/json",
    "application/x-ndjson",
    "application/gzip",
    "application/zip",
    "text/csv",
    contract_template.XLSX,
    "application/octet-stream",
)


class ImportQuery(Body):
    """Where the file comes from."""

    file_name = fields.Text("Kept with the import, to know it again.", most=300, load_default="")
    resume = fields.Number(
        "The import that stopped early and goes on behind its last stored batch; the body is its file again.",
        least=1,
        most=fields.MOST_ID,
        load_default=None,
    )


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
    notices = fields.Count("Award notices stored.")
    notices_rejected = fields.Count("Award notices refused.")
    skipped = fields.Count("Files of a zip package that are no JSON.")
    cancelled = fields.Flag("Somebody stopped it; it can go on.")
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

        The body is the file itself: OCDS 1.0 or 1.1 release packages, record packages or JSON lines, plain,
        gzipped or in a zip package, or the filled-in template as xlsx or CSV, up to 16 MiB; larger files
        are for the command `flask contracts import`. A faulty contract does not stop the others.
        """
        request.max_content_length = MOST_FILE
        return _import(query["file_name"], query["resume"])


class ImportJobAnswer(Answer):
    """An import: how far it is and what came of it."""

    id = fields.Count()
    file_name = fields.Said()
    format = fields.Said("`ocds` or `table`.")
    state = fields.Said("`waiting`, `running`, `done`, `cancelled` or `failed`.")
    started_at = fields.Moment()
    finished_at = fields.Moment(allow_none=True)
    bytes_read = fields.Count()
    bytes_total = fields.Count("Null where the length of the file was not known.", allow_none=True)
    imported = fields.Count()
    updated = fields.Count()
    rejected = fields.Count()
    notices = fields.Count()
    notices_rejected = fields.Count(attribute="notices_refused")
    cancel_requested = fields.Flag("It stops after its batch.")


@contract_routes.route("/imports")
class Imports(MethodView):
    """The zone's imports."""

    @contract_routes.doc(operationId="listImports")
    @contract_routes.arguments(Page, location="query")
    @contract_routes.response(200, page_of(ImportJobAnswer, "ImportPage"))
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, page: dict[str, Any]) -> Any:
        """List the imports of the zone, the newest first."""
        found = cut(import_jobs.list_all(access.acting()), page)
        return {**found, "items": [show_job(job) for job in found["items"]]}


@contract_routes.route(f"/imports/<{fields.ID}:job_id>")
class Import(MethodView):
    """One import."""

    @contract_routes.doc(operationId="showImport")
    @contract_routes.response(200, ImportJobAnswer)
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self, job_id: int) -> Any:
        """Show how far an import is."""
        return show_job(import_jobs.find(job_id, by=access.acting()))


@contract_routes.route(f"/imports/<{fields.ID}:job_id>/cancel")
class ImportCancellation(MethodView):
    """Stopping an import."""

    @contract_routes.doc(operationId="cancelImport")
    @contract_routes.response(200, ImportJobAnswer)
    @allows(Capability.OFFICER)
    def post(self, job_id: int) -> Any:
        """Ask a running import to stop after its batch; what it has stored stays."""
        return show_job(import_jobs.cancel(job_id, by=access.acting(), now=access.now()))


@contract_routes.route("/contracts/template")
class ContractTemplate(MethodView):
    """The table to fill in."""

    @contract_routes.doc(
        operationId="downloadContractTemplate",
        responses={
            "200": {
                "description": "The workbook.",
                "content": {contract_template.XLSX: {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    @allows(Capability.OFFICER, Capability.AUDITOR)
    def get(self) -> Any:
        """Download the workbook for contracts and award notices; filled in, it is a file to import."""
        response = Response(contract_template.write_workbook(), content_type=contract_template.XLSX)
        response.headers["Content-Disposition"] = 'attachment; filename="contracts.xlsx"'
        return response


def show_job(job: ImportJob) -> dict[str, Any]:
    """Return a job as the API tells it."""
    names = [name for name in ImportJobAnswer().fields if name != "notices_rejected"]
    return {name: getattr(job, name) for name in (*names, "notices_refused")}


def _import(file_name: str, resume: int | None) -> dict[str, Any]:
    rejections: list[dict[str, Any]] = []
    result: ImportResult = contract_import.import_stream(
        request.stream,
        by=access.acting(),
        now=access.now(),
        file_name=file_name,
        size=request.content_length,
        resume=resume,
        on_reject=lambda row: rejections.append(_show(row)) if len(rejections) < MOST_LISTED else None,
    )
    if result.failure is not None:
        raise invalid(Code.UNREADABLE_FILE, "file", why=result.failure)
    if not result.is_useful and not result.is_cancelled:
        raise invalid(Code.NOTHING_USABLE, "file")
    return {
        "job_id": result.job_id,
        "imported": result.imported,
        "updated": result.updated,
        "rejected": result.rejected,
        "notices": result.notices,
        "notices_rejected": result.notices_refused,
        "skipped": result.skipped,
        "cancelled": result.is_cancelled,
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
