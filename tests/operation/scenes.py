"""Scenes: a zone with a firm, lenders and sealed bids; and what stands in a zone, told without numbers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from market.party import Party
from market.vocabulary import Capability, LimitScope, OrganisationKind, ProposalState
from models.alert import Alert
from models.audit import AuditEntry
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Instalment, Loan
from models.need import Need
from models.organisation import Limit
from models.review import Review
from models.round import MatchingRound, Proposal
from models.zone import Membership
from services.limit_settings import set_limit
from services.sealing import Sealer
from tests.factories import MILLION, make_need, make_organisation, make_party, make_product, make_zone
from tests.services.bidding import Bank

#: Just after the close of the needs and the slot of the matching round, Monday at ten.
LATER = timedelta(days=3, seconds=1)
#: What lenders ask for the first need, of which one looks too low, and for the second, in percent.
RATES = (("1.9", "4.0", "4.2"), ("3.8", "4.1", "4.4"))


@dataclass(frozen=True)
class Scene:
    """A zone with two needs of one firm, three sealed bids on each, all subject to their lender's approval.

    Where the firm wants two people, ``maker`` and ``approver`` differ.
    """

    zone_id: int
    maker: Party
    approver: Party
    need_ids: tuple[int, int]
    deciders: dict[int, Party]


def make_scene(seed: int, *, now: datetime, sealer: Sealer) -> Scene:
    """Set a scene; who asks which price, who comes first and what the firm wants follow from the seed."""
    luck = random.Random(seed)
    zone_id = make_zone(now=now).id
    two_people = bool(seed % 2)
    firm = make_organisation(now=now, zone_id=zone_id, dual_control=two_people)
    maker = make_party(organisation=firm, now=now, zone_id=zone_id)
    approver = make_party(organisation=firm, now=now, zone_id=zone_id) if two_people else maker
    banks, deciders = [], {}
    for _ in range(3):
        house = make_organisation(OrganisationKind.BANK, now=now, zone_id=zone_id)
        bidder = make_party(
            capabilities=[Capability.INSTITUTION_BIDDER], organisation=house, now=now, zone_id=zone_id
        )
        deciders[house.id] = make_party(organisation=house, now=now, zone_id=zone_id)
        set_limit(house.id, LimitScope.TOTAL, 50 * MILLION, by=deciders[house.id], now=now)
        product = make_product(deciders[house.id], now=now)
        banks.append(Bank(bidder, product))
    needs = [make_need(maker, now=now, minimum_bids=1) for _ in range(2)]
    for need, rates in zip(needs, RATES, strict=True):
        offers = list(zip(luck.sample(banks, 3), rates, strict=True))
        for bank, percent in luck.sample(offers, 3):
            valid_until = now + timedelta(days=60)
            bank.bid(need, percent, now=now, sealer=sealer, is_firm=False, valid_until=valid_until)
    return Scene(zone_id, maker, approver, (needs[0].id, needs[1].id), deciders)


def list_proposed(zone_id: int) -> list[Bid]:
    """Return the bids a zone's matching round proposes, by their needs' numbers."""
    return list(
        db.session.scalars(
            select(Bid)
            .join(Proposal, Proposal.bid_id == Bid.id)
            .join(Need, Bid.need_id == Need.id)
            .where(Need.zone_id == zone_id, Proposal.state == ProposalState.PROPOSED)
            .order_by(Need.id)
        )
    )


def tell(zone_id: int) -> dict[str, Any]:
    """Return what stands in a zone and what was noted of it: two scenes of one seed tell the same.

    How often a round was opened anew is left out: each attempt leaves an entry of its own.
    """
    db.session.rollback()
    db.session.expire_all()
    noted = Counter(db.session.scalars(select(AuditEntry.action).where(AuditEntry.zone_id == zone_id)))
    del noted["round.open"]

    def read(*what: Any, of: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in db.session.execute(select(*what).where(of == zone_id))]

    needs = {need.id: need for need in db.session.scalars(select(Need).where(Need.zone_id == zone_id))}
    bids = db.session.scalars(
        select(Bid).where(Bid.need_id.in_(needs)).order_by(Bid.need_id, Bid.receipt_number)
    )
    proposals = db.session.execute(
        select(Proposal.need_id, Proposal.state, Proposal.amount).where(Proposal.need_id.in_(needs))
    )
    order = {need_id: place for place, need_id in enumerate(sorted(needs))}
    lent = select(Loan.id).where(Loan.zone_id == zone_id)
    return {
        "noted": noted,
        "alerts": Counter(
            (kind, raised_at, resolution)
            for kind, raised_at, resolution in read(
                Alert.kind, Alert.raised_at, Alert.resolution, of=Alert.zone_id
            )
        ),
        "needs": [(needs[key].state, needs[key].closed_at, needs[key].reason) for key in sorted(needs)],
        "bids": [
            (bid.receipt_number, bid.state, bid.rank, bid.effective, bid.opened_at, bid.ended_at)
            for bid in bids
        ],
        "rounds": read(
            MatchingRound.slot, MatchingRound.state, MatchingRound.placed_count, of=MatchingRound.zone_id
        ),
        "proposals": Counter((order[row[0]], row[1], row[2]) for row in proposals),
        "awards": Counter(db.session.scalars(select(Award.state).where(Award.need_id.in_(needs)))),
        "loans": Counter(read(Loan.state, Loan.principal, of=Loan.zone_id)),
        "instalments": db.session.scalar(
            select(func.count(Instalment.id)).where(Instalment.loan_id.in_(lent))
        ),
        "reviews": Counter(db.session.scalars(select(Review.outcome).where(Review.loan_id.in_(lent)))),
        "limits": sorted(
            db.session.scalars(
                select(Limit.used)
                .join(Membership, Membership.organisation_id == Limit.organisation_id)
                .where(Membership.zone_id == zone_id)
            )
        ),
    }
