"""What the officer watches: the alerts to act on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints import alert_words
from blueprints.access import acting, allows, now
from blueprints.web import paging
from blueprints.web.forms import Form
from market.vocabulary import AlertKind, Capability
from services import alerts, users

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/alerts", view_func=alert_list, endpoint="alerts")
    page.add_url_rule(
        "/alerts/<int(max=2147483647):alert_id>/resolve",
        view_func=resolve_alert,
        methods=["POST"],
        endpoint="alerts_resolve",
    )


@allows(*ROLES)
def alert_list() -> Answer:
    """Show what must be looked at, or what was resolved and how."""
    return _show_alerts(Form(), None)


@allows(Capability.OFFICER)
def resolve_alert(alert_id: int) -> Answer:
    """Close an alert with a word of what was done."""
    form = Form(request.form, labels={"resolution": gettext("What was done")})
    alert = form.run(
        alerts.resolve, alert_id, form.text("resolution", most=300) or "", by=acting(), now=now()
    )
    if alert is None:
        return _show_alerts(form, alert_id)
    flash(gettext("The alert is resolved, and what was done is on record."), "done")
    return redirect(url_for("officer.alerts"), 303)


def _show_alerts(form: Form, faulty: int | None) -> Answer:
    by = acting()
    resolved = request.args.get("view") == "resolved"
    kind = paging.chosen("kind", AlertKind)
    still_open = alerts.list_open(by)
    found = alerts.list_resolved(by) if resolved else still_open
    rows = [row for row in found if kind is None or row.kind is kind]
    part = paging.asked({"newest"}, "newest")
    shown = paging.slice_rows(rows, part)
    closers = {row.resolved_by for row in shown.rows if row.resolved_by is not None}
    people = {user_id: users.find(user_id) for user_id in closers}
    return form.page(
        "officer/alerts.html",
        page=shown,
        faulty=faulty,
        resolved=resolved,
        open_count=len(still_open),
        kind=kind,
        people=people,
        subjects=alerts.read_subjects(shown.rows),
        say=alert_words.alert,
        say_end=alert_words.resolution,
    )
