"""The effective all-in annual cost of an offer: the number that ranks, and those shown beside it.

Annualisation follows the convention that is stored with every figure: regular schedules (30/360) count
in months, (1 + m)^12 - 1; dated flows in actual days over 365. The cost is seen by the firm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from market import cashflow
from market.blocks import blocks
from market.book import Book, fits_columns
from market.bulk import forces
from market.charges import part
from market.curve import PRECISE
from market.money import mean, round_half_up
from market.root import MOST_FORCE, NoRate, Root, refined, solve
from market.schedule import Schedule, Timeline
from market.terms import (
    LENDER,
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Period,
    Priceable,
)
from market.vocabulary import DayCount

#: Costs are kept with this many places and significant digits: far beyond what is shown, yet coarser than
#: every rounding error, so that equal costs are equal.
PLACES, DIGITS = 20, 28
#: A declared rate further off than this is flagged, and beyond the second refused (as rates: 0.0001 is
#: 0.01 percentage points).
FLAGGED, REFUSED = Decimal("0.0001"), Decimal("0.00125")
_UNIT = Decimal(1).scaleb(-PLACES)


class Verdict(StrEnum):
    """What a lender's declared annual rate is worth against the computed one."""

    OK = "ok"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Cost:
    """What an offer costs the firm.

    ``effective`` is the compound annual rate and ``simple`` its simple form, both with 20 places;
    None where ``note`` (a ``NoRate``) says why there is no rate. Amounts are fen: ``total_cost`` is
    what is paid beyond what is received, ``net_received`` what the first date brings,
    ``average_monthly_payment`` what the later dates cost per month (None for bare flows and for
    offers counted in days). ``cost_per_yuan`` is the total cost over the amount borrowed.
    """

    terms: Priceable
    effective: Decimal | None
    simple: Decimal | None
    total_cost: int
    net_received: int
    average_monthly_payment: int | None
    cost_per_yuan: Decimal | None
    convention: str
    note: str | None

    @cached_property
    def schedule(self) -> Schedule:
        """The lines and named flows behind the figures."""
        return cashflow.build(self.terms)

    @cached_property
    def breakdown(self) -> tuple[tuple[str, int], ...]:
        """The total cost split by payee, the lender first and subsidies negative; it sums to the total."""
        if isinstance(self.terms, FlowTerms):
            return ((LENDER, self.total_cost),)
        sums = {LENDER: 0}
        for flow in self.schedule.flows:
            sums[flow.payee] = sums.get(flow.payee, 0) - flow.amount
        return tuple(sums.items())


def price(terms: Priceable, *, as_of: date | None = None) -> Cost:
    """Return the cost of one offer.

    ``as_of`` is the start date of an offer that has none of its own (a bid before its drawdown), as
    the day counts ``act/360`` and ``act/365`` need. Raises ``Invalid`` where a needed date is missing.
    """
    terms = _started(terms, as_of)
    line = cashflow.timeline(terms)
    return _figures(terms, line, solve(line.times, line.amounts))


def price_many(offers: Iterable[Priceable], *, as_of: date | None = None) -> list[Cost]:
    """Return the cost of each offer, in order: the same figures as ``price``, worked out in columns."""
    listed = [_started(terms, as_of) for terms in offers]
    places = [place for place, terms in enumerate(listed) if fits_columns(terms)]
    columns: list[LoanTerms | LeaseTerms] = [listed[place] for place in places]  # type: ignore[misc]
    costs: dict[int, Cost] = {}
    for block in blocks(Book.of(columns)) if columns else ():
        force, sure = forces(block)
        for j, row in enumerate(block.places.tolist()):
            terms = columns[row]
            net = block.net[:, j].tolist()
            if block.days is None:
                line = cashflow.months_timeline(net, block.months)
            else:
                within = cashflow.is_within_year(terms)
                line = cashflow.days_timeline(block.days[:, j].tolist(), net, within)
            root = refined(line.times, line.amounts, float(force[j])) if sure[j] else None
            costs[places[row]] = _figures(terms, line, root or solve(line.times, line.amounts))
    return [costs[place] if place in costs else price(terms) for place, terms in enumerate(listed)]


def price_flows(flows: Sequence[tuple[date | Fraction, Decimal]], period: Period | None = None) -> Cost:
    """Return the cost of bare flows in yuan, signed from the firm's side."""
    return price(FlowTerms(tuple(flows), period))


def check_declared(declared: Decimal, computed: Decimal) -> Verdict:
    """Compare a declared annual rate with the computed one; a declared rate never ranks by itself."""
    difference = abs(declared - computed)
    if difference > REFUSED:
        return Verdict.REFUSE
    return Verdict.FLAG if difference > FLAGGED else Verdict.OK


def convention(terms: Priceable) -> str:
    """Return how an offer's interest is counted and its cost annualised, as stored with the figures."""
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        dated = terms.due or terms.day_count is not DayCount.THIRTY_360
        return f"{terms.day_count.value}; {'days/365' if dated else 'months/12'}"
    if isinstance(terms, (BillTerms, FactoringTerms)):
        return f"act/{terms.basis}; days/365"
    if isinstance(terms, BridgeTerms):
        return "per day; days/365"
    if isinstance(terms, CoverTerms):
        return "cover alone; months/12"
    return {None: "days/365", Period.MONTH: "months/12", Period.YEAR: "years"}[terms.period]


def _started(terms: Priceable, as_of: date | None) -> Priceable:
    if as_of is not None and isinstance(terms, (LoanTerms, LeaseTerms)) and terms.start is None:
        return replace(terms, start=as_of)
    return terms


def _figures(terms: Priceable, line: Timeline, root: Root) -> Cost:
    if root.force is not None and root.force * line.per_year > MOST_FORCE:
        root = Root(None, NoRate.BEYOND)
    total = round_half_up(-sum(line.amounts) / line.per_fen)
    net = round_half_up(line.amounts[0] / line.per_fen) if line.amounts else 0
    months = cashflow.term_months(terms) if isinstance(terms, (LoanTerms, LeaseTerms)) else None
    borrowed = _borrowed(terms, net)
    return Cost(
        terms,
        _kept(root.rate(line.per_year)),
        _kept(_simple(line, root)),
        total,
        net,
        None if months is None else mean(total + net, months),
        Decimal(total) / borrowed if borrowed > 0 else None,
        convention(terms),
        root.note.value if root.note else None,
    )


def _borrowed(terms: Priceable, net: int) -> int:
    """Return the amount that the cost per yuan is taken of."""
    if isinstance(terms, FlowTerms):
        return net
    if isinstance(terms, (BillTerms, FactoringTerms)):
        return terms.face if isinstance(terms, BillTerms) else part(terms.face, terms.advance)
    return terms.amount if isinstance(terms, CoverTerms) else terms.principal


def _simple(line: Timeline, root: Root) -> Decimal | None:
    """Return 12 monthly-equivalent rates; for one repayment within a year, its interest pro rata."""
    if root.force is None:
        return None
    moved = [(time, amount) for time, amount in zip(line.times, line.amounts, strict=True) if amount]
    if len(moved) == 2 and line.within_year:
        (start, first), (end, last) = moved
        growth = Fraction(abs(last), abs(first)) - 1
        pro_rata = growth * Fraction(line.per_year, end - start)
        return PRECISE.divide(Decimal(pro_rata.numerator), Decimal(pro_rata.denominator))
    monthly = PRECISE.divide(PRECISE.multiply(root.force, line.per_year), 12)
    return PRECISE.multiply(PRECISE.subtract(PRECISE.exp(monthly), 1), 12)


def _kept(rate: Decimal | None) -> Decimal | None:
    if rate is None:
        return None
    rate = Context(prec=DIGITS).plus(rate)
    wide = Context(prec=max(rate.adjusted(), 0) + PLACES + 5)
    return rate.quantize(_UNIT, ROUND_HALF_EVEN, wide)
