"""A matching round told to people: who could bid, who did, who won and why, and what it saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from market.calendar import local_date
from market.clearing import measure_gap
from market.money import round_half_up
from market.party import Party
from market.vocabulary import Capability
from models.base import db
from models.bid import Bid
from models.contract import Contract
from models.need import Need
from models.organisation import Organisation
from models.product import Product
from models.round import MatchingRound, Proposal
from models.zone import Membership
from services import fitting, rounds, visibility

#: So many needs are explained at a time; a page turns to the next ones.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Story:
    """One need of a round.

    ``could`` are institutions with a listed product whose conditions the need meets, ``did`` those with a
    live bid when the round was opened, ``proposals`` what it proposed. ``second`` is the annual cost of the
    cheapest other bid in fen, ``saved`` how much dearer that is a year than what was proposed, ``over_lpr``
    how much dearer the proposal is a year than the one-year LPR (negative: cheaper); None where there is
    nothing to compare.
    """

    need: Need
    proposals: tuple[Proposal, ...]
    could: tuple[Organisation, ...]
    did: tuple[Organisation, ...]
    second: int | None
    saved: int | None
    over_lpr: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A round in figures, all in fen a year unless said otherwise.

    ``gap`` is (objective − bound) ÷ |objective|; ``placed_cost`` and ``left_cost`` are the parts of the
    objective. ``saved`` sums what proposals cost less than the second-best bids, over ``compared`` needs;
    ``over_lpr`` what they cost more than the one-year LPR ``lpr`` would.
    """

    objective: int | None
    bound: int | None
    gap: float | None
    placed_cost: int
    left_cost: int | None
    saved: int
    compared: int
    over_lpr: int | None
    lpr: Decimal | None
    offers: int
    lenders: int
    unplaced: int


def summarise(row: MatchingRound) -> Summary:
    """Return a round's figures from what it froze and found."""
    result, inputs = row.result or {}, row.inputs
    objective, bound = result.get("objective"), result.get("bound")
    placed = _group(result.get("placed", ()))
    own = _group(inputs["offers"])
    placed_cost = sum(int(part["cost"]) for parts in placed.values() for part in parts)
    figures = [_compare(parts, own[need], _lpr(inputs)) for need, parts in placed.items()]
    saved = [found for _, found, _ in figures if found is not None]
    over = [found for _, _, found in figures if found is not None]
    return Summary(
        objective=objective,
        bound=bound,
        gap=measure_gap(objective, bound),
        placed_cost=placed_cost,
        left_cost=None if objective is None else objective - placed_cost,
        saved=sum(saved),
        compared=len(saved),
        over_lpr=sum(over) if over else None,
        lpr=_lpr(inputs),
        offers=len(inputs["offers"]),
        lenders=len({offer["lender"] for offer in inputs["offers"]}),
        unplaced=len(inputs["needs"]) - len(placed),
    )


def tell(round_id: int, *, by: Party, first: int = 0, most: int = PAGE) -> list[Story]:
    """Return the needs of a round from the ``first`` on, in order of their numbers.

    Raises ``NotFound``; officers and auditors only.
    """
    by.require(Capability.OFFICER, Capability.AUDITOR)
    row = rounds.find(round_id, by=by)
    ids = [int(need["id"]) for need in row.inputs["needs"]][first : first + most]
    needs = list(
        db.session.scalars(
            select(Need)
            .where(Need.id.in_(ids))
            .options(
                joinedload(Need.organisation).selectinload(Organisation.tags),
                selectinload(Need.contract).joinedload(Contract.purchaser),
            )
            .order_by(Need.id)
        )
    )
    proposals: dict[int, list[Proposal]] = defaultdict(list)
    for proposal in db.session.scalars(
        select(Proposal)
        .where(Proposal.round_id == row.id, Proposal.need_id.in_(ids))
        .options(
            joinedload(Proposal.bid).joinedload(Bid.organisation),
            joinedload(Proposal.bid).joinedload(Bid.product),
        )
        .order_by(Proposal.id)
    ):
        proposals[proposal.need_id].append(proposal)
    offers = _group(offer for offer in row.inputs["offers"] if offer["need"] in set(ids))
    placed = _group(part for part in (row.result or {}).get("placed", ()) if part["need"] in set(ids))
    could = _find_able(needs, row)
    names = _read_organisations({int(o["lender"]) for own in offers.values() for o in own})
    stories = []
    for need in needs:
        parts, own = placed.get(need.id, []), offers.get(need.id, [])
        second, saved, over = _compare(parts, own, _lpr(row.inputs)) if parts else (None, None, None)
        did = dict.fromkeys(int(offer["lender"]) for offer in own)
        stories.append(
            Story(
                need=need,
                proposals=tuple(proposals[need.id]),
                could=could[need.id],
                did=tuple(names[number] for number in did),
                second=second,
                saved=saved,
                over_lpr=over,
            )
        )
    return stories


def _compare(
    parts: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]], lpr: Decimal | None
) -> tuple[int | None, int | None, int | None]:
    """Return (second-best cost, saved against it, over the LPR) of what is placed of one need."""
    taken = {part["bid"] for part in parts}
    cost = sum(int(part["cost"]) for part in parts)
    amounts = {offer["bid"]: int(offer.get("amount", offer["uses"])) for offer in own}
    # A syndicate has no single rival: what it costs is compared with the LPR alone.
    others = [int(offer["cost"]) for offer in own if offer["bid"] not in taken] if len(parts) == 1 else []
    second = min(others, default=None)
    amount = sum(Decimal(amounts[part["bid"]]) * _share(part) for part in parts)
    over = None if lpr is None else cost - round_half_up(amount * lpr)
    return second, None if second is None else second - cost, over


def _share(part: dict[str, Any]) -> Decimal:
    top, _, bottom = str(part.get("share", "1")).partition("/")
    return Decimal(top) / Decimal(bottom or 1)


def _lpr(inputs: dict[str, Any]) -> Decimal | None:
    return Decimal(inputs["lpr"]) if "lpr" in inputs else None


def _find_able(needs: Sequence[Need], row: MatchingRound) -> dict[int, tuple[Organisation, ...]]:
    """Return the institutions that see a need and list a product that it meets, as of the round's day."""
    products = list(
        db.session.scalars(
            select(Product)
            .join(
                Membership,
                (Membership.zone_id == Product.zone_id)
                & (Membership.organisation_id == Product.organisation_id),
            )
            .where(
                Product.zone_id == row.zone_id,
                Product.listed,
                Product.offer.is_not(None),
                Membership.suspended_at.is_(None),
            )
            .options(joinedload(Product.organisation))
            .order_by(Product.id)
        )
    )
    rows = fitting.fit_needs(needs, products, local_date(row.opened_at)) if needs else []
    sees = visibility.read_audiences(needs)
    return {
        need.id: tuple(
            {
                fit.product.organisation: None
                for fit in fits
                if fit.fits and sees[need.id](fit.product.organisation_id)
            }
        )
        for need, fits in zip(needs, rows, strict=True)
    }


def _read_organisations(ids: set[int]) -> dict[int, Organisation]:
    rows = db.session.scalars(select(Organisation).where(Organisation.id.in_(ids)))
    return {row.id: row for row in rows}


def _group(rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """Return rows by their need."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[int(row["need"])].append(row)
    return found
