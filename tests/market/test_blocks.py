from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from market.blocks import blocks
from market.book import Book, fits_columns
from market.cashflow import timeline
from market.terms import LeaseTerms, LoanTerms
from tests.market.strategies import offers


@settings(max_examples=100, deadline=None)
@given(st.lists(offers.filter(fits_columns), max_size=20))
def test_the_flows_of_blocks_are_those_of_each_offer(listed: list[LoanTerms | LeaseTerms]) -> None:
    found: dict[int, dict[int, int]] = {}
    for block in blocks(Book.of(listed)):
        for j, row in enumerate(block.places.tolist()):
            assert row not in found
            days = range(len(block.net)) if block.days is None else block.days[:, j].tolist()
            found[row] = {t: fen for t, fen in zip(days, block.net[:, j].tolist(), strict=True) if fen}
    assert len(found) == len(listed)
    for row, terms in enumerate(listed):
        line = timeline(terms)
        assert found[row] == {t: fen for t, fen in zip(line.times, line.amounts, strict=True) if fen}
