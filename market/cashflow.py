"""Terms into cash flows: what the firm receives and pays, when, to whom, exact to the fen.

``timeline`` gives the bare sums that the annual cost is computed from; ``build`` the full schedule with
its lines and named flows. Both read one plan, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import lcm

from market import charges
from market.amortisation import YEAR, Amortisation, Style, amortise, revolve
from market.calendar import add_months
from market.errors import Code, invalid
from market.money import mean, ratio, share
from market.terms import BillTerms, BridgeTerms, Fee, FlowTerms, LeaseTerms, LoanTerms, Priceable, Subsidy
from market.vocabulary import DayCount, FeeTiming, Recipient

LENDER = "lender"
#: The name under which public money stands in a split by payee, as a negative amount.
SUBSIDY = "subsidy"


class Part(StrEnum):
    """What a flow is."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    FEE = "fee"
    SUBSIDY = "subsidy"
    DEPOSIT = "deposit"
    BUYOUT = "buyout"
    BARE = "bare"


class Unit(StrEnum):
    """What the time of a schedule's flows counts."""

    MONTH = "month"
    YEAR = "year"
    DAY = "day"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Line:
    """What is due at one time, in fen; a line exists only where something is due.

    ``number`` counts months (days for bills and bridge loans). ``fees`` include a lease's buy-out,
    so that interest + fees - subsidy, summed, is the total cost. ``deposit`` is what is paid (+) or
    returned (-). ``balance`` is the principal still owed afterwards. A draw is a negative principal.
    """

    number: int
    due: date | None
    principal: int
    interest: int
    fees: int
    subsidy: int
    balance: int
    deposit: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """One sum of money: fen, signed from the firm's side (+ received), with who is on the other side.

    ``month`` is a month number, a day or period number where the schedule's unit says so, or a date.
    """

    month: int | Fraction | date
    amount: int
    payee: str
    part: Part
    name: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """All lines and flows of one offer, in order of time."""

    unit: Unit
    lines: tuple[Line, ...]
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Net flows at ascending whole times, zeros kept.

    ``per_year`` units make a year; ``per_fen`` units of amount make a fen. ``within_year`` says whether
    the last time is at most a year after the first.
    """

    times: tuple[int, ...]
    amounts: tuple[int, ...]
    per_year: int
    per_fen: Fraction
    within_year: bool
    unit: Unit


@dataclass(frozen=True, slots=True)
class _Plan:
    """A loan or lease worked out: what is due in each month 0 … n."""

    received: int
    amortisation: Amortisation
    charged: tuple[tuple[Fee | Subsidy, list[tuple[int, int]]], ...]
    deposit: int
    buyout: int
    due: tuple[date, ...] | None
    dated: bool


def due_dates(start: date, months: int) -> tuple[date, ...]:
    """Return start and the dates k months after it, clipped to the month's end."""
    try:
        return tuple(add_months(start, k) for k in range(months + 1))
    except OverflowError:
        raise invalid(Code.NOT_A_DATE, "start", value=start.isoformat()) from None


def period_rate(rate: Decimal, day_count: DayCount) -> tuple[int, int]:
    """Return the rate per month (30/360) or per day as an exact fraction."""
    numerator, denominator = ratio(rate)
    return numerator, denominator * YEAR[day_count]


def build(terms: Priceable) -> Schedule:
    """Return the schedule of an offer."""
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        return _schedule(terms, _plan(terms))
    if isinstance(terms, BillTerms):
        return _bill(terms)
    if isinstance(terms, BridgeTerms):
        return _bridge(terms)
    unit = Unit(terms.period) if terms.period else Unit.DATE
    flows = sorted(((when, _fen(amount)) for when, amount in terms.flows), key=lambda flow: flow[0])
    return Schedule(unit, (), tuple(Flow(when, fen, LENDER, Part.BARE) for when, fen in flows))


def timeline(terms: Priceable) -> Timeline:
    """Return the net flows of an offer, without building its schedule."""
    if isinstance(terms, (LoanTerms, LeaseTerms)):
        return regular_timeline(terms, _net(_plan(terms)))
    if isinstance(terms, FlowTerms):
        return _flow_timeline(terms)
    sums: dict[int, int] = {}
    for flow in build(terms).flows:
        assert isinstance(flow.month, int)
        sums[flow.month] = sums.get(flow.month, 0) + flow.amount
    return Timeline(
        tuple(sorted(sums)),
        tuple(sums[day] for day in sorted(sums)),
        365,
        Fraction(1),
        max(sums) <= 365,
        Unit.DAY,
    )


def regular_timeline(terms: LoanTerms | LeaseTerms, net: Sequence[int]) -> Timeline:
    """Put the net flows of months 0 … n on the time scale of a loan or lease."""
    within = terms.months <= 12
    if terms.day_count is DayCount.THIRTY_360:
        return Timeline(tuple(range(terms.months + 1)), tuple(net), 12, Fraction(1), within, Unit.MONTH)
    if terms.start is None:
        raise invalid(Code.REQUIRED, "start")
    due = due_dates(terms.start, terms.months)
    days = tuple((day - due[0]).days for day in due)
    return Timeline(days, tuple(net), 365, Fraction(1), within, Unit.DATE)


def _plan(terms: LoanTerms | LeaseTerms) -> _Plan:
    due = due_dates(terms.start, terms.months) if terms.start else None
    dated = terms.day_count is not DayCount.THIRTY_360
    weights = None
    if dated:
        if due is None:
            raise invalid(Code.REQUIRED, "start")
        weights = [0, *((later - earlier).days for earlier, later in pairwise(due))]
    numerator, denominator = period_rate(terms.rate, terms.day_count)
    received = terms.principal
    if isinstance(terms, LoanTerms) and terms.draws:
        plan = revolve(terms.draws, terms.months, numerator, denominator, weights)
        received = plan.before[0]
    else:
        style: Style = terms.repayment if isinstance(terms, LoanTerms) else terms.rent
        plan = amortise(style, terms.principal, terms.months, numerator, denominator, weights)
    lease = terms if isinstance(terms, LeaseTerms) else None
    return _Plan(
        received,
        plan,
        tuple(
            (item, charges.amounts(item, terms.months, terms.principal, plan.before))
            for item in counted(terms)
        ),
        charges.part(terms.principal, lease.deposit) if lease else 0,
        lease.buyout if lease else 0,
        due,
        dated,
    )


def charged(terms: LoanTerms | LeaseTerms) -> tuple[tuple[Fee | Subsidy, list[tuple[int, int]]], ...]:
    """Return each fee and each subsidy of the firm with its occurrences as (month, fen)."""
    return _plan(terms).charged


def counted(terms: LoanTerms | LeaseTerms) -> Iterable[Fee | Subsidy]:
    """Return the fees, and the subsidies that the firm itself receives."""
    yield from terms.fees
    yield from (subsidy for subsidy in terms.subsidies if subsidy.recipient is Recipient.FIRM)


def _net(plan: _Plan) -> list[int]:
    """Return the net flow of each month 0 … n."""
    parts = plan.amortisation
    net = [-principal - interest for principal, interest in zip(parts.principal, parts.interest, strict=True)]
    net[0] += plan.received - plan.deposit
    net[-1] += plan.deposit - plan.buyout
    for item, amounts in plan.charged:
        sign = 1 if isinstance(item, Subsidy) else -1
        for month, amount in amounts:
            net[month] += sign * amount
    return net


def _schedule(terms: LoanTerms | LeaseTerms, plan: _Plan) -> Schedule:
    parts, last = plan.amortisation, terms.months
    due = plan.due
    fees, subsidies, deposits = [0] * (last + 1), [0] * (last + 1), [0] * (last + 1)
    named: list[list[tuple[int, str, Part, str]]] = [[] for _ in range(last + 1)]
    named[0].append((plan.received, LENDER, Part.PRINCIPAL, ""))
    for month in range(last + 1):
        named[month].append((-parts.interest[month], LENDER, Part.INTEREST, ""))
        named[month].append((-parts.principal[month], LENDER, Part.PRINCIPAL, ""))
    for item, amounts in plan.charged:
        for month, amount in amounts:
            if isinstance(item, Fee):
                fees[month] += amount
                named[month].append((-amount, item.payee, Part.FEE, item.name))
            else:
                subsidies[month] += amount
                named[month].append((amount, SUBSIDY, Part.SUBSIDY, item.name))
    deposits[0] += plan.deposit
    deposits[last] -= plan.deposit
    named[0].append((-plan.deposit, LENDER, Part.DEPOSIT, ""))
    named[last].append((plan.deposit, LENDER, Part.DEPOSIT, ""))
    fees[last] += plan.buyout
    named[last].append((-plan.buyout, LENDER, Part.BUYOUT, ""))
    lines = []
    balance = plan.received
    for month in range(last + 1):
        balance -= parts.principal[month]
        sums = (parts.principal[month], parts.interest[month], fees[month], subsidies[month])
        if any(sums) or deposits[month]:
            lines.append(Line(month, due[month] if due else None, *sums, balance, deposits[month]))
    flows = tuple(
        Flow(due[month] if due and plan.dated else month, amount, payee, part, name)
        for month in range(last + 1)
        for amount, payee, part, name in named[month]
        if amount
    )
    return Schedule(Unit.DATE if plan.dated else Unit.MONTH, tuple(lines), flows)


def _bill(terms: BillTerms) -> Schedule:
    numerator, denominator = ratio(terms.rate)
    discount = int(share(terms.face, numerator * terms.days, denominator * terms.basis))
    numerator, denominator = ratio(terms.fee_rate)
    fee = int(share(terms.face, numerator * terms.days, denominator * terms.basis))
    flows = (
        Flow(0, terms.face, LENDER, Part.PRINCIPAL),
        Flow(0, -discount, LENDER, Part.INTEREST),
        Flow(0, -fee, LENDER, Part.FEE),
        Flow(terms.days, -terms.face, LENDER, Part.PRINCIPAL),
    )
    lines = (
        Line(0, None, 0, discount, fee, 0, terms.face),
        Line(terms.days, None, terms.face, 0, 0, 0, 0),
    )
    return Schedule(Unit.DAY, lines, tuple(flow for flow in flows if flow.amount))


def _bridge(terms: BridgeTerms) -> Schedule:
    numerator, denominator = ratio(terms.daily_rate)
    interest = int(share(terms.principal, numerator * terms.days, denominator))
    early: list[Flow] = []
    late: list[Flow] = []
    for fee in terms.fees:
        # A bridge loan lasts days: whatever is not due at its end is due at its start.
        at_end = fee.when in (FeeTiming.END, FeeTiming.MONTHLY)
        amount = charges.part(terms.principal, fee.rate) if fee.rate is not None else fee.amount or 0
        (late if at_end else early).append(
            Flow(terms.days if at_end else 0, -amount, fee.payee, Part.FEE, fee.name)
        )
    flows = (
        Flow(0, terms.principal, LENDER, Part.PRINCIPAL),
        *early,
        Flow(terms.days, -interest, LENDER, Part.INTEREST),
        Flow(terms.days, -terms.principal, LENDER, Part.PRINCIPAL),
        *late,
    )
    first = -sum(flow.amount for flow in early)
    lines = [Line(0, None, 0, 0, first, 0, terms.principal)] if first else []
    lines.append(Line(terms.days, None, terms.principal, interest, -sum(f.amount for f in late), 0, 0))
    return Schedule(Unit.DAY, tuple(lines), tuple(flow for flow in flows if flow.amount))


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
