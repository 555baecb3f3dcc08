"""Facts and requirements of all kinds, close enough to each other that pairs fit, nearly fit and fail."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from market.eligibility import FACTS, Condition, Requirement
from market.vocabulary import OfferKind, ProductFamily, Security

#: Numbers that fall on each other, on the borders of exact floats and of 64 bits, and beyond.
numbers = st.one_of(
    st.integers(0, 6),
    st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, 2**63 - 2, 2**63 - 1, -(2**63), 1 - 2**63]),
)
far_numbers = st.one_of(numbers, st.sampled_from([2**63, -(2**63) - 1, 10**30, -(10**30)]))
words = st.sampled_from(["a", "b", "c"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": numbers,
    "word": words,
    "set": st.frozensets(words),
    "flag": st.booleans(),
}
#: A few facts of each kind, so that products meet on them.
ASKED = (
    "amount",
    "months",
    "age_months",
    "tax_grade",
    "purpose",
    "tags",
    "securities",
    "accepts",
    "whitelisted",
)


@st.composite
def conditions(draw: st.DrawFn, values: st.SearchStrategy[int] = far_numbers) -> Condition:
    """A condition as ``read_conditions`` lets it in, empty lists and all."""
    fact = draw(st.sampled_from(ASKED))
    kind = FACTS[fact]
    if kind == "number":
        return Condition(fact, draw(st.sampled_from(["at_least", "at_most"])), draw(values))
    if kind == "flag":
        return Condition(fact, "is", draw(st.booleans()))
    one, several = ("is", "in") if kind == "word" else ("has", "has_any")
    if draw(st.booleans()):
        return Condition(fact, one, draw(words))
    return Condition(fact, several, draw(st.lists(words, max_size=3)))


@st.composite
def requirements(draw: st.DrawFn, values: st.SearchStrategy[int] = far_numbers) -> Requirement:
    """What a product asks; its ranges may be empty, its conditions may contradict or repeat each other."""
    return Requirement(
        amount_min=draw(values),
        amount_max=draw(values),
        months_min=draw(st.integers(0, 4)),
        months_max=draw(st.integers(0, 6)),
        security=draw(st.sampled_from([Security.UNSECURED, Security.MORTGAGE])),
        offer=draw(st.sampled_from([None, OfferKind.LOAN])),
        family=draw(st.sampled_from([ProductFamily.INNOVATION, ProductFamily.CONTRACT])),
        conditions=tuple(draw(st.lists(conditions(values), max_size=4))),
    )


@st.composite
def facts(draw: st.DrawFn, values: st.SearchStrategy[int] = numbers) -> dict[str, Any]:
    """What is known of a need: any fact may be missing, or stand there as unknown."""
    found = {
        fact: draw(st.one_of(st.none(), values if FACTS[fact] == "number" else VALUES[FACTS[fact]]))
        for fact in (*ASKED, "has_contract")
        if draw(st.integers(0, 9))
    }
    # Security and kind of offer are words of the trade, so that the products' own demands can be met.
    if draw(st.booleans()):
        found["securities"] = draw(st.frozensets(st.sampled_from(["mortgage", "a"])))
        found["accepts"] = draw(st.frozensets(st.sampled_from(["loan", "b"]), min_size=1))
    return found
