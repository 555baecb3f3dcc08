"""The whole pure round, from needs, products and offers to a placement, beside OR-Tools' min-cost flow.

The flow gets the very offers that clearing gets, already found, priced and ranked, in the same fen and
millionths; it may split a need among lenders, so that what it finds is a bound on any round.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from market import bulk, ranking_table
from market.clearing import Columns, clear_columns, gather
from market.eligibility_match import match
from market.layouts import Flags, Ints
from market.ranking_table import Entries
from scripts.benchmarks import limits, market_day
from scripts.benchmarks.limits import Limits
from scripts.benchmarks.market_day import AMPLE, LENDERS, RESERVE, UNITS, Market
from scripts.benchmarks.measuring import Side, peak_memory

#: Offers priced at a time: their schedules and what comes of them need not all be held at once.
PART = 262_144
#: How often a round and the flow are measured.
TIMES = 3
#: How long clearing may search beyond its own moves, in the solver's units (about seconds): whole markets are
#: placed without the solver, those under all limits with it.
WORK, WORK_LIMITED = 0.0, 10.0


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it was measured.

    ``stages`` are the processor seconds of the median run, ``objective`` and ``bound`` fen, ``placed``
    the needs that got an offer, ``faults`` what is wrong with the placement.
    """

    side: Side
    stages: dict[str, float]
    objective: int
    bound: int
    placed: int
    faults: list[str]

    @property
    def gap(self) -> float:
        """Return by how many percent the objective may be above the least there is."""
        return percent_above(self.objective, self.bound)


@dataclass(frozen=True, slots=True)
class Flow:
    """The flow as it was measured, and the least cost in fen where needs may be split among lenders."""

    side: Side
    least: int

    @property
    def each(self) -> float:
        """Return the median time of one need, in seconds."""
        return self.side.each


@dataclass
class Watch:
    """Processor seconds by stage."""

    stages: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count what is done inside to a stage."""
        started = time.process_time()
        yield
        self.stages[stage] = time.process_time() - started


def run_round(count: int, seed: int, held: int = AMPLE) -> Round:
    """Measure a round under the lenders' totals, which hold ``held`` percent of what is asked for."""
    market = market_day.draw(count, seed, held)
    return _measure(market, limits.totals(market), TIMES, WORK)


def run_limited_round(count: int, seed: int, lenders: int) -> Round:
    """Measure a round under all limits, with packages."""
    market = market_day.draw(count, seed, lenders=lenders)
    return _measure(market, limits.everything(market, seed), 1, WORK_LIMITED)


def run_flow(count: int, seed: int, held: int = AMPLE) -> Flow:
    """Measure the min-cost flow on the offers of the same round."""
    market = market_day.draw(count, seed, held)
    units, live = rank_offers(market, Watch())
    rows = np.flatnonzero(live & (units < RESERVE))
    taken: list[float] = []
    for _ in range(TIMES):
        flow = _make_flow(market, rows, units[rows])
        started = time.process_time()
        status = flow.solve()
        taken.append(time.process_time() - started)
        if status != flow.OPTIMAL:
            raise RuntimeError(f"the flow was not solved: {status}")
    least = round(flow.optimal_cost() / UNITS)
    return Flow(Side("OR-Tools min-cost flow alone", taken, count, np.empty(0), peak_memory()), least)


def rank_offers(market: Market, watch: Watch) -> tuple[Ints, Flags]:
    """Return the annual cost of each offer in millionths, and which offers compete."""
    with watch.time("eligibility"):
        fits = match(market.table, market.shelf).hold(market.need, market.product)
    size = len(market.need)
    effective, total, priced = np.empty(size), np.empty(size, np.int64), np.empty(size, np.bool_)
    with watch.time("pricing"):
        for own, book in market_day.cut(market.book, PART):
            prices = bulk.price(book)
            effective[own], total[own], priced[own] = prices.effective, prices.total_cost, prices.note == 0
    with watch.time("ranking"):
        entries = Entries(
            market.need,
            market.book.principal,
            market.months[market.need],
            market.receipt,
            effective,
            total,
            priced & fits,
        )
        ranked = ranking_table.rank(entries, amounts=market.amounts, months=market.months)
        units = np.rint(effective * UNITS).astype(np.int64)
    return units, ranked.competes


def percent_above(objective: int, bound: int) -> float:
    """Return by how many percent an objective lies above a bound."""
    return 100 * (objective - bound) / abs(bound)


def _measure(market: Market, asked: Limits, times: int, work: float) -> Round:
    runs: list[tuple[float, Watch]] = []
    for _ in range(times):
        watch = Watch()
        started = time.process_time()
        units, live = rank_offers(market, watch)
        with watch.time("clearing"):
            columns = _gather(market, asked, units, np.flatnonzero(live))
            found = clear_columns(columns, work_limit=work)
        runs.append((time.process_time() - started, watch))
    middle = sorted(runs, key=lambda run: run[0])[times // 2][1]
    peak = peak_memory()
    objective, bound = found.objective, found.bound
    assert objective is not None and bound is not None, "needs that may stay unplaced can always be cleared"
    placed = columns.need[found.offers]
    faults = {
        "a need was placed twice": len(np.unique(placed)) < len(placed),
        "a limit was exceeded": bool((columns.load(found.offers) > columns.capacity).any()),
        "the objective is not the sum of its parts": columns.price(found.offers) != objective,
        "the bound lies above the objective": bound > objective,
    }
    return Round(
        Side("Cuohe, the whole round", [seconds for seconds, _ in runs], len(market), np.empty(0), peak),
        middle.stages,
        int(objective),
        int(bound),
        len(placed),
        [fault for fault, is_so in faults.items() if is_so],
    )


def _gather(market: Market, asked: Limits, units: Ints, rows: Ints) -> Columns:
    """Return what clearing is asked: the offers in ``rows`` with their costs and what they take of limits."""
    lengths = np.diff(asked.start)[rows]
    before = asked.start[rows] - (np.cumsum(lengths) - lengths)
    uses = np.arange(int(lengths.sum())) + np.repeat(before, lengths)
    return gather(
        need=market.need[rows],
        cost=market_day.annual_cost(market.book.principal[rows], units[rows]),
        receipt=market.receipt[rows],
        start=np.concatenate([[0], np.cumsum(lengths)]),
        limit=asked.limit[uses],
        amount=asked.amount[uses],
        unplaced=market.unplaced,
        capacity=asked.capacity,
    )


def _make_flow(market: Market, rows: Ints, units: Ints) -> Any:
    """Return the network: from each need over its offers to lenders and on to a sink, or there directly."""
    flow = import_module("ortools.graph.python.min_cost_flow").SimpleMinCostFlow()
    count = len(market)
    sink, every = count + LENDERS, np.arange(count)
    amount = market.book.principal[rows]
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([market.need[rows], every, count + np.arange(LENDERS)]),
        np.concatenate([count + market.lender[rows], np.full(count + LENDERS, sink)]),
        np.concatenate([amount, market.amounts, market.capacity]),
        np.concatenate([units, np.full(count, RESERVE), np.zeros(LENDERS, np.int64)]),
    )
    supplies = np.concatenate([market.amounts, np.zeros(LENDERS, np.int64), [-market.amounts.sum()]])
    flow.set_nodes_supplies(np.arange(sink + 1), supplies)
    return flow
