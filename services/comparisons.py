"""Comparisons: the opened offers of one need side by side, and what they would cost on other terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from market import cashflow, cost, ranking, what_if
from market.cost import Cost
from market.diligence import DeclineRate
from market.errors import Code, Fault, Invalid, not_found
from market.money import mean
from market.party import Party
from market.schedule import SUBSIDY, Line
from market.terms import LENDER
from market.vocabulary import BidState, NeedState, ProposalState
from market.what_if import Exploration, Payments
from models.award import Award
from models.bid import Bid
from models.need import Need
from models.review import Review
from models.round import Proposal
from services import awards, bids, needs, review_records, rounds, syndicates
from services.exchange.offers import read_offer

MONTHS_MOST = 360


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a firm sees of its offers: ``ranked`` compete, best first; ``apart`` are listed with the reason.

    ``refused`` could not be opened. ``proposal`` is the matching round's, while it stands. ``payees``
    names who is paid by any of the offers, the lender first. ``declined`` are the reviews that ended an
    award of this need, the last one first, with their bids in ``gone``; ``decline_rates`` say, by
    institution, how often it declined. ``syndicate`` are the parts of several bids, or the one part of a
    bid, that the round proposes to a need that may be shared.
    """

    need: Need
    ranked: tuple[Bid, ...]
    apart: tuple[Bid, ...]
    refused: tuple[Bid, ...]
    proposal: Proposal | None
    award: Award | None
    payees: tuple[str, ...]
    gone: tuple[Bid, ...] = ()
    declined: tuple[Review, ...] = ()
    decline_rates: Mapping[int, DeclineRate] = field(default_factory=dict)
    syndicate: tuple[Proposal, ...] = ()

    @property
    def offered(self) -> Bid | None:
        """Return the bid that is the firm's next choice after a decline, or None without one."""
        if not self.declined or self.need.state is not NeedState.CLOSED or self.award is not None:
            return None
        return next((bid for bid in self.ranked if bid.state is BidState.LIVE), None)

    @property
    def is_short(self) -> bool:
        """Say whether fewer offers compete than the firm asked for."""
        return len(self.ranked) < self.need.minimum_bids

    def may_accept_syndicate(self, now: datetime) -> bool:
        """Say whether the firm can accept the proposed syndicate now."""
        return bool(self.syndicate) and all(
            part.state is ProposalState.PROPOSED and part.bid is not None and self.may_accept(part.bid, now)
            for part in self.syndicate
        )

    def may_accept(self, bid: Bid, now: datetime) -> bool:
        """Say whether the firm can accept this offer now."""
        return (
            self.need.state is NeedState.CLOSED
            and self.award is None
            and (self.need.accept_until is None or now <= self.need.accept_until)
            and bid.state is BidState.LIVE
            and bid.effective is not None
            and bid.valid_until >= now
        )


@dataclass(frozen=True, slots=True)
class Study:
    """What stands behind an offer's annual cost.

    ``explored`` holds what each of its charges adds. ``average_balance`` is the principal in the firm's
    hands, in fen, averaged over the months.
    """

    explored: Exploration
    payments: Payments
    average_balance: int

    @property
    def charges_add(self) -> Decimal | None:
        """How much fees, less subsidies, add to the annual cost of the bare interest; None without a rate."""
        return self.explored.charges.points

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the schedule."""
        return self.explored.cost.schedule.lines


@dataclass(frozen=True, slots=True)
class Estimate:
    """An offer priced on other terms: an estimate, for which no institution has given its word.

    ``outside`` says that amount or tenor lie outside the product's own ranges.
    """

    bid: Bid
    cost: Cost
    rank: int
    outside: bool


def compare(need_id: int, *, by: Party) -> Comparison:
    """Return the opened offers of a need, for its firm, an officer or an auditor."""
    need = needs.find(need_id, by=by)
    offers = bids.list_offers(need_id, by=by)
    opened = [bid for bid in offers if bid.terms is not None]
    left = [bid for bid in opened if bid.state is not BidState.DECLINED]
    proposal = rounds.find_proposal(need_id)
    payees = {LENDER: None} | {
        payee: None for bid in opened for payee in (bid.cost or {}).get("breakdown", {})
    }
    # Public money comes last: it is taken off what the others are paid.
    ordered = [payee for payee in payees if payee != SUBSIDY] + [
        payee for payee in payees if payee == SUBSIDY
    ]
    parts = syndicates.find(need_id) if need.syndicated else []
    # One bid for the whole is an offer like any other.
    alone = len(parts) == 1 and parts[0].bid is not None and parts[0].amount == parts[0].bid.amount
    return Comparison(
        need=need,
        ranked=tuple(bid for bid in left if bid.rank is not None),
        apart=tuple(bid for bid in left if bid.rank is None),
        refused=tuple(bid for bid in offers if bid.terms is None),
        proposal=proposal if proposal is not None and proposal.state is not ProposalState.LAPSED else None,
        award=awards.find_for_need(need_id),
        payees=tuple(ordered),
        gone=tuple(bid for bid in opened if bid.state is BidState.DECLINED),
        declined=tuple(review_records.list_declined(need_id)),
        decline_rates=review_records.read_decline_rates(
            {bid.organisation_id for bid in opened}, need.zone_id
        ),
        syndicate=() if alone else tuple(parts),
    )


def find_offer(need_id: int, bid_id: int, *, by: Party) -> tuple[Comparison, Bid]:
    """Return one opened offer within its comparison; raises ``NotFound``."""
    comparison = compare(need_id, by=by)
    for bid in (*comparison.ranked, *comparison.apart, *comparison.gone):
        if bid.id == bid_id:
            return comparison, bid
    raise not_found("bid", bid_id)


def study(bid: Bid) -> Study:
    """Return what stands behind the annual cost of an opened offer."""
    terms = read_offer(bid.terms, "terms")
    explored = what_if.explore(terms)
    schedule, months = explored.cost.schedule, cashflow.term_months(terms)
    balances = {line.number: line.balance for line in schedule.lines}
    balance, owed = terms.principal, 0
    for month in range(1, months + 1):
        owed += balance
        balance = balances.get(month, balance)
    return Study(explored, what_if.find_payments(schedule), mean(owed, months))


def estimate(need_id: int, amount: int, months: int, *, by: Party) -> list[Estimate]:
    """Return what the offers of a need would cost for ``amount`` fen over ``months``, cheapest first.

    Rates, fees and subsidies stay as offered. Raises ``Invalid`` for an amount or tenor that cannot be.
    """
    faults = []
    if not 0 < amount <= needs.AMOUNT_MOST:
        faults.append(
            Fault(
                Code.TOO_SMALL if amount <= 0 else Code.TOO_LARGE,
                "amount",
                {"value": amount, "least": 1, "most": needs.AMOUNT_MOST},
            )
        )
    if not 1 <= months <= MONTHS_MOST:
        faults.append(
            Fault(
                Code.TOO_SMALL if months < 1 else Code.TOO_LARGE,
                "months",
                {"value": months, "least": 1, "most": MONTHS_MOST},
            )
        )
    if faults:
        raise Invalid(*faults)
    offers = [bid for bid in bids.list_offers(need_id, by=by) if bid.terms is not None]
    changed = []
    for bid in offers:
        changed.append(what_if.vary(read_offer(bid.terms, "terms"), amount=amount, term=months))
    priced = dict(zip((bid.id for bid in offers), cost.price_many(changed), strict=True))
    by_id = {bid.id: bid for bid in offers}
    order = ranking.rank(
        [ranking.Entry(bid.id, priced[bid.id], amount, months, bid.receipt_number) for bid in offers],
        amount=amount,
        months=months,
    )
    return [
        Estimate(by_id[row.key], priced[row.key], row.rank, not _covers(by_id[row.key], amount, months))
        for row in order
        if row.rank is not None
    ]


def _covers(bid: Bid, amount: int, months: int) -> bool:
    product = bid.product
    return product.amount_min <= amount <= product.amount_max and (
        product.months_max == 0 or product.months_min <= months <= product.months_max
    )
