from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from market.cost import price, price_flows
from market.ranking import Entry, Reason, rank
from market.terms import LoanTerms
from market.vocabulary import Repayment

MILLION = 100_000_000


def bid(key: str, rate: str, receipt: int, amount: int = MILLION, months: int = 12) -> Entry:
    terms = LoanTerms(amount, months, Decimal(rate), Repayment.INTEREST_MONTHLY)
    return Entry(key, price(terms), amount, months, receipt)


def places(*entries: Entry) -> list[tuple[str, int | None, Reason]]:
    return [(row.key, row.rank, row.reason) for row in rank(entries, amount=MILLION, months=12)]


def test_the_cheapest_bid_stands_first_whatever_order_they_came_in() -> None:
    entries = [bid("a", "0.045", 1), bid("b", "0.036", 2), bid("c", "0.04", 3)]
    expected = [("b", 1, Reason.BEST), ("c", 2, Reason.DEARER), ("a", 3, Reason.DEARER)]
    assert places(*entries) == places(*reversed(entries)) == expected


def test_unrounded_costs_decide() -> None:
    # These differ in the ninth place only.
    assert [key for key, _, _ in places(bid("a", "0.04000001", 1), bid("b", "0.04", 2))] == ["b", "a"]
    close = [
        Entry(key, price_flows([(date(2026, 1, 1), Decimal("1")), (date(2027, 1, 1), Decimal(paid))]), MILLION, 12, n)
        for n, (key, paid) in enumerate([("a", "-1.0400000000000001"), ("b", "-1.04")])
    ]
    assert [key for key, _, _ in places(*close)] == ["b", "a"]


def test_equal_costs_are_decided_by_total_then_by_receipt() -> None:
    smaller, larger = MILLION * 19 // 20, MILLION
    entries = [bid("a", "0.04", 3), bid("b", "0.04", 2), bid("c", "0.04", 9, amount=smaller)]
    # Interest of the smaller loan rounds to the same rate only where the cents agree; 12 months of 4 % do not.
    even = [
        Entry("a", price_flows([(date(2026, 1, 1), Decimal(larger)), (date(2027, 1, 1), Decimal(-larger) * 2)]), larger, 12, 3),
        Entry("b", price_flows([(date(2026, 1, 1), Decimal(larger)), (date(2027, 1, 1), Decimal(-larger) * 2)]), larger, 12, 2),
        Entry("c", price_flows([(date(2026, 1, 1), Decimal(smaller)), (date(2027, 1, 1), Decimal(-smaller) * 2)]), smaller, 12, 9),
    ]
    assert places(*even) == [("c", 1, Reason.BEST), ("b", 2, Reason.HIGHER_TOTAL), ("a", 3, Reason.LATER)]
    assert [key for key, _, _ in places(*entries[:2])] == ["b", "a"]


@pytest.mark.parametrize(
    ("amount", "months", "competes"),
    [
        (MILLION * 9 // 10, 12, True),
        (MILLION * 11 // 10, 13, True),
        (MILLION * 9 // 10 - 1, 12, False),
        (MILLION * 11 // 10 + 1, 12, False),
        (MILLION, 14, False),
        (MILLION, 10, False),
    ],
)
def test_only_bids_of_about_the_needs_amount_and_tenor_compete(amount: int, months: int, competes: bool) -> None:
    rows = rank([bid("own", "0.05", 1), bid("other", "0.03", 2, amount, months)], amount=MILLION, months=12)
    other = next(row for row in rows if row.key == "other")
    assert (other.rank is not None) == competes
    if not competes:
        assert other.reason is Reason.OTHER_TERMS
        assert Decimal(other.values["amount_difference"]) * 100 == amount - MILLION
        assert other.values["months_difference"] == months - 12
        assert rows[0].key == "own" and rows[0].rank == 1


def test_a_bid_without_a_rate_is_shown_last_with_the_reason() -> None:
    none = Entry("x", price_flows([(date(2026, 1, 1), Decimal(1))]), MILLION, 12, 1)
    rows = rank([none, bid("a", "0.05", 2)], amount=MILLION, months=12)
    assert [(row.key, row.rank) for row in rows] == [("a", 1), ("x", None)]
    assert rows[1].describe() == {"code": "no_rate", "note": "one_sided"}


def test_a_row_says_what_would_have_ranked_higher() -> None:
    rows = rank([bid("a", "0.0365", 1), bid("b", "0.04", 2)], amount=MILLION, months=12)
    assert rows[0].describe() == {"code": "best"}
    assert rows[1].describe() == {
        "code": "dearer",
        "above": "a",
        "effective_gap": "0.00362464",
        "total_gap": "3499.92",
        "to_rank_higher": "0.03711689",
    }
