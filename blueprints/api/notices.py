"""Notices: what the caller's organisation is told inside the market."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from blueprints import access, notice_words
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer
from blueprints.api.terms import show_facts
from market.procurement_vocabulary import NoticeKind
from market.vocabulary import Capability
from models.notice import Notice as Row
from services import notices

notice_routes = Blueprint("notices", __name__, "What the caller's organisation is told.")

#: Figures in a notice's details that are kept in fen.
_AMOUNTS = frozenset({"amount"})


class NoticeAnswer(Answer):
    """A notice."""

    id = fields.Count()
    kind = fields.Word(NoticeKind)
    subject = fields.Said("What it tells of.", metadata={"example": "intention:7"})
    text = fields.Said("What it says, in the caller's language.")
    details = fields.Facts("The same for programs.")
    created_at = fields.Moment()
    read_at = fields.Moment(allow_none=True)


class NoticeQuery(Page):
    """Which notices."""

    unread = fields.FlagNumber("Only those nobody has read.")


class NoticesRead(Answer):
    """How many notices were marked as read."""

    count = fields.Count()


@notice_routes.route("/notices")
class Notices(MethodView):
    """Notices to the caller."""

    @notice_routes.doc(operationId="listNotices")
    @notice_routes.arguments(NoticeQuery, location="query")
    @notice_routes.response(200, page_of(NoticeAnswer, "NoticePage"))
    @allows(*Capability)
    def get(self, query: dict[str, Any]) -> Any:
        """List the newest notices to the caller's organisation, and to the caller in person."""
        found = cut(notices.list_for(access.acting(), unread=query.get("unread", False)), query)
        return {**found, "items": [show(row) for row in found["items"]]}


@notice_routes.route("/notices/read")
class NoticesReading(MethodView):
    """Reading them all."""

    @notice_routes.doc(operationId="readAllNotices")
    @notice_routes.response(200, NoticesRead)
    @allows(*Capability)
    def post(self) -> Any:
        """Mark all notices to the caller as read."""
        return {"count": notices.mark_all_read(by=access.acting(), now=access.now())}


@notice_routes.route(f"/notices/<{fields.ID}:notice_id>/read")
class NoticeReading(MethodView):
    """Reading one."""

    @notice_routes.doc(operationId="readNotice")
    @notice_routes.response(200, NoticeAnswer)
    @allows(*Capability)
    def post(self, notice_id: int) -> Any:
        """Mark a notice as read."""
        return show(notices.mark_read(notice_id, by=access.acting(), now=access.now()))


def show(row: Row) -> dict[str, Any]:
    """Return a notice with its words, amounts of its details in yuan."""
    made = {"text", "details"}
    plain = {name: getattr(row, name) for name in NoticeAnswer().fields if name not in made}
    details = show_facts(row.details, _AMOUNTS)
    return {**plain, "text": notice_words.notice(row.kind, row.details), "details": details}
