"""What a product family of the demo market is made of.

Amounts are 万 (10,000 yuan), fixed prices percent per year (per day for a bridge loan), floating ones basis
points over the LPR. ``sellers`` names who lists a family, each with a shift of its price in basis points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.vocabulary import OfferKind, Pricing, ProductFamily, Repayment, Security

#: Highest amount in 万 by knowledge grade (知识价值信用贷).
GRADE_CAPS = {
    "knowledge_a": 500,
    "knowledge_b": 400,
    "knowledge_c": 300,
    "knowledge_d": 160,
    "knowledge_e": 80,
}


@dataclass(frozen=True, slots=True)
class Family:
    """One family: what every seller of it has in common."""

    key: str
    name_zh: str
    name_en: str
    family: ProductFamily
    pricing: Pricing
    price: tuple[str, str] | tuple[int, int] | None
    cap: int
    months: tuple[int, int]
    security: Security
    sellers: str
    summary_zh: str
    summary_en: str
    offer: OfferKind | None = OfferKind.LOAN
    repayment: Repayment | None = None
    least: int = 20
    ratio: str | None = None
    deducts_retention: bool = False
    fees: tuple[Mapping[str, str], ...] = ()
    subsidies: tuple[Mapping[str, str], ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()
    lease: Mapping[str, str] | None = None


def fee(
    name: str, rate: str, due: str = "upfront", payee: str = "lender", basis: str = "principal"
) -> Mapping[str, str]:
    return {"name": name, "payee": payee, "basis": basis, "rate": rate, "when": due}


def subsidy(name: str, rate: str, recipient: str, due: str = "end") -> Mapping[str, str]:
    return {"name": name, "recipient": recipient, "basis": "principal", "rate": rate, "when": due}


def when(fact: str, test: str, value: Any) -> Mapping[str, Any]:
    return {"fact": fact, "test": test, "value": value}


SMALL = when("size_class", "in", ["small", "micro"])
