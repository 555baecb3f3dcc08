"""Settlement: how money that reaches the lender is split over a loan's schedule.

Oldest line first; within a line fees, then interest, then principal. Money beyond the lines that are
due pays later lines ahead; only when it suffices to pay everything off is interest cut to the day
(the running period pro rata by days, later periods nothing). What is left after that is the
remainder, which for a purchaser's payment goes on to the supplier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from market.money import round_half_up


@dataclass(frozen=True, slots=True)
class Due:
    """One line of a schedule with what was paid on it, all in fen."""

    due_on: date
    principal: int
    interest: int
    fees: int = 0
    paid_principal: int = 0
    paid_interest: int = 0
    paid_fees: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """Where an amount went, in fen, and the lines as they stand afterwards."""

    lines: tuple[Due, ...]
    fees: int
    interest: int
    principal: int
    remainder: int
    settled: bool


def absorb(lines: Sequence[Due], amount: int, paid_on: date, *, drawn_on: date) -> Split:
    """Split ``amount`` fen paid on a day over the lines, which stand in order of their due dates.

    ``fees + interest + principal + remainder == amount`` always; the remainder is positive only when
    everything is settled.
    """
    shortened = shorten(lines, paid_on, drawn_on=drawn_on)
    pays_off = amount >= sum(open_amount(line) for line in shortened)
    after: list[Due] = []
    left, fees, interest, principal = amount, 0, 0, 0
    for line in shortened if pays_off else lines:
        to_fees = min(left, line.fees - line.paid_fees)
        left -= to_fees
        to_interest = min(left, line.interest - line.paid_interest)
        left -= to_interest
        to_principal = min(left, line.principal - line.paid_principal)
        left -= to_principal
        after.append(
            replace(
                line,
                paid_fees=line.paid_fees + to_fees,
                paid_interest=line.paid_interest + to_interest,
                paid_principal=line.paid_principal + to_principal,
            )
        )
        fees, interest, principal = fees + to_fees, interest + to_interest, principal + to_principal
    settled = all(open_amount(line) == 0 for line in after)
    return Split(tuple(after), fees, interest, principal, left, settled)


def shorten(lines: Sequence[Due], paid_on: date, *, drawn_on: date) -> list[Due]:
    """Return the lines as they would be owed if everything were paid off on ``paid_on``.

    Interest of the running period counts by its days, half-up to the fen, never below what was
    already paid; later periods owe none.
    """
    result: list[Due] = []
    starts = drawn_on
    for line in lines:
        if line.due_on > paid_on:
            days, passed = (line.due_on - starts).days, max((paid_on - starts).days, 0)
            accrued = round_half_up(Fraction(line.interest * passed, days)) if days > 0 else 0
            line = replace(line, interest=max(accrued, line.paid_interest))
        result.append(line)
        starts = max(starts, line.due_on)
    return result


def open_amount(line: Due) -> int:
    """Return what a line still owes, in fen."""
    return (
        line.principal - line.paid_principal + line.interest - line.paid_interest + line.fees - line.paid_fees
    )
