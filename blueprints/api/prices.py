"""Prices: what offers on paper cost a year, for anybody who asks; nothing is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask.views import MethodView

from blueprints import pricing
from blueprints.access import public
from blueprints.api import fields
from blueprints.api.description import Blueprint
from blueprints.api.examples import PRICED
from blueprints.api.parsing import MOST_FAULTS, Answer, Body
from blueprints.api.terms import CostAnswer, Fees, Subsidies, show_cost
from blueprints.pricing import Priced
from market.cost import Verdict, check_declared
from market.disclosure import list_parts
from market.errors import Code, Invalid, invalid
from market.terms import CoverTerms, LeaseTerms, LoanTerms, Period, Priceable
from market.vocabulary import DayCount, FeeTiming, Interval, LprTenor, RentTiming, Repayment, Rolling
from services import lpr
from services.exchange.charges import LONGEST_TERM
from services.exchange.offers import ALL_KINDS, read_document
from services.exchange.short_terms import BASES, MOST_DAYS

price_routes = Blueprint("prices", __name__, "The annual cost of any offer, without an account.")

MOST_OFFERS = 100
#: Offers that would keep everybody else waiting: months times everything that may fall due in each, summed.
MOST_WORK = 120_000
_MOST_RATE = Decimal(100)


class LprEntry(Body):
    """A floating rate."""

    tenor = fields.Word(LprTenor, required=True)
    spread_bp = fields.Whole("Basis points over it.", least=-10_000, most=10_000)


class OfferEntry(Body):
    """An offer: `kind` says which fields belong to it; any other is refused."""

    id = fields.Text("Your own name for it.", required=True)
    kind = fields.Text(
        "What is offered.", most=20, required=True, metadata={"enum": list(ALL_KINDS), "example": "loan"}
    )
    declared_rate = fields.Rate("The annual cost it states, to be checked.", most=_MOST_RATE, places=12)
    principal = fields.Money("Loan, lease, bridge.")
    months = fields.Whole("Loan, lease, cover.", least=1, most=LONGEST_TERM, metadata={"example": 12})
    rate = fields.Rate(
        "Per year; loan, lease, bill, factoring (or `lpr` for the first two).", most=_MOST_RATE, places=12
    )
    lpr = fields.Part(LprEntry, "Loan, lease: the loan prime rate on the day of `start` plus a spread.")
    repayment = fields.Word(Repayment, "Loan.")
    day_count = fields.Word(DayCount, "Loan, lease; the other than `30/360` need `start`.")
    start = fields.Day("Loan, lease, cover: when the money is paid out.")
    draws = fields.Pairs(int, "Revolving loan: month and yuan, + drawn and - repaid early.")
    interval = fields.Choice(Interval, "Loan, lease: months between payments.")
    rate_steps = fields.Pairs(int, "Loan, lease: later rates, each with the month from which it holds.")
    due = fields.Many(fields.Day(), "Loan, lease: the payment dates, each of them.", most=LONGEST_TERM)
    accrual = fields.Many(fields.Day(), "Beside `due`: the days to which interest runs.", most=LONGEST_TERM)
    first_due = fields.Day("Instead of `due`: the first payment date; the others follow every `interval`.")
    rolling = fields.Word(Rolling, "Where payments go that fall on a day not worked; bills, too.")
    adjusted = fields.Flag("Whether interest runs to the day a payment is rolled to; yes if left out.")
    deposit = fields.Rate("Loan, lease, cover: share held until the end.", places=12)
    deposit_holder = fields.Text("Loan, lease: who holds it; `lender` if left out.")
    rent = fields.Word(RentTiming, "Lease.")
    buyout = fields.Money("Lease: paid at the end.")
    prelease_months = fields.Whole("Lease: months between paying out and the first rental period.", most=120)
    prelease_rate = fields.Rate("Lease: the rate of those months, if another.", most=_MOST_RATE, places=12)
    flows = fields.Pairs(
        (str, int), "Flows: date (or period number) and yuan, signed from the firm's side.", most=2000
    )
    period = fields.Word(Period, "Flows: what period numbers count; without it they are dates.")
    face = fields.Money("Bill, factoring.")
    days = fields.Whole("Bill, factoring, bridge.", least=1, most=MOST_DAYS)
    issued = fields.Day("Bill, instead of `days`.")
    matures = fields.Day("Bill, instead of `days`; `rolling` may move it.")
    fee_rate = fields.Rate("Bill: a fee per year, pro rata.", most=_MOST_RATE, places=12)
    basis = fields.Choice(BASES, "Bill, factoring: days in the year.")
    advance = fields.Rate("Factoring: share of the receivable paid out.", places=12)
    interest_when = fields.Word(FeeTiming, "Factoring: `upfront` or `end`.")
    daily_rate = fields.Rate("Bridge.", places=12, metadata={"example": "0.0002"})
    steps = fields.Pairs(int, "Bridge: later daily rates, each with the day from which it holds.")
    amount = fields.Money("Cover: what is covered.")
    provider = fields.Text("Cover: who gives it; `guarantor` if left out.")
    fees = Fees("Costs beside interest; all kinds but flows.")
    subsidies = Subsidies("Public money that lowers the cost; loan, lease, cover.")


class Offers(fields.Many):
    """Offers, each checked for its shape; they stay as they were written for the reader of offers files."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, attr, data, **kwargs)
        return value


class PriceEntry(Body):
    """Offers to be priced and ranked against each other."""

    offers = Offers(fields.Part(OfferEntry), "At least one.", most=MOST_OFFERS, required=True)


class DueLine(Answer):
    """What falls due at one time."""

    when = fields.Field(
        "The day where one is known, else the month (the day, for what counts in days) since the start.",
        metadata={"oneOf": [{"type": "string", "format": "date"}, {"type": "integer"}]},
    )
    principal = fields.Money("A draw is negative.", least=None)
    interest = fields.Money(least=None)
    fees = fields.Money("With a lease's buy-out price.", least=None)
    subsidy = fields.Money(least=None)
    deposit = fields.Money("Paid, or negative: returned.", least=None)
    balance = fields.Money("The principal still owed afterwards.", least=None)


class DeclaredCheck(Answer):
    """A declared annual cost beside ours."""

    declared_rate = fields.Rate()
    difference = fields.Rate("Declared less computed; null where there is no rate.", allow_none=True)
    verdict = fields.Word(
        Verdict,
        "`flag` when it is off by more than 0.01 percentage points, `refuse` by more than 0.125.",
        allow_none=True,
    )


class PriceAnswer(CostAnswer):
    """What one offer costs, and its place among the others."""

    id = fields.Said()
    rank = fields.Count("1 is the least annual cost; null where there is no rate.", allow_none=True)
    cost_per_yuan = fields.Rate("Total cost over the amount borrowed.", allow_none=True)
    schedule = fields.Many(fields.Part(DueLine), "In order of time; empty for bare flows.", most=1000)
    check = fields.Part(DeclaredCheck, "Null where no rate was declared.", allow_none=True)
    provisional_years = fields.Many(
        fields.Count(), "Years whose working days were not yet published when payments were rolled."
    )


class PriceList(Answer):
    """Offers by annual cost, the least first."""

    offers = fields.Many(fields.Part(PriceAnswer), most=MOST_OFFERS)


@price_routes.route("/prices")
class Prices(MethodView):
    """The calculator."""

    @price_routes.doc(operationId="priceOffers")
    @price_routes.arguments(PriceEntry, examples=PRICED)
    @price_routes.response(200, PriceList)
    @public
    def post(self, data: dict[str, Any]) -> Any:
        """Price offers of any kind and rank them by their all-in annual cost.

        The form is that of the command `flask price`, and so are the figures; floating rates take the LPR
        on record. All offers together may come to 120,000: each counts its months times six more than it
        has fees and subsidies.
        """
        try:
            listed = read_document(data, lpr.read_table())
        except Invalid as error:
            raise Invalid(*error.faults[:MOST_FAULTS]) from error
        if (work := sum(_weigh(offer.terms) for offer in listed)) > MOST_WORK:
            raise invalid(Code.TOO_LARGE, "offers", value=work, most=MOST_WORK)
        return {"offers": [show(priced) for priced in pricing.rank(listed)]}


def show(priced: Priced) -> dict[str, Any]:
    """Return one priced offer in the shape of ``PriceAnswer``."""
    described = show_cost({**pricing.describe(priced), "parts": list_parts(priced.cost)})
    columns = [name for name in DueLine().fields if name != "when"]
    return {
        **described,
        "cost_per_yuan": priced.cost.cost_per_yuan,
        "schedule": [
            {"when": when, **{name: getattr(line, name) for name in columns}}
            for when, line in described["schedule"]
        ],
        "check": _check(priced),
        "provisional_years": priced.offer.provisional_years,
    }


def _weigh(terms: Priceable) -> int:
    """Return how much a price costs us: what may fall due, times how often it may."""
    if not isinstance(terms, (LoanTerms, LeaseTerms, CoverTerms)):
        return 0
    payments = 0 if isinstance(terms, CoverTerms) else len(terms.due)
    # Measured: a line of a schedule takes as long as six occurrences of a fee.
    return max(terms.months, payments) * (6 + len(terms.fees) + len(terms.subsidies))


def _check(priced: Priced) -> dict[str, Any] | None:
    declared, computed = priced.offer.declared, priced.cost.effective
    if declared is None:
        return None
    if computed is None:
        return {"declared_rate": declared, "difference": None, "verdict": None}
    verdict = check_declared(declared, computed)
    return {"declared_rate": declared, "difference": declared - computed, "verdict": verdict}
