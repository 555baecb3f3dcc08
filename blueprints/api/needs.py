"""Needs: drafted and published by firms, read by each role as far as it may."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask.views import MethodView

from blueprints import access
from blueprints.access import allows
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.paging import Page, cut, page_of
from blueprints.api.parsing import Answer, Body
from blueprints.api.parties import OrganisationBrief
from blueprints.api.products import ProductAnswer
from blueprints.api.products import show as show_product
from blueprints.api.rounds import ProposalAnswer, show_proposal
from blueprints.api.terms import FailureAnswer, show_failure
from market.bidding_vocabulary import BidPolicy, FewBids, Visibility
from market.calendar import local_date
from market.eligibility import AMOUNTS
from market.eligibility_fixes import Fix
from market.money import yuan
from market.party import Party
from market.receivable_vocabulary import ReceivableState
from market.vocabulary import (
    Capability,
    ContractStage,
    NeedState,
    OfferKind,
    Purpose,
    Repayment,
    Security,
)
from models.need import Need as Row
from models.receivable import Receivable
from services import (
    fitting,
    invoice_claims,
    needs,
    products,
    receivables,
    rounds,
    syndicates,
    visibility,
)
from services.need_drafts import RECEIVABLES_MOST

need_routes = Blueprint("needs", __name__, "What firms ask for.")

MAKERS = (Capability.ENTERPRISE_MAKER,)
READERS = (
    Capability.ENTERPRISE_MAKER,
    Capability.ENTERPRISE_APPROVER,
    Capability.INSTITUTION_BIDDER,
    Capability.INSTITUTION_APPROVER,
    Capability.OFFICER,
    Capability.AUDITOR,
)
WATCHERS = (Capability.OFFICER, Capability.AUDITOR)


class NeedEntry(Body):
    """A need as a firm writes it."""

    purpose = fields.Word(Purpose, "`contract` for a need against a contract.", required=True)
    amount = fields.Money(required=True)
    months = fields.Whole(least=1, most=360, required=True, metadata={"example": 12})
    description = fields.Text("Shown to institutions: name nobody here.", most=500)
    repayment = fields.Word(Repayment, "Wished style.", allow_none=True)
    securities = fields.Many(fields.Word(Security), "What can secure it; `unsecured` if left out.", most=10)
    accepts = fields.Many(fields.Word(OfferKind), "Kinds of offer accepted; `loan` if left out.", most=10)
    reserve_rate = fields.Rate(
        "Highest annual cost the firm would pay; institutions never see it.", most=Decimal(1), allow_none=True
    )
    minimum_bids = fields.Whole(least=1, most=9)
    joins_matching = fields.Flag("Whether matching rounds may propose a bid.")
    shows_name = fields.Flag("Whether institutions see the firm's name.")
    contract_id = fields.Id("The contract, for the purpose `contract`.", allow_none=True)
    receivables = fields.Many(
        fields.Id(),
        "Receivables offered to the lender, for any other purpose; their pledge becomes a security.",
        most=RECEIVABLES_MOST,
    )
    bid_policy = fields.Word(BidPolicy, "`sealed` if left out: nobody sees a price before the opening.")
    round_count = fields.Whole("Bid rounds, each but the first to improve one's own bid.", least=1, most=3)
    round_hours = fields.Whole("How long each further bid round lasts.", least=1, most=720)
    few_bids = fields.Word(FewBids, "What follows if fewer than `minimum_bids` came; `offer` if left out.")
    visibility = fields.Word(Visibility, "`all` institutions if left out.")
    audience = fields.Many(
        fields.Id(), "Institutions: the only ones that see the need, or those that do not.", most=1000
    )
    syndicated = fields.Flag("Whether several bids may share the amount.")


class Publication(Body):
    """How long bids are taken."""

    closes_at = fields.Moment("End of bidding: one hour to sixty days ahead.", required=True)


class NeedQuery(Page):
    """Which needs."""

    state = fields.Word(NeedState, "Only needs in this state; not for institutions, which see open ones.")


class LprAnswer(Answer):
    """The LPR that prices every floating bid of a need."""

    date = fields.Day()
    one_year = fields.Rate()
    five_year = fields.Rate()


class ContractBrief(Answer):
    """The contract behind a need, as far as it does not name the firm."""

    id = fields.Count()
    stage = fields.Word(ContractStage)
    purchaser_name = fields.Said(allow_none=True)
    amount = fields.Money(allow_none=True)
    retention = fields.Money()
    last_due_on = fields.Day("When the last payment falls due.", allow_none=True)


class ReceivableBrief(Answer):
    """A receivable behind a need, as far as it does not name the firm."""

    id = fields.Count()
    state = fields.Word(ReceivableState)
    debtor_name = fields.Said("Null where it would lead to the firm.", allow_none=True)
    amount = fields.Money()
    paid = fields.Money()
    issued_on = fields.Day()
    due_on = fields.Day()


class BidRoundAnswer(Answer):
    """A round of bidding; nobody learns of bids, not even how many, before it closed."""

    number = fields.Count()
    opened_at = fields.Moment()
    closes_at = fields.Moment()
    closed_at = fields.Moment(allow_none=True)
    bid_count = fields.Count(allow_none=True)
    ranked_count = fields.Count(allow_none=True)


class NeedAnswer(Answer):
    """A need."""

    id = fields.Count()
    state = fields.Word(NeedState)
    organisation = fields.Part(OrganisationBrief, "The firm; null where it is not shown.", allow_none=True)
    purpose = fields.Word(Purpose)
    amount = fields.Money()
    months = fields.Count()
    description = fields.Said()
    repayment = fields.Word(Repayment, allow_none=True)
    securities = fields.Many(fields.Word(Security))
    accepts = fields.Many(fields.Word(OfferKind))
    reserve_rate = fields.Rate("Null for institutions.", allow_none=True)
    minimum_bids = fields.Count("The firm may accept fewer, unless `few_bids` says otherwise.")
    bid_policy = fields.Word(BidPolicy)
    round_count = fields.Count()
    round_hours = fields.Count()
    few_bids = fields.Word(FewBids)
    visibility = fields.Word(Visibility, "Null for institutions.", allow_none=True)
    syndicated = fields.Flag()
    revision = fields.Count("1, and one more for each change that voided bids.")
    joins_matching = fields.Flag()
    shows_name = fields.Flag()
    contract = fields.Part(ContractBrief, allow_none=True)
    receivables = fields.Many(fields.Part(ReceivableBrief), "What its lender may lean on, first due first.")
    lpr = fields.Part(LprAnswer, allow_none=True)
    reason = fields.Said("Why it ended without a deal.", allow_none=True)
    created_at = fields.Moment()
    published_at = fields.Moment(allow_none=True)
    closes_at = fields.Moment("End of the bid round that runs.", allow_none=True)
    closed_at = fields.Moment(allow_none=True)
    accept_until = fields.Moment("Last moment to accept a bid.", allow_none=True)


class NeedDetail(NeedAnswer):
    """A need with its bidding and what a matching round proposes."""

    rounds = fields.Many(fields.Part(BidRoundAnswer))
    audience = fields.Many(
        fields.Count(),
        "Institutions that `visibility` names; null for institutions.",
        most=1000,
        allow_none=True,
    )
    proposal = fields.Part(ProposalAnswer, "For the firm and officers.", allow_none=True)
    proposals = fields.Many(
        fields.Part(ProposalAnswer), "The parts, where a round proposes several bids; for the same.", most=100
    )


class FitAnswer(Answer):
    """A product beside a need: no failures means that it fits."""

    product = fields.Part(ProductAnswer)
    fits = fields.Flag()
    failures = fields.Many(fields.Part(FailureAnswer))


class FixAnswer(Answer):
    """The smallest single change that opens more products."""

    fact = fields.Said("`amount`, `months`, `accepts`, `repayment`, `securities` or `tags`.")
    value = fields.Said("What to set it to (yuan, months, a word), or the word to add to a list.")
    opens = fields.Count("How many products that would open.")


class FitList(Answer):
    """Products beside a need, best fit first."""

    items = fields.Many(fields.Part(FitAnswer), most=10_000)
    nearest_fix = fields.Part(FixAnswer, allow_none=True)


@need_routes.route("/needs")
class Needs(MethodView):
    """Needs the caller may see."""

    @need_routes.doc(operationId="listNeeds")
    @need_routes.arguments(NeedQuery, location="query")
    @need_routes.response(200, page_of(NeedAnswer, "NeedPage"))
    @allows(*READERS)
    def get(self, query: dict[str, Any]) -> Any:
        """List needs: firms see their own, institutions the open ones, officers all of the zone."""
        by = access.acting()
        states = [query["state"]] if "state" in query else None
        if by.is_institution:
            rows = [row for row in needs.list_open(by, access.now()) if states is None or row.state in states]
        elif by.may(*WATCHERS):
            rows = needs.list_zone(by, states)
        else:
            rows = needs.list_own(by, states)
        page = cut(rows, query)
        return {**page, "items": [show(row, by) for row in page["items"]]}

    @need_routes.doc(operationId="draftNeed")
    @need_routes.arguments(NeedEntry)
    @need_routes.response(201, NeedDetail)
    @allows(*MAKERS)
    def post(self, data: dict[str, Any]) -> Any:
        """Draft a need; nobody but the firm sees it before it is published."""
        by = access.acting()
        return show_whole(needs.draft(needs.Draft(**data), by=by, now=access.now()), by)


@need_routes.route(f"/needs/<{fields.ID}:need_id>")
class Need(MethodView):
    """One need."""

    @need_routes.doc(operationId="getNeed")
    @need_routes.response(200, NeedDetail)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """Return a need as far as the caller may know of it."""
        by = access.acting()
        return show_whole(needs.find(need_id, by=by), by)

    @need_routes.doc(operationId="editNeed")
    @need_routes.arguments(NeedEntry)
    @need_routes.response(200, NeedDetail)
    @allows(*MAKERS)
    def put(self, data: dict[str, Any], need_id: int) -> Any:
        """Write a draft anew; an open need is changed at `/changes`."""
        by = access.acting()
        return show_whole(needs.edit(need_id, needs.Draft(**data), by=by, now=access.now()), by)


@need_routes.route(f"/needs/<{fields.ID}:need_id>/publish")
class NeedPublication(MethodView):
    """Opening a need for bids."""

    @need_routes.doc(operationId="publishNeed")
    @need_routes.arguments(Publication)
    @need_routes.response(200, NeedDetail)
    @allows(*MAKERS)
    def post(self, data: dict[str, Any], need_id: int) -> Any:
        """Open a draft for bids until a moment."""
        by = access.acting()
        return show_whole(needs.publish(need_id, data["closes_at"], by=by, now=access.now()), by)


@need_routes.route(f"/needs/<{fields.ID}:need_id>/withdraw")
class NeedWithdrawal(MethodView):
    """Taking a need back."""

    @need_routes.doc(operationId="withdrawNeed")
    @need_routes.response(200, NeedDetail)
    @allows(*MAKERS)
    def post(self, need_id: int) -> Any:
        """Take a need back before anything is awarded; its bids leave with it."""
        by = access.acting()
        return show_whole(needs.withdraw(need_id, by=by, now=access.now()), by)


@need_routes.route(f"/needs/<{fields.ID}:need_id>/products")
class NeedProducts(MethodView):
    """Products beside a need."""

    @need_routes.doc(operationId="listFittingProducts")
    @need_routes.response(200, FitList)
    @allows(*READERS)
    def get(self, need_id: int) -> Any:
        """List the products that answer a need and why others do not; institutions see their own."""
        by, today = access.acting(), local_date(access.now())
        need = needs.find(need_id, by=by)
        facts = fitting.describe(need, today)
        if by.is_institution:
            fits = fitting.fit_need(need, products.list_own(by), today)
        else:
            fits = fitting.fit_products(facts, by.zone_id)
        fix = fitting.suggest_fix(facts, fits)
        return {"items": [show_fit(fit) for fit in fits], "nearest_fix": show_fix(fix)}


def show(row: Row, by: Party) -> dict[str, Any]:
    """Return a need as far as the party may see it: institutions learn neither name nor highest price."""
    insider = is_insider(row, by)
    made = {
        "organisation": row.organisation if insider or row.shows_name else None,
        "reserve_rate": row.reserve_rate if insider else None,
        # Who was named must not be guessed by those who see the need.
        "visibility": row.visibility if insider else None,
        "contract": row.contract,
        "receivables": [show_receivable(one, row, insider) for one in invoice_claims.list_offered(row)],
        "lpr": None
        if row.lpr_date is None
        else {"date": row.lpr_date, "one_year": row.lpr_1y, "five_year": row.lpr_5y},
    }
    plain = {name: getattr(row, name) for name in NeedAnswer().fields if name not in made}
    return {**plain, **made}


def show_receivable(one: Receivable, need: Row, insider: bool) -> dict[str, Any]:
    """Return a receivable behind a need; its debtor only to those who may learn whose need it is."""
    plain = {name: getattr(one, name) for name in ReceivableBrief().fields}
    named = insider or receivables.is_debtor_shown(one, need)
    return plain if named else {**plain, "debtor_name": None}


def show_whole(row: Row, by: Party) -> dict[str, Any]:
    """Return a need with its rounds, and with the proposal for those it is made to."""
    insider = is_insider(row, by)
    proposal = rounds.find_proposal(row.id) if insider else None
    return {
        **show(row, by),
        "audience": visibility.list_ids(row.id) if insider else None,
        "rounds": needs.list_rounds(row.id),
        "proposal": show_proposal(proposal) if proposal is not None else None,
        "proposals": [show_proposal(part) for part in syndicates.find(row.id)] if insider else [],
    }


def is_insider(row: Row, by: Party) -> bool:
    """Say whether the party is the firm itself, an officer or an auditor."""
    return row.organisation_id == by.organisation_id or by.may(*WATCHERS)


def show_fit(fit: fitting.Fit) -> dict[str, Any]:
    """Return a product with what speaks against it."""
    return {
        "product": show_product(fit.product),
        "fits": fit.fits,
        "failures": [show_failure(failure) for failure in fit.failures],
    }


def show_fix(fix: Fix | None) -> dict[str, Any] | None:
    """Return the nearest change of a need that opens more products."""
    if fix is None:
        return None
    value = yuan(fix.value) if isinstance(fix.value, int) and fix.fact in AMOUNTS else str(fix.value)
    return {"fact": fix.fact, "value": value, "opens": fix.opens}
