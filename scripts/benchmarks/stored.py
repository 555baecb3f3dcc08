"""The stored round: from the needs and bids in a database to proposals in it, on SQLite and PostgreSQL.

One need is posted, bid on and closed by the same verbs as everybody's; its rows are then copied, with other
amounts and prices, because posting thousands one by one would take longer than all measurements together.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from flask import current_app
from sqlalchemy import Table, insert, select

from market.vocabulary import BidState, LimitScope
from models.base import Base, db, transaction
from models.bid import Bid
from models.need import Need
from models.product import Product
from scripts.benchmarks import databases
from scripts.benchmarks.measuring import peak_memory
from scripts.benchmarks.staging import Scene, post_need, stage
from services import bids, limit_settings, opening, rounds

#: Bids per need, and how much of what is asked for the institutions' limits hold together, in percent.
BIDS, HELD = 10, 90
#: Rows sent to the database at a time.
PART = 1000
#: Copies of bids are numbered from this far above the first.
FIRST_COPY = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """A round from database to database: how many needs, how many were placed, and what it took.

    ``seconds`` are the clock's, ``busy`` the processor's without the database server; ``peak`` is in GB.
    """

    kind: str
    needs: int
    placed: int
    seconds: float
    busy: float
    peak: float


def measure(url: str, count: int, seed: int) -> Stored:
    """Fill an empty database with a market of ``count`` closed needs, and run a matching round on it."""
    app = databases.make_app(url)
    with app.app_context():
        now = datetime.now(UTC)
        scene = stage(now)
        fill(scene, count, seed, now)
        db.session.remove()
        started, busy = time.perf_counter(), time.process_time()
        done = rounds.run_now(scene.officer.zone_id, by=scene.officer, now=now)
        found = Stored(
            db.engine.dialect.name,
            done.need_count,
            done.placed_count,
            time.perf_counter() - started,
            time.process_time() - busy,
            peak_memory(),
        )
        db.session.remove()
        db.engine.dispose()
    if found.needs != count:
        raise RuntimeError(f"{found.needs:,} of {count:,} needs took part in the round")
    return found


def fill(scene: Scene, count: int, seed: int, now: datetime) -> None:
    """Store closed needs with live bids of different products, and the institutions' limits."""
    draw = np.random.default_rng([seed, 6])
    need, bid = _close_one(scene, now)
    listed = db.session.execute(select(Product.id, Product.organisation_id).order_by(Product.id)).all()
    amounts = (draw.integers(50, 3000, count) * 1_000_000).tolist()
    numbers = range(need["id"] + 1, need["id"] + count)
    _copy(Need, need, [{"id": n, "amount": a} for n, a in zip(numbers, amounts[1:], strict=True)])
    rows: list[dict[str, Any]] = []
    for number, amount in zip(numbers, amounts[1:], strict=True):
        chosen = draw.choice(len(listed), BIDS, replace=False).tolist()
        rates = sorted(draw.integers(300, 800, BIDS).tolist())
        for place, (product, rate) in enumerate(zip(chosen, rates, strict=True), 1):
            rows.append(
                {
                    "id": bid["id"] + FIRST_COPY + len(rows),
                    "need_id": number,
                    "product_id": listed[product][0],
                    "organisation_id": listed[product][1],
                    "amount": amount,
                    "effective": Decimal(rate) / 10_000,
                    "rank": place,
                    "receipt_number": place,
                }
            )
    _copy(Bid, bid, rows)
    cap = sum(amounts) * HELD // 100 // len(scene.bidders)
    for by, *_ in scene.bidders:
        assert by.organisation_id is not None
        limit_settings.set_limit(by.organisation_id, LimitScope.TOTAL, cap, by=by, now=now)


def _close_one(scene: Scene, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows of a need that was bid on and closed, and of one of its bids."""
    closes_at = now - timedelta(minutes=1)
    need = post_need(scene, closes_at)
    sealer = current_app.extensions["sealer"]
    for by, _, listed in scene.bidders[:BIDS]:
        quote = bids.Quote(
            product_id=listed[0],
            principal=need.amount,
            months=need.months,
            valid_until=bids.earliest_validity(need) + timedelta(days=30),
            rate=Decimal("0.04"),
        )
        bids.place(need.id, quote, by=by, now=closes_at - timedelta(hours=1), sealer=sealer)
    opening.open_bids(need.id, by=scene.clock, now=now, sealer=sealer)
    live = select(Bid.id).where(Bid.need_id == need.id, Bid.state == BidState.LIVE).order_by(Bid.rank)
    return _read(Need, need.id), _read(Bid, db.session.scalars(live.limit(1)).one())


def _read(model: type[Base], number: int) -> dict[str, Any]:
    table = model.__table__
    return dict(db.session.execute(select(table).where(table.c.id == number)).mappings().one())


def _copy(model: type[Base], row: dict[str, Any], changes: Sequence[dict[str, Any]]) -> None:
    """Store copies of a row, each with changes of its own."""
    table = model.__table__
    assert isinstance(table, Table)
    with transaction() as session:
        for low in range(0, len(changes), PART):
            session.execute(insert(table), [{**row, **change} for change in changes[low : low + PART]])
