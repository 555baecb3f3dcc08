"""Public procurement: intentions and award notices, and what a firm watches for among them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from blueprints import access, messages, procurement_labels
from blueprints.access import allows
from blueprints.web import paging
from blueprints.web.forms import Form
from market import procurement_rules as rules
from market.calendar import local_date
from market.errors import Code
from market.procurement_vocabulary import ProcurementObject
from market.vocabulary import Capability
from services import award_notices, intentions
from services.exchange import intention_rows
from services.intentions import TEXT_MOST, TITLE_MOST, WORD_MOST

Answer = str | Response | tuple[str, int]

FIRM = (Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
PUBLISHERS = (Capability.PURCHASER, Capability.OFFICER)
READERS = (*FIRM, Capability.PURCHASER, Capability.OFFICER, Capability.AUDITOR)

#: Refused rows of a file are told up to here; the others are counted.
ROWS_TOLD = 20
_PARTS = re.compile(r"[,，;；、\n]")

page = Blueprint("procurement", __name__)


@page.get("/procurement/intentions", endpoint="intentions")
@allows(*Capability)
def show_intentions() -> Answer:
    """List the intentions of the zone's purchasers; a firm sees and sets what it watches for."""
    return _show_intentions(Form())


@page.post("/procurement/watch", endpoint="intentions_watch")
@allows(*FIRM)
def watch() -> Answer:
    """Set what the firm watches for."""
    form = Form(request.form, labels=_labels("industries", "keywords"))
    sent = [_split(form, name) for name in ("industries", "keywords")]
    if form.run(intentions.set_watch, *sent, by=access.acting(), now=access.now()) is None:
        return _show_intentions(form)
    flash(gettext("Saved. New intentions with these words or of these industries reach you."), "done")
    return redirect(url_for("procurement.intentions"), 303)


@page.route("/procurement/intentions/new", methods=["GET", "POST"], endpoint="intentions_new")
@allows(*PUBLISHERS)
def enter_intention() -> Answer:
    """Put an intention on record by hand."""
    names = ("title", "object", "industry", "tags", "budget", "expected_month", "purchaser_name")
    form = Form(request.form, labels=_labels(*names))
    if request.method == "POST":
        entry = _read_intention(form)
        if form.run(intentions.enter, entry, by=access.acting(), now=access.now()) is not None:
            flash(gettext("The intention is on record, and whom it may interest is told."), "done")
            return redirect(url_for("procurement.intentions"), 303)
    else:
        form.values["published_on"] = local_date(access.now()).isoformat()
    return form.page(
        "procurement/intention_new.html",
        objects=list(ProcurementObject),
        title_most=TITLE_MOST,
        text_most=TEXT_MOST,
        word_most=WORD_MOST,
        refused=[],
    )


@page.post("/procurement/intentions/import", endpoint="intentions_import")
@allows(*PUBLISHERS)
def import_intentions() -> Answer:
    """Put the rows of a CSV file on record."""
    form, now = Form(request.form), access.now()
    rows: Any = []
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    try:
        text = data.decode("utf-8-sig") if data else ""
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    if not text.strip():
        form.refuse(Code.REQUIRED, "file")
    else:
        rows = form.run(intention_rows.read_csv, text, today=local_date(now))
    done = form.run(intentions.load, rows, by=access.acting(), now=now)
    if done is None or done.refused:
        if done is not None and done.added:
            flash(ngettext("%(num)s intention is new.", "%(num)s intentions are new.", done.added), "done")
        return form.page(
            "procurement/intention_new.html",
            objects=list(ProcurementObject),
            title_most=TITLE_MOST,
            text_most=TEXT_MOST,
            word_most=WORD_MOST,
            refused=[]
            if done is None
            else [
                (number, " ".join(messages.sentence(fault) for fault in faults))
                for number, faults in list(done.refused.items())[:ROWS_TOLD]
            ],
        )
    flash(ngettext("%(num)s intention is new.", "%(num)s intentions are new.", done.added), "done")
    return redirect(url_for("procurement.intentions"), 303)


@page.get("/procurement/awards", endpoint="awards")
@allows(*READERS)
def show_awards() -> Answer:
    """List the award notices one may see."""
    party, part = access.acting(), paging.asked((), "")
    found = award_notices.list_for(party, search=request.args.get("search", "")[:80])
    return Form().page("procurement/awards.html", page=paging.slice_rows(found, part))


@page.route("/procurement/awards/new", methods=["GET", "POST"], endpoint="awards_new")
@allows(Capability.OFFICER)
def enter_award() -> Answer:
    """Put an award notice on record by hand."""
    names = ("project_number", "package_number", "title", "purchaser_name", "purchaser_code")
    form = Form(request.form, labels=_labels(*names, "supplier_name", "supplier_code", "price", "agency"))
    if request.method == "POST":
        entry = award_notices.Entry(
            project_number=form.text("project_number", most=160),
            package_number=form.text("package_number", most=80, required=False) or "",
            title=form.text("title", most=400),
            purchaser_name=form.text("purchaser_name", most=300, required=False),
            purchaser_code=form.text("purchaser_code", most=40, required=False),
            supplier_name=form.text("supplier_name", most=300),
            supplier_code=form.text("supplier_code", most=40, required=False),
            price=form.wan("price", required=False),
            agency=form.text("agency", most=300, required=False),
            published_on=form.day("published_on"),
        )
        if form.run(award_notices.enter, entry, by=access.acting(), now=access.now()) is not None:
            flash(gettext("The award notice is on record; the firm it names is told."), "done")
            return redirect(url_for("procurement.awards"), 303)
    else:
        form.values["published_on"] = local_date(access.now()).isoformat()
    return form.page("procurement/award_new.html")


def _show_intentions(form: Form) -> Answer:
    party, part = access.acting(), paging.asked((), "")
    found = intentions.list_for(party, search=request.args.get("search", "")[:80])
    own = party.may(*FIRM)
    if own and not form.values:
        held = intentions.find_watch(party)
        form.values["industries"] = "，".join(held.industries) if held is not None else ""
        form.values["keywords"] = "，".join(held.keywords) if held is not None else ""
    return form.page(
        "procurement/intentions.html",
        page=paging.slice_rows(found, part),
        watches=own,
        is_late=rules.is_late,
        days_ahead=rules.DAYS_AHEAD,
    )


def _read_intention(form: Form) -> Any:
    month = form.text("expected_month", most=10)
    if month is not None and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) is None:
        form.refuse(Code.NOT_A_DATE, "expected_month", value=month)
    values = {
        "title": form.text("title", most=TITLE_MOST),
        "object": form.choice("object", ProcurementObject),
        "published_on": form.day("published_on"),
        "purchaser_name": form.text(
            "purchaser_name", most=300, required=access.acting().may(Capability.OFFICER)
        ),
        "description": form.text("description", most=TEXT_MOST, required=False) or "",
        "industry": form.text("industry", most=WORD_MOST, required=False),
        "tags": tuple(_split(form, "tags")),
        "budget": form.wan("budget", required=False),
        "is_reserved": form.flag("is_reserved"),
    }
    if not form.ok:
        return None
    return intentions.Entry(expected_month=date.fromisoformat(f"{month}-01"), **values)


def _split(form: Form, name: str) -> list[str]:
    return [part.strip() for part in _PARTS.split(str(form.value(name))) if part.strip()]


def _labels(*names: str) -> dict[str, Any]:
    return {name: procurement_labels.FIELDS[name] for name in names if name in procurement_labels.FIELDS}
