"""Ranking as columns: the same order, ranks and reasons as the rule for one need, at any size."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from market import bulk, cost, ranking, ranking_table
from market.book import Book
from market.cost import Cost
from market.ranking import Entry, Ranked, Reason
from market.ranking_table import REASONS, Entries, Ranking
from market.root import NoRate
from market.terms import LoanTerms
from market.vocabulary import Repayment
from tests.factories import MILLION

STYLE = Repayment.EQUAL_INSTALLMENT

#: Costs that are the same, next to each other in the last stored place, below zero and far away.
effectives = st.one_of(
    st.none(),
    st.sampled_from(["0", "0.04", "0.04000001", "0.03999999", "-0.01", "-0.00000001", "5", "90000000"]),
)
#: Amounts and terms on, just within and just beyond a tenth of the need's.
amounts = st.sampled_from([100, 90, 110, 89, 111, 1])
terms = st.sampled_from([20, 18, 22, 17, 23])


@st.composite
def markets(draw: st.DrawFn) -> list[list[Entry]]:
    """Bids of a few needs; receipts count up within each need, in whatever order the rows come."""
    found = []
    for need in range(draw(st.integers(1, 4))):
        receipts = draw(st.permutations(range(1, draw(st.integers(0, 7)) + 1)))
        found.append(
            [
                Entry(
                    (need, receipt),
                    _cost(draw(effectives), draw(st.sampled_from([0, 5, -5, 2**53 + 1, 2**53]))),
                    draw(amounts),
                    draw(terms),
                    receipt,
                )
                for receipt in receipts
            ]
        )
    return found


@given(markets(), st.randoms(use_true_random=False))
def test_columns_rank_as_the_rule_for_one_need(market: list[list[Entry]], random: Any) -> None:
    bids = [entry for entries in market for entry in entries]
    random.shuffle(bids)
    needs = len(market)
    ranked = ranking_table.rank(_columns(bids), amounts=np.full(needs, 100), months=np.full(needs, 20))
    rows = [row for entries in market for row in ranking.rank(entries, amount=100, months=20)]
    assert [bids[place].key for place in ranked.order.tolist()] == [row.key for row in rows]
    _compare(bids, ranked, rows)


def test_offers_alike_but_for_their_receipt_tie_wherever_they_stand_in_a_book() -> None:
    rates = ["0.04", "0.0435", "0.05", "0.061"] * 60
    loans = [LoanTerms(principal=MILLION, months=12, rate=Decimal(rate), repayment=STYLE) for rate in rates]
    prices = bulk.price(Book.of(loans))
    receipts = np.arange(len(loans), 0, -1)
    size = np.full(len(loans), MILLION)
    ranked = ranking_table.rank(
        Entries(
            np.zeros(len(loans), np.int64),
            size,
            np.full(len(loans), 12),
            receipts,
            prices.effective,
            prices.total_cost,
            prices.note == 0,
        ),
        amounts=np.array([MILLION]),
        months=np.array([12]),
    )
    entries = [
        Entry(place, cost.price(terms), MILLION, 12, int(receipt))
        for place, (terms, receipt) in enumerate(zip(loans, receipts, strict=True))
    ]
    rows = ranking.rank(entries, amount=MILLION, months=12)
    assert ranked.order.tolist() == [row.key for row in rows]
    assert sum(REASONS[reason] is Reason.LATER for reason in ranked.reason.tolist()) == len(loans) - 4


def test_many_needs_leave_few_bits_for_the_cost_and_are_ranked_all_the_same() -> None:
    # With 2**40 needs the sorting number holds no more than the size of the cost; the rest is compared.
    effective = np.array([0.0400001, 0.04, 0.0400002, 0.04])
    order = ranking_table._sort(
        np.full(4, 2**40 - 1), effective, np.array([1, 2, 1, 1]), np.array([1, 2, 3, 4]), 2**40
    )
    assert order.tolist() == [3, 1, 0, 2]


def test_nothing_is_ranked_without_bids() -> None:
    ranked = ranking_table.rank(_columns([]), amounts=np.full(3, 100), months=np.full(3, 20))
    assert len(ranked.order) == len(ranked.rank) == len(ranked.above) == 0


def _compare(bids: Sequence[Entry], ranked: Ranking, rows: Sequence[Ranked]) -> None:
    place = {entry.key: at for at, entry in enumerate(bids)}
    for row in rows:
        at = place[row.key]
        assert (int(ranked.rank[at]) or None) == row.rank
        assert REASONS[ranked.reason[at]] is row.reason
        assert bool(ranked.competes[at]) == (row.rank is not None)
        above = int(ranked.above[at])
        assert (bids[above].key if above >= 0 else None) == row.values.get("above")


def _columns(bids: Sequence[Entry]) -> Entries:
    rows = [(entry.key[0], entry.amount, entry.months, entry.receipt_number) for entry in bids]  # type: ignore[index]
    need, amount, months, receipt = np.array(rows, np.int64).reshape(-1, 4).T
    return Entries(
        need,
        amount,
        months,
        receipt,
        np.array([float(entry.cost.effective or 0) for entry in bids], np.float64),
        np.array([entry.cost.total_cost for entry in bids], np.int64),
        np.array([entry.cost.effective is not None for entry in bids], np.bool_),
    )


def _cost(effective: str | None, total_cost: int) -> Cost:
    rate = None if effective is None else Decimal(effective)
    note = NoRate.BEYOND.value if rate is None else None
    terms = LoanTerms(principal=MILLION, months=12, rate=Decimal("0.04"), repayment=STYLE)
    return Cost(terms, rate, rate, total_cost, MILLION, None, None, "", note)
