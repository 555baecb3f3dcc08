"""Standings: what may be known of the bidding on a need while it runs."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.bids import bid_routes
from blueprints.api.parsing import Answer
from market.bidding_vocabulary import BidPolicy
from market.vocabulary import Capability
from services import standings

READERS = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)


class OwnRank(Answer):
    """The place of one of the caller's own bids."""

    bid_id = fields.Count()
    rank = fields.Count("Null for a bid on other terms, which does not compete.", allow_none=True)


class BiddingStateAnswer(Answer):
    """How the bidding stands, as far as it is the caller's to know; how many bid is told to nobody."""

    need_id = fields.Count()
    policy = fields.Word(BidPolicy)
    number = fields.Count("The bid round that runs.")
    planned = fields.Count("Bid rounds that will be held.")
    is_open = fields.Flag()
    closes_at = fields.Moment(allow_none=True)
    closed_at_first = fields.Moment("When the round was to close before late bids moved it.", allow_none=True)
    extensions = fields.Count("How often a bid in the last 3 minutes moved the close by 5, at most 3 times.")
    step_bps = fields.Count("Basis points by which a cost falls at least from round to round.")
    as_of = fields.Moment("When what follows held; null where there is nothing to know now.", allow_none=True)
    best = fields.Rate("Least all-in annual cost among comparable bids.", allow_none=True)
    own = fields.Many(fields.Part(OwnRank), "The caller's own bids.")


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/standing")
class NeedStanding(MethodView):
    """The standing of one need."""

    @bid_routes.doc(operationId="getStanding")
    @bid_routes.response(200, BiddingStateAnswer)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """Return best cost and own ranks: during anonymous bidding; for bidders between sealed rounds.

        Sealed bidding tells nothing before its first close, and afterwards only to those who took part.
        """
        sealer = current_app.extensions["sealer"]
        found = standings.read(need_id, by=access.acting(), now=access.now(), sealer=sealer)
        own = [{"bid_id": bid_id, "rank": rank} for bid_id, rank in sorted(found.ranks.items())]
        plain = {name: getattr(found, name) for name in BiddingStateAnswer().fields if name != "own"}
        return {**plain, "own": own}
