"""The schedule of a deal as rows and interest periods that a walk through its events works on.

The figures are the cost engine's own (``market.cashflow``, ``market.amortisation``): a row's planned
principal and fees are its line's, and a period's interest per fen is the exact rate that the line's
interest was rounded from, so that an untouched deal comes to the engine's figures to the fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import lcm

from market import cashflow
from market.amortisation import Rates, Style, amortise, period_lengths
from market.calendar import add_months
from market.errors import Code, invalid
from market.grid import YEAR, Dates, Grid, dates_of, days_360, grid_of, lengths, rate_changes
from market.ledger.book import DealTerms
from market.money import common_ratios
from market.short_terms import covered_loan
from market.terms import BridgeTerms, CoverTerms, FactoringTerms, LeaseTerms, LoanTerms
from market.vocabulary import DayCount, FeeTiming, RentTiming, Repayment

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a period at one rate: ``factor`` is the interest per fen, ``years`` its length."""

    starts_on: date
    ends_on: date
    years: Fraction
    factor: Fraction

    def cut(self, starts_on: date, ends_on: date) -> Fraction:
        """Return the share, by actual days, of the piece that lies between two days."""
        days = (min(ends_on, self.ends_on) - max(starts_on, self.starts_on)).days
        return Fraction(max(days, 0), max((self.ends_on - self.starts_on).days, 1))


@dataclass(frozen=True, slots=True)
class Slot:
    """A planned line: ``pieces`` make the interest period that ends with it (none: a line of fees).

    Where a period ends on which nothing is planned (nothing is owed any more, or at no rate) a slot stands
    ready for what may still come.
    """

    number: int
    due_on: date
    principal: int
    fees: int
    pieces: tuple[Piece, ...]
    is_planned: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """How lengths of time are measured when a deal is laid out anew.

    ``counts`` None means whole months over twelve, else the day count; ``year`` is its days. The term ends
    ``span`` months after ``anchor`` (None: on its own date). ``rate`` is the last one per year.
    """

    style: Style
    interval: int
    counts: DayCount | None
    year: int
    anchor: date
    span: int | None
    rate: Fraction

    def at(self, rate: Fraction) -> Frame:
        """Return the frame with another rate per year."""
        return replace(self, rate=rate)

    def styled(self, style: Style) -> Frame:
        """Return the frame with another way to repay."""
        return replace(self, style=style)

    def spanning(self, anchor: date, span: int) -> Frame:
        """Return the frame for a term of ``span`` months from another day."""
        return replace(self, anchor=anchor, span=span)

    def measure(self, starts_on: date, ends_on: date, months: int) -> Fraction:
        """Return the years between two days that lie ``months`` apart."""
        if self.counts is None:
            return Fraction(months, 12)
        if self.counts is DayCount.THIRTY_360:
            return Fraction(days_360(starts_on, ends_on), 360)
        return Fraction((ends_on - starts_on).days, self.year)

    def stretch(self, first: date, months: int, *, reached: int = 0) -> list[Piece]:
        """Return the periods of ``months`` more months from ``first``, ``reached`` months after the anchor.

        They are ``interval`` months long, the last as long as is left; a single repayment has one.
        """
        step = months if self.style is Repayment.BULLET else self.interval
        knots = [*range(0, months, step), months]
        origin = first if self.span is None or not reached else self.anchor
        base = reached if origin is not first else 0
        pieces = []
        for earlier, later in pairwise(knots):
            starts_on = first if earlier == 0 else add_months(origin, base + earlier)
            ends_on = add_months(origin, base + later)
            years = self.measure(starts_on, ends_on, later - earlier)
            pieces.append(Piece(starts_on, ends_on, years, self.rate * years))
        return pieces


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole schedule: its slots in order, how it was measured, and the share of interest kept back.

    ``kept_back`` is the interest per fen that the lender keeps back when it pays out (factoring).
    """

    slots: tuple[Slot, ...]
    frame: Frame
    kept_back: Fraction = ZERO


@lru_cache(maxsize=256)
def plan(terms: DealTerms, start: date) -> Plan:
    """Return the schedule of a deal first drawn on ``start``.

    Raises ``Invalid``: on (out_of_order) where all its payment dates had passed by then.
    """
    if isinstance(terms, (BridgeTerms, FactoringTerms)):
        return _plan_days(terms, start)
    regular = covered_loan(terms) if isinstance(terms, CoverTerms) else terms
    if isinstance(regular, LoanTerms) and regular.draws:
        # The draws of an offer only say what its price was computed on: here draws are events.
        regular = replace(regular, draws=())
    if regular.due:
        kept = [place for place, day in enumerate(regular.due) if day > start]
        if not kept:
            raise invalid(Code.OUT_OF_ORDER, "on", value=regular.due[-1].isoformat(), after=start.isoformat())
        accrual = tuple(regular.accrual[place] for place in kept) if regular.accrual else ()
        regular = replace(regular, due=tuple(regular.due[place] for place in kept), accrual=accrual)
    return _plan_regular(replace(regular, start=start))


def spread(style: Style, balance: int, periods: Sequence[Piece]) -> list[int]:
    """Return the principal due at the end of each period when ``balance`` is laid out anew over them."""
    count = len(periods)
    if style in (Repayment.BULLET, Repayment.INTEREST_MONTHLY, Repayment.REVOLVING):
        return [0] * (count - 1) + [balance]
    if style in (RentTiming.ARREARS, RentTiming.ADVANCE):
        # Between two rents it makes no difference whether they are in advance: the next one comes next.
        style = Repayment.EQUAL_INSTALLMENT
    unit = lcm(*(period.years.denominator for period in periods))
    rates = [period.factor / period.years if period.years else ZERO for period in periods]
    whole = lcm(*(rate.denominator for rate in rates))
    numerators = [rate.numerator * (whole // rate.denominator) for rate in rates]
    steps = tuple(place + 2 for place, (now, then) in enumerate(pairwise(numerators)) if now != then)
    weights = [period.years.numerator * (unit // period.years.denominator) for period in periods]
    grid = Grid(count, tuple(range(count + 1)), steps, None, count, 1, False)
    return list(
        amortise(style, balance, grid, Rates([0, *numerators], whole * unit, steps), [0, *weights]).principal[
            1:
        ]
    )


def share_by(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide ``amount`` by weights; the parts sum to it exactly, and to the weights where these sum to it.

    Without any weight the last part is everything.
    """
    total, parts, given, passed = sum(weights), [], 0, 0
    if not total:
        return [0] * (len(weights) - 1) + [amount]
    for weight in weights:
        passed += weight
        reached = amount * passed // total
        parts.append(reached - given)
        given = reached
    return parts


def _plan_regular(terms: LoanTerms | LeaseTerms) -> Plan:
    grid, dates = grid_of(terms), dates_of(terms)
    assert dates is not None and terms.start is not None, "a drawn deal has its days"
    paid = dates.paid
    lines = {line.due: line for line in cashflow.build(terms).lines}
    periods, style = _periods(terms, grid, dates), cashflow.style_of(terms)
    ends = {piece.ends_on: (piece,) for piece in periods}
    joined = {paid[-1]: _join(periods)} if style is Repayment.BULLET else {}
    slots = []
    for point, day in enumerate(paid):
        line, pieces = lines.get(day), (joined or ends).get(day, ())
        is_planned = line is not None and bool(line.principal or line.interest or line.fees)
        if pieces or is_planned:
            principal, fees = (line.principal, line.fees) if line is not None else (0, 0)
            slots.append(Slot(point, day, principal, fees, pieces, is_planned))
    counts: DayCount | None = terms.day_count
    if not grid.dated:
        counts = None
    year = 360 if terms.day_count is DayCount.THIRTY_360 else YEAR[terms.day_count]
    later = rate_changes(terms, grid)
    span = None if terms.due else cashflow.term_months(terms)
    rate = Fraction(later[-1][1] if later else terms.rate)
    return Plan(tuple(slots), Frame(style, int(terms.interval), counts, year, terms.start, span, rate))


def _periods(terms: LoanTerms | LeaseTerms, grid: Grid, dates: Dates) -> list[Piece]:
    """Return the interest periods between the payments, and the one before the first rent."""
    lease = terms if isinstance(terms, LeaseTerms) else None
    prelease = lease.prelease_rate if lease and lease.prelease_rate is not None else terms.rate
    later = [rate for _, rate in rate_changes(terms, grid)]
    numbers, denominator = common_ratios((terms.rate, prelease, *later))
    rates = cashflow.rate_by_period(grid, numbers[0], numbers[2:])
    stretches = lengths(dates, terms.day_count) if grid.dated else None
    weights, paid, knots = period_lengths(grid, stretches), dates.paid, grid.knots
    pieces = []
    if knots[0]:
        first = knots[0] if stretches is None else sum(stretches[1 : knots[0] + 1])
        factor = Fraction(numbers[1] * first, denominator * grid.year)
        pieces.append(Piece(paid[0], paid[knots[0]], Fraction(first, grid.year), factor))
    for j in range(1, len(knots)):
        factor = Fraction(rates[j] * weights[j], denominator * grid.year)
        years = Fraction(weights[j], grid.year)
        pieces.append(Piece(paid[knots[j - 1]], paid[knots[j]], years, factor))
    return pieces


def _join(periods: Sequence[Piece]) -> tuple[Piece, ...]:
    """Join periods into one: neighbours at one rate become one piece."""
    joined: list[Piece] = []
    for piece in periods:
        before = joined[-1] if joined else None
        if before is not None and before.factor * piece.years == piece.factor * before.years:
            years, factor = before.years + piece.years, before.factor + piece.factor
            joined[-1] = Piece(before.starts_on, piece.ends_on, years, factor)
        else:
            joined.append(piece)
    return tuple(joined)


def _plan_days(terms: BridgeTerms | FactoringTerms, start: date) -> Plan:
    end, kept_back = start + timedelta(days=terms.days), ZERO
    if isinstance(terms, BridgeTerms):
        year, rates = 360, [(1, terms.daily_rate), *terms.steps]
        # A step beyond the term never comes.
        begins = [min(day, terms.days + 1) for day, _ in rates] + [terms.days + 1]
        pieces = tuple(
            Piece(
                start + timedelta(days=begin - 1),
                start + timedelta(days=until - 1),
                Fraction(until - begin, year),
                Fraction(daily) * (until - begin),
            )
            for (_, daily), (begin, until) in zip(rates, pairwise(begins), strict=True)
            if until > begin
        )
        rate = pieces[-1].factor / pieces[-1].years
    else:
        year, rate = terms.basis, Fraction(terms.rate)
        factor = rate * Fraction(terms.days, year)
        if terms.interest_when is FeeTiming.UPFRONT:
            factor, kept_back = ZERO, factor
        pieces = (Piece(start, end, Fraction(terms.days, year), factor),)
    slots = [
        Slot(
            line.number,
            start + timedelta(days=line.number),
            line.principal,
            line.fees,
            pieces if line.number else (),
        )
        for line in cashflow.build(terms).lines
    ]
    frame = Frame(Repayment.BULLET, 1, DayCount.ACT_360, year, start, None, rate)
    return Plan(tuple(slots), frame, kept_back)
