"""The order of work of a clearing: prices and their bound, a placement, improvements, and the proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from market.clearing import knapsacks, neighbourhoods, placing, program, shares
from market.clearing.columns import Columns, Floats, Ints, Outcome, scale
from market.clearing.prices import Proof, charge, find_near, find_prices, prove
from market.clearing.repacking import Repacker

#: Deterministic work units of the solver (about seconds of one core), not wall-clock time.
WORK_LIMIT = 60.0
#: Up to so many offers a market is put to the solver whole.
FEW_OFFERS = 6_000
#: Of the work: what a first look at the whole may take, what the lowest open level and the others, and which
#: share of the rest the search for a better placement in neighbourhoods, among so many offers per need.
FIRST_LOOK = 2.0
LOWEST_WORK, LEVEL_WORK = 20.0, 6.0
SEARCH_SHARE = 0.5
NEAR_OFFERS = 5
#: A larger market is placed among so many offers per need, those nearest to the cheapest.
LARGE_OFFERS = 8
#: Repacking: at most so many sweeps, and the part of the cost that one must save for another of its kind.
MOST_SWEEPS = 14
WORTH_A_SWEEP = 2e-4
#: A placement of a large market within this part of its bound is not worked on further.
GOOD_ENOUGH = 4e-4
#: What the search in neighbourhoods may take of the work in a market too large for the solver.
LARGE_SEARCH = 3.0
#: What the order among equals may always take, however hard the rest was.
TIES_LEAST = 2.0


class _State:
    """The best placement and bound so far, and the work left."""

    def __init__(self, columns: Columns, work: float) -> None:
        self.columns, self.work = columns, work
        self.bound: int | None = None
        self.cost: int | None = None
        self.offers: Ints | None = None

    @property
    def closed(self) -> bool:
        return self.cost is not None and self.cost == self.bound

    def spend(self, work: float) -> None:
        self.work = max(0.0, self.work - work)

    def raise_bound(self, bound: int | None) -> None:
        if bound is not None and (self.bound is None or bound > self.bound):
            self.bound = bound if self.cost is None else min(bound, self.cost)

    def offer(self, offers: Ints | None) -> None:
        if offers is not None and (self.cost is None or self.columns.price(offers) < self.cost):
            self.offers, self.cost = offers, self.columns.price(offers)


def clear_columns(columns: Columns, *, work_limit: float = WORK_LIMIT) -> Outcome:
    """Return the cheapest clearing of a market; ``offers`` of the outcome are rows of these columns.

    Rows must stand in order of need, receipt and bid (``columns.arrange`` gives it): what decides between
    equals is the order, so that one order gives one answer.
    """
    rows = _find_possible(columns)
    if not len(rows):
        return _leave_all_out(columns, rows, work_limit)
    part = (columns if len(rows) == columns.offers else columns.select(rows)).without_idle_limits()
    if bool(part.divisible.any()):
        outcome = shares.share_out(part, work_limit)
    else:
        outcome = place_whole(part, work_limit)
    return replace(outcome, offers=rows[outcome.offers])


def _leave_all_out(columns: Columns, rows: Ints, work: float) -> Outcome:
    """Return the clearing of a market in which no offer can be taken: proved without any search."""
    name = f"{program.solver_name()} cp-sat seed {program.SEED} work {work:g}"
    if bool(columns.must.any()):
        return Outcome("infeasible", None, None, rows, None, True, name)
    cost = columns.price(rows)
    return Outcome("optimal", cost, cost, rows, None, True, name)


def _find_possible(columns: Columns) -> Ints:
    """Return the offers that could be taken: they fit alone and cost less than leaving the need out."""
    lengths = np.diff(columns.start)
    owner = np.repeat(np.arange(columns.offers), lengths)
    beyond = columns.amount > columns.capacity[columns.limit]
    possible = ~columns.divisible[columns.need] & (np.bincount(owner[beyond], minlength=columns.offers) > 0)
    possible = ~possible
    possible &= columns.must[columns.need] | (columns.cost < columns.unplaced[columns.need])
    return np.flatnonzero(possible)


def place_whole(columns: Columns, work: float) -> Outcome:
    """Return the cheapest placement found of needs that each take one offer or none."""
    name = f"{program.solver_name()} cp-sat seed {program.SEED} work {work:g}"
    none = np.zeros(0, np.int64)
    if bool(columns.must[np.setdiff1d(np.arange(columns.needs), columns.need)].any()):
        return Outcome("infeasible", None, None, none, None, True, name)
    if not columns.offers:
        cost = columns.price(none)
        return Outcome("optimal", cost, cost, none, None, True, name)
    state = _State(columns, work)
    guide, factor = scale(columns)
    prices = find_prices(guide)
    proof = prove(columns, prices * factor)
    state.raise_bound(proof.bound)
    charged = charge(guide, prices)
    few = columns.offers <= FEW_OFFERS or not columns.exact64
    near = np.arange(columns.offers) if few else find_near(guide, charged, LARGE_OFFERS)
    board = placing.Board(guide if few else guide.select(near))
    settle(board, charged[near], prices, prove(guide, prices).bound)
    state.offer(near[board.offers] if board.complete else None)
    if state.closed:
        pass
    elif few:
        if not _close(state, charged):
            return Outcome("infeasible", None, None, none, None, True, name)
    elif board.complete:
        enough = (state.bound or 0) + int(GOOD_ENOUGH * abs(state.cost or 0))
        neighbourhoods.search(board, charged[near], work=min(work, LARGE_SEARCH), target=enough)
        state.offer(near[board.offers])
    elif not _put_whole(state, work):
        return Outcome("infeasible", None, None, none, None, True, name)
    if state.offers is None:
        return Outcome("unknown", None, state.bound, none, None, False, name)
    ties = _order_ties(state, proof)
    status = "optimal" if state.closed else "feasible"
    return Outcome(status, state.cost, state.bound, state.offers, None, ties, name)


def settle(board: placing.Board, charged: Floats, prices: Floats, bound: int) -> None:
    """Fill a board: build, improve, and repack limit by limit as long as it pays; keep the best."""
    placing.build(board, charged)
    placing.improve(board, charged)
    best, cost = board.take.copy(), float(board.costs().sum())
    if cost - bound < GOOD_ENOUGH * abs(cost):
        return
    repacker = Repacker(board, prices)
    weights = [1.0, 0.9, 0.8, 0.5, 0.0]
    for _ in range(MOST_SWEEPS):
        repacker.sweep(weights[0])
        placing.improve(board, charged)
        now = float(board.costs().sum())
        gain = cost - now
        if gain > 0:
            best, cost = board.take.copy(), now
        # The same once more as long as that pays well; then room elsewhere counts for less.
        if gain < WORTH_A_SWEEP * abs(cost):
            weights = weights[1:]
        if not weights or cost - bound < GOOD_ENOUGH * abs(cost):
            break
    board.clear(np.arange(board.columns.needs))
    board.seat(best[best >= 0])


def _close(state: _State, charged: Floats) -> bool:
    """Bring cost and bound together as far as the work allows; False if no placement is possible."""
    columns = state.columns
    suits = knapsacks.Knapsacks.suit(columns)
    if not _put_whole(state, min(state.work, FIRST_LOOK) if suits else state.work):
        return False
    if not state.closed and suits:
        _climb(state, charged)
    return True


def _put_whole(state: _State, work: float) -> bool:
    answer = program.minimise(state.columns, work=work, hint=state.offers)
    state.spend(answer.work)
    state.offer(answer.offers)
    state.raise_bound(state.cost if answer.closed else answer.bound)
    return answer.offers is not None or not answer.closed


def _climb(state: _State, charged: Floats) -> None:
    """Raise the bound level by level: at each, only offers that some placement so cheap may take remain.

    A level that does not close within its share of the work is left open and a higher one is tried, for a
    better placement; what work is left at the end goes to the lowest open level.
    """
    columns = state.columns
    sack = knapsacks.Knapsacks(columns)
    start = np.where(columns.must, np.inf, columns.unplaced.astype(float))
    np.minimum.at(start, columns.need, charged)
    worth = sack.sharpen(sack.find_worths(start, state.cost))
    total, bounds = sack.bound_offers(worth)
    state.raise_bound(-(-total // knapsacks.ONE))
    level, step, highest, searched = state.bound or 0, 1, -1, False
    while state.work > 0 and not state.closed:
        last = highest >= 0 and state.cost is not None and level >= state.cost
        level = state.bound or 0 if last else level
        rows = np.flatnonzero(bounds <= level * knapsacks.ONE)
        part = columns.select(rows)
        own = knapsacks.Knapsacks(part)
        slack = level * knapsacks.ONE - own.fill(worth).total
        fillings = own.list_fillings(worth, slack)
        share = state.work if last else LOWEST_WORK if highest < 0 else LEVEL_WORK
        answer = program.minimise(
            part, work=min(state.work, share), most=level, fillings=fillings, slack=slack
        )
        state.spend(answer.work)
        if answer.offers is not None:
            state.offer(rows[answer.offers])
        if answer.closed:
            state.raise_bound(state.cost if answer.offers is not None else level + 1)
            level, step, highest = state.bound or 0, 1, -1
            continue
        if last:
            break
        if not searched and state.offers is not None and not state.closed:
            searched = True
            _search_near(state, state.offers, bounds)
        highest = max(highest, level)
        level, step = level + step, step * 2


def _search_near(state: _State, taken: Ints, bounds: Ints) -> None:
    """Look for a better placement among the offers that the bounds speak for, and those taken now."""
    columns = state.columns
    near = np.zeros(columns.offers, bool)
    near[np.argsort(bounds, kind="stable")[: NEAR_OFFERS * columns.needs]] = True
    near[taken] = True
    rows = np.flatnonzero(near)
    board = placing.Board(columns.select(rows))
    board.seat(np.searchsorted(rows, taken))
    close = bounds[rows] / knapsacks.ONE
    placing.improve(board, close)
    share = state.work * SEARCH_SHARE
    state.spend(neighbourhoods.search(board, close, work=share, target=state.bound or 0))
    state.offer(rows[board.offers])


def _order_ties(state: _State, proof: Proof) -> bool:
    """Let the earlier receipts win among placements of the same cost; say whether that is proved."""
    columns = state.columns
    if not columns.receipt.any():
        return True
    if not state.closed or state.offers is None or state.cost is None or columns.offers > FEW_OFFERS:
        return False
    rows = np.flatnonzero(proof.extra <= state.cost * proof.one - proof.total)
    hint = np.searchsorted(rows, state.offers)
    answer = program.order_ties(columns.select(rows), state.cost, work=max(state.work, TIES_LEAST), hint=hint)
    if answer.offers is not None:
        state.offers = rows[answer.offers]
    return answer.closed
