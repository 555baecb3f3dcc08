"""Terms into cash flows: what the firm receives and pays, when, to whom, exact to the fen.

``timeline`` gives the bare sums that the annual cost is computed from; ``build`` the full schedule with
its lines and named flows. Both read one plan, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from typing import Any

from market import charges, short_terms
from market.amortisation import Amortisation, Rates, Style, amortise, revolve
from market.calendar import add_months
from market.grid import Dates, Grid, dates_of, grid_of, lengths, rate_changes
from market.money import common_ratios, mean, share
from market.schedule import SUBSIDY, Flow, Line, Part, Schedule, Timeline, Unit
from market.terms import (
    LENDER,
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Priceable,
    Subsidy,
)

Regular = LoanTerms | LeaseTerms


@dataclass(frozen=True, slots=True)
class _Plan:
    """A loan or lease worked out: what is due at each point of its grid.

    ``charged`` holds each fee and subsidy with its occurrences as (point, fen).
    """

    terms: Regular
    grid: Grid
    dates: Dates | None
    received: int
    amortisation: Amortisation
    charged: tuple[tuple[Fee | Subsidy, list[tuple[int, int]]], ...]
    deposit: int
    buyout: int


def build(terms: Priceable) -> Schedule:
    """Return the schedule of an offer."""
    if isinstance(terms, CoverTerms):
        return _schedule(_plan(short_terms.covered_loan(terms)))
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        return _schedule(_plan(terms))
    if isinstance(terms, (BillTerms, FactoringTerms, BridgeTerms)):
        return short_terms.build(terms)
    unit = Unit(terms.period) if terms.period else Unit.DATE
    flows = sorted(((when, _fen(amount)) for when, amount in terms.flows), key=lambda flow: flow[0])
    return Schedule(unit, (), tuple(Flow(when, fen, LENDER, Part.BARE) for when, fen in flows))


def timeline(terms: Priceable) -> Timeline:
    """Return the net flows of an offer, without building its schedule."""
    if isinstance(terms, CoverTerms):
        terms = short_terms.covered_loan(terms)
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        return _regular_timeline(_plan(terms))
    if isinstance(terms, FlowTerms):
        return _flow_timeline(terms)
    sums: dict[int, int] = {}
    for flow in short_terms.build(terms).flows:
        assert isinstance(flow.month, int)
        sums[flow.month] = sums.get(flow.month, 0) + flow.amount
    return Timeline(
        tuple(sorted(sums)),
        tuple(sums[day] for day in sorted(sums)),
        365,
        Fraction(1),
        max(sums, default=0) <= 365,
        Unit.DAY,
    )


def months_timeline(net: Sequence[int], months: int) -> Timeline:
    """Put the net flows of months 0, 1, 2 … on their time scale; the term is ``months``."""
    return Timeline(tuple(range(len(net))), tuple(net), 12, Fraction(1), months <= 12, Unit.MONTH)


def days_timeline(days: Sequence[int], net: Sequence[int], within_year: bool) -> Timeline:
    """Put net flows at days since the start on their time scale."""
    return Timeline(tuple(days), tuple(net), 365, Fraction(1), within_year, Unit.DATE)


def is_within_year(terms: Regular) -> bool:
    """Say whether an offer's term ends at most a year after its start."""
    if terms.due and terms.start is not None:
        return _within_a_year(terms.start.toordinal(), terms.due[-1].toordinal())
    return term_months(terms) <= 12


def term_months(terms: Regular) -> int:
    """Return the months from the paying out to the end."""
    return terms.months + (terms.prelease_months if isinstance(terms, LeaseTerms) else 0)


def style_of(terms: Regular) -> Style:
    """Return how an offer is repaid."""
    return terms.repayment if isinstance(terms, LoanTerms) else terms.rent


def charged(terms: Regular) -> tuple[tuple[Fee | Subsidy, list[tuple[int, int]]], ...]:
    """Return each fee, and each subsidy that reaches the firm, with its occurrences as (point, fen)."""
    return _plan(terms).charged


def counted(terms: Regular) -> Iterable[Fee | Subsidy]:
    """Return the fees, and the subsidies that the firm receives."""
    yield from terms.fees
    yield from (subsidy for subsidy in terms.subsidies if charges.reaches_firm(subsidy))


def _plan(terms: Regular) -> _Plan:
    grid, dates = grid_of(terms), dates_of(terms)
    lease = terms if isinstance(terms, LeaseTerms) else None
    prelease = lease.prelease_rate if lease and lease.prelease_rate is not None else terms.rate
    later = [rate for _, rate in rate_changes(terms, grid)] if grid.steps else ()
    # Most offers have one rate; its own small fraction keeps the numbers short.
    numbers, denominator = common_ratios((terms.rate, prelease, *later))
    denominator *= grid.year
    rates = Rates(rate_by_period(grid, numbers[0], numbers[2:]), denominator, grid.steps)
    stretches = lengths(dates, terms.day_count) if grid.dated and dates else None
    if isinstance(terms, LoanTerms) and terms.draws:
        plan = revolve(terms.draws, grid, rates, stretches)
    else:
        plan = amortise(style_of(terms), terms.principal, grid, rates, stretches)
    if lease and lease.prelease_months:
        origin = lease.prelease_months
        length = origin if stretches is None else sum(stretches[1 : origin + 1])
        plan.interest[origin] += int(share(terms.principal, numbers[1] * length, denominator))
    return _Plan(
        terms,
        grid,
        dates,
        plan.before[0],
        plan,
        tuple(
            (item, charges.amounts(item, grid, style_of(terms), terms.principal, plan))
            for item in counted(terms)
        ),
        charges.part(terms.principal, terms.deposit) if terms.deposit else 0,
        lease.buyout if lease else 0,
    )


def rate_by_period(grid: Grid, first: Any, later: Sequence[Any]) -> list[Any]:
    """Return the rate of each payment period (index 0 is not read): the first, then those stepped to."""
    if not later:
        return [first] * (grid.periods + 1)
    begins = [0, *grid.steps, grid.periods + 1]
    spans = zip((first, *later), pairwise(begins), strict=True)
    return [rate for rate, (begin, end) in spans for _ in range(begin, end)]


def _net(plan: _Plan) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return the net flow at each point, and what is paid late as (point, months late, fen)."""
    parts = plan.amortisation
    net = [-principal - interest for principal, interest in zip(parts.principal, parts.interest, strict=True)]
    net[0] += plan.received - plan.deposit
    net[-1] += plan.deposit - plan.buyout
    late: list[tuple[int, int, int]] = []
    for item, amounts in plan.charged:
        if isinstance(item, Fee):
            for point, amount in amounts:
                net[point] -= amount
        elif item.lag_months:
            late += [(point, item.lag_months, amount) for point, amount in amounts]
        else:
            for point, amount in amounts:
                net[point] += amount
    return net, late


def _regular_timeline(plan: _Plan) -> Timeline:
    net, late = _net(plan)
    if not plan.grid.dated:
        net += [0] * max((point + lag - plan.grid.last for point, lag, _ in late), default=0)
        for point, lag, amount in late:
            net[point + lag] += amount
        return months_timeline(net, term_months(plan.terms))
    assert plan.dates is not None, "a dated grid has its days"
    paid, start = plan.dates.paid, plan.dates.paid[0]
    days = [(day - start).days for day in paid]
    if late:
        sums = dict(zip(days, net, strict=True))
        for point, lag, amount in late:
            day = (add_months(paid[point], lag) - start).days
            sums[day] = sums.get(day, 0) + amount
        days = sorted(sums)
        net = [sums[day] for day in days]
    return days_timeline(days, net, is_within_year(plan.terms))


def _schedule(plan: _Plan) -> Schedule:
    """Name every flow of a plan, and sum them up line by line."""
    parts, last, buyout = plan.amortisation, plan.grid.last, plan.buyout
    holder = plan.terms.deposit_holder
    times = [_time(plan, point, 0) for point in range(last + 1)]
    numbers = dict(zip(times, range(last + 1), strict=True))
    named: dict[int | date, list[tuple[int, str, Part, str]]] = {
        time: [
            (-parts.interest[point], LENDER, Part.INTEREST, ""),
            (-parts.principal[point], LENDER, Part.PRINCIPAL, ""),
        ]
        for point, time in enumerate(times)
    }
    named[times[0]].insert(0, (plan.received, LENDER, Part.PRINCIPAL, ""))
    for item, amounts in plan.charged:
        lag = 0 if isinstance(item, Fee) else item.lag_months
        for point, amount in amounts:
            time = _time(plan, point, lag)
            numbers.setdefault(time, point + lag)
            if isinstance(item, Fee):
                named[time].append((-amount, item.payee, Part.FEE, item.name))
            else:
                named.setdefault(time, []).append((amount, SUBSIDY, Part.SUBSIDY, item.name))
    named[times[0]].append((-plan.deposit, holder, Part.DEPOSIT, ""))
    named[times[last]] += [(plan.deposit, holder, Part.DEPOSIT, ""), (-buyout, LENDER, Part.BUYOUT, "")]
    left = accumulate(parts.principal, lambda owed, repaid: owed - repaid, initial=plan.received)
    balances = dict(zip(times, list(left)[1:], strict=True))
    repaid = dict(zip(times, parts.principal, strict=True))
    lines: list[Line] = []
    flows: list[Flow] = []
    balance = plan.received
    for time in sorted(named):
        own = [flow for flow in named[time] if flow[0]]
        balance = balances.get(time, balance)
        sums = dict.fromkeys(Part, 0)
        for amount, _, part, _ in own:
            sums[part] += amount
        principal = repaid.get(time, 0)
        cost = (-sums[Part.INTEREST], -sums[Part.FEE] - sums[Part.BUYOUT], sums[Part.SUBSIDY])
        if principal or any(cost) or sums[Part.DEPOSIT]:
            day = _day(plan, time, numbers[time])
            lines.append(Line(numbers[time], day, principal, *cost, balance, -sums[Part.DEPOSIT]))
        flows += [Flow(time, *flow) for flow in own]
    return Schedule(Unit.DATE if plan.grid.dated else Unit.MONTH, tuple(lines), tuple(flows))


def _time(plan: _Plan, point: int, lag: int) -> int | date:
    """Return when something falls due: a month where months count, else a day."""
    if not plan.grid.dated:
        return point + lag
    assert plan.dates is not None, "a dated grid has its days"
    return add_months(plan.dates.paid[point], lag) if lag else plan.dates.paid[point]


def _day(plan: _Plan, time: int | date, number: int) -> date | None:
    """Return the day that a line is due: months have one where a start is named."""
    if isinstance(time, date) or plan.dates is None:
        return time if isinstance(time, date) else None
    paid = plan.dates.paid
    return paid[number] if number < len(paid) else add_months(paid[0], number)


def _flow_timeline(terms: FlowTerms) -> Timeline:
    """Count bare flows in whole units: days between dates, or the finest fraction of the periods."""
    scale = lcm(1, *(amount.as_integer_ratio()[1] for _, amount in terms.flows))
    finest = lcm(1, *(when.denominator for when, _ in terms.flows if isinstance(when, Fraction)))
    sums: dict[int, int] = {}
    for when, amount in terms.flows:
        top, bottom = amount.as_integer_ratio()
        time = when.toordinal() if isinstance(when, date) else int(when * finest)
        sums[time] = sums.get(time, 0) + top * (scale // bottom)
    times = sorted(sums)
    amounts = tuple(sums[time] for time in times)
    unit = Unit(terms.period) if terms.period else Unit.DATE
    per_year = 365 if unit is Unit.DATE else finest * (12 if unit is Unit.MONTH else 1)
    # Zeros say when the first date is, but not how long the money is out.
    moved = [time for time in times if sums[time]]
    within = True
    if moved and unit is Unit.DATE:
        within = _within_a_year(moved[0], moved[-1])
    elif moved:
        within = moved[-1] - moved[0] <= per_year
    return Timeline(tuple(times), amounts, per_year, Fraction(scale, 100), within, unit)


def _within_a_year(first: int, last: int) -> bool:
    """Say whether a day lies at most a year after another: 366 days are a year across a 29 February."""
    if last - first != 366:
        return last - first < 366
    return date.fromordinal(last) == add_months(date.fromordinal(first), 12)


def _fen(yuan: Decimal) -> int:
    top, bottom = yuan.as_integer_ratio()
    return int(mean(top * 100, bottom))
