"""The annual cost of a whole book: the same definition as ``market.cost``, for columns of offers.

Rates are floating-point numbers here, good to about 1e-13; ``market.cost`` gives the exact figure of a
single offer. Offers whose root is not plainly unique go through the same careful search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market.book import Block, Book, Ints, blocks
from market.money import mean
from market.root import NoRate, solve

Floats = NDArray[np.float64]

NOTES: tuple[NoRate | None, ...] = (None, *NoRate)


@dataclass(frozen=True, slots=True)
class Prices:
    """Columns in the book's order: rates, fen, and ``note``, a place in ``NOTES``.

    Where ``note`` is not 0 there is no rate: both rates are 0 there and must not be read.
    """

    effective: Floats
    simple: Floats
    total_cost: Ints
    net_received: Ints
    average_monthly_payment: Ints
    note: Ints


def price(book: Book) -> Prices:
    """Return the annual cost of every offer of a book."""
    count = len(book.months)
    prices = Prices(np.zeros(count), np.zeros(count), *(np.zeros(count, dtype=np.int64) for _ in range(4)))
    for block in blocks(book):
        _price(block, prices)
    return prices


def _price(block: Block, prices: Prices) -> None:
    net, places = block.net, block.places
    total = -net.sum(axis=0)
    prices.total_cost[places] = total
    prices.net_received[places] = net[0]
    prices.average_monthly_payment[places] = mean(total + net[0], block.months)
    units = 12.0 if block.days is None else 365.0
    force, plain = forces(block)
    for j in np.flatnonzero(~plain):
        times = range(len(net)) if block.days is None else block.days[:, j].tolist()
        root = solve(times, net[:, j].tolist())
        if root.force is None:
            prices.note[places[j]] = NOTES.index(root.note)
        else:
            force[j] = float(root.force)
    effective = np.expm1(force * units)
    simple = 12 * np.expm1(force * units / 12)
    _pro_rata(block, simple)
    priced = prices.note[places] == 0
    prices.effective[places] = np.where(priced, effective, 0.0)
    prices.simple[places] = np.where(priced, simple, 0.0)


def forces(block: Block) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the force of interest per unit of each offer, and for which of them it is surely the root.

    Sure are those that receive first and whose running total changes sign once: their positive root is
    unique. The others hold 0 and need ``market.root.solve``.
    """
    net = block.net
    running = np.cumsum(net, axis=0) >= 0
    plain = (net[0] > 0) & (running[-1] == 0) & (np.count_nonzero(running[1:] != running[:-1], axis=0) == 1)
    force = np.zeros(net.shape[1])
    if plain.any():
        days = None if block.days is None else block.days[:, plain].astype(np.float64)
        force[plain], settled = _newton(net[:, plain].astype(np.float64), days)
        plain[plain] = settled
        force[~plain] = 0
    return force, plain


def _pro_rata(block: Block, simple: Floats) -> None:
    """Put the pro-rata form in place of the simple one where there is one repayment within a year."""
    if block.months > 12:
        return
    moved = block.net != 0
    for j in np.flatnonzero(moved.sum(axis=0) == 2):
        first, last = np.flatnonzero(moved[:, j])
        growth = abs(block.net[last, j]) / abs(block.net[first, j]) - 1
        if block.days is None:
            simple[j] = growth * 12 / (last - first)
        else:
            simple[j] = growth * 365 / (block.days[last, j] - block.days[first, j])


def _newton(net: Floats, days: Floats | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the force per unit of flows with one positive root, and where it has settled.

    Newton on the logarithm of what is paid later over what is received at first, which is nearly
    straight in the force; from zero, a handful of steps suffices.
    """
    force = np.zeros(net.shape[1])
    step = np.full_like(force, np.inf)
    for _ in range(12):
        value, slope = _later(net, days, force)
        good = (value < 0) & (slope < 0)
        ratio = np.where(good, -value / net[0], 1.0)
        step = np.where(good, np.log(ratio) * value / np.where(good, slope, 1.0), np.inf)
        force = force + np.where(good, step, 0.0)
        if np.all(np.abs(step[good]) <= 1e-14 + 1e-13 * np.abs(force[good])):
            break
    # An overshoot of Newton is caught by the search that cannot err.
    return force, (force > 0) & (np.abs(step) <= 1e-13 + 1e-10 * force)


def _later(net: Floats, days: Floats | None, force: Floats) -> tuple[Floats, Floats]:
    """Return the present value of all flows after the first, and minus its slope in the force."""
    if days is None:
        factor = np.exp(-force)
        value, slope = net[-1].copy(), np.zeros_like(force)
        for row in net[-2:0:-1]:
            slope *= factor
            slope += value
            value *= factor
            value += row
        # Horner ran over x^(k-1); one more factor brings both to x^k.
        slope = (slope * factor + value) * factor
        return value * factor, slope
    parts = net[1:] * np.exp(-force * days[1:])
    return parts.sum(axis=0), (parts * days[1:]).sum(axis=0)
