"""The annual cost of a whole book: the same definition as ``market.cost``, for columns of offers.

Rates are floating-point numbers here, good to about 1e-13; ``market.cost`` gives the exact figure of a
single offer.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from market import newton
from market.blocks import Block, blocks
from market.book import Book
from market.layouts import Flags, Floats, Ints, Table
from market.money import mean
from market.newton import NOTES

__all__ = ["NOTES", "Prices", "forces", "price"]


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
    size = len(book)
    order = np.empty(size, dtype=np.int64)
    found = Prices(np.empty(size), np.empty(size), *(np.empty(size, dtype=np.int64) for _ in range(4)))
    low = 0
    for block in blocks(book):
        flows, per_year = _table(block)
        rates = newton.rates(flows, per_year, block.within_year)
        own = slice(low, low + len(flows))
        order[own] = block.places
        found.effective[own], found.simple[own], found.note[own] = rates.effective, rates.simple, rates.note
        found.total_cost[own] = -flows.total
        found.net_received[own] = flows.first
        found.average_monthly_payment[own] = mean(flows.first - flows.total, block.months)
        low = own.stop
    # Put back at once: row by row it would cost a trip to memory per number.
    position = np.empty_like(order)
    position[order] = np.arange(size)
    return Prices(*(getattr(found, column.name)[position] for column in fields(found)))


def forces(block: Block) -> tuple[Floats, Flags]:
    """Return the force of interest per unit of each offer, and for which of them it is surely the root.

    The others hold 0 and need ``market.root.solve``.
    """
    flows, _ = _table(block)
    return newton.forces(flows)


def _table(block: Block) -> tuple[Table, int]:
    """Return a block's flows on their time scale, and how many of its units make a year."""
    if block.days is None:
        return Table(np.arange(len(block.net)), block.net), 12
    return Table(block.days, block.net), 365
