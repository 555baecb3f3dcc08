"""The public page of locked, changed and released payee accounts."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from blueprints import access
from blueprints.access import public
from blueprints.web import paging
from market.errors import not_found
from services import account_notices

Answer = str | Response


def init(page: Blueprint) -> None:
    """Add the page to the public ones."""
    page.add_url_rule("/account-notices", "account_notices", show)


@public
def show() -> Answer:
    """List what is published of payee accounts in the zone, the newest first."""
    zone = access.current_zone()
    if zone is None:
        raise not_found("zone", "default")
    part = paging.asked({"newest"}, "newest")
    found = account_notices.find_page(zone.id, offset=part.offset, most=part.size)
    return render_template(
        "public/account_notices.html", zone=zone, page=paging.Page(found.rows, found.total, part)
    )
