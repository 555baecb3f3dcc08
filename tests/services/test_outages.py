"""An outage moves what fell due in it, all by its length, once; what comes later stays where it is."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from blueprints import clock as zone_clock
from market.errors import Code
from market.vocabulary import AlertKind, Capability, NeedState, OrganisationKind
from models.alert import Alert
from models.base import db, transaction
from models.bid import Justification
from models.need import BidRound, Need
from models.zone import ClockBeat, Outage, Zone
from scripts import scheduler
from services import alerts, opening, outages, zones
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import make_need, make_officer, make_party, make_product, make_zone, place_bid
from tests.services import racing
from tests.services.conftest import Refusing

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def read_need(need_id: int) -> Need:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Need, need_id)


def tick(app: Flask, monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Let the clock's process tick at a time of the test's own choice."""
    monkeypatch.setattr(zone_clock, "read", lambda zone=None: at)
    scheduler.tick(app)


def test_a_clock_that_stood_still_across_a_close_opens_nothing_before_the_moved_one(
    app: Flask, now: datetime, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(bank, now=now)
    first, second = make_need(firm, now=now), make_need(firm, now=now, closes_in=3 * DAY + HOUR)
    later = make_need(firm, now=now, closes_in=4 * DAY)
    stopped, started = now + 3 * DAY - HOUR, now + 3 * DAY + 2 * HOUR
    tick(app, monkeypatch, stopped)
    tick(app, monkeypatch, started)
    for need, closes_in in ((first, 3 * DAY), (second, 3 * DAY + HOUR)):
        row = read_need(need.id)
        assert (row.state, row.closes_at) == (NeedState.OPEN, now + closes_in + 3 * HOUR)
        held = opening.find_round(db.session(), need.id)
        assert (held.closes_at, held.closed_at) == (row.closes_at, None)
    assert read_need(later.id).closes_at == now + 4 * DAY
    place_bid(read_need(first.id), product, bank, now=started + HOUR / 2, sealer=sealer)
    tick(app, monkeypatch, now + 3 * DAY + 3 * HOUR - timedelta(minutes=1))
    assert read_need(first.id).state is NeedState.OPEN
    # In between it ticked as it should: no second outage is seen.
    with transaction() as session:
        session.get_one(ClockBeat, firm.zone_id).at = now + 3 * DAY + 3 * HOUR - timedelta(seconds=5)
    tick(app, monkeypatch, now + 3 * DAY + 3 * HOUR)
    assert read_need(first.id).state is NeedState.CLOSED


def test_every_deadline_in_the_gap_moves_by_its_length_and_none_after_it(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    firm, by = make_party(now=now), make_officer(now=now)
    need = make_need(firm, now=now, minimum_bids=1)
    for rate in ("0.02", "0.06"):
        bank = make_party(OrganisationKind.BANK, now=now)
        place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer, rate=Decimal(rate))
    opening.open_bids(need.id, by=by, now=now + 3 * DAY, sealer=sealer)
    window = read_need(need.id).accept_until
    (asked,) = db.session.scalars(select(Justification))
    due = asked.due_at
    assert window is not None and due < window
    outages.beat(firm.zone_id, now=due - 2 * HOUR)
    outage = outages.beat(firm.zone_id, now=due + HOUR)
    assert outage is not None
    assert [(one["subject"], one["field"], one["after"]) for one in outage.moved] == [
        ("justifications", "due_at", (due + 3 * HOUR).isoformat())
    ]
    assert read_need(need.id).accept_until == window
    outages.beat(firm.zone_id, now=window - HOUR)
    outages.beat(firm.zone_id, now=window)
    assert read_need(need.id).accept_until == window + HOUR
    opening.lapse(need.id, by=by, now=window + HOUR)
    assert read_need(need.id).state is NeedState.CLOSED


def test_a_clock_that_is_merely_late_moves_nothing(app: Flask, now: datetime) -> None:
    need = make_need(make_party(now=now), now=now)
    zone_id = need.zone_id
    minutes = timedelta(minutes=db.session.get_one(Zone, zone_id).outage_minutes)
    outages.beat(zone_id, now=now + 3 * DAY - timedelta(minutes=1))
    assert outages.beat(zone_id, now=now + 3 * DAY - timedelta(minutes=1) + minutes) is None
    assert read_need(need.id).closes_at == now + 3 * DAY
    # A beat that won its lock late sets nothing back: the time between is not lost twice.
    outages.beat(zone_id, now=now)
    assert outages.read_beat(zone_id) == now + 3 * DAY - timedelta(minutes=1) + minutes


def test_the_gap_raises_one_alert_with_its_times(app: Flask, now: datetime) -> None:
    by = make_officer(now=now)
    outages.beat(by.zone_id, now=now)
    outages.beat(by.zone_id, now=now + HOUR)
    outages.beat(by.zone_id, now=now + HOUR)
    (alert,) = alerts.list_open(by)
    assert alert.kind is AlertKind.CLOCK_GAP
    times = {"started": now.isoformat(), "ended": (now + HOUR).isoformat()}
    assert alert.details == {"moved": 0, **times}
    (outage,) = outages.list_all(by)
    assert (outage.trigger, outage.recorded_by) == ("clock", None)


def test_a_practice_clock_moved_on_purpose_is_no_outage(app: Flask, now: datetime) -> None:
    zone = make_zone(now=now, is_sandbox=True)
    by = make_officer(now=now, zone_id=zone.id)
    need = make_need(make_party(now=now, zone_id=zone.id), now=now)
    outages.beat(zone.id, now=now)
    zones.fast_forward(zone.id, now + 4 * DAY, by=by, now=now)
    assert outages.beat(zone.id, now=now + 4 * DAY + timedelta(seconds=5)) is None
    assert read_need(need.id).closes_at == now + 3 * DAY
    # But a clock that really stood still is one, there too.
    assert outages.beat(zone.id, now=now + 4 * DAY + HOUR) is not None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_clocks_started_twice_record_an_outage_once(app: Flask, now: datetime) -> None:
    need = make_need(make_party(now=now), now=now)
    beats = [partial(outages.beat, need.zone_id, now=now + 3 * DAY - HOUR)] * 4
    db.session.rollback()
    assert Counter(racing.run(app.config[URL], beats)) == {"done": 4}
    beats = [partial(outages.beat, need.zone_id, now=now + 3 * DAY + HOUR)] * 4
    assert Counter(racing.run(app.config[URL], beats)) == {"done": 4}
    assert read_need(need.id).closes_at == now + 3 * DAY + 2 * HOUR
    assert len(list(db.session.scalars(select(Outage)))) == 1
    assert len(list(db.session.scalars(select(Alert)))) == 1


def test_an_officer_declares_what_the_clock_could_not_see(app: Flask, now: datetime, sealer: Sealer) -> None:
    by = make_officer(now=now)
    firm = make_party(now=now)
    opened, still = make_need(firm, now=now), make_need(firm, now=now, closes_in=3 * DAY + 2 * HOUR)
    at = now + 3 * DAY + HOUR
    opening.open_bids(opened.id, by=by, now=at, sealer=sealer)
    outage = outages.declare(now + 3 * DAY - HOUR, at + 2 * HOUR, "网络中断", by=by, now=at)
    assert {(one["id"], one["field"]): one["after"] for one in outage.moved} == {
        (still.id, "closes_at"): (now + 3 * DAY + 6 * HOUR).isoformat(),
        (opened.id, "closes_at"): None,
    }
    assert read_need(still.id).closes_at == now + 3 * DAY + 6 * HOUR
    rounds = db.session.scalars(select(BidRound).where(BidRound.need_id == opened.id))
    assert [held.closes_at for held in rounds] == [now + 3 * DAY]


def test_a_declaration_needs_an_officer_times_in_order_a_reason_and_a_free_time(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    by = make_officer(now=now)
    declare = partial(outages.declare, by=by, now=now)
    with refuses(Code.NOT_YET, "started_at"):
        declare(now + HOUR, now + 2 * HOUR, "x")
    with refuses(Code.OUT_OF_ORDER, "ended_at"):
        declare(now, now, "x")
    with refuses(Code.TOO_LATE, "ended_at"):
        declare(now - HOUR, now + 8 * DAY, "x")
    with refuses(Code.REQUIRED, "reason"):
        declare(now - HOUR, now, " ")
    auditor = make_party(OrganisationKind.AGENCY, {Capability.AUDITOR}, now=now)
    with refuses(Code.NOT_ALLOWED):
        outages.declare(now - HOUR, now, "x", by=auditor, now=now)
    declare(now - HOUR, now, "网络中断")
    with refuses(Code.ALREADY_EXISTS, "started_at"):
        declare(now - timedelta(minutes=30), now, "again")
