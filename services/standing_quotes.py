"""What a standing bid says to a need: its product's quote, at a price between the one asked and the floor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from sqlalchemy.orm import Session

from market import bidding, cost, standing_price
from market.calendar import local_date
from market.party import Party
from market.vocabulary import BidState, Capability
from models.base import db
from models.bid import Bid, StandingBid
from models.need import Need
from models.organisation import Organisation
from services import bid_checks, bid_content, opening, shelf_quotes, standings
from services.quotes import Quote, build_terms
from services.sealing import Sealer

_WAITING = (BidState.SEALED, BidState.POSTED)


def act_for(session: Session, row: StandingBid) -> Party:
    """Return the party of a standing bid: whoever started it, acting as a bidder of its institution."""
    kind = session.get_one(Organisation, row.organisation_id).kind
    return Party(
        row.created_by,
        row.organisation_id,
        kind,
        row.zone_id,
        frozenset({Capability.INSTITUTION_BIDDER}),
    )


def quote_first(row: StandingBid, need: Need, party: Party, now: datetime, sealer: Sealer) -> Quote:
    """Return the quote at the price asked, or lower where a better bid is known already."""
    stand = standings.read(need.id, by=party, now=now, sealer=sealer)
    asked = _list_prices(row)[0]
    best = stand.best
    if best is not None and 1 not in stand.ranks.values():
        effective = _price(row, need, now, asked)
        if effective is None or effective >= best:
            return _quote(row, need, now, _go_below(row, need, now, best))
    return _quote(row, need, now, asked)


def quote_better(
    session: Session, row: StandingBid, need: Need, former: Bid, party: Party, now: datetime, sealer: Sealer
) -> Quote | None:
    """Return a quote that improves on the standing bid's own, or None where it is best or can go no lower.

    Nobody is outbid by another product of its own house. Less than a step lower would be no improvement
    from round to round, and would let two standing bids creep.
    """
    if former.state not in _WAITING or former.standing_bid_id != row.id:
        return None
    held = opening.find_round(session, need.id)
    if former.state is BidState.SEALED and former.round_number == held.number:
        return None
    stand = standings.read(need.id, by=party, now=now, sealer=sealer)
    if stand.best is None or 1 in stand.ranks.values():
        return None
    price = _go_below(row, need, now, stand.best)
    own = bid_content.read(former, sealer).cost.effective
    if not bidding.improves(own, _price(row, need, now, price), need.zone.improvement_bps):
        return None
    return _quote(row, need, now, price)


def _go_below(row: StandingBid, need: Need, now: datetime, best: Decimal) -> Decimal:
    """Return the dearest price that is the zone's step below the best annual cost, or else the floor."""
    most = best - Decimal(need.zone.improvement_bps) / 10_000
    return standing_price.find_price(_list_prices(row), partial(_price, row, need, now), most)


def _list_prices(row: StandingBid) -> Sequence[Decimal]:
    if row.rate is not None and row.floor_rate is not None:
        return standing_price.list_rates(row.rate, row.floor_rate)
    assert row.spread is not None and row.floor_spread is not None, "a standing bid has one price"
    return standing_price.list_spreads(row.spread, row.floor_spread)


def _price(row: StandingBid, need: Need, now: datetime, price: Decimal) -> Decimal | None:
    """Return the annual cost of a need's whole amount at a price."""
    terms = build_terms(_quote(row, need, now, price), need, row.product, on=local_date(now))
    return cost.price(terms).effective


def _quote(row: StandingBid, need: Need, now: datetime, price: Decimal) -> Quote:
    """Return what the product says to a need at a price: for its whole amount and all its months."""
    number = opening.find_round(db.session(), need.id).number
    return shelf_quotes.make(
        row.product,
        principal=need.amount,
        months=need.months,
        valid_until=bid_checks.earliest_validity(need, number),
        rate=price if row.rate is not None else None,
        spread=int(price) if row.spread is not None else None,
        is_firm=row.is_firm,
        revision=need.revision,
    )
