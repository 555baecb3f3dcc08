"""Bulk bids from a spreadsheet: a template to fill in, every fault of every line, then all bids or none.

The file is read, never kept: what was read travels with the page until it is placed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext

from blueprints import labels, messages
from blueprints.access import acting, allows, now
from blueprints.documents import spreadsheet
from blueprints.documents.spreadsheet import Column, Kind
from blueprints.web import bid_form, elements
from blueprints.web.forms import Form
from market import lifecycle
from market.calendar import local_date
from market.errors import Code, Fault
from market.vocabulary import Capability
from models.product import Product
from services import bids, bulk_bids, opportunities, shelf_quotes

Answer = Any

ROLES = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)
#: The largest file that is read, in bytes: two hundred lines take a tenth of it.
MOST_FILE = 256 * 1024
COLUMNS = (
    Column(lazy_gettext("Need"), Kind.NUMBER),
    Column(lazy_gettext("Product number"), Kind.NUMBER),
    Column(lazy_gettext("Amount"), Kind.MONEY),
    Column(lazy_gettext("Months"), Kind.NUMBER),
    Column(lazy_gettext("Annual rate"), Kind.RATE),
    Column(lazy_gettext("Points over LPR"), Kind.NUMBER),
    Column(lazy_gettext("Valid until"), Kind.DAY),
    Column(lazy_gettext("Subject to approval (yes or no)")),
    Column(lazy_gettext("Smallest part"), Kind.MONEY),
    Column(lazy_gettext("Remark (not read)")),
)
#: What the lines of a file say, in the order of the columns; the remark is nobody's to read.
_FIELDS = (
    "need_id",
    "product_id",
    "principal",
    "months",
    "rate",
    "spread",
    "valid_until",
    "subject",
    "least",
)
_YES, _NO = {"yes", "y", "true", "1", "是"}, {"", "no", "n", "false", "0", "否"}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass
class Line:
    """A line of the file: its number there, its cells, and what speaks against it."""

    number: int
    cells: Sequence[str]
    product: Product | None = None
    faults: list[str] = field(default_factory=list)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/bids/bulk", view_func=show, methods=["GET", "POST"], endpoint="bids_bulk")
    page.add_url_rule("/bids/bulk/template.csv", view_func=hand_out, endpoint="bids_template")


@allows(*ROLES)
def hand_out() -> Response:
    """Hand out the file to fill in: a line for each open need and the own product that fits it best."""
    rows = []
    for found in opportunities.list_open(acting(), now()):
        if not found.fitting or found.own_bids:
            continue
        need, product = found.need, found.fits[0].product
        one_rate = product.rate_from if product.rate_from == product.rate_to else None
        one_spread = product.spread_from if product.spread_from == product.spread_to else None
        rows.append(
            [
                need.id,
                product.id,
                need.amount if need.syndicated else min(need.amount, product.amount_max),
                need.months,
                one_rate,
                one_spread,
                local_date(bids.earliest_validity(need)),
                gettext("no"),
                None,
                elements.named(product),
            ]
        )
    return spreadsheet.respond("bids", spreadsheet.CSV, COLUMNS, rows[: bulk_bids.MOST])


@allows(*ROLES)
def show() -> Answer:
    """Show the lines of a file with every fault, and place them all when asked."""
    form = Form(request.form, labels={"file": gettext("CSV file"), "text": gettext("CSV file")})
    if request.method == "GET":
        return form.page("institution/bulk_bids.html", lines=None, columns=COLUMNS)
    text = _read_text(form)
    lines, rows = _read_lines(text) if text is not None else ([], {})
    if text is not None and not lines:
        form.refuse(Code.NOTHING_USABLE, "file")
    elif len(lines) > bulk_bids.MOST:
        form.refuse(Code.TOO_LARGE, "rows", value=len(lines), most=bulk_bids.MOST)
    if not form.ok:
        return form.page("institution/bulk_bids.html", lines=None, columns=COLUMNS)
    sealer = current_app.extensions["sealer"]
    numbers, wanted = list(rows), list(rows.values())
    whole = not any(line.faults for line in lines)
    if request.form.get("step") == "place" and whole:
        acting().require(Capability.INSTITUTION_BIDDER)
        placing = Form()
        placed = placing.run(bulk_bids.place, wanted, by=acting(), now=now(), sealer=sealer)
        if placed is not None:
            said = ngettext(
                "%(num)s bid is placed. Its receipt stands with it.",
                "%(num)s bids are placed. Their receipts stand with them.",
                len(placed),
            )
            flash(said, "done")
            return redirect(url_for("institution.bids"), 303)
        _tell(lines, numbers, placing.faults)
        form.status = placing.status
    elif wanted:
        _tell(lines, numbers, bulk_bids.check(wanted, by=acting(), now=now(), sealer=sealer))
    faulty = sum(1 for line in lines if line.faults)
    return form.page("institution/bulk_bids.html", lines=lines, columns=COLUMNS, text=text, faulty=faulty)


def _read_text(form: Form) -> str | None:
    """Return the text of the file that was sent, or of the one read before."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        text = str(form.value("text"))
        if not text.strip():
            form.refuse(Code.REQUIRED, "file")
            return None
        return text
    body = sent.stream.read(MOST_FILE + 1)
    if len(body) > MOST_FILE:
        form.refuse(Code.TOO_LARGE, "file", value=len(body), most=MOST_FILE)
        return None
    # Excel in China saves CSV in the national encoding unless it is told otherwise.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    form.refuse(Code.BAD_ENCODING, "file", value=sent.filename[:40])
    return None


def _read_lines(text: str) -> tuple[list[Line], dict[int, bulk_bids.Row]]:
    """Return the lines under the head, and the rows that can be read, by the places of their lines."""
    head, _, _ = text.partition("\n")
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in head and "," not in head else ",")
    try:
        found = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error:
        return [], {}
    # Any line without a number in front says what the columns are; empty ones say nothing.
    filled = [(number, cells) for number, cells in found if any(cells)]
    lines = [Line(number, cells) for number, cells in filled if number > 1 or cells[0].isdecimal()]
    own = {product.id: product for product in opportunities.list_biddable(acting())}
    rows: dict[int, bulk_bids.Row] = {}
    for place, line in enumerate(lines[: bulk_bids.MOST]):
        row = _read_row(line, own)
        if row is not None:
            rows[place] = row
    return lines, rows


def _read_row(line: Line, own: dict[int, Product]) -> bulk_bids.Row | None:
    cells = [*line.cells, *[""] * len(_FIELDS)][: len(_FIELDS)]
    form = Form(dict(zip(_FIELDS, cells, strict=True)))
    form.values["rate"] = str(form.value("rate")).removesuffix("%").removesuffix("％")
    if day := _DAY.fullmatch(str(form.value("valid_until"))):
        form.values["valid_until"] = "{}-{:0>2}-{:0>2}".format(*day.groups())
    need_id = form.whole("need_id", least=1, most=2**31 - 1)
    product_id = form.whole("product_id", least=1, most=2**31 - 1)
    principal, least = form.yuan("principal"), form.yuan("least", required=False)
    months = form.whole("months", least=1, most=360)
    valid_on = form.day("valid_until")
    subject = str(form.value("subject")).lower()
    if subject not in _YES | _NO:
        form.refuse(Code.NOT_A_CHOICE, "is_firm", value=subject, choices=[gettext("yes"), gettext("no")])
    line.product = own.get(product_id)
    if product_id is not None and line.product is None:
        form.refuse(Code.NOT_FOUND, "product_id", what="product", id=str(product_id))
    rate = spread = None
    if line.product is not None and bid_form.is_floating(line.product) and not form.value("rate"):
        spread = form.whole("spread", least=-10_000, most=10_000)
    elif line.product is not None:
        rate = form.percent("rate", least=0, most=100)
    line.faults.extend(_say(fault) for fault in form.faults)
    if not form.ok or line.product is None:
        return None
    quote = shelf_quotes.make(
        line.product,
        principal=principal,
        months=months,
        valid_until=lifecycle.end_of_day(valid_on),
        rate=rate,
        spread=spread,
        is_firm=subject not in _YES,
        least=least,
    )
    return bulk_bids.Row(need_id, quote)


def _tell(lines: Sequence[Line], places: Sequence[int], faults: Sequence[Fault]) -> None:
    """Put each fault with its line; ``places`` are those of the lines that were looked at."""
    for fault in faults:
        _, place, *rest = (fault.field or "rows.0").split(".", 2)
        own = replace(fault, field=rest[0] if rest else None)
        lines[places[int(place)]].faults.append(_say(own))


def _say(fault: Fault) -> str:
    label = {"principal": gettext("Amount"), "months": gettext("Months")}.get(fault.field or "")
    return messages.sentence(fault, label or (labels.field_label(fault.field) if fault.field else None))
