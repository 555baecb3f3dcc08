from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import bulk
from market.book import Book, Charges, fits_columns
from market.cost import price
from market.terms import Fee, LeaseTerms, LoanTerms, Subsidy
from market.vocabulary import FeeTiming, Repayment
from tests.market.strategies import offers

Offer = LoanTerms | LeaseTerms
fitting = st.lists(offers.filter(fits_columns), max_size=20)


def agrees(prices: bulk.Prices, listed: list[Offer]) -> None:
    """Compare every column with the exact price of each offer by itself."""
    assert len(prices.note) == len(listed)
    for row, terms in enumerate(listed):
        exact = price(terms)
        assert prices.total_cost[row] == exact.total_cost
        assert prices.net_received[row] == exact.net_received
        assert prices.average_monthly_payment[row] == exact.average_monthly_payment
        note = bulk.NOTES[prices.note[row]]
        assert (note and note.value) == exact.note
        if exact.effective is None or exact.simple is None:
            assert (prices.effective[row], prices.simple[row]) == (0, 0)
        else:
            assert prices.effective[row] == pytest.approx(float(exact.effective), rel=1e-11, abs=1e-12)
            assert prices.simple[row] == pytest.approx(float(exact.simple), rel=1e-11, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(fitting)
def test_columns_cost_what_each_offer_costs(listed: list[Offer]) -> None:
    agrees(bulk.price(Book.of(listed)), listed)


@settings(max_examples=40, deadline=None)
@given(fitting.filter(bool), st.randoms(use_true_random=False))
def test_the_order_of_charges_in_their_table_does_not_matter(
    listed: list[Offer], random: st.DataObject
) -> None:
    book = Book.of(listed)
    rows = list(range(len(book.charges.offer)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    # What a bound leaves is per charge, so that the table may stand in any order.
    shuffled = Charges(*(getattr(book.charges, name)[rows] for name in Charges.__dataclass_fields__))
    agrees(bulk.price(replace(book, charges=shuffled)), listed)


def loan(**changes: object) -> LoanTerms:
    values = {
        "principal": 100_000_000,
        "months": 12,
        "rate": Decimal("0.05"),
        "repayment": Repayment.EQUAL_INSTALLMENT,
    }
    return LoanTerms(**{**values, **changes})  # type: ignore[arg-type]


def test_offers_that_cost_nothing_or_less_have_their_rate() -> None:
    free = loan(rate=Decimal(0))
    helped = replace(free, subsidies=(Subsidy("s", FeeTiming.UPFRONT, amount=1_000_000),))
    prices = bulk.price(Book.of([free, helped, loan()]))
    assert prices.effective[0] == prices.simple[0] == 0
    assert prices.effective[1] < 0 < prices.effective[2]


def test_offers_without_a_rate_are_noted() -> None:
    # The fee takes all that is lent: the firm only pays.
    taken = loan(fees=(Fee("f", FeeTiming.UPFRONT, amount=100_000_001),))
    prices = bulk.price(Book.of([taken, loan()]))
    assert [bulk.NOTES[note] for note in prices.note] == ["one_sided", None]
    assert prices.effective[0] == 0


def test_more_offers_than_a_block_holds_stay_in_their_places() -> None:
    months = np.arange(20_000) % 3 + 1
    none = np.zeros(0, dtype=np.int64)
    nought = np.zeros(20_000, dtype=np.int64)
    principal = np.arange(20_000) * 100 + 1_000_000
    book = Book.by_month(
        [Repayment.BULLET] * 20_000,
        months,
        principal,
        np.full(20_000, 5_000_000),
        nought,
        nought,
        Charges.plain(none, none, none, none, none, none),
    )
    prices = bulk.price(book)
    assert (prices.net_received == principal).all()
    assert prices.simple == pytest.approx(0.05, rel=1e-4)


def test_an_empty_book_has_no_prices() -> None:
    assert len(bulk.price(Book.of([])).note) == 0
