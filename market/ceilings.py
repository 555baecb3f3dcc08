"""Price ceilings and forbidden fees: dated rules that come as tables, never as constants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from market.errors import Code, Fault, not_found
from market.lpr import LprTable
from market.terms import Fee
from market.vocabulary import LprTenor, OrganisationKind, SizeClass


class CeilingKind(StrEnum):
    """Whose price a ceiling caps."""

    LICENSED_LENDER = "licensed_lender"
    PRIVATE_LENDING = "private_lending"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A cap on the annual cost: a fixed ``rate``, or ``multiple`` times the LPR of ``tenor`` on the day.

    In force from ``valid_from`` up to and including ``valid_to`` (None: until changed).
    """

    kind: CeilingKind
    valid_from: date
    valid_to: date | None
    rate: Decimal | None
    multiple: Decimal | None
    tenor: LprTenor
    source: str

    def most(self, on: date, lpr: LprTable) -> Decimal:
        """Return the highest annual rate allowed on a day."""
        if self.rate is not None:
            return self.rate
        assert self.multiple is not None, "a ceiling is a rate or a multiple"
        return self.multiple * lpr.in_force(self.tenor, on)[0]


@dataclass(frozen=True, slots=True)
class ForbiddenFee:
    """A fee that lenders of some kinds may not charge firms of some sizes; ``words`` name it.

    ``payees`` says to whom it may not be paid: a cost that the lender must bear itself may not go to
    somebody else either. ``verified`` says whether the rule was checked against its official text: one
    that was not may only warn.
    """

    code: str
    words: tuple[str, ...]
    payees: frozenset[str]
    lenders: frozenset[OrganisationKind]
    sizes: frozenset[SizeClass]
    valid_from: date
    valid_to: date | None
    verified: bool
    source: str

    def speaks_of(self, fee: Fee) -> bool:
        """Say whether a fee is of this kind, by its payee and the words in its name."""
        return fee.payee in self.payees and any(word in fee.name.casefold() for word in self.words)


def ceiling_in_force(kind: CeilingKind, on: date, lpr: LprTable, ceilings: Iterable[Ceiling]) -> Decimal:
    """Return the highest annual rate of a kind of lender on a day; ``NotFound`` where no rule is known."""
    for ceiling in ceilings:
        if ceiling.kind is kind and _holds(ceiling.valid_from, ceiling.valid_to, on):
            return ceiling.most(on, lpr)
    raise not_found("ceiling", f"{kind.value} {on.isoformat()}")


def forbidden_fees(
    fees: Iterable[Fee],
    size: SizeClass | None,
    on: date,
    rules: Iterable[ForbiddenFee],
    *,
    lender: OrganisationKind = OrganisationKind.BANK,
) -> list[tuple[int, ForbiddenFee]]:
    """Return the places of fees that such a lender may not charge a firm of this size, each with its rule.

    A firm whose size is not known (None) may be of any size: every rule speaks for it.
    """
    standing = [
        rule
        for rule in rules
        if lender in rule.lenders
        and (size is None or size in rule.sizes)
        and _holds(rule.valid_from, rule.valid_to, on)
    ]
    return [(place, rule) for place, fee in enumerate(fees) for rule in standing if rule.speaks_of(fee)]


def warn_of_fees(
    fees: Sequence[Fee],
    size: SizeClass | None,
    on: date,
    rules: Iterable[ForbiddenFee],
    *,
    lender: OrganisationKind,
) -> tuple[Fault, ...]:
    """Return one fault (forbidden_fee) per forbidden fee: what a bid is warned about, not refused for."""
    return tuple(
        Fault(
            Code.FORBIDDEN_FEE,
            f"fees.{place}.name",
            {
                "value": fees[place].name,
                "rule": rule.code,
                "sizes": [each for each in SizeClass if each in rule.sizes],
                "source": rule.source,
            },
        )
        for place, rule in forbidden_fees(fees, size, on, rules, lender=lender)
    )


def _holds(start: date, end: date | None, on: date) -> bool:
    return start <= on and (end is None or on <= end)
