"""Whom a firm lets read its procurement records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext

from blueprints.access import acting, allows, now
from blueprints.web.elements import named
from blueprints.web.forms import Form
from market.bureau_vocabulary import ConsentScope
from market.calendar import local_date
from market.vocabulary import Capability
from services import data_consents, visibility

Answer = Any

USUAL_DAYS = 365


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/consents", view_func=show, methods=["GET", "POST"], endpoint="consents")
    page.add_url_rule(
        "/consents/<int(max=2147483647):consent_id>/revoke",
        view_func=revoke,
        methods=["POST"],
        endpoint="consents_revoke",
    )


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def show() -> Answer:
    """Show who may read what, and give leave to another."""
    by, at = acting(), now()
    form = Form(request.form, labels={"institution_id": lazy_gettext("Institution")})
    if request.method == "POST":
        form.run(
            data_consents.give,
            form.whole("institution_id", required=False, least=1, most=2**31 - 1),
            form.choice("scope", ConsentScope),
            form.day("valid_until"),
            by=by,
            now=at,
        )
        if form.ok:
            flash(gettext("Leave is given. You can take it back at any time."), "done")
            return redirect(url_for("enterprise.consents"), 303)
    today = local_date(at)
    if not form.values:
        until = today + timedelta(days=USUAL_DAYS)
        form.values.update({"scope": ConsentScope.CONTRACTS.value, "valid_until": until.isoformat()})
    rows = data_consents.list_own(by)
    return form.page(
        "enterprise/consents.html",
        standing=[row for row in rows if data_consents.is_standing(row, today)],
        over=[row for row in rows if not data_consents.is_standing(row, today)],
        institutions=[(one.id, named(one)) for one in visibility.list_choices(by.zone_id)],
        scopes=tuple(ConsentScope),
    )


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def revoke(consent_id: int) -> Answer:
    """Take a leave back."""
    form = Form(request.form)
    form.run(data_consents.revoke, consent_id, by=acting(), now=now())
    if form.ok:
        flash(gettext("Taken back: nobody reads by it any more."), "done")
    else:
        flash(form.summary[0][1], "warning")
    return redirect(url_for("enterprise.consents"), 303)
