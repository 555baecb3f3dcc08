"""Neighbourhoods: a few limits at a time, with all their needs, are placed anew by integer programming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from market.clearing.columns import Floats, Ints
from market.clearing.placing import Board
from market.clearing.program import SEED, minimise

#: Work that one neighbourhood may take, and how many offers it may hold.
WORK_EACH = 0.4
MOST_OFFERS = 1500
MODEL_WORK = 0.02


def search(board: Board, charged: Floats, *, work: float, target: int) -> float:
    """Improve a placement until its cost is ``target``, the work is spent or nothing is gained for long.

    Returns the work spent. Each neighbourhood is a limit drawn at random (fixed seed) with those that are
    nearest to it: to which its needs could most easily go.
    """
    columns = board.columns
    count = len(columns.capacity)
    draw = np.random.default_rng(SEED)
    cheapest = np.full(columns.needs, np.inf)
    np.minimum.at(cheapest, columns.need, charged)
    far = charged - np.minimum(cheapest, board.forfeit)[columns.need]
    spent, idle, size = 0.0, 0, max(2, min(count // 2, 5))
    current = columns.price(board.offers)
    while spent < work and current > target and idle < 4 * count + 20:
        limits = _choose(board, far, int(draw.integers(count)), size, draw)
        used, gained = _replace_under(board, limits, far, min(WORK_EACH, work - spent))
        # Building the model is work too, which the solver does not count.
        spent += used + MODEL_WORK
        idle = 0 if gained else idle + 1
        current -= gained
        if idle and idle % (count + 5) == 0 and size < count:
            size = min(count, size + 2)
    return spent


def _choose(board: Board, far: Floats, seed: int, size: int, draw: np.random.Generator) -> Ints:
    columns = board.columns
    offers = board.offers
    uses, owner = columns.uses_of(offers)
    here = np.zeros(columns.needs, bool)
    here[columns.need[offers[owner[columns.limit[uses] == seed]]]] = True
    rows = np.flatnonzero(here[columns.need])
    uses, owner = columns.uses_of(rows)
    near = np.zeros(len(columns.capacity))
    scale = float(np.median(far[rows])) if len(rows) else 1.0
    np.add.at(near, columns.limit[uses], np.exp(-far[rows][owner] / max(scale, 1e-9)))
    # Nearness with luck, so that the same limit meets other neighbours next time.
    near *= draw.exponential(size=len(near))
    near[seed] = np.inf
    return np.argsort(-near, kind="stable")[:size]


def _replace_under(board: Board, limits: Ints, far: Floats, work: float) -> tuple[float, int]:
    """Place the needs under some limits anew; return the work spent and what was saved."""
    columns = board.columns
    chosen = np.zeros(len(columns.capacity), bool)
    chosen[limits] = True
    touches = np.zeros(columns.offers, bool)
    touches[np.repeat(np.arange(columns.offers), board.lengths)[chosen[columns.limit]]] = True
    free = np.zeros(columns.needs, bool)
    offers = board.offers
    free[columns.need[offers[touches[offers]]]] = True
    free[columns.need[touches & (board.take[columns.need] < 0)]] = True
    mine = offers[free[columns.need[offers]]]
    capacity = board.room + columns.load(mine)
    rows = np.flatnonzero(free[columns.need])
    rows = rows[board.fits(rows, capacity)]
    if len(rows) > MOST_OFFERS:
        keep = np.zeros(columns.offers, bool)
        keep[rows[np.argsort(far[rows], kind="stable")[:MOST_OFFERS]]] = True
        keep[mine] = True
        rows = rows[keep[rows]]
    needs = np.flatnonzero(free)
    part = replace(
        columns.select(rows),
        need=np.searchsorted(needs, columns.need[rows]),
        unplaced=columns.unplaced[needs],
        must=columns.must[needs],
        capacity=capacity,
    )
    hint = np.searchsorted(rows, mine)
    cost = part.price(hint)
    answer = minimise(part, work=work, hint=hint, most=cost - 1)
    if answer.offers is None:
        return answer.work, 0
    board.clear(needs)
    board.seat(rows[answer.offers])
    return answer.work, cost - part.price(answer.offers)
