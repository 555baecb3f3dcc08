"""Clearing whole needs: optimal, within every limit, the same for any order of rows."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.clearing import Clearing, Instance, Need, Offer, clear, clear_columns
from tests.market.clearing.cases import assignment, draw_market, make, markets, read_published, try_all
from tests.shared import shared_data

ROOT = Path(__file__).resolve().parents[3]


def offers_of(result: Clearing) -> list[Offer]:
    return [placement.offer for own in result.placed.values() for placement in own]


def assert_within_limits(instance: Instance, result: Clearing) -> None:
    used: dict[object, int] = {}
    for offer in offers_of(result):
        for limit, amount in offer.uses:
            used[limit] = used.get(limit, 0) + amount
    assert all(amount <= instance.capacity[limit] for limit, amount in used.items())


def test_the_whole_market_beats_need_by_need() -> None:
    # Need by need, need 1 takes the cheap lender and need 2 is left out; cleared together both are placed.
    offers = [(1, ((7, 10),), 5), (1, ((8, 10),), 6), (2, ((7, 10),), 5)]
    result = clear(make({1: 1000, 2: 1000}, {7: 10, 8: 10}, offers))
    assert (result.status, result.objective, result.bound, result.gap) == ("optimal", 11, 11, 0.0)
    assert [offer.bid for offer in offers_of(result)] == [101, 102]


def test_a_package_uses_the_limits_of_lender_and_guarantor_together() -> None:
    # The guarantor (9) carries one of two packages; the second need takes the dearer loan without it.
    offers = [
        (1, (("bank", 10), ("guarantor", 8)), 5),
        (2, (("bank", 10), ("guarantor", 8)), 5),
        (2, (("bank", 10),), 7),
    ]
    market = make({1: 100, 2: 100}, {"bank": 20, "guarantor": 15}, offers)  # type: ignore[arg-type, dict-item]
    assert clear(market).objective == 12


def test_an_empty_market_clears_to_nothing() -> None:
    result = clear(Instance((), {}, ()))
    assert (result.objective, result.placed, result.status) == (0, {}, "optimal")


def test_a_need_that_must_be_placed_and_cannot_be_is_said_so() -> None:
    alone = clear(make({1: None}, {7: 9}, [(1, ((7, 10),), 5)]))
    assert (alone.status, alone.objective, alone.bound, alone.gap) == ("infeasible", None, None, None)
    both = clear(make({1: None, 2: None}, {7: 15}, [(1, ((7, 10),), 5), (2, ((7, 10),), 5)]))
    assert (both.status, both.placed, both.unplaced) == ("infeasible", {}, (1, 2))


@settings(max_examples=60, deadline=None)
@given(markets(), st.randoms(use_true_random=False))
def test_the_answer_is_the_optimum_with_the_earliest_receipts_whatever_the_order(
    instance: Instance, rng: random.Random
) -> None:
    result, expected = clear(instance), try_all(instance)
    if expected is None:
        assert result.status == "infeasible"
        return
    assert (result.status, result.objective, result.bound) == ("optimal", expected[0], expected[0])
    assert result.ties_proved
    assert sum(offer.receipt for offer in offers_of(result)) == expected[1]
    assert_within_limits(instance, result)
    needs, offers = list(instance.needs), list(instance.offers)
    rng.shuffle(needs)
    rng.shuffle(offers)
    capacity = dict(reversed(instance.capacity.items()))
    again = clear(Instance(tuple(needs), capacity, tuple(offers)))
    assert again.placed == result.placed


@settings(max_examples=15, deadline=None)
@given(markets(times=10**21 + 1))
def test_numbers_beyond_64_bits_are_cleared_exactly(instance: Instance) -> None:
    result, expected = clear(instance), try_all(instance)
    assert (result.objective, result.bound) == ((expected[0], expected[0]) if expected else (None, None))
    assert_within_limits(instance, result)


@pytest.mark.parametrize("base", [2**53, 2**62, 2**70])
def test_one_fen_decides_however_large_the_amounts(base: int) -> None:
    offers = [(1, ((7, base),), base + 1), (1, ((8, base),), base), (2, ((8, base + 1),), base)]
    result = clear(make({1: 4 * base, 2: 4 * base}, {7: base, 8: 2 * base}, offers))
    # One more unit of capacity would let both needs take lender 8.
    assert (result.objective, result.bound) == (2 * base + 1, 2 * base + 1)


def test_published_instances_reach_their_proved_minimum() -> None:
    # Generalised-assignment instances of the OR-Library family; every need is placed.
    seen = 0
    for name, columns, least in read_published(shared_data("clearing")):
        outcome = clear_columns(columns)
        assert (outcome.status, outcome.objective, outcome.bound) == ("optimal", least, least), name
        assert len(outcome.offers) == columns.needs
        assert bool((columns.load(outcome.offers) <= columns.capacity).all())
        seen += 1
    assert seen == 37


def test_a_hard_instance_is_brought_close_and_its_bound_holds() -> None:
    # Type D of the published families: dear offers use little, and the bound of prices alone is weak.
    draw = np.random.default_rng(5)
    uses = draw.integers(1, 101, (5, 60))
    cost = 111 - uses + draw.integers(-10, 11, (5, 60))
    columns = assignment(cost, uses, (0.8 * uses.sum(axis=1) / 5).astype(np.int64))
    outcome = clear_columns(columns, work_limit=4.0)
    assert isinstance(outcome.objective, int) and isinstance(outcome.bound, int)
    assert outcome.bound <= outcome.objective <= outcome.bound * 1.003
    assert bool((columns.load(outcome.offers) <= columns.capacity).all())


def test_a_market_of_two_thousand_needs_and_every_kind_of_limit_clears_within_half_a_percent() -> None:
    columns = draw_market(2000, 20, 10)
    outcome = clear_columns(columns, work_limit=1.0)
    assert isinstance(outcome.objective, int) and isinstance(outcome.bound, int)
    assert bool((columns.load(outcome.offers) <= columns.capacity).all())
    assert bool((np.diff(columns.need[outcome.offers]) > 0).all())
    assert outcome.objective == columns.price(outcome.offers)
    assert outcome.bound <= outcome.objective <= outcome.bound * 1.005
    assert not outcome.ties_proved


def test_two_processes_find_the_same_placement() -> None:
    code = (
        "from market.clearing import clear_columns\n"
        "from tests.market.clearing.cases import draw_market\n"
        "outcome = clear_columns(draw_market(700, 10, 9), work_limit=2.0)\n"
        "print(outcome.objective, outcome.bound, outcome.offers.tolist())\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout != ""


def test_clearing_leaves_the_handler_of_ctrl_c_alone() -> None:
    # The clock solves rounds and must still stop in order on Ctrl-C afterwards.
    code = (
        "import os, signal\n"
        "from tests.market.clearing.cases import make\n"
        "from market.clearing import clear\n"
        "signal.signal(signal.SIGINT, lambda *_: print('in order', flush=True))\n"
        "clear(make({1: 9, 2: 9}, {7: 5}, [(1, ((7, 5),), 3), (2, ((7, 4),), 3)]))\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "in order\n")


def test_the_need_objects_default_to_whole_and_must_be_placed() -> None:
    result = clear(Instance((Need("n"),), {"l": 3}, (Offer("n", "b", 0, 4, (("l", 3),)),)))
    assert (result.objective, result.ties_proved) == (4, True)
