"""Bid rounds on one need: what follows on a close, what moves it, what improves, what looks too low."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from market import bidding
from market.bidding import AfterClose
from market.bidding_vocabulary import FewBids

CLOSE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
AGAIN, OPEN, FAIL = AfterClose.ANOTHER_ROUND, AfterClose.OPENING, AfterClose.FAILURE


@pytest.mark.parametrize(
    ("ranked", "minimum", "number", "planned", "few_bids", "expected"),
    [
        # Enough bids in the last planned round are opened, whatever was wished for too few.
        *[(3, 3, 1, 1, few, OPEN) for few in FewBids],
        # A planned round follows in any case, with or without bids.
        *[(0, 3, 1, 2, few, AGAIN) for few in FewBids],
        (5, 3, 2, 3, FewBids.FAIL, AGAIN),
        # Too few: the firm may look all the same, ask again, or end it.
        (2, 3, 1, 1, FewBids.OFFER, OPEN),
        (2, 3, 1, 1, FewBids.ANOTHER_ROUND, AGAIN),
        (2, 3, 2, 1, FewBids.ANOTHER_ROUND, AGAIN),
        (2, 3, 1, 1, FewBids.FAIL, FAIL),
        (2, 3, 3, 3, FewBids.FAIL, FAIL),
        # There is no fourth round.
        (2, 3, 3, 3, FewBids.ANOTHER_ROUND, OPEN),
        (0, 3, 3, 3, FewBids.ANOTHER_ROUND, FAIL),
        # Nothing can be offered where nothing came.
        (0, 1, 1, 1, FewBids.OFFER, FAIL),
        (0, 1, 1, 1, FewBids.ANOTHER_ROUND, AGAIN),
        (1, 1, 1, 1, FewBids.FAIL, OPEN),
    ],
)
def test_what_follows_on_the_close_of_a_round(
    ranked: int, minimum: int, number: int, planned: int, few_bids: FewBids, expected: AfterClose
) -> None:
    after = bidding.decide_after_close(
        ranked=ranked, minimum=minimum, number=number, planned=planned, few_bids=few_bids
    )
    assert after is expected


@pytest.mark.parametrize(
    ("left", "extensions", "moved"),
    [
        (timedelta(minutes=3, microseconds=1), 0, None),
        (timedelta(minutes=3), 0, timedelta(minutes=5)),
        (timedelta(microseconds=1), 0, timedelta(minutes=5)),
        (timedelta(seconds=30), 2, timedelta(minutes=5)),
        (timedelta(seconds=30), 3, None),
    ],
)
def test_a_bid_in_the_last_three_minutes_moves_the_close_by_five_at_most_three_times(
    left: timedelta, extensions: int, moved: timedelta | None
) -> None:
    expected = None if moved is None else CLOSE + moved
    assert bidding.extend(CLOSE, CLOSE - left, extensions) == expected


@pytest.mark.parametrize(
    ("former", "offered", "step", "enough"),
    [
        ("0.0400", "0.0395", 5, True),
        ("0.0400", "0.03950001", 5, False),
        ("0.0400", "0.0400", 5, False),
        ("0.0400", "0.0399", 1, True),
        ("0.0400", "0.0450", 5, False),
        ("-0.001", "-0.0015", 5, True),
        # Whoever had no annual cost so far may name one; nobody may give up having one.
        (None, "0.0900", 5, True),
        ("0.0400", None, 5, False),
        (None, None, 5, False),
    ],
)
def test_an_improvement_is_a_whole_step_of_basis_points(
    former: str | None, offered: str | None, step: int, enough: bool
) -> None:
    before, after = (None if cost is None else Decimal(cost) for cost in (former, offered))
    assert bidding.improves(before, after, step) is enough


@pytest.mark.parametrize(
    ("number", "planned", "days"), [(1, 1, 0), (1, 2, 1), (1, 3, 2), (2, 3, 1), (3, 2, 0)]
)
def test_the_last_close_counts_the_rounds_that_are_still_planned(
    number: int, planned: int, days: int
) -> None:
    last = bidding.last_close(CLOSE, number=number, planned=planned, hours=24)
    assert last == CLOSE + timedelta(days=days)


@pytest.mark.parametrize(
    ("costs", "low"),
    [
        ("", ""),
        ("2.00", ""),
        ("4.00 4.00", ""),
        # Exactly 40 % below the mean of the others; a hair above is not.
        ("3.00 5.00 5.00", "0:mean"),
        ("3.01 4.20 5.80", ""),
        # The mean of the others is 5.333…, which no decimal writes: exactly 40 % below it still counts.
        ("3.20 4.50 5.50 6.00", "0:mean"),
        ("3.2000001 4.50 5.50 6.00", ""),
        # Exactly 30 % below the next, though the mean is nearer; a hair less is not.
        ("3.50 5.00", "0:next"),
        ("3.5000001 5.00", ""),
        # The next is the next dearer one, also in the middle of the field.
        ("4.20 4.30 6.20", "1:next"),
        # Twins cannot cover each other.
        ("2.00 2.00 4.00", "0:next 1:next"),
        # Nothing can be a share below nothing; but less than nothing is low beside any cost.
        ("-1.00 0.00", ""),
        ("-0.10 4.00 4.10", "0:mean"),
        ("0.00 4.00", "0:mean"),
        ("-9.00 4.00 4.10", "0:mean"),
    ],
)
def test_a_price_far_below_the_others_or_the_next_is_found(costs: str, low: str) -> None:
    percent = {place: Decimal(cost) / 100 for place, cost in enumerate(costs.split())}
    found = bidding.find_low_prices(percent)
    assert " ".join(f"{place}:{price.rule}" for place, price in sorted(found.items())) == low


def test_a_low_price_names_what_it_was_held_against() -> None:
    found = bidding.find_low_prices({"a": Decimal("0.02"), "b": Decimal("0.04"), "c": Decimal("0.06")})
    assert found["a"] == bidding.LowPrice("mean", Decimal("0.05"), Decimal("0.6"))
    assert found["b"].rule == "next" and found["b"].against == Decimal("0.06")
