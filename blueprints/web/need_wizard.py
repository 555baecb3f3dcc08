"""Posting a need, one thing per page: what for, how much, security, bidding, who sees it, publication."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from blueprints import access, formats
from blueprints.access import allows
from blueprints.web import need_answers, need_forms, need_hints, need_words
from blueprints.web.forms import Form
from blueprints.web.need_answers import Answers
from market.errors import Code
from market.vocabulary import Capability, NeedState, OfferKind, Purpose, Repayment, Security
from models.need import Need
from services import contracts, needs, visibility

Answer = str | Response | tuple[str, int]

#: The steps in order: their names in addresses, and their words.
STEPS: dict[str, Any] = {
    "purpose": lazy_gettext("What for"),
    "amount": lazy_gettext("How much"),
    "security": lazy_gettext("Security"),
    "bidding": lazy_gettext("Bidding"),
    "audience": lazy_gettext("Who sees it"),
    "options": lazy_gettext("Choices"),
    "review": lazy_gettext("Review"),
}
_ORDER = list(STEPS)
#: Steps that can be done before there is a draft.
_BEFORE_DRAFT = ("purpose", "amount")
#: What a form sends beside answers.
_ASIDE = frozenset({"csrf_token", "go"})
#: What the market may suggest beside amount and tenor, and the words it may be.
_FIXED_BY_WORD: dict[str, type[StrEnum]] = {
    "securities": Security,
    "accepts": OfferKind,
    "repayment": Repayment,
}


def init(page: Blueprint) -> None:
    """Add the addresses to the blueprint."""
    draft = "/needs/<int(max=2147483647):need_id>"
    page.add_url_rule("/needs/new", "needs_new", needs_new, methods=["GET", "POST"])
    page.add_url_rule("/needs/new/<step>", "needs_new", needs_new, methods=["GET", "POST"])
    page.add_url_rule(f"{draft}/edit", "needs_edit", needs_edit, methods=["GET", "POST"])
    page.add_url_rule(f"{draft}/edit/<step>", "needs_edit", needs_edit, methods=["GET", "POST"])
    page.add_url_rule(f"{draft}/fix", "needs_fix", needs_fix, methods=["POST"])
    page.add_url_rule(f"{draft}/publish", "needs_publish", needs_publish, methods=["GET", "POST"])
    page.add_url_rule("/needs/hints", "needs_hints", needs_hints)


@allows(Capability.ENTERPRISE_MAKER)
def needs_new(step: str = "purpose") -> Answer:
    """Show or take a step of a need that is not stored yet."""
    if step not in _BEFORE_DRAFT:
        abort(404)
    chosen = request.args.get("contract", type=int)
    if request.method == "GET" and chosen is not None and _is_financeable(chosen):
        need_answers.keep(None, {"purpose": Purpose.CONTRACT.value, "contract_id": chosen})
    if step == "amount" and not need_answers.known(None).get("purpose"):
        return redirect(url_for("enterprise.needs_new"), 303)
    return _step(None, step)


@allows(Capability.ENTERPRISE_MAKER)
def needs_edit(need_id: int, step: str = "purpose") -> Answer:
    """Show or take a step of a stored draft."""
    if step not in STEPS:
        abort(404)
    need = _draft(need_id)
    if need is None:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    if step == "review":
        return _review(need)
    return _step(need, step)


@allows(Capability.ENTERPRISE_MAKER)
def needs_fix(need_id: int) -> Answer:
    """Take the change of the need that the market suggested."""
    need = _draft(need_id)
    form = Form(request.form)
    fact = form.text("fact", most=20)
    value: Any = None
    if fact in {"amount", "months"}:
        value = form.whole("value", least=1)
    elif fact in _FIXED_BY_WORD:
        value = form.choice("value", _FIXED_BY_WORD[fact])
    if need is None or fact is None or value is None or not form.ok:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    changed = need_answers.known(need)
    if isinstance(changed[fact], list):
        # What the firm offers or accepts already stays: the change adds to it.
        value = [*dict.fromkeys([*changed[fact], value.value])]
    changed[fact] = value
    form.run(needs.edit, need.id, need_answers.to_draft(changed), by=access.acting(), now=access.now())
    if form.ok:
        flash(gettext("Changed. See which products fit now."), "success")
        return redirect(url_for("enterprise.needs_edit", need_id=need_id, step="review"), 303)
    return _review(need, form)


@allows(Capability.ENTERPRISE_MAKER)
def needs_publish(need_id: int) -> Answer:
    """Publish a draft for bids until its closing time."""
    need = _draft(need_id)
    if need is None:
        return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)
    if request.method == "GET":
        return redirect(url_for("enterprise.needs_edit", need_id=need_id, step="review"), 303)
    form = Form(request.form)
    closes_at = form.moment("closes_at")
    form.run(needs.publish, need.id, closes_at, by=access.acting(), now=access.now())
    if not form.ok:
        return _review(need, form)
    need_answers.forget(need)
    flash(
        gettext(
            "Published. Institutions can bid until %(time)s.",
            time=formats.moment_text(closes_at, zone=True),
        ),
        "success",
    )
    return redirect(url_for("enterprise.needs_show", need_id=need_id), 303)


@allows(Capability.ENTERPRISE_MAKER)
def needs_hints() -> Answer:
    """Answer what fits the answers as they are being typed; a part of a page, for htmx."""
    need_id = request.args.get("need_id", type=int)
    need = _draft(need_id) if need_id is not None else None
    step = request.args.get("step", "")
    answers = need_answers.known(need)
    if step in need_forms.READERS:
        form = Form(request.args)
        answers = answers | _given(need_forms.READERS[step](form))
    return need_hints.render(answers, need)


def _step(need: Need | None, step: str) -> Answer:
    answers = need_answers.known(need)
    if request.method == "GET":
        typed = need_answers.take_typed(need, step)
        form = need_forms.make(typed if typed is not None else need_forms.write(answers))
        return _show(need, step, form, answers)
    form = need_forms.make(request.form)
    read = need_forms.READERS[step](form)
    if read.get("contract_id") is not None and not _is_financeable(read["contract_id"]):
        form.refuse(Code.NOT_FOUND, "contract_id", what="contract", id=read["contract_id"])
    going_back = form.value("go") == "back"
    if form.ok:
        stored = _store(need, form, answers | read, read, step)
        if stored is not None or form.ok:
            return redirect(_address(stored or need, _neighbour(step, -1 if going_back else 1)), 303)
    if going_back:
        typed = {
            name: values for name, values in form.values.to_dict(flat=False).items() if name not in _ASIDE
        }
        need_answers.keep_typed(need, step, typed)
        return redirect(_address(need, _neighbour(step, -1)), 303)
    return _show(need, step, form, answers | _given(read))


def _store(need: Need | None, form: Form, answers: Answers, read: Answers, step: str) -> Need | None:
    """Store the answers as a draft, or keep them aside while they do not make one yet."""
    if not need_answers.is_complete(answers):
        need_answers.keep(need, read)
        return None
    content = need_answers.to_draft(answers)
    party, now = access.acting(), access.now()
    if need is None:
        stored = form.run(needs.draft, content, by=party, now=now)
    else:
        stored = form.run(needs.edit, need.id, content, by=party, now=now)
    if stored is not None:
        need_answers.forget(None)
        need_answers.forget(stored)
        return stored
    # A new contract may carry less than the amount of the draft: the next page asks for the amount anyway.
    if step == "purpose" and all(fault.field == "amount" for fault in form.faults):
        form.faults.clear()
        need_answers.keep(need, read)
    return None


def _show(need: Need | None, step: str, form: Form, answers: Answers) -> tuple[str, int]:
    party = access.acting()
    chosen = contracts.list_financeable(party) if step in {"purpose", "amount"} else []
    return form.page(
        f"enterprise/need_{step}.html",
        need=need,
        step=step,
        steps=STEPS,
        number=_ORDER.index(step) + 1,
        **need_forms.describe(chosen, party, contract_id=answers.get("contract_id")),
        answers=answers,
        hints=need_hints.find(answers),
    )


def _review(need: Need, form: Form | None = None) -> tuple[str, int]:
    usual = formats.local(needs.propose_closing(access.now()))
    form = form or Form({"closes_at": usual.strftime("%Y-%m-%dT%H:%M")})
    answers = need_answers.known(need)
    return form.page(
        "enterprise/need_review.html",
        need=need,
        step="review",
        steps=STEPS,
        number=len(STEPS),
        answers=answers,
        hints=need_hints.find(answers),
        named=visibility.list_named(need.id),
        need_words=need_words,
    )


def _draft(need_id: int) -> Need | None:
    """Return the firm's own need if it still is a draft; None for one that has moved on."""
    need = needs.find(need_id, by=access.acting())
    return need if need.state is NeedState.DRAFT else None


def _is_financeable(contract_id: int) -> bool:
    return any(contract.id == contract_id for contract in contracts.list_financeable(access.acting()))


def _given(read: Answers) -> Answers:
    return {name: value for name, value in read.items() if value is not None}


def _neighbour(step: str, by: int) -> str:
    return _ORDER[max(0, min(len(_ORDER) - 1, _ORDER.index(step) + by))]


def _address(need: Need | None, step: str) -> str:
    if need is not None:
        return url_for("enterprise.needs_edit", need_id=need.id, step=step)
    return url_for("enterprise.needs_new", step=None if step == "purpose" else step)
