"""./scripts/bench rounds: eligibility, whole rounds, stored rounds and bids, each beside what others do.

Pure parts take processor time with one thread each side; what goes over a database or a network takes the
clock's, because it also waits.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from scripts.benchmarks import bids, databases, eligibility, stored, whole_round
from scripts.benchmarks.market_day import AMPLE, LENDERS, LIVE, PRODUCTS, SCARCE, ZONE_LENDERS
from scripts.benchmarks.measuring import apart, ratio, show, spread
from scripts.benchmarks.whole_round import Round, percent_above

NEEDS = 100_000
SEED = 20261120
#: Needs of a round under all limits, and of a stored one.
LIMITED, STORED = 5_000, 2_000
#: The most statements of a bid, and bids a second that one need has to take at least.
STATEMENTS, SPEED = 12, 100


def main(count: int = NEEDS) -> int:
    """Print what was measured; return 1 where a side is missing or a result is wrong."""
    if find_spec("polars") is None:
        print("Polars is not installed: start this with ./scripts/bench, which prepares it.", file=sys.stderr)
        return 1
    started = time.perf_counter()
    print(
        f"Python {platform.python_version()}, numpy {version('numpy')}, polars {version('polars')}, "
        f"ortools {version('ortools')}, {os.cpu_count()} processors; median (least to most)."
    )
    figures: list[str] = []
    faults = [
        *measure_eligibility(count, figures),
        *measure_rounds(count, figures),
        *measure_limits(min(count, LIMITED), figures),
        *measure_stored(max(1, min(count // 10, STORED))),
        *measure_bids(min(bids.SEEDS, max(1, count // 1000)), figures),
    ]
    print(f"\nMeasured in {time.perf_counter() - started:.0f} s.\n")
    print("\n".join(figures))
    if faults:
        print("\nThese figures mean nothing:\n" + "\n".join(faults), file=sys.stderr)
        return 1
    return 0


def measure_eligibility(count: int, figures: list[str]) -> list[str]:
    """Measure all pairs of needs and products that fit, against Polars; return what is wrong."""
    print(f"\nEligibility of {count:,} needs × {PRODUCTS:,} products with nine conditions, to all pairs")
    ours, found = apart(eligibility.find_pairs, count, PRODUCTS, SEED)
    show(ours)
    theirs, expected = apart(eligibility.find_pairs_by_polars, count, PRODUCTS, SEED)
    show(theirs)
    same = all((one == other).all() for one, other in zip(found, expected, strict=True))
    print(f"    {len(found[0]):,} pairs, {'the same' if same else 'NOT THE SAME'} on both sides", flush=True)
    figures.append(ratio("eligibility vs polars", theirs.each / ours.each, ">= 5"))
    return [] if same else ["eligibility: the pairs differ"]


def measure_rounds(count: int, figures: list[str]) -> list[str]:
    """Measure whole rounds of three sizes, against the flow alone; return what is wrong."""
    tenth, hundredth = max(1, count // 10), max(1, count // 100)
    large, flow = compare(count, AMPLE)
    middle, flow_of_middle = compare(tenth, AMPLE)
    small, _ = compare(hundredth, AMPLE)
    scarce, flow_of_scarce = compare(tenth, SCARCE)
    figures += [
        ratio("round vs flow", large.side.each / flow.each, "<= 3"),
        ratio(f"gap percent at {shorten(count)}", gap(large, flow.least), "<= 0.1"),
        ratio(f"gap percent at {shorten(tenth)}", gap(middle, flow_of_middle.least), "<= 0.2"),
        ratio("growth per need", large.side.each / small.side.each, "<= 1.5"),
        ratio("round peak memory GB", large.side.peak, "<= 2"),
    ]
    print(
        f"    where limits are scarce, the gap is {gap(scarce, flow_of_scarce.least):.2f} percent", flush=True
    )
    return [fault for one in (large, middle, small, scarce) for fault in one.faults]


def compare(count: int, held: int) -> tuple[Round, whole_round.Flow]:
    """Measure one size of market, ours and the flow."""
    print(
        f"\nA round of {count:,} needs, {LIVE} live offers each, {LENDERS} lenders with limits "
        f"of {held} percent of what is asked for"
    )
    found = apart(whole_round.run_round, count, SEED, held)
    show(found.side)
    print("    " + describe(found), flush=True)
    flow = apart(whole_round.run_flow, count, SEED, held)
    show(flow.side)
    print(
        f"    least cost of divisible needs {flow.least / 100:,.0f} yuan; "
        f"the round lies {percent_above(found.objective, flow.least):.3f} percent above it",
        flush=True,
    )
    return found, flow


def measure_limits(count: int, figures: list[str]) -> list[str]:
    """Measure a round under all limits with packages; return what is wrong."""
    faults = []
    for lenders in (LENDERS, ZONE_LENDERS):
        print(f"\nA round of {count:,} needs and {lenders} lenders with all limits and packages")
        found = apart(whole_round.run_limited_round, count, SEED, lenders)
        show(found.side)
        print(f"    {describe(found)}; gap {found.gap:.2f} percent", flush=True)
        faults += found.faults
    figures += [
        ratio("gap percent all limits", found.gap, "<= 0.5"),
        ratio("seconds all limits", statistics.median(found.side.seconds), "<= 60"),
    ]
    return faults


def measure_stored(count: int) -> list[str]:
    """Measure rounds from database to database; they are printed for information."""
    print(f"\nA stored round of {count:,} needs, {stored.BIDS} live bids each, from database to database")
    with tempfile.TemporaryDirectory() as folder:
        found = [apart(stored.measure, f"sqlite:///{Path(folder) / 'round.db'}", count, SEED)]
    with databases.server() as server, databases.database(server, "round") as url:
        found.append(apart(stored.measure, url, count, SEED))
    for one in found:
        print(
            f"  {one.kind}: {one.seconds:.2f} s by the clock, {one.seconds / count * 1e3:.2f} ms per need, "
            f"{one.busy:.2f} s of the processor, {one.placed:,} placed, peak memory {one.peak:.2f} GB",
            flush=True,
        )
    return []


def measure_bids(seeds: int, figures: list[str]) -> list[str]:
    """Measure bids over HTTP against a bare insert, and the storm before a close; return what is wrong."""
    print(f"\nBids on one need over HTTP on PostgreSQL, {bids.CLIENTS} at a time, bids a second by the clock")
    found = apart(bids.measure, seeds)
    speed, bare = statistics.median(found.ours), statistics.median(found.bare)
    for name, speeds in (
        ("Cuohe, place a sealed bid", found.ours),
        ("bare insert, a connection per request", found.bare),
        ("bare insert, a connection per thread", found.kept),
    ):
        print(f"  {name}: {statistics.median(speeds):.0f} ({min(speeds):.0f} to {max(speeds):.0f})")
    storm = found.storm
    print(
        f"    half of ours within {bids.quantile(found.times, 0.5) * 1e3:.0f} ms, 99 of 100 within "
        f"{bids.quantile(found.times, 0.99) * 1e3:.0f} ms; {len(found.statements)} SQL statements a bid\n"
        f"  The storm: {bids.STORM} bids around the close of each of {storm.seeds} needs: {storm.placed:,} "
        f"placed, {storm.late:,} too late, {spread(storm.times)} each",
        flush=True,
    )
    figures += [
        ratio("bid vs bare insert", speed / bare, ">= 0.25"),
        ratio("bid vs bare insert on a kept connection", speed / statistics.median(found.kept), ">= 0.25"),
        ratio("sql statements a bid", len(found.statements), f"<= {STATEMENTS}"),
        ratio("bids a second on one need", speed, f">= {SPEED}"),
        ratio("storm p99 seconds", storm.most, "< 1"),
    ]
    return storm.faults


def gap(found: Round, least: int) -> float:
    """Return by how many percent a round may be above the least, with the better of the two bounds."""
    return min(found.gap, percent_above(found.objective, least))


def describe(found: Round) -> str:
    """Return the stages of a round, what it placed, and how far it may be from the least cost."""
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in found.stages.items())
    return (
        f"{stages}; {found.placed:,} placed at {found.objective / 100:,.0f} yuan a year, "
        f"{found.gap:.3f} percent above its own bound"
    )


def shorten(count: int) -> str:
    """Return a count as figures name it: ``100k``."""
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)
