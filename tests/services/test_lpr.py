"""New months of the loan prime rate: all or nothing, on record with their author, and never backwards."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from market import party
from market.errors import Code, Forbidden
from market.lpr import LprRow
from market.reference import lpr_table
from market.vocabulary import Capability, OrganisationKind, Pricing
from models.audit import AuditEntry
from models.base import db
from models.reference import LprRow as Stored
from services import audit, bids, lpr
from services.lpr import Loaded
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import default_zone_id, make_need, make_officer, make_party, make_product, place_bid
from tests.services import racing
from tests.services.conftest import Refusing

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 20), date(2026, 10, 20), date(2026, 11, 20)


def row(day: date, one_year: str = "0.03", five_year: str = "0.035") -> LprRow:
    return LprRow(day, Decimal(one_year), Decimal(five_year))


def test_months_come_in_and_a_second_time_change_nothing(app: Flask, now: datetime) -> None:
    command = party.clock(default_zone_id())
    rows = [row(NOVEMBER, "0.029"), row(SEPTEMBER), row(OCTOBER)]
    assert lpr.load(rows, by=command, now=now) == Loaded(added=3)
    assert lpr.read_table().row(NOVEMBER) == row(NOVEMBER, "0.029")
    assert lpr.read_table().row(date(2026, 10, 19)) == row(SEPTEMBER)
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "lpr.add")).all()
    assert len(entries) == 3
    assert lpr.load([*rows, row(date(2026, 8, 20))], by=command, now=now) == Loaded(unchanged=4)
    db.session.rollback()
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "lpr.add")).all()) == 3


def test_one_fault_keeps_every_row_out(app: Flask, now: datetime, refuses: Refusing) -> None:
    rows = [row(SEPTEMBER), row(date(2026, 10, 21)), row(NOVEMBER)]
    with refuses(Code.NOT_PUBLICATION_DAY, "rows.1.published_on"):
        lpr.load(rows, by=party.clock(default_zone_id()), now=now)
    assert [fault.code for fault in lpr.check(rows, now=now)] == [Code.NOT_PUBLICATION_DAY]


def test_tomorrows_publication_is_not_known_today(app: Flask, now: datetime, refuses: Refusing) -> None:
    with refuses(Code.NOT_YET, "rows.0.published_on"):
        lpr.load([row(NOVEMBER)], by=party.clock(default_zone_id()), now=now - timedelta(days=1))


def test_a_known_value_is_changed_only_as_a_correction_and_both_stay_on_record(
    app: Flask, now: datetime, refuses: Refusing
) -> None:
    officer = make_officer(now=now)
    known = lpr_table().rows[-1]
    other = row(known.published_on, "0.0295")
    with refuses(Code.ON_RECORD, "rows.0.one_year"):
        lpr.load([other], by=officer, now=now)
    assert lpr.load([other], by=officer, now=now, correct=True) == Loaded(corrected=1)
    assert lpr.read_table().row(known.published_on) == other
    (entry,) = audit.list_entries("lpr_rows", 20260820)
    assert (entry.action, entry.user_id, entry.zone_id) == ("lpr.correct", officer.user_id, officer.zone_id)
    assert entry.details == {
        "old": {"published_on": "2026-08-20", "one_year": "0.0300", "five_year": "0.0350"},
        "new": {"published_on": "2026-08-20", "one_year": "0.0295", "five_year": "0.0350"},
    }
    newest, shipped = lpr.list_publications()[:2]
    assert (newest.row, newest.former, newest.loaded_at) == (other, known, now)
    assert newest.by is not None
    assert (shipped.loaded_at, shipped.by, shipped.former) == (None, None, None)


def test_a_day_that_was_wrong_is_corrected_by_the_right_one(app: Flask, now: datetime) -> None:
    later, command = datetime.fromisoformat("2027-03-01T02:00:00+00:00"), party.clock(default_zone_id())
    lpr.load([row(date(2027, 2, 22))], by=command, now=later)
    assert lpr.load([row(date(2027, 2, 20))], by=command, now=later, correct=True) == Loaded(corrected=1)
    db.session.rollback()
    days = db.session.scalars(select(Stored.published_on).where(Stored.published_on > NOVEMBER)).all()
    assert days == [date(2027, 2, 20)]


def test_an_unusual_move_waits_for_a_word(app: Flask, now: datetime, refuses: Refusing) -> None:
    officer = make_officer(now=now)
    with refuses(Code.LOOKS_MISTYPED, "rows.0.one_year"):
        lpr.load([row(SEPTEMBER, "0.015")], by=officer, now=now)
    assert lpr.load([row(SEPTEMBER, "0.015")], by=officer, now=now, confirmed=True) == Loaded(added=1)


def test_only_an_officer_or_a_command_adds_to_the_table(app: Flask, now: datetime) -> None:
    for kind in (OrganisationKind.ENTERPRISE, OrganisationKind.BANK, OrganisationKind.AGENCY):
        with pytest.raises(Forbidden):
            lpr.load([row(SEPTEMBER)], by=make_party(kind, now=now), now=now)
    assert not make_party(OrganisationKind.AGENCY, now=now).may(Capability.OFFICER)


def test_what_a_need_has_frozen_stays_frozen(app: Flask, now: datetime, sealer: Sealer) -> None:
    firm = make_party(now=now)
    bank = make_party(OrganisationKind.BANK, now=now)
    product = make_product(
        bank, now=now, pricing=Pricing.LPR_1Y, rate_from=None, rate_to=None, spread_from=0, spread_to=100
    )
    before = make_need(firm, now=now)
    lpr.load(
        [row(date(2026, 8, 20), "0.0295"), row(NOVEMBER, "0.025")],
        by=make_officer(now=now),
        now=now,
        correct=True,
    )
    after = make_need(firm, now=now)
    db.session.refresh(before)
    assert (before.lpr_date, before.lpr_1y) == (date(2026, 8, 20), Decimal("0.03"))
    assert (after.lpr_date, after.lpr_1y) == (NOVEMBER, Decimal("0.025"))
    rates = []
    for need in (before, after):
        bid = place_bid(need, product, bank, now=now, sealer=sealer, rate=None, spread=55)
        _, content, _ = bids.read_own(bid.id, by=bank, sealer=sealer)
        rates.append(Decimal(content["offer"]["rate"]))
    assert rates == [Decimal("0.0355"), Decimal("0.0305")]


def test_of_several_loads_of_one_month_at_once_one_counts(app: Flask, now: datetime) -> None:
    later, command = datetime.fromisoformat("2027-03-01T02:00:00+00:00"), party.clock(default_zone_id())
    # Days that a provisional year allows alike, so that no unique index tells the loads apart.
    days = [date(2027, 2, 20 + n) for n in range(4)]
    db.session.rollback()
    deeds = [partial(lpr.load, [row(day)], by=command, now=later) for day in days]
    assert Counter(racing.run(app.config[URL], deeds)) == {"done": 1, "on_record": 3}
    db.session.rollback()
    stored = db.session.scalars(select(Stored.published_on).where(Stored.published_on > NOVEMBER)).all()
    assert len(stored) == 1 and stored[0] in days
