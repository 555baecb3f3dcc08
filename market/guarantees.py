"""Guarantees under the law: what one counts, and how much a guarantor may stand for (融资担保).

Regulation on the Supervision of Financing Guarantee Companies (融资担保公司监督管理条例, State Council
Order 683, arts. 15 and 16) with the measurement rules of 2018 (融资担保责任余额计量办法). Amounts in fen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from market.money import round_down, round_up

#: What guarantees of a small firm with little in force count for.
SMALL_WEIGHT = Fraction(3, 4)
#: The most that one firm may have in force with one guarantor for that weight: 500万 yuan.
SMALL_IN_FORCE = 500_000_000
#: Weighted guarantees over net assets, at most; the higher one for those that mainly serve small firms.
LEVERAGE, SMALL_LEVERAGE = 10, 15
#: "Mainly": of the amount in force, and of the firms.
MAINLY_AMOUNT, MAINLY_FIRMS = Fraction(1, 2), Fraction(4, 5)
#: What one firm, and a firm with its affiliates, may weigh at most, as shares of net assets.
FIRM_SHARE, GROUP_SHARE = Fraction(1, 10), Fraction(15, 100)


class Cap(StrEnum):
    """Which of a guarantor's caps is in the way."""

    LEVERAGE = "leverage"
    FIRM = "firm"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Load:
    """What a guarantor would stand for, weighted: in all, for one firm, and for it with its affiliates."""

    total: int
    firm: int
    group: int


@dataclass(frozen=True, slots=True)
class Excess:
    """A cap that would be broken: the most it allows, and what would stand against it."""

    cap: Cap
    most: int
    asked: int


def cover_amount(principal: int, share: Decimal) -> int:
    """Return what a guarantee of ``share`` of a loan stands for, rounded up to the fen."""
    return round_up(principal * Fraction(share))


def count_in_force(amount: int, outstanding: int, principal: int) -> int:
    """Return what is in force of a guarantee of ``amount``: it falls as the loan's principal is repaid."""
    return round_up(Fraction(amount * outstanding, principal))


def weigh(amount: int, *, in_force: int, is_small: bool) -> int:
    """Return what ``amount`` of a guarantee counts for, rounded up to the fen.

    ``in_force`` is all that the guarantor stands for towards the same firm, this guarantee included.
    """
    return round_up(amount * SMALL_WEIGHT) if is_small and in_force <= SMALL_IN_FORCE else amount


def choose_multiple(in_force: Iterable[tuple[int, bool]]) -> int:
    """Return how many times its net assets a guarantor may stand for, by its firms: (in force, is small).

    A guarantor with nothing in force has yet to show whom it serves.
    """
    firms = [(amount, small) for amount, small in in_force if amount > 0]
    total, small = sum(amount for amount, _ in firms), sum(amount for amount, small in firms if small)
    count = sum(1 for _, is_small in firms if is_small)
    is_mainly = bool(firms) and small >= MAINLY_AMOUNT * total and count >= MAINLY_FIRMS * len(firms)
    return SMALL_LEVERAGE if is_mainly else LEVERAGE


def find_excess(load: Load, *, leverage: int, net_assets: int) -> Excess | None:
    """Return the first cap that a load breaks, or None; ``leverage`` is the cap on all guarantees."""
    caps = (
        Excess(Cap.LEVERAGE, leverage, load.total),
        Excess(Cap.FIRM, round_down(net_assets * FIRM_SHARE), load.firm),
        Excess(Cap.GROUP, round_down(net_assets * GROUP_SHARE), load.group),
    )
    return next((one for one in caps if one.asked > one.most), None)
