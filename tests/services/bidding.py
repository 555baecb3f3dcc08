"""What the tests of bidding share: banks with a product each, bids at a rate, and the passing of a round."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from market.party import Party
from market.vocabulary import OrganisationKind
from models.base import Base, db
from models.bid import Bid
from models.need import Need
from models.product import Product
from services.clock import run_due
from services.sealing import Sealer
from tests.factories import make_party, make_product, place_bid

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Bank:
    """Somebody who bids, with the product it bids with."""

    party: Party
    product: Product

    def bid(self, need: Need, percent: str, *, now: datetime, sealer: Sealer, **values: Any) -> Bid:
        """Bid at a nominal rate in percent."""
        rate = Decimal(percent) / 100
        return place_bid(need, self.product, self.party, now=now, sealer=sealer, rate=rate, **values)


def make_banks(count: int, *, now: datetime) -> list[Bank]:
    """Return so many banks with a product each."""
    parties = [make_party(OrganisationKind.BANK, now=now) for _ in range(count)]
    return [Bank(party, make_product(party, now=now)) for party in parties]


def bid_all(
    need: Need, banks: Sequence[Bank], percents: str, *, now: datetime, sealer: Sealer, **values: Any
) -> list[Bid]:
    """Let each bank bid one of the rates, given in percent with blanks between."""
    pairs = zip(banks, percents.split(), strict=True)
    return [bank.bid(need, percent, now=now, sealer=sealer, **values) for bank, percent in pairs]


def pass_close(need: Need, sealer: Sealer) -> datetime:
    """Let the clock run just after the close of the round that runs; return when that was."""
    closes_at = reread(need).closes_at
    assert closes_at is not None
    run_due(need.zone_id, now=closes_at + SECOND, sealer=sealer)
    return closes_at + SECOND


def reread(need: Need) -> Need:
    """Return the need as it is stored now."""
    return db.session.get_one(Need, need.id, populate_existing=True)


def states(need: Need) -> list[tuple[str, int | None]]:
    """Return state and rank of the need's bids in order of arrival."""
    query = sa.select(Bid).where(Bid.need_id == need.id).order_by(Bid.receipt_number)
    rows = db.session.scalars(query.execution_options(populate_existing=True))
    return [(bid.state.value, bid.rank) for bid in rows]


def read_everything() -> Iterator[str]:
    """Yield every value of every row as text, seals left out: they may hold anything."""
    db.session.rollback()
    with db.engine.connect() as connection:
        for table in Base.metadata.tables.values():
            columns = [column for column in table.columns if column.name != "seal"]
            for row in connection.execute(sa.select(*columns)):
                yield json.dumps([str(value) for value in row], ensure_ascii=False)
