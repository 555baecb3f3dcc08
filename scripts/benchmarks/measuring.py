"""How measurements are taken: each side in a process of its own, several times, and the median counts.

Times are those of the processor, so that what else the machine does is counted to neither side.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")

#: What mathematical libraries read: one thread each, so that both sides have the same of the machine.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Side:
    """What one side took for ``count`` offers, in processor seconds per repetition, and the rates it found.

    ``peak`` is the most memory it held in GB, ``flows`` what it was given; 0 where it was not asked.
    """

    name: str
    seconds: list[float]
    count: int
    rates: NDArray[np.float64] = field(repr=False)
    peak: float = 0.0
    flows: int = 0

    @property
    def each(self) -> float:
        """The median time of one offer, in seconds."""
        return statistics.median(self.seconds) / self.count


def apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """Run a function in a fresh process with one thread, and return what it returns.

    What it needs of memory (see `peak_memory`) is then its own, and nothing is warmed up by another side.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def seconds(function: Callable[[], Any], times: int) -> list[float]:
    """Return how long each of several calls kept the processor."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        function()
        taken.append(time.process_time() - started)
    return taken


def peak_memory() -> float:
    """Return the most memory that this process has held, in GB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e9 if sys.platform == "darwin" else most * 1024 / 1e9


def show(side: Side) -> Side:
    """Print what a side took."""
    memory = f", peak memory {side.peak:.2f} GB" if side.peak else ""
    print(f"  {side.name}: {spread(side.seconds)}, {side.each * 1e6:.3f} µs each{memory}", flush=True)
    return side


def spread(taken: Sequence[float]) -> str:
    """Return the median of some times with the least and the most: ``0.710 s (0.702 to 0.751)``."""
    unit, scale = ("s", 1) if max(taken) >= 0.1 else ("ms", 1000)
    middle, least, most = (one * scale for one in (statistics.median(taken), min(taken), max(taken)))
    return f"{middle:.3f} {unit} ({least:.3f} to {most:.3f})"


def ratio(name: str, value: float, target: str) -> str:
    """Return the line by which a figure is found: ``ratio NAME: VALUE target >= 4``."""
    return f"ratio {name}: {value:.2f} target {target}"
