"""The price of a standing bid: what it asks at first, and how far it goes down where it is outbid.

Prices are rates per year or whole points over the LPR, on a grid of one basis point below the price asked;
the floor closes the grid even where it stands between two points.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal

_POINT = Decimal("0.0001")


def list_rates(asked: Decimal, floor: Decimal) -> list[Decimal]:
    """Return the rates from the one asked down to the floor, a basis point apart."""
    steps = int((asked - floor) / _POINT)
    rates = [asked - place * _POINT for place in range(steps + 1)]
    return rates if rates[-1] == floor else [*rates, floor]


def list_spreads(asked: int, floor: int) -> list[Decimal]:
    """Return the points over the LPR from those asked down to the floor."""
    return [Decimal(points) for points in range(asked, floor - 1, -1)]


def find_price(
    prices: Sequence[Decimal], cost_of: Callable[[Decimal], Decimal | None], most: Decimal
) -> Decimal:
    """Return the dearest of descending prices at which the annual cost is ``most`` at most, else the last.

    ``cost_of`` gives the annual cost at a price, which falls with it; None where there is none.
    """

    def is_enough(price: Decimal) -> bool:
        cost = cost_of(price)
        return cost is not None and cost <= most

    place = bisect_left(prices, True, key=is_enough)
    return prices[min(place, len(prices) - 1)]
