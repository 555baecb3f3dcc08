"""Loading: the whole year in order, the same for a given seed and day, with a mark at its beginning and end.

A load that was cut short leaves its first mark without the last one. Then everything in the database is the
demo's own, unless somebody has used the market since: see ``find_state``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import func, select

from market.calendar import add_months
from market.vocabulary import LimitScope
from models.audit import AuditEntry
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.organisation import Limit, Organisation
from models.product import Product
from models.user import User
from scripts.demo import bidding, cast, contracts, demand, elsewhere, ending, procurement, records, shelf
from scripts.demo.dealing import Dealing
from scripts.demo.lending import Lending
from scripts.demo.timeline import Timeline, at_minute, shift
from services import audit, limit_settings, products, zones

BEGUN, FINISHED = "demo.begin", "demo.finish"
SEED = 20260601
#: Share of the work, in percent, that is done when the people, the shelf and the history stand.
_PEOPLE, _SHELF, _HISTORY = 12, 16, 99

Say = Callable[[str], None]


class State(Enum):
    """What stands in a database."""

    EMPTY = auto()
    FINISHED = auto()  # a whole demo market, perhaps used since
    UNFINISHED = auto()  # a demo market that was cut short, and nothing else
    FOREIGN = auto()  # somebody's own market


@dataclass(frozen=True, slots=True)
class Summary:
    """How much was loaded."""

    organisations: int
    products: int
    needs: int
    bids: int
    loans: int

    def __str__(self) -> str:
        return (
            f"{self.organisations} organisations, {self.products} products, {self.needs} needs, "
            f"{self.bids} bids, {self.loans} loans"
        )


def find_state() -> State:
    """Return what stands in the database."""
    session = db.session()
    marks = {
        entry.action: entry
        for entry in session.scalars(select(AuditEntry).where(AuditEntry.action.in_([BEGUN, FINISHED])))
    }
    if FINISHED in marks:
        return State.FINISHED
    if BEGUN in marks:
        # The demo writes nothing dated after its last day; people and the clock do.
        end = datetime.fromisoformat(marks[BEGUN].details["end"])
        later = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.at > end))
        return State.FOREIGN if later else State.UNFINISHED
    used = session.scalar(select(Organisation.id).limit(1)) or session.scalar(select(User.id).limit(1))
    return State.EMPTY if used is None else State.FOREIGN


def clear() -> None:
    """Take an unfinished demo market out again: every table anew, so that numbers start at one."""
    db.session.remove()
    flask_migrate.downgrade(revision="base")
    flask_migrate.upgrade()
    db.session.remove()


def load(app: Flask, *, seed: int, day: date, say: Say = lambda text: None) -> Summary:
    """Load the demo market as it stands on the morning of ``day``; needs an empty, migrated database."""
    opening = shift(add_months(day, -12), 0)
    start, end = at_minute(opening, 9 * 60), at_minute(day, 0)
    zone = zones.default()
    assert zone is not None, "the migrations seed a default zone"
    audit.note(BEGUN, zone.id, now=start, seed=seed, day=day.isoformat(), end=end.isoformat())

    people = cast.found_zones(now=start)
    total = len(cast.read_table("organisations")) + len(cast.read_table("firms"))
    for number, _ in enumerate(
        cast.assemble(people, seed, now=start, passwords=app.extensions["passwords"]), 1
    ):
        say(f"{_PEOPLE * number // total} % organisations and people")
    procurement.sign(people, day, now=at_minute(shift(opening, 1), 9 * 60))
    stalls = shelf.fill(people, now=at_minute(shift(opening, 1), 9 * 60 + 30))
    say(f"{_SHELF} % products")

    dealings: list[Dealing] = []
    slots = {people.zone_ids[0]: cast.LUDAO[3], people.zone_ids[1]: cast.JISHUI[3]}
    timeline = Timeline(end, slots, lambda zone_id, now: dealings[0].tick(zone_id, now))
    lending = Lending(people, timeline, seed)
    dealing = Dealing(people, stalls, timeline, lending, app.extensions["sealer"])
    dealings.append(dealing)
    plans = demand.plan_year(people, seed, opening, day) + demand.plan_clashes(people, seed, day)
    last = ending.plan_ending(people, seed, day)
    for plan in plans + last:
        dealing.play(plan)
    bidding.play(people, stalls, last, timeline, day)
    contracts.play(people, timeline, dealing, lending, seed)
    records.play(people, timeline, day)
    procurement.play(people, timeline, day)
    elsewhere.play(people, timeline, day)
    ending.play_drafts(people, timeline, seed, day)
    _take_off_shelf(timeline, stalls, people.zone_ids[0], day)
    _tighten(people, timeline, day)
    for zone_id in people.zone_ids:
        timeline.tick_last(zone_id)
    said = ""
    for moment in timeline.run():
        done = _SHELF + (_HISTORY - _SHELF) * (moment - start) // (end - start)
        text = f"{done} % the market in {moment:%Y-%m}"
        if text != said:
            say(text)
            said = text

    summary = Summary(*(_count(table) for table in (Organisation, Product, Need, Bid, Loan)))
    audit.note(FINISHED, people.zone_ids[0], now=end, seed=seed, day=day.isoformat())
    return summary


def _take_off_shelf(timeline: Timeline, stalls: dict[int, shelf.Listed], zone_id: int, day: date) -> None:
    """Let one bank stop offering one product, as banks do."""
    listed = next(s for s in stalls.values() if (s.seller.slug, s.family.key) == ("nanyan", "quick"))

    def stop(now: datetime) -> None:
        products.set_listed(listed.product_id, False, by=listed.seller.parties[zone_id], now=now)

    timeline.at(at_minute(shift(day, -30), 9 * 60), stop)


def _tighten(people: cast.Cast, timeline: Timeline, day: date) -> None:
    """Let one bank's limit be used up almost, now and then, and raised again a week later."""
    bank = people.members[demand.TIGHT_BANK]
    checker = bank.second(people.zone_ids[0])

    def leave(room: int, now: datetime) -> None:
        limit = db.session.scalars(
            select(Limit).where(
                Limit.organisation_id == bank.organisation_id, Limit.scope == LimitScope.TOTAL
            )
        ).one()
        cap = limit.used + room * cast.WAN
        limit_settings.set_limit(bank.organisation_id, LimitScope.TOTAL, cap, by=checker, now=now)

    for back in demand.CLASHES:
        timeline.at(at_minute(shift(day, -back), 9 * 60), lambda now: leave(demand.TIGHT_ROOM, now))
        timeline.at(at_minute(shift(day, 5 - back), 9 * 60), lambda now: leave(4000, now))


def _count(table: Any) -> int:
    return db.session.scalar(select(func.count(table.id))) or 0
