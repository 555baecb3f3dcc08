"""Ranking all bids of all needs at once, as columns: the rule of ``ranking``, for millions of bids.

Annual costs are floating-point numbers here (see ``bulk``) and tell two bids apart from a trillionth on;
bids that are closer cost the same, and the total cost and the receipt decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from market.layouts import Flags, Floats, Ints
from market.ranking import TOLERANCE, Reason

#: What a column of reasons holds places of.
REASONS = tuple(Reason)
#: Differences of the annual cost below one part in this many are those of floating-point numbers.
PARTS = 10**12
_APART = (REASONS.index(Reason.OTHER_TERMS), REASONS.index(Reason.NO_RATE))
_BEST, _DEARER = REASONS.index(Reason.BEST), REASONS.index(Reason.DEARER)
_HIGHER_TOTAL, _LATER = REASONS.index(Reason.HIGHER_TOTAL), REASONS.index(Reason.LATER)


@dataclass(frozen=True, slots=True)
class Entries:
    """Bids of needs, a row each: ``need`` is a place among the needs, amounts are fen.

    Where ``priced`` is not set there is no annual cost, and ``effective`` is not read.
    """

    need: Ints
    amount: Ints
    months: Ints
    receipt: Ints
    effective: Floats
    total_cost: Ints
    priced: Flags

    def __len__(self) -> int:
        """Return the number of bids."""
        return len(self.need)


@dataclass(frozen=True)
class Ranking:
    """How bids stand, in the order of the entries.

    ``order`` lists their places need by need, best first, as ``ranking.rank`` lists its rows. ``rank`` is 0
    for bids listed apart, ``reason`` a place in ``REASONS``.
    """

    order: Ints
    rank: Ints
    reason: Ints

    @property
    def competes(self) -> Flags:
        """Say which bids have a rank."""
        return self.rank > 0

    @cached_property
    def above(self) -> Ints:
        """Return for each bid the place of the one that it stands below, -1 for the best and those apart."""
        above = np.full(len(self.order), -1)
        above[self.order[1:]] = self.order[:-1]
        above[self.rank <= 1] = -1
        return above


def rank(entries: Entries, *, amounts: Ints, months: Ints) -> Ranking:
    """Rank the bids of needs of ``amounts`` fen and ``months``, a row per need; see ``ranking.rank``."""
    need, unpriced = entries.need, ~entries.priced
    group = _group(entries, amounts, months)
    # Those without a rate stand by receipt alone.
    effective = np.rint(entries.effective * PARTS)
    effective[unpriced] = 0.0
    total = np.where(unpriced, 0, entries.total_cost) if unpriced.any() else entries.total_cost
    order = _sort(need * 3 + group, effective, total, entries.receipt, 3 * len(amounts))
    return _explain(need[order], group[order], effective[order], total[order], order)


def _group(entries: Entries, amounts: Ints, months: Ints) -> Ints:
    """Return 0 for bids that compete, 1 for those on other terms, 2 for those without a rate."""
    amount, term = amounts[entries.need], months[entries.need]
    far = np.abs(entries.amount - amount) * TOLERANCE > amount
    far |= np.abs(entries.months - term) * TOLERANCE > term
    return np.where(entries.priced, far.astype(np.int64), 2)


def _sort(group: Ints, effective: Floats, total: Ints, receipt: Ints, groups: int) -> Ints:
    """Return the places of bids, sorted by group, annual cost, total cost, receipt and place.

    One number per bid sorts nearly all of them: the group, followed by as many bits of the annual cost as
    there is room for. Only bids whose numbers are the same are compared in full.
    """
    room = np.uint64(64 - max(1, int(groups).bit_length()))
    # Read as whole numbers, floats from zero up sort as they are, those below zero the other way round.
    bits = (effective + 0.0).view(np.uint64)
    flip = np.where(bits >> np.uint64(63), np.uint64(2**64 - 1), np.uint64(2**63))
    key = (bits ^ flip) >> (np.uint64(64) - room)
    key |= group.astype(np.uint64) << room
    order = np.argsort(key)
    sorted_key = key[order]
    same = sorted_key[1:] == sorted_key[:-1]
    if same.any():
        tied = np.zeros(len(order), np.bool_)
        tied[1:] |= same
        tied[:-1] |= same
        where = np.flatnonzero(tied)
        rows = np.sort(order[where])
        keys = (receipt[rows], total[rows], effective[rows], key[rows])
        order[where] = rows[np.lexsort(keys)]
    return order


def _explain(need: Ints, group: Ints, effective: Floats, total: Ints, order: Ints) -> Ranking:
    """Return the ranking of bids that lie in their order; ``order`` says where each of them came from."""
    size = len(order)
    first = np.ones(size, np.bool_)
    np.not_equal(need[1:], need[:-1], out=first[1:])
    start = np.flatnonzero(first)
    places = np.arange(1, size + 1)
    places -= np.repeat(start, np.diff(start, append=size))
    apart = group > 0
    places[apart] = 0
    reasons = np.full(size, _LATER)
    below = slice(1, None)
    reasons[below][total[1:] != total[:-1]] = _HIGHER_TOTAL
    reasons[below][effective[1:] > effective[:-1]] = _DEARER
    reasons[first] = _BEST
    reasons[apart] = np.array(_APART)[group[apart] - 1]
    rank, reason = np.empty_like(places), np.empty_like(reasons)
    rank[order], reason[order] = places, reasons
    return Ranking(order, rank, reason)
