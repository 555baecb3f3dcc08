"""Bids: previewed and placed under seal by institutions; opened, they are the firm's offers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import current_app
from flask.views import MethodView

from blueprints import access, problem
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint, Problem
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from blueprints.api.terms import (
    CostAnswer,
    FailureAnswer,
    Fees,
    RateSteps,
    Subsidies,
    show_cost,
    show_failure,
)
from market.diligence import DeclineRate
from market.vocabulary import BidState, Capability, DayCount, Interval, OfferKind, RentTiming, Repayment
from models.bid import Bid as Row
from services import bid_content, bids, fees, outcomes, review_records
from services.exchange.offers import read_offer, write_offer
from services.outcomes import Outcome

bid_routes = Blueprint("bids", __name__, "Sealed bids, and the offers that come of them.")

WARNINGS = "Fees that the law forbids, named; nothing is refused for them."
BIDDERS = (Capability.INSTITUTION_BIDDER, Capability.INSTITUTION_APPROVER)


class QuoteEntry(Body):
    """A priced answer to a need: `rate` for a fixed price, `spread` for a floating one."""

    product_id = fields.Id("One of the institution's own products.", required=True)
    principal = fields.Money(required=True)
    months = fields.Whole(least=1, most=360, required=True, metadata={"example": 12})
    valid_until = fields.Moment("At least the end of the firm's time to accept.", required=True)
    rate = fields.Rate("Per year.", allow_none=True)
    spread = fields.Whole("Basis points over the need's LPR.", least=-10_000, most=10_000, allow_none=True)
    repayment = fields.Word(Repayment, "The product's style if left out.", allow_none=True)
    day_count = fields.Word(DayCount)
    fees = Fees("Costs beside interest.")
    subsidies = Subsidies("Public money that lowers the cost.")
    rent = fields.Word(RentTiming, "For leases.")
    deposit = fields.Rate("Share of the principal held until the end.")
    buyout = fields.Money("For leases.")
    interval = fields.Choice(Interval, "Months between payments.")
    rate_steps = RateSteps('Later rates, each with the month from which it holds: `[[13, "0.045"]]`.')
    prelease_months = fields.Whole("For leases: between paying out and the first rental period.", most=120)
    prelease_rate = fields.Rate("For leases: the rate of those months, if another.", allow_none=True)
    declared_rate = fields.Rate(
        "The annual cost the institution itself states.", most=Decimal(100), allow_none=True
    )
    confirmed = fields.Flag("Says that an unusual price is meant.")
    guarantee_product_id = fields.Id(
        "A guarantor's listed product that stands behind the loan.", allow_none=True
    )
    guarantee_share = fields.Rate(
        "Share of the loan it covers; the product's own if left out.", allow_none=True
    )
    least = fields.Money(
        "Smallest part it can be taken for; only where several bids may share the need.", allow_none=True
    )
    revision = fields.Whole("The need's `revision` as seen; refused where it changed since.", least=1)
    is_firm = fields.Flag("`false` for a bid subject to the institution's approval after the award.")


class PreviewAnswer(Answer):
    """What a quote would cost the firm, and what speaks against it."""

    terms = fields.Facts("The offer as it would be sealed.")
    cost = fields.Part(CostAnswer)
    verdict = fields.Said("How the declared annual cost compares with ours.", allow_none=True)
    failures = fields.Many(fields.Part(FailureAnswer), "Conditions of the product the need does not meet.")
    faults = fields.Many(fields.Part(Problem.Refusal), "What it would be refused for, placed as it is.")
    warnings = fields.Many(fields.Part(Problem.Refusal), WARNINGS)
    headroom = fields.Money("The most its limits leave for it; null without a limit.", allow_none=True)


class BidAnswer(Answer):
    """One's own bid; the figures are null until the opening."""

    id = fields.Count()
    need_id = fields.Count()
    product_id = fields.Count()
    state = fields.Word(BidState)
    receipt_at = fields.Moment("When it arrived.")
    receipt_hash = fields.Said("SHA-256 over salt, line feed and canonical JSON of the content.")
    receipt_number = fields.Count("Order of arrival; told after the opening.", allow_none=True)
    valid_until = fields.Moment()
    opened_at = fields.Moment(allow_none=True)
    is_firm = fields.Flag("`false` if subject to approval; null until the opening.", allow_none=True)
    rank = fields.Count("Place among comparable offers.", allow_none=True)
    ranked = fields.Count("How many offers were ranked; told after the opening.", allow_none=True)
    best = fields.Rate("The least annual cost of all; told after the opening.", allow_none=True)
    winning = fields.Rate("The annual cost of what won; told after the award.", allow_none=True)
    reason = fields.Facts("Why it stands at its place.", allow_none=True)
    why = fields.Facts("What became of it: a code and figures; null while it competes.", allow_none=True)
    effective = fields.Rate("All-in annual cost.", allow_none=True)
    total_cost = fields.Money(allow_none=True, least=None)
    amount = fields.Money(allow_none=True)
    least = fields.Money("Smallest part it can be taken for.", allow_none=True)
    months = fields.Count(allow_none=True)
    guarantee_product_id = fields.Count("The guarantee behind it.", allow_none=True)
    guaranteed = fields.Money("What the guarantor stands for.", allow_none=True)


class BidDetail(BidAnswer):
    """One's own bid with its content, for the bidder's eyes only."""

    content = fields.Facts("What was sealed.")
    salt = fields.Said("Hexadecimal; proves with the content that the receipt is its own.")
    warnings = fields.Many(fields.Part(Problem.Refusal), WARNINGS)


class ProductBrief(Answer):
    """A product in brief."""

    id = fields.Count()
    name_zh = fields.Said()
    name_en = fields.Said()


class DeclineRateAnswer(Answer):
    """How often an institution declined after an award."""

    reviewed = fields.Count("Reviews it decided in this zone.")
    declined = fields.Count("Of these, how many it declined.")
    rate = fields.Rate("Null below three reviews.", allow_none=True)


class OfferAnswer(Answer):
    """An opened bid as the firm compares it."""

    bid_id = fields.Count()
    receipt_hash = fields.Said("Send it back as `shown_hash` to accept this offer.")
    receipt_at = fields.Moment()
    receipt_number = fields.Count()
    state = fields.Word(BidState)
    institution = fields.Part(OrganisationBrief)
    product = fields.Part(ProductBrief)
    rank = fields.Count("1 is the least annual cost; null for offers on other terms.", allow_none=True)
    reason = fields.Facts("Why it stands there.", allow_none=True)
    kind = fields.Word(OfferKind, allow_none=True)
    amount = fields.Money(allow_none=True)
    months = fields.Count(allow_none=True)
    guarantee_product_id = fields.Count("The guarantee behind it.", allow_none=True)
    guaranteed = fields.Money("What the guarantor stands for.", allow_none=True)
    effective = fields.Rate("All-in annual cost.", allow_none=True)
    is_firm = fields.Flag("`false` if subject to the institution's approval.", allow_none=True)
    least = fields.Money("Smallest part it can be taken for.", allow_none=True)
    decline_rate = fields.Part(DeclineRateAnswer, allow_none=True)
    simple = fields.Rate(allow_none=True)
    total_cost = fields.Money(allow_none=True, least=None)
    declared_rate = fields.Rate("The annual cost the institution stated.", allow_none=True)
    valid_until = fields.Moment()
    terms = fields.Facts(allow_none=True)
    cost = fields.Part(CostAnswer, allow_none=True)
    warnings = fields.Many(fields.Part(Problem.Refusal), WARNINGS)


class OfferList(Answer):
    """The offers of a need, best first."""

    items = fields.Many(fields.Part(OfferAnswer), most=10_000)


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/bids/preview")
class BidPreview(MethodView):
    """Pricing without placing."""

    @bid_routes.doc(operationId="previewBid")
    @bid_routes.arguments(QuoteEntry)
    @bid_routes.response(200, PreviewAnswer)
    @allows(*BIDDERS)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Say what a quote would cost the firm, all included, without placing it."""
        sealer = current_app.extensions["sealer"]
        found = bids.preview(need_id, bids.Quote(**data), by=access.acting(), now=access.now(), sealer=sealer)
        return {
            "terms": write_offer(found.terms),
            "cost": show_cost(bid_content.describe_cost(found.cost)),
            "verdict": found.verdict.value if found.verdict is not None else None,
            "failures": [show_failure(failure) for failure in found.failures],
            "faults": problem.list_faults(found.faults),
            "warnings": problem.list_faults(found.warnings),
            "headroom": found.headroom,
        }


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/bids")
class NeedBids(MethodView):
    """Bidding on a need."""

    @bid_routes.doc(operationId="placeBid")
    @bid_routes.arguments(QuoteEntry)
    @bid_routes.response(201, BidDetail)
    @allows(Capability.INSTITUTION_BIDDER)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Place a sealed bid; a former one of the same product is replaced.

        The receipt proves what was sealed: `sha256(salt + "\\n" + canonical JSON of content)`, with the
        canonical form of RFC 8785.
        """
        by, sealer = access.acting(), current_app.extensions["sealer"]
        placed = bids.place(need_id, bids.Quote(**data), by=by, now=access.now(), sealer=sealer)
        return show_whole(*bids.read_own(placed.id, by=by, sealer=sealer))


@bid_routes.route("/bids")
class Bids(MethodView):
    """The institution's bids."""

    @bid_routes.doc(operationId="listBids")
    @bid_routes.arguments(Page, location="query")
    @bid_routes.response(200, page_of(BidAnswer, "BidPage"))
    @allows(*BIDDERS)
    def get(self, page: dict[str, Any]) -> Any:
        """List the bids of one's institution."""
        found = cut(bids.list_own(access.acting()), page)
        told = outcomes.describe(found["items"], sealer=current_app.extensions["sealer"])
        return {**found, "items": [show(outcome) for outcome in told]}


@bid_routes.route(f"/bids/<{fields.ID}:bid_id>")
class Bid(MethodView):
    """One bid."""

    @bid_routes.doc(operationId="getBid")
    @bid_routes.response(200, BidDetail)
    @allows(*BIDDERS)
    def get(self, bid_id: int) -> Any:
        """Return one's own bid with its receipt, salt and content."""
        return show_whole(*bids.read_own(bid_id, by=access.acting(), sealer=current_app.extensions["sealer"]))

    @bid_routes.doc(operationId="withdrawBid")
    @bid_routes.response(200, BidAnswer)
    @allows(Capability.INSTITUTION_BIDDER)
    def delete(self, bid_id: int) -> Any:
        """Withdraw one's own bid before the close; afterwards it is held to."""
        gone = bids.withdraw(bid_id, by=access.acting(), now=access.now())
        return show(*outcomes.describe([gone], sealer=current_app.extensions["sealer"]))


@bid_routes.route(f"/needs/<{fields.ID}:need_id>/offers")
class Offers(MethodView):
    """Opened bids of a need."""

    @bid_routes.doc(operationId="listOffers")
    @bid_routes.response(200, OfferList)
    @allows(
        Capability.ENTERPRISE_MAKER, Capability.ENTERPRISE_APPROVER, Capability.OFFICER, Capability.AUDITOR
    )
    def get(self, need_id: int) -> Any:
        """List the opened bids of a need, best first; before the opening there is nothing to list."""
        by = access.acting()
        rows = bids.list_offers(need_id, by=by)
        rates = review_records.read_decline_rates({row.organisation_id for row in rows}, by.zone_id)
        return {"items": [show_offer(row, rates.get(row.organisation_id)) for row in rows]}


def show(outcome: Outcome) -> dict[str, Any]:
    """Return one's own bid; the order of arrival would tell how many rivals there are before the opening."""
    row = outcome.bid
    made = {
        "receipt_number": row.receipt_number if row.opened_at is not None else None,
        "ranked": outcome.ranked,
        "best": outcome.best,
        "winning": outcome.winning,
        "why": outcome.why,
        # What voided it stands among the need's changes, in this interface's units.
        "reason": {name: value for name, value in row.reason.items() if name != "differences"}
        if row.reason is not None
        else None,
    }
    plain = {name: getattr(row, name) for name in BidAnswer().fields if name not in made}
    return {**plain, **made}


def show_whole(row: Row, content: dict[str, Any], salt: str) -> dict[str, Any]:
    """Return one's own bid with what was sealed."""
    told = show(*outcomes.describe([row], sealer=current_app.extensions["sealer"]))
    return {**told, "content": content, "salt": salt, "warnings": list_warnings(row, content["offer"])}


def show_offer(row: Row, declines: DeclineRate | None = None) -> dict[str, Any]:
    """Return an opened bid as an offer, with how often its institution declined after an award."""
    made = {
        "bid_id": row.id,
        "institution": row.organisation,
        "kind": row.offer,
        "cost": show_cost(row.cost) if row.cost is not None else None,
        "decline_rate": declines,
        "warnings": list_warnings(row, row.terms),
    }
    plain = {name: getattr(row, name) for name in OfferAnswer().fields if name not in made}
    return {**plain, **made}


def list_warnings(row: Row, offer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return what the law says against the fees of an offer; nothing of a bid that could not be opened."""
    if offer is None:
        return []
    return problem.list_faults(fees.warn_bid(row, read_offer(offer, "offer").fees))
