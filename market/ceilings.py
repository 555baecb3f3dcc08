"""Price ceilings and forbidden fees: dated rules that come as tables, never as constants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from market.errors import not_found
from market.lpr import LprTable
from market.terms import Fee
from market.vocabulary import LprTenor, SizeClass


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
    """A fee that may not be charged by licensed lenders to firms of some sizes; ``words`` name it.

    ``verified`` says whether the rule was checked against its official text: one that was not may
    only warn.
    """

    code: str
    words: tuple[str, ...]
    sizes: frozenset[SizeClass]
    valid_from: date
    valid_to: date | None
    verified: bool
    source: str


def ceiling_in_force(kind: CeilingKind, on: date, lpr: LprTable, ceilings: Iterable[Ceiling]) -> Decimal:
    """Return the highest annual rate of a kind of lender on a day; ``NotFound`` where no rule is known."""
    for ceiling in ceilings:
        if ceiling.kind is kind and _holds(ceiling.valid_from, ceiling.valid_to, on):
            return ceiling.most(on, lpr)
    raise not_found("ceiling", f"{kind.value} {on.isoformat()}")


def forbidden_fees(
    fees: Iterable[Fee], size: SizeClass, on: date, rules: Iterable[ForbiddenFee]
) -> list[tuple[Fee, ForbiddenFee]]:
    """Return the fees that a lender may not charge a firm of this size, each with its rule.

    Only fees that the lender itself collects count, and a fee is known by the words in its name.
    """
    standing = [rule for rule in rules if size in rule.sizes and _holds(rule.valid_from, rule.valid_to, on)]
    return [
        (fee, rule)
        for fee in fees
        for rule in standing
        if fee.payee == "lender" and any(word in fee.name.casefold() for word in rule.words)
    ]


def _holds(start: date, end: date | None, on: date) -> bool:
    return start <= on and (end is None or on <= end)
