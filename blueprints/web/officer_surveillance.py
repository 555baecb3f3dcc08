"""What stands out in a zone's bidding: patterns an officer should ask about, with the rows behind them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from blueprints.access import acting, allows, now
from market.vocabulary import Capability
from services import surveillance

Answer = Any

ROLES = (Capability.OFFICER, Capability.AUDITOR)
SPANS = (30, 90, 365)


def init(page: Blueprint) -> None:
    """Add the address to the blueprint."""
    page.add_url_rule("/surveillance", view_func=show, endpoint="surveillance")


@allows(*ROLES)
def show() -> Answer:
    """Show the patterns of the last days; how many days is one of a few choices."""
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else surveillance.DAYS_USUAL
    report = surveillance.read(by=acting(), now=now(), days=days)
    return render_template("officer/surveillance.html", report=report, spans=SPANS)
