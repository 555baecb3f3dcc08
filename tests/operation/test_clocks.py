"""Clocks that disagree, and one that is set back: order, deadlines and what was decided stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from blueprints import clock
from market.errors import Code, Conflict
from market.party import Party
from market.vocabulary import BidState, NeedState, OrganisationKind, RoundState
from models.audit import AuditEntry
from models.base import db, transaction
from models.bid import Bid
from models.need import BidRound, Need
from models.product import Product
from models.round import MatchingRound
from models.zone import Zone
from services import awards, bids, opening
from services.bids import Quote
from services.clock import run_due
from services.sealing import Sealer
from tests.databases import URL
from tests.factories import make_need, make_party, make_product, make_zone, place_bid
from tests.operation.actors import DONE, Actors
from tests.services.bidding import SECOND, make_banks, pass_close, reread
from tests.services.conftest import Refusing, take_print

HOUR = timedelta(hours=1)
#: How far the hosts' clocks are off, in seconds.
SKEWS = (120, -120, 0, -120, 120)


def read_time(skew: timedelta, zone_id: int) -> datetime:
    """Return the time of a request on this host, whose own clock must be off by as much as was asked."""
    now = clock.read(db.session.get_one(Zone, zone_id))
    assert abs(datetime.now(UTC) - now - skew) < timedelta(seconds=60), "the host's clock is not skewed"
    return now


def place_here(
    skew: timedelta, need_id: int, product_id: int, by: Party, sealer: Sealer, valid_until: datetime
) -> None:
    """Bid as a page does it: the time is read first, then handed down."""
    now = read_time(skew, by.zone_id)
    need = db.session.get_one(Need, need_id)
    quote = Quote(product_id, need.amount, need.months, valid_until, rate=Decimal("0.04"))
    bids.place(need_id, quote, by=by, now=now, sealer=sealer)


def tick_here(skew: timedelta, zone_id: int, sealer: Sealer) -> None:
    """Do what is due as the scheduler does it."""
    run_due(zone_id, now=read_time(skew, zone_id), sealer=sealer)


def move_close(need_id: int, closes_at: datetime) -> None:
    with transaction() as session:
        session.execute(update(Need).where(Need.id == need_id).values(closes_at=closes_at))
        session.execute(update(BidRound).where(BidRound.need_id == need_id).values(closes_at=closes_at))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_hosts_that_are_two_minutes_off_agree_on_order_and_deadline(
    app: Flask, actors: Actors, sealer: Sealer
) -> None:
    now = clock.read()
    zone_id = make_zone(now=now - HOUR, matching_times="").id
    firm = make_party(now=now - HOUR, zone_id=zone_id)
    need = make_need(firm, now=now - HOUR)
    shelf: list[tuple[Party, Product]] = []
    for _ in range(2 * len(SKEWS)):
        bank = make_party(OrganisationKind.BANK, now=now - HOUR, zone_id=zone_id)
        shelf.append((bank, make_product(bank, now=now - HOUR)))
    minute, valid_until = timedelta(seconds=60), now + timedelta(days=90)

    def bid_from_each(several: list[tuple[Party, Product]]) -> list[str]:
        db.session.rollback()
        outcomes = []
        for seconds, (bank, product) in zip(SKEWS, several, strict=True):
            skew = timedelta(seconds=seconds)
            deed = partial(place_here, skew, need.id, product.id, bank, sealer, valid_until)
            outcomes.append(actors.run(app.config[URL], deed, skew=skew))
        return outcomes

    def tick_from(seconds: int) -> str:
        db.session.rollback()
        skew = timedelta(seconds=seconds)
        return actors.run(app.config[URL], partial(tick_here, skew, zone_id, sealer), skew=skew)

    # A minute is left: in time on every host, though two believe that it is over.
    move_close(need.id, clock.read() + minute)
    began = clock.read()
    assert bid_from_each(shelf[: len(SKEWS)]) == [DONE] * len(SKEWS)
    assert tick_from(120) == DONE
    assert reread(need).state is NeedState.OPEN
    rows = db.session.scalars(select(Bid).where(Bid.need_id == need.id).order_by(Bid.receipt_number)).all()
    assert [row.product_id for row in rows] == [product.id for _, product in shelf[: len(SKEWS)]]
    times = [row.receipt_at for row in rows]
    assert times == sorted(times) and began <= times[0] and times[-1] <= clock.read()
    # A minute ago it was over: late on every host, though two believe that a minute is left.
    move_close(need.id, clock.read() - minute)
    assert bid_from_each(shelf[len(SKEWS) :]) == ["too_late"] * len(SKEWS)
    assert tick_from(-120) == DONE
    assert reread(need).state is NeedState.CLOSED
    assert db.session.scalar(select(func.count(Bid.id)).where(Bid.need_id == need.id)) == len(SKEWS)


def test_receipts_are_in_order_of_their_numbers_when_the_clock_is_set_back(
    app: Flask, now: datetime, sealer: Sealer
) -> None:
    need = make_need(make_party(now=now), now=now)
    banks = make_banks(4, now=now)
    # The second request read the time first and got the lock later; before the third the clock was set back.
    moments = (now + 2 * HOUR, now + 2 * HOUR - SECOND, now + HOUR, now + 3 * HOUR)
    placed = [
        bank.bid(need, "4.0", now=moment, sealer=sealer) for bank, moment in zip(banks, moments, strict=True)
    ]
    assert [bid.receipt_number for bid in placed] == [1, 2, 3, 4]
    assert [bid.receipt_at for bid in placed] == [now + 2 * HOUR] * 3 + [now + 3 * HOUR]
    entries = db.session.scalars(
        select(AuditEntry.at).where(AuditEntry.action == "bid.place").order_by(AuditEntry.id)
    )
    assert list(entries) == [bid.receipt_at for bid in placed]


def test_a_clock_set_back_lets_nobody_out_of_what_it_bid_the_round_before(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    need = make_need(make_party(now=now), now=now, round_count=2)
    bank, other = make_banks(2, now=now)
    bank.bid(need, "4.0", now=now, sealer=sealer)
    opened = pass_close(need, sealer)
    back = opened - HOUR
    better = bank.bid(need, "3.9", now=back, sealer=sealer)
    assert (better.round_number, better.receipt_at) == (2, opened)
    # What stood at the close binds still, though the clock says that it was replaced before.
    with refuses(Code.NOT_IMPROVED):
        bank.bid(need, "4.5", now=back + SECOND, sealer=sealer)
    bids.withdraw(better.id, by=bank.party, now=back + SECOND)
    stood = db.session.scalars(select(Bid).where(Bid.need_id == need.id, Bid.state == BidState.SEALED)).one()
    assert (stood.round_number, stood.ended_at) == (1, None)
    assert other.bid(need, "4.2", now=back, sealer=sealer).round_number == 2


def test_a_clock_set_back_an_hour_reopens_nothing_and_awards_nothing_again(
    app: Flask, now: datetime, sealer: Sealer, refuses: Refusing
) -> None:
    zone = make_zone(now=now - timedelta(days=3))
    firm = make_party(now=now, zone_id=zone.id)
    need = make_need(firm, now=now)
    bank = make_party(OrganisationKind.BANK, now=now, zone_id=zone.id)
    placed = [
        place_bid(need, make_product(bank, now=now), bank, now=now, sealer=sealer, rate=rate)
        for rate in (Decimal("0.04"), Decimal("0.05"))
    ]
    late_product = make_product(bank, now=now)
    # Monday just after ten: the bids are opened, and the round of the day has run. Friday's never did.
    opened = now + timedelta(days=3) + SECOND
    back = opened - HOUR
    run_due(zone.id, now=opened, sealer=sealer)
    done = take_print()
    run_due(zone.id, now=back, sealer=sealer)
    opening.open_bids(need.id, by=firm, now=back, sealer=sealer)
    assert take_print() == done
    with pytest.raises(Conflict, match="too_late"):
        place_bid(need, late_product, bank, now=back, sealer=sealer)
    with refuses(Code.TOO_LATE):
        bids.withdraw(placed[0].id, by=bank, now=back)
    awards.accept(need.id, placed[0].id, placed[0].receipt_hash, by=firm, now=opened)
    for bid in placed:
        with refuses(Code.ILLEGAL_MOVE):
            awards.accept(need.id, bid.id, bid.receipt_hash, by=firm, now=back)
    awarded = take_print()
    run_due(zone.id, now=back, sealer=sealer)
    run_due(zone.id, now=opened, sealer=sealer)
    assert take_print() == awarded
    (row,) = db.session.scalars(select(MatchingRound).where(MatchingRound.zone_id == zone.id))
    assert (row.state, reread(need).state) == (RoundState.SETTLED, NeedState.AWARDED)
