"""The canary: before the opening a bank's bid tells nobody else anything, wherever they look or ask.

The same walk over every route is made in worlds that differ in nothing but what one bank bids, and nothing at
all is one of them. What everybody else is told must be the same to the byte, headers and refusals included.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Map, Rule

from blueprints import clock
from models.base import Base, db
from models.bid import Bid
from services.clock import run_due
from services.sealing import Sealer
from tests.blueprints import canary_market
from tests.blueprints.canary_market import (
    AMOUNT,
    CANARY,
    DAY,
    HOUR,
    LEADING,
    LEAST,
    RATE,
    WORLDS,
    Cast,
    Chance,
)
from tests.blueprints.canary_walk import Answers, Walk
from tests.databases import SQLite, follow_setting, fresh, make_app

#: Everybody but the canary's own people.
OTHERS = (
    *("firm", "approver", "neighbour", "rival", "watcher", "guarantor", "officer", "auditor", "purchaser"),
    *("far officer", "public"),
)
NAME = b"canary"


@dataclass(frozen=True)
class Stage:
    """An application, and a file for each world to put under it."""

    app: Flask
    cast: Cast
    chance: Chance
    folder: Path
    patch: pytest.MonkeyPatch

    def walk(self, world: str, at: datetime, names: Collection[str], trying: Collection[str] = ()) -> Answers:
        """Return what the people are told in a world at a moment; some of them try out every call too."""
        canary_market.restore(self.app, self.folder / world)
        self.patch.setattr(clock, "read", lambda zone=None: at)
        return Walk(self.app, self.cast, self.folder / world, at, self.chance).go(names, trying)

    @property
    def before(self) -> datetime:
        """Return a moment on the second day, when all is open and one need is between its rounds."""
        return self.close - 2 * DAY + HOUR

    @property
    def close(self) -> datetime:
        """Return the moment of the close, at which nothing is opened yet."""
        assert self.cast.closes_at is not None
        return self.cast.closes_at


@pytest.fixture(scope="module")
def stage(sqlite_databases: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every world, made once."""
    folder = tmp_path_factory.mktemp("canary")
    now = datetime.fromisoformat("2026-11-20T02:00:00+00:00")
    app = make_app(sqlite_databases.create(migrated=False), WTF_CSRF_ENABLED=False)
    follow_setting(app)
    with pytest.MonkeyPatch.context() as patch, fresh(app, sqlite_databases):
        chance, sealer = canary_market.tame(patch), app.extensions["sealer"]
        with app.app_context():
            cast = canary_market.found(now, sealer, chance)
        canary_market.keep(app, folder / "base")
        for name, quotes in WORLDS.items():
            canary_market.restore(app, folder / "base")
            with app.app_context():
                canary_market.bid(cast, quotes, now, sealer, chance)
            canary_market.keep(app, folder / name)
        yield Stage(app, cast, chance, folder, patch)


def list_differences(one: Answers, other: Answers) -> list[str]:
    """Return the questions that were answered otherwise."""
    assert one.keys() == other.keys()
    return [asked for asked, told in one.items() if other[asked] != told]


def list_spellings() -> list[str]:
    """Return the canary's figures as a text may say them."""
    return [*canary_market.spell(AMOUNT, [RATE]), *canary_market.spell(LEAST, [])]


@pytest.mark.parametrize(
    ("moment", "trying", "world"), [("before", OTHERS, "busy"), ("close", ("firm", "rival"), "other")]
)
def test_until_the_opening_no_answer_depends_on_what_another_bids(
    stage: Stage, moment: str, trying: Collection[str], world: str, caplog: pytest.LogCaptureFixture
) -> None:
    at = getattr(stage, moment)
    caplog.set_level(logging.DEBUG)
    # The driver's own log of statements is off unless somebody turns it on; it would take most of the time.
    caplog.set_level(logging.WARNING, "sqlalchemy")
    nothing = stage.walk("none", at, OTHERS, trying)
    found = stage.walk(world, at, OTHERS, trying)
    assert len(found) > 1500
    # What is told where nothing is bid tells nothing of a bid: no amount, no price, not that there is one.
    assert list_differences(nothing, found) == []
    assert [said for said in list_spellings() if said in caplog.text] == []


def test_the_best_bid_shows_its_cost_where_that_is_the_policy_and_never_its_name(stage: Stage) -> None:
    names = ("firm", "rival", "watcher")
    nothing, leading = (stage.walk(world, stage.before, names) for world in ("none", "leading"))
    anonymous, between = (stage.cast.needs[name] for name in ("anonymous", "between"))
    differing = list_differences(nothing, leading)
    about = {
        number: [asked for asked in differing if f"/{number}" in asked] for number in (anonymous, between)
    }
    assert about[anonymous] and about[between]
    assert sorted(about[anonymous] + about[between]) == sorted(differing)
    # Between sealed rounds only those who bid learn how they stand.
    assert {asked.partition(":")[0] for asked in about[between]} == {"rival"}
    for asked in differing:
        assert leading[asked].count(NAME) == nothing[asked].count(NAME), asked
        for said in canary_market.spell(AMOUNT, [LEADING]):
            assert said.encode() not in leading[asked], asked


def test_after_the_opening_those_who_may_see_the_bid_do_and_its_rivals_learn_no_name(stage: Stage) -> None:
    after = stage.close + HOUR
    told: dict[str, Answers] = {}
    for world in ("none", "other"):
        canary_market.restore(stage.app, stage.folder / world)
        with stage.app.app_context():
            run_due(stage.cast.parties["firm"].zone_id, now=after, sealer=stage.app.extensions["sealer"])
        canary_market.keep(stage.app, stage.folder / f"{world} opened")
        told[world] = stage.walk(f"{world} opened", after, ("firm", "rival", "officer", "public"))
    sealed = stage.cast.needs["sealed"]
    for asked in (
        f"firm: GET /api/v1/needs/{sealed}/offers ",
        f"officer: GET /api/v1/needs/{sealed}/offers ",
        f"firm: GET /needs/{sealed}/offers/{CANARY + 1} ",
        f"officer: GET /board/needs/{sealed} ",
    ):
        assert told["other"][asked] != told["none"][asked], asked
        assert NAME in told["other"][asked], asked
    assert b'"3141592.65"' in told["other"][f"firm: GET /api/v1/needs/{sealed}/offers "]
    for asked in list_differences(told["none"], told["other"]):
        if asked.partition(":")[0] in {"rival", "public"}:
            assert told["other"][asked].count(NAME) == told["none"][asked].count(NAME), asked


def dump(besides: int) -> Iterator[tuple[str, str]]:
    """Yield every row of the database but the bids on one need, which stand in clear; as (table, text)."""
    db.session.rollback()
    with db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            query = sa.select(table).order_by(*table.primary_key.columns)
            if table.name == Bid.__tablename__:
                query = query.where(table.c.need_id != besides)
            for row in connection.execute(query).mappings():
                # A seal is cipher, and a receipt a hash over it: they may hold any digits, but of one length.
                plain = {
                    name: len(value) if name in {"seal", "receipt_hash"} else value
                    for name, value in row.items()
                }
                if table.name == "audit_entries":
                    plain["details"] = {k: v for k, v in row["details"].items() if k != "receipt"}
                yield table.name, json.dumps(plain, default=str, ensure_ascii=False)


def test_a_dump_says_how_many_bids_there_are_and_nothing_of_what_they_say(stage: Stage) -> None:
    dumps = []
    for world in ("plain", "other"):
        canary_market.restore(stage.app, stage.folder / world)
        with stage.app.app_context():
            dumps.append(list(dump(stage.cast.needs["anonymous"])))
    assert dumps[0] == dumps[1]
    assert sum(table == "bids" and str(CANARY)[:6] in row for table, row in dumps[0]) == 4


@pytest.mark.parametrize("world", ["other", "busy"])
def test_no_row_of_either_database_spells_a_sealed_amount_or_price(
    app: Flask, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch, world: str
) -> None:
    chance = canary_market.tame(monkeypatch)
    cast = canary_market.found(now, sealer, chance)
    canary_market.bid(cast, WORLDS[world], now, sealer, chance)
    rows = [row for _, row in dump(cast.needs["anonymous"])]
    assert [row for row in rows for said in list_spellings() if said in row] == []
    # Once a need is opened they stand there: what is looked for would be found.
    assert cast.closes_at is not None
    run_due(cast.parties["firm"].zone_id, now=cast.closes_at + HOUR, sealer=sealer)
    opened = " ".join(row for _, row in dump(cast.needs["anonymous"]))
    assert "0.052739" in opened or "5273900" in opened


def test_a_route_that_the_walk_cannot_fill_or_call_stops_it(stage: Stage) -> None:
    walk = Walk(stage.app, stage.cast, stage.folder / "none", stage.before, stage.chance)
    with pytest.raises(LookupError, match="strange_id"):
        walk.ask_all("firm", stage.app.test_client(), bind("/things/<int:strange_id>"), "GET")
    with pytest.raises(LookupError, match="with what is POST"):
        walk.ask_all("firm", stage.app.test_client(), bind("/sign-in", "strange"), "POST")


def bind(path: str, endpoint: str = "strange") -> Rule:
    """Return a route as an application would hold it."""
    return next(Map([Rule(path, endpoint=endpoint)]).iter_rules())
