"""Repacking: one limit at a time is filled anew with the needs that gain most from it.

For one limit everything else stands still: every need that has an offer under it is worth there what it
would cost elsewhere less what it costs here. Which of them to take is a knapsack; its doubtful part (the
needs whose worth per unit is near the break) is solved by looking at every subset.
"""

from __future__ import annotations

import numpy as np

from market.clearing.columns import Floats, Ints
from market.clearing.placing import Board

#: So many doubtful needs are tried in all combinations (2^14 sums).
DOUBTFUL = 14


class Repacker:
    """Fills limits anew on a board; ``prices`` value the room that moves in other limits."""

    def __init__(self, board: Board, prices: Floats) -> None:
        """Index the offers by the limits they use."""
        columns = board.columns
        self.board, self.prices = board, prices
        order = np.argsort(columns.limit, kind="stable")
        owner = np.repeat(np.arange(columns.offers), board.lengths)
        ends = np.cumsum(np.bincount(columns.limit, minlength=len(columns.capacity)))[:-1]
        self.offers_of = np.split(owner[order], ends)
        self.amounts_of = np.split(columns.amount[order], ends)
        self.offer_start = np.searchsorted(columns.need, np.arange(columns.needs + 1))

    def sweep(self, weight: float) -> int:
        """Repack every limit once; ``weight`` (0 to 1) is how much room elsewhere counts. Return changes."""
        return sum(self.repack(limit, weight) for limit in range(len(self.offers_of)))

    def repack(self, limit: int, weight: float) -> bool:
        """Fill one limit anew if that saves; say whether it did."""
        board, columns = self.board, self.board.columns
        offers, amounts = self.offers_of[limit], self.amounts_of[limit]
        if not len(offers):
            return False
        needs = columns.need[offers]
        inside = board.take[needs] == offers
        capacity = int(board.room[limit]) + int(amounts[inside].sum())
        prices = self.prices * weight
        prices[limit] = 0
        refuge, away = self._find_refuges(needs[inside], limit, prices)
        worth = np.empty(len(offers))
        worth[inside] = away - columns.cost[offers[inside]]
        outside = ~inside
        taken = board.take[needs[outside]]
        standing = np.where(
            taken >= 0,
            columns.cost[np.maximum(taken, 0)] + self._charge(np.maximum(taken, 0), prices),
            board.forfeit[needs[outside]],
        )
        worth[outside] = standing - columns.cost[offers[outside]]
        # What also uses other limits pays for them and must fit into them.
        worth -= self._charge(offers, prices)
        good = (worth > 0) & (amounts <= capacity)
        room = board.room.copy()
        room[limit] = capacity
        # A need under this limit already leaves room elsewhere that its other offers may use.
        good[outside] &= board.fits(offers[outside], room)
        rows = np.flatnonzero(good)
        rows = _best_per_need(rows, needs, worth)
        before = float(worth[inside].sum())
        chosen = rows[_fill(worth[rows], amounts[rows], capacity)]
        if float(worth[chosen].sum()) <= before * (1 + 1e-12) + 1e-9:
            return False
        return self._apply(
            needs,
            offers,
            inside,
            chosen,
            dict(zip(needs[inside].tolist(), refuge.tolist(), strict=True)),
            weight,
        )

    def _charge(self, offers: Ints, prices: Floats) -> Floats:
        uses, owner = self.board.columns.uses_of(offers)
        columns = self.board.columns
        charged = np.bincount(owner, columns.amount[uses] * prices[columns.limit[uses]], len(offers))
        return charged.astype(float)

    def _find_refuges(self, needs: Ints, limit: int, prices: Floats) -> tuple[Ints, Floats]:
        """Return where needs would go that leave a limit (−1: nowhere) and what they would cost there."""
        board, columns = self.board, self.board.columns
        begin, end = self.offer_start[needs], self.offer_start[needs + 1]
        owner = np.repeat(np.arange(len(needs)), end - begin)
        offers = np.arange(len(owner)) + np.repeat(
            begin - np.cumsum(end - begin) + (end - begin), end - begin
        )
        room = board.room.copy()
        room[limit] = -1
        fits = board.fits(offers, room)
        offers, owner = offers[fits], owner[fits]
        cost = columns.cost[offers] + self._charge(offers, prices)
        order = np.lexsort((offers, cost, owner))
        best = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
        refuge, away = np.full(len(needs), -1), board.forfeit[needs].copy()
        cheaper = best[cost[best] < away[owner[best]]]
        refuge[owner[cheaper]], away[owner[cheaper]] = offers[cheaper], cost[cheaper]
        return refuge, away

    def _apply(
        self,
        needs: Ints,
        offers: Ints,
        inside: np.ndarray,
        chosen: Ints,
        refuge: dict[int, int],
        weight: float,
    ) -> bool:
        board = self.board
        stays = np.zeros(len(needs), bool)
        stays[chosen] = True
        leave, enter = np.flatnonzero(inside & ~stays), np.flatnonzero(stays & ~inside)
        moved = np.unique(np.concatenate([needs[leave], needs[enter]]))
        before, cost = board.take[moved].copy(), self._total(moved, weight)
        board.clear(moved)
        board.seat(offers[enter])
        for need in needs[leave].tolist():
            other = refuge[need]
            if other >= 0 and board.take[need] < 0 and bool(board.fits(np.array([other]), board.room)[0]):
                board.seat(np.array([other]))
        if int(board.room.min()) >= 0 and self._total(moved, weight) < cost:
            return True
        board.clear(moved)
        board.seat(before[before >= 0])
        return False

    def _total(self, needs: Ints, weight: float) -> float:
        board = self.board
        taken = board.take[needs]
        placed = taken[taken >= 0]
        charge = self._charge(placed, self.prices * weight).sum() if weight else 0.0
        return float(board.columns.cost[placed].sum() + charge + board.forfeit[needs[taken < 0]].sum())


def _best_per_need(rows: Ints, needs: Ints, worth: Floats) -> Ints:
    order = rows[np.lexsort((rows, -worth[rows], needs[rows]))]
    return order[np.flatnonzero(np.diff(needs[order], prepend=-1))]


def _fill(worth: Floats, amounts: Ints, capacity: int) -> Ints:
    """Return which items to take: near the best sum of worths within the capacity."""
    order = np.argsort(-(worth / np.maximum(amounts, 1)), kind="stable")
    total = np.cumsum(amounts[order])
    if not len(order) or total[-1] <= capacity:
        return order
    break_at = int(np.searchsorted(total, capacity, side="right"))
    begin = max(0, min(break_at - DOUBTFUL // 2, len(order) - DOUBTFUL))
    core = order[begin : begin + DOUBTFUL]
    left = capacity - (int(total[begin - 1]) if begin else 0)
    sums, gains = np.zeros(1, amounts.dtype), np.zeros(1)
    for item in core.tolist():
        sums = np.concatenate([sums, sums + amounts[item]])
        gains = np.concatenate([gains, gains + worth[item]])
    best = int(np.where(sums <= left, gains, -1.0).argmax())
    return np.concatenate([order[:begin], core[[bool(best >> bit & 1) for bit in range(len(core))]]])
