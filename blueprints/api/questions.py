"""Questions on a need: asked by bidders who stay unknown, answered by the firm to all of them alike."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.parsing import Answer, Body
from market.vocabulary import Capability
from services import questions
from services.questions import ANSWER_MOST, QUESTION_MOST

question_routes = Blueprint("questions", __name__, "Questions of bidders and the firm's answers.")

READERS = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)


class QuestionEntry(Body):
    """A question."""

    question = fields.Text("Shown as it stands: do not say who you are.", most=QUESTION_MOST, required=True)


class AnswerEntry(Body):
    """An answer."""

    answer = fields.Text("Goes to all bidders.", most=ANSWER_MOST, required=True)


class QuestionAnswer(Answer):
    """A question with its answer; who asked, and when, is not told to anybody."""

    id = fields.Count("For the firm alone, which answers by it.", allow_none=True)
    question = fields.Said(attribute="text")
    answer = fields.Said(allow_none=True)
    answered_at = fields.Moment(allow_none=True)
    own = fields.Flag("Whether the caller's own institution asked.")


class QuestionList(Answer):
    """The questions the caller may read: all for the firm, else those with an answer and one's own."""

    items = fields.Many(fields.Part(QuestionAnswer), most=10_000)


@question_routes.route(f"/needs/<{fields.ID}:need_id>/questions")
class Questions(MethodView):
    """Questions on one need."""

    @question_routes.doc(operationId="listQuestions")
    @question_routes.response(200, QuestionList)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """List the questions on a need; one without an answer is the firm's and the asker's alone."""
        return {"items": questions.list_for(need_id, by=access.acting())}

    @question_routes.doc(operationId="askQuestion")
    @question_routes.arguments(QuestionEntry)
    @question_routes.response(201, QuestionAnswer)
    @allows(Capability.INSTITUTION_BIDDER)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Ask the firm before the close; question and answer go to all bidders alike."""
        return questions.ask(need_id, data["question"], by=access.acting(), now=access.now())


@question_routes.route(f"/needs/<{fields.ID}:need_id>/questions/<{fields.ID}:question_id>/answer")
class QuestionReply(MethodView):
    """The firm's answer."""

    @question_routes.doc(operationId="answerQuestion")
    @question_routes.arguments(AnswerEntry)
    @question_routes.response(200, QuestionAnswer)
    @allows(Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER)
    def put(self, data: dict[str, Any], need_id: int, question_id: int) -> Any:
        """Answer a question on one's own need, once, before the close."""
        return questions.answer(need_id, question_id, data["answer"], by=access.acting(), now=access.now())
