"""Clearing: optimal, within every limit, the same for any order of rows, and explained."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.clearing import Instance, Offer, clear, explain
from tests.shared import shared_data

ROOT = Path(__file__).resolve().parents[2]


def make(
    unplaced: dict[int, int], capacity: dict[int, int], offers: list[tuple[int, int, int, int]]
) -> Instance:
    """Offers as (need, lender, uses, cost); bid and receipt number follow from the position."""
    return Instance(
        unplaced,
        capacity,
        tuple(
            Offer(need=n, lender=lender, bid=100 + i, receipt=i + 1, uses=u, cost=c)
            for i, (n, lender, u, c) in enumerate(offers)
        ),
    )


def solve_by_trying(instance: Instance) -> int:
    """Every choice tried: the slow, obvious answer."""
    options = [
        [None, *[o for o in instance.offers if o.need == need]] for need in sorted(instance.unplaced_cost)
    ]
    best = sum(instance.unplaced_cost.values())
    for choice in itertools.product(*options):
        used: dict[int, int] = {}
        cost = 0
        for need, offer in zip(sorted(instance.unplaced_cost), choice, strict=True):
            if offer is None:
                cost += instance.unplaced_cost[need]
            else:
                used[offer.lender] = used.get(offer.lender, 0) + offer.uses
                cost += offer.cost
        if all(amount <= instance.capacity[lender] for lender, amount in used.items()):
            best = min(best, cost)
    return best


def test_the_whole_market_beats_need_by_need() -> None:
    # Need by need, need 1 takes the cheap lender and need 2 is left out; cleared together both are placed.
    instance = make({1: 1000, 2: 1000}, {7: 10, 8: 10}, [(1, 7, 10, 5), (1, 8, 10, 6), (2, 7, 10, 5)])
    result = clear(instance)
    assert result.status == "optimal"
    assert {need: offer.lender for need, offer in result.placed.items()} == {1: 8, 2: 7}
    assert result.objective == result.bound == 11
    assert explain(instance, result)[1] == {
        "code": "cheaper_used_up",
        "compared": 2,
        "bid": 100,
        "more": 1,
    }


def test_at_equal_cost_the_earlier_receipts_win() -> None:
    instance = make({1: 100}, {7: 10, 8: 10}, [(1, 8, 10, 5), (1, 7, 10, 5)])
    result = clear(instance)
    assert result.placed[1].receipt == 1
    assert result.ties_proved


def test_a_need_that_nobody_can_carry_says_why() -> None:
    instance = make({1: 100, 2: 100, 3: 100, 4: 1}, {7: 10}, [(1, 7, 10, 5), (2, 7, 10, 6), (4, 7, 10, 5)])
    result = clear(instance)
    assert set(result.placed) == {1}
    assert explain(instance, result)[2]["code"] == "limit_used_up"
    assert explain(instance, result)[3] == {"code": "no_live_bid"}
    assert explain(instance, result)[4] == {"code": "above_reserve"}


def test_an_empty_market_clears_to_nothing() -> None:
    result = clear(Instance({}, {}, ()))
    assert (result.objective, result.placed, result.status) == (0, {}, "optimal")


@st.composite
def markets(draw: st.DrawFn) -> Instance:
    needs, lenders = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    offers = [
        (n, lender, draw(st.integers(1, 9)), draw(st.integers(0, 20)))
        for n in range(needs)
        for lender in range(lenders)
        if draw(st.booleans())
    ]
    return make(
        {n: draw(st.integers(0, 30)) for n in range(needs)},
        {lender: draw(st.integers(0, 15)) for lender in range(lenders)},
        offers,
    )


@settings(max_examples=60, deadline=None)
@given(markets(), st.randoms(use_true_random=False))
def test_the_answer_is_the_optimum_and_ignores_the_order_of_rows(
    instance: Instance, rng: random.Random
) -> None:
    result = clear(instance)
    assert result.objective == solve_by_trying(instance)
    used: dict[int, int] = {}
    for offer in result.placed.values():
        used[offer.lender] = used.get(offer.lender, 0) + offer.uses
    assert all(amount <= instance.capacity[lender] for lender, amount in used.items())
    shuffled = list(instance.offers)
    rng.shuffle(shuffled)
    assert clear(Instance(instance.unplaced_cost, instance.capacity, tuple(shuffled))).placed == result.placed


@pytest.mark.parametrize("name", ["gap1-0", "gap2-3", "gap3-1", "gap4-4"])
def test_published_instances_reach_their_proved_minimum(name: str) -> None:
    # Generalised-assignment instances of the OR-Library family; every need is placed at the optimum.
    folder = shared_data("clearing")
    optima = {row["file"]: row["min_cost"] for row in json.loads((folder / "optima.json").read_text())}
    numbers = iter(int(word) for word in (folder / f"{name}.txt").read_text().split())
    lenders, needs = next(numbers), next(numbers)
    costs = [[next(numbers) for _ in range(needs)] for _ in range(lenders)]
    uses = [[next(numbers) for _ in range(needs)] for _ in range(lenders)]
    capacity = {lender: next(numbers) for lender in range(lenders)}
    instance = make(
        dict.fromkeys(range(needs), 10_000),
        capacity,
        [(n, lender, uses[lender][n], costs[lender][n]) for n in range(needs) for lender in range(lenders)],
    )
    result = clear(instance)
    assert len(result.placed) == needs
    assert result.objective == optima[f"{name}.txt"]


def test_clearing_leaves_the_handler_of_ctrl_c_alone() -> None:
    # The clock solves rounds and must still stop in order on Ctrl-C afterwards.
    code = (
        "import os, signal\n"
        "from market.clearing import Instance, Offer, clear\n"
        "signal.signal(signal.SIGINT, lambda *_: print('in order', flush=True))\n"
        "clear(Instance({1: 9}, {7: 5}, (Offer(need=1, lender=7, bid=1, receipt=1, uses=5, cost=3),)))\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "in order\n")
