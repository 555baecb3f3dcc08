"""Bridge loans (应急转贷): the fund's money goes to the maturing loan and comes back with its renewal.

A bridge is a capped share of the renewal that the bank promised, runs a few working days, and is paid to no
other account than the maturing loan's. All amounts are fen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from market.calendar import Calendar, add_working_days
from market.errors import Code, Fault
from market.money import quantise, round_down

#: What people write between the digits of an account.
_BETWEEN = re.compile(r"[\s\-–—]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a zone allows: a share of the promised renewal, and so many working days."""

    most_share: Decimal
    most_days: int


@dataclass(frozen=True, slots=True)
class Promise:
    """A bank's commitment to renew: ``amount`` fen by a day, for the loan behind ``account``."""

    amount: int
    by: date
    account: str


def read_account(text: str) -> str:
    """Return an account number without what is written between its digits, full width as plain."""
    plain = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
    return _BETWEEN.sub("", plain).upper()


def find_faults(
    rule: Rule, promise: Promise, *, drawn: int, drawn_on: date, days: int, paid_to: str, calendar: Calendar
) -> list[Fault]:
    """Return why a bridge that comes to ``drawn`` fen in all may not be paid out on a day for ``days`` days.

    amount (too_large) above the share of the renewal; ends_too_late beyond the working days; drawn_on
    (too_large) after the promised day; payee_account (required, not_a_choice) for any other account.
    """
    faults: list[Fault] = []
    most = round_down(promise.amount * Fraction(rule.most_share))
    if drawn > most:
        faults.append(Fault(Code.TOO_LARGE, "amount", {"value": drawn, "most": most}))
    ends, latest = drawn_on + timedelta(days=days), add_working_days(drawn_on, rule.most_days, calendar)
    if ends > latest:
        values = {"value": ends.isoformat(), "most": latest.isoformat()}
        faults.append(Fault(Code.TOO_LARGE, "days", values))
    if drawn_on > promise.by:
        values = {"value": drawn_on.isoformat(), "most": promise.by.isoformat()}
        faults.append(Fault(Code.TOO_LARGE, "drawn_on", values))
    if not paid_to.strip():
        faults.append(Fault(Code.REQUIRED, "payee_account"))
    elif read_account(paid_to) != read_account(promise.account):
        choices = [promise.account]
        faults.append(Fault(Code.NOT_A_CHOICE, "payee_account", {"value": paid_to[:40], "choices": choices}))
    return faults


@dataclass(frozen=True, slots=True)
class Run:
    """One bridge that was paid out: fen, and its days; ``repaid_on`` None while it is out."""

    amount: int
    drawn_on: date
    repaid_on: date | None


@dataclass(frozen=True, slots=True)
class Turnover:
    """What a bridge fund did: bridges and fen paid out, how many came back, after how many days in the mean.

    ``times`` is what was paid out over the size of the fund (周转次数), None where the size is not known.
    """

    bridges: int
    amount: int
    returned: int
    average_days: Decimal | None
    times: Decimal | None


def measure(runs: Iterable[Run], size: int | None) -> Turnover:
    """Return the turnover of a fund of ``size`` fen; days and times with one and two decimals."""
    found: Sequence[Run] = list(runs)
    amount = sum(run.amount for run in found)
    lengths = [(run.repaid_on - run.drawn_on).days for run in found if run.repaid_on is not None]
    return Turnover(
        bridges=len(found),
        amount=amount,
        returned=len(lengths),
        average_days=quantise(Decimal(sum(lengths)) / len(lengths), 1) if lengths else None,
        times=quantise(Decimal(amount) / size, 2) if size else None,
    )
