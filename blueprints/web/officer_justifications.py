"""Unusually low bids: what their bidders say, and what an officer decides."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints import low_prices
from blueprints.access import acting, allows, now
from blueprints.web import paging
from blueprints.web.forms import Form
from market.bidding_vocabulary import Decision
from market.vocabulary import Capability
from services import justifications, users

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/justifications", "justifications", list_justifications)
    page.add_url_rule(
        "/justifications/<int(max=9007199254740991):bid_id>",
        "justifications_decide",
        decide_justification,
        methods=["POST"],
    )


@allows(*ROLES)
def list_justifications() -> Answer:
    """Show the bids held for their low price, or those decided."""
    return _show(Form(), None)


@allows(Capability.OFFICER)
def decide_justification(bid_id: int) -> Answer:
    """Let a held bid compete, or refuse it, with a note of why."""
    form = Form(request.form)
    decision, note = form.choice("decision", Decision), form.text("note", most=justifications.NOTE_MOST)
    row = form.run(
        justifications.decide,
        bid_id,
        decision,
        note,
        by=acting(),
        now=now(),
        sealer=current_app.extensions["sealer"],
    )
    if row is None:
        return _show(form, bid_id)
    accepted = row.decision is Decision.ACCEPTED
    flash(
        gettext("The bid competes with the others.") if accepted else gettext("The bid is refused."), "done"
    )
    return redirect(url_for("officer.justifications"), 303)


def _show(form: Form, faulty: int | None) -> Answer:
    by = acting()
    decided = request.args.get("view") == "decided"
    waiting = justifications.list_zone(by)
    rows = justifications.list_zone(by, decided=True) if decided else waiting
    shown = paging.slice_rows(rows, paging.asked({"newest"}, "newest"))
    deciders = {row.decided_by for row in shown.rows if row.decided_by is not None}
    return form.page(
        "officer/justifications.html",
        page=shown,
        decided=decided,
        faulty=faulty,
        waiting=len(waiting),
        people={user_id: users.find(user_id) for user_id in deciders},
        say=low_prices.say,
        most=justifications.NOTE_MOST,
        decisions=list(Decision),
    )
