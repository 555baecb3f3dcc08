"""Schedules: the lines and flows that an offer comes to, as values.

``market.cashflow`` makes them; everything that shows or sums money reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

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

    ``number`` counts months (payments where their dates are given, days for bills and bridge loans).
    ``fees`` include a lease's buy-out, so that interest + fees - subsidy, summed, is the total cost.
    ``deposit`` is what is paid (+) or returned (-). ``balance`` is the principal still owed afterwards. A
    draw is a negative principal.
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
