"""How a sum is spread over its holders."""

from __future__ import annotations

from decimal import Decimal

from market.concentration import concentrate


def test_shares_add_up_and_the_largest_stands_first() -> None:
    spread = concentrate([("财政局", 30), ("教育局", 50), ("财政局", 20), ("水务局", 0)])
    assert [(part.key, part.amount, part.share) for part in spread.parts] == [
        ("财政局", 50, Decimal("0.5")),
        ("教育局", 50, Decimal("0.5")),
    ]
    assert (spread.total, spread.hhi, spread.points) == (100, Decimal("0.5"), 5_000)


def test_one_holder_is_full_concentration_and_nothing_has_none() -> None:
    assert concentrate([("a", 7)]).points == 10_000
    assert (concentrate([("a", 0)]).hhi, concentrate([]).points) == (None, None)
    assert concentrate([(number, 1) for number in range(10_000)]).points == 1
