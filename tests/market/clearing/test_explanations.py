"""Every need is told why it got its offer or none."""

from __future__ import annotations

from market.clearing import clear, clear_columns, explain, explain_columns
from tests.market.clearing.cases import draw_market, make


def test_a_dearer_offer_names_the_cheaper_one_and_who_used_it_up() -> None:
    offers = [(1, ((7, 10),), 5), (1, ((8, 10),), 6), (2, ((7, 10),), 5)]
    market = make({1: 1000, 2: 1000}, {7: 10, 8: 10}, offers)
    assert explain(market, clear(market)) == {
        1: {
            **{"code": "cheaper_used_up", "compared": 2, "bid": 100, "more": 1},
            **{"limit": 7, "left": 0, "asked": 10, "needs": [2], "others": 0},
        },
        2: {"code": "cheapest", "compared": 1},
    }


def test_a_need_that_nobody_can_carry_says_why() -> None:
    offers = [(1, ((7, 10), (9, 1)), 5), (2, ((7, 10), (9, 2)), 6), (4, ((7, 10),), 5)]
    market = make({1: 100, 2: 100, 3: 100, 4: 1}, {7: 15, 9: 2}, offers)
    why = explain(market, clear(market))
    assert why[2] == {
        **{"code": "limit_used_up", "bid": 101, "limit": 7, "left": 5, "asked": 10},
        **{"needs": [1], "others": 0},
    }
    assert (why[3], why[4]) == ({"code": "no_live_bid"}, {"code": "above_reserve"})


def test_the_reasons_of_a_large_market_agree_with_its_limits() -> None:
    columns = draw_market(1500, 20, 8)
    taken = clear_columns(columns, work_limit=1.0).offers
    reasons = explain_columns(columns, taken)
    left = columns.capacity - columns.load(taken)
    named = reasons.limit >= 0
    assert named.sum() > 100
    assert bool((reasons.left[named] == left[reasons.limit[named]]).all())
    assert bool((reasons.asked[named] > reasons.left[named]).all())
