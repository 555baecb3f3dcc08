"""The exchange with bureaus for the officer: whom we read from, what came of it, what lenders report."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, url_for
from flask import request as asked
from flask_babel import gettext, lazy_gettext

from blueprints import labels, messages
from blueprints.access import acting, allows, now
from blueprints.bureau_labels import FIGURES
from blueprints.formats import day as word_day
from blueprints.formats import exact
from blueprints.web.forms import Form
from market.bureau_vocabulary import BureauKind, PullFailure
from market.calendar import local_date
from market.errors import Code, Fault
from market.vocabulary import Capability
from models.bureau import BureauPull, RepaymentReport
from services import bureau_links, bureau_pulls, repayment_reports

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
NUMBER = "<int(max=2147483647):link_id>"
MOST_REPORTS = 50
_FEN = frozenset({"amount", "returned"})


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    page.add_url_rule("/bureau", view_func=show, endpoint="bureau")
    page.add_url_rule("/bureau", view_func=save, methods=["POST"], endpoint="bureau_save")
    page.add_url_rule(f"/bureau/{NUMBER}/pull", view_func=pull, methods=["POST"], endpoint="bureau_pull")


@allows(*ROLES)
def show() -> Answer:
    """Show the links with their last good days, the newest pulls, and the lenders' reports."""
    return _show(Form())


@allows(Capability.OFFICER)
def save() -> Answer:
    """Make a link, or change one."""
    form = Form(asked.form)
    form.run(
        bureau_links.save,
        form.text("name", most=80),
        form.text("base_url", most=200),
        form.text("token", required=False, most=bureau_links.LONGEST_TOKEN),
        link_id=form.whole("link_id", required=False, least=1, most=2**31 - 1),
        is_active=form.flag("is_active"),
        by=acting(),
        now=now(),
        sealer=current_app.extensions["sealer"],
    )
    if not form.ok:
        return _show(form)
    flash(gettext("The link is saved. The clock asks the bureau every morning after six."), "done")
    return redirect(url_for("officer.bureau"), 303)


@allows(Capability.OFFICER)
def pull(link_id: int) -> Answer:
    """Ask a bureau for a day now."""
    form = Form(asked.form, aliases={"day": "pull_day"}, labels={"pull_day": lazy_gettext("Day")})
    by, at = acting(), now()
    # Whoever has no such link is told so before anything else.
    bureau_links.find(link_id, by=by)
    sealer = current_app.extensions["sealer"]
    done = form.run(bureau_pulls.pull_day, link_id, form.day("pull_day"), by=by, now=at, sealer=sealer)
    if done is None:
        return _show(form)
    last = done[-1]
    if last.failure is not None:
        flash(say_failure(last), "warning")
    else:
        imported, updated = sum(row.imported for row in done), sum(row.updated for row in done)
        words = {"imported": imported, "updated": updated, "rejected": sum(row.rejected for row in done)}
        flash(
            gettext("Fetched: %(imported)s new, %(updated)s changed, %(rejected)s refused.", **words), "done"
        )
    return redirect(url_for("officer.bureau"), 303)


def say_failure(row: BureauPull) -> str:
    """Return why a pull failed, in the reader's language."""
    failure = row.failure or {}
    said = str(labels.label(PullFailure(failure["why"])))
    values = failure.get("values") or {}
    return f"{said} ({', '.join(str(value) for value in values.values())})" if values else said


def _show(form: Form) -> Answer:
    by, at = acting(), now()
    if not form.values:
        form.values.update({"is_active": "1", "pull_day": _yesterday(at).isoformat()})
    standings = [bureau_links.read_standing(link) for link in bureau_links.list_links(by.zone_id)]
    return form.page(
        "officer/bureau.html",
        standings=standings,
        choices=[(standing.link.id, standing.link.name) for standing in standings],
        kinds=tuple(BureauKind),
        reports=repayment_reports.find_page(by, most=MOST_REPORTS),
        yesterday=_yesterday(at),
        say_failure=say_failure,
        say_rejection=_say_rejection,
        say_difference=_say_difference,
    )


def _yesterday(at: Any) -> date:
    return local_date(at) - timedelta(days=1)


def _say_rejection(said: dict[str, Any]) -> str:
    return f"{said['place']}: {messages.sentence(Fault(Code(said['code']), said['field'], said['values']))}"


def _say_difference(row: RepaymentReport, difference: dict[str, Any]) -> str:
    name = difference["field"]
    if name is None:
        return gettext("The loan book has no such loan.")
    word = labels.FIELDS[FIGURES[name]]
    return gettext(
        "%(figure)s: reported %(reported)s, booked %(booked)s",
        figure=word,
        reported=_word(name, difference["reported"]),
        booked=_word(name, difference["booked"]),
    )


def _word(name: str, value: Any) -> str:
    if value is None:
        return "—"
    return f"¥{exact(value)}" if name in _FEN else str(word_day(date.fromisoformat(value)))
