from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from market import dated
from market.cost import price_flows
from market.dated import NOTES, Flows
from market.errors import Code, Invalid
from market.root import NoRate
from market.terms import Period

Offer = list[tuple[int, int]]

FIRST = date(2026, 1, 5).toordinal()
PER_YEAR = {None: 365, Period.MONTH: 12, Period.YEAR: 1}


def loan(days: Sequence[int], principal: int, cost: int) -> Offer:
    """Return a principal received at once and repaid with its cost in equal parts."""
    part, rest = divmod(principal + cost, len(days))
    paid = [(FIRST + day, -part) for day in days]
    return [(FIRST, principal), *paid[:-1], (FIRST + days[-1], -part - rest)]


def arranged(flows: Offer, backwards: bool, sign: int) -> Offer:
    """Return flows perhaps in the wrong order, perhaps seen from the other side."""
    return [(day, sign * amount) for day, amount in (flows[::-1] if backwards else flows)]


days = st.integers(0, 1500).map(lambda day: FIRST + day)
fen = st.one_of(
    st.integers(-(10**4), 10**4), st.integers(-(10**12), 10**12), st.integers(-(10**17), 10**17), st.just(0)
)
wild = st.lists(st.tuples(days, fen), max_size=14)
loans = st.builds(
    loan,
    st.lists(st.integers(1, 3000), min_size=1, max_size=40, unique=True).map(sorted),
    st.integers(10**4, 10**12),
    st.integers(-(10**4), 10**6),
)
disguised = st.builds(arranged, loans, st.booleans(), st.sampled_from([1, -1]))


def agrees(offers: Sequence[Offer], period: Period | None = None) -> None:
    """Compare every column with the exact price of each offer by itself."""
    prices = dated.price(Flows.of(offers, period))
    assert len(prices.note) == len(offers)
    for i, flows in enumerate(offers):
        exact = price_flows(
            [(Fraction(t) if period else date.fromordinal(t), Decimal(amount) / 100) for t, amount in flows],
            period,
        )
        assert (prices.total_cost[i], prices.net_received[i]) == (exact.total_cost, exact.net_received)
        note = NOTES[prices.note[i]]
        if note is NoRate.BEYOND:
            assert exact.effective is None or exact.effective > Decimal("1e308")
            continue
        assert (note and note.value) == exact.note
        if exact.effective is None or exact.simple is None:
            assert (prices.effective[i], prices.simple[i]) == (0, 0)
            continue
        # A rate that lasts days is raised to a high power, and so is its error.
        times = [t for t, amount in flows if amount]
        close = 1e-12 * max(1.0, PER_YEAR[period] / (max(times) - min(times)))
        assert prices.effective[i] == pytest.approx(float(exact.effective), rel=1e-11, abs=close)
        assert prices.simple[i] == pytest.approx(float(exact.simple), rel=1e-11, abs=close)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(wild, loans, disguised), max_size=12))
@example([])
@example([[], [(FIRST, 0)], [(FIRST, 1)], []])
def test_many_dated_flows_cost_what_each_costs(offers: list[Offer]) -> None:
    agrees(offers)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(-5, 40), fen), max_size=12), max_size=8),
    st.sampled_from([Period.MONTH, Period.YEAR]),
)
def test_flows_by_period_cost_what_each_costs(offers: list[Offer], period: Period) -> None:
    agrees(offers, period)


@pytest.mark.parametrize(
    "flows",
    [
        # Unsorted, repeated and empty days; a first day on which nothing moves; all on one day.
        [(FIRST + 90, -103), (FIRST, 60), (FIRST + 30, 0), (FIRST, 40)],
        [(FIRST, 0), (FIRST + 10, 100), (FIRST + 100, -110), (FIRST + 200, 0)],
        [(FIRST, 100), (FIRST + 50, 30), (FIRST + 50, -30), (FIRST + 100, -101)],
        [(FIRST, 100), (FIRST, -100)],
        # Two roots, touching roots, a root behind zero, none.
        [(FIRST, 100), (FIRST + 365, -230), (FIRST + 730, 132)],
        [(FIRST, 100), (FIRST + 365, -220), (FIRST + 730, 121)],
        [(FIRST, 100), (FIRST + 30, -120), (FIRST + 60, 60)],
        [(FIRST, 100), (FIRST + 365, -170), (FIRST + 730, 72)],
        [(FIRST, 100), (FIRST + 365, -150), (FIRST + 730, 70)],
        [(FIRST, 100), (FIRST + 365, -90)],
        [(FIRST, -100), (FIRST + 365, 90), (FIRST + 400, 30)],
        # What the root is told by: rises and falls of the running total.
        [(FIRST, 100), (FIRST + 30, 50), (FIRST + 60, -20), (FIRST + 90, 10), (FIRST + 900, -160)],
        [(FIRST, 100), (FIRST + 30, -150), (FIRST + 60, 100), (FIRST + 90, -70)],
    ],
)
def test_flows_of_every_kind_cost_what_they_cost(flows: Offer) -> None:
    agrees([flows])


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        # A year from start to end has its interest pro rata: 366 days are one only across a 29 February.
        (date(2027, 3, 1), date(2028, 3, 1), 366),
        (date(2026, 1, 5), date(2027, 1, 5), 365),
    ],
)
def test_one_repayment_within_a_year_has_its_interest_pro_rata(start: date, end: date, days: int) -> None:
    prices = dated.price(Flows.of([[(start, 10_000), (end, -10_500)]]))
    assert prices.simple[0] == pytest.approx(0.05 * 365 / days, rel=1e-12)
    later = dated.price(Flows.of([[(start, 10_000), (date.fromordinal(end.toordinal() + 1), -10_500)]]))
    assert later.simple[0] < 0.049


def test_thousands_of_offers_keep_their_places() -> None:
    offers = []
    for i in range(20_000):
        flows = [(FIRST, 10_000), (FIRST + 365, -10_000 - i % 500)]
        offers.append([] if i % 11 == 0 else flows[::-1] if i % 7 == 0 else flows)
    prices = dated.price(Flows.of(offers))
    expected = [0.0 if i % 11 == 0 else i % 500 / 10_000 for i in range(20_000)]
    assert prices.effective == pytest.approx(expected, abs=1e-12)
    assert [i for i, note in enumerate(prices.note.tolist()) if note] == list(range(0, 20_000, 11))


def test_a_rate_beyond_floating_point_is_noted() -> None:
    prices = dated.price(Flows.of([[(FIRST, 1), (FIRST + 1, -(10**14))], [(FIRST, 100), (FIRST + 1, -101)]]))
    assert [NOTES[note] for note in prices.note] == [NoRate.BEYOND, None]
    assert prices.effective[0] == prices.simple[0] == 0


@pytest.mark.parametrize(
    ("flows", "code", "field"),
    [
        ([(0, 1), (FIRST, -1)], Code.NOT_A_DATE, "times"),
        ([(date.max.toordinal() + 1, 1)], Code.NOT_A_DATE, "times"),
        ([(FIRST, 2**62), (FIRST, -(2**62))], Code.TOO_LARGE, "amounts"),
        ([(FIRST, -(2**63))], Code.TOO_LARGE, "amounts"),
    ],
)
def test_what_cannot_be_reckoned_with_is_refused_by_name(flows: Offer, code: Code, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        dated.price(Flows.of([[(FIRST, 1), (FIRST + 1, -1)], flows]))
    assert [(fault.code, fault.field) for fault in refused.value.faults] == [(code, field)]


def test_period_numbers_are_bounded() -> None:
    with pytest.raises(Invalid) as refused:
        dated.price(Flows.of([[(0, 1), (2**60, -2)]], Period.MONTH))
    assert refused.value.faults[0].code is Code.TOO_LARGE


@pytest.mark.parametrize("first", [[1, 2], [0, 1], [0, 3], [0, 2, 1, 2]])
def test_columns_that_do_not_fit_together_are_refused(first: list[int]) -> None:
    flows = Flows.of([[(FIRST, 100), (FIRST + 1, -101)]])
    with pytest.raises(ValueError, match="first column"):
        dated.price(replace(flows, first=np.array(first)))


def test_the_given_columns_are_left_as_they_are() -> None:
    flows = Flows.of([[(FIRST + 9, -103), (FIRST, 60), (FIRST, 40)], [(FIRST, 5), (FIRST + 1, 0)]])
    before = flows.times.copy(), flows.amounts.copy()
    dated.price(flows)
    assert (flows.times == before[0]).all() and (flows.amounts == before[1]).all()
