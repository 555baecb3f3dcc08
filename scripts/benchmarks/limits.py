"""All limits of a market at once: lenders by sector, firm and purchaser, guarantors by leverage and firm.

Three offers in ten are packages of a loan and a guarantee, which take of the limits of both; a guarantee
counts with three quarters of its amount where the firm is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.layouts import Floats, Ints
from scripts.benchmarks.market_day import LIVE, Market

SECTORS, PURCHASERS, GUARANTORS = 6, 40, 25
#: Needs per firm, in a hundred: packages, needs that a purchaser stands behind, firms that are small.
NEEDS_OF_FIRM, PACKAGES, PURCHASED, SMALL = 2, 30, 40, 60
#: What a guarantor answers for of a loan, and how much of that counts for a small firm, in percent.
COVER, WEIGHT = 80, 75
#: How much of the guarantees asked for the guarantors' limits hold together, in percent.
HELD = 85


@dataclass(frozen=True, slots=True)
class Limits:
    """What offers take of limits, in fen.

    The rows of an offer stand in ``limit`` and ``amount`` from ``start[offer]`` to ``start[offer + 1]``;
    ``capacity`` has a row per limit, the lenders' totals first.
    """

    capacity: Ints
    start: Ints
    limit: Ints
    amount: Ints


def totals(market: Market) -> Limits:
    """Return the lenders' totals alone."""
    size = len(market.need)
    return Limits(market.capacity, np.arange(size + 1), market.lender, market.book.principal)


def everything(market: Market, seed: int) -> Limits:
    """Return all limits that the offers of a market touch."""
    random = np.random.default_rng([seed, 5])
    count, size = len(market), len(market.need)
    need, lender, amount = market.need, market.lender, market.book.principal
    firm = np.arange(count) // NEEDS_OF_FIRM
    sector = random.integers(0, SECTORS, firm[-1] + 1)[firm]
    purchaser = np.where(random.random(count) * 100 < PURCHASED, random.integers(0, PURCHASERS, count), -1)
    small = (random.random(firm[-1] + 1) * 100 < SMALL)[firm]
    package = np.flatnonzero(random.random(size) * 100 < PACKAGES)
    guarantor = random.integers(0, GUARANTORS, len(package))
    cover = amount[package] * COVER // 100
    cover = np.where(small[need[package]], cover * WEIGHT // 100, cover)
    bought = np.flatnonzero(purchaser[need] >= 0)
    every = np.arange(size)

    def of_lender(part: tuple[float, float], pairs: Ints, kinds: int) -> Ints:
        share = random.uniform(*part, len(pairs))
        return _share(market.capacity[pairs // kinds], share)

    rows = [(every, lender, amount)]
    capacities = [market.capacity]
    pairs, place = np.unique(lender * SECTORS + sector[need], return_inverse=True)
    rows.append((every, place, amount))
    capacities.append(of_lender((0.15, 0.5), pairs, SECTORS))
    pairs, place = np.unique(lender[bought] * PURCHASERS + purchaser[need[bought]], return_inverse=True)
    rows.append((bought, place, amount[bought]))
    capacities.append(of_lender((0.05, 0.3), pairs, PURCHASERS))
    # A firm may have both of its needs met by one lender, or by one guarantor, only where they are not large.
    for rows_of, party, used in ((every, lender, amount), (package, guarantor, cover)):
        pairs, place = np.unique(party * count + firm[need[rows_of]], return_inverse=True)
        most = np.zeros(len(pairs), np.int64)
        np.maximum.at(most, place, used)
        rows.append((rows_of, place, used))
        capacities.append(_share(most, random.uniform(1.0, 2.0, len(pairs))))
    asked = np.bincount(guarantor, cover, GUARANTORS) / LIVE
    rows.append((package, guarantor, cover))
    capacities.append(_share(asked.astype(np.int64), np.full(GUARANTORS, HELD / 100)))
    return _stack(rows, capacities, size)


def _share(amounts: Ints, part: Floats) -> Ints:
    return np.asarray((amounts * part).astype(np.int64))


def _stack(rows: list[tuple[Ints, Ints, Ints]], capacities: list[Ints], size: int) -> Limits:
    """Return the rows of all kinds of limits, offer by offer."""
    before = np.cumsum([0, *(len(one) for one in capacities[:-1])])
    offer = np.concatenate([one[0] for one in rows])
    limit = np.concatenate([one[1] + skip for one, skip in zip(rows, before.tolist(), strict=True)])
    amount = np.concatenate([one[2] for one in rows])
    order = np.lexsort((limit, offer))
    start = np.concatenate([[0], np.cumsum(np.bincount(offer, minlength=size))])
    return Limits(np.concatenate(capacities), start, limit[order], amount[order])
