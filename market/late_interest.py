"""The late-interest counter against a purchaser (逾期利息), day by day on what is open after its due day.

Interest counts the days after the due day up to the day of payment. An agreed rate is a rate per year, by the
day 1/360 of it; without one the law's rate is per day. Every segment (one open amount over some days) is
rounded half-up to the fen once, and the total is the sum of what is shown, so that a reader can add it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from market.money import round_half_up
from market.purchaser_payments import Part

YEAR_DAYS = 360


@dataclass(frozen=True, slots=True)
class LateRate:
    """What a day's delay costs: a rate per year as agreed, or the law's share of the amount per day."""

    rate: Decimal
    is_agreed: bool

    @property
    def daily(self) -> Fraction:
        """Return the share of the open amount that one day costs, exactly."""
        return Fraction(self.rate) / (YEAR_DAYS if self.is_agreed else 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """Some days over which one amount stood open: after ``from_on`` up to and including ``to_on``."""

    due_on: date
    from_on: date
    to_on: date
    amount: int
    interest: int

    @property
    def days(self) -> int:
        """Return how many days it counts."""
        return (self.to_on - self.from_on).days


@dataclass(frozen=True, slots=True)
class LateInterest:
    """What a purchaser owes for paying late, in fen; ``open`` is what is late and still unpaid."""

    rate: LateRate | None
    segments: tuple[Segment, ...]
    open: int

    @property
    def total(self) -> int:
        """Return the sum of the segments, in fen."""
        return sum(segment.interest for segment in self.segments)


def count_late_interest(parts: Sequence[Part], rate: LateRate | None, on: date) -> LateInterest:
    """Return the late interest up to and including ``on``; without a rate a delay is shown and costs nothing.

    Payments made in time make no segment; parts without a due day are never late.
    """
    segments = []
    open_now = 0
    for part in parts:
        if part.due_on is None or part.due_on >= on:
            continue
        late = sorted(
            (cover for cover in part.covers if cover.paid_on > part.due_on), key=lambda c: c.paid_on
        )
        amount = part.open + sum(cover.amount for cover in late)
        open_now += part.open
        since = part.due_on
        for until, paid in (*((cover.paid_on, cover.amount) for cover in late), (on, 0)):
            until = min(until, on)
            if amount and until > since:
                segments.append(_measure(part.due_on, since, until, amount, rate))
            amount -= paid
            since = max(since, until)
    return LateInterest(rate, tuple(sorted(segments, key=lambda s: (s.due_on, s.from_on))), open_now)


def _measure(due_on: date, since: date, until: date, amount: int, rate: LateRate | None) -> Segment:
    days = (until - since).days
    interest = round_half_up(amount * days * rate.daily) if rate is not None else 0
    return Segment(due_on, since, until, amount, interest)
