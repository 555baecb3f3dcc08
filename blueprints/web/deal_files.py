"""The file of a deal: on a page, as PDF and as a workbook, for its two sides, officers and auditors."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, deal_file_words
from blueprints.access import allows
from blueprints.web import elements
from market.report_vocabulary import FileEntry
from market.vocabulary import Capability
from services import deal_file
from services.deal_file import DealFile, Entry

#: The files, with what each is served as.
FILES = {
    "file.pdf": "application/pdf",
    "file.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NUMBER = "<int(max=2147483647):loan_id>"
_FILE = f"<any({', '.join(repr(name) for name in FILES)}):file>"
_DANGER = {FileEntry.STEP_UNDONE, FileEntry.ALERT, FileEntry.TERMINATION}

page = Blueprint("deal_files", __name__)


@page.get(f"/deals/{_NUMBER}/file")
@allows(*Capability)
def show(loan_id: int) -> str:
    """Show everything that happened on a deal, in order of time."""
    file = deal_file.read(loan_id, by=access.acting(), now=access.now())
    return render_template(
        "deals/file.html",
        file=file,
        loan=file.loan,
        story=[_tell(entry) for entry in file.entries],
        files=FILES,
    )


@page.get(f"/deals/{_NUMBER}/{_FILE}")
@allows(*Capability)
def download(loan_id: int, file: str) -> Response:
    """Hand the file out as PDF, or as a workbook."""
    found = deal_file.read(loan_id, by=access.acting(), now=access.now())
    # What makes PDF files takes a third of the time in which everything loads: no command waits for it.
    from blueprints.documents import deal_file_paper

    if file == "file.pdf":
        body = deal_file_paper.render(found, **_name(found))
    else:
        body = deal_file_paper.write_workbook(found)
    response = Response(body, content_type=FILES[file])
    response.headers["Content-Disposition"] = f'attachment; filename="deal-{loan_id}-{file}"'
    return response


def _name(file: DealFile) -> dict[str, str]:
    zone = access.current_zone()
    return {
        "lender": elements.named(file.loan.lender),
        "borrower": elements.named(file.loan.borrower),
        "guarantor": elements.named(file.guarantor) if file.guarantor is not None else "",
        "issuer": gettext(", ").join(
            [*([elements.named(zone)] if zone is not None else []), gettext("Cuohe")]
        ),
    }


def _tell(entry: Entry) -> dict[str, Any]:
    deed = entry.deed
    return {
        "title": deal_file_words.title(deed),
        "amount": deed.amount,
        "when": deed.on,
        "at": deed.at,
        "by": deal_file_words.who(entry),
        "text": deal_file_words.text(deed),
        "evidence": deed.evidence,
        "is_danger": deed.kind in _DANGER,
    }
