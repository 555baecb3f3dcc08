"""Markets to clear: written by hand, drawn, published, and of a size that matters."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from market.clearing import Columns, Instance, Need, Offer, gather


def make(
    unplaced: dict[int, int | None],
    capacity: dict[int, int],
    offers: list[tuple[int, tuple[tuple[int, int], ...], int]],
    *,
    divisible: bool = False,
) -> Instance:
    """Offers as (need, uses, cost); bid and receipt number follow from the position."""
    return Instance(
        tuple(Need(id, unplaced_cost=cost, divisible=divisible) for id, cost in unplaced.items()),
        capacity,
        tuple(
            Offer(need=need, bid=100 + place, receipt=place + 1, cost=cost, uses=uses)
            for place, (need, uses, cost) in enumerate(offers)
        ),
    )


def try_all(instance: Instance) -> tuple[int, int] | None:
    """Return the least (cost, sum of receipts) of all placements, by trying every one; None without any."""
    choices = [
        [
            *([None] if need.unplaced_cost is not None else []),
            *(o for o in instance.offers if o.need == need.id),
        ]
        for need in instance.needs
    ]
    best: tuple[int, int] | None = None
    for choice in itertools.product(*choices):
        used: dict[int, int] = {}
        for offer in choice:
            for limit, amount in offer.uses if offer else ():
                used[limit] = used.get(limit, 0) + amount
        if any(amount > instance.capacity[limit] for limit, amount in used.items()):
            continue
        cost = sum(
            offer.cost if offer else need.unplaced_cost or 0
            for need, offer in zip(instance.needs, choice, strict=True)
        )
        found = (cost, sum(offer.receipt for offer in choice if offer))
        best = found if best is None else min(best, found)
    return best


@st.composite
def markets(draw: st.DrawFn, *, divisible: bool = False, times: int = 1) -> Instance:
    """Small markets with several limits per offer, needs that must be placed, and equal costs."""
    needs, limits = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    offers = [
        (
            need,
            tuple((limit, times * draw(st.integers(1, 9))) for limit in used),
            times * draw(st.integers(-3, 9)),
        )
        for need in range(needs)
        for used in draw(st.lists(st.sets(st.integers(0, limits - 1), min_size=1), max_size=3))
    ]
    return make(
        {need: draw(st.none() | st.integers(0, 12).map(lambda cost: times * cost)) for need in range(needs)},
        {limit: times * draw(st.integers(0, 15)) for limit in range(limits)},
        offers,
        divisible=divisible,
    )


def read_published(folder: Path) -> Iterator[tuple[str, Columns, int]]:
    """Yield the published assignment instances: name, columns (every need must be placed), least cost."""
    for row in json.loads((folder / "optima.json").read_text()):
        numbers = np.array((folder / row["file"]).read_text().split(), np.int64)
        lenders, needs = int(numbers[0]), int(numbers[1])
        table = numbers[2 : 2 + 2 * lenders * needs].reshape(2, lenders, needs)
        yield row["file"], assignment(table[0], table[1], numbers[-lenders:]), row["min_cost"]


def assignment(cost: np.ndarray, uses: np.ndarray, capacity: np.ndarray) -> Columns:
    """Return a market in which every lender answers every need, all of which must be placed."""
    lenders, needs = cost.shape
    return gather(
        need=np.repeat(np.arange(needs), lenders),
        cost=cost.T.ravel(),
        receipt=np.zeros(needs * lenders, np.int64),
        start=np.arange(needs * lenders + 1),
        limit=np.tile(np.arange(lenders), needs),
        amount=uses.T.ravel(),
        unplaced=np.zeros(needs, np.int64),
        capacity=capacity,
        must=np.ones(needs, bool),
    )


def draw_market(needs: int, lenders: int, offers: int, *, seed: int = 1) -> Columns:
    """Return a market in fen with limits per lender, per sector of a lender and per guarantor (packages).

    About a tenth of what is asked for cannot be placed.
    """
    draw = np.random.default_rng(seed)
    amount = np.clip(np.exp(draw.normal(np.log(4e8), 0.9, needs)), 5e7, 3e9).astype(np.int64)
    lender = np.argsort(draw.random((needs, lenders)), axis=1)[:, :offers]
    rate = np.clip(
        draw.uniform(0.025, 0.06, lenders)[lender] + draw.normal(0, 0.006, (needs, offers)), 0.025, 0.08
    )
    sector, guarantor = draw.integers(0, 4, needs), draw.integers(0, 5, (needs, offers))
    package = draw.random((needs, offers)) < 0.3
    weight = draw.lognormal(0, 0.7, lenders)
    total = amount.sum() * 0.9 * weight / weight.sum()
    capacity = np.concatenate([total, np.repeat(total * 0.35, 4), np.full(5, amount.sum() * 0.06)])
    used = np.stack([lender, lenders + lender * 4 + sector[:, None], 5 * lenders + guarantor], axis=2)
    kept = np.stack([np.ones_like(package), np.ones_like(package), package], axis=2)
    return gather(
        need=np.repeat(np.arange(needs), offers),
        cost=np.rint(amount[:, None] * rate).astype(np.int64).ravel(),
        receipt=np.arange(1, needs * offers + 1),
        start=np.concatenate([[0], np.cumsum(kept.sum(axis=2).ravel())]),
        limit=used[kept],
        amount=np.broadcast_to(amount[:, None, None], used.shape)[kept],
        unplaced=np.rint(amount * 0.08).astype(np.int64),
        capacity=capacity.astype(np.int64),
    )
