"""Changing an open need: every field on one page, then what the change would void, then it is done."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints import access, labels
from blueprints.access import allows
from blueprints.web import need_answers, need_forms, need_words
from blueprints.web.forms import Form
from market.vocabulary import Capability, NeedState
from models.need import Need
from services import contracts, need_changes, needs

Answer = str | Response | tuple[str, int]

#: What a form sends beside answers.
_ASIDE = frozenset({"csrf_token", "go"})


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule(
        "/needs/<int(max=2147483647):need_id>/change", "needs_change", needs_change, methods=["GET", "POST"]
    )


@allows(Capability.ENTERPRISE_MAKER)
def needs_change(need_id: int) -> Answer:
    """Show an open need to be changed, what a change would do, or make it."""
    need = needs.find(need_id, by=access.acting())
    if need.state is NeedState.DRAFT:
        return redirect(url_for("enterprise.needs_edit", need_id=need_id), 303)
    if need.state is not NeedState.OPEN:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    if request.method == "GET":
        values = need_forms.write(need_answers.of_need(need))
        values["revision"] = need.revision
        return _show(need, need_forms.make(values))
    form = need_forms.make(request.form)
    read = need_forms.read_all(form)
    revision = form.whole("revision", least=1)
    if form.value("go") == "back" or not form.ok:
        return _show(need, form)
    content = need_answers.to_draft(need_answers.of_need(need) | read)
    by, now = access.acting(), access.now()
    if form.value("go") == "apply":
        form.run(need_changes.change, need.id, content, by=by, now=now, revision=revision)
        if not form.ok:
            return _show(need, form)
        flash(
            gettext("The need is changed. Institutions that may see it find the difference on its page."),
            "success",
        )
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    planned = form.run(need_changes.plan, need.id, content, by=by, now=now)
    if planned is None:
        return _show(need, form)
    if planned.is_empty:
        flash(gettext("Nothing is different, so nothing was changed."), "action")
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    return form.page(
        "enterprise/need_change_check.html",
        need=need,
        planned=planned,
        differences=need_words.describe(planned.differences),
        others=[labels.field_label(field) for field in planned.others],
        hidden=_hidden(form.values),
        moved=planned.closes_at if planned.closes_at != need.closes_at else None,
    )


def _show(need: Need, form: Form) -> tuple[str, int]:
    party = access.acting()
    chosen = contracts.list_financeable(party)
    return form.page(
        "enterprise/need_change.html",
        need=need,
        bidding=need_words.describe_bidding(need),
        **need_forms.describe(chosen, party, contract_id=need.contract_id),
    )


def _hidden(values: MultiDict[str, Any]) -> list[tuple[str, Any]]:
    """Return what was typed, to be sent once more."""
    return [(name, value) for name, value in values.items(multi=True) if name not in _ASIDE]
