"""The risk-sharing list (风险分担比例): who bears which share of a loss; the shares make exactly 100 %.

Public notices write 20/20/40/20 (national fund, re-guarantor, guarantor, bank), 30/30/40, 35/35/30 or
80/20 (insurer, bank). In principle a bank keeps at least 20 %, and the national fund bears 20 %, in
special plans up to 40 %: lists beyond are allowed and noted, lists that are not whole are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from market.errors import Code, Fault, Invalid, invalid
from market.money import RATE_PLACES, quantise, round_down

#: Nobody agrees on less than a hundredth of a percent, which is a share of four places.
SHARE_PLACES = 4
LEAST_SHARE = Decimal(1).scaleb(-SHARE_PLACES)
#: What a bank keeps in principle, and the most that the national fund bears in its special plans.
BANK_LEAST, NATIONAL_FUND_MOST = Decimal("0.2"), Decimal("0.4")


class Role(StrEnum):
    """As what a party bears its share (分险主体)."""

    BANK = "bank"
    LENDER = "lender"  # a lender that is no bank: a lessor, a fund
    GUARANTOR = "guarantor"
    RE_GUARANTOR = "re_guarantor"
    NATIONAL_FUND = "national_fund"
    INSURER = "insurer"
    GOVERNMENT_POOL = "government_pool"
    FUND = "fund"


class Concern(StrEnum):
    """What is unusual about a list without making it wrong."""

    BANK_BELOW_PRINCIPLE = "bank_below_principle"  # {share, least}
    NATIONAL_FUND_ABOVE_PLANS = "national_fund_above_plans"  # {share, most}


@dataclass(frozen=True, slots=True)
class Sharer:
    """A party and the share of a loss it bears: ``Decimal("0.2")`` is 20 %."""

    name: str
    role: Role
    share: Decimal


@dataclass(frozen=True, slots=True)
class Note:
    """A concern with the values that explain it."""

    concern: Concern
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RiskSharing:
    """A whole list, in the order in which it was agreed; raises ``Invalid`` unless ``check`` is content."""

    sharers: tuple[Sharer, ...]

    def __post_init__(self) -> None:
        """Refuse a list that is not whole."""
        faults = check(self.sharers)
        if faults:
            raise Invalid(*faults)

    def __iter__(self) -> Iterator[Sharer]:
        """Go through the parties in order."""
        return iter(self.sharers)

    def share_of(self, *roles: Role) -> Decimal:
        """Return the share that all parties of these roles bear together."""
        return sum((sharer.share for sharer in self.sharers if sharer.role in roles), Decimal(0))

    def divide(self, amount: int) -> tuple[tuple[Sharer, int], ...]:
        """Divide ``amount`` fen by the shares; the parts sum to it exactly.

        Everybody bears the whole fen of their share; the fen that are left go one each to the largest
        remainders, of equal ones to whoever stands earlier in the list. Raises ``Invalid`` (too_small)
        for a negative amount.
        """
        if amount < 0:
            raise invalid(Code.TOO_SMALL, "amount", value=amount, least=0)
        exact = [amount * Fraction(sharer.share) for sharer in self.sharers]
        parts = [round_down(part) for part in exact]
        # The sort is stable: equal remainders keep the order of the list.
        places = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
        for place in places[: amount - sum(parts)]:
            parts[place] += 1
        return tuple(zip(self.sharers, parts, strict=True))

    def notes(self) -> tuple[Note, ...]:
        """Return what is unusual about the list; a list without a lender leaves the lender nothing."""
        found = []
        lender = self.share_of(Role.BANK, Role.LENDER)
        if lender < BANK_LEAST:
            found.append(Note(Concern.BANK_BELOW_PRINCIPLE, {"share": lender, "least": BANK_LEAST}))
        fund = self.share_of(Role.NATIONAL_FUND)
        if fund > NATIONAL_FUND_MOST:
            found.append(Note(Concern.NATIONAL_FUND_ABOVE_PLANS, {"share": fund, "most": NATIONAL_FUND_MOST}))
        return tuple(found)


def check(sharers: Sequence[Sharer], field: str = "risk_sharing") -> list[Fault]:
    """Return what is wrong with a list, each fault with its path; an empty answer means that it is whole.

    Refused are: no party at all (required), a party without a name (required) or named twice (repeated),
    a share that is no number (not_finite), zero, negative or under 0.01 % (too_small), above 1 (too_large)
    or finer than eight places (too_many_decimals), and a sum that is not exactly 1 (shares_not_whole).
    """
    if not sharers:
        return [Fault(Code.REQUIRED, field)]
    faults: list[Fault] = []
    seen: set[str] = set()
    for place, sharer in enumerate(sharers):
        path = f"{field}[{place}]"
        if not sharer.name.strip():
            faults.append(Fault(Code.REQUIRED, f"{path}.party"))
        elif sharer.name in seen:
            faults.append(Fault(Code.REPEATED, f"{path}.party", {"value": sharer.name}))
        seen.add(sharer.name)
        faults.extend(check_share(sharer.share, f"{path}.share"))
    if all(sharer.share.is_finite() and sharer.share <= 1 for sharer in sharers):
        total = _total(sharer.share for sharer in sharers)
        if total != 1:
            faults.append(Fault(Code.SHARES_NOT_WHOLE, field, {"sum": _text(total)}))
    return faults


def check_share(share: Decimal, field: str, places: int = RATE_PLACES) -> list[Fault]:
    """Return what is wrong with one share by itself, at most one fault; ``places`` decimals are allowed."""
    if not share.is_finite():
        return [Fault(Code.NOT_FINITE, field, {"value": str(share)})]
    if share < LEAST_SHARE:
        return [Fault(Code.TOO_SMALL, field, {"value": f"{share:f}", "least": f"{LEAST_SHARE:f}"})]
    if share > 1:
        return [Fault(Code.TOO_LARGE, field, {"value": str(share), "most": "1"})]
    if quantise(share, places) != share:
        return [Fault(Code.TOO_MANY_DECIMALS, field, {"value": f"{share:f}", "most": places})]
    return []


def _total(shares: Iterable[Decimal]) -> Fraction:
    """Return an exact sum, whatever the number of digits."""
    return sum((Fraction(share) for share in shares), Fraction(0))


def _text(total: Fraction) -> str:
    # A sum of decimals is a decimal; one of more than 28 digits is told to 28.
    return f"{Decimal(total.numerator) / Decimal(total.denominator):f}"
