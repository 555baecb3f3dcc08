"""Questions on a need: the bidder's form, the firm's answer; both stand on the pages of the need."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext

from blueprints.access import acting, allows, now
from blueprints.web.forms import Form
from market.vocabulary import Capability
from services import needs, questions
from services.questions import ANSWER_MOST, QUESTION_MOST

Answer = Any

NUMBER = "<int(max=2147483647):need_id>"


def init_firm(page: Blueprint) -> None:
    """Add the firm's address to its blueprint."""
    page.add_url_rule(
        f"/needs/{NUMBER}/questions/<int(max=2147483647):question_id>",
        "needs_answer",
        answer,
        methods=["POST"],
    )


def init_institution(page: Blueprint) -> None:
    """Add the bidder's address to its blueprint."""
    page.add_url_rule(f"/opportunities/{NUMBER}/questions", "opportunities_ask", ask, methods=["POST"])


@allows(Capability.INSTITUTION_BIDDER)
def ask(need_id: int) -> Answer:
    """Ask the firm; nobody learns who did."""
    form = Form(request.form)
    text = form.text("question", most=QUESTION_MOST)
    if form.run(questions.ask, need_id, text, by=acting(), now=now()) is None:
        return form.page(
            "institution/question.html", need=needs.find(need_id, by=acting()), most=QUESTION_MOST
        )
    flash(
        gettext("Your question is with the firm. Its answer goes to all bidders; nobody learns who asked."),
        "done",
    )
    return redirect(url_for("institution.opportunities_show", need_id=need_id, _anchor="questions"), 303)


@allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
def answer(need_id: int, question_id: int) -> Answer:
    """Answer a question to all bidders alike."""
    field = f"answer-{question_id}"
    form = Form(request.form, aliases={"answer": field}, labels={field: gettext("Answer")})
    text = form.text(field, most=ANSWER_MOST)
    if form.run(questions.answer, need_id, question_id, text, by=acting(), now=now()) is None:
        asked = questions.find(need_id, question_id, by=acting())
        return form.page("enterprise/question.html", need_id=need_id, asked=asked, most=ANSWER_MOST)
    flash(gettext("Your answer is published to all bidders, with the question."), "done")
    return redirect(url_for("enterprise.needs_show", need_id=need_id, _anchor="questions"), 303)
