"""Matching rounds for the officer: past ones explained, the next one, one run now; and the practice clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from blueprints import access, alert_words, clock, formats, messages
from blueprints.access import acting, allows, now
from blueprints.web import paging
from blueprints.web.entrance import local_address
from blueprints.web.forms import Form
from market.errors import Code, MarketError, not_found
from market.vocabulary import Capability
from models.zone import Zone
from services import clock as zone_clock
from services import opening, round_report, rounds, workload, zones

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
#: More rounds than anybody turns pages for: five years of two a working day.
MOST_SHOWN = 2_500
#: How far the practice clock may be moved in one step, by the name of the button.
LEAPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/rounds", view_func=list_rounds, endpoint="rounds")
    page.add_url_rule("/rounds/new", view_func=new_round, methods=["GET", "POST"], endpoint="rounds_new")
    page.add_url_rule("/rounds/<int(max=2147483647):round_id>", view_func=show_round, endpoint="rounds_show")
    page.add_url_rule(
        "/rounds/<int(max=2147483647):round_id>/replay",
        view_func=replay_round,
        methods=["POST"],
        endpoint="rounds_replay",
    )
    page.add_url_rule("/board/clock", view_func=move_clock, methods=["POST"], endpoint="board_clock")


@allows(*ROLES)
def list_rounds() -> Answer:
    """Show the rounds of the zone, when the next runs, and what it would take in now."""
    zone = _zone()
    part = paging.asked({"newest"}, "newest")
    return render_template(
        "officer/rounds.html",
        zone=zone,
        page=paging.slice_rows(rounds.list_rounds(zone.id, MOST_SHOWN), part),
        outlook=rounds.foresee(by=acting(), now=now()),
        next_slot=rounds.find_next_slot(zone, now()),
        work=workload.read(by=acting(), now=now()),
        work_names=alert_words.WORK,
        **clock_choices(zone),
    )


@allows(Capability.OFFICER)
def new_round() -> Answer:
    """Show what a round would take in now, and run it when asked."""
    form = Form(request.form)
    if request.method == "POST":
        row = form.run(rounds.run_now, acting().zone_id, by=acting(), now=now())
        if row is not None:
            flash(
                ngettext(
                    "The round is done: %(num)s need has a proposal.",
                    "The round is done: %(num)s needs have a proposal.",
                    row.placed_count,
                ),
                "done",
            )
            return redirect(url_for("officer.rounds_show", round_id=row.id), 303)
    return form.page("officer/round_new.html", outlook=rounds.foresee(by=acting(), now=now()), zone=_zone())


@allows(*ROLES)
def show_round(round_id: int) -> Answer:
    """Explain one round: what was minimised, how sure the answer is, and why each need got what it got."""
    row = rounds.find(round_id, by=acting())
    asked = request.args.get("page", "1")
    number = min(max(int(asked), 1), MOST_SHOWN) if asked.isdecimal() and len(asked) < 9 else 1
    first = (number - 1) * round_report.PAGE
    return render_template(
        "officer/round.html",
        row=row,
        result=row.result or {},
        summary=round_report.summarise(row),
        stories=round_report.tell(row.id, by=acting(), first=first),
        number=number,
        pages=max(1, -(-row.need_count // round_report.PAGE)),
    )


@allows(*ROLES)
def replay_round(round_id: int) -> Answer:
    """Solve a round again and say whether it comes out the same, byte for byte."""
    form = Form(request.form)
    replay = form.run(rounds.replay, round_id, by=acting())
    if replay is None:
        for _, sentence in form.summary:
            flash(sentence, "warning")
    elif replay.inputs_kept and replay.same:
        flash(gettext("Solved again: the same inputs gave the same result, byte for byte."), "done")
    elif not replay.inputs_kept:
        flash(gettext("The stored inputs are not those that the audit log vouches for."), "warning")
    else:
        flash(gettext("Solved again, the result differs from the one on record."), "warning")
    return redirect(url_for("officer.rounds_show", round_id=round_id), 303)


@allows(Capability.OFFICER)
def move_clock() -> Answer:
    """Move a practice zone's clock forward and do at once what falls due, so that the result shows."""
    zone, by = _zone(), acting()
    form = Form(request.form)
    until = _read_leap(form, zone)
    if form.run(lambda: zones.fast_forward(zone.id, until, by=by, now=now())) is None:
        for _, sentence in form.summary:
            flash(sentence, "warning")
        return redirect(_back(), 303)
    moved = zones.find(zone.id)
    reached = clock.read(moved)
    try:
        done = zone_clock.run_due(zone.id, now=reached, sealer=current_app.extensions["sealer"])
    except MarketError as error:
        # The scheduler does the same work: whoever comes second is refused, and nothing is lost.
        flash(" ".join(messages.sentences(error)), "warning")
        return redirect(_back(), 303)
    flash(
        gettext(
            "It is now %(time)s in this zone. Biddings opened: %(openings)s; rounds run: %(rounds)s.",
            time=formats.moment_text(reached, zone=True),
            openings=done["openings"],
            rounds=done["rounds"],
        ),
        "done",
    )
    return redirect(_back(), 303)


def clock_choices(zone: Zone) -> dict[str, datetime | None]:
    """Return the moments the practice clock can be moved to, for the control that offers them."""
    if not zone.is_sandbox:
        return {"next_deadline": None, "next_round": None}
    return {
        "next_deadline": opening.next_deadline(zone.id, now()),
        "next_round": rounds.find_next_slot(zone, now()),
    }


def _read_leap(form: Form, zone: Zone) -> datetime:
    wanted = str(form.value("to"))
    if wanted in LEAPS:
        return now() + LEAPS[wanted]
    known = clock_choices(zone)
    until = {"deadline": known["next_deadline"], "round": known["next_round"]}.get(wanted)
    if until is None:
        form.refuse(Code.NOT_A_CHOICE, None, value=wanted, choices=["deadline", "round", *LEAPS])
        return now()
    # One second further, because a deadline is over only when its moment has passed.
    return max(until, now()) + timedelta(seconds=1)


def _back() -> str:
    return local_address(request.form.get("next")) or url_for("officer.board")


def _zone() -> Zone:
    zone = access.current_zone()
    if zone is None:
        raise not_found("zone", acting().zone_id)
    return zone
