"""Eligibility: a product's conditions are data, judged against the facts of a firm and its need.

A condition is ``{"fact": …, "test": …, "value": …}``. Tests: ``in`` (the fact is one of the values),
``has`` (the fact, a set, holds the value), ``has_any`` (… holds one of the values), ``at_least``,
``at_most`` (whole numbers; amounts in fen, ages in months, shares in percent) and ``is`` (equal).
An unknown fact fails its condition: what nobody has shown is not assumed.

This is the rule, and the rule for one pair; ``eligibility_match`` asks it of many needs and products at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from market.errors import Code, Fault, Invalid
from market.vocabulary import OfferKind, ProductFamily, Purpose, Security

#: Facts that conditions may ask about, and the kind of value each holds.
FACTS: Mapping[str, str] = {
    "size_class": "word",
    "industry": "word",
    "tags": "set",
    "age_months": "number",
    "staff_count": "number",
    "annual_revenue": "number",
    "tax_grade": "word",
    "whitelisted": "flag",
    "purpose": "word",
    "securities": "set",
    "accepts": "set",
    "amount": "number",
    "months": "number",
    "repayment": "word",
    "zone": "word",
    "ip_grade": "word",
    "exposure": "number",
    "has_contract": "flag",
    "contract_amount": "number",
    "contract_retention": "number",
    "contract_days_left": "number",
    "purchaser_kind": "word",
    "purchaser_on_time_share": "number",
    "purchaser_p90_lag_days": "number",
}
#: Those of them that are amounts, in fen.
AMOUNTS = frozenset({"amount", "annual_revenue", "exposure", "contract_amount", "contract_retention"})

_TESTS_OF_KIND = {
    "word": {"in", "is"},
    "set": {"has", "has_any"},
    "number": {"at_least", "at_most"},
    "flag": {"is"},
}
#: Tests that one of several values is enough for, and the test of each.
_EACH = {"in": "is", "has_any": "has"}

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a product on a firm or need."""

    fact: str
    test: str
    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A condition that a need does not meet: what was found, and for numbers how far it is off."""

    condition: Condition
    found: Any
    distance: int | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """All that a product asks: ranges of amount (fen) and months, security, kind, and its conditions."""

    amount_min: int
    amount_max: int
    months_min: int
    months_max: int
    security: Security
    offer: OfferKind | None
    family: ProductFamily
    conditions: tuple[Condition, ...] = ()

    def expand(self) -> tuple[Condition, ...]:
        """Return the product's own conditions together with those its ranges and kind imply."""
        implied = [
            Condition("amount", "at_least", self.amount_min),
            Condition("amount", "at_most", self.amount_max),
        ]
        if self.months_max > 0:
            implied.append(Condition("months", "at_least", self.months_min))
            implied.append(Condition("months", "at_most", self.months_max))
        if self.offer is not None:
            implied.append(Condition("accepts", "has", self.offer.value))
        if self.security is not Security.UNSECURED and self.family is not ProductFamily.CONTRACT:
            implied.append(Condition("securities", "has", self.security.value))
        # A contract loan answers a need against a contract, and nothing else does.
        if self.family is ProductFamily.CONTRACT:
            implied.append(Condition("has_contract", "is", True))
        if self.family is ProductFamily.BRIDGE:
            implied.append(Condition("purpose", "is", Purpose.BRIDGE.value))
        return (*implied, *self.conditions)


def read_conditions(data: Sequence[Mapping[str, Any]], field: str = "conditions") -> tuple[Condition, ...]:
    """Return conditions from their stored form; raises ``Invalid`` naming each fault by its path."""
    faults: list[Fault] = []
    conditions: list[Condition] = []
    for position, item in enumerate(data):
        path = f"{field}.{position}"
        kind = FACTS.get(str(item.get("fact")))
        if kind is None:
            faults.append(
                Fault(
                    Code.NOT_A_CHOICE,
                    f"{path}.fact",
                    {"value": str(item.get("fact"))[:40], "choices": sorted(FACTS)},
                )
            )
            continue
        test = str(item.get("test"))
        if test not in _TESTS_OF_KIND[kind]:
            faults.append(
                Fault(
                    Code.NOT_A_CHOICE,
                    f"{path}.test",
                    {"value": test[:40], "choices": sorted(_TESTS_OF_KIND[kind])},
                )
            )
            continue
        value = item.get("value")
        if value is None or (test in {"in", "has_any"} and not isinstance(value, list)):
            faults.append(Fault(Code.REQUIRED, f"{path}.value"))
            continue
        if test in {"at_least", "at_most"} and (isinstance(value, bool) or not isinstance(value, int)):
            faults.append(Fault(Code.NOT_A_NUMBER, f"{path}.value", {"value": str(value)[:40]}))
            continue
        if kind == "flag" and not isinstance(value, bool):
            choices = ["true", "false"]
            faults.append(
                Fault(Code.NOT_A_CHOICE, f"{path}.value", {"value": str(value)[:40], "choices": choices})
            )
            continue
        # Anything but text could not be looked up in a set of words, and would stop every comparison.
        words = value if isinstance(value, list) and test in {"in", "has_any"} else [value]
        if kind in {"word", "set"} and not all(isinstance(word, str) for word in words):
            faults.append(Fault(Code.NOT_TEXT, f"{path}.value", {"value": str(value)[:40]}))
            continue
        conditions.append(Condition(str(item["fact"]), test, value))
    if faults:
        raise Invalid(*faults)
    return tuple(conditions)


def judge(facts: Facts, requirement: Requirement) -> tuple[Failure, ...]:
    """Return the conditions that the facts do not meet, in the product's order; empty means eligible."""
    return tuple(
        failure for condition in requirement.expand() if (failure := _check(facts, condition)) is not None
    )


def meets(test: str, found: Any, value: Any) -> Any:
    """Say whether what was found meets a test.

    ``found`` is a known fact, or an array of them with one answer each: numbers, words, flags, or for sets
    whatever says with ``>=`` which of them hold a word.
    """
    match test:
        case "at_least":
            return found >= value
        case "at_most":
            return found <= value
        case "is":
            return found == value
        case "has":
            return found >= {value}
        case _:
            each = _EACH[test]
            return reduce(or_, (meets(each, found, one) for one in value), False)


def _check(facts: Facts, condition: Condition) -> Failure | None:
    found = facts.get(condition.fact)
    if found is None:
        return Failure(condition, None, None)
    if meets(condition.test, found, condition.value):
        return None
    if condition.test in {"at_least", "at_most"}:
        return Failure(condition, found, abs(condition.value - found))
    return Failure(condition, sorted(found) if isinstance(found, (set, frozenset)) else found, None)
