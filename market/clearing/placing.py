"""Placing whole needs: a placement built from prices in rounds, then improved move by move.

A round lets every waiting need ask for the offer that is cheapest with its uses charged; where a limit cannot
take all that ask, those go first who lose most by waiting. Then needs move to cheaper offers where there is
room, and where there is none they may displace another need that loses less.
"""

from __future__ import annotations

import numpy as np

from market.clearing.columns import Bools, Columns, Floats, Ints

#: At most this many displacements are looked into in one sweep.
MOST_WISHES = 20_000
SWEEPS = 6


class Board:
    """A placement in the making: the offer each need takes (−1: none) and what is left of every limit."""

    def __init__(self, columns: Columns) -> None:
        """Start with nothing placed."""
        self.columns = columns
        self.take = np.full(columns.needs, -1)
        self.room = columns.capacity.copy()
        self.lengths = np.diff(columns.start)
        self.first = np.flatnonzero(np.diff(columns.need, prepend=-1))
        # What a need costs that is not placed; one that must be placed is dearer than anything.
        self.forfeit = columns.unplaced.astype(float)
        dearest = float(np.abs(columns.cost).max(initial=0)) + 1
        self.forfeit[columns.must] = 4 * dearest * max(1, columns.needs)

    @property
    def offers(self) -> Ints:
        """Return the offers taken, in ascending order."""
        return np.sort(self.take[self.take >= 0])

    @property
    def complete(self) -> bool:
        """Say whether every need is placed that must be."""
        return bool((self.take[self.columns.must] >= 0).all())

    def seat(self, offers: Ints) -> None:
        """Take offers of needs that have none."""
        uses, _ = self.columns.uses_of(offers)
        np.subtract.at(self.room, self.columns.limit[uses], self.columns.amount[uses])
        self.take[self.columns.need[offers]] = offers

    def clear(self, needs: Ints) -> None:
        """Leave needs without an offer."""
        offers = self.take[needs]
        uses, _ = self.columns.uses_of(offers[offers >= 0])
        np.add.at(self.room, self.columns.limit[uses], self.columns.amount[uses])
        self.take[needs] = -1

    def costs(self) -> Floats:
        """Return what each need costs as things stand."""
        placed = self.take >= 0
        return np.where(placed, self.columns.cost[np.where(placed, self.take, 0)], self.forfeit)

    def fits(self, offers: Ints, room: Ints) -> Bools:
        """Say of each offer whether its uses fit into the room left."""
        uses, owner = self.columns.uses_of(offers)
        short = self.columns.amount[uses] > room[self.columns.limit[uses]]
        fitting: Bools = np.bincount(owner[short], minlength=len(offers)) == 0
        return fitting

    def admit(self, asking: Ints, urgency: Floats) -> Ints:
        """Return those of the offers asked for that can be taken together, the most urgent first."""
        order = np.lexsort((asking, -urgency))
        asking = asking[order]
        uses, owner = self.columns.uses_of(asking)
        limit = self.columns.limit[uses]
        by_limit = np.argsort(limit, kind="stable")
        amount, limit = self.columns.amount[uses][by_limit], limit[by_limit]
        total = np.cumsum(amount)
        starts = np.flatnonzero(np.diff(limit, prepend=-1))
        before = np.repeat((total - amount)[starts], np.diff(np.append(starts, len(limit))))
        refused = total - before > self.room[limit]
        admitted: Ints = asking[np.bincount(owner[by_limit][refused], minlength=len(asking)) == 0]
        return admitted


def build(board: Board, charged: Floats) -> None:
    """Place the needs that have no offer, guided by the costs with uses charged."""
    columns = board.columns
    waiting = np.flatnonzero((board.take[columns.need] < 0) & (charged < board.forfeit[columns.need]))
    while len(waiting):
        waiting = waiting[board.fits(waiting, board.room)]
        if not len(waiting):
            return
        need, price = columns.need[waiting], charged[waiting]
        first = np.flatnonzero(np.diff(need, prepend=-1))
        place = np.cumsum(np.diff(need, prepend=need[:1]) != 0)
        least = np.minimum.reduceat(price, first)
        best = np.flatnonzero(price <= least[place])
        best = best[np.flatnonzero(np.diff(need[best], prepend=-1))]
        others = price.copy()
        others[best] = np.inf
        second = np.minimum(np.minimum.reduceat(others, first), board.forfeit[need[first]])
        asked = waiting[best]
        uses, owner = columns.uses_of(asked)
        weight = np.bincount(owner, columns.amount[uses], len(asked))
        admitted = board.admit(asked, (second - least) / np.maximum(weight, 1))
        board.seat(admitted)
        waiting = waiting[board.take[need] < 0]


def improve(board: Board, charged: Floats) -> None:
    """Move needs to cheaper offers, displacing others where that pays, until nothing is gained."""
    for _ in range(SWEEPS):
        shifted = _shift(board)
        if not shifted + _displace(board, charged):
            return


def _shift(board: Board) -> int:
    """Move needs to cheaper offers for which there is room; return how many moved."""
    columns, moved = board.columns, 0
    for _ in range(50):
        now = board.costs()
        better = np.flatnonzero(columns.cost < now[columns.need])
        better = better[board.fits(better, board.room)]
        if not len(better):
            break
        gain = now[columns.need[better]] - columns.cost[better]
        order = np.lexsort((better, -gain, columns.need[better]))
        best = order[np.flatnonzero(np.diff(columns.need[better][order], prepend=-1))]
        admitted = board.admit(better[best], gain[best])
        board.clear(columns.need[admitted])
        board.seat(admitted)
        moved += len(admitted)
    return moved


def _displace(board: Board, charged: Floats) -> int:
    """Let needs displace one other need where both moves together save; return how often."""
    columns = board.columns
    now = board.costs()
    placed = board.take >= 0
    stands = np.where(placed, charged[np.where(placed, board.take, 0)], board.forfeit)
    promise = stands[columns.need] - charged
    wishes = np.flatnonzero((promise > 0) & (columns.cost < now[columns.need]))
    if not len(wishes):
        return 0
    wishes = wishes[np.lexsort((wishes, -promise[wishes]))][:MOST_WISHES]
    refuge, loss = _find_refuges(board, now)
    members = _list_members(board)
    done = 0
    touched: set[int] = set()
    start, limit, amount = columns.start, columns.limit, columns.amount
    for wish in wishes.tolist():
        need = int(columns.need[wish])
        if need in touched:
            continue
        tight = [u for u in range(start[wish], start[wish + 1]) if amount[u] > board.room[limit[u]]]
        if len(tight) != 1:
            continue
        use = tight[0]
        needs, amounts = members[limit[use]]
        lacking = amount[use] - board.room[limit[use]]
        gains = (now[need] - columns.cost[wish]) - loss[needs]
        gains[amounts < lacking] = -1
        if not len(gains) or gains[best := int(gains.argmax())] <= 0:
            continue
        other = int(needs[best])
        if other in touched or other == need:
            continue
        if _exchange(board, need, wish, other, int(refuge[other])):
            touched.update((need, other))
            done += 1
    return done


def _find_refuges(board: Board, now: Floats) -> tuple[Ints, Floats]:
    """Return per need the cheapest other offer with room for it (−1: to be left out) and what that loses."""
    columns = board.columns
    taken = np.zeros(columns.offers, bool)
    taken[board.offers] = True
    open_ = np.flatnonzero(~taken)
    open_ = open_[board.fits(open_, board.room)]
    cost = columns.cost[open_].astype(float)
    order = np.lexsort((open_, cost, columns.need[open_]))
    best = order[np.flatnonzero(np.diff(columns.need[open_][order], prepend=-1))]
    refuge = np.full(columns.needs, -1)
    loss = board.forfeit - now
    needs = columns.need[open_[best]]
    cheaper = cost[best] < board.forfeit[needs]
    refuge[needs[cheaper]] = open_[best[cheaper]]
    loss[needs[cheaper]] = cost[best[cheaper]] - now[needs[cheaper]]
    loss[board.take < 0] = np.inf
    return refuge, loss


def _list_members(board: Board) -> list[tuple[Ints, Ints]]:
    """Return per limit the needs that use it and how much."""
    columns = board.columns
    offers = board.offers
    uses, owner = columns.uses_of(offers)
    order = np.argsort(columns.limit[uses], kind="stable")
    ends = np.cumsum(np.bincount(columns.limit[uses], minlength=len(columns.capacity)))[:-1]
    needs = np.split(columns.need[offers][owner][order], ends)
    amounts = np.split(columns.amount[uses][order], ends)
    return list(zip(needs, amounts, strict=True))


def _exchange(board: Board, need: int, offer: int, other: int, refuge: int) -> bool:
    """Give ``need`` its wish and send ``other`` to its refuge; undo everything where that does not fit."""
    both = np.array([need, other])
    before = board.take[both].copy()
    if before[1] < 0:
        return False
    board.clear(both)
    board.seat(np.array([offer]))
    if refuge >= 0:
        board.seat(np.array([refuge]))
    if int(board.room[_limits(board, (offer, refuge))].min(initial=0)) >= 0:
        return True
    board.clear(both)
    board.seat(before[before >= 0])
    return False


def _limits(board: Board, offers: tuple[int, ...]) -> Ints:
    uses, _ = board.columns.uses_of(np.array([offer for offer in offers if offer >= 0]))
    return board.columns.limit[uses]
