"""Dealing: a need is posted, bid on under seal, opened by the clock, decided by its firm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import select

from market import party
from market.calendar import local_date
from market.eligibility import Requirement, judge
from market.party import Party
from market.vocabulary import BidState, LoanState, NeedState, ProductFamily, Security
from models.award import Award
from models.base import db
from models.bid import Bid
from models.loan import Loan
from models.need import Need
from models.product import Product
from scripts.demo.cast import ACCEPTANCE_DAYS, Cast, Member
from scripts.demo.demand import Fate, Plan
from scripts.demo.lending import Lending
from scripts.demo.quoting import write_quote
from scripts.demo.reviewing import Reviewing
from scripts.demo.shelf import Listed
from scripts.demo.timeline import Timeline, at_minute, office_moment, shift
from services import awards, bids, clock, fitting, needs, opening, reservations, rounds
from services.quotes import Quote
from services.sealing import Sealer

#: How many of the bids of lenders with two people are subject to approval.
OPEN_SHARE = 0.12


@dataclass(slots=True)
class Stall:
    """A product as bidders see it: what it asks, and what it is on the shelf."""

    requirement: Requirement
    listed: Listed


class Dealing:
    """Plays the plans of needs on the timeline."""

    def __init__(
        self, cast: Cast, shelf: dict[int, Listed], timeline: Timeline, lending: Lending, sealer: Sealer
    ) -> None:
        self._cast, self._timeline, self._lending, self._sealer = cast, timeline, lending, sealer
        self._reviewing = Reviewing(lending, timeline, sealer)
        self._sent_back = False
        self._stalls: dict[int, list[Stall]] = {zone_id: [] for zone_id in cast.zone_ids}
        for product in db.session.scalars(
            select(Product).where(Product.offer.is_not(None)).order_by(Product.id)
        ):
            self._stalls[product.zone_id].append(Stall(fitting.read_requirement(product), shelf[product.id]))

    def tick(self, zone_id: int, now: datetime) -> None:
        """Do what the clock does."""
        clock.run_due(zone_id, now=now, sealer=self._sealer)

    def play(self, plan: Plan) -> None:
        """Put a plan on the timeline."""
        self._timeline.at(plan.published, lambda now: self._post(plan, now))

    def _post(self, plan: Plan, now: datetime) -> None:
        firm = plan.firm.parties[plan.zone_id]
        need_id = needs.draft(plan.draft, by=firm, now=now - timedelta(minutes=25)).id
        need = needs.publish(need_id, plan.closes, by=firm, now=now)
        self._invite(plan, need, now)
        if plan.fate is Fate.WITHDRAW_OPEN:
            when = office_moment(local_date(plan.closes), plan.rng, 9, 10)
            self._timeline.at(max(when, now + timedelta(hours=1)), lambda now: _withdraw(need_id, plan, now))
            return
        self._timeline.at(plan.closes, lambda now: self._open(need_id, plan, now))
        self._plan_decision(plan, need_id)

    def _open(self, need_id: int, plan: Plan, now: datetime) -> None:
        # The verb that the clock calls; a look at the whole zone would hold a round for nobody each time.
        opening.open_bids(need_id, by=party.clock(plan.zone_id), now=now, sealer=self._sealer)

    def _invite(self, plan: Plan, need: Need, now: datetime) -> None:
        """Let institutions whose products fit answer, each at a moment of its own before the close."""
        if plan.fate is Fate.NOBODY_BIDS:
            return
        rng = plan.rng
        for stall in self._choose(plan, need, now):
            moment = _choose_moment(plan, stall.listed.seller.slug, now)
            discount = rng.choice((5, 10)) if rng.random() < 0.04 else 0
            self._answer_at(moment, stall, plan, need.id, 0)
            again = moment + timedelta(minutes=rng.randrange(40, 200))
            if discount and again < plan.closes:
                self._answer_at(again, stall, plan, need.id, discount)
            elif rng.random() < 0.02 and again < plan.closes and stall.listed.seller.slug not in plan.must:
                self._take_back_at(again, stall, plan, need.id)

    def _choose(self, plan: Plan, need: Need, now: datetime) -> list[Stall]:
        facts = fitting.describe(need, local_date(now))
        fits = [stall for stall in self._stalls[plan.zone_id] if not judge(facts, stall.requirement)]
        if need.contract_id is not None:
            # A bank that lends on a contract lends on the contract.
            fits = [stall for stall in fits if stall.requirement.family is ProductFamily.CONTRACT]
        by_seller: dict[str, list[Stall]] = {}
        for stall in fits:
            if stall.listed.seller.slug not in plan.never:
                by_seller.setdefault(stall.listed.seller.slug, []).append(stall)
        wanted = [slug for slug in plan.must if slug in by_seller]
        others = [slug for slug in by_seller if slug not in wanted]
        plan.rng.shuffle(others)
        chosen = (wanted + others)[: max(plan.answers, len(wanted))]
        return [self._pick(by_seller[slug], plan.rng) for slug in chosen]

    @staticmethod
    def _pick(stalls: list[Stall], rng: Random) -> Stall:
        # A lessor asked for equipment answers with a lease of it rather than of what the firm owns.
        direct = [stall for stall in stalls if stall.listed.family.key == "lease"]
        return rng.choice(direct or stalls)

    def _answer_at(self, when: datetime, stall: Stall, plan: Plan, need_id: int, discount: int) -> None:
        self._timeline.at(when, lambda now: self._answer(stall, plan, need_id, discount, now))

    def _answer(self, stall: Stall, plan: Plan, need_id: int, discount: int, now: datetime) -> None:
        need = db.session.get_one(Need, need_id)
        product = db.session.get_one(Product, stall.listed.product_id)
        if need.state is not NeedState.OPEN or not product.listed:
            return
        room = None
        if need.contract is not None:
            room = needs.compute_room(
                db.session(), need.contract, ratio=product.contract_ratio or needs.WHOLE
            )
        rng = Random(f"{plan.rng.random()} {stall.listed.product_id}")
        quote = write_quote(stall.listed, need, plan.firm, rng, room=room, discount=discount)
        holds = not need.joins_matching
        headroom = reservations.read_headroom(
            db.session(), need, product, holds=holds, now=now, sealer=self._sealer, locked=False
        )
        if quote.principal < product.amount_min or (headroom is not None and quote.principal > headroom):
            return
        by = stall.listed.seller.parties[plan.zone_id]
        quote = _cover(quote, product, need_id, by=by, now=now)
        if rng.random() < 0.08:
            # Some lenders declare an annual rate of their own; now and then it leaves a fee out.
            effective = bids.preview(need_id, quote, by=by, now=now).cost.effective
            off = rng.choice((Decimal(0), Decimal(0), Decimal(0), Decimal("0.0005")))
            if effective is not None:
                quote = replace(quote, declared_rate=round(effective - off, 4))
        if _keeps_open(stall.listed.seller, plan, need):
            quote = replace(quote, is_firm=False)
        bids.place(need_id, quote, by=by, now=now, sealer=self._sealer)

    def _take_back_at(self, when: datetime, stall: Stall, plan: Plan, need_id: int) -> None:
        self._timeline.at(when, lambda now: self._take_back(stall, plan, need_id, now))

    def _take_back(self, stall: Stall, plan: Plan, need_id: int, now: datetime) -> None:
        bid_id = db.session.scalar(
            select(Bid.id).where(
                Bid.need_id == need_id,
                Bid.product_id == stall.listed.product_id,
                Bid.state == BidState.SEALED,
            )
        )
        if bid_id is not None:
            bids.withdraw(bid_id, by=stall.listed.seller.parties[plan.zone_id], now=now)

    def _plan_decision(self, plan: Plan, need_id: int) -> None:
        closed = local_date(plan.closes)
        slots = [self._timeline.next_slot(plan.zone_id, plan.closes)]
        if plan.fate is Fate.LAPSE:
            # The window ends with its last day; the clock sees that at the next round.
            window = shift(closed, ACCEPTANCE_DAYS) + timedelta(days=1)
            slots.append(self._timeline.next_slot(plan.zone_id, at_minute(window, 0)))
        for slot in slots:
            if slot is not None:
                self._timeline.tick_at(plan.zone_id, slot)
        if plan.fate is Fate.WITHDRAW_CLOSED:
            when = office_moment(shift(closed, 1), plan.rng, 15, 17)
            self._timeline.at(when, lambda now: _withdraw(need_id, plan, now))
        elif plan.fate in {Fate.ACCEPT, Fate.SECOND_WAITS}:
            day = shift(closed, plan.rng.choice((1, 1, 1, 1, 2, 2, 3)))
            when = plan.decided or office_moment(day, plan.rng, 15, 17)
            if plan.decided is None and when.hour < 17 and plan.rng.random() < 0.15:
                when = max(plan.closes + timedelta(minutes=25), at_minute(closed, 16 * 60 + 20))
            self._timeline.at(when, lambda now: self._decide(need_id, plan, now))

    def _decide(self, need_id: int, plan: Plan, now: datetime) -> None:
        """Accept the proposal of the round or the cheapest offer; sometimes the next one."""
        firm = plan.firm.parties[plan.zone_id]
        if db.session.get_one(Need, need_id).state is not NeedState.CLOSED:
            return
        offers = [
            bid
            for bid in bids.list_offers(need_id, by=firm)
            if bid.rank is not None and bid.state is BidState.LIVE
        ]
        proposal = rounds.find_proposal(need_id)
        if proposal is not None and proposal.bid_id is not None and plan.rng.random() < 0.7:
            offers.sort(key=lambda bid: bid.id != proposal.bid_id)
        elif len(offers) > 1 and plan.rng.random() < 0.12:
            offers.insert(0, offers.pop(1))
        if plan.lender is not None:
            lender = self._cast.members[plan.lender]
            offers.sort(key=lambda bid: bid.organisation_id != lender.organisation_id)
        for bid in offers:
            headroom = bids.read_headroom(bid.organisation_id)
            if headroom is None or headroom >= (bid.amount or 0):
                award = awards.accept(need_id, bid.id, bid.receipt_hash, by=firm, now=now)
                self._confirm_later(award, plan, now)
                return

    def _confirm_later(self, award: Award, plan: Plan, now: datetime) -> None:
        if plan.fate is Fate.SECOND_WAITS:
            return
        if not plan.firm.two_people:
            self._lend(award.id, plan, now)
            return
        award_id = award.id
        later = now + timedelta(minutes=plan.rng.randrange(8, 45))
        self._timeline.at(later, lambda now: self._confirm(award_id, plan, now))

    def _confirm(self, award_id: int, plan: Plan, now: datetime) -> None:
        """The second person looks; now and then it sends the maker back to choose again."""
        award = db.session.get_one(Award, award_id)
        need_id, second = award.need_id, plan.firm.second(plan.zone_id)
        headroom = bids.read_headroom(award.bid.organisation_id)
        full = headroom is not None and headroom < (award.bid.amount or 0)
        # The first acceptance of all is sent back, so that there always is one to show.
        sent_back = plan.lender is None and (not self._sent_back or plan.rng.random() < 0.1)
        if full or sent_back:
            self._sent_back = True
            awards.reject(award_id, by=second, now=now)
            again = now + timedelta(minutes=plan.rng.randrange(20, 60))
            self._timeline.at(again, lambda now: self._decide(need_id, plan, now))
            return
        awards.confirm(award_id, by=second, now=now)
        self._lend(award_id, plan, now)

    def _lend(self, award_id: int, plan: Plan, now: datetime) -> None:
        loan = db.session.scalars(select(Loan).where(Loan.award_id == award_id)).one()
        if loan.state is LoanState.UNDER_REVIEW:
            need_id = loan.origin.need_id
            self._reviewing.follow(loan, plan, now, lambda now: self._decide(need_id, plan, now))
            return
        self._lending.follow(loan, plan, now)


def _cover(quote: Quote, product: Product, need_id: int, *, by: Party, now: datetime) -> Quote:
    """Put the first guarantee that answers behind a loan which asks for one and pays for none."""
    if product.security is not Security.GUARANTEE or any(fee.payee == "guarantor" for fee in quote.fees):
        return quote
    covers = select(Product.id).where(
        Product.zone_id == product.zone_id,
        Product.family == ProductFamily.GUARANTEE,
        Product.offer.is_(None),
        Product.listed,
    )
    for cover_id in db.session.scalars(covers.order_by(Product.id)).all():
        covered = replace(quote, guarantee_product_id=cover_id)
        if not bids.preview(need_id, covered, by=by, now=now).faults:
            return covered
    return quote


def _keeps_open(seller: Member, plan: Plan, need: Need) -> bool:
    """Say whether a lender bids subject to its approval: some do, if they have somebody to decide it."""
    if plan.approves:
        return True
    if plan.lender is not None or need.contract_id is not None or plan.zone_id not in seller.seconds:
        return False
    return Random(f"approval {need.id} {seller.slug}").random() < OPEN_SHARE


def _choose_moment(plan: Plan, slug: str, now: datetime) -> datetime:
    """Return an office minute between publication and close; whoever must answer answers early."""
    rng, days = plan.rng, [local_date(now)]
    while days[-1] < local_date(plan.closes):
        days.append(shift(days[-1], 1))
    early = now + timedelta(minutes=rng.randrange(90, 300))
    if slug in plan.must and early < at_minute(days[0], 18 * 60):
        # A day chosen at random may lie beyond the end of history.
        return early
    moment = office_moment(rng.choice(days[:-1]), rng)
    # The day of publication may be nearly over; bidding always lasts over the next.
    return moment if moment > now else office_moment(days[1], rng, 9, 12)


def _withdraw(need_id: int, plan: Plan, now: datetime) -> None:
    if db.session.get_one(Need, need_id).state in {NeedState.OPEN, NeedState.CLOSED}:
        needs.withdraw(need_id, by=plan.firm.parties[plan.zone_id], now=now)
