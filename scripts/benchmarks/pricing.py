"""./scripts/bench pricing: from terms to annual cost, and from dated flows to annual cost, against pyxirr.

All sides get the same offers in one run, each in a process of its own with one thread. Ours starts from
terms in columns; the peers get ready-made flows, and making those is not counted.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

from market import bulk, cost, dated
from market.blocks import blocks
from market.book import Book
from market.dated import Flows
from market.layouts import Floats, Ints
from scripts.benchmarks import offers
from scripts.benchmarks.measuring import Side, apart, peak_memory, ratio, seconds, show

OFFERS = 1_000_000
SEED = 20261120
#: How often ours and the peers are measured.
OURS, PEERS = 7, 3
#: What is too slow to do a million times is done for the first of them; the slowest for fewer.
SAMPLE, SLOW_SAMPLE = 20_000, 1_000
#: Offers whose flows are laid out for a peer at a time, and those it is tried with beforehand.
CHUNK, TRIED = 20_000, 2_000
#: By how much rates may differ, as a share of the rate or of one: the peers stop their search earlier.
CLOSE = 1e-7

#: Rows for a peer: the places of offers, and what it is called with for each of them.
Chunks = Iterator[tuple[Ints, list[Any]]]


def main(count: int = OFFERS) -> int:
    """Print what was measured; return 1 where two sides disagree, or where the peer is missing."""
    if find_spec("pyxirr") is None:
        print("pyxirr is not installed: start this with ./scripts/bench, which prepares it.", file=sys.stderr)
        return 1
    part, few = min(count, SAMPLE), min(count, SLOW_SAMPLE)
    print(
        f"Python {platform.python_version()}, numpy {version('numpy')}, pyxirr {version('pyxirr')}, "
        f"{os.cpu_count()} processors, one thread each side; processor time, median (least to most)."
    )
    terms = apart(price_terms, count)
    print(f"\nTerms in columns to annual cost: {count:,} offers of {terms.flows:,} flows by month (30/360)")
    show(terms)
    irr = show(apart(price_by_irr, count, count))
    agree = [agrees(terms, irr)]
    bare = apart(price_dated, count)
    print(f"\nBare flows on dates to annual cost: {count:,} offers of {bare.flows:,} flows (days/365)")
    show(bare)
    xirr = show(apart(price_by_xirr, count))
    agree.append(agrees(bare, xirr))
    print(f"\nOther ways, for information: the first {part:,} offers, the slow ones {few:,}")
    agree.append(agrees(terms, show(apart(price_by_irr, count, part, 0.005))))
    for library, price in (("numpy_financial", price_by_numpy_financial), ("QuantLib", price_by_quantlib)):
        if find_spec(library) is None:
            print(f"  {library}: not installed")
        else:
            agree.append(agrees(bare if library == "QuantLib" else terms, show(apart(price, count, few))))
    agree.append(agrees(terms, show(apart(price_objects, count, part))))
    agree.append(agrees(terms, show(apart(price_exactly, count, few))))
    single = show(apart(price_singly, count, few))
    agree.append(agrees(terms, single))
    print()
    print(ratio("price vs pyxirr irr", irr.each / terms.each, ">= 4"))
    print(ratio("dated vs pyxirr xirr", xirr.each / bare.each, ">= 4"))
    print(ratio("one offer ms", single.each * 1e3, "<= 0.3"))
    print(ratio("peak memory GB", max(terms.peak, bare.peak), "<= 1"))
    if not all(agree):
        print("\nSides disagree: these figures mean nothing.", file=sys.stderr)
        return 1
    return 0


def agrees(ours: Side, other: Side) -> bool:
    """Print how far apart the rates of two sides are at most, and say whether that is close."""
    known = ours.rates[: len(other.rates)]
    gap = np.abs(known - other.rates) / np.maximum(1, np.abs(known))
    # A side that finds no rate says so with a NaN, which is close to nothing.
    far = np.count_nonzero(~(gap <= CLOSE))
    disagree = f"; {far:,} OFFERS DISAGREE" if far else ""
    print(f"    against ours, rates differ by {np.nanmax(gap):.1e} at most{disagree}", flush=True)
    return far == 0


def price_terms(count: int) -> Side:
    """Measure ours from terms in columns to annual cost."""
    book = offers.book(count, SEED)
    prices = bulk.price(book)
    taken = seconds(lambda: bulk.price(book), OURS)
    peak = peak_memory()
    return Side("Cuohe", taken, count, prices.effective, peak, sum(block.net.size for block in blocks(book)))


def price_dated(count: int) -> Side:
    """Measure ours from flows on dates to annual cost."""
    flows = _dated_flows(count)
    prices = dated.price(flows)
    taken = seconds(lambda: dated.price(flows), OURS)
    return Side("Cuohe", taken, count, prices.effective, peak_memory(), len(flows.amounts))


def price_objects(count: int, part: int) -> Side:
    """Measure ours from terms as objects, put into columns first."""
    listed = offers.terms(offers.book(count, SEED), range(part))
    prices = bulk.price(Book.of(listed))
    taken = seconds(lambda: bulk.price(Book.of(listed)), PEERS)
    return Side("Cuohe from terms as objects", taken, part, prices.effective)


def price_exactly(count: int, part: int) -> Side:
    """Measure ours from terms as objects to all exact figures of each offer, many at a time."""
    listed = offers.terms(offers.book(count, SEED), range(part))
    rates = [float(priced.effective or "nan") for priced in cost.price_many(listed)]
    taken = seconds(lambda: cost.price_many(listed), PEERS)
    return Side("Cuohe in exact decimals (cost.price_many)", taken, part, np.array(rates))


def price_singly(count: int, part: int) -> Side:
    """Measure ours from the terms of one offer to all its exact figures; the median is over the offers."""
    listed = offers.terms(offers.book(count, SEED), range(part))
    taken, rates = [], []
    for terms in listed:
        started = time.process_time()
        priced = cost.price(terms)
        taken.append(time.process_time() - started)
        rates.append(float("nan") if priced.effective is None else float(priced.effective))
    return Side("Cuohe, one offer by itself (cost.price)", taken, 1, np.array(rates))


def price_by_irr(count: int, part: int, guess: float | None = None) -> Side:
    """Measure ``pyxirr.irr`` on flows by month, as lists or as arrays, whichever it reads faster."""
    irr = import_module("pyxirr").irr
    book = offers.part(offers.book(count, SEED), part)

    def call(rows: list[Any]) -> list[float | None]:
        if guess is None:
            return [irr(row) for row in rows]
        return [irr(row, guess=guess) for row in rows]

    form = _faster(call, (list, np.array), next(_by_month(book))[1][:TRIED])
    taken, monthly = _called(call, _by_month(book, form), part)
    name = f"pyxirr.irr on {'lists' if form is list else 'arrays'}"
    return Side(
        name if guess is None else f"{name}, guess {guess}", taken, part, np.expm1(12 * np.log1p(monthly))
    )


def price_by_xirr(count: int) -> Side:
    """Measure ``pyxirr.xirr`` on flows by date, as lists or as arrays, whichever it reads faster."""
    xirr = import_module("pyxirr").xirr
    flows = _dated_flows(count)

    def call(rows: list[Any]) -> list[float | None]:
        return [xirr(dates, amounts) for dates, amounts in rows]

    form = _faster(call, (_as_lists, _as_arrays), next(_by_date(flows))[1][:TRIED])
    taken, rates = _called(call, _by_date(flows, form), count)
    return Side(f"pyxirr.xirr on {'lists' if form is _as_lists else 'arrays'}", taken, count, rates)


def price_by_numpy_financial(count: int, part: int) -> Side:
    """Measure ``numpy_financial.irr`` on flows by month."""
    irr = import_module("numpy_financial").irr
    book = offers.part(offers.book(count, SEED), part)
    taken, monthly = _called(lambda rows: [irr(row) for row in rows], _by_month(book, np.array), part)
    return Side("numpy_financial.irr", taken, part, np.expm1(12 * np.log1p(monthly)))


def price_by_quantlib(count: int, part: int) -> Side:
    """Measure QuantLib's yield of a leg on flows by date; making the leg is not counted."""
    ql = import_module("QuantLib")

    def leg(row: tuple[list[date], list[float]]) -> tuple[Any, float, Any]:
        days = [ql.Date(day.day, day.month, day.year) for day in row[0]]
        later = [ql.SimpleCashFlow(amount, day) for amount, day in zip(row[1][1:], days[1:], strict=True)]
        return ql.Leg(later), -row[1][0], days[0]

    def call(rows: list[Any]) -> list[float]:
        year, how = ql.Actual365Fixed(), (ql.Compounded, ql.Annual, True)
        return [
            ql.CashFlows.yieldRate(later, first, year, *how, day, day, 1e-12, 100, 0.1)
            for later, first, day in rows
        ]

    taken, rates = _called(call, _by_date(_dated_flows(count), leg, part), part)
    return Side("QuantLib CashFlows.yieldRate", taken, part, rates)


def _dated_flows(count: int) -> Flows:
    return offers.flows(offers.book(count, SEED), SEED)


def _by_month(book: Book, form: Callable[[list[float]], Any] = list) -> Chunks:
    for block in blocks(book):
        yield block.places, [form(row) for row in block.net.T.astype(np.float64).tolist()]


def _by_date(flows: Flows, form: Callable[[Any], Any] = tuple, part: int | None = None) -> Chunks:
    begin = int(flows.times.min())
    days = [date.fromordinal(day) for day in range(begin, int(flows.times.max()) + 1)]
    count = len(flows) if part is None else part
    for low in range(0, count, CHUNK):
        places = np.arange(low, min(low + CHUNK, count))
        edges = flows.first[low : places[-1] + 2].tolist()
        rows = []
        for start, end in pairwise(edges):
            dates = [days[time - begin] for time in flows.times[start:end].tolist()]
            rows.append(form((dates, flows.amounts[start:end].astype(np.float64).tolist())))
        yield places, rows


def _as_lists(row: tuple[list[date], list[float]]) -> tuple[list[date], list[float]]:
    return row


def _as_arrays(row: tuple[list[date], list[float]]) -> tuple[Any, Floats]:
    return np.array(row[0], dtype="datetime64[D]"), np.array(row[1])


def _faster(call: Callable[[list[Any]], Any], forms: tuple[Any, Any], rows: list[Any]) -> Any:
    """Return the form of rows that a peer reads faster."""
    taken = []
    for form in forms:
        given = [form(row) for row in rows]
        taken.append(min(seconds(partial(call, given), 3)))
    return forms[taken[1] < taken[0]]


def _called(call: Callable[[list[Any]], list[Any]], chunks: Chunks, count: int) -> tuple[list[float], Floats]:
    """Return how long each of several passes over all chunks took, and what was found for each offer."""
    taken, rates = np.zeros(PEERS), np.full(count, np.nan)
    for places, rows in chunks:
        rates[places] = [np.nan if rate is None else rate for rate in call(rows)]
        taken += seconds(partial(call, rows), PEERS)
    return taken.tolist(), rates
