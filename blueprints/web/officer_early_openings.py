"""Opening the bids of a need before the close: asked for by one officer, decided by another."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints.access import acting, allows, now
from blueprints.web.forms import Form
from market.vocabulary import Capability, NeedState
from services import early_openings, needs

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    path = "/board/needs/<int(max=2147483647):need_id>/early-opening"
    page.add_url_rule(path, "early_opening", show_request)
    page.add_url_rule(path, "early_opening_ask", ask_opening, methods=["POST"])
    page.add_url_rule(
        f"{path}/<int(max=2147483647):request_id>", "early_opening_decide", decide_opening, methods=["POST"]
    )


@allows(*ROLES)
def show_request(need_id: int) -> Answer:
    """Show what was asked and decided about opening a need early, and what may be done now."""
    return _show(need_id, Form())


@allows(Capability.OFFICER)
def ask_opening(need_id: int) -> Answer:
    """Ask for the bids to be opened at once."""
    form = Form(request.form)
    reason = form.text("reason", most=early_openings.REASON_MOST)
    asked = form.run(early_openings.ask, need_id, reason, by=acting(), now=now())
    if asked is None:
        return _show(need_id, form)
    flash(gettext("Asked for. Another officer of the zone has to agree."), "done")
    return redirect(url_for("officer.early_opening", need_id=need_id), 303)


@allows(Capability.OFFICER)
def decide_opening(need_id: int, request_id: int) -> Answer:
    """Agree to another officer's request, or refuse it."""
    form = Form(request.form)
    agreed = form.value("decision") == "agree"
    decided = form.run(
        early_openings.decide,
        request_id,
        agreed,
        by=acting(),
        now=now(),
        sealer=current_app.extensions["sealer"],
    )
    if decided is None:
        return _show(need_id, form)
    if not agreed:
        flash(gettext("The request is refused. Bidding goes on."), "done")
        return redirect(url_for("officer.early_opening", need_id=need_id), 303)
    flash(gettext("All bidding on this need is over, and its bids are open."), "done")
    return redirect(url_for("officer.board_need", need_id=decided.need_id), 303)


def _show(need_id: int, form: Form) -> Answer:
    by = acting()
    need = needs.find(need_id, by=by)
    found = early_openings.list_for_need(need_id, by=by)
    waiting = early_openings.find_waiting(need_id, by=by)
    is_running = need.state is NeedState.OPEN and need.closes_at is not None and now() < need.closes_at
    return form.page(
        "officer/early_opening.html",
        need=need,
        requests=list(reversed(found)),
        names=early_openings.read_names(found),
        waiting=waiting,
        is_running=is_running,
        is_own=waiting is not None and waiting.asked_by == by.user_id,
        most=early_openings.REASON_MOST,
    )
