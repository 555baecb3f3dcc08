"""A standing bid's price goes down in basis points, never further than it must nor below its floor."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from market.standing_price import find_price, list_rates, list_spreads


def test_the_grid_ends_at_the_floor_even_between_two_points() -> None:
    rates = [Decimal(text) for text in ("0.0403", "0.0402", "0.0401", "0.04005")]
    assert list_rates(Decimal("0.0403"), Decimal("0.04005")) == rates
    assert list_rates(Decimal("0.04"), Decimal("0.04")) == [Decimal("0.04")]
    assert list_spreads(10, 8) == [10, 9, 8]


@given(st.integers(0, 300), st.integers(0, 300), st.integers(-50, 900))
def test_the_price_found_is_the_dearest_that_is_low_enough_or_the_floor(
    floor: int, above: int, most: int
) -> None:
    rates = list_rates(Decimal(floor + above) / 10_000, Decimal(floor) / 10_000)

    def cost_of(rate: Decimal) -> Decimal:
        return rate * 3

    bound = Decimal(most) / 10_000
    enough = [rate for rate in rates if cost_of(rate) <= bound]
    assert find_price(rates, cost_of, bound) == (max(enough) if enough else rates[-1])


def test_a_price_without_a_cost_is_never_low_enough() -> None:
    assert find_price([Decimal(2), Decimal(1)], lambda rate: None, Decimal(9)) == 1
