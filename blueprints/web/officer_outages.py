"""Outages for the officer, beside the alerts: noticed or declared, and the deadlines they moved."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext

from blueprints.access import acting, allows, now
from blueprints.web import paging
from blueprints.web.forms import Form
from market.errors import not_found
from market.vocabulary import Capability
from services import outages, zones

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
#: More outages than anybody turns pages for.
MOST_SHOWN = 1_000
#: What a deadline is called, by its table and column.
DEADLINES = {
    ("needs", "closes_at"): lazy_gettext("Bidding closes"),
    ("needs", "accept_until"): lazy_gettext("Firm decides until"),
    ("justifications", "due_at"): lazy_gettext("Low price to be justified until"),
    ("reviews", "due_at"): lazy_gettext("Review due"),
    ("bids", "valid_until"): lazy_gettext("Bid valid until"),
}


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/outages", view_func=list_outages, methods=["GET", "POST"], endpoint="alerts_outages")
    page.add_url_rule("/outages/<int(max=2147483647):outage_id>", view_func=show, endpoint="alerts_outage")


@allows(*ROLES)
def list_outages() -> Answer:
    """Show the outages of the zone; an officer declares one."""
    by = acting()
    words = {"started_at": gettext("From"), "ended_at": gettext("Until"), "reason": gettext("What happened")}
    form = Form(request.form, labels=words)
    if request.method == "POST":
        by.require(Capability.OFFICER)
        started, ended = form.moment("started_at"), form.moment("ended_at")
        reason = form.text("reason", most=outages.REASON_MOST)
        row = form.run(outages.declare, started, ended, reason, by=by, now=now())
        if row is not None:
            count = sum(1 for one in row.moved if one["after"] is not None)
            said = ngettext(
                "The outage is on record. %(num)s deadline was moved.",
                "The outage is on record. %(num)s deadlines were moved.",
                count,
            )
            flash(said, "done")
            return redirect(url_for("officer.alerts_outage", outage_id=row.id), 303)
    zone = zones.find(by.zone_id)
    found = outages.list_all(by, MOST_SHOWN)
    return form.page(
        "officer/outages.html",
        page=paging.slice_rows(found, paging.asked({"newest"}, "newest")),
        zone=zone,
        beat=outages.read_beat(by.zone_id),
        count_moved=lambda row: sum(1 for one in row.moved if one["after"] is not None),
    )


@allows(*ROLES)
def show(outage_id: int) -> Answer:
    """Show one outage with every deadline that fell into it."""
    row = next((one for one in outages.list_all(acting(), MOST_SHOWN) if one.id == outage_id), None)
    if row is None:
        raise not_found("outage", outage_id)
    moved = outages.read_moved(row)
    return Form().page(
        "officer/outage.html",
        row=row,
        moved=[one for one in moved if one["after"] is not None],
        kept=[one for one in moved if one["after"] is None],
        say=lambda one: DEADLINES[one["subject"], one["field"]],
    )
