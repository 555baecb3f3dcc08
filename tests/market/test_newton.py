from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.layouts import Ragged, Table
from market.newton import forces, rates
from market.root import solve

amounts = st.one_of(st.integers(-200, 200), st.integers(-(10**9), 10**9), st.just(0))
columns = st.lists(st.lists(amounts, min_size=6, max_size=6), min_size=1, max_size=8)
times = st.lists(st.integers(1, 9), min_size=6, max_size=6).map(lambda gaps: np.cumsum(gaps))


def agrees(flows: Table | Ragged) -> None:
    """Compare what is said to be sure with the exact search, offer by offer."""
    force, sure = forces(flows)
    for place in range(len(flows)):
        exact = solve(*flows.one(place)).force
        if sure[place]:
            assert exact is not None
            assert force[place] == pytest.approx(float(exact), rel=1e-11, abs=1e-14)
        else:
            assert force[place] == 0


@settings(max_examples=300, deadline=None)
@given(columns, times)
def test_what_is_sure_is_the_root(listed: list[list[int]], when: np.ndarray) -> None:
    net = np.array(listed).T
    agrees(Table(when, net))
    agrees(Table(np.repeat(when[:, None], net.shape[1], axis=1), net))
    moved = np.flatnonzero((net != 0).any(axis=0))
    if len(moved):
        agrees(Table(when, net).some(moved))


@pytest.mark.parametrize(
    "flows",
    [
        [100, -30, -30, -45],
        [100, 0, 20, -130],
        [-100, 50, 60, 0],
        [100, -60, -60, 30],
        [100, -90, 0, 0],
        [100, -50, -50, 0],
        # Two roots behind zero: the nearer one is where the value rises.
        [100, -120, 30, 0],
        [100, -120, 22, 5],
        [100, -150, 31, 20],
    ],
)
def test_ordinary_flows_are_sure(flows: list[int]) -> None:
    table = Table(np.arange(4), np.array([flows]).T)
    assert forces(table)[1].all()
    agrees(table)


@pytest.mark.parametrize(
    "flows",
    [[0, 0, 0, 0], [1, 1, 0, 0], [0, 100, -50, -60], [100, -230, 132, 0], [100, -120, 80, -61]],
)
def test_flows_whose_root_is_not_plain_are_left_to_the_search(flows: list[int]) -> None:
    assert not forces(Table(np.arange(4), np.array([flows]).T))[1].any()


def test_one_sure_offer_among_many_others_is_found() -> None:
    net = np.array([[1, 1, 0, 0]] * 9 + [[100, -30, -30, -45]]).T
    force, sure = forces(Table(np.arange(4), net))
    assert sure.tolist() == [False] * 9 + [True] and force[9] > 0
    assert rates(Table(np.arange(4), net), 12, True).note[:9].all()
