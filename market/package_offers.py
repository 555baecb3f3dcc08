"""What packages are made of beside covers: the loan and what it asks for, subsidies, what keeps each out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from market.covers import Cover, check_cover
from market.errors import Code, Fault, Invalid
from market.risk_sharing import SHARE_PLACES, Role, check_share
from market.terms import LENDER, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import CoverKind, ProductFamily

EVERY_KIND = frozenset(CoverKind)


class CoverUse(StrEnum):
    """Whether a loan wants a cover (增信要求)."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Obstacle(StrEnum):
    """Why a cover or subsidy goes into no stack; values in braces explain it."""

    NO_COVER_WANTED = "no_cover_wanted"
    KIND_NOT_ACCEPTED = "kind_not_accepted"  # {kind, accepted}
    LENDER_NOT_ACCEPTED = "lender_not_accepted"  # {lender}
    AMOUNT_TOO_SMALL = "amount_too_small"  # {amount, least}
    AMOUNT_TOO_LARGE = "amount_too_large"  # {amount, most}
    TERM_TOO_SHORT = "term_too_short"  # {months, least}
    TERM_TOO_LONG = "term_too_long"  # {months, most}
    SHARE_TOO_SMALL = "share_too_small"  # {share, least}
    TWO_DEPOSIT_HOLDERS = "two_deposit_holders"  # {holder, other}
    DEPOSIT_TOO_LARGE = "deposit_too_large"  # {share}
    OTHER_FAMILY = "other_family"  # {family, families}
    NEEDS_COVER = "needs_cover"  # {kinds, covers, payees}
    BUDGET_USED_UP = "budget_used_up"
    GROUP_TAKEN = "group_taken"  # {group}
    NO_PACKAGE = "no_package"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A cover or subsidy, by its key, and why it goes into no stack."""

    key: str
    obstacle: Obstacle
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CoverNeed:
    """What a lender asks for: covers of these kinds that together take at least the share ``least``.

    Where a cover is optional, ``least`` holds for a firm that takes one.
    """

    use: CoverUse = CoverUse.NONE
    least: Decimal = Decimal(0)
    kinds: frozenset[CoverKind] = EVERY_KIND


@dataclass(frozen=True, slots=True)
class LoanOffer:
    """A loan or lease as its lender offers it, with its own fees and subsidies in ``terms``.

    ``taken`` names the groups of which the loan claims a subsidy already.
    """

    key: str
    terms: LoanTerms | LeaseTerms
    lender: str = LENDER
    role: Role = Role.BANK
    family: ProductFamily | None = None
    cover: CoverNeed = CoverNeed()
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SubsidyOffer:
    """A subsidy that a package may claim; rate, cap, budget left and timing are those of ``subsidy``.

    ``families`` are the loan's. One cover of the stack must be of the ``kinds``, among ``covers`` (keys)
    and paid to one of ``payees``, each as far as given; with ``of_cover`` the rate is of that cover's part
    of the loan. Of a ``group`` at most one counts (补贴不叠加). What is ``automatic`` comes by itself
    wherever it fits (a subsidy that the guarantor draws) and belongs to no group.
    """

    key: str
    subsidy: Subsidy
    families: frozenset[ProductFamily] | None = None
    kinds: frozenset[CoverKind] | None = None
    covers: frozenset[str] | None = None
    payees: frozenset[str] | None = None
    of_cover: bool = False
    group: str | None = None
    automatic: bool = False

    @property
    def needs_cover(self) -> bool:
        """Say whether it comes with certain covers only."""
        return self.of_cover or any(wanted is not None for wanted in (self.kinds, self.covers, self.payees))

    def suits(self, cover: Cover) -> bool:
        """Say whether a cover is one that it comes with."""
        return (
            (self.kinds is None or cover.kind in self.kinds)
            and (self.covers is None or cover.key in self.covers)
            and (self.payees is None or cover.provider in self.payees)
        )


def refuse_impossible(loan: LoanOffer, covers: Sequence[Cover], subsidies: Sequence[SubsidyOffer]) -> None:
    """Raise ``Invalid`` with every fault of the offers; keys are unique over all of them."""
    faults = []
    if loan.cover.least != 0:
        faults += check_share(loan.cover.least, "loan.cover.least", SHARE_PLACES)
    seen = {loan.key}
    keys = [(f"covers[{place}].key", cover.key) for place, cover in enumerate(covers)]
    keys += [(f"subsidies[{place}].key", offer.key) for place, offer in enumerate(subsidies)]
    for path, key in keys:
        if key in seen:
            faults.append(Fault(Code.REPEATED, path, {"value": key}))
        seen.add(key)
    for place, cover in enumerate(covers):
        faults += check_cover(cover, f"covers[{place}]")
        if loan.lender in {cover.provider, *(backer.name for backer in cover.backers)}:
            faults.append(Fault(Code.REPEATED, f"covers[{place}].provider", {"value": loan.lender}))
    for place, offer in enumerate(subsidies):
        faults += _check_subsidy(offer, f"subsidies[{place}]")
    if faults:
        raise Invalid(*faults)


def find_obstacle(loan: LoanOffer, cover: Cover) -> LeftOut | None:
    """Return what keeps a cover from a loan whatever else is taken, or None."""
    need, terms = loan.cover, loan.terms

    def out(obstacle: Obstacle, **values: Any) -> LeftOut:
        return LeftOut(cover.key, obstacle, values)

    if need.use is CoverUse.NONE:
        return out(Obstacle.NO_COVER_WANTED)
    if cover.kind not in need.kinds:
        return out(Obstacle.KIND_NOT_ACCEPTED, kind=cover.kind, accepted=sorted(need.kinds))
    if cover.lenders is not None and loan.lender not in cover.lenders:
        return out(Obstacle.LENDER_NOT_ACCEPTED, lender=loan.lender)
    if terms.principal < cover.amount_min:
        return out(Obstacle.AMOUNT_TOO_SMALL, amount=terms.principal, least=cover.amount_min)
    if cover.amount_max is not None and terms.principal > cover.amount_max:
        return out(Obstacle.AMOUNT_TOO_LARGE, amount=terms.principal, most=cover.amount_max)
    if terms.months < cover.months_min:
        return out(Obstacle.TERM_TOO_SHORT, months=terms.months, least=cover.months_min)
    if cover.months_max is not None and terms.months > cover.months_max:
        return out(Obstacle.TERM_TOO_LONG, months=terms.months, most=cover.months_max)
    return None


def find_subsidy_obstacle(loan: LoanOffer, offer: SubsidyOffer) -> LeftOut | None:
    """Return what keeps a subsidy from a loan whatever cover is taken, or None."""
    if offer.families is not None and loan.family not in offer.families:
        values = {"family": loan.family, "families": sorted(offer.families)}
        return LeftOut(offer.key, Obstacle.OTHER_FAMILY, values)
    if offer.subsidy.budget == 0 or offer.subsidy.cap == 0:
        return LeftOut(offer.key, Obstacle.BUDGET_USED_UP)
    if offer.group is not None and offer.group in loan.taken:
        return LeftOut(offer.key, Obstacle.GROUP_TAKEN, {"group": offer.group})
    return None


def _check_subsidy(offer: SubsidyOffer, path: str) -> list[Fault]:
    """Return the faults of a subsidy; one that is negative would be a fee under another name."""
    faults = []
    subsidy = offer.subsidy
    if (subsidy.rate is None) == (subsidy.amount is None):
        faults.append(Fault(Code.ONE_OF, path, {"choices": ["rate", "amount"]}))
    for name in ("rate", "amount", "part", "cap", "budget", "lag_months", "passed_on"):
        value = getattr(subsidy, name)
        if value is not None and not Decimal(value).is_finite():
            faults.append(Fault(Code.NOT_FINITE, f"{path}.{name}", {"value": str(value)}))
        elif value is not None and value < 0:
            faults.append(Fault(Code.TOO_SMALL, f"{path}.{name}", {"value": str(value), "least": "0"}))
    if offer.automatic and offer.group is not None:
        faults.append(Fault(Code.ONE_OF, path, {"choices": ["automatic", "group"]}))
    return faults
