"""Why each need got its offer or none, as a code and values that a page can put into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

from market.clearing.columns import Bools, Columns, Ints
from market.clearing.instance import Clearing, Instance, arrange_instance

#: At most so many of the needs that used up a limit are named; ``others`` counts the rest.
MOST_NAMED = 20


class Reason(StrEnum):
    """Why a need stands where it stands."""

    CHEAPEST = "cheapest"
    CHEAPER_USED_UP = "cheaper_used_up"
    NO_LIVE_BID = "no_live_bid"
    ABOVE_RESERVE = "above_reserve"
    LIMIT_USED_UP = "limit_used_up"


REASONS = tuple(Reason)


@dataclass(frozen=True, slots=True)
class Reasons:
    """One row per need: the reason (a place in ``REASONS``) and what it speaks of.

    ``best`` is the offer the need would have had alone, ``limit`` the limit that did not have room for it,
    ``left`` and ``asked`` what was left there and what it would have used, ``compared`` how many offers there
    were. Where a reason does not speak of something it is −1.
    """

    reason: Ints
    best: Ints
    limit: Ints
    left: Ints
    asked: Ints
    compared: Ints


def explain_columns(
    columns: Columns, taken: Ints, load: Ints | None = None, partly: Bools | None = None
) -> Reasons:
    """Return why each need was placed with its offers ``taken`` (rows), or was not.

    ``load``: what all of them use of every limit; left out, they are taken whole. ``partly``: the needs of
    which a rest is left; their reason says what the rest lacks.
    """
    left = columns.capacity - (columns.load(taken) if load is None else load)
    own = np.full(columns.needs, -1)
    own[columns.need[taken]] = taken
    compared = np.bincount(columns.need, minlength=columns.needs)
    rank = np.argsort(columns.cost, kind="stable")
    order = rank[np.argsort(columns.need[rank], kind="stable")]
    cheapest = order[np.flatnonzero(np.diff(columns.need[order], prepend=-1))]
    best = np.full(columns.needs, -1)
    best[columns.need[cheapest]] = cheapest
    has = best >= 0
    dearer = np.zeros(columns.needs, bool)
    dearer[has] = ~columns.must[has] & (columns.cost[best[has]] >= columns.unplaced[has])
    if partly is not None:
        own = np.where(partly, -1, own)
    reason = np.select(
        [~has, (own >= 0) & (own == best), own >= 0, dearer],
        [
            REASONS.index(Reason.NO_LIVE_BID),
            REASONS.index(Reason.CHEAPEST),
            REASONS.index(Reason.CHEAPER_USED_UP),
            REASONS.index(Reason.ABOVE_RESERVE),
        ],
        REASONS.index(Reason.LIMIT_USED_UP),
    )
    short = np.flatnonzero((reason == REASONS.index(Reason.CHEAPER_USED_UP)) | (reason == 4))
    limit, asked = np.full(columns.needs, -1), np.full(columns.needs, -1, columns.amount.dtype)
    uses, owner = columns.uses_of(best[short])
    # Of the limits an offer uses, the one that is exceeded furthest is what kept it out.
    missing = columns.amount[uses] - left[columns.limit[uses]]
    order = np.argsort(-missing, kind="stable")
    order = order[np.argsort(owner[order], kind="stable")]
    worst = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    worst = worst[missing[worst] > 0]
    limit[short[owner[worst]]] = columns.limit[uses[worst]]
    asked[short[owner[worst]]] = columns.amount[uses[worst]]
    room = np.full(columns.needs, -1, left.dtype)
    room[limit >= 0] = left[limit[limit >= 0]]
    return Reasons(reason, best, limit, room, asked, compared)


def explain(instance: Instance, clearing: Clearing) -> dict[Any, dict[str, Any]]:
    """Return for every need why it got its offer or none: ``code`` and the values that code speaks of."""
    arranged = arrange_instance(instance)
    row_of = {offer: row for row, offer in enumerate(arranged.offers)}
    placements = [placement for own in clearing.placed.values() for placement in own]
    limit_at = {key: place for place, key in enumerate(arranged.limits)}
    used: dict[int, Any] = {}
    users: dict[int, list[Any]] = {}
    for placement in sorted(placements, key=lambda placement: row_of[placement.offer]):
        for key, amount in placement.offer.uses:
            place = limit_at[key]
            used[place] = used.get(place, 0) + placement.share * amount
            if placement.offer.need not in (named := users.setdefault(place, [])):
                named.append(placement.offer.need)
    load = np.array([-(-used.get(place, 0) // 1) for place in range(len(arranged.limits))], object)
    taken = np.array(sorted(row_of[placement.offer] for placement in placements), np.int64)
    partly = np.array([0 < _add_shares(clearing, need.id) < 1 for need in arranged.needs], bool)
    reasons = explain_columns(arranged.columns, taken, load, partly)
    return {
        need.id: _word(arranged.offers, arranged.limits, users, clearing, reasons, place, need.id)
        for place, need in enumerate(arranged.needs)
    }


def _add_shares(clearing: Clearing, need: Any) -> Fraction:
    return sum((placement.share for placement in clearing.placed.get(need, ())), Fraction(0))


def _word(
    offers: tuple[Any, ...],
    limits: tuple[Any, ...],
    users: dict[int, list[Any]],
    clearing: Clearing,
    reasons: Reasons,
    place: int,
    need: Any,
) -> dict[str, Any]:
    reason = REASONS[int(reasons.reason[place])]
    said: dict[str, Any] = {"code": reason.value}
    if reason in (Reason.CHEAPEST, Reason.CHEAPER_USED_UP):
        said["compared"] = int(reasons.compared[place])
    if reason in (Reason.CHEAPEST, Reason.NO_LIVE_BID, Reason.ABOVE_RESERVE):
        return said
    best = offers[int(reasons.best[place])]
    said["bid"] = best.bid
    if reason is Reason.CHEAPER_USED_UP:
        own = clearing.placed[need]
        share = sum(placement.share for placement in own)
        said["more"] = round(sum(placement.cost for placement in own) - share * best.cost)
    limit = int(reasons.limit[place])
    if limit >= 0:
        named = [other for other in users.get(limit, []) if other != need]
        said |= {
            "limit": limits[limit],
            "left": int(reasons.left[place]),
            "asked": int(reasons.asked[place]),
            "needs": named[:MOST_NAMED],
            "others": max(0, len(named) - MOST_NAMED),
        }
    return said
