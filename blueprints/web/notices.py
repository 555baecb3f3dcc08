"""Notices: what one's organisation is told, behind the bell of every page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import access, notice_words
from blueprints.access import allows
from blueprints.web import paging
from market.procurement_vocabulary import NoticeKind
from market.vocabulary import Capability
from models.notice import Notice
from services import notices

Answer = str | Response | tuple[str, int]
NUMBER = "<int(max=2147483647):notice_id>"

page = Blueprint("notices", __name__)

#: Where what a notice tells of can be seen, for those kinds that have a page of their own.
_PAGES = {
    NoticeKind.AWARD_NOTICE: "procurement.awards",
    NoticeKind.AWARDS_OF_DAY: "institution.opportunities",
    NoticeKind.INTENTION: "procurement.intentions",
}


@page.get("/notices", endpoint="notices")
@allows(*Capability)
def show_list() -> Answer:
    """List the notices to one's organisation, newest first."""
    party = access.acting()
    unread = request.args.get("view") == "unread"
    return render_template(
        "notices/list.html",
        page=paging.slice_rows(notices.list_for(party, unread=unread), paging.asked((), "")),
        unread=unread,
        waiting=notices.count_unread(party),
        say=notice_words.notice,
        target=find_target,
    )


@page.post(f"/notices/{NUMBER}/read", endpoint="notices_read")
@allows(*Capability)
def read(notice_id: int) -> Answer:
    """Mark a notice as read and go on to what it tells of."""
    notice = notices.mark_read(notice_id, by=access.acting(), now=access.now())
    return redirect(find_target(notice) or url_for("notices.notices"), 303)


@page.post("/notices/read", endpoint="notices_read_all")
@allows(*Capability)
def read_all() -> Answer:
    """Mark all notices as read."""
    notices.mark_all_read(by=access.acting(), now=access.now())
    flash(gettext("All notices are marked as read."), "done")
    return redirect(url_for("notices.notices"), 303)


def find_target(notice: Notice) -> str | None:
    """Return the address of what a notice tells of, or None where it says all there is."""
    endpoint = _PAGES.get(notice.kind)
    if endpoint is not None:
        return url_for(endpoint)
    subject, number = notice.subject.split(":")[:2]
    return url_for("deposits.deposits_show", deposit_id=int(number)) if subject == "deposit" else None


def count_unread() -> int:
    """Return how many notices wait for whoever looks at this page."""
    party = access.current_party()
    return 0 if party is None else notices.count_unread(party)


def context() -> dict[str, Any]:
    """Return what the frame of every page asks for the bell; counted only when it is shown."""
    return {"unread_notices": count_unread}
