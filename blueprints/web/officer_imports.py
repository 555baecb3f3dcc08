"""Imports for the officer: a file is sent, looked at with every fault, confirmed; jobs are followed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext, ngettext

from blueprints import labels, messages
from blueprints.access import acting, allows, now
from blueprints.documents import contract_template
from blueprints.import_labels import ACCEPTED
from blueprints.web import paging
from blueprints.web.forms import Form
from market.errors import Code
from market.import_vocabulary import RESUMABLE, ImportState
from market.vocabulary import Capability
from models.import_job import ImportJob
from services import contract_import, import_jobs, import_preview
from services.contract_import import ImportResult
from services.exchange.rejection import RejectedRow
from services.exchange.template import CONTRACTS, NOTICES

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    at = "/contract-loans/imports"
    one = f"{at}/<int(max=2147483647):job_id>"
    name = "contract_loans"
    page.add_url_rule(at, view_func=list_imports, methods=["GET", "POST"], endpoint=f"{name}_imports")
    page.add_url_rule(one, view_func=show, endpoint=f"{name}_import")
    page.add_url_rule(f"{one}/go", view_func=go_on, methods=["POST"], endpoint=f"{name}_importgo")
    page.add_url_rule(f"{one}/stop", view_func=stop, methods=["POST"], endpoint=f"{name}_importstop")
    page.add_url_rule(f"{at}/template.xlsx", view_func=hand_out_workbook, endpoint=f"{name}_workbook")
    page.add_url_rule(f"{at}/contracts.csv", view_func=hand_out_contracts, endpoint=f"{name}_csv")
    page.add_url_rule(f"{at}/notices.csv", view_func=hand_out_notices, endpoint=f"{name}_noticescsv")


@allows(*ROLES)
def list_imports() -> Answer:
    """Show the imports of the zone; an officer sends a file, of which nothing is stored yet."""
    by = acting()
    form = Form(request.form, labels={"file": gettext("File")})
    if request.method == "POST":
        by.require(Capability.OFFICER)
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            form.refuse(Code.REQUIRED, "file")
        else:
            content = sent.stream.read(import_jobs.MOST_FILE + 1)
            job = form.run(import_jobs.keep, content, sent.filename, by=by, now=now())
            if job is not None:
                return redirect(url_for("officer.contract_loans_import", job_id=job.id), 303)
    found = import_jobs.list_all(by)
    return form.page(
        "officer/imports.html",
        page=paging.slice_rows(found, paging.asked({"newest"}, "newest")),
        kept=import_jobs.list_kept(found),
        done=share_done,
        running=any(job.state is ImportState.RUNNING for job in found),
        resumable=RESUMABLE,
        most=import_jobs.MOST_FILE >> 20,
    )


@allows(*ROLES)
def show(job_id: int) -> Answer:
    """Show one import: how far it is, or, before it is confirmed, what it would do with every row."""
    job = import_jobs.find(job_id, by=acting())
    opened = import_jobs.read_kept(job_id, by=acting())
    preview = None
    if opened is not None and job.state is ImportState.WAITING:
        preview = import_preview.read(opened, now=now())
    return Form().page(
        "officer/import.html",
        job=job,
        preview=preview,
        is_kept=opened is not None,
        done=share_done(job),
        resumable=RESUMABLE,
        say=messages.reason,
        accepted=_accepted,
        name_field=labels.field_label,
    )


@allows(Capability.OFFICER)
def go_on(job_id: int) -> Answer:
    """Import a file that was looked at, or go on with an import that stopped."""
    by, at = acting(), now()
    form = Form()
    begun = form.run(import_jobs.go_on, job_id, by=by, now=at)
    if begun is None:
        flash(" ".join(messages.reason(fault) for fault in form.faults), "attention")
    else:
        job, opened = begun
        result = form.run(contract_import.run, opened, job, by=by, now=at)
        if result is not None:
            flash(_tell(result), "done" if result.state is ImportState.DONE else "attention")
        else:
            flash(gettext("Somebody else works on the same contracts: go on a little later."), "attention")
    return redirect(url_for("officer.contract_loans_import", job_id=job_id), 303)


@allows(Capability.OFFICER)
def stop(job_id: int) -> Answer:
    """Ask a running import to stop after its batch, or drop one that was not confirmed."""
    form = Form()
    if form.run(import_jobs.cancel, job_id, by=acting(), now=now()) is None:
        flash(" ".join(messages.reason(fault) for fault in form.faults), "attention")
    else:
        flash(gettext("The import is stopped. What it has stored stays."), "done")
    return redirect(url_for("officer.contract_loans_imports"), 303)


@allows(*ROLES)
def hand_out_workbook() -> Response:
    """Hand out the workbook to fill in."""
    return _download(contract_template.write_workbook(), contract_template.XLSX, "contracts.xlsx")


@allows(*ROLES)
def hand_out_contracts() -> Response:
    """Hand out the columns of contracts as CSV."""
    return _download(contract_template.write_csv(CONTRACTS), contract_template.CSV, "contracts.csv")


@allows(*ROLES)
def hand_out_notices() -> Response:
    """Hand out the columns of award notices as CSV."""
    return _download(contract_template.write_csv(NOTICES), contract_template.CSV, "notices.csv")


def share_done(job: ImportJob) -> tuple[int, int]:
    """Return how much of how much of the file was read; a finished one is whole, whatever it skipped."""
    total = job.bytes_total or 0
    return (total, total) if job.state is ImportState.DONE else (job.bytes_read, total)


def _download(content: bytes, kind: str, name: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _accepted(row: RejectedRow) -> Any:
    return ACCEPTED.get(row.fault.field or "")


def _tell(result: ImportResult) -> str:
    stored = ngettext("%(num)s contract is new", "%(num)s contracts are new", result.imported)
    updated = ngettext("%(num)s was known", "%(num)s were known", result.updated)
    notices = ngettext("%(num)s award notice", "%(num)s award notices", result.notices)
    refused = ngettext(
        "%(num)s row refused", "%(num)s rows refused", result.rejected + result.notices_refused
    )
    return gettext(", ").join((stored, updated, notices, refused)) + gettext(".")
