"""What runs while a need is open, beside its other facts: the standing, kept fresh, and early openings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template

from blueprints.access import acting, allows, current_party, now
from market.vocabulary import Capability
from models.need import EarlyOpening, Need
from services import early_openings, needs, standings
from services.standings import Standing

Answer = Any

READERS = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)
#: What htmx takes for "here is the last answer, ask no more".
LAST_ANSWER = 286

page = Blueprint("standings", __name__)


@dataclass(frozen=True, slots=True)
class Openings:
    """The requests to open a need early that its reader is told of, and the officers' names."""

    requests: list[EarlyOpening]
    names: dict[int, str]


@page.get("/needs/<int(max=2147483647):need_id>/standing", endpoint="show")
@allows(*READERS)
def show_standing(need_id: int) -> Answer:
    """Show how the bidding on a need stands now: a part of several pages, asked for again and again."""
    need = needs.find(need_id, by=acting())
    stand = read_standing(need)
    status = 200 if stand is not None and stand.is_open else LAST_ANSWER
    return render_template("standing.html", need=need, polled=True), status


@page.app_context_processor
def _tell() -> dict[str, Any]:
    return {"standing_of": read_standing, "early_openings_of": read_openings}


def read_standing(need: Need) -> Standing | None:
    """Return the standing of a published need as far as it is the reader's to know."""
    party = current_party()
    if party is None or need.published_at is None or not party.may(*READERS):
        return None
    return standings.read(need.id, by=party, now=now(), sealer=current_app.extensions["sealer"])


def read_openings(need: Need) -> Openings:
    """Return the early openings of a need that its reader is told of."""
    found = early_openings.list_for_need(need.id, by=acting()) if need.published_at is not None else []
    return Openings(found, early_openings.read_names(found))
