"""Proofs: a stranger can work every figure out again, and nothing in one can be changed unnoticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.cost import price
from market.errors import Code, Invalid
from market.terms import (
    BillTerms,
    BridgeTerms,
    CoverTerms,
    FactoringTerms,
    Fee,
    FlowTerms,
    LeaseTerms,
    LoanTerms,
    Period,
    Priceable,
    Subsidy,
)
from market.vocabulary import DayCount, FeeBasis, FeeTiming, Interval, RentTiming, Repayment
from services import proofs
from tests.market.strategies import offers
from tests.services.verifying import canonical, find_faults

MILLION = 100_000_000
GUARANTEE = Fee("担保费", FeeTiming.YEARLY, "guarantor", FeeBasis.OUTSTANDING, Decimal("0.01"))
NOTARY = Fee("=HYPERLINK()", FeeTiming.UPFRONT, "某公证处", amount=3_000)
SUBSIDY = Subsidy(
    "贴息", FeeTiming.YEARLY, basis=FeeBasis.INTEREST, rate=Decimal("0.4"), cap=10**6, lag_months=2
)
RATE = Decimal("0.0365")
KINDS: dict[str, Priceable] = {
    "loan": LoanTerms(
        MILLION, 12, RATE, Repayment.INTEREST_MONTHLY, fees=(GUARANTEE, NOTARY), subsidies=(SUBSIDY,)
    ),
    "dated loan": LoanTerms(
        MILLION, 24, RATE, Repayment.EQUAL_INSTALLMENT, DayCount.ACT_360, date(2026, 1, 31), (GUARANTEE,)
    ),
    "single payment": LoanTerms(MILLION, 12, RATE, Repayment.BULLET, DayCount.ACT_365, date(2027, 3, 1)),
    "drawn late": LoanTerms(
        MILLION, 12, RATE, Repayment.REVOLVING, draws=((3, MILLION // 2), (9, -MILLION // 2))
    ),
    "lease": LeaseTerms(
        MILLION,
        36,
        Decimal("0.055"),
        RentTiming.ADVANCE,
        Decimal("0.05"),
        10_000,
        interval=Interval.QUARTERLY,
        prelease_months=3,
    ),
    "bill": BillTerms(MILLION, 90, Decimal("0.06"), Decimal("0.003"), 365),
    "factoring": FactoringTerms(MILLION, 120, Decimal("0.05"), Decimal("0.8")),
    "bridge": BridgeTerms(950_000_000, 5, Decimal("0.0002"), (Fee("服务费", FeeTiming.END, amount=100),)),
    "cover": CoverTerms(MILLION, 12, (Fee("担保费", FeeTiming.UPFRONT, "guarantor", rate=Decimal("0.01")),)),
    "dated flows": FlowTerms(
        ((date(2027, 1, 5), Decimal("-1050000")), (date(2026, 1, 5), Decimal("1000000.123456")))
    ),
    "periods": FlowTerms(
        ((Fraction(1, 2), Decimal(100)), (Fraction(5, 3), Decimal("-110.001"))), Period.MONTH
    ),
}
#: Bare flows are kept with every decimal they were given with, their totals to the fen.
ROUNDED = ["total_cost", "net_received", "breakdown", "costs"]


def write(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def faults_of(document: dict[str, Any]) -> list[str | None]:
    """Return the fields at which a document is found wrong."""
    try:
        return [fault.field for fault in proofs.read(write(document))[1]]
    except Invalid as error:
        return [fault.field for fault in error.faults]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_works_every_figure_out_again(kind: str) -> None:
    document = proofs.make(price(KINDS[kind]))
    found = find_faults(document)
    assert [name for name in found if not (isinstance(KINDS[kind], FlowTerms) and name in ROUNDED)] == []
    assert proofs.read(write(document)) == (document, [])


@settings(max_examples=60, deadline=None)
@given(offers)
def test_the_proof_of_any_offer_holds_for_us_and_for_a_stranger(terms: Priceable) -> None:
    document = proofs.make(price(terms), {"need": 3, "institution": "某银行"})
    assert find_faults(document) == []
    assert proofs.read(write(document)) == (document, [])


def test_what_is_left_over_at_the_stated_rate_is_less_than_a_millionth_of_a_fen() -> None:
    for terms in KINDS.values():
        residue = proofs.make(price(terms))["proof"]["residue"]
        assert isinstance(residue, str)
        assert abs(Decimal(residue)) < Decimal("1e-8")


def test_times_are_exact_fractions_of_a_year() -> None:
    monthly, dated, days = (
        [row["t"] for row in proofs.make(price(KINDS[kind]))["proof"]["net"]]
        for kind in ("loan", "single payment", "bridge")
    )
    assert monthly == [*(f"{month}/12" for month in range(13)), "14/12"]
    assert dated == ["0/365", "366/365"]
    assert days == ["0/365", "5/365"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all single values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    else:
        yield path


def change(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return the document with one value changed as little as can be."""
    changed = copy.deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if isinstance(value, int):
        holder[path[-1]] = value + 1
    elif isinstance(value, str) and value[-1:].isdigit():
        holder[path[-1]] = value[:-1] + str((int(value[-1]) + 1) % 10)
    else:
        holder[path[-1]] = "x" if value is None else value + "x"
    return changed


DOCUMENT = proofs.make(price(KINDS["loan"]))


@pytest.mark.parametrize("path", list(leaves(DOCUMENT)), ids=lambda path: ".".join(map(str, path)))
def test_no_value_can_be_changed_unnoticed(path: tuple[Any, ...]) -> None:
    changed = change(DOCUMENT, path)
    assert faults_of(changed)
    if path[0] == "proof":
        assert find_faults(changed), "the hash alone tells a stranger"


@pytest.mark.parametrize(
    "path", [path for path in leaves(DOCUMENT["proof"]) if path[0] != "about"], ids=lambda path: str(path[0])
)
def test_a_new_hash_over_changed_figures_helps_nobody(path: tuple[Any, ...]) -> None:
    changed = change(DOCUMENT, ("proof", *path))
    changed["sha256"] = proofs.proof.seal(changed["proof"])
    assert faults_of(changed)


def test_every_changed_amount_is_named_with_what_follows() -> None:
    changed = change(DOCUMENT, ("proof", "flows", 4, "amount"))
    _, faults = proofs.read(write(changed))
    named = {fault.field: fault for fault in faults}
    assert {"sha256", "proof.flows[4].amount", "proof.net[2].amount", "proof.total_cost"} <= set(named)
    assert named["proof.flows[4].amount"].values == {"value": "-3041.68", "computed": "-3041.67"}
    assert all(fault.code is Code.DOES_NOT_FOLLOW for fault in faults)


def test_the_words_are_not_what_the_hash_is_of() -> None:
    assert faults_of({**DOCUMENT, "words": {"how": {"en": ["as you like"]}}}) == []
    assert faults_of({**DOCUMENT, "remarks": "no"}) == ["remarks"]
    assert faults_of({**DOCUMENT, "proof": {**DOCUMENT["proof"], "bonus": "1"}}) == ["sha256", "proof.bonus"]


def test_the_canonical_form_is_that_of_any_other_program() -> None:
    document = proofs.make(price(KINDS["loan"]), {"institution": "某银行", "need": 3})
    assert json.loads(canonical(document["proof"])) == document["proof"]
    assert find_faults(document) == []


def test_what_has_no_rate_says_why_and_is_proved_all_the_same() -> None:
    nothing = FlowTerms(((date(2026, 1, 5), Decimal(100)), (date(2027, 1, 5), Decimal(10))))
    document = proofs.make(price(nothing))
    facts = document["proof"]
    assert (facts["effective"], facts["simple"], facts["residue"]) == (None, None, None)
    assert facts["note"] == "one_sided"
    assert faults_of(document) == []
    assert faults_of(change(document, ("proof", "effective"))) == ["sha256", "proof.effective"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"[]", None),
        (b"nothing", None),
        (b"{}", "schema"),
        (b'{"schema": "cuohe-proof/1"}', "proof"),
        (b'{"schema": "cuohe-proof/1", "schema": "cuohe-proof/1"}', "schema"),
        (b'{"schema": "cuohe-proof/1", "proof": {"months": 1.5}}', "proof.months"),
        (b'{"schema": "cuohe-proof/1", "proof": {"months": NaN}}', "proof.months"),
        (b'{"schema": "cuohe-proof/1", "proof": {"unit": ["month"]}}', "proof.unit"),
        (b'{"schema": "cuohe-proof/1", "proof": {"unit": "month", "flows": {}}}', "proof.flows"),
        (b'{"schema": "cuohe-proof/1", "proof": {"unit": "month", "flows": [1]}}', "proof.flows[0]"),
    ],
)
def test_what_is_no_proof_is_refused_where_it_goes_wrong(content: bytes, field: str | None) -> None:
    with pytest.raises(Invalid) as refusal:
        proofs.read(content)
    assert [fault.field for fault in refusal.value.faults] == [field]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["t", "amount", "payee", "part", "name"]),
    st.one_of(
        st.none(), st.integers(), st.text(max_size=8), st.sampled_from(["1/0", "9" * 90, "-1/12", "NaN"])
    ),
)
def test_a_flow_that_cannot_be_is_a_fault_and_never_a_crash(name: str, value: Any) -> None:
    changed = copy.deepcopy(DOCUMENT)
    changed["proof"]["flows"][3][name] = value
    if changed != DOCUMENT:
        assert faults_of(changed)
