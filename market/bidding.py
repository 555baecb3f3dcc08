"""Bidding on one need: bid rounds, late bids that extend, improvement steps, unusually low prices.

Pure rules; a bid round (报价轮) is one of one to three rounds of bidding on one need. The figures that a
zone does not set itself stand here as constants.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from market.bidding_vocabulary import FewBids

Key = TypeVar("Key")

ROUNDS_MOST = 3

#: A bid of an anonymous round in its last minutes moves the close, so that nobody wins by being last.
EXTENSION_WITHIN = timedelta(minutes=3)
EXTENSION_BY = timedelta(minutes=5)
EXTENSIONS_MOST = 3

#: A cost so far below the mean of the others, or below the next one, has to be justified first.
BELOW_MEAN = Decimal("0.40")
BELOW_NEXT = Decimal("0.30")

#: Working days a bidder has for that.
JUSTIFICATION_DAYS = 1


class AfterClose(StrEnum):
    """What follows on the close of a bid round."""

    ANOTHER_ROUND = "another_round"
    OPENING = "opening"
    FAILURE = "failure"


def decide_after_close(
    *, ranked: int, minimum: int, number: int, planned: int, few_bids: FewBids
) -> AfterClose:
    """Return what follows on the close of bid round ``number`` with ``ranked`` comparable bids.

    A planned round follows in any case; one more than planned where too few bid and the firm asked for
    it, as long as there is one left of three. Without a single comparable bid in the last round the need
    is unsuccessful; with fewer than the minimum it is the firm's to say whether it takes one of them.
    """
    if number < planned:
        return AfterClose.ANOTHER_ROUND
    if ranked < minimum:
        if few_bids is FewBids.ANOTHER_ROUND and number < ROUNDS_MOST:
            return AfterClose.ANOTHER_ROUND
        if few_bids is FewBids.FAIL or ranked == 0:
            return AfterClose.FAILURE
    return AfterClose.OPENING


def extend(closes_at: datetime, received_at: datetime, extensions: int) -> datetime | None:
    """Return the close that a bid received now moves an anonymous round to, or None if it moves nothing."""
    if extensions >= EXTENSIONS_MOST or closes_at - received_at > EXTENSION_WITHIN:
        return None
    return closes_at + EXTENSION_BY


def improves(former: Decimal | None, offered: Decimal | None, step_bps: int) -> bool:
    """Say whether an annual cost is at least ``step_bps`` basis points below the bidder's former one."""
    if former is None or offered is None:
        return offered is not None
    return former - offered >= Decimal(step_bps) / 10_000


def last_close(closes_at: datetime, *, number: int, planned: int, hours: int) -> datetime:
    """Return when the last planned bid round ends, where round ``number`` ends at ``closes_at``."""
    return closes_at + timedelta(hours=hours) * max(0, planned - number)


@dataclass(frozen=True, slots=True)
class LowPrice:
    """Why a price looks too low: against which cost per year (``against``), and by which share below it."""

    rule: str
    against: Decimal
    below: Decimal


def find_low_prices(costs: Mapping[Key, Decimal]) -> dict[Key, LowPrice]:
    """Return the bids whose annual cost is unusually low, with the ground; empty for a single bid.

    At least 40 % below the mean of the other bids, or at least 30 % below the next dearer one; bids at the
    same low cost look low together.
    """
    if len(costs) < 2:
        return {}
    found: dict[Key, LowPrice] = {}
    ordered = sorted(costs.values())
    total, others = sum(ordered), len(ordered) - 1
    for key, own in costs.items():
        # A mean of thirds is no exact decimal: the sums are compared, so that exactly 40 % counts.
        if total - own > 0 and own * others <= (total - own) * (1 - BELOW_MEAN):
            mean = (total - own) / others
            found[key] = LowPrice("mean", mean, 1 - own / mean)
            continue
        place = bisect_right(ordered, own)
        if place > others or ordered[place] <= 0:
            continue
        following = ordered[place]
        if own <= following * (1 - BELOW_NEXT):
            found[key] = LowPrice("next", following, 1 - own / following)
    return found
