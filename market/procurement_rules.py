"""Rules of public procurement that change by date: reserves for small firms, price deductions, deposit caps.

Sources: 政府采购促进中小企业发展管理办法 (财库〔2020〕46号), 财库〔2022〕19号, 政府采购法实施条例
(国务院令第658号) articles 33 and 48, 财库〔2020〕10号 on procurement intentions. The figures themselves are
rows, each with its own source; this module only reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from market import money
from market.calendar import add_months
from market.procurement_vocabulary import DepositKind, Favoured, ProcurementObject, ProcurementRuleKind
from market.vocabulary import SizeClass

#: 财库〔2020〕10号: an intention is published so many days before its procurement begins, as a rule.
DAYS_AHEAD = 30

#: The cap that the law sets on a deposit; advance-payment deposits have none of their own.
CAPS = {
    DepositKind.BID: ProcurementRuleKind.BID_DEPOSIT_MOST,
    DepositKind.PERFORMANCE: ProcurementRuleKind.PERFORMANCE_DEPOSIT_MOST,
    DepositKind.QUALITY: ProcurementRuleKind.QUALITY_DEPOSIT_MOST,
}

_SIZES = {
    Favoured.ALL: frozenset(SizeClass),
    Favoured.SME: frozenset({SizeClass.MEDIUM, SizeClass.SMALL, SizeClass.MICRO}),
    Favoured.SMALL_MICRO: frozenset({SizeClass.SMALL, SizeClass.MICRO}),
}


@dataclass(frozen=True, slots=True)
class ProcurementRule:
    """A rule in force from ``valid_from`` up to and including ``valid_to`` (None: until changed).

    ``low`` and ``high`` are shares (0.06 is 6 %), either may be None; it speaks of projects above
    ``amount_from`` and up to ``amount_to``, in fen. ``is_local``: of one zone, and stronger than the
    nation's.
    """

    kind: ProcurementRuleKind
    object: ProcurementObject
    favoured: Favoured
    low: Decimal | None
    high: Decimal | None
    amount_from: int | None
    amount_to: int | None
    valid_from: date
    valid_to: date | None
    issuer: str
    document: str
    source: str
    is_local: bool = False

    def holds(self, on: date) -> bool:
        """Say whether the rule is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def speaks_of(self, amount: int) -> bool:
        """Say whether the rule is about projects of this budget, in fen."""
        return (self.amount_from is None or amount > self.amount_from) and (
            self.amount_to is None or amount <= self.amount_to
        )


@dataclass(frozen=True, slots=True)
class Reserve:
    """What of a budget must go to small firms, in fen: to SMEs, and of that to small and micro ones."""

    sme: int
    small_micro: int


def list_in_force(rules: Iterable[ProcurementRule], on: date) -> list[ProcurementRule]:
    """Return the rules in force on a day, one of each kind, object and favoured.

    A local one goes before the nation's, then a newer one before an older one.
    """
    best: dict[tuple[ProcurementRuleKind, ProcurementObject, Favoured], ProcurementRule] = {}
    for rule in rules:
        key = (rule.kind, rule.object, rule.favoured)
        held = best.get(key)
        if rule.holds(on) and (held is None or _strength(rule) > _strength(held)):
            best[key] = rule
    return [
        best[kind, thing, favoured]
        for kind in ProcurementRuleKind
        for thing in ProcurementObject
        for favoured in Favoured
        if (kind, thing, favoured) in best
    ]


def find(
    rules: Iterable[ProcurementRule], kind: ProcurementRuleKind, thing: ProcurementObject, on: date
) -> ProcurementRule | None:
    """Return the rule of a kind for what is bought on a day, or None where the tables hold none."""
    return next((r for r in list_in_force(rules, on) if (r.kind, r.object) == (kind, thing)), None)


def deduct(price: int, share: Decimal) -> int:
    """Return a bid price after its price deduction, in fen: to compare by, the contract keeps the price."""
    return price - money.round_half_up(Fraction(share) * price)


def compare_price(
    price: int, size: SizeClass | None, thing: ProcurementObject, rules: Iterable[ProcurementRule], on: date
) -> tuple[int, int]:
    """Return the lowest and highest price, in fen, at which a firm's bid may be compared on a day.

    The purchaser chooses the deduction within the rule's range beforehand. Who is not favoured, or of a size
    not known, is compared at its price.
    """
    rule = find(rules, ProcurementRuleKind.PRICE_DEDUCTION, thing, on)
    if rule is None or size not in _SIZES[rule.favoured] or rule.low is None:
        return price, price
    return deduct(price, rule.high if rule.high is not None else rule.low), deduct(price, rule.low)


def compute_reserve(
    budget: int, thing: ProcurementObject, rules: Iterable[ProcurementRule], on: date
) -> Reserve:
    """Return what of a budget in fen must be reserved on a day: all of a small project, a share of others.

    Rounded up to the fen: a reserve below the share would break it.
    """
    held = list(rules)
    whole = find(held, ProcurementRuleKind.RESERVE_WHOLE, thing, on)
    share = find(held, ProcurementRuleKind.RESERVE_SHARE, thing, on)
    if whole is not None and whole.speaks_of(budget):
        return Reserve(budget, 0)
    if share is None or share.low is None or not share.speaks_of(budget):
        return Reserve(0, 0)
    sme = _take(budget, share.low)
    small = find(held, ProcurementRuleKind.RESERVE_SMALL_SHARE, thing, on)
    return Reserve(sme, _take(sme, small.low) if small is not None and small.low is not None else 0)


def find_most(
    kind: DepositKind, base: int, thing: ProcurementObject, rules: Iterable[ProcurementRule], on: date
) -> int | None:
    """Return the largest deposit allowed on a budget or contract of ``base`` fen; None without a rule."""
    rule = find(rules, CAPS[kind], thing, on) if kind in CAPS else None
    if rule is None or rule.high is None:
        return None
    return money.round_down(Fraction(rule.high) * base)


def is_late(published_on: date, expected_month: date) -> bool:
    """Say whether an intention came too late whatever day of its month the procurement begins.

    ``expected_month`` is any day of the month; only the last day of it is certain to be no earlier.
    """
    last = add_months(expected_month.replace(day=1), 1) - timedelta(days=1)
    return (last - published_on).days < DAYS_AHEAD


def favours(favoured: Favoured, size: SizeClass | None) -> bool:
    """Say whether a rule is for firms of a size; one whose size is not known may be of any."""
    return size is None or size in _SIZES[favoured]


def _strength(rule: ProcurementRule) -> tuple[bool, date]:
    return rule.is_local, rule.valid_from


def _take(amount: int, share: Decimal) -> int:
    return money.round_up(Fraction(share) * amount)
